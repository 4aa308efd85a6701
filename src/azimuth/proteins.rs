//! `assays$ADT`: the proteins that were measured in the cells, as the reference normalised them.

use super::in_order;
use crate::error::{Result, Warning};
use crate::formats::{Object, Texts};
use crate::reference::proteins::Proteins;
use std::sync::Arc;

const VALUES: &str = "assays$ADT@data";

/// Reads the proteins, where the object has some; what cannot be used is a warning, since all else can be mapped without.
///
/// # Errors
/// When they cannot be read from the file.
pub fn read(seurat: Object<'_>, cells: &Arc<Texts>, warnings: &mut Vec<Warning>) -> Result<Option<Proteins>> {
    let Some(assay) = seurat.at(&["assays", "ADT"]) else {
        return Ok(None);
    };
    let left_out = |what: &str| Warning::new("proteins_left_out", format!("The proteins are left out: {what}."));
    // Seurat 5 has layers, whose names stand beside them.
    let layer = assay.at(&["layers", "data"]);
    let Some(values) = layer.or_else(|| assay.at(&["data"])) else {
        warnings.push(left_out(&format!("{VALUES} is missing")));
        return Ok(None);
    };
    let named = |slot: &str| assay.at(&[slot]).and_then(|map| map.dimnames()[0].clone());
    let [rows, columns] = match layer {
        Some(_) => [named("features"), named("cells")],
        None => values.dimnames(),
    };
    let (Some(names), Some(columns)) = (rows, columns) else {
        warnings.push(left_out(&format!("{VALUES} has no names")));
        return Ok(None);
    };
    let Some(read) = values.transposed()? else {
        warnings.push(left_out(&format!("{VALUES} is of the class {}, or contradicts itself", values.class())));
        return Ok(None);
    };
    let Some(values) = in_order(read, &columns, cells) else {
        warnings.push(left_out(&format!("{VALUES} does not hold those of every cell of refDR")));
        return Ok(None);
    };
    let proteins = Proteins { names: names.to_vec(), values };
    if let Some(fault) = proteins.fault(cells.len()) {
        warnings.push(left_out(&format!("of {VALUES}, {fault}")));
        return Ok(None);
    }
    Ok(Some(proteins))
}
