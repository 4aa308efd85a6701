//! The layers of an assay of Seurat 5. Those that were split by sample ("counts.1", "counts.2") are joined.

use super::layout::{Layout, RMatrix};
use super::matrices;
use super::objects::{Found, joined, not_genes, rank};
use super::offer::{Names, Offer, Table};
use super::seurat::table_of;
use super::texts::Texts;
use super::tree::NodeId;
use crate::error::{Error, Result};
use std::sync::Arc;

/// Which rows (cells or features of the assay) each layer has: Seurat's LogMap.
struct Members {
    names: Arc<Texts>,
    layers: Vec<String>,
    marks: Arc<[f64]>,
}

impl Members {
    fn of(found: &Found<'_>, assay: NodeId, slot: &str) -> Result<Members> {
        let tree = found.tree;
        let missing = || matrices::fault(slot, "it does not say what the layers hold");
        let id = tree.attribute(assay, slot).ok_or_else(missing)?;
        let [Some(names), Some(layers)] = matrices::names(tree, id) else {
            return Err(missing());
        };
        let marks = found.file.whole(tree.numbers(id).ok_or_else(missing)?, &mut None)?;
        if marks.len() != names.len() * layers.len() {
            return Err(missing());
        }
        Ok(Members { names, layers: layers.to_vec(), marks })
    }

    /// The rows of a layer, ascending.
    fn rows(&self, layer: &str) -> Option<Vec<u32>> {
        let column = self.layers.iter().position(|known| known == layer)?;
        let marks = self.marks.chunks(self.names.len().max(1)).nth(column).unwrap_or_default();
        Some((0..).zip(marks).filter(|(_, mark)| **mark == 1.0).map(|(row, _)| row).collect())
    }

    /// The rows of any of the layers, and the number of each among them.
    fn united(&self, rows: &[Vec<u32>]) -> (Names, Vec<u32>) {
        let mut numbers = vec![u32::MAX; self.names.len()];
        for &row in rows.iter().flatten() {
            numbers[row as usize] = 0;
        }
        let mut picked = Vec::new();
        for (row, number) in numbers.iter_mut().enumerate().filter(|(_, number)| **number == 0) {
            *number = picked.len() as u32;
            picked.push(row as u32);
        }
        if picked.len() == self.names.len() {
            return (Names::All(Arc::clone(&self.names)), numbers);
        }
        (Names::Some(Arc::clone(&self.names), picked), numbers)
    }
}

/// Offers the layers of an assay.
pub fn find(found: &mut Found<'_>, assay: NodeId, prefix: &str, base: u8, cells: Option<&Table>) {
    let tree = found.tree;
    let layers = tree.attribute(assay, "layers").map(|layers| tree.elements(layers)).unwrap_or_default();
    // A list of matrices that was made an object became layers of one assay, whatever their features.
    let (layers, others): (Vec<_>, Vec<_>) = layers.into_iter().partition(|(name, _)| !not_genes(name));
    for (name, id) in others {
        found.others.push((name, matrices::shape(tree, id).map_or(0, |[rows, _]| rows)));
    }
    let genes = tree.attribute(assay, "meta.data").map(|table| table_of(tree, table));
    let mut stems: Vec<&str> = Vec::new();
    for (name, _) in &layers {
        let stem = stem(name);
        if stem != "scale.data" && !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    for name in stems {
        let parts: Vec<_> = layers.iter().filter(|(layer, _)| stem(layer) == name).cloned().collect();
        let later = if name == "counts" { 0 } else { rank::OTHER };
        let path = joined(prefix, name);
        let offer = joint(found, assay, &path, &parts).map(|(matrix, genes_in, cells_in)| Offer {
            path: path.clone(),
            rank: base + later,
            matrix: Ok(Arc::new(matrix)),
            gene_table: genes.clone().map(|mut table| {
                // Its rows are those of the assay, which a layer need not have all.
                table.rows = match &genes_in {
                    Names::All(names) | Names::Some(names, _) => Some(Arc::clone(names)),
                    Names::Missing(_) => None,
                };
                table
            }),
            cell_table: cells.cloned(),
            genes: genes_in,
            cells: cells_in,
        });
        match offer {
            Ok(offer) => found.push(offer),
            Err(error) => found.offers.push(Offer {
                path,
                rank: base + later,
                matrix: Err(error),
                genes: Names::Missing(0),
                cells: Names::Missing(0),
                gene_table: None,
                cell_table: None,
            }),
        }
    }
}

/// "counts" of "counts.1"; names of other layers may have points.
fn stem(name: &str) -> &str {
    ["counts", "data", "scale.data"]
        .into_iter()
        .find(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        .unwrap_or(name)
}

/// One matrix of all parts, with the names of its genes and cells in the order of the assay.
fn joint(found: &Found<'_>, assay: NodeId, path: &str, parts: &[(String, NodeId)]) -> Result<(RMatrix, Names, Names)> {
    let [cells, genes] = [Members::of(found, assay, "cells")?, Members::of(found, assay, "features")?];
    let rows_of = |members: &Members| -> Result<Vec<Vec<u32>>> {
        let rows = parts.iter().map(|(layer, _)| members.rows(layer));
        rows.collect::<Option<_>>().ok_or_else(|| matrices::fault(path, "it does not say what the layers hold"))
    };
    let (cell_rows, gene_rows) = (rows_of(&cells)?, rows_of(&genes)?);
    let (cell_names, cell_numbers) = cells.united(&cell_rows);
    let (gene_names, gene_numbers) = genes.united(&gene_rows);
    let mut joint = Vec::new();
    let mut single = None;
    for (((layer, id), cells), genes) in parts.iter().zip(&cell_rows).zip(&gene_rows) {
        let matrix = matrices::matrix(found.tree, found.file, *id, path, true)?;
        if matrix.cells != cells.len() || matrix.genes != genes.len() {
            return Err(matrices::fault(path, "it has not as many names as rows and columns"));
        }
        if parts.len() == 1 {
            single = Some(matrix);
            break;
        }
        let Layout::ByCell(parts) = matrix.layout else {
            return Err(Error::input(format!(
                "\"{path}\" is split into layers, of which \"{layer}\" is not a \"dgCMatrix\". Join them in R with \
                 `JoinLayers(object)` and save the object again."
            )));
        };
        let renumbered = |rows: &[u32], numbers: &[u32]| rows.iter().map(|&row| numbers[row as usize]).collect();
        for mut part in parts {
            part.cells = Some(renumbered(cells, &cell_numbers));
            part.renumber = (genes.len() < gene_names.len()).then(|| renumbered(genes, &gene_numbers));
            joint.push(part);
        }
    }
    let layout = match single {
        Some(matrix) => matrix.layout,
        None => Layout::ByCell(joint),
    };
    let file = found.file.clone();
    Ok((RMatrix { file, cells: cell_names.len(), genes: gene_names.len(), layout }, gene_names, cell_names))
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn split_layers_have_a_common_stem() {
        for (name, expected) in
            [("counts", "counts"), ("counts.ctrl", "counts"), ("countsx", "countsx"), ("scale.data.1", "scale.data")]
        {
            assert_eq!(stem(name), expected);
        }
    }
}
