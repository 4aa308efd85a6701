//! Anchors: mutual nearest neighbours between reference and query, scored by shared neighbours.

use super::neighbors::{Neighbors, nearest, row};
use crate::error::{Error, Result};
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Array2;
use rayon::prelude::*;

/// A reference cell and a query cell that are among each other's nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    pub reference: u32,
    pub query: u32,
    /// 0 to 1: how much the two neighbourhoods overlap, between the 1 % and the 90 % quantile of all anchors.
    pub score: f64,
}

/// Neighbour lists that later steps use again, in the space of L2-normalised projections.
pub struct AnchorNeighbors {
    /// Each query cell among the query, itself included: the mapping score needs them.
    pub query_in_query: Neighbors,
    /// Each query cell among the reference.
    pub query_in_reference: Neighbors,
}

/// Defaults of `FindTransferAnchors` as Azimuth calls it.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub k_anchor: usize,
    pub k_score: usize,
    /// Neighbours of each query cell among the query that are kept (`mapping.score.k`).
    pub k_mapping_score: usize,
    /// Fewer anchors, or fewer query cells in them, are a failure.
    pub fewest: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { k_anchor: 5, k_score: 30, k_mapping_score: 100, fewest: MIN_ANCHORS }
    }
}

/// Azimuth fails with fewer anchors, or fewer query cells in them (`Azimuth.map.nanchors`).
pub const MIN_ANCHORS: usize = 50;

const STAGE: &str = "Finding anchors";

/// Finds anchors between L2-normalised rows, ordered by reference cell (see `mutual` for the order within).
///
/// # Shapes
/// `reference` n × d, `query` m × d, `neighbors` n × 31 or more: the reference cells nearest to each
/// reference cell, itself first.
///
/// # Errors
/// Fewer anchors than [`Options::fewest`], or fewer distinct query cells in them.
///
/// # Source
/// Stuart et al. 2019 (10.1016/j.cell.2019.05.031); equals Seurat 4.3's `FindTransferAnchors` with exact
/// neighbours, `k.filter = NA` and `l2.norm = TRUE`.
pub fn find_anchors(
    reference: &Dense,
    query: &Dense,
    neighbors: &Array2<u32>,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<(Vec<Anchor>, AnchorNeighbors)> {
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(STAGE, from + (to - from) * share);
    let reference_in_query = nearest(reference, query, options.k_score, STAGE, &Progress::new(&part(0.0, 0.3)));
    let query_in_reference = nearest(query, reference, options.k_score, STAGE, &Progress::new(&part(0.3, 0.6)));
    let query_in_query = nearest(query, query, options.k_mapping_score, STAGE, &Progress::new(&part(0.6, 1.0)));

    let pairs: Vec<(u32, u32)> = (0..reference.nrows())
        .flat_map(|cell| mutual(cell as u32, &reference_in_query, &query_in_reference, options.k_anchor))
        .collect();
    let shared: Vec<u32> = pairs
        .par_iter()
        .map(|&(reference, query)| {
            let of_reference = row(neighbors, reference as usize);
            let of_query = query_in_query.of(query as usize);
            let k = options.k_score;
            overlap(&of_reference[..k.min(of_reference.len())], query_in_reference.of(query as usize))
                + overlap(reference_in_query.of(reference as usize), &of_query[..k.min(of_query.len())])
        })
        .collect();
    let anchors = score(&pairs, &shared);
    check(&anchors, query.nrows(), options.fewest)?;
    Ok((anchors, AnchorNeighbors { query_in_query, query_in_reference }))
}

/// The query cells among the `k` nearest of a reference cell that have it among their `k` nearest in turn: by its
/// rank there, then by their rank here. The mapping score keeps a cell's first anchor, so the order matters.
fn mutual(
    cell: u32,
    reference_in_query: &Neighbors,
    query_in_reference: &Neighbors,
    k: usize,
) -> impl Iterator<Item = (u32, u32)> {
    let mut partners: Vec<(usize, usize, u32)> = Vec::new();
    for (rank, &partner) in reference_in_query.of(cell as usize).iter().take(k).enumerate() {
        let back = query_in_reference.of(partner as usize);
        if let Some(rank_there) = back.iter().take(k).position(|&other| other == cell) {
            partners.push((rank_there, rank, partner));
        }
    }
    partners.sort_unstable();
    partners.into_iter().map(move |(_, _, partner)| (cell, partner))
}

/// Values that occur in both lists; each list holds a value once.
fn overlap(a: &[u32], b: &[u32]) -> u32 {
    let mut sorted = b.to_vec();
    sorted.sort_unstable();
    a.iter().filter(|value| sorted.binary_search(value).is_ok()).count() as u32
}

fn score(pairs: &[(u32, u32)], shared: &[u32]) -> Vec<Anchor> {
    let mut sorted: Vec<f64> = shared.iter().copied().map(f64::from).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, 0.01), quantile(&sorted, 0.9));
    pairs
        .iter()
        .zip(shared)
        .map(|(&(reference, query), &shared)| {
            // Where all anchors overlap alike, none is better than another: Seurat divides by zero here.
            let score = if high > low { (f64::from(shared) - low) / (high - low) } else { 1.0 };
            Anchor { reference, query, score: score.clamp(0.0, 1.0) }
        })
        .collect()
}

/// R's default quantile (type 7) of ascending values; 0 for none.
pub fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = last as f64 * probability;
    let below = position.floor();
    let (lower, upper) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    lower + (position - below) * (upper - lower)
}

/// The distinct values of `ids` in the order of their first appearance.
pub fn distinct(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut seen = rustc_hash::FxHashSet::default();
    ids.filter(|&id| seen.insert(id)).collect()
}

fn check(anchors: &[Anchor], cells: usize, fewest: usize) -> Result<()> {
    let queries = distinct(anchors.iter().map(|anchor| anchor.query)).len();
    if anchors.len() >= fewest && queries >= fewest {
        return Ok(());
    }
    let advice = if cells < super::FEW_CELLS {
        format!(
            "The file has only {cells} cells, too few for a mapping, which wants {} and more: map them together with other \
             samples of the same experiment.",
            super::FEW_CELLS
        )
    } else {
        "The query and the reference share too few cell states: check that the reference is of the same tissue and species, \
         and that the file holds raw counts of whole cells."
            .into()
    };
    Err(Error::mapping(format!(
        "Too few anchors identified: {} anchors on {queries} query cells, where {fewest} of each are needed. {advice}",
        anchors.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_as_in_r() {
        // quantile(c(1, 2, 4, 8), c(.01, .5, .9)) in R: 1.03, 3, 6.8
        let values = [1.0, 2.0, 4.0, 8.0];
        for (probability, expected) in [(0.01, 1.03), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, probability) - expected).abs() < 1e-12);
        }
        assert_eq!(quantile(&[], 0.9), 0.0);
        assert_eq!(quantile(&[5.0], 0.9), 5.0);
    }

    #[test]
    fn equal_overlaps_score_one() {
        let anchors = score(&[(0, 0), (1, 1)], &[7, 7]);
        assert!(anchors.iter().all(|anchor| anchor.score == 1.0));
    }

    #[test]
    fn too_few_anchors_are_a_sentence() {
        let message = |cells| check(&[], cells, MIN_ANCHORS).unwrap_err().to_string();
        assert_eq!(
            message(100),
            "Too few anchors identified: 0 anchors on 0 query cells, where 50 of each are needed. The query and the reference \
             share too few cell states: check that the reference is of the same tissue and species, and that the file holds \
             raw counts of whole cells."
        );
        assert_eq!(
            message(60),
            "Too few anchors identified: 0 anchors on 0 query cells, where 50 of each are needed. The file has only 60 cells, \
             too few for a mapping, which wants 100 and more: map them together with other samples of the same experiment."
        );
    }
}
