//! `cache`: how many cells each soft cluster holds, and the sums of their places.

use super::{fault, matrix};
use crate::error::{Result, Warning};
use crate::formats::Object;
use crate::matrix::Dense;
use crate::reference::Clusters;
use ndarray::Axis;

/// Reads them, or computes them from the shares `R`; nothing where the list has neither.
///
/// # Errors
/// When they do not fit the embedding.
pub fn read(object: Object<'_>, embedding: &Dense, warnings: &mut Vec<Warning>) -> Result<Option<Clusters>> {
    let stored = object.at(&["cache"]).map(|cache| of_cache(cache, embedding.ncols())).transpose()?;
    let found = match (stored, object.at(&["R"])) {
        (Some(stored), _) => Some(stored),
        (None, Some(shares)) => {
            warnings.push(Warning::new(
                "cache_computed",
                "cache is missing; what a query is corrected with was computed from R and Z_corr.",
            ));
            Some(of_shares(&matrix(shares, "R")?, embedding)?)
        }
        (None, None) => {
            warnings.push(Warning::new(
                "no_correction",
                "Both cache and R are missing, so a query is not corrected as Symphony does it; anchors alone bring it to the \
                 reference.",
            ));
            None
        }
    };
    found.map(with_centroids).transpose()
}

/// Sizes and sums of the clusters.
type Parts = (Vec<f64>, Dense);

/// The two parts have names, or stand in that order.
fn of_cache(cache: Object<'_>, dimensions: usize) -> Result<Parts> {
    let elements = cache.elements();
    let part = |name: &str, place: usize| {
        cache.at(&[name]).or_else(|| elements.get(place).map(|(_, part)| *part)).ok_or_else(|| {
            fault(format!("cache has no {name}: it is a list of Nr, the sizes of the clusters, and C, their sums"))
        })
    };
    let (sizes, sums) = (part("Nr", 0)?, part("C", 1)?);
    let sizes = sizes.numbers()?.ok_or_else(|| fault("cache$Nr holds no numbers"))?;
    let sums = matrix_of_sums(sums)?;
    if sums.dim() != (sizes.len(), dimensions) {
        return Err(fault(format!(
            "cache$C has {} rows and {} columns, where cache$Nr has {} clusters and loadings have {dimensions} columns",
            sums.nrows(),
            sums.ncols(),
            sizes.len()
        )));
    }
    Ok((sizes.to_vec(), sums))
}

/// Sums over cells may be larger than what a cell has.
fn matrix_of_sums(sums: Object<'_>) -> Result<Dense> {
    let columns = sums.shape().map_or(0, |[_, columns]| columns);
    sums.dense(columns)?.ok_or_else(|| fault("cache$C is no dense matrix of numbers, or an empty one"))
}

/// Clusters × cells.
fn of_shares(shares: &Dense, embedding: &Dense) -> Result<Parts> {
    if shares.ncols() != embedding.nrows() {
        return Err(fault(format!("R has {} columns, where Z_corr has {} cells", shares.ncols(), embedding.nrows())));
    }
    let size = |row: ndarray::ArrayView1<'_, f32>| row.iter().fold(0.0, |sum, &share| sum + f64::from(share));
    let sizes = shares.rows().into_iter().map(size).collect();
    let mut sums = Dense::zeros((shares.nrows(), embedding.ncols()));
    for (row, mut to) in shares.rows().into_iter().zip(sums.rows_mut()) {
        let mut places = vec![0.0; embedding.ncols()];
        for (&share, place) in row.iter().zip(embedding.rows()) {
            places.iter_mut().zip(place).for_each(|(sum, &value)| *sum += f64::from(share) * f64::from(value));
        }
        to.iter_mut().zip(places).for_each(|(to, sum)| *to = sum as f32);
    }
    Ok((sizes, sums))
}

/// A centroid is the direction of the sum. Clusters without one hold no cells.
fn with_centroids((sizes, sums): Parts) -> Result<Clusters> {
    let length = |row: ndarray::ArrayView1<'_, f32>| {
        row.iter().fold(0.0, |sum, &value| sum + f64::from(value) * f64::from(value)).sqrt()
    };
    let lengths: Vec<f64> = sums.rows().into_iter().map(length).collect();
    let right = lengths.iter().zip(&sizes).all(|(length, size)| length.is_finite() && *size >= 0.0 && size.is_finite());
    let held: Vec<usize> = (0..sizes.len()).filter(|&cluster| lengths[cluster] > 0.0).collect();
    if !right || held.is_empty() {
        return Err(fault("the clusters have sizes or sums that are no numbers, or no cells"));
    }
    let sums = sums.select(Axis(0), &held);
    let centroids =
        Dense::from_shape_fn(sums.dim(), |(row, axis)| (f64::from(sums[(row, axis)]) / lengths[held[row]]) as f32);
    Ok(Clusters { centroids, sizes: held.iter().map(|&cluster| sizes[cluster]).collect(), sums })
}
