//! The table of labels.

use super::{clean, put};
use crate::map::Mapping;
use crate::map::annotate::Call;
use crate::query::Query;
use crate::reference::Reference;

/// Labels, scores and mapping scores, in the columns of Azimuth's `azimuth_pred.tsv`: `cell`, then
/// `predicted.<level>` of every level, then `predicted.<level>.score` of every level, then `mapping.score`. With Sextant's
/// own labels there follow `predicted.<level>.confidence` of every level, `unknown.score`, and how far the cell can be named:
/// `call` is the finest label that is certain enough, `unresolved` or `unknown`, and `call.level` its level where it has one.
pub fn predictions(query: &Query, mapping: &Mapping, reference: &Reference) -> String {
    let mut table = header(mapping);
    let classes: Vec<Vec<String>> = mapping
        .labels
        .iter()
        .map(|labels| {
            let classes = reference.level(&labels.level).map(|level| level.classes.as_slice()).unwrap_or_default();
            classes.iter().map(|class| clean(&class.name).into_owned()).collect()
        })
        .collect();
    let name = |level: usize, cell: usize| {
        classes[level].get(usize::from(mapping.labels[level].codes[cell])).map_or("", String::as_str)
    };
    for (cell, cell_name) in query.cells.iter().enumerate() {
        table.push_str(&clean(cell_name));
        for level in 0..mapping.labels.len() {
            put(&mut table, format_args!("\t{}", name(level, cell)));
        }
        for labels in &mapping.labels {
            put(&mut table, format_args!("\t{}", labels.score(cell)));
        }
        put(&mut table, format_args!("\t{}", mapping.mapping_scores[cell]));
        if let Some(annotation) = &mapping.annotation {
            for confidences in &annotation.confidences {
                put(&mut table, format_args!("\t{}", confidences[cell]));
            }
            put(&mut table, format_args!("\t{}", annotation.unknown_scores[cell]));
            match annotation.calls[cell] {
                Call::Level(level) => {
                    let level = usize::from(level);
                    put(&mut table, format_args!("\t{}\t{}", name(level, cell), clean(&mapping.labels[level].level)));
                }
                Call::Unresolved => table.push_str("\tunresolved\t"),
                Call::Unknown => table.push_str("\tunknown\t"),
            }
        }
        table.push('\n');
    }
    table
}

fn header(mapping: &Mapping) -> String {
    let levels: Vec<_> = mapping.labels.iter().map(|labels| clean(&labels.level)).collect();
    let mut columns = vec!["cell".to_owned()];
    columns.extend(levels.iter().map(|level| format!("predicted.{level}")));
    columns.extend(levels.iter().map(|level| format!("predicted.{level}.score")));
    columns.push("mapping.score".to_owned());
    if mapping.annotation.is_some() {
        columns.extend(levels.iter().map(|level| format!("predicted.{level}.confidence")));
        columns.extend(["unknown.score", "call", "call.level"].map(str::to_owned));
    }
    columns.join("\t") + "\n"
}
