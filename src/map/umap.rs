//! Placing query cells on the reference's UMAP.

mod descent;

use super::neighbors::{Neighbors, row};
use crate::kernel::exp;
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::UmapModel;
use descent::{Cell, Descent};
use ndarray::Array2;
use rayon::prelude::*;

/// Defaults of the app: `FindNeighbors` and uwot's `umap_transform`.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Reference cells that place a query cell.
    pub neighbors: usize,
    /// Seurat's `RunUMAP` seed; mixed with the cell's name.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { neighbors: 20, seed: 42 }
    }
}

/// Where the query cells stand on the reference's map: m × 2 each.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Weighted mean of the neighbours' places.
    pub start: Dense,
    /// After the refinement.
    pub layout: Dense,
}

pub(super) const STAGE: &str = "Placing on the map";
const SLICE: usize = 2048;
/// Cells that one task refines.
const TASK: usize = 64;

/// Places each query cell at the weighted mean of its neighbours and refines that by stochastic gradient
/// descent against the reference points, which stay where they are. So no cell depends on another, and each
/// draws its random numbers by its name.
///
/// # Shapes
/// `neighbors` m × 20: the reference cells nearest to each query cell in the integrated space; `names` m.
///
/// # Source
/// McInnes et al. 2018 (arXiv 1802.03426); the start equals uwot's `umap_transform`, the refinement follows it
/// with a generator of our own.
pub fn place(
    neighbors: &Neighbors,
    names: &[String],
    model: &UmapModel,
    options: &Options,
    progress: &Progress<'_>,
) -> Placement {
    let weights = similarities(neighbors);
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let descent = Descent::new(model, largest);
    let cells = neighbors.indices.nrows();
    let mut start = Array2::zeros((cells, 2));
    for cell in 0..cells {
        let place = weighted_mean(neighbors.of(cell), row(&weights, cell), model);
        (0..2).for_each(|axis| start[(cell, axis)] = place[axis]);
    }
    let cell = |cell: usize| Cell {
        start: [start[(cell, 0)], start[(cell, 1)]],
        neighbors: neighbors.of(cell),
        weights: row(&weights, cell),
        random: Random::for_name(&names[cell], options.seed),
    };
    let mut layout = Array2::zeros((cells, 2));
    for first in (0..cells).step_by(SLICE) {
        progress.report(STAGE, first as f64 / cells as f64);
        let end = (first + SLICE).min(cells);
        let tasks: Vec<usize> = (first..end).step_by(TASK).collect();
        let refined: Vec<Vec<[f32; 2]>> =
            tasks.into_par_iter().map(|first| descent.refine((first..(first + TASK).min(end)).map(cell))).collect();
        for (offset, place) in refined.into_iter().flatten().enumerate() {
            (0..2).for_each(|axis| layout[(first + offset, axis)] = place[axis]);
        }
    }
    Placement { start, layout }
}

/// Similarity `exp(-d / sigma)` to each neighbour, where sigma makes those beyond the first add up to log2(k).
fn similarities(neighbors: &Neighbors) -> Array2<f64> {
    let (cells, k) = neighbors.indices.dim();
    let sum = neighbors.distances.iter().fold(0.0, |sum, &distance| sum + f64::from(distance));
    let smallest = 1e-3 * sum / (cells * k).max(1) as f64;
    let rows: Vec<Vec<f64>> = (0..cells)
        .into_par_iter()
        .map(|cell| {
            let distances = neighbors.distances_of(cell);
            let sigma = bandwidth(distances).max(smallest);
            distances.iter().map(|&distance| similarity(distance, sigma)).collect()
        })
        .collect();
    let mut weights = Array2::zeros((cells, k));
    for (mut to, from) in weights.rows_mut().into_iter().zip(rows) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    }
    weights
}

#[inline(always)]
fn similarity(distance: f32, sigma: f64) -> f64 {
    if distance > 0.0 { exp(-f64::from(distance) / sigma) } else { 1.0 }
}

fn bandwidth(distances: &[f32]) -> f64 {
    let beyond_the_first =
        |sigma: f64| distances.iter().skip(1).fold(0.0, |sum, &distance| sum + similarity(distance, sigma));
    bisect(libm::log2(distances.len() as f64), beyond_the_first)
}

/// The sigma at which a sum that grows with it meets the target: 64 steps at most, to 1e-5, else the nearest seen.
pub fn bisect(target: f64, sum: impl Fn(f64) -> f64) -> f64 {
    let (mut sigma, mut low, mut high) = (1.0f64, 0.0, f64::INFINITY);
    let (mut best, mut smallest_error) = (1.0, f64::INFINITY);
    for _ in 0..64 {
        let sum = sum(sigma);
        let error = (sum - target).abs();
        if error < smallest_error {
            (smallest_error, best) = (error, sigma);
        }
        if error < 1e-5 {
            break;
        }
        if sum > target {
            high = sigma;
            sigma = 0.5 * (low + high);
        } else {
            low = sigma;
            sigma = if high.is_infinite() { 2.0 * sigma } else { 0.5 * (low + high) };
        }
    }
    best
}

fn point(model: &UmapModel, cell: u32) -> [f32; 2] {
    let row = row(&model.layout, model.rows[cell as usize] as usize);
    [row[0], row[1]]
}

fn weighted_mean(cells: &[u32], weights: &[f64], model: &UmapModel) -> [f32; 2] {
    let (mut sums, mut total) = ([0.0; 2], 0.0);
    for (&cell, &weight) in cells.iter().zip(weights) {
        let place = point(model, cell);
        sums[0] += weight * f64::from(place[0]);
        sums[1] += weight * f64::from(place[1]);
        total += weight;
    }
    sums.map(|sum| (sum / total) as f32)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn bandwidth_meets_its_target() {
        let distances: Vec<f32> = (0..20).map(|step| 0.1 + step as f32 * 0.03).collect();
        let sigma = bandwidth(&distances);
        let sum: f64 = distances[1..].iter().map(|&distance| similarity(distance, sigma)).sum();
        assert!((sum - 20f64.log2()).abs() < 1e-5);
        // All neighbours on the same spot: no sigma meets the target, and the search ends.
        assert!(bandwidth(&[0.0; 20]).is_finite());
    }
}
