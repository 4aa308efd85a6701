//! The boundary to JavaScript: handles, typed arrays, and the browser's `File` as `Read + Seek`.
//!
//! The engine lives in one dedicated worker, since reading a `File` and waiting for the pool both block.
//! Bulk data crosses as typed arrays, tables as bytes, small summaries as plain objects.

mod building;
mod cells;
mod explorer;
mod file;
mod likeness;
mod own;
mod proteins;
mod published;
mod summaries;
mod tables;

use crate::batches::{self, Projection};
use crate::error::{self, Error};
use crate::formats::{OpenFile, ReadOptions};
use crate::genes::{GeneTable, Route};
use crate::map::grade::Grade;
use crate::map::proteins::Imputed;
use crate::map::rehearsal;
use crate::map::samples::map_samples;
use crate::map::{self, Mapping, Method};
use crate::progress::Progress;
use crate::qc::Filter;
use crate::query::{Query, QueryOptions};
use crate::reference::{Reference, bundle};
use js_sys::{Float32Array, Function, Uint16Array};
use serde::Serialize;
use summaries::{BuildInfo, GenesSummary, MapSummary, QuerySummary, ReferenceSummary, column_summary, level_summary};
use wasm_bindgen::prelude::*;

#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

/// How the page wants a query to be read.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Wishes {
    matrix: Option<String>,
    gene_column: Option<String>,
    min_counts: Option<f64>,
    filter: Option<String>,
    samples: Option<String>,
    reference_genes_only: bool,
    batch: Option<u32>,
    budget: Option<f64>,
    /// The filter, understood.
    #[serde(skip)]
    limits: Option<Filter>,
}

impl Wishes {
    fn options<'a>(&'a self, reference: &'a Reference, table: Option<&'a GeneTable>) -> QueryOptions<'a> {
        QueryOptions {
            matrix: self.matrix.as_deref(),
            gene_column: self.gene_column.as_deref(),
            min_counts: self.min_counts,
            filter: self.limits.as_ref(),
            samples: self.samples.as_deref(),
            table,
            reference: Some(reference),
            reference_genes_only: self.reference_genes_only,
            budget: self.budget.map(|bytes| bytes as u64),
        }
    }
}

/// Version of the engine, and whether this is the threaded build.
#[wasm_bindgen]
pub fn build_info() -> Result<JsValue, JsValue> {
    to_object(&BuildInfo { version: env!("CARGO_PKG_VERSION"), threads: cfg!(feature = "threads") })
}

/// SHA-256 in hexadecimal, for pages that the browser gives no cryptography because they are not served over https.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    bundle::sha256(bytes)
}

/// One reference, one query, one mapping: the state of a page.
#[wasm_bindgen]
#[derive(Default)]
pub struct Engine {
    reference: Option<Reference>,
    genes: Option<GeneTable>,
    file: Option<OpenFile>,
    /// What a reference is built of, beside all that.
    labelled: Option<building::Labelled>,
    query: Option<Query>,
    /// Of a query that is mapped in batches.
    projection: Option<Projection>,
    /// How the query was read.
    wishes: Wishes,
    mapping: Option<Mapping>,
    own: own::Own,
}

#[wasm_bindgen]
impl Engine {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Maps made-up cells, so that the browser compiles what runs for long: see [`rehearsal`].
    pub fn rehearse(&self) -> Result<(), JsValue> {
        rehearsal::rehearse(&Progress::silent()).map_err(thrown)
    }

    /// Reads a bundle, entry by entry. What was mapped onto another reference is dropped.
    pub fn load_reference(&mut self, file: web_sys::File) -> Result<JsValue, JsValue> {
        let opened = bundle::Bundle::open(file::BrowserFile::new(file));
        let reference = opened.and_then(|mut bundle| bundle.reference()).map_err(thrown)?;
        self.forget_mapping();
        let reference = self.reference.insert(reference);
        to_object(&ReferenceSummary {
            about: &reference.about,
            cells: reference.embedding.nrows(),
            features: reference.features.len(),
            levels: reference.levels.iter().map(|level| level_summary(level, &level.codes)).collect(),
            held_out_sentence: reference.about.held_out.as_ref().map(|held_out| held_out.sentence()),
            card: reference.card(),
            proteins: reference.proteins.as_ref().map_or(&[], |proteins| &proteins.names),
            columns: reference.columns.iter().map(column_summary).collect(),
            tells_expression: reference.expression.is_some(),
        })
    }

    /// Reads the table of gene names. Without one, genes are matched by equal ids and symbols only.
    pub fn load_genes(&mut self, bytes: &[u8]) -> Result<JsValue, JsValue> {
        let table = self.genes.insert(GeneTable::read(bytes).map_err(thrown)?);
        to_object(&GenesSummary { version: &table.version, sources: &table.sources, checksum: bundle::sha256(bytes) })
    }

    /// The place of every reference cell: x, y, x, y, …
    pub fn reference_layout(&self) -> Result<Float32Array, JsValue> {
        let umap = &self.reference()?.umap;
        let places: Vec<f32> = umap.rows.iter().flat_map(|&row| umap.layout.row(row as usize).to_vec()).collect();
        Ok(Float32Array::from(places.as_slice()))
    }

    /// The class of every reference cell at a level, by the level's number.
    pub fn reference_codes(&self, level: usize) -> Result<Uint16Array, JsValue> {
        let level =
            self.reference()?.levels.get(level).ok_or_else(|| thrown(Error::usage("There is no such level.")))?;
        Ok(Uint16Array::from(level.codes.as_slice()))
    }

    /// Looks at files: their kind and their matrices, without reading the counts. `paths` are their names, or their paths
    /// in the folder that was dropped. Some kinds of files have to be read to their end for that, so it is reported on.
    pub fn open_query(
        &mut self,
        files: Vec<web_sys::File>,
        paths: Vec<String>,
        report: &Function,
    ) -> Result<JsValue, JsValue> {
        self.query = None;
        self.projection = None;
        self.forget_mapping();
        self.file = None;
        let _watch = file::Watch::begin(files.iter().map(|file| file.size()).sum(), report.clone());
        let mut opened = file::open(files, paths).map_err(thrown)?;
        let inspection = opened.inspect(&ReadOptions::default()).map_err(thrown)?;
        self.file = Some(opened);
        to_object(&inspection)
    }

    /// Reads the counts. `options` is `{ matrix, gene_column, min_counts, filter, samples, reference_genes_only, batch, budget }`,
    /// each of which may be missing. With `batch`, cells of a batch, cells are projected and their counts dropped.
    pub fn read_query(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        self.query = None;
        self.projection = None;
        self.forget_mapping();
        self.wishes = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the reading cannot be read: {error}."))))?;
        let report = reporter(report);
        let file = self.file.as_mut().ok_or_else(|| thrown(Error::usage("Choose a file first.")))?;
        let reference = self.reference.as_ref().ok_or_else(no_reference)?;
        self.wishes.limits = self.wishes.filter.as_deref().map(Filter::parse).transpose().map_err(thrown)?;
        let options = self.wishes.options(reference, self.genes.as_ref());
        let progress = Progress::new(&report);
        let (query, projection) = match self.wishes.batch {
            Some(size) => {
                let read = batches::read(file, reference, &options, size as usize, &progress);
                read.map(|(query, projection)| (query, Some(projection))).map_err(thrown)?
            }
            None => (Query::read(file, &options, &progress).map_err(thrown)?, None),
        };
        let (genes, warnings, mismatch) = match query.match_to(reference, self.genes.as_ref()) {
            Ok((genes, warnings)) => (Some(genes), warnings, None),
            Err(error) => (None, Vec::new(), Some(error.message)),
        };
        let mut about = query.summary();
        about.warnings.extend(warnings);
        let summary = to_object(&QuerySummary {
            query: about,
            genes_in_common: genes.as_ref().map(|genes| genes.matched),
            genes_by_id: genes.as_ref().map(|genes| genes.by(Route::Id)),
            genes_by_symbol: genes.as_ref().map(|genes| genes.by(Route::Symbol)),
            genes_matched: genes.as_ref(),
            reference_features: reference.features.len(),
            mismatch,
            gene_columns: &query.gene_columns,
            bytes: projection.as_ref().map_or_else(|| query.counts.bytes(), Projection::bytes),
            batches: projection.as_ref().map(Projection::batches),
            cells_in_batch: projection.as_ref().map(Projection::size),
        })?;
        self.projection = projection;
        self.query = Some(query);
        Ok(summary)
    }

    /// Maps the query onto the reference. `options` is `{ levels: [names] | null, method: "sextant" | "seurat" | null,
    /// per_sample }`.
    pub fn map(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        #[derive(serde::Deserialize)]
        struct MapOptions {
            levels: Option<Vec<String>>,
            method: Option<String>,
            #[serde(default)]
            per_sample: bool,
        }
        self.forget_mapping();
        let MapOptions { levels, method, per_sample } = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the mapping cannot be read: {error}."))))?;
        let method = method.as_deref().map_or(Ok(Method::default()), Method::of_name).map_err(thrown)?;
        let report = reporter(report);
        let reference = self.reference.as_ref().ok_or_else(no_reference)?;
        let query = self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))?;
        let (genes, _) = query.match_to(reference, self.genes.as_ref()).map_err(thrown)?;
        let cells =
            map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes: &genes };
        let proteins = proteins::kept_of_batches(self.projection.as_ref(), reference);
        let options = map::Options { method, levels, proteins, ..Default::default() };
        let progress = Progress::new(&report);
        let samples = query.samples();
        let mapped = match &self.projection {
            Some(projection) => {
                let mapped = batches::map(projection, &query.cells, reference, &options, &progress);
                mapped.map(|mapping| (mapping, Vec::new()))
            }
            None if per_sample && samples.names.len() > 1 => {
                map_samples(&cells, reference, &options, &samples, &progress)
            }
            None => map::map(&cells, reference, &options, &progress).map(|mapping| (mapping, Vec::new())),
        };
        let (mapping, outcomes) = mapped.map_err(thrown)?;
        let mut warnings = mapping.warnings();
        warnings.extend(map::samples::warnings(&outcomes));
        let summaries = mapping.labels.iter().filter_map(|labels| {
            let level = reference.level(&labels.level)?;
            Some(level_summary(level, &labels.codes))
        });
        let summary = to_object(&MapSummary {
            cells: query.cells.len(),
            anchors: mapping.anchors.len(),
            percent_with_anchors: mapping.percent_with_anchors(),
            grade_of_anchors: Grade::of_percent_with_anchors(mapping.percent_with_anchors()),
            features_used: mapping.features_used,
            levels: summaries.collect(),
            samples: outcomes,
            proteins: Imputed::of(&mapping, reference).is_some(),
            warnings,
        })?;
        self.mapping = Some(mapping);
        Ok(summary)
    }
}

impl Engine {
    fn forget_mapping(&mut self) {
        self.mapping = None;
        self.own = own::Own::default();
    }

    fn reference(&self) -> Result<&Reference, JsValue> {
        self.reference.as_ref().ok_or_else(no_reference)
    }

    fn query(&self) -> Result<&Query, JsValue> {
        self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))
    }

    fn mapping(&self) -> Result<&Mapping, JsValue> {
        self.mapping.as_ref().ok_or_else(|| thrown(Error::usage("Map the cells first.")))
    }
}

fn no_reference() -> JsValue {
    thrown(Error::usage("Choose a reference first."))
}

/// Calls back with the stage and the share that is done; what the callback throws is of no concern to the engine.
fn reporter(report: &Function) -> impl Fn(&str, f64) + '_ {
    move |stage, share| {
        let _ = report.call2(&JsValue::NULL, &stage.into(), &share.into());
    }
}

/// Plain objects rather than maps, `null` for `None`.
fn to_object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer =
        serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true).serialize_missing_as_null(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

/// A JavaScript `Error` with the sentence as its message and the kind beside it.
fn thrown(error: Error) -> JsValue {
    use error::Kind;
    let kind = match error.kind {
        Kind::Input => "input",
        Kind::Memory => "memory",
        Kind::Reference => "reference",
        Kind::Mapping => "mapping",
        Kind::Usage => "usage",
    };
    let thrown = js_sys::Error::new(&error.message);
    let _ = js_sys::Reflect::set(&thrown, &"kind".into(), &kind.into());
    thrown.into()
}
