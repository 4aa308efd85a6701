//! Doubt that the type of a cell is in the reference.
//!
//! Three signs of it are added: the cell lies farther from the reference's cells than these lie from each other, in the
//! projection by cosine and, after integration, in coordinates in which the classes have unit covariance (as logarithms of
//! ratios of distances); and its anchors disagree about its coarse class. The reference is not equally dense everywhere: half
//! of what is usual around the reference cells in question is taken off (all of it, as for the local outlier factor of Breunig
//! et al. 2000, hides types that lie near a sparse one). Each sign is a mean over the cell and its neighbours in the query,
//! since a type that is missing is a group of cells. All cells of a query of another technology lie farther away than those of
//! the reference, so a cell is compared with the middle one of the classes that the query is called.
//!
//! The signs and the constants were chosen on the development pairs of `tests/bench/accuracy`, types being left out of the
//! reference in turn; how well it works on others stands there.

use super::anchors::quantile;
use super::neighbors::{Neighbors, Rows, row, wide};
use crate::matrix::Dense;
use ndarray::Array2;
use rayon::prelude::*;

/// Reference cells around a cell.
const NEAR: usize = 20;
/// Cells of the query that a sign is averaged over.
const TOGETHER: usize = 30;
/// Cells that a class is called for its median to count.
const FEW: usize = 20;
/// A query that lies farther away than this as a whole is not of the reference's tissue, so it is not its own measure.
const FARTHEST_KNOWN: f64 = 1.2;
/// A cell that lies this much farther away than the known ones is as likely unknown as known.
const MIDDLE: f64 = 0.6;
const STEEPNESS: f64 = 6.0;
/// Share of what is usual around the reference cells that is taken off.
const LOCAL: f64 = 0.5;
/// Copies of cells have no distance.
const LEAST: f64 = 1e-6;

/// What the doubt is made of. `n` reference cells, `m` query cells.
pub struct Signs<'a> {
    /// n × d, L2-normalised.
    pub reference: &'a Dense,
    /// n × d, whitened by the discriminant.
    pub reference_white: &'a Dense,
    /// n × 31: the nearest reference cells of each one, itself first.
    pub neighbors: &'a Array2<u32>,
    /// The nearest reference cells of each query cell in the projection.
    pub projected: &'a Neighbors,
    /// m × d, whitened after integration.
    pub integrated_white: &'a Dense,
    /// The nearest reference cells of each query cell after integration.
    pub integrated: &'a Neighbors,
    /// Each query cell among the query, itself first.
    pub query: &'a Neighbors,
    /// m prediction scores of the label transfer at the coarsest level.
    pub scores: &'a [f32],
    /// The class that each query cell is called.
    pub codes: &'a [u16],
}

/// Distances within the reference: their median, and the logarithm of the ratio to it of each cell's.
struct Usual {
    median: f64,
    local: Vec<f64>,
}

impl Usual {
    /// `places` n × d.
    fn of(places: &Dense, neighbors: &Array2<u32>) -> Self {
        let distance = |cell: usize| {
            let near = row(neighbors, cell);
            mean_distance(places, cell, places, &near[1.min(near.len())..near.len().min(NEAR + 1)])
        };
        let distances: Vec<f64> = (0..places.nrows()).into_par_iter().map(distance).collect();
        let median = median(distances.clone());
        Usual { median, local: distances.into_iter().map(|distance| log_ratio(distance, median)).collect() }
    }

    /// By how much the mean distance of a cell to those `near` it is beyond what is usual.
    fn excess(&self, distance: f64, near: &[u32]) -> f64 {
        log_ratio(distance, self.median) - LOCAL * mean(near.iter().map(|&cell| self.local[cell as usize]))
    }
}

/// Doubt of each query cell: 0 known, 1 unknown.
pub fn unknown_scores(signs: &Signs<'_>) -> Vec<f32> {
    let by_cosine = Usual::of(signs.reference, signs.neighbors);
    let by_class = Usual::of(signs.reference_white, signs.neighbors);
    let m = signs.scores.len();
    let raw: Vec<f64> = (0..m)
        .into_par_iter()
        .map(|cell| {
            let first = |near: &Neighbors| near.k().min(NEAR);
            let near = &signs.projected.of(cell)[..first(signs.projected)];
            let distances = &signs.projected.distances_of(cell)[..near.len()];
            let cosine = by_cosine.excess(mean(distances.iter().copied().map(f64::from)), near);
            let near = &signs.integrated.of(cell)[..first(signs.integrated)];
            let distance = mean_distance(signs.integrated_white, cell, signs.reference_white, near);
            cosine + by_class.excess(distance, near) + 1.0 - f64::from(signs.scores[cell])
        })
        .collect();
    let far: Vec<f64> = (0..m)
        .into_par_iter()
        .map(|cell| {
            let together = signs.query.of(cell);
            mean(together[..together.len().min(TOGETHER)].iter().map(|&other| raw[other as usize]))
        })
        .collect();
    let known = known(&far, signs.codes).min(FARTHEST_KNOWN);
    far.iter().map(|far| (1.0 / (1.0 + libm::exp(-STEEPNESS * (far - known - MIDDLE)))) as f32).collect()
}

/// How far a cell of a known type usually lies: the median of the medians of the classes that are called.
fn known(far: &[f64], codes: &[u16]) -> f64 {
    let classes = codes.iter().max().map_or(0, |&code| usize::from(code) + 1);
    let mut of_class = vec![Vec::new(); classes];
    codes.iter().zip(far).for_each(|(&code, &far)| of_class[usize::from(code)].push(far));
    let medians: Vec<f64> = of_class.into_iter().filter(|cells| cells.len() >= FEW).map(median).collect();
    if medians.is_empty() { median(far.to_vec()) } else { median(medians) }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.fold(0.0, |sum, value| sum + value) / count
}

/// Mean Euclidean distance of a row to some rows of another matrix.
fn mean_distance(from: &Dense, cell: usize, to: &Dense, near: &[u32]) -> f64 {
    mean(Rows::of(to).squared_distances(&wide(row(from, cell)), near).into_iter().map(f64::sqrt))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

fn log_ratio(distance: f64, usual: f64) -> f64 {
    libm::log(distance.max(LEAST) / usual.max(LEAST))
}
