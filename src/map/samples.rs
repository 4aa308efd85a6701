//! Each sample mapped by itself: the clip of its residuals, its neighbourhoods and its anchors are its own.

use super::anchors::{Anchor, distinct};
use super::weights::Weights;
use super::{Mapping, Options, Query, map, score, umap};
use crate::error::{Result, Warning};
use crate::progress::Progress;
use crate::qc::{Samples, median};
use crate::reference::Reference;
use ndarray::Array2;
use serde::Serialize;

/// What mapping a sample by itself gave, beside mapping all samples together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleOutcome {
    /// `None` for the cells whose sample is not known.
    pub sample: Option<String>,
    pub cells: usize,
    /// Else its cells keep the mapping of all samples together.
    pub by_itself: bool,
    /// Of the anchors of the mapping that it has in the end.
    pub anchors: usize,
    pub percent_cells_with_anchors: f64,
    pub median_mapping_score: f64,
    /// The same of these cells where all samples are mapped together.
    pub median_mapping_score_together: f64,
    /// For each level, cells with another label than where all samples are mapped together.
    pub labels_changed: Vec<(String, usize)>,
}

/// The share of the work that a stage of [`map`] begins at, for a measure of progress that ascends.
const STAGES: [(&str, f64); 6] = [
    ("Projecting", 0.05),
    ("Finding anchors", 0.2),
    ("Transferring labels", 0.4),
    ("Integrating", 0.5),
    (umap::STAGE, 0.6),
    (score::STAGE, 0.7),
];

/// Maps all samples together, then each by itself; each cell has what mapping its own sample's file alone would give it.
///
/// The cells of a sample that has too few cells or anchors for a mapping of its own keep the mapping of all together.
/// `anchors` of the result are those of the samples; the weights of kept cells name only anchors of kept cells.
///
/// # Errors
/// As [`map`] of all cells.
pub fn map_samples(
    query: &Query<'_>,
    reference: &Reference,
    options: &Options,
    samples: &Samples,
    progress: &Progress<'_>,
) -> Result<(Mapping, Vec<SampleOutcome>)> {
    let together = map(query, reference, options, progress)?;
    let cells_of_samples = samples.cells();
    let mut done = 0;
    let mut parts: Vec<Option<Mapping>> = Vec::new();
    for cells in &cells_of_samples {
        let (from, share) = (done as f64 / query.names.len() as f64, cells.len() as f64 / query.names.len() as f64);
        let report = |stage: &str, _: f64| {
            let begun = STAGES.iter().find(|(name, _)| *name == stage).map_or(0.0, |(_, begun)| *begun);
            progress.report("Mapping each sample", from + share * begun);
        };
        parts.push(map_cells(query, reference, options, cells, &Progress::new(&report)));
        done += cells.len();
    }
    let joined = join(&together, &parts, &cells_of_samples);
    let outcomes = samples.names.iter().zip(&cells_of_samples).zip(&parts);
    let outcomes = outcomes.map(|((name, cells), part)| outcome(name, cells, part.is_some(), &joined, &together));
    let outcomes = outcomes.collect();
    Ok((joined, outcomes))
}

/// `None` where these cells have too few anchors.
fn map_cells(
    query: &Query<'_>,
    reference: &Reference,
    options: &Options,
    cells: &[usize],
    progress: &Progress<'_>,
) -> Option<Mapping> {
    let counts = query.counts.select_cells(cells);
    let totals: Vec<f64> = cells.iter().map(|&cell| query.totals[cell]).collect();
    let names: Vec<String> = cells.iter().map(|&cell| query.names[cell].clone()).collect();
    let query = Query { counts: &counts, totals: &totals, names: &names, genes: query.genes };
    map(&query, reference, options, progress).ok()
}

/// The samples' own mappings in the order of the cells, over the mapping of all together.
fn join(together: &Mapping, parts: &[Option<Mapping>], cells_of_samples: &[Vec<usize>]) -> Mapping {
    let mut joined = together.clone();
    let mut anchors: Vec<Anchor> = Vec::new();
    let mut lists: Vec<Vec<(u32, f64)>> = vec![Vec::new(); together.projected.nrows()];
    let mut kept: Vec<usize> = Vec::new();
    for (part, cells) in parts.iter().zip(cells_of_samples) {
        let Some(part) = part else {
            kept.extend(cells);
            continue;
        };
        let first = anchors.len() as u32;
        anchors
            .extend(part.anchors.iter().map(|anchor| Anchor { query: cells[anchor.query as usize] as u32, ..*anchor }));
        for (row, &cell) in cells.iter().enumerate() {
            lists[cell] = part.weights.of(row).map(|(anchor, weight)| (first + anchor as u32, weight)).collect();
        }
        put_rows(&mut joined, part, cells);
    }
    let mut is_kept = vec![false; lists.len()];
    kept.iter().for_each(|&cell| is_kept[cell] = true);
    let number: Vec<Option<u32>> = together
        .anchors
        .iter()
        .map(|anchor| {
            is_kept[anchor.query as usize].then(|| {
                anchors.push(*anchor);
                anchors.len() as u32 - 1
            })
        })
        .collect();
    for &cell in &kept {
        let of_cell = together.weights.of(cell);
        lists[cell] = of_cell.filter_map(|(anchor, weight)| Some((number[anchor]?, weight))).collect();
    }
    joined.anchors = anchors;
    joined.weights = Weights::from_lists(lists);
    joined
}

/// Everything that has a row for each cell.
fn put_rows(joined: &mut Mapping, part: &Mapping, cells: &[usize]) {
    // Named one by one, so that what a mapping will hold besides is not forgotten here.
    let Mapping {
        batches: _,
        projected,
        anchors: _,
        weights: _,
        labels,
        integrated,
        umap,
        mapping_scores,
        nearest,
        // Of one batch they are imputed from what is joined here.
        proteins: _,
        annotation,
        features_used: _,
    } = part;
    put(&mut joined.projected, projected, cells);
    put(&mut joined.integrated, integrated, cells);
    put(&mut joined.umap.start, &umap.start, cells);
    put(&mut joined.umap.layout, &umap.layout, cells);
    for (to, from) in joined.labels.iter_mut().zip(labels) {
        put(&mut to.scores, &from.scores, cells);
        cells.iter().zip(&from.codes).for_each(|(&cell, &code)| to.codes[cell] = code);
    }
    if let (Some(to), Some(from)) = (&mut joined.nearest, nearest) {
        put(to, from, cells);
    }
    if let (Some(to), Some(from)) = (&mut joined.annotation, annotation) {
        to.take(cells, from);
    }
    cells.iter().zip(mapping_scores).for_each(|(&cell, &score)| joined.mapping_scores[cell] = score);
}

fn put<T: Clone>(to: &mut Array2<T>, from: &Array2<T>, cells: &[usize]) {
    for (&cell, row) in cells.iter().zip(from.rows()) {
        to.row_mut(cell).assign(&row);
    }
}

fn outcome(
    sample: &Option<String>,
    cells: &[usize],
    by_itself: bool,
    joined: &Mapping,
    together: &Mapping,
) -> SampleOutcome {
    let mut is_of_sample = vec![false; joined.mapping_scores.len()];
    cells.iter().for_each(|&cell| is_of_sample[cell] = true);
    let queries: Vec<u32> =
        joined.anchors.iter().map(|anchor| anchor.query).filter(|&cell| is_of_sample[cell as usize]).collect();
    let median_score = |mapping: &Mapping| {
        let scores: Vec<f64> = cells.iter().map(|&cell| f64::from(mapping.mapping_scores[cell])).collect();
        median(&scores).unwrap_or(f64::NAN)
    };
    let levels = joined.labels.iter().zip(&together.labels);
    let changed = levels.map(|(own, other)| {
        (own.level.clone(), cells.iter().filter(|&&cell| own.codes[cell] != other.codes[cell]).count())
    });
    SampleOutcome {
        sample: sample.clone(),
        cells: cells.len(),
        by_itself,
        anchors: queries.len(),
        percent_cells_with_anchors: 100.0 * distinct(queries.iter().copied()).len() as f64 / cells.len().max(1) as f64,
        median_mapping_score: median_score(joined),
        median_mapping_score_together: median_score(together),
        labels_changed: changed.collect(),
    }
}

/// A word on the samples that could not be mapped by themselves.
pub fn warnings(outcomes: &[SampleOutcome]) -> Vec<Warning> {
    let together: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.by_itself)
        .map(|outcome| {
            let name = outcome.sample.as_deref().unwrap_or("no sample");
            format!("{name} ({} cells)", outcome.cells)
        })
        .collect();
    if together.is_empty() {
        return Vec::new();
    }
    vec![Warning::new(
        "samples_mapped_together",
        format!(
            "{} of the {} samples have too few cells or anchors for a mapping of their own, so their cells keep what mapping \
             all samples together gave: {}.",
            together.len(),
            outcomes.len(),
            together.join(", ")
        ),
    )]
}
