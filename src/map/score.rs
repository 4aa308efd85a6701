//! The mapping score: how well the query's own neighbourhoods survive the way through the reference.

use super::anchors::{Anchor, distinct};
use super::neighbors::{Neighbors, Rows, nearest, wide};
use super::weights::{Weights, weigh};
use crate::kernel::exp;
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// Defaults of `MappingScore` as Azimuth's app calls it.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Reference anchors around a cell on its way back, and at most as many anchors.
    pub k_anchors: usize,
    /// Neighbours that the kernel averages over.
    pub k_smooth: usize,
    /// Neighbours in the shared-nearest-neighbour graph that sets each cell's bandwidth.
    pub k_shared: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { k_anchors: 50, k_smooth: 100, k_shared: 20 }
    }
}

pub(super) const STAGE: &str = "Scoring the mapping";
/// Cells between two reports of progress.
const SLICE: usize = 4_096;

/// Mapping score of each query cell, 0 to 1.
///
/// # Shapes
/// `reference` n × d and `query` m × d, both L2-normalised; `query_in_query` m × 100 as found with the anchors.
///
/// # Source
/// Equals Seurat 4.3's `MappingScore` with exact neighbours, with the weights of the label transfer.
pub fn mapping_scores(
    anchors: &[Anchor],
    weights: &Weights,
    reference: &Dense,
    query: &Dense,
    query_in_query: &Neighbors,
    options: &Options,
    progress: &Progress<'_>,
) -> Vec<f32> {
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(STAGE, from + (to - from) * share);
    let (rows, reference_rows) = (Rows::of(query), Rows::of(reference));
    let forth = weighted_rows(weights, query.ncols(), |anchor| reference_rows.row(anchors[anchor].reference as usize));
    let back_weights = weigh_back(anchors, reference, &forth, options, &Progress::new(&part(0.0, 0.3)));
    let back = weighted_rows(&back_weights, query.ncols(), |anchor| rows.row(anchors[anchor].query as usize));
    let near_back = nearest(&back, query, options.k_smooth, STAGE, &Progress::new(&part(0.3, 0.9)));
    let holders = holders(query_in_query, options.k_shared);
    let score = |shared_with: &mut Vec<u16>, cell: usize| {
        let own = query_in_query.distances_of(cell);
        let own = &own[..options.k_smooth.min(own.len())];
        let nearest_other = own.get(1).map_or(0.0, |&distance| f64::from(distance));
        let here = wide(rows.row(cell));
        let distances =
            |others: &[u32]| -> Vec<f64> { rows.squared_distances(&here, others).into_iter().map(f64::sqrt).collect() };
        let bandwidth =
            bandwidth(cell, query_in_query, &holders, options.k_shared, shared_with, distances) - nearest_other;
        let kernel = |distance: f64| exp(-(distance - nearest_other) / bandwidth);
        let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
        let before = mean(own.iter().fold(0.0, |sum, &distance| sum + kernel(f64::from(distance))), own.len());
        let after = distances(near_back.of(cell));
        let after = mean(after.iter().fold(0.0, |sum, &distance| sum + kernel(distance)), after.len());
        let score = (after / before).min(1.0);
        // A bandwidth of zero: all cells around are copies, and a copy is kept as well as can be.
        if score.is_finite() { score as f32 } else { 1.0 }
    };
    let mut scores: Vec<f32> = Vec::with_capacity(query.nrows());
    for first in (0..query.nrows()).step_by(SLICE) {
        progress.report(STAGE, 0.9 + 0.1 * first as f64 / query.nrows() as f64);
        let slice = first..(first + SLICE).min(query.nrows());
        scores.par_extend(slice.into_par_iter().map_init(|| vec![0; query.nrows()], score));
    }
    scores
}

/// For each cell the weighted sum of its anchors' rows.
fn weighted_rows<'a>(weights: &Weights, columns: usize, anchor_row: impl Fn(usize) -> &'a [f32] + Sync) -> Dense {
    let rows: Vec<Vec<f64>> = (0..weights.cells())
        .into_par_iter()
        .map(|cell| {
            let mut sums = vec![0.0; columns];
            for (anchor, weight) in weights.of(cell) {
                for (sum, &value) in sums.iter_mut().zip(anchor_row(anchor)) {
                    *sum += weight * f64::from(value);
                }
            }
            sums
        })
        .collect();
    let mut summed = Array2::zeros((rows.len(), columns));
    for (mut to, from) in summed.rows_mut().into_iter().zip(rows) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from as f32);
    }
    summed
}

/// Weights on the way back: each reference cell of an anchor stands for all anchors of the query cell of its
/// first anchor (Seurat looks the rows up by the query cell's name).
fn weigh_back(
    anchors: &[Anchor],
    reference: &Dense,
    forth: &Dense,
    options: &Options,
    progress: &Progress<'_>,
) -> Weights {
    let cells = distinct(anchors.iter().map(|anchor| anchor.reference));
    let mut seen = FxHashSet::default();
    let partners: Vec<u32> =
        anchors.iter().filter(|anchor| seen.insert(anchor.reference)).map(|anchor| anchor.query).collect();
    let queries = distinct(anchors.iter().map(|anchor| anchor.query)).len();
    let k = options.k_anchors.min(cells.len()).min(queries);
    let rows: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
    weigh(anchors, &reference.select(Axis(0), &rows), &partners, forth, k, STAGE, progress)
}

/// For each cell, the cells that have it among their first `k` neighbours.
fn holders(neighbors: &Neighbors, k: usize) -> Vec<Vec<u32>> {
    let mut holders = vec![Vec::new(); neighbors.indices.nrows()];
    for cell in 0..holders.len() {
        let near = neighbors.of(cell);
        for &other in &near[..k.min(near.len())] {
            holders[other as usize].push(cell as u32);
        }
    }
    holders
}

/// Mean distance to the `k` cells that share the fewest neighbours with this one, but at least one. `distances` gives those
/// to some cells; `shared_with` has a zero for each cell, and has so again afterwards.
///
/// The order of shared / (2k - shared), Seurat's similarity, is the order of the shared neighbours. Cells that
/// tie with the k-th all count, then the mean is over the k largest distances.
fn bandwidth(
    cell: usize,
    neighbors: &Neighbors,
    holders: &[Vec<u32>],
    k: usize,
    shared_with: &mut [u16],
    distances: impl Fn(&[u32]) -> Vec<f64>,
) -> f64 {
    let near = neighbors.of(cell);
    let mut sharing: Vec<u32> = Vec::new();
    for &other in near[..k.min(near.len())].iter().flat_map(|&other| &holders[other as usize]) {
        let shared = &mut shared_with[other as usize];
        if *shared == 0 {
            sharing.push(other);
        }
        *shared += 1;
    }
    let k = k.min(sharing.len());
    let mut counts: Vec<u16> = sharing.iter().map(|&other| shared_with[other as usize]).collect();
    let limit = match k.checked_sub(1) {
        Some(last) => *counts.select_nth_unstable(last).1,
        None => return 0.0,
    };
    let fewest: Vec<u32> = sharing.iter().copied().filter(|&other| shared_with[other as usize] <= limit).collect();
    sharing.iter().for_each(|&other| shared_with[other as usize] = 0);
    let mut distances = distances(&fewest);
    distances.sort_by(|a, b| b.total_cmp(a));
    distances.truncate(k);
    distances.iter().fold(0.0, |sum, distance| sum + distance) / distances.len() as f64
}
