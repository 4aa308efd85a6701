//! Projection of the query onto the reference's loadings, without ever making the query dense.

use crate::kernel::{LISTS, add_scaled, scaled_sums};
use crate::matrix::{Counts, Dense};
use crate::normalize::{Depth, Residuals};
use crate::progress::Progress;
use crate::reference::Reference;
use ndarray::Array2;
use rayon::prelude::*;

/// Cells that are projected between two reports of progress.
const SLICE: usize = 2048;

/// Projects every cell: residuals of the features used × loadings.
///
/// The residual of a zero count depends on the feature and on the cell's total alone. So the projection
/// of an all-zero cell is computed once for each distinct total, exactly, and each cell adds only the
/// corrections of its non-zero counts, summed in the order of the genes (so they can be summed before it is
/// known which features are used: see [`crate::batches`]). Features that the query lacks drop out, nothing is rescaled.
///
/// # Shapes
/// `totals` holds one value for each cell of `counts`. Returns cells × dimensions.
///
/// # Source
/// Equals Seurat 4.3's `ProjectCellEmbeddings` of the SCT residuals.
pub fn project(
    residuals: &Residuals<'_>,
    reference: &Reference,
    counts: &Counts,
    totals: &[f64],
    progress: &Progress<'_>,
) -> Dense {
    let dimensions = reference.loadings.ncols();
    let loadings = loadings_of(reference, &residuals.features);
    let mut by_depth: Vec<usize> = (0..counts.cells()).collect();
    by_depth.sort_by(|&a, &b| totals[a].total_cmp(&totals[b]).then(a.cmp(&b)));
    let mut projected = Array2::zeros((counts.cells(), dimensions));
    for (slice, cells) in by_depth.chunks(SLICE).enumerate() {
        progress.report("Projecting", (slice * SLICE) as f64 / counts.cells() as f64);
        let groups: Vec<&[usize]> = cells.chunk_by(|&a, &b| totals[a] == totals[b]).collect();
        let rows: Vec<Vec<(usize, Vec<f64>)>> = groups
            .par_chunks(LISTS)
            .map(|groups| project_depths(residuals, &loadings, dimensions, counts, groups, totals))
            .collect();
        for (cell, row) in rows.into_iter().flatten() {
            projected.row_mut(cell).iter_mut().zip(row).for_each(|(to, from)| *to = from as f32);
        }
    }
    projected
}

/// The cells of a few totals; those of one total are a group.
fn project_depths(
    residuals: &Residuals<'_>,
    loadings: &[f64],
    dimensions: usize,
    counts: &Counts,
    groups: &[&[usize]],
    totals: &[f64],
) -> Vec<(usize, Vec<f64>)> {
    let depths: Vec<Depth> = groups.iter().map(|cells| residuals.at_depth(totals[cells[0]])).collect();
    let bases = zeros_projected(&depths, loadings, dimensions);
    let of_cell = |(cell, depth, base): (usize, &Depth, &Vec<f64>)| {
        let mut sums = vec![0.0; dimensions];
        for (gene, count) in counts.row(cell) {
            let Some(place) = residuals.place_of_gene[gene as usize] else {
                continue;
            };
            let place = place as usize;
            let correction = residuals.residual(depth, place, f64::from(count)) - depth.zero[place];
            add_scaled(&mut sums, correction, &loadings[place * dimensions..(place + 1) * dimensions]);
        }
        sums.iter_mut().zip(base).for_each(|(sum, base)| *sum += base);
        (cell, sums)
    };
    let groups = groups.iter().zip(depths.iter().zip(&bases));
    groups.flat_map(|(cells, (depth, base))| cells.iter().map(move |&cell| (cell, depth, base))).map(of_cell).collect()
}

/// The loadings of some features, row by row.
pub fn loadings_of(reference: &Reference, features: &[u32]) -> Vec<f64> {
    let rows = features.iter().flat_map(|&feature| reference.loadings.row(feature as usize).to_vec());
    rows.map(f64::from).collect()
}

/// The projection of a cell that has no counts of the features used, at each of at most [`LISTS`] depths. `loadings` are
/// those of the features.
pub fn zeros_projected(depths: &[Depth], loadings: &[f64], dimensions: usize) -> Vec<Vec<f64>> {
    let factors = std::array::from_fn(|at| &depths[at.min(depths.len() - 1)].zero[..]);
    scaled_sums(factors, loadings, dimensions).into_iter().take(depths.len()).collect()
}

/// Rows divided by their Euclidean length; a row of zeros stays.
pub fn normalize_rows(rows: &Dense) -> Dense {
    let mut normalized = rows.clone();
    for mut row in normalized.rows_mut() {
        let length = row.iter().fold(0.0, |sum, &value| sum + f64::from(value) * f64::from(value)).sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }
    normalized
}
