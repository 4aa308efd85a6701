//! A map of cells of its own: UMAP fitted on their nearest neighbours.

pub mod graph;
pub mod power;

use crate::matrix::Dense;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::UmapParameters;
use graph::Edge;
use ndarray::Array2;
use power::power;

/// Seurat's parameters: 30 neighbours by cosine, `min.dist` 0.3, `spread` 1 (which fix `a` and `b`), 500 epochs up to
/// 10,000 cells and 200 above.
pub fn seurat_parameters(cells: usize) -> UmapParameters {
    UmapParameters {
        a: 0.992_175_619_768_871_7,
        b: 1.112_253_384_219_343_4,
        epochs: if cells <= 10_000 { 500 } else { 200 },
        neighbors: 30,
        negative_samples: 5,
        learning_rate: 1.0,
        repulsion: 1.0,
    }
}

/// Lays the cells out in the plane.
///
/// Stochastic gradient descent along the edges of the fuzzy graph, from the first two principal components at a
/// standard deviation of 1e-4. One thread and a seeded generator: the same layout always.
///
/// # Shapes
/// `neighbors`, `distances`: cells × (at least `parameters.neighbors`), itself first; `embedding`: cells × dimensions.
/// → cells × 2.
///
/// # Source
/// McInnes, Healy and Melville 2018 (arXiv:1802.03426); parameters and sampling as `uwot::umap(init = "spca")`.
pub fn layout(
    neighbors: &Array2<u32>,
    distances: &Array2<f32>,
    embedding: &Dense,
    parameters: &UmapParameters,
    seed: u64,
    progress: &Progress,
) -> Dense {
    let k = (parameters.neighbors as usize).min(neighbors.ncols());
    let first = ndarray::s![.., ..k];
    let edges = graph::fuzzy_union(&neighbors.slice(first).to_owned(), &distances.slice(first).to_owned());
    let mut positions = start(embedding);
    descend(&edges, &mut positions, parameters, seed, progress);
    Dense::from_shape_fn((positions.len(), 2), |(cell, axis)| positions[cell][axis] as f32)
}

/// The first two components, each centred and scaled to a standard deviation of 1e-4.
fn start(embedding: &Dense) -> Vec<[f64; 2]> {
    let cells = embedding.nrows();
    let mut positions = vec![[0.0; 2]; cells];
    for axis in 0..2.min(embedding.ncols()) {
        let column: Vec<f64> = embedding.column(axis).iter().map(|&value| f64::from(value)).collect();
        let mean = column.iter().sum::<f64>() / cells as f64;
        let squares: f64 = column.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (squares / (cells as f64 - 1.0)).sqrt().max(f64::MIN_POSITIVE);
        for (position, value) in positions.iter_mut().zip(column) {
            position[axis] = 1e-4 * (value - mean) / deviation;
        }
    }
    positions
}

fn descend(edges: &[Edge], positions: &mut [[f64; 2]], parameters: &UmapParameters, seed: u64, progress: &Progress) {
    let heaviest = edges.iter().map(|edge| edge.weight).fold(0.0, f64::max);
    let epochs = f64::from(parameters.epochs);
    // An edge that would not be drawn once is left out.
    let edges: Vec<Edge> = edges.iter().copied().filter(|edge| edge.weight * epochs >= heaviest).collect();
    let period: Vec<f64> = edges.iter().map(|edge| heaviest / edge.weight).collect();
    let negatives = f64::from(parameters.negative_samples);
    let mut next = period.clone();
    let mut next_negative: Vec<f64> = period.iter().map(|period| period / negatives).collect();
    let mut random = Random::new(seed);
    for epoch in 0..parameters.epochs {
        let now = f64::from(epoch);
        let rate = parameters.learning_rate * (1.0 - now / epochs);
        for (index, edge) in edges.iter().enumerate() {
            if next[index] > now {
                continue;
            }
            let (from, to) = (edge.from as usize, edge.to as usize);
            attract(positions, from, to, parameters, rate);
            next[index] += period[index];
            let spacing = period[index] / negatives;
            let draws = ((now - next_negative[index]) / spacing).max(0.0) as usize;
            for _ in 0..draws {
                let other = random.below(positions.len());
                if other != from {
                    repel(positions, from, other, parameters, rate);
                }
            }
            next_negative[index] += draws as f64 * spacing;
        }
        progress.report("Laying out the map", now / epochs);
    }
    progress.report("Laying out the map", 1.0);
}

/// Moves both ends of an edge towards each other.
fn attract(positions: &mut [[f64; 2]], from: usize, to: usize, parameters: &UmapParameters, rate: f64) {
    let [x, y] = [positions[from][0] - positions[to][0], positions[from][1] - positions[to][1]];
    let squared = x * x + y * y;
    if squared < f64::MIN_POSITIVE {
        return;
    }
    let powered = power(squared, parameters.b);
    let pull = -2.0 * parameters.a * parameters.b * powered / squared / (1.0 + parameters.a * powered);
    for (axis, difference) in [x, y].into_iter().enumerate() {
        let step = rate * (pull * difference).clamp(-4.0, 4.0);
        positions[from][axis] += step;
        positions[to][axis] -= step;
    }
}

/// Moves a cell away from one that was drawn at random.
fn repel(positions: &mut [[f64; 2]], from: usize, other: usize, parameters: &UmapParameters, rate: f64) {
    let [x, y] = [positions[from][0] - positions[other][0], positions[from][1] - positions[other][1]];
    let squared = x * x + y * y;
    if squared < f64::MIN_POSITIVE {
        return;
    }
    let powered = power(squared, parameters.b);
    let push = 2.0 * parameters.b * parameters.repulsion / ((0.001 + squared) * (1.0 + parameters.a * powered));
    for (axis, difference) in [x, y].into_iter().enumerate() {
        positions[from][axis] += rate * (push * difference).clamp(-4.0, 4.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::cosine::nearest_by_cosine;

    #[test]
    fn groups_stay_together_and_apart() {
        // Three groups of directions in ten dimensions.
        let mut random = Random::new(9);
        let embedding = Dense::from_shape_fn((150, 10), |(cell, dimension)| {
            (if dimension == cell % 3 { 5.0 } else { 0.0 }) + random.uniform() as f32
        });
        let (neighbors, distances) = nearest_by_cosine(&embedding, 15, &Progress::silent());
        let parameters = UmapParameters { neighbors: 15, epochs: 200, ..seurat_parameters(150) };
        let map = layout(&neighbors, &distances, &embedding, &parameters, 1, &Progress::silent());
        let same_group = |cell: usize| {
            let mut others: Vec<(f32, usize)> = (0..150)
                .filter(|&other| other != cell)
                .map(|other| {
                    let (x, y) = (map[[cell, 0]] - map[[other, 0]], map[[cell, 1]] - map[[other, 1]]);
                    (x * x + y * y, other)
                })
                .collect();
            others.sort_by(|a, b| a.0.total_cmp(&b.0));
            others[..10].iter().all(|other| other.1 % 3 == cell % 3)
        };
        assert_eq!((0..150).filter(|&cell| !same_group(cell)).count(), 0);
        let again = layout(&neighbors, &distances, &embedding, &parameters, 1, &Progress::silent());
        assert_eq!(map, again);
    }
}
