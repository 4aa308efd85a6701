//! The nearest reference cells of each reference cell.

use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Array2;
use rayon::prelude::*;

/// The `k` nearest rows of each row by cosine, itself first, with their cosine distances (`1 - cos`).
///
/// Euclidean distance on rows of unit length gives the order; ties go to the smaller index.
///
/// # Shapes
/// cells × dimensions → two of cells × `min(k, cells)`.
pub fn nearest_by_cosine(embedding: &Dense, k: usize, progress: &Progress) -> (Array2<u32>, Array2<f32>) {
    let (cells, dimensions) = embedding.dim();
    let k = k.min(cells);
    let unit = unit_rows(embedding);
    let mut lists: Vec<Vec<(f64, u32)>> = Vec::with_capacity(cells);
    for first in (0..cells).step_by(2_048) {
        let last = (first + 2_048).min(cells);
        lists.par_extend((first..last).into_par_iter().map(|cell| nearest(&unit, dimensions, cell, k)));
        progress.report("neighbors", last as f64 / cells as f64);
    }
    let neighbors = Array2::from_shape_fn((cells, k), |(cell, rank)| lists[cell][rank].1);
    // |a - b|² = 2 - 2 cos for vectors of unit length.
    let distances = Array2::from_shape_fn((cells, k), |(cell, rank)| (0.5 * lists[cell][rank].0) as f32);
    (neighbors, distances)
}

/// Rows divided by their length, one after the other; a row of zeros stays.
fn unit_rows(embedding: &Dense) -> Vec<f64> {
    let mut unit = Vec::with_capacity(embedding.len());
    for row in embedding.rows() {
        let length = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        let length = if length > 0.0 { length } else { 1.0 };
        unit.extend(row.iter().map(|&value| f64::from(value) / length));
    }
    unit
}

/// Squared distance and index of the nearest rows, the cell itself before any twin of it.
fn nearest(unit: &[f64], dimensions: usize, cell: usize, k: usize) -> Vec<(f64, u32)> {
    let query = &unit[cell * dimensions..(cell + 1) * dimensions];
    let mut all: Vec<(f64, u32)> = (unit.chunks_exact(dimensions).enumerate())
        .map(|(other, row)| {
            if other == cell {
                return (-1.0, other as u32);
            }
            let mut lanes = [0.0; 2];
            for (a, b) in query.chunks(2).zip(row.chunks(2)) {
                for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                    *lane += (x - y) * (x - y);
                }
            }
            (lanes[0] + lanes[1], other as u32)
        })
        .collect();
    let order = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k < all.len() {
        all.select_nth_unstable_by(k, order);
        all.truncate(k);
    }
    all.sort_unstable_by(order);
    if let Some(itself) = all.first_mut() {
        itself.0 = 0.0;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_count_and_lengths_do_not() {
        let embedding =
            Dense::from_shape_vec((5, 2), vec![1.0, 0.0, 0.0, 2.0, 5.0, 0.1, 3.0, 0.0, -1.0, -1.0]).unwrap();
        let (neighbors, distances) = nearest_by_cosine(&embedding, 3, &Progress::silent());
        assert_eq!(neighbors.row(0).to_vec(), [0, 3, 2]);
        // Its twin in direction has the smaller index, yet the cell itself comes first.
        assert_eq!(neighbors.row(3).to_vec(), [3, 0, 2]);
        assert_eq!(distances[[3, 1]], 0.0);
        let cosine = 5.0 / (25.01f64).sqrt();
        assert!((f64::from(distances[[0, 2]]) - (1.0 - cosine)).abs() < 1e-8);
        let (all, _) = nearest_by_cosine(&embedding, 31, &Progress::silent());
        assert_eq!(all.dim(), (5, 5));
    }
}
