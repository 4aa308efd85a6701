//! `doublets.tsv`: how much each cell looks like two.

use super::{clean, put};
use crate::query::Query;

/// `cell` and `doublet.score`, for the cells that are mapped. A table of its own: the score is computed on request only,
/// and `qc.tsv` has the same columns with and without it.
pub fn doublets(query: &Query, scores: &[f32]) -> String {
    let mut table = String::from("cell\tdoublet.score\n");
    for (name, score) in query.cells.iter().zip(scores) {
        put(&mut table, format_args!("{}\t{score}\n", clean(name)));
    }
    table
}
