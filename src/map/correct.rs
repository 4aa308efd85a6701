//! Correction of a projected query by the soft clusters of an integrated reference, as Symphony does it.

use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::Clusters;
use rayon::prelude::*;

/// Width of the clusters, and weight of the ridge: Symphony's and Harmony's defaults.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub sigma: f64,
    pub ridge: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { sigma: 0.1, ridge: 1.0 }
    }
}

const STAGE: &str = "Correcting";
/// Cells whose sums are one.
const BLOCK: usize = 256;

/// Takes off what sets the query apart from the reference, cluster by cluster.
///
/// A cell belongs to each cluster by a share, `exp(-2 (1 - cosine) / sigma)` of its centroid, divided by the sum of all. In
/// each cluster, the places of the reference's cells and of the query's are regressed on an intercept and on being of the
/// query, each cell by its share, with a ridge on the second. Of the reference's cells that takes only their number
/// `n` and the sum `s` of their places. With `m` and `t` of the query's the second coefficient is
///
/// `(n t - m s) / (n m + ridge (n + m))`
///
/// and each cell loses those of its clusters, by its shares. The query is one batch; [`super::samples`] maps each sample by itself.
///
/// # Shapes
/// `projected`: m × d → m × d.
///
/// # Source
/// Kang et al. 2021 (10.1038/s41467-021-25957-x), "Mapping a query"; agrees with symphonypy 0.2.2's `map_embedding`.
pub fn correct(projected: &Dense, clusters: &Clusters, options: &Options, progress: &Progress<'_>) -> Dense {
    progress.report(STAGE, 0.0);
    let (cells, dimensions) = projected.dim();
    let count = clusters.sizes.len();
    let place = |cell: usize| projected.row(cell).iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
    let starts: Vec<usize> = (0..cells).step_by(BLOCK).collect();
    // Of each cluster the number of cells, and the sums of their places behind it.
    let width = 1 + dimensions;
    let parts: Vec<Vec<f64>> = starts
        .par_iter()
        .map(|&start| {
            let mut sums = vec![0.0; count * width];
            for cell in start..cells.min(start + BLOCK) {
                let place = place(cell);
                for (share, sums) in shares(&place, clusters, options.sigma).iter().zip(sums.chunks_exact_mut(width)) {
                    sums[0] += share;
                    sums[1..].iter_mut().zip(&place).for_each(|(sum, value)| *sum += share * value);
                }
            }
            sums
        })
        .collect();
    let query = parts.into_iter().fold(vec![0.0; count * width], |mut all, part| {
        all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
        all
    });
    let shifts: Vec<Vec<f64>> = (0..count)
        .map(|cluster| {
            let own = &query[cluster * width..(cluster + 1) * width];
            shift(own, clusters.sizes[cluster], clusters.sums.row(cluster), options.ridge)
        })
        .collect();
    progress.report(STAGE, 0.5);
    let rows: Vec<Vec<f32>> = (0..cells)
        .into_par_iter()
        .map(|cell| {
            let mut place = place(cell);
            for (share, shift) in shares(&place.clone(), clusters, options.sigma).iter().zip(&shifts) {
                place.iter_mut().zip(shift).for_each(|(value, shift)| *value -= share * shift);
            }
            place.into_iter().map(|value| value as f32).collect()
        })
        .collect();
    let mut corrected = Dense::zeros((cells, dimensions));
    for (mut to, row) in corrected.rows_mut().into_iter().zip(rows) {
        to.iter_mut().zip(row).for_each(|(to, value)| *to = value);
    }
    corrected
}

/// The coefficient of being of the query.
fn shift(query: &[f64], cells: f64, sums: ndarray::ArrayView1<'_, f32>, ridge: f64) -> Vec<f64> {
    let own = query[0];
    let divisor = cells * own + ridge * (cells + own);
    // Without cells in it, of either, a cluster says nothing.
    if divisor <= 0.0 || divisor.is_nan() {
        return vec![0.0; sums.len()];
    }
    let places = query[1..].iter().zip(sums);
    places.map(|(of_query, &of_reference)| (cells * of_query - own * f64::from(of_reference)) / divisor).collect()
}

/// How much of a cell belongs to each cluster; together 1.
fn shares(place: &[f64], clusters: &Clusters, sigma: f64) -> Vec<f64> {
    let length = place.iter().fold(0.0, |sum, value| sum + value * value).sqrt();
    let length = if length > 0.0 { length } else { 1.0 };
    let cosine = |centroid: ndarray::ArrayView1<'_, f32>| {
        centroid.iter().zip(place).fold(0.0, |sum, (&one, other)| sum + f64::from(one) * other) / length
    };
    let cosines: Vec<f64> = clusters.centroids.rows().into_iter().map(cosine).collect();
    let nearest = cosines.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = cosines.iter().map(|cosine| libm::exp(-2.0 * (nearest - cosine) / sigma)).collect();
    let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn random(rows: usize, columns: usize, seed: u64) -> Dense {
        let mut random = Random::new(seed);
        Dense::from_shape_fn((rows, columns), |_| (random.uniform() * 4.0 - 2.0) as f32)
    }

    fn clusters() -> Clusters {
        let centroids = super::super::project::normalize_rows(&random(4, 3, 2));
        Clusters { centroids, sizes: vec![5.0, 80.5, 0.25, 30.0], sums: random(4, 3, 3) * 20.0 }
    }

    /// The regression as a matrix equation of two unknowns, solved by Cramer's rule in each cluster and dimension.
    #[test]
    fn it_is_the_ridge_regression_of_each_cluster() {
        let (query, clusters) = (random(300, 3, 1), clusters());
        let found = correct(&query, &clusters, &Options::default(), &Progress::silent());
        let weights: Vec<Vec<f64>> = (0..300)
            .map(|cell| {
                let place: Vec<f64> = query.row(cell).iter().map(|&value| f64::from(value)).collect();
                let length = place.iter().map(|value| value * value).sum::<f64>().sqrt();
                let near = |k: usize| -> f64 {
                    let cosine: f64 =
                        (0..3).map(|axis| f64::from(clusters.centroids[(k, axis)]) * place[axis] / length).sum();
                    libm::exp(-2.0 * (1.0 - cosine) / 0.1)
                };
                let all: f64 = (0..4).map(near).sum();
                (0..4).map(|k| near(k) / all).collect()
            })
            .collect();
        for axis in 0..3 {
            let mut expected: Vec<f64> = query.column(axis).iter().map(|&value| f64::from(value)).collect();
            for k in 0..4 {
                let m: f64 = weights.iter().map(|of| of[k]).sum();
                let t: f64 = (0..300).map(|cell| weights[cell][k] * f64::from(query[(cell, axis)])).sum();
                let (n, s) = (clusters.sizes[k], f64::from(clusters.sums[(k, axis)]));
                let [[a, b], [c, d]] = [[n + m, m], [m, m + 1.0]];
                let coefficient = (a * t - c * (s + t)) / (a * d - b * c);
                expected.iter_mut().enumerate().for_each(|(cell, value)| *value -= weights[cell][k] * coefficient);
            }
            for (cell, expected) in expected.into_iter().enumerate() {
                assert!((f64::from(found[(cell, axis)]) - expected).abs() < 1e-5, "{cell} {axis}");
            }
        }
        assert!(found.iter().zip(&query).any(|(one, other)| (one - other).abs() > 0.1), "something is corrected");
    }

    #[test]
    fn a_query_without_cells_or_lengths_and_empty_clusters_stay() {
        let empty = Clusters { sizes: vec![0.0; 4], sums: Dense::zeros((4, 3)), ..clusters() };
        let query = Dense::zeros((2, 3));
        assert_eq!(correct(&query, &empty, &Options::default(), &Progress::silent()), query);
        let none = Dense::zeros((0, 3));
        assert_eq!(correct(&none, &clusters(), &Options::default(), &Progress::silent()).dim(), (0, 3));
    }
}
