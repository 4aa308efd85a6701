//! Data frames with counts: a column for each cell, or one for each gene.

use super::layout::{Layout, RMatrix};
use super::matrices::fault;
use super::numbers::{Held, Numbers};
use super::objects::{Found, rank};
use super::offer::{Names, Offer, Table};
use super::orientation;
use super::seurat::table_of;
use super::texts::Texts;
use super::tree::{Kind, NodeId, Tree};
use crate::error::Result;
use std::sync::Arc;

/// Offers a data frame as a matrix.
pub fn find(found: &mut Found<'_>, id: NodeId, path: &str) {
    let table = table_of(found.tree, id);
    found.tables.push(table);
    offer(found, id, path, rank::TABLE, None);
}

/// Offers a data frame whose cells may be described elsewhere.
pub fn offer(found: &mut Found<'_>, id: NodeId, path: &str, rank: u8, cell_table: Option<Table>) {
    let tree = found.tree;
    let mut table = table_of(tree, id);
    // Names in the first column, as readers of text files leave them.
    if let Some((_, first)) = table.columns.first()
        && let Some(names) = tree.texts(*first)
        && table.rows.is_none()
    {
        table.rows = Some(Arc::clone(names));
        table.columns.remove(0);
    }
    let (mut names, mut columns, mut others) = (Texts::default(), Vec::new(), Vec::new());
    for (name, column) in table.columns {
        match counted(tree, column) {
            Some(numbers) => {
                names.push(&name);
                columns.push(numbers);
            }
            None => others.push((name, column)),
        }
    }
    let names = Arc::new(names);
    let sides = [table.rows.clone(), Some(Arc::clone(&names))];
    let by_cell = !orientation::rows_are_cells(&sides);
    let rows = match (&table.rows, columns.first()) {
        (Some(rows), _) => rows.len(),
        (None, first) => first.map_or(0, |first| usize::try_from(first.length).unwrap_or(0)),
    };
    let row_names = table.rows.clone().map_or(Names::Missing(rows), Names::All);
    let column_names = Names::All(names);
    let matrix = matrix(found, path, columns, rows, by_cell).map(Arc::new);
    let (genes, cells) = if by_cell { (row_names, column_names) } else { (column_names, row_names) };
    let others = (!others.is_empty()).then_some(Table { rows: table.rows, columns: others });
    // What is no count describes the rows.
    let (gene_table, others) = if by_cell { (others, None) } else { (None, others) };
    found.push(Offer {
        path: path.to_owned(),
        rank,
        matrix,
        genes,
        cells,
        gene_table,
        cell_table: cell_table.or(others),
    });
}

/// Numbers that can be counts; a factor cannot.
fn counted(tree: &Tree, id: NodeId) -> Option<Arc<Numbers>> {
    match tree.kind(id) {
        Kind::Numbers(numbers) if tree.attribute(id, "levels").is_none() => Some(Arc::clone(numbers)),
        _ => None,
    }
}

fn matrix(found: &Found<'_>, path: &str, columns: Vec<Arc<Numbers>>, rows: usize, by_cell: bool) -> Result<RMatrix> {
    let fits = |column: &Arc<Numbers>| column.length == rows as u64 && !matches!(column.held, Held::Sequence { .. });
    if !columns.iter().all(fits) {
        return Err(fault(path, "its columns are not of one length"));
    }
    let (cells, genes) = if by_cell { (columns.len(), rows) } else { (rows, columns.len()) };
    Ok(RMatrix { file: found.file.clone(), cells, genes, layout: Layout::Dense { columns, by_cell } })
}
