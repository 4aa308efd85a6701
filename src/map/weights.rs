//! The weight of each anchor for each query cell.

use super::anchors::{Anchor, distinct};
use super::neighbors::nearest;
use crate::kernel::exp;
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Axis;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// Weights of anchors, one list a query cell; each list sums to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    offsets: Vec<u32>,
    anchors: Vec<u32>,
    values: Vec<f32>,
}

impl Weights {
    pub(super) fn from_lists(lists: Vec<Vec<(u32, f64)>>) -> Self {
        let mut weights = Weights { offsets: vec![0], anchors: Vec::new(), values: Vec::new() };
        for list in lists {
            for (anchor, value) in list {
                weights.anchors.push(anchor);
                weights.values.push(value as f32);
            }
            weights.offsets.push(weights.anchors.len() as u32);
        }
        weights
    }

    /// Of no cells.
    pub fn of_none() -> Self {
        Weights::from_lists(Vec::new())
    }

    pub fn cells(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Anchors of a query cell with their weights.
    pub fn of(&self, cell: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[cell] as usize..self.offsets[cell + 1] as usize;
        self.anchors[range.clone()]
            .iter()
            .zip(&self.values[range])
            .map(|(&anchor, &value)| (anchor as usize, f64::from(value)))
    }
}

/// Defaults of `TransferData`.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub k_weight: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { k_weight: 50 }
    }
}

/// Weights of the anchors around each query cell, by distance in the projection (not L2-normalised).
///
/// # Shapes
/// `projected` m × d; the result has m lists of at most `k_weight` anchors.
///
/// # Source
/// Equals Seurat 4.3's `FindWeights` in `TransferData` (`sd.weight = 1`).
pub fn weigh_anchors(anchors: &[Anchor], projected: &Dense, options: &Options, progress: &Progress<'_>) -> Weights {
    let cells = distinct(anchors.iter().map(|anchor| anchor.query));
    let rows: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
    weigh(
        anchors,
        &projected.select(Axis(0), &rows),
        &cells,
        projected,
        options.k_weight,
        "Transferring labels",
        progress,
    )
}

/// Weighs the anchors of the `k` nearest `points` of each query.
///
/// # Shapes
/// `points` and `query` have the same columns; `cells` names, for each point, the query cell whose anchors count there.
pub(super) fn weigh(
    anchors: &[Anchor],
    points: &Dense,
    cells: &[u32],
    query: &Dense,
    k: usize,
    stage: &str,
    progress: &Progress<'_>,
) -> Weights {
    let mut anchors_of_cell: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (index, anchor) in anchors.iter().enumerate() {
        anchors_of_cell.entry(anchor.query).or_default().push(index as u32);
    }
    let near = nearest(query, points, k, stage, progress);
    let lists = (0..query.nrows())
        .into_par_iter()
        .map(|cell| {
            let farthest = near.distances_of(cell).last().map_or(0.0, |&distance| f64::from(distance));
            let mut walk: Vec<(u32, f64)> = Vec::with_capacity(k);
            for (&point, &distance) in near.of(cell).iter().zip(near.distances_of(cell)) {
                // All neighbours at distance zero: none is nearer than another.
                let closeness = if farthest > 0.0 { 1.0 - f64::from(distance) / farthest } else { 1.0 };
                let partners = &anchors_of_cell[&cells[point as usize]];
                walk.extend(partners.iter().take(k - walk.len()).map(|&anchor| (anchor, closeness)));
                if walk.len() == k {
                    break;
                }
            }
            normalize(walk, anchors)
        })
        .collect();
    Weights::from_lists(lists)
}

/// Turns closeness into weights that sum to one. An anchor that is met twice keeps its last weight.
///
/// Where every weight is zero Seurat divides by zero; here the anchors then count by closeness alone,
/// and where that is zero too, alike.
fn normalize(walk: Vec<(u32, f64)>, anchors: &[Anchor]) -> Vec<(u32, f64)> {
    let kernel = |closeness: f64, score: f64| 1.0 - exp(-closeness * score / 4.0);
    let ways: [&dyn Fn(u32, f64) -> f64; 3] = [
        &|anchor, closeness| kernel(closeness, anchors[anchor as usize].score),
        &|_, closeness| kernel(closeness, 1.0),
        &|_, _| 1.0,
    ];
    let mut unique: Vec<(u32, f64)> = Vec::with_capacity(walk.len());
    for (anchor, closeness) in walk {
        match unique.iter_mut().find(|seen| seen.0 == anchor) {
            Some(seen) => seen.1 = closeness,
            None => unique.push((anchor, closeness)),
        }
    }
    for weight in ways {
        let weighted: Vec<(u32, f64)> =
            unique.iter().map(|&(anchor, closeness)| (anchor, weight(anchor, closeness))).collect();
        let sum = weighted.iter().fold(0.0, |sum, entry| sum + entry.1);
        if sum > 0.0 {
            return weighted
                .into_iter()
                .map(|(anchor, weight)| (anchor, weight / sum))
                .filter(|entry| entry.1 > 0.0)
                .collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(score: f64) -> Anchor {
        Anchor { reference: 0, query: 0, score }
    }

    #[test]
    fn weights_sum_to_one_even_where_all_scores_are_zero() {
        for (walk, scores) in [
            (vec![(0, 0.9), (1, 0.0)], [0.5, 0.5]),
            (vec![(0, 0.9), (1, 0.4)], [0.0, 0.0]),
            (vec![(0, 0.0), (1, 0.0)], [0.3, 0.2]),
        ] {
            let weights = normalize(walk, &scores.map(anchor));
            assert!((weights.iter().map(|entry| entry.1).sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
        }
        assert_eq!(normalize(vec![(0, 0.0), (1, 0.0)], &[anchor(0.3), anchor(0.2)]), [(0, 0.5), (1, 0.5)]);
    }

    #[test]
    fn an_anchor_met_twice_keeps_its_last_weight() {
        let twice = normalize(vec![(0, 0.9), (1, 0.5), (0, 0.2)], &[anchor(1.0), anchor(1.0)]);
        let once = normalize(vec![(0, 0.2), (1, 0.5)], &[anchor(1.0), anchor(1.0)]);
        assert_eq!(twice, once);
    }
}
