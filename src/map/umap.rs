//! Placing query cells on the reference's UMAP.

use super::neighbors::{Neighbors, row};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::{UmapModel, UmapParameters};
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
/// uwot's bounds: a gradient step, and the term that keeps the repulsion finite.
const MAX_STEP: f32 = 4.0;
const REPULSION_EPSILON: f64 = 0.001;

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
    let curves = Curves::new(&model.parameters);
    let weights = similarities(neighbors);
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let cells = neighbors.indices.nrows();
    let mut start = Array2::zeros((cells, 2));
    let mut layout = Array2::zeros((cells, 2));
    for first in (0..cells).step_by(SLICE) {
        progress.report(STAGE, first as f64 / cells as f64);
        let placed: Vec<([f32; 2], [f32; 2])> = (first..(first + SLICE).min(cells))
            .into_par_iter()
            .map(|cell| {
                let start = weighted_mean(neighbors.of(cell), row(&weights, cell), model);
                let random = Random::for_name(&names[cell], options.seed);
                (start, refine(start, neighbors.of(cell), row(&weights, cell), largest, model, &curves, random))
            })
            .collect();
        for (offset, (from, to)) in placed.into_iter().enumerate() {
            for axis in 0..2 {
                start[(first + offset, axis)] = from[axis];
                layout[(first + offset, axis)] = to[axis];
            }
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

fn similarity(distance: f32, sigma: f64) -> f64 {
    if distance > 0.0 { libm::exp(-f64::from(distance) / sigma) } else { 1.0 }
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

/// The two gradients as functions of the squared distance.
///
/// A step waits for the one before it, and the power in its gradient would take most of the time: a table with
/// straight lines between 64 places an octave is several times as fast, and right to 3e-4.
struct Curves {
    attraction: Curve,
    repulsion: Curve,
}

impl Curves {
    fn new(parameters: &UmapParameters) -> Self {
        let UmapParameters { a, b, repulsion, .. } = *parameters;
        Curves {
            attraction: Curve::new(|square| {
                let raised = libm::pow(square, b);
                -2.0 * a * b * raised / (square * (a * raised + 1.0))
            }),
            repulsion: Curve::new(|square| {
                2.0 * repulsion * b / ((REPULSION_EPSILON + square) * (a * libm::pow(square, b) + 1.0))
            }),
        }
    }
}

/// Value and rise of each piece; the first bits of an `f32` are the number of its piece.
struct Curve(Vec<[f32; 2]>);

impl Curve {
    const SHIFT: u32 = 17;
    /// Squared distances below and above are taken for these.
    const LOW: f32 = 1.0 / 1_048_576.0;
    const HIGH: f32 = 1_048_575.0;
    const FIRST: u32 = Self::LOW.to_bits() >> Self::SHIFT;

    fn new(function: impl Fn(f64) -> f64) -> Self {
        let value = |piece: u32| function(f64::from(f32::from_bits(piece << Self::SHIFT)));
        let last = Self::HIGH.to_bits() >> Self::SHIFT;
        Curve(
            (Self::FIRST..=last).map(|piece| [value(piece) as f32, (value(piece + 1) - value(piece)) as f32]).collect(),
        )
    }

    #[inline]
    fn at(&self, square: f32) -> f32 {
        let bits = square.clamp(Self::LOW, Self::HIGH).to_bits();
        let share = (bits & ((1 << Self::SHIFT) - 1)) as f32 * (1.0 / (1u32 << Self::SHIFT) as f32);
        let [value, rise] = self.0[((bits >> Self::SHIFT) - Self::FIRST) as usize];
        value + share * rise
    }
}

/// An edge to a neighbour, with the epochs at which it is drawn next.
struct Edge {
    place: [f32; 2],
    epochs_per_sample: f32,
    next: f32,
    epochs_per_negative: f32,
    next_negative: f32,
}

fn refine(
    start: [f32; 2],
    cells: &[u32],
    weights: &[f64],
    largest: f64,
    model: &UmapModel,
    curves: &Curves,
    mut random: Random,
) -> [f32; 2] {
    let parameters = &model.parameters;
    let epochs = libm::round(f64::from(parameters.epochs) / 3.0).max(2.0);
    let mut edges: Vec<Edge> = cells
        .iter()
        .zip(weights)
        .filter(|&(_, &weight)| weight >= largest / epochs)
        .map(|(&cell, &weight)| {
            let epochs_per_sample = (largest / weight) as f32;
            let epochs_per_negative = epochs_per_sample / parameters.negative_samples as f32;
            let place = point(model, cell);
            Edge {
                place,
                epochs_per_sample,
                next: epochs_per_sample,
                epochs_per_negative,
                next_negative: epochs_per_negative,
            }
        })
        .collect();
    let layout = &model.layout;
    let mut current = start;
    for epoch in 0..epochs as u32 {
        let now = epoch as f32;
        let rate = (parameters.learning_rate / 4.0 * (1.0 - f64::from(epoch) / epochs)) as f32;
        for edge in edges.iter_mut().filter(|edge| edge.next <= now) {
            step(&mut current, edge.place, rate, &curves.attraction);
            edge.next += edge.epochs_per_sample;
            let negatives = ((now - edge.next_negative) / edge.epochs_per_negative).max(0.0) as u32;
            for _ in 0..negatives {
                let other = row(layout, random.below(layout.nrows()));
                step(&mut current, [other[0], other[1]], rate, &curves.repulsion);
            }
            edge.next_negative += negatives as f32 * edge.epochs_per_negative;
        }
    }
    current
}

/// Moves `current` along the line to `other`; no move where both stand on the same spot.
#[inline]
fn step(current: &mut [f32; 2], other: [f32; 2], rate: f32, gradient: &Curve) {
    let difference = [current[0] - other[0], current[1] - other[1]];
    let factor = gradient.at(difference[0] * difference[0] + difference[1] * difference[1]);
    for axis in 0..2 {
        current[axis] += rate * (factor * difference[axis]).clamp(-MAX_STEP, MAX_STEP);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn curves_follow_their_functions() {
        let exact = |square: f64| 2.0 / ((0.001 + square) * (0.99 * square.powf(1.11) + 1.0));
        let curve = Curve::new(exact);
        for step in 0..4000 {
            let square = (-13.0 + f64::from(step) * 0.006).exp();
            let found = f64::from(curve.at(square as f32));
            assert!((found / exact(square) - 1.0).abs() < 3e-4, "{square}");
        }
        assert_eq!(curve.at(0.0), curve.at(Curve::LOW));
        assert_eq!(curve.at(f32::INFINITY), curve.at(Curve::HIGH));
    }

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
