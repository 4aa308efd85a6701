//! `reductions$refUMAP` with its model of uwot, and `meta.data$ori.index`: the map, and where each cell stands on it.

use super::{column, fault, in_order, missing};
use crate::error::{Result, Warning};
use crate::formats::{Column, Object, Texts, grouped};
use crate::layout::seurat_parameters;
use crate::matrix::Dense;
use crate::reference::{UmapModel, UmapParameters};
use std::sync::Arc;

const PLACES: &str = "reductions$refUMAP@cell.embeddings";
const MODEL: &str = "reductions$refUMAP@misc$model";
const INDEX: &str = "meta.data$ori.index";
/// Places further apart than this are not the same.
const SAME: f32 = 1e-3;

/// Reads the map: of all cells that it was learned on, or of those of the reference where the object has no others.
///
/// # Errors
/// When there is no map, or `ori.index` does not fit it.
pub fn read(seurat: Object<'_>, cells: &Arc<Texts>, warnings: &mut Vec<Warning>) -> Result<UmapModel> {
    let reduction = seurat.at(&["reductions", "refUMAP"]).ok_or_else(|| missing("reductions$refUMAP"))?;
    let places = reduction.at(&["cell.embeddings"]).ok_or_else(|| missing(PLACES))?;
    let names = places.dimnames();
    let read = places.dense(2)?.zip(names[0].as_deref()).and_then(|(places, names)| in_order(places, names, cells));
    let places = read.ok_or_else(|| fault(format!("{PLACES} does not place every cell of refDR in the plane")))?;
    let parameters = parameters(reduction, cells.len());
    let model = reduction.at(&["misc", "model"]);
    let learned = model.and_then(|model| model.at(&["embedding"])).map(|layout| layout.dense(2)).transpose()?.flatten();
    let itself = |layout: Dense| UmapModel { rows: (0..layout.nrows() as u32).collect(), layout, parameters };
    let Some(layout) = learned else {
        warnings.push(Warning::new(
            "umap_without_model",
            format!("{MODEL} is missing; query cells are placed among the cells of the reference with Seurat's usual parameters."),
        ));
        return Ok(itself(places));
    };
    let table = seurat.at(&["meta.data"]);
    let index = table.map(|table| column(table, "meta.data", "ori.index", cells)).transpose()?.flatten();
    let rows = match index {
        Some(Column::Number(index)) => rows(&index, layout.nrows())?,
        Some(_) => return Err(fault(format!("{INDEX} holds no numbers"))),
        None if layout.nrows() == cells.len() => (0..cells.len() as u32).collect(),
        None => {
            warnings.push(Warning::new(
                "ori_index_missing",
                format!(
                    "{INDEX} is missing, and the map was learned on {} cells, not on the {} of the reference; query cells are placed \
                     among these.",
                    grouped(layout.nrows() as f64),
                    grouped(cells.len() as f64)
                ),
            ));
            return Ok(itself(places));
        }
    };
    let apart = |(&row, place): (&u32, ndarray::ArrayView1<'_, f32>)| {
        layout.row(row as usize).iter().zip(place).any(|(one, other)| (one - other).abs() > SAME)
    };
    let apart = rows.iter().zip(places.rows()).filter(|pair| apart((pair.0, pair.1))).count();
    if apart > 0 {
        warnings.push(Warning::new(
            "places_differ",
            format!(
                "{} of the {} cells stand elsewhere in {PLACES} than where {INDEX} finds them in {MODEL}$embedding, which is taken.",
                grouped(apart as f64),
                grouped(cells.len() as f64)
            ),
        ));
    }
    Ok(UmapModel { layout, rows, parameters })
}

/// `ori.index` counts the rows of the map from 1.
fn rows(index: &[f64], places: usize) -> Result<Vec<u32>> {
    let row = |&number: &f64| {
        let right = number >= 1.0 && number <= places as f64 && number.fract() == 0.0;
        right.then_some(number as u32).map(|number| number - 1)
    };
    index.iter().map(row).collect::<Option<Vec<u32>>>().ok_or_else(|| {
        fault(format!("{INDEX} is not a row of {MODEL}$embedding for every cell: 1 to {}", grouped(places as f64)))
    })
}

/// What the model tells, and Seurat's usual parameters for the rest.
fn parameters(reduction: Object<'_>, cells: usize) -> UmapParameters {
    let model = reduction.at(&["misc", "model"]);
    let learned_on = model.and_then(|model| model.at(&["embedding"])).and_then(|layout| layout.shape());
    let usual = seurat_parameters(learned_on.map_or(cells, |[rows, _]| rows));
    let told = |name: &str| model.and_then(|model| model.at(&[name])).and_then(|value| value.number());
    let number = |name: &str, usual: f64| told(name).filter(|value| !value.is_nan()).unwrap_or(usual);
    // A number that no map has is refused with the reference.
    let whole = |name: &str, usual: u32| told(name).filter(|value| *value >= 1.0).map_or(usual, |value| value as u32);
    UmapParameters {
        a: number("a", usual.a),
        b: number("b", usual.b),
        epochs: whole("n_epochs", usual.epochs),
        neighbors: whole("n_neighbors", usual.neighbors),
        negative_samples: whole("negative_sample_rate", usual.negative_samples),
        learning_rate: number("alpha", usual.learning_rate),
        repulsion: number("gamma", usual.repulsion),
    }
}
