//! `neighbors$refdr.annoy.neighbors`: the nearest reference cells of each reference cell.

use super::fault;
use crate::error::{Result, Warning};
use crate::formats::{Object, Texts, grouped};
use crate::map::cosine::nearest_by_cosine;
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::Array2;
use std::sync::Arc;

/// What Azimuth calls them.
pub const NAME: &str = "refdr.annoy.neighbors";
/// How many it keeps of each cell, itself included.
const KEPT: usize = 31;
/// Every pair of cells is compared: more of them take longer than anyone waits.
const MOST_SEARCHED: usize = 200_000;
/// Fewer are not worth keeping.
const FEWEST: usize = 5;

/// The neighbours that the object holds, or why they cannot be used.
pub type Stored = std::result::Result<Array2<u32>, &'static str>;

/// Reads them, the cell itself first.
///
/// # Errors
/// When they cannot be read from the file.
pub fn read(seurat: Object<'_>, cells: &Arc<Texts>) -> Result<Stored> {
    let Some(object) = seurat.at(&["neighbors", NAME]) else {
        return Ok(Err("is missing"));
    };
    let Some(index) = object.at(&["nn.idx"]) else {
        return Ok(Err("has no nn.idx"));
    };
    let columns = index.shape().map_or(0, |[_, columns]| columns.min(KEPT));
    if columns < FEWEST.min(cells.len()) {
        return Ok(Err("has fewer than 5 neighbours of each cell"));
    }
    let Some(found) = index.numbered(columns)? else {
        return Ok(Err("has an nn.idx that is no matrix of numbers"));
    };
    Ok(checked(found, object, cells))
}

fn checked(found: Array2<u32>, object: Object<'_>, cells: &Arc<Texts>) -> Stored {
    // They number the cells in the order of `cell.names`.
    let names = object.at(&["cell.names"]).and_then(|names| names.texts());
    let of_cells = match names {
        None => found.nrows() == cells.len(),
        Some(names) => names.len() == cells.len() && cells.iter().zip(&names).all(|(cell, name)| cell == Some(name)),
    };
    if !of_cells || found.nrows() != cells.len() {
        return Err("is not of the cells of refDR");
    }
    if found.iter().any(|&cell| cell as usize >= cells.len()) {
        return Err("has an nn.idx that numbers cells beyond the last");
    }
    let rows: Vec<Vec<u32>> = found.rows().into_iter().enumerate().map(|(cell, row)| itself_first(cell, row)).collect();
    let mut sorted = Vec::new();
    for row in &rows {
        sorted.clone_from(row);
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("names a neighbour twice");
        }
    }
    Ok(Array2::from_shape_fn(found.dim(), |(cell, rank)| rows[cell][rank]))
}

/// An approximate search may put a cell of the same direction before the cell itself, or miss it.
fn itself_first(cell: usize, row: ndarray::ArrayView1<'_, u32>) -> Vec<u32> {
    let itself = cell as u32;
    let others = row.iter().copied().filter(|&other| other != itself);
    std::iter::once(itself).chain(others).take(row.len()).collect()
}

/// The stored neighbours, or those that an exact search finds.
///
/// # Errors
/// When they cannot be used, and there are too many cells to search.
pub fn complete(
    stored: Stored,
    embedding: &Dense,
    progress: &Progress<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Array2<u32>> {
    let why = match stored {
        Ok(stored) => return Ok(stored),
        Err(why) => why,
    };
    if embedding.nrows() > MOST_SEARCHED {
        return Err(fault(format!(
            "neighbors${NAME} {why}, and to search for the nearest of {} cells anew would take too long",
            grouped(embedding.nrows() as f64)
        )));
    }
    warnings.push(Warning::new(
        "neighbors_computed",
        format!("neighbors${NAME} {why}; the nearest cells of each cell were searched for anew."),
    ));
    Ok(nearest_by_cosine(embedding, KEPT, progress).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_cells_are_not_searched() {
        let embedding = Dense::ones((MOST_SEARCHED + 1, 1));
        let refused = complete(Err("is missing"), &embedding, &Progress::silent(), &mut Vec::new());
        assert!(refused.expect_err("a sentence").message.starts_with(
            "This cannot be imported as an Azimuth reference: neighbors$refdr.annoy.neighbors is missing, and to search for \
             the nearest of 200,001 cells anew would take too long. Give the file"
        ));
    }
}
