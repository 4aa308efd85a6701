//! The tables that a person takes away. Tab-separated, UTF-8, one line a cell, `\n` at line ends.

mod azimuth;
mod clusters;
mod doublets;
mod markers;
mod metadata;
mod predictions;
mod proteins;
mod quality;
pub mod rds;
mod scores;

pub use azimuth::{INDEX_SCRIPT, azimuth, seurat_object};
pub use clusters::{clusters, own_umap};
pub use doublets::doublets;
pub use markers::{MarkerTable, markers};
pub use metadata::metadata;
pub use predictions::predictions;
pub use proteins::{protein_markers, proteins};
pub use quality::qc;
pub use scores::scores;

use crate::genes::{Fate, GeneMatch};
use crate::map::Mapping;
use crate::query::Query;
use crate::reference::Reference;
use std::borrow::Cow;
use std::fmt::Write;

/// Place of each cell on the reference's map.
pub fn umap(query: &Query, mapping: &Mapping) -> String {
    let mut table = String::from("cell\tumap_1\tumap_2\n");
    for (name, place) in query.cells.iter().zip(mapping.umap.layout.rows()) {
        put(&mut table, format_args!("{}\t{}\t{}\n", clean(name), place[0], place[1]));
    }
    table
}

/// What became of each gene of the file, then the features of the reference that the file does not have. `route` says
/// how a gene came to its feature (see [`crate::genes::Route`]), or why it did not: `duplicate` (another gene is this
/// feature already), `other species`, `not in the reference`, and for a feature `not in the file`.
pub fn genes(query: &Query, reference: &Reference, matched: &GeneMatch) -> String {
    let mut table = String::from("gene\tid\tfeature\troute\n");
    let feature =
        |row: u32| reference.features.get(row as usize).map(|feature| clean(&feature.symbol)).unwrap_or_default();
    let mut found = vec![false; reference.features.len()];
    for (gene, fate) in query.features.iter().zip(&matched.fates) {
        let (feature, route) = match *fate {
            Fate::Matched(row, route) => {
                if let Some(found) = found.get_mut(row as usize) {
                    *found = true;
                }
                (feature(row), route.name())
            }
            Fate::Duplicate(row) => (feature(row), "duplicate"),
            Fate::OtherSpecies => (Cow::default(), "other species"),
            Fate::NotFound => (Cow::default(), "not in the reference"),
        };
        let id = gene.id.as_deref().map(clean).unwrap_or_default();
        put(&mut table, format_args!("{}\t{id}\t{feature}\t{route}\n", clean(&gene.symbol)));
    }
    for (feature, _) in reference.features.iter().zip(found).filter(|(_, found)| !found) {
        put(&mut table, format_args!("\t\t{}\tnot in the file\n", clean(&feature.symbol)));
    }
    table
}

/// A name that cannot break a table: control characters become spaces. One that begins with a quotation mark is quoted,
/// since pandas, R and spreadsheets would else take what follows up to the next mark for one value; inside of a value
/// they read marks as they are.
fn clean(name: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(name);
    if name.chars().any(char::is_control) {
        clean = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    }
    if clean.starts_with('"') {
        clean = format!("\"{}\"", clean.replace('"', "\"\"")).into();
    }
    clean
}

fn put(table: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = table.write_fmt(text);
}
