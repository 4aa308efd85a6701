//! The query in the reference's space: each cell moved by the weighted correction of its anchors.

use super::anchors::Anchor;
use super::neighbors::Rows;
use super::weights::Weights;
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Array2;
use rayon::prelude::*;

pub(super) const STAGE: &str = "Integrating";
/// Cells between two reports of progress.
const SLICE: usize = 16_384;

/// `E[j] = P[j] - sum of W[a, j] * (P[query of a] - F[reference of a])`, not L2-normalised.
///
/// # Shapes
/// `projected` m × d, `embedding` n × d; returns m × d.
///
/// # Source
/// Equals Seurat 4.3's `IntegrateEmbeddings(reuse.weights.matrix = TRUE)`.
pub fn integrate(
    anchors: &[Anchor],
    weights: &Weights,
    projected: &Dense,
    embedding: &Dense,
    progress: &Progress<'_>,
) -> Dense {
    let dimensions = projected.ncols();
    let (projected_rows, embedding_rows) = (Rows::of(projected), Rows::of(embedding));
    let moved = |cell: usize| {
        let mut moved: Vec<f64> = projected_rows.row(cell).iter().copied().map(f64::from).collect();
        for (anchor, weight) in weights.of(cell) {
            let anchor = &anchors[anchor];
            let from = projected_rows.row(anchor.query as usize);
            let to = embedding_rows.row(anchor.reference as usize);
            for ((moved, &from), &to) in moved.iter_mut().zip(from).zip(to) {
                *moved -= weight * (f64::from(from) - f64::from(to));
            }
        }
        moved
    };
    let mut integrated = Array2::zeros((projected.nrows(), dimensions));
    for first in (0..projected.nrows()).step_by(SLICE) {
        progress.report(STAGE, first as f64 / projected.nrows() as f64);
        let slice = first..(first + SLICE).min(projected.nrows());
        let rows: Vec<Vec<f64>> = slice.clone().into_par_iter().map(moved).collect();
        for (cell, row) in slice.zip(rows) {
            integrated.row_mut(cell).iter_mut().zip(row).for_each(|(to, from)| *to = from as f32);
        }
    }
    integrated
}
