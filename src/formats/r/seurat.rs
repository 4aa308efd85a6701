//! Seurat objects: version 2 (`@raw.data`), 3 and 4 (assays with `@counts` and `@data`) and 5 (assays with layers).

use super::layers;
use super::matrices;
use super::objects::{Found, Sides, joined, not_genes, rank};
use super::offer::Table;
use super::tree::{Kind, NodeId, Tree};

/// Assays that were computed from others.
const DERIVED: [&str; 5] = ["activity", "geneactivity", "integrated", "imputed", "alra"];

/// Whether an object is an assay outside of a Seurat object.
pub fn is_assay(tree: &Tree, id: NodeId) -> bool {
    tree.attribute(id, "key").is_some()
        && (tree.attribute(id, "layers").is_some() || tree.attribute(id, "counts").is_some())
}

/// Offers the matrices of a Seurat object.
pub fn find(found: &mut Found<'_>, id: NodeId, prefix: &str) {
    let tree = found.tree;
    let cells = tree.attribute(id, "meta.data").map(|table| table_of(tree, table));
    let Some(assays) = tree.attribute(id, "assays") else {
        return find_old(found, id, prefix, cells.as_ref());
    };
    let active = tree.attribute(id, "active.assay").and_then(|name| tree.text(name)).unwrap_or_default();
    for (name, assay) in tree.elements(assays) {
        let features = feature_count(tree, assay);
        let derived = DERIVED.contains(&name.to_lowercase().as_str());
        let corrected = name == "SCT" || tree.is_a(assay, "SCTAssay");
        if not_genes(&name) || tree.is_a(assay, "ChromatinAssay") {
            found.others.push((name, features));
            continue;
        }
        let base = match name.as_str() {
            _ if corrected => rank::CORRECTED,
            _ if derived => rank::DERIVED,
            "RNA" => rank::COUNTS,
            name if name == active => rank::COUNTS,
            _ => rank::OTHER_COUNTS,
        };
        let offered = found.offers.len();
        find_layers(found, assay, &joined(prefix, &name), base, cells.as_ref());
        if corrected && found.offers.len() > offered {
            found.corrected.push(name);
        }
    }
}

/// Offers the matrices of an assay that was saved alone.
pub fn find_assay(found: &mut Found<'_>, id: NodeId, prefix: &str) {
    find_layers(found, id, prefix, rank::COUNTS, None);
}

fn find_layers(found: &mut Found<'_>, assay: NodeId, prefix: &str, base: u8, cells: Option<&Table>) {
    let tree = found.tree;
    if tree.attribute(assay, "layers").is_some() {
        return layers::find(found, assay, prefix, base, cells);
    }
    let genes = tree.attribute(assay, "meta.features").map(|table| table_of(tree, table));
    for (slot, later) in [("counts", 0), ("data", rank::OTHER)] {
        let Some(id) = tree.attribute(assay, slot).filter(|&id| is_filled(tree, id)) else {
            continue;
        };
        let [rows, columns] = matrices::names(tree, id);
        let sides = Sides { genes: rows, cells: columns, columns_are_cells: true };
        found.offer(id, &joined(prefix, slot), base + later, sides, [genes.clone(), cells.cloned()]);
    }
}

/// Version 2 has one matrix of each kind.
fn find_old(found: &mut Found<'_>, id: NodeId, prefix: &str, cells: Option<&Table>) {
    let tree = found.tree;
    for (slot, rank) in [("raw.data", rank::COUNTS), ("data", rank::OTHER)] {
        let Some(matrix) = tree.attribute(id, slot).filter(|&id| is_filled(tree, id)) else {
            continue;
        };
        let path = joined(prefix, slot);
        if tree.is_a(matrix, "data.frame") {
            super::tables::offer(found, matrix, &path, rank, cells.cloned());
            continue;
        }
        let [rows, columns] = matrices::names(tree, matrix);
        let sides = Sides { genes: rows, cells: columns, columns_are_cells: true };
        found.offer(matrix, &path, rank, sides, [None, cells.cloned()]);
    }
}

/// Slots that are not in use hold a matrix of no rows and columns.
fn is_filled(tree: &Tree, id: NodeId) -> bool {
    match matrices::shape(tree, id) {
        Some(shape) => !shape.contains(&0),
        None => matrices::is_matrix(tree, id) || tree.is_a(id, "data.frame"),
    }
}

fn feature_count(tree: &Tree, assay: NodeId) -> usize {
    let matrices = ["features", "counts", "data"].into_iter().filter_map(|slot| tree.attribute(assay, slot));
    matrices.filter_map(|id| matrices::shape(tree, id)).map(|[rows, _]| rows).max().unwrap_or(0)
}

/// A data frame as columns and names of rows.
pub fn table_of(tree: &Tree, id: NodeId) -> Table {
    let rows = tree.attribute(id, "row.names").and_then(|rows| tree.texts(rows)).cloned();
    let columns = if matches!(tree.kind(id), Kind::List(_)) { tree.elements(id) } else { Vec::new() };
    Table { rows, columns }
}
