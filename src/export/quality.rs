//! `qc.tsv`: the quality of every cell.

use super::{clean, put};
use crate::qc::{GeneSet, Metrics};
use crate::query::Query;

/// Quality of each cell: counts, features, the share of each set of genes in per cent, and whether the cell was kept.
/// First come the cells that are mapped, then those that a filter left out, then those without counts. A share is empty
/// where no gene is of the set, in the file or in the cell's sample.
pub fn qc(query: &Query) -> String {
    let mut table = String::from("cell\tcounts\tfeatures");
    GeneSet::ALL.iter().for_each(|set| put(&mut table, format_args!("\t{}", set.column())));
    table.push_str("\tkept\n");
    rows(&mut table, &query.cells, &query.metrics, "True");
    rows(&mut table, &query.left_out.cells, &query.left_out.metrics, "False");
    for name in &query.empty_cells {
        put(&mut table, format_args!("{}\t0\t0", clean(name)));
        for set in GeneSet::ALL {
            table.push_str(if query.metrics.percent(set).is_some() { "\t0" } else { "\t" });
        }
        table.push_str("\tFalse\n");
    }
    table
}

fn rows(table: &mut String, cells: &[String], metrics: &Metrics, kept: &str) {
    for (cell, name) in cells.iter().enumerate() {
        put(table, format_args!("{}\t{}\t{}", clean(name), metrics.counts[cell], metrics.features[cell]));
        for set in GeneSet::ALL {
            table.push('\t');
            let percent = metrics.percent(set).map(|percent| percent[cell] as f32);
            if let Some(percent) = percent.filter(|percent| !percent.is_nan()) {
                put(table, format_args!("{percent}"));
            }
        }
        put(table, format_args!("\t{kept}\n"));
    }
}
