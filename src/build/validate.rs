//! How right a reference's labels are for a query from elsewhere: full cross-validation.
//!
//! The cells of each donor, study or sample are taken out in turn. The reference is built anew from the others, its model,
//! features, components and all, and the cells that were taken out are mapped onto it as any query is. So nothing of them
//! is in the reference, as it is with [`held_out`](super::held_out), which keeps the embedding of all cells and is quick.

use super::Options;
use super::choices::{Choices, Prepared, prepare};
use super::held_out::{By, parts};
use super::labels::levels as checked;
use super::tally::Tally;
use crate::error::{Error, Result, Warning};
use crate::formats::Dataset;
use crate::genes::match_genes;
use crate::layout::seurat_parameters;
use crate::map::{self, Mapping};
use crate::progress::Progress;
use crate::reference::held_out::HeldOutLevel;
use crate::reference::{About, Level, Reference, UmapParameters};
use serde::Serialize;
use std::collections::BTreeMap;

const STAGE: &str = "Cross-validating";

/// What full cross-validation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// The column whose values were held out; nothing where random cells were.
    pub column: Option<String>,
    /// All cells together, in the order of the reference's levels.
    pub levels: Vec<HeldOutLevel>,
    pub parts: Vec<Part>,
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

/// What was found of the cells that were held out together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    pub name: String,
    pub cells: usize,
    /// Of the reference that was built without them, once it was downsampled as was chosen.
    pub reference_cells: usize,
    pub anchors: usize,
    pub percent_cells_with_anchors: f64,
    /// Why nothing is known of it: the rest makes no reference, or the cells cannot be mapped onto it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// In the order of the reference's levels.
    pub levels: Vec<HeldOutLevel>,
}

/// Takes each part out, builds the reference without it, and maps it.
///
/// What was chosen to be left out (cells of low quality, doublets, small classes) is left out first, of the cells that are judged
/// too; each rest is downsampled by itself. A cell whose class the rest has not is not judged.
///
/// # Errors
/// As [`prepare`]; a column that does not divide the cells; no part could be mapped.
pub fn cross_validate(dataset: Dataset, choices: &Choices, by: &By, progress: &Progress<'_>) -> Result<Validation> {
    let prepared = prepare(dataset, choices, progress)?;
    let parts = parts(&prepared.dataset.cells, &prepared.dataset.metadata, by)?
        .ok_or_else(|| Error::usage("Name the column whose values are held out in turn; 'none' holds no cells out."))?;
    let cells = prepared.dataset.cells.len();
    let levels = checked(&prepared.levels, cells)?.0;
    let new = || -> Vec<Tally> { levels.iter().map(|level| Tally::new(level.classes.len())).collect() };
    let mut all = new();
    let mut found = Vec::new();
    for (number, held) in parts.cells.iter().enumerate() {
        let name = parts.names.get(number).cloned().unwrap_or_else(|| format!("random {}", number + 1));
        let report = |_: &str, _: f64| progress.report(STAGE, number as f64 / parts.cells.len() as f64);
        let mut part = Part {
            name,
            cells: held.len(),
            reference_cells: 0,
            anchors: 0,
            percent_cells_with_anchors: 0.0,
            failed: None,
            levels: Vec::new(),
        };
        let mut tallies = new();
        match hold_out(&prepared, choices, held, &Progress::new(&report)) {
            Ok((reference, mapping)) => {
                part.reference_cells = reference.cells.len();
                part.anchors = mapping.anchors.len();
                part.percent_cells_with_anchors = mapping.percent_with_anchors();
                judge(&mut tallies, &levels, held, &reference, &mapping);
                judge(&mut all, &levels, held, &reference, &mapping);
            }
            Err(error) => part.failed = Some(error.message),
        }
        part.levels = levels.iter().zip(tallies).map(|(level, tally)| tally.figures(level)).collect();
        found.push(part);
    }
    if let Some(why) = found.iter().all(|part| part.failed.is_some()).then(|| found.first()).flatten() {
        let why = why.failed.clone().unwrap_or_default();
        return Err(Error::mapping(format!("No part of the cells could be mapped onto the others. The first: {why}")));
    }
    let mut warnings = prepared.dataset.warnings;
    warnings.extend(prepared.warnings);
    let levels = levels.iter().zip(all).map(|(level, tally)| tally.figures(level)).collect();
    Ok(Validation { column: parts.column, levels, parts: found, warnings })
}

/// The reference of all other cells, and these mapped onto it.
fn hold_out(
    prepared: &Prepared,
    choices: &Choices,
    held: &[usize],
    progress: &Progress<'_>,
) -> Result<(Reference, Mapping)> {
    let mut is_held = vec![false; prepared.dataset.cells.len()];
    held.iter().for_each(|&cell| is_held[cell] = true);
    let rest: Vec<usize> = (0..is_held.len()).filter(|&cell| !is_held[cell]).collect();
    // No label depends on the map, which takes most of the time of a build.
    let umap = UmapParameters { epochs: 1, ..seurat_parameters(rest.len()) };
    let options = Options { held_out_by: By::Nothing, umap: Some(umap), ..choices.options() };
    let (reference, _) = prepared.only(&rest).build(
        &Choices { ids: BTreeMap::new(), ..choices.clone() },
        &options,
        None,
        About::default(),
        progress,
    )?;
    let counts = prepared.dataset.counts.select_cells(held);
    let totals: Vec<f64> =
        (0..counts.cells()).map(|cell| counts.row(cell).fold(0.0, |sum, (_, count)| sum + f64::from(count))).collect();
    let names: Vec<String> = held.iter().map(|&cell| prepared.dataset.cells[cell].clone()).collect();
    let genes = match_genes(&prepared.dataset.features, &reference.features, None);
    let query = map::Query { counts: &counts, totals: &totals, names: &names, genes: &genes };
    let mapping = map::map(&query, &reference, &map::Options::default(), progress)?;
    Ok((reference, mapping))
}

/// Counts the labels of the cells that were held out; classes are known by their names, since the rest may have fewer.
fn judge(tallies: &mut [Tally], levels: &[Level], held: &[usize], reference: &Reference, mapping: &Mapping) {
    for ((tally, level), (place, labels)) in tallies.iter_mut().zip(levels).zip(mapping.labels.iter().enumerate()) {
        let Some(of_rest) = reference.level(&level.name) else { continue };
        let number: BTreeMap<&str, usize> =
            level.classes.iter().enumerate().map(|(number, class)| (class.name.as_str(), number)).collect();
        let class_of: Vec<usize> =
            of_rest.classes.iter().map(|class| number.get(class.name.as_str()).copied().unwrap_or_default()).collect();
        let mut has_class = vec![false; level.classes.len()];
        class_of.iter().for_each(|&class| has_class[class] = true);
        let confidences = mapping.annotation.as_ref().and_then(|annotation| annotation.confidences.get(place));
        for (row, &cell) in held.iter().enumerate() {
            let truth = usize::from(level.codes[cell]);
            let confidence = confidences.and_then(|of_level| of_level.get(row)).copied().unwrap_or_default();
            tally.add(truth, has_class[truth], class_of[usize::from(labels.codes[row])], confidence);
        }
    }
}

impl Validation {
    /// A table with a line for each level, part and class; those of `all` parts together first, and of each the line without a
    /// class before those of the classes.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "level\tpart\tclass\tcells\tcells_of_missing_classes\tcalled\taccuracy\tf1\tmacro_f1\tcalibration_error\n",
        );
        for (place, all) in self.levels.iter().enumerate() {
            add_lines(&mut table, "all", all);
            for part in self.parts.iter().filter(|part| part.failed.is_none()) {
                if let Some(level) = part.levels.get(place) {
                    add_lines(&mut table, &part.name, level);
                }
            }
        }
        table
    }

    /// The short of it: a sentence for each level, and one for each part of which nothing is known.
    pub fn sentences(&self) -> Vec<String> {
        let by = self.column.as_ref().map_or("random parts".to_owned(), |column| format!("'{column}'"));
        let mapped = self.parts.iter().filter(|part| part.failed.is_none()).count();
        let level = |level: &HeldOutLevel| {
            let macro_f1 = level.macro_f1.map_or("none".to_owned(), |f1| format!("{f1:.3}"));
            format!(
                "{}: accuracy {:.3}, macro-F1 {macro_f1}, calibration error {:.3}; {} cells of {mapped} parts by {by}, each mapped \
                 onto a reference built without it; {} more are of classes that the rest has not.",
                level.name, level.accuracy, level.calibration_error, level.cells, level.cells_of_missing_classes
            )
        };
        let failed = |part: &Part| part.failed.as_ref().map(|why| format!("{} was not judged: {why}", part.name));
        self.levels.iter().map(level).chain(self.parts.iter().filter_map(failed)).collect()
    }
}

fn add_lines(table: &mut String, part: &str, level: &HeldOutLevel) {
    let clean = |text: &str| text.replace(|letter: char| letter.is_control(), " ");
    let (name, part) = (clean(&level.name), clean(part));
    let called: usize = level.classes.iter().map(|class| class.called).sum();
    let macro_f1 = level.macro_f1.map_or(String::new(), |f1| format!("{f1}"));
    table.push_str(&format!(
        "{name}\t{part}\t\t{}\t{}\t{called}\t{}\t\t{macro_f1}\t{}\n",
        level.cells, level.cells_of_missing_classes, level.accuracy, level.calibration_error
    ));
    for class in level.classes.iter().filter(|class| class.cells + class.called > 0) {
        let class_name = clean(&class.name);
        table.push_str(&format!(
            "{name}\t{part}\t{class_name}\t{}\t\t{}\t{}\t{}\t\t\n",
            class.cells, class.called, class.accuracy, class.f1
        ));
    }
}
