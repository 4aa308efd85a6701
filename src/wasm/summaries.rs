//! What JavaScript gets as plain objects.

use crate::build::labels::color;
use crate::error::Warning;
use crate::genes::{GeneMatch, Source};
use crate::map::samples::SampleOutcome;
use crate::metadata::{Kind, ValueCount};
use crate::query::Summary;
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
pub struct BuildInfo {
    pub version: &'static str,
    pub threads: bool,
}

#[derive(Serialize)]
pub struct ClassSummary<'a> {
    pub name: &'a str,
    pub color: Cow<'a, str>,
    pub cells: usize,
}

#[derive(Serialize)]
pub struct LevelSummary<'a> {
    pub name: &'a str,
    pub classes: Vec<ClassSummary<'a>>,
}

#[derive(Serialize)]
pub struct ReferenceSummary<'a> {
    #[serde(flatten)]
    pub about: &'a crate::reference::About,
    pub cells: usize,
    pub features: usize,
    pub levels: Vec<LevelSummary<'a>>,
    /// How right its own labels are, in words.
    pub held_out_sentence: Option<String>,
    /// What to know before its labels are believed.
    pub card: crate::reference::card::Card,
    /// Names of those that can be imputed.
    pub proteins: &'a [String],
    /// Columns that tell where its cells are from, with their values as classes.
    pub columns: Vec<LevelSummary<'a>>,
    /// Whether it tells what its classes express.
    pub tells_expression: bool,
}

#[derive(Serialize)]
pub struct GenesSummary<'a> {
    pub version: &'a str,
    pub sources: &'a [Source],
    pub checksum: String,
}

#[derive(Serialize)]
pub struct QuerySummary<'a> {
    #[serde(flatten)]
    pub query: Summary<'a>,
    /// Absent where too few genes match.
    pub genes_in_common: Option<usize>,
    pub genes_by_id: Option<usize>,
    pub genes_by_symbol: Option<usize>,
    /// How they were found, and what was not.
    pub genes_matched: Option<&'a GeneMatch>,
    pub reference_features: usize,
    /// Why the query cannot be mapped onto this reference, if it cannot: what was read can be looked at all the same,
    /// and another column of gene names can be tried.
    pub mismatch: Option<String>,
    /// Columns that gene names can be taken from, the one in use first.
    pub gene_columns: &'a [String],
    /// Memory that the counts take, or the projection of the cells.
    pub bytes: usize,
    /// Where the query is mapped in batches: how many, and how many cells each has at most.
    pub batches: Option<usize>,
    pub cells_in_batch: Option<usize>,
}

#[derive(Serialize)]
pub struct ColoredValue<'a> {
    #[serde(flatten)]
    pub value: &'a ValueCount,
    pub color: String,
}

#[derive(Serialize)]
pub struct ClassColumn<'a> {
    pub kind: Kind,
    pub values: Vec<ColoredValue<'a>>,
    pub other_values: usize,
    pub other_cells: usize,
    pub missing: usize,
}

#[derive(Serialize)]
pub struct NumberColumn {
    pub kind: Kind,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub missing: usize,
}

/// What is said of a table.
#[derive(Serialize)]
pub struct Said {
    pub warnings: Vec<Warning>,
}

#[derive(Serialize)]
pub struct MapSummary<'a> {
    pub cells: usize,
    pub anchors: usize,
    pub percent_with_anchors: f64,
    pub grade_of_anchors: crate::map::grade::Grade,
    pub features_used: usize,
    pub levels: Vec<LevelSummary<'a>>,
    /// Where each was mapped by itself.
    pub samples: Vec<SampleOutcome>,
    /// Whether the proteins of the reference can be had for these cells.
    pub proteins: bool,
    pub warnings: Vec<Warning>,
}

/// The classes of a level, with the cells that have these codes.
pub fn level_summary<'a>(level: &'a crate::reference::Level, codes: &[u16]) -> LevelSummary<'a> {
    let mut cells = vec![0; level.classes.len()];
    codes.iter().for_each(|&code| cells[usize::from(code)] += 1);
    let classes = level.classes.iter().zip(cells);
    LevelSummary {
        name: &level.name,
        classes: classes
            .map(|(class, cells)| ClassSummary { name: &class.name, color: Cow::Borrowed(&class.color), cells })
            .collect(),
    }
}

/// The values of a column as classes, in colours of their own.
pub fn column_summary(column: &crate::reference::columns::CellColumn) -> LevelSummary<'_> {
    let mut cells = vec![0; column.values.len()];
    column.codes.iter().for_each(|&code| cells[usize::from(code)] += 1);
    let values = column.values.iter().zip(cells).enumerate();
    LevelSummary {
        name: &column.name,
        classes: values.map(|(at, (name, cells))| ClassSummary { name, color: Cow::Owned(color(at)), cells }).collect(),
    }
}
