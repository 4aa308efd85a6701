//! Counts of proteins to the values that are imputed: normalised as Seurat's references hold them.

use crate::error::{Error, Result, Warning};
use crate::formats::{ProteinTable, grouped, is_no_name};
use crate::matrix::Dense;
use crate::reference::Reference;
use crate::reference::proteins::Proteins;
use rayon::prelude::*;

/// Checks counts of proteins and normalises them, cell by cell, to `log1p(x / exp(mean of log1p(x)))`, the mean being over all
/// proteins of the cell. A cell without a single count has zeros.
///
/// # Shapes
/// `cells`: the names of the table's rows.
///
/// # Errors
/// Another number of rows than cells; names that are missing or the same; values that are no counts.
///
/// # Source
/// Equals Seurat 4.3's `NormalizeData(normalization.method = "CLR", margin = 2)`, as its guides normalise antibodies.
pub fn normalise(table: &ProteinTable, cells: &[String]) -> Result<(Proteins, Vec<Warning>)> {
    let ProteinTable { place, names, values } = table;
    if values.nrows() != cells.len() {
        return Err(Error::input(format!(
            "\"{place}\" has {} rows, but {} cells of the file were taken. Leave out what is no cell before a reference is built.",
            grouped(values.nrows() as f64),
            grouped(cells.len() as f64)
        )));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::input(format!("\"{place}\" has two proteins \"{}\". Give each its own name.", twice[0])));
    }
    if names.iter().any(|name| is_no_name(name)) {
        return Err(Error::input(format!("\"{place}\" has a protein without a name. Name every column.")));
    }
    let is_count = |value: f32| (0.0..=f32::MAX).contains(&value) && value.floor() == value;
    if let Some(((cell, protein), value)) = values.indexed_iter().find(|(_, value)| !is_count(**value)) {
        return Err(Error::input(format!(
            "\"{place}\" holds {value} for \"{}\" in the cell \"{}\", and counts are whole numbers of 0 or more. Give the raw \
             counts of the proteins, or leave them out with --proteins none.",
            names[protein], cells[cell]
        )));
    }
    let normalised = centred_log_ratio(values);
    let without = values.rows().into_iter().filter(|row| row.iter().all(|&count| count == 0.0)).count();
    let warning = (without > 0).then(|| {
        Warning::new(
            "cells_without_proteins",
            format!(
                "{} of the {} cells have no counts of proteins; they count as having none of any.",
                grouped(without as f64),
                grouped(cells.len() as f64)
            ),
        )
    });
    Ok((Proteins { names: names.clone(), values: normalised }, warning.into_iter().collect()))
}

/// See [`normalise`].
pub fn centred_log_ratio(counts: &Dense) -> Dense {
    let rows: Vec<Vec<f32>> = (0..counts.nrows())
        .into_par_iter()
        .map(|cell| {
            let row = counts.row(cell);
            let sum = row.iter().fold(0.0, |sum, &count| sum + libm::log1p(f64::from(count)));
            let scale = libm::exp(sum / row.len().max(1) as f64);
            row.iter().map(|&count| libm::log1p(f64::from(count) / scale) as f32).collect()
        })
        .collect();
    let mut normalised = Dense::zeros(counts.dim());
    normalised.iter_mut().zip(rows.iter().flatten()).for_each(|(to, &from)| *to = from);
    normalised
}

/// Gives a reference its proteins, and says so in its provenance.
///
/// # Shapes
/// As many rows as the reference has cells, in their order.
pub fn attach(reference: &mut Reference, proteins: Proteins, place: &str) {
    reference.about.provenance.push(format!(
        "Proteins: counts of {} from {place}, each cell divided by the exponential of its mean log1p and then log1p, as Seurat's \
         CLR with margin 2.",
        proteins.names.len()
    ));
    reference.proteins = Some(proteins);
}
