//! References of Symphony: the list that its R package builds, as a [`Reference`], to map onto as Symphony does.
//!
//! | element of the list | becomes | module |
//! |---|---|---|
//! | `vargenes`: `symbol`, `mean`, `stddev` | features, means and deviations of the model | `genes` |
//! | `loadings` (features × d) | loadings | `genes` |
//! | `Z_corr` (d × cells) | embedding; the nearest cells are searched for in it | here |
//! | `cache`, or `R` (clusters × cells) and `Z_corr` | what a query is corrected with | `clusters` |
//! | `meta_data` | levels | `labels` |
//! | `umap$embedding` (cells × 2) | the map; laid out anew where it is missing | `umap` |
//!
//! `Z_orig`, `betas` and `centroids` are not needed: the last are the directions of the sums in `cache`. A list without a part
//! that nothing can be mapped without is refused, in a sentence that names it.
//!
//! # Source
//! Kang et al. 2021 (10.1038/s41467-021-25957-x); the elements as the manual of symphony 0.1.1 documents them.

mod clusters;
mod genes;
mod labels;
mod umap;

use crate::azimuth::{self, Options};
use crate::error::{Error, Result, Warning};
use crate::formats::{Object, RObjects, Texts, grouped};
use crate::map::cosine::nearest_by_cosine;
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::{About, LogModel, Reference};
use genes::Genes;
use std::sync::Arc;

/// How many neighbours of each cell are kept, itself included: as of all references.
const NEIGHBORS: usize = 31;
/// Every pair of cells is compared: more of them take longer than anyone waits.
const MOST_SEARCHED: usize = 200_000;
/// What Symphony makes the counts of a cell add up to, and where it bounds scaled values.
const SCALE: f64 = 10_000.0;
const CLIP: f64 = 10.0;
/// As of every reference.
const LARGEST_VALUE: f32 = 1e6;

/// Whether a list is a reference of Symphony, or a part of one.
pub(crate) fn is_reference(object: Object<'_>) -> bool {
    let named = |name: &str| object.elements().iter().any(|(known, _)| known == name);
    named("vargenes") || (named("Z_corr") && named("meta_data"))
}

/// Imports the list. `about` is what its card says; how it was made is added.
///
/// # Errors
/// When it lacks a part, or one does not fit the others: a sentence that names it.
pub(crate) fn import_object(
    object: Object<'_>,
    options: &Options,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    let mut warnings = Vec::new();
    let genes = Genes::read(object, &mut warnings)?;
    let embedding = embedding(object, genes.loadings.ncols())?;
    let cells = cells(object, embedding.nrows(), &mut warnings)?;
    let levels = labels::read(object, &cells, options.levels.as_deref(), &mut warnings)?;
    let clusters = clusters::read(object, &embedding, &mut warnings)?;
    if embedding.nrows() > MOST_SEARCHED {
        return Err(fault(format!(
            "to search for the nearest of {} cells would take too long; up to {} are imported",
            grouped(embedding.nrows() as f64),
            grouped(MOST_SEARCHED as f64)
        )));
    }
    let stored = umap::stored(object, embedding.nrows())?;
    let (neighbors, distances) = nearest_by_cosine(&embedding, NEIGHBORS, progress);
    let umap = umap::complete(stored, &neighbors, &distances, &embedding, progress, &mut warnings);
    let provenance = provenance(&genes, &embedding, clusters.as_ref().map_or(0, |clusters| clusters.sizes.len()));
    let reference = Reference {
        about: About { provenance: about.provenance.iter().cloned().chain(provenance).collect(), ..about },
        features: genes.symbols.into_iter().map(azimuth::feature).collect(),
        model: LogModel { mean: genes.mean, stddev: genes.stddev, scale: SCALE, clip: CLIP, clusters }.into(),
        loadings: genes.loadings,
        embedding,
        neighbors,
        levels,
        umap,
        cells: cells.to_vec(),
        columns: Vec::new(),
        proteins: None,
        expression: None,
    };
    reference.check()?;
    Ok((reference, warnings))
}

/// The error for a list that cannot be imported.
fn fault(what: impl AsRef<str>) -> Error {
    Error::reference(format!(
        "This cannot be imported as a Symphony reference: {}. Give what buildReference() or buildReferenceFromHarmonyObj() of the \
         R package symphony returns, saved with saveRDS().",
        what.as_ref()
    ))
}

fn missing(element: &str) -> Error {
    fault(format!("{element} is missing"))
}

/// A matrix of numbers that are none too large, of any shape.
fn matrix(object: Object<'_>, path: &str) -> Result<Dense> {
    let columns = object.shape().map_or(0, |[_, columns]| columns);
    let read = object.dense(columns)?;
    let read = read.ok_or_else(|| fault(format!("{path} is no dense matrix of numbers, or an empty one")))?;
    if read.iter().all(|value| value.abs() <= LARGEST_VALUE) {
        return Ok(read);
    }
    Err(fault(format!("{path} holds values that are no numbers, or larger than any that are computed")))
}

/// The integrated places of the cells: cells × dimensions.
fn embedding(object: Object<'_>, dimensions: usize) -> Result<Dense> {
    let stored = object.at(&["Z_corr"]).ok_or_else(|| missing("Z_corr"))?;
    let read = matrix(stored, "Z_corr")?;
    if read.nrows() != dimensions {
        return Err(fault(format!(
            "Z_corr has {} rows, where loadings have {dimensions} columns: both are the dimensions",
            read.nrows()
        )));
    }
    Ok(read.t().as_standard_layout().into_owned())
}

/// Names of the cells: of the rows of `meta_data`, or of the columns of `Z_corr`, or a column that tells all apart. All of them
/// are in one order, as symphony has them.
fn cells(object: Object<'_>, count: usize, warnings: &mut Vec<Warning>) -> Result<Arc<Texts>> {
    let table = object.at(&["meta_data"]).ok_or_else(|| missing("meta_data"))?;
    let of_embedding = || object.at(&["Z_corr"]).and_then(|places| places.dimnames()[1].clone());
    if let Some(names) = table.row_names().or_else(of_embedding) {
        if names.len() != count {
            return Err(fault(format!("meta_data has {} rows, where Z_corr has {count} cells", names.len())));
        }
        return Ok(names);
    }
    for (_, column) in table.elements() {
        if let Some(texts) = column.texts().filter(|texts| texts.len() == count) {
            let mut sorted: Vec<&String> = texts.iter().collect();
            sorted.sort_unstable();
            if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
                return Ok(texts_of(&texts));
            }
        }
    }
    warnings.push(Warning::new(
        "cells_without_names",
        "Neither Z_corr nor meta_data names the cells; they are called cell1, cell2 and so on.",
    ));
    Ok(texts_of(&(1..=count).map(|number| format!("cell{number}")).collect::<Vec<String>>()))
}

fn texts_of(names: &[String]) -> Arc<Texts> {
    let mut texts = Texts::default();
    names.iter().for_each(|name| texts.push(name));
    Arc::new(texts)
}

fn provenance(genes: &Genes, embedding: &Dense, clusters: usize) -> Vec<String> {
    let correction = match clusters {
        0 => "A query is not corrected before anchors are found.".to_owned(),
        count => format!("A query is corrected by its {count} clusters before anchors are found."),
    };
    vec![
        "Imported from a Symphony reference: log1p of counts per 10,000, scaled, projected by its loadings.".to_owned(),
        format!(
            "Loadings and integrated embedding (Z_corr) as they were: {} features, {} dimensions, {} cells. {correction}",
            genes.mean.len(),
            embedding.ncols(),
            grouped(embedding.nrows() as f64)
        ),
    ]
}

/// Any object of the file that looks like a reference of Symphony.
pub(crate) fn of_objects(objects: &RObjects) -> Option<Object<'_>> {
    objects.all().into_iter().map(|(_, object)| object).find(|object| is_reference(*object))
}
