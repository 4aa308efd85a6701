//! The boundary to JavaScript: handles, typed arrays, and the browser's `File` as `Read + Seek`.
//!
//! The engine lives in one dedicated worker, since reading a `File` and waiting for the pool both block.
//! Bulk data crosses as typed arrays, tables as bytes, small summaries as plain objects.

mod file;
mod summaries;

use crate::build::labels::color;
use crate::doublets::{self, doublet_scores};
use crate::error::{self, Error};
use crate::export::{self, MarkerTable};
use crate::formats::{self, Input, OpenFile, ReadOptions};
use crate::genes::{GeneTable, Route};
use crate::map::samples::map_samples;
use crate::map::{self, Mapping};
use crate::markers::{self, Grouping, find_markers};
use crate::metadata::{Coloring, Kind};
use crate::progress::Progress;
use crate::qc::Filter;
use crate::query::{Query, QueryOptions};
use crate::reference::{Reference, bundle};
use js_sys::{Float32Array, Function, Uint8Array, Uint16Array};
use serde::Serialize;
use summaries::{
    BuildInfo, ClassColumn, ColoredValue, GenesSummary, MapSummary, NumberColumn, QuerySummary, ReferenceSummary,
    level_summary,
};
use wasm_bindgen::prelude::*;

#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

/// Version of the engine, and whether this is the threaded build.
#[wasm_bindgen]
pub fn build_info() -> Result<JsValue, JsValue> {
    to_object(&BuildInfo { version: env!("CARGO_PKG_VERSION"), threads: cfg!(feature = "threads") })
}

/// One reference, one query, one mapping: the state of a page.
#[wasm_bindgen]
#[derive(Default)]
pub struct Engine {
    reference: Option<Reference>,
    genes: Option<GeneTable>,
    file: Option<OpenFile>,
    query: Option<Query>,
    mapping: Option<Mapping>,
}

#[wasm_bindgen]
impl Engine {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a bundle. What was mapped onto another reference is dropped.
    pub fn load_reference(&mut self, bytes: &[u8]) -> Result<JsValue, JsValue> {
        self.mapping = None;
        let reference = self.reference.insert(bundle::read(bytes).map_err(thrown)?);
        to_object(&ReferenceSummary {
            about: &reference.about,
            cells: reference.embedding.nrows(),
            features: reference.features.len(),
            checksum: bundle::sha256(bytes),
            levels: reference.levels.iter().map(|level| level_summary(level, &level.codes)).collect(),
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
        self.mapping = None;
        self.file = None;
        let input = |(file, path): (web_sys::File, String)| {
            Input::new(path, Box::new(file::BrowserFile::new(file)) as Box<dyn formats::Source>)
        };
        let _watch = file::Watch::begin(files.iter().map(|file| file.size()).sum(), report.clone());
        let mut opened = formats::open(files.into_iter().zip(paths).map(input).collect()).map_err(thrown)?;
        let inspection = opened.inspect(&ReadOptions::default()).map_err(thrown)?;
        self.file = Some(opened);
        to_object(&inspection)
    }

    /// Reads the counts. `options` is `{ matrix, gene_column, min_counts, filter, samples, reference_genes_only, budget }`,
    /// each of which may be missing.
    pub fn read_query(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Wishes {
            matrix: Option<String>,
            gene_column: Option<String>,
            min_counts: Option<f64>,
            filter: Option<String>,
            samples: Option<String>,
            reference_genes_only: bool,
            budget: Option<f64>,
        }
        self.query = None;
        self.mapping = None;
        let wishes: Wishes = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the reading cannot be read: {error}."))))?;
        let report = reporter(report);
        let file = self.file.as_mut().ok_or_else(|| thrown(Error::usage("Choose a file first.")))?;
        let reference = self.reference.as_ref().ok_or_else(no_reference)?;
        let filter = wishes.filter.as_deref().map(Filter::parse).transpose().map_err(thrown)?;
        let options = QueryOptions {
            matrix: wishes.matrix.as_deref(),
            gene_column: wishes.gene_column.as_deref(),
            min_counts: wishes.min_counts,
            filter: filter.as_ref(),
            samples: wishes.samples.as_deref(),
            table: self.genes.as_ref(),
            reference: Some(reference),
            reference_genes_only: wishes.reference_genes_only,
            budget: wishes.budget.map(|bytes| bytes as u64),
        };
        let query = Query::read(file, &options, &Progress::new(&report)).map_err(thrown)?;
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
            bytes: query.counts.bytes(),
        })?;
        self.query = Some(query);
        Ok(summary)
    }

    /// Maps the query onto the reference. `options` is `{ levels: [names] | null, per_sample }`.
    pub fn map(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        #[derive(serde::Deserialize)]
        struct MapOptions {
            levels: Option<Vec<String>>,
            #[serde(default)]
            per_sample: bool,
        }
        self.mapping = None;
        let MapOptions { levels, per_sample } = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the mapping cannot be read: {error}."))))?;
        let report = reporter(report);
        let reference = self.reference.as_ref().ok_or_else(no_reference)?;
        let query = self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))?;
        let (genes, _) = query.match_to(reference, self.genes.as_ref()).map_err(thrown)?;
        let cells =
            map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes: &genes };
        let options = map::Options { levels, ..Default::default() };
        let progress = Progress::new(&report);
        let samples = query.samples();
        let (mapping, outcomes) = match per_sample && samples.names.len() > 1 {
            true => map_samples(&cells, reference, &options, &samples, &progress).map_err(thrown)?,
            false => (map::map(&cells, reference, &options, &progress).map_err(thrown)?, Vec::new()),
        };
        let mut warnings = mapping.warnings();
        warnings.extend(map::samples::warnings(&outcomes));
        let summaries = mapping.labels.iter().filter_map(|labels| {
            let level = reference.levels.iter().find(|level| level.name == labels.level)?;
            Some(level_summary(level, &labels.codes))
        });
        let summary = to_object(&MapSummary {
            cells: query.cells.len(),
            anchors: mapping.anchors.len(),
            percent_with_anchors: mapping.percent_with_anchors(),
            features_used: mapping.features_used,
            levels: summaries.collect(),
            samples: outcomes,
            warnings,
        })?;
        self.mapping = Some(mapping);
        Ok(summary)
    }

    /// The place of every query cell on the reference's map: x, y, x, y, …
    pub fn query_layout(&self) -> Result<Float32Array, JsValue> {
        let places: Vec<f32> = self.mapping()?.umap.layout.iter().copied().collect();
        Ok(Float32Array::from(places.as_slice()))
    }

    /// The predicted class of every query cell.
    pub fn codes(&self, level: &str) -> Result<Uint16Array, JsValue> {
        Ok(Uint16Array::from(self.labels(level)?.codes.as_slice()))
    }

    /// The prediction score of the predicted class of every query cell.
    pub fn scores(&self, level: &str) -> Result<Float32Array, JsValue> {
        let labels = self.labels(level)?;
        let scores: Vec<f32> = (0..labels.codes.len()).map(|cell| labels.score(cell)).collect();
        Ok(Float32Array::from(scores.as_slice()))
    }

    pub fn mapping_scores(&self) -> Result<Float32Array, JsValue> {
        Ok(Float32Array::from(self.mapping()?.mapping_scores.as_slice()))
    }

    /// Names of the query cells, UTF-8, one a line.
    pub fn cell_names(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.query()?.cells.join("\n").into_bytes())
    }

    /// A column of the file's table of cells, by its number, for the cells that are mapped: `{ kind, values: [{ value,
    /// cells, color }], other_values, other_cells, missing, codes }`, or `{ kind: "number", min, max, missing, numbers }`,
    /// see [`Coloring`].
    pub fn metadata_column(&self, column: usize) -> Result<JsValue, JsValue> {
        let query = self.query()?;
        let found = query.metadata.get(column).map(|column| &column.1);
        let column = found.ok_or_else(|| thrown(Error::usage("The file has no such column.")))?;
        let set = |object: &JsValue, name: &str, array: JsValue| js_sys::Reflect::set(object, &name.into(), &array);
        let kind = Kind::of(column);
        match Coloring::of(column, query.cells.len()) {
            Coloring::Classes { values, codes, other_values, other_cells, missing } => {
                let colored = values.iter().enumerate();
                let values = colored.map(|(place, value)| ColoredValue { value, color: color(place) }).collect();
                let object = to_object(&ClassColumn { kind, values, other_values, other_cells, missing })?;
                set(&object, "codes", Uint16Array::from(codes.as_slice()).into())?;
                Ok(object)
            }
            Coloring::Numbers { values, min, max, missing } => {
                let object = to_object(&NumberColumn { kind, min, max, missing })?;
                set(&object, "numbers", Float32Array::from(values.as_slice()).into())?;
                Ok(object)
            }
        }
    }

    /// The tables `metadata.tsv` and `scores.tsv`, as `export`: `write` is given the pieces as arrays of bytes, since they
    /// may be large.
    pub fn export_pieces(&self, name: &str, write: &Function) -> Result<(), JsValue> {
        let mut give = |piece: &str| write.call1(&JsValue::NULL, &Uint8Array::from(piece.as_bytes())).map(|_| ());
        match name {
            "metadata.tsv" => export::metadata(self.query()?, &mut give),
            "scores.tsv" => export::scores(self.query()?, self.mapping()?, self.reference()?, &mut give),
            _ => Err(thrown(Error::usage(format!("There is no table '{name}'.")))),
        }
    }

    /// A table as bytes: `predictions.tsv`, `umap.tsv`, `qc.tsv`, `genes.tsv`, `doublets.tsv` or `markers.tsv`, the same
    /// that the command writes.
    pub fn export(&self, name: &str) -> Result<Vec<u8>, JsValue> {
        let query = self.query()?;
        let table = match name {
            "predictions.tsv" => export::predictions(query, self.mapping()?, self.reference()?),
            "umap.tsv" => export::umap(query, self.mapping()?),
            "qc.tsv" => export::qc(query),
            "doublets.tsv" => {
                let reference = self.reference()?;
                let (genes, _) = query.match_to(reference, self.genes.as_ref()).map_err(thrown)?;
                let (counts, totals) = (&query.counts, &query.metrics.counts);
                let cells = map::Query { counts, totals, names: &query.cells, genes: &genes };
                let options = doublets::Options::default();
                let scores = doublet_scores(&cells, reference, &query.samples(), &options, &Progress::silent());
                export::doublets(query, &scores)
            }
            "genes.tsv" => {
                let reference = self.reference()?;
                let (genes, _) = query.match_to(reference, self.genes.as_ref()).map_err(thrown)?;
                export::genes(query, reference, &genes)
            }
            "markers.tsv" => {
                let groupings = Grouping::of_mapping(self.mapping()?, self.reference()?);
                let progress = Progress::silent();
                let options = markers::Options::default();
                let found = find_markers(&query.counts, &query.metrics.counts, &groupings, &options, &progress);
                export::markers(&found, &query.features, &MarkerTable::usual(query))
            }
            _ => return Err(thrown(Error::usage(format!("There is no table '{name}'.")))),
        };
        Ok(table.into_bytes())
    }
}

impl Engine {
    fn reference(&self) -> Result<&Reference, JsValue> {
        self.reference.as_ref().ok_or_else(no_reference)
    }

    fn query(&self) -> Result<&Query, JsValue> {
        self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))
    }

    fn mapping(&self) -> Result<&Mapping, JsValue> {
        self.mapping.as_ref().ok_or_else(|| thrown(Error::usage("Map the cells first.")))
    }

    fn labels(&self, level: &str) -> Result<&map::labels::Labels, JsValue> {
        let found = self.mapping()?.labels.iter().find(|labels| labels.level == level);
        found.ok_or_else(|| thrown(Error::usage(format!("The level '{level}' was not mapped."))))
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
