//! `umap$embedding`: the map, or one that is laid out anew.

use super::{fault, matrix};
use crate::error::{Result, Warning};
use crate::formats::Object;
use crate::layout::{layout, seurat_parameters};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::{UmapModel, UmapParameters};
use ndarray::Array2;

const SEED: u64 = 42;

/// Where the cells stand on the map that the list holds.
///
/// # Errors
/// When it does not place every cell in the plane.
pub fn stored(object: Object<'_>, cells: usize) -> Result<Option<(Dense, UmapParameters)>> {
    let Some(places) = object.at(&["umap", "embedding"]) else {
        return Ok(None);
    };
    let places = matrix(places, "umap$embedding")?;
    if places.dim() != (cells, 2) {
        return Err(fault(format!(
            "umap$embedding has {} rows and {} columns, where Z_corr has {cells} cells, which stand in the plane",
            places.nrows(),
            places.ncols()
        )));
    }
    Ok(Some((places, parameters(object, cells))))
}

/// The map of the list, or one of the embedding.
pub fn complete(
    stored: Option<(Dense, UmapParameters)>,
    neighbors: &Array2<u32>,
    distances: &Array2<f32>,
    embedding: &Dense,
    progress: &Progress<'_>,
    warnings: &mut Vec<Warning>,
) -> UmapModel {
    let rows = (0..embedding.nrows() as u32).collect();
    if let Some((layout, parameters)) = stored {
        return UmapModel { layout, rows, parameters };
    }
    warnings.push(Warning::new(
        "umap_computed",
        "umap$embedding is missing; a map of the reference was laid out anew from Z_corr. (The file that save_uwot_path names cannot be \
         read here, and is not needed.)",
    ));
    let parameters = seurat_parameters(embedding.nrows());
    let layout = layout(neighbors, distances, embedding, &parameters, SEED, progress);
    UmapModel { layout, rows, parameters }
}

/// What the list tells where it holds a model of uwot; else a curve for symphony's `umap_min_dist`, 0.1, as
/// `uwot:::find_ab_params(1, 0.1)` fits it, and uwot's usual parameters.
fn parameters(object: Object<'_>, cells: usize) -> UmapParameters {
    let told = |name: &str| object.at(&["umap", name]).and_then(|value| value.number()).filter(|value| !value.is_nan());
    UmapParameters {
        a: told("a").unwrap_or(1.576_943_460_250_825),
        b: told("b").unwrap_or(0.895_060_878_120_325_5),
        ..seurat_parameters(cells)
    }
}
