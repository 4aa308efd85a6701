//! SingleCellExperiment and the SummarizedExperiment that it is made of.

use super::matrices;
use super::objects::{Found, Sides, joined, not_genes, rank};
use super::offer::Table;
use super::texts::Texts;
use super::tree::{NodeId, Tree};
use std::sync::Arc;

/// Assays that hold raw counts by name.
const COUNTS: [&str; 4] = ["counts", "raw_counts", "umi", "X"];

/// Offers the assays of an experiment; its alternative experiments are others.
pub fn find(found: &mut Found<'_>, id: NodeId, prefix: &str) {
    offer_assays(found, id, prefix, 0);
    let tree = found.tree;
    let Some(alternatives) = tree.at(id, &["int_colData", "altExps"]) else {
        return;
    };
    for (name, alternative) in tree.elements(alternatives) {
        let Some(inner) = tree.attribute(alternative, "se") else {
            continue;
        };
        if not_genes(&name) {
            let features = assays(tree, inner).first().and_then(|(_, id)| matrices::shape(tree, *id));
            found.others.push((name, features.map_or(0, |[rows, _]| rows)));
        } else {
            offer_assays(found, inner, &joined(prefix, &format!("altExps/{name}")), rank::DERIVED);
        }
    }
}

fn assays(tree: &Tree, id: NodeId) -> Vec<(String, NodeId)> {
    let list = tree.at(id, &["assays", "data"]).or_else(|| tree.attribute(id, "assays"));
    list.map(|list| tree.elements(list)).unwrap_or_default()
}

fn offer_assays(found: &mut Found<'_>, id: NodeId, prefix: &str, base: u8) {
    let tree = found.tree;
    let genes = gene_names(tree, id);
    let cell_data = tree.attribute(id, "colData");
    let cells =
        cell_data.and_then(|table| tree.attribute(table, "rownames")).and_then(|rows| tree.texts(rows)).cloned();
    let gene_data = tree.at(id, &["rowRanges", "elementMetadata"]).or_else(|| tree.attribute(id, "elementMetadata"));
    // Both tables are in the order of the assays.
    let table = |id: Option<NodeId>| id.map(|id| Table { rows: None, columns: tree.elements(id) });
    for (number, (name, assay)) in assays(tree, id).into_iter().enumerate() {
        let name = if name.is_empty() { format!("assay{}", number + 1) } else { name };
        let later = if COUNTS.contains(&name.as_str()) { rank::COUNTS } else { rank::OTHER };
        let [rows, columns] = matrices::names(tree, assay);
        let genes = genes.clone().or(rows);
        let cells = cells.clone().or(columns);
        let sides = Sides { genes, cells, columns_are_cells: true };
        found.offer(assay, &joined(prefix, &name), base + later, sides, [table(gene_data), table(cell_data)]);
    }
}

/// The names of the rows, which stand with their ranges where there are any.
fn gene_names(tree: &Tree, id: NodeId) -> Option<Arc<Texts>> {
    let paths: [&[&str]; 4] = [
        &["NAMES"],
        &["rowRanges", "partitioning", "NAMES"],
        &["rowRanges", "ranges", "NAMES"],
        &["elementMetadata", "rownames"],
    ];
    paths.into_iter().find_map(|path| tree.texts(tree.at(id, path)?)).cloned()
}
