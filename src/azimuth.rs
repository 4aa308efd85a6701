//! References that Azimuth publishes: the object of their `ref.Rds` as a [`Reference`], to map onto as Azimuth does.
//!
//! | slot of the Seurat object | becomes | module |
//! |---|---|---|
//! | `reductions$refDR`: loadings, embeddings | features, loadings, embedding, names of cells | here |
//! | `assays$refAssay@SCTModel.list$refmodel` | model of the residuals | `model` |
//! | `meta.data`, `tools$AzimuthReference@colormap` | levels, classes, colours | `labels` |
//! | `neighbors$refdr.annoy.neighbors@nn.idx` | neighbours | `neighbors` |
//! | `reductions$refUMAP`, `meta.data$ori.index` | map, and where each cell stands on it | `umap` |
//! | `assays$ADT@data` | proteins | `proteins` |
//!
//! An object that lacks a part without which nothing can be mapped is refused, in a sentence that names the slot; what can
//! be done without, or computed from the rest, is a warning.
//!
//! # Source
//! Objects of `Azimuth::AzimuthReference` 0.4 and 0.5 and what `ValidateAzimuthReference` asks of them.

mod labels;
mod model;
mod neighbors;
mod proteins;
mod umap;

use crate::error::{Error, Kind, Result, Warning};
use crate::formats::{Column, Feature, Object, RObjects, Source, Texts, grouped, places};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::{About, Reference};
use std::sync::Arc;

/// What a person decides about an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Columns of `meta.data` that become levels; without any those that the reference has colours for.
    pub levels: Option<Vec<String>>,
}

/// Imports the `ref.Rds` of an Azimuth reference. `about` is what its card says; what the object tells of itself is added.
///
/// # Errors
/// When it is no such object, or lacks a part: a sentence that names the slot.
pub fn import(
    source: Box<dyn Source>,
    options: &Options,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    progress.report("Reading", 0.0);
    let objects = RObjects::open(source);
    let objects = objects.and_then(|objects| objects.ok_or_else(|| fault("it is no file that R's saveRDS() wrote")));
    of_reference(objects.and_then(|objects| import_objects(&objects, options, about, progress)))
}

/// Damage of the file is damage of a reference.
pub(crate) fn of_reference<T>(outcome: Result<T>) -> Result<T> {
    outcome
        .map_err(|error| Error { kind: if error.kind == Kind::Usage { Kind::Usage } else { Kind::Reference }, ..error })
}

/// What [`import`] does once the file is parsed.
pub(crate) fn import_objects(
    objects: &RObjects,
    options: &Options,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    let object = seurat(objects)?;
    let mut warnings = Vec::new();
    let components = Components::find(object)?;
    let cells = &components.cells;

    // In the order of the file, so that it is read through once.
    let proteins = proteins::read(object, cells, &mut warnings)?;
    let model = model::read(object, &components.genes, &mut warnings)?;
    let levels = labels::read(object, cells, options.levels.as_deref(), &mut warnings)?;
    let stored = neighbors::read(object, cells)?;
    let (loadings, embedding) = components.read(&model.rows)?;
    let umap = umap::read(object, cells, &mut warnings)?;
    let neighbors = neighbors::complete(stored, &embedding, progress, &mut warnings)?;

    let provenance = provenance(object, &components, model.rows.len(), umap.layout.nrows());
    let gene = |&row: &u32| components.genes.get(row as usize).unwrap_or_default().to_owned();
    let reference = Reference {
        about: About { provenance: about.provenance.iter().cloned().chain(provenance).collect(), ..about },
        features: model.rows.iter().map(gene).map(feature).collect(),
        model: model.parameters.into(),
        loadings,
        embedding,
        neighbors,
        levels,
        umap,
        cells: cells.to_vec(),
        columns: Vec::new(),
        proteins,
        expression: None,
    };
    reference.check()?;
    Ok((reference, warnings))
}

/// The error for an object that cannot be imported.
fn fault(what: impl AsRef<str>) -> Error {
    Error::reference(format!(
        "This cannot be imported as an Azimuth reference: {}. Give the file ref.Rds of a published reference, or what \
         AzimuthReference() of the R package Azimuth returns, saved with saveRDS().",
        what.as_ref()
    ))
}

fn missing(slot: &str) -> Error {
    fault(format!("{slot} is missing"))
}

/// A column of a table, for the rows of these names; nothing where it has none of that name.
///
/// # Errors
/// When it cannot be read, in a sentence that names it.
fn column(table: Object<'_>, path: &str, name: &str, rows: &Arc<Texts>) -> Result<Option<Column>> {
    column_of(table, name, rows).map_err(|why| fault(format!("of {path}${name}, {why}")))
}

/// As [`column`], with the reason alone.
pub(crate) fn column_of(
    table: Object<'_>,
    name: &str,
    rows: &Arc<Texts>,
) -> std::result::Result<Option<Column>, String> {
    table.column(name, rows).map_err(|error| error.message.trim_end_matches('.').to_owned())
}

/// The Seurat object of the file.
fn seurat<'a>(objects: &'a RObjects) -> Result<Object<'a>> {
    let all = objects.all();
    let found: Vec<Object<'a>> = all.iter().map(|(_, object)| *object).filter(|object| object.is_a("Seurat")).collect();
    match (found.as_slice(), all.as_slice()) {
        ([one], _) => Ok(*one),
        ([], [(_, other), ..]) => Err(fault(format!("its object is of the class {}, not Seurat", other.class()))),
        ([], []) => Err(fault("there is no object in it")),
        _ => Err(fault(format!("it holds {} Seurat objects, not one", found.len()))),
    }
}

/// A name of a gene is an id where it looks like one.
pub(crate) fn feature(name: String) -> Feature {
    Feature { id: name.starts_with("ENS").then(|| name.clone()), symbol: name }
}

/// `reductions$refDR`.
struct Components<'a> {
    object: Object<'a>,
    genes: Arc<Texts>,
    cells: Arc<Texts>,
    /// How many of its dimensions are mapped in.
    dimensions: usize,
}

const LOADINGS: &str = "reductions$refDR@feature.loadings";
const EMBEDDING: &str = "reductions$refDR@cell.embeddings";

/// As of every reference.
const LARGEST_VALUE: f32 = 1e6;

impl<'a> Components<'a> {
    fn find(seurat: Object<'a>) -> Result<Self> {
        let object = seurat.at(&["reductions", "refDR"]).ok_or_else(|| missing("reductions$refDR"))?;
        let named = |slot: &str, path: &str| -> Result<(Arc<Texts>, usize)> {
            let matrix = object.at(&[slot]).ok_or_else(|| missing(path))?;
            match (matrix.shape(), matrix.dimnames()) {
                (Some([rows, columns]), [Some(names), _]) if rows == names.len() && rows > 0 && columns > 0 => {
                    Ok((names, columns))
                }
                (Some([rows, _]), [None, _]) if rows > 0 => Err(fault(format!("the rows of {path} have no names"))),
                _ => Err(fault(format!("{path} is no matrix with names, or an empty one"))),
            }
        };
        let (genes, of_genes) = named("feature.loadings", LOADINGS)?;
        let (cells, of_cells) = named("cell.embeddings", EMBEDDING)?;
        if of_genes != of_cells {
            return Err(fault(format!("{LOADINGS} has {of_genes} columns and {EMBEDDING} has {of_cells}")));
        }
        // Those that the neighbours were found in are those that Azimuth maps in.
        let told = seurat.at(&["neighbors", neighbors::NAME, "alg.info", "ndim"]).and_then(|ndim| ndim.number());
        let told = told.filter(|told| (1.0..=of_genes as f64).contains(told)).map(|told| told as usize);
        Ok(Components { object, genes, cells, dimensions: told.unwrap_or(of_genes) })
    }

    /// Loadings of the features in these rows, and the embedding.
    fn read(&self, rows: &[u32]) -> Result<(Dense, Dense)> {
        let dense = |slot: &str, path: &str| -> Result<Dense> {
            let found = self.object.at(&[slot]).map(|matrix| matrix.dense(self.dimensions)).transpose()?.flatten();
            let found = found.ok_or_else(|| fault(format!("{path} has not as many values as rows times columns")))?;
            if found.iter().all(|value| value.abs() <= LARGEST_VALUE) {
                return Ok(found);
            }
            Err(fault(format!("{path} holds values that are no numbers, or larger than any that are computed")))
        };
        let embedding = dense("cell.embeddings", EMBEDDING)?;
        let loadings = dense("feature.loadings", LOADINGS)?;
        let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        Ok((loadings.select(ndarray::Axis(0), &rows), embedding))
    }
}

/// Rows in the order of the cells; nothing where a cell has none.
fn in_order<T: Clone>(matrix: ndarray::Array2<T>, names: &Texts, cells: &Arc<Texts>) -> Option<ndarray::Array2<T>> {
    if matrix.nrows() != names.len() {
        return None;
    }
    match places(cells, names) {
        None => Some(matrix),
        Some(rows) if rows.contains(&u32::MAX) => None,
        Some(rows) => {
            let rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
            Some(matrix.select(ndarray::Axis(0), &rows))
        }
    }
}

/// One sentence a step, as far as the object tells.
fn provenance(object: Object<'_>, components: &Components<'_>, features: usize, places: usize) -> Vec<String> {
    let tool = object.at(&["tools", "AzimuthReference"]);
    let told = |slot: &str| -> String {
        let Some(version) = tool.and_then(|tool| tool.at(&[slot])) else {
            return "of an unknown version".into();
        };
        // A version is a list of whole numbers; that of the reference is text.
        let numbers = version.elements().first().and_then(|(_, numbers)| numbers.numbers().ok().flatten());
        let dotted = |numbers: &Arc<[f64]>| numbers.iter().map(|part| format!("{part}")).collect::<Vec<_>>().join(".");
        let text = version.text().map(str::to_owned).or_else(|| numbers.as_ref().map(dotted));
        text.filter(|text| !text.is_empty() && text.len() < 40).unwrap_or_else(|| "of an unknown version".into())
    };
    vec![
        format!(
            "Imported from an Azimuth reference: reference {}, made by Azimuth {} with Seurat {}.",
            told("reference.version"),
            told("azimuth.version"),
            told("seurat.version")
        ),
        format!(
            "Model, loadings and embedding as published: {features} features, {} dimensions of refDR, {} cells; the map was learned on \
             {} cells.",
            components.dimensions,
            grouped(components.cells.len() as f64),
            grouped(places as f64)
        ),
    ]
}
