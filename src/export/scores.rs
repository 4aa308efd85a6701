//! `scores.tsv`: how every class of every level scored in every cell.

use super::{clean, put};
use crate::map::Mapping;
use crate::query::Query;
use crate::reference::Reference;

/// The table is handed over in pieces of about so many bytes.
const PIECE: usize = 1 << 20;

/// `cell`, then `prediction.score.<level>.<class>` for every class of every level that was mapped, in the order of the
/// reference: the scores of a level add up to one. The rows are those of `predictions.tsv`.
///
/// The table has a number for each class of each cell, so it is handed to `write` in pieces, each of whole lines.
///
/// # Errors
/// Those of `write`.
///
/// # Source
/// Seurat's `prediction.score.<class>` of `TransferData`, with the level before the class.
pub fn scores<E>(
    query: &Query,
    mapping: &Mapping,
    reference: &Reference,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut piece = String::from("cell");
    for labels in &mapping.labels {
        let level = reference.levels.iter().find(|level| level.name == labels.level);
        for class in level.iter().flat_map(|level| &level.classes) {
            put(&mut piece, format_args!("\tprediction.score.{}.{}", clean(&labels.level), clean(&class.name)));
        }
    }
    piece.push('\n');
    for (cell, name) in query.cells.iter().enumerate() {
        piece.push_str(&clean(name));
        for labels in &mapping.labels {
            labels.scores.row(cell).iter().for_each(|score| put(&mut piece, format_args!("\t{score}")));
        }
        piece.push('\n');
        if piece.len() >= PIECE {
            write(&piece)?;
            piece.clear();
        }
    }
    write(&piece)
}
