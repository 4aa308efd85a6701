//! The nearest cells of each cell of the same matrix, by direction.

use super::neighbors::nearest;
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Array2;

/// The `k` nearest rows of each row by cosine, itself first, with their cosine distances (`1 - cos`).
///
/// Euclidean distance on rows of unit length gives the order; ties go to the smaller index.
///
/// # Shapes
/// cells × dimensions → two of cells × `min(k, cells)`.
pub fn nearest_by_cosine(embedding: &Dense, k: usize, progress: &Progress) -> (Array2<u32>, Array2<f32>) {
    let unit = unit_rows(embedding);
    let found = nearest(&unit, &unit, k, "Finding neighbours", progress);
    let (mut neighbors, mut distances) = (found.indices, found.distances);
    // |a - b|² = 2 - 2 cos for vectors of unit length.
    distances.mapv_inplace(|distance| 0.5 * distance * distance);
    for (cell, mut row) in neighbors.rows_mut().into_iter().enumerate() {
        // A twin of smaller index may stand before the cell, and a crowd of them may have pushed it out.
        let last = row.len() - 1;
        let at = row.iter().position(|&other| other as usize == cell).unwrap_or(last);
        for rank in (0..at).rev() {
            row[rank + 1] = row[rank];
        }
        row[0] = cell as u32;
    }
    (neighbors, distances)
}

/// Rows divided by their length; a row of zeros stays.
fn unit_rows(embedding: &Dense) -> Dense {
    let mut unit = embedding.clone();
    for mut row in unit.rows_mut() {
        let length = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        if length > 0.0 {
            row.mapv_inplace(|value| (f64::from(value) / length) as f32);
        }
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

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
        assert!((f64::from(distances[[0, 2]]) - (1.0 - cosine)).abs() < 1e-7);
        let (all, _) = nearest_by_cosine(&embedding, 31, &Progress::silent());
        assert_eq!(all.dim(), (5, 5));
    }

    #[test]
    fn a_cell_in_a_crowd_of_twins_is_its_own_first_neighbour() {
        let embedding = Dense::from_elem((6, 3), 2.0);
        let (neighbors, _) = nearest_by_cosine(&embedding, 3, &Progress::silent());
        assert_eq!(neighbors.row(5).to_vec(), [5, 0, 1]);
        assert_eq!(neighbors.row(1).to_vec(), [1, 0, 2]);
    }

    #[test]
    fn the_neighbours_are_those_of_all_cosines() {
        let mut random = Random::new(5);
        let embedding = Dense::from_shape_fn((300, 12), |_| random.uniform() as f32 - 0.5);
        let (neighbors, distances) = nearest_by_cosine(&embedding, 20, &Progress::silent());
        let product = |a: usize, b: usize| -> f64 {
            (embedding.row(a).iter().zip(embedding.row(b))).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
        };
        for cell in 0..300 {
            let mut naive: Vec<(f64, usize)> = (0..300)
                .map(|other| (1.0 - product(cell, other) / (product(cell, cell) * product(other, other)).sqrt(), other))
                .collect();
            naive.sort_by(|a, b| a.0.total_cmp(&b.0));
            for rank in 0..20 {
                assert_eq!(neighbors[[cell, rank]] as usize, naive[rank].1);
                assert!((f64::from(distances[[cell, rank]]) - naive[rank].0).abs() < 1e-6);
            }
        }
    }
}
