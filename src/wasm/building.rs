//! A reference of one's own, built in the page.

use super::{Engine, file, reporter, thrown, to_object};
use crate::build::columns::like_labels;
use crate::build::downsample::Most;
use crate::build::held_out::By;
use crate::build::{self, Choices};
use crate::error::{Error, Warning};
use crate::formats::{Dataset, OpenFile, ReadOptions};
use crate::metadata::{ColumnSummary, summaries};
use crate::progress::Progress;
use crate::qc::Filter;
use crate::reference::{About, bundle};
use js_sys::{Function, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// A file with labels that a reference is to be built of.
pub struct Labelled {
    file: OpenFile,
    /// Until it is built of: then it is read again for another one.
    dataset: Option<Dataset>,
    /// Bytes of the engine's memory for its counts.
    budget: u64,
}

/// What is known of a labelled file before a reference is built.
#[derive(Serialize)]
struct LabelledSummary<'a> {
    format: &'a str,
    matrix: &'a str,
    cells: usize,
    genes: usize,
    columns: Vec<ColumnSummary>,
    /// Of the columns those that look like labels of types, with their number of classes.
    like_labels: Vec<(&'a str, usize)>,
    /// The entry with counts of proteins that goes along, if the file has one.
    proteins: Option<String>,
    warnings: &'a [Warning],
}

/// What a person chose. Names and numbers that are missing are as the command has them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    name: String,
    title: String,
    species: String,
    tissue: String,
    organ: String,
    labels: Vec<String>,
    min_cells: usize,
    max_cells: Option<usize>,
    max_per_class: Option<usize>,
    filter: Option<String>,
    doublets: Option<f64>,
    samples: Option<String>,
    batch: Option<String>,
    dimensions: Option<usize>,
    features: Option<usize>,
    /// A column, or "none".
    held_out_by: Option<String>,
}

#[derive(Serialize)]
struct Built {
    warnings: Vec<Warning>,
    held_out: Option<String>,
}

#[wasm_bindgen]
impl Engine {
    /// Reads a file with labels: its counts, and what its table of cells holds. What was read as a query stays.
    pub fn open_labelled(
        &mut self,
        files: Vec<web_sys::File>,
        paths: Vec<String>,
        budget: f64,
        report: &Function,
    ) -> Result<JsValue, JsValue> {
        self.labelled = None;
        let _watch = file::Watch::begin(files.iter().map(|file| file.size()).sum(), report.clone());
        let file = file::open(files, paths).map_err(thrown)?;
        let mut labelled = Labelled { file, dataset: None, budget: budget as u64 };
        let report = reporter(report);
        let dataset = labelled.dataset(&Progress::new(&report)).map_err(thrown)?;
        let proteins = labelled.file.proteins(None).ok().flatten().map(|table| table.place);
        let summary = to_object(&LabelledSummary {
            format: &dataset.format,
            matrix: &dataset.matrix,
            cells: dataset.cells.len(),
            genes: dataset.features.len(),
            columns: summaries(&dataset.metadata),
            like_labels: like_labels(&dataset.metadata, dataset.cells.len()),
            proteins,
            warnings: &dataset.warnings,
        })?;
        labelled.dataset = Some(dataset);
        self.labelled = Some(labelled);
        Ok(summary)
    }

    /// Builds a reference of the labelled file: `{ warnings, held_out, bundle }`, the bundle as the bytes that the command writes for
    /// the same choices. `wanted` has the options of `sextant reference build`, with `_` for `-`, and what the card says.
    pub fn build_reference(&mut self, wanted: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        let wanted: Wanted = serde_wasm_bindgen::from_value(wanted)
            .map_err(|error| thrown(Error::usage(format!("The choices cannot be read: {error}."))))?;
        let report = reporter(report);
        let progress = Progress::new(&report);
        let labelled = self.labelled.as_mut().ok_or_else(|| thrown(Error::usage("Choose a labelled file first.")))?;
        let dataset = labelled.dataset(&progress).map_err(thrown)?;
        let proteins = labelled.file.proteins(None).map_err(thrown)?;
        let (choices, about) = wanted.understood().map_err(thrown)?;
        let built = build::from_dataset(dataset, proteins.as_ref(), &choices, about, &progress);
        let (reference, warnings) = built.map_err(thrown)?;
        let held_out = reference.about.held_out.as_ref().map(|held_out| held_out.sentence());
        let bytes = bundle::write(&reference).map_err(thrown)?;
        drop(reference);
        let object = to_object(&Built { warnings, held_out })?;
        js_sys::Reflect::set(&object, &"bundle".into(), &Uint8Array::from(bytes.as_slice()).into())?;
        Ok(object)
    }

    /// Forgets the labelled file.
    pub fn close_labelled(&mut self) {
        self.labelled = None;
    }
}

impl Labelled {
    /// Takes what was read, or reads it again.
    fn dataset(&mut self, progress: &Progress<'_>) -> crate::Result<Dataset> {
        match self.dataset.take() {
            Some(dataset) => Ok(dataset),
            None => {
                let options = ReadOptions { budget: Some(self.budget), ..Default::default() };
                self.file.read(&options, &mut (), progress)
            }
        }
    }
}

impl Wanted {
    fn understood(self) -> crate::Result<(Choices, About)> {
        let choices = Choices {
            labels: self.labels,
            min_cells: self.min_cells,
            most: Most { in_all: self.max_cells, of_class: self.max_per_class },
            filter: self.filter.as_deref().map(Filter::parse).transpose()?.unwrap_or_default(),
            doublets: self.doublets,
            samples: self.samples,
            batch: self.batch.filter(|name| name != "none"),
            dimensions: self.dimensions,
            features: self.features,
            held_out_by: match self.held_out_by {
                None => By::Usual,
                Some(name) if name == "none" => By::Nothing,
                Some(name) => By::Column(name),
            },
            ..Choices::default()
        };
        let about = About {
            name: self.name,
            title: self.title,
            species: self.species,
            tissue: self.tissue,
            organ: self.organ,
            ..About::default()
        };
        Ok((choices, about))
    }
}
