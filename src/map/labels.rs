//! Labels: for each class, the sum of the weights of the anchors whose reference cell is of that class.

use super::anchors::Anchor;
use super::weights::Weights;
use crate::matrix::Dense;
use crate::reference::Level;
use ndarray::Array2;
use rayon::prelude::*;

/// The labels of one level, one a query cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// Name of the level.
    pub level: String,
    /// Classes of the level.
    pub classes: usize,
    /// Index into the level's classes.
    pub codes: Vec<u16>,
    /// Query cells × classes: prediction scores, which sum to one along a row; of a query mapped in batches query cells × 1,
    /// those of the predicted classes.
    pub scores: Dense,
}

impl Labels {
    /// The prediction score of the predicted class.
    pub fn score(&self, cell: usize) -> f32 {
        let class = if self.scores.ncols() == 1 { 0 } else { self.codes[cell] as usize };
        self.scores[(cell, class)]
    }
}

/// Transfers one level. A tie goes to the class that comes first in the reference.
///
/// # Source
/// Equals Seurat 4.3's `TransferData` for categorical data; levels are scored independently.
pub fn transfer_labels(anchors: &[Anchor], weights: &Weights, level: &Level) -> Labels {
    let classes = level.classes.len();
    let rows: Vec<Vec<f64>> = (0..weights.cells())
        .into_par_iter()
        .map(|cell| {
            let mut sums = vec![0.0; classes];
            for (anchor, weight) in weights.of(cell) {
                sums[level.codes[anchors[anchor].reference as usize] as usize] += weight;
            }
            sums
        })
        .collect();
    let first_maximum =
        |row: &Vec<f64>| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best }) as u16;
    let codes = rows.iter().map(first_maximum).collect();
    let mut scores = Array2::zeros((rows.len(), classes));
    for (mut to, from) in scores.rows_mut().into_iter().zip(&rows) {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
    }
    Labels { level: level.name.clone(), classes, codes, scores }
}
