//! The tables that a person takes away, for the page: the bytes that the command writes.

use super::summaries::Said;
use super::{Engine, reporter, thrown, to_object};
use crate::batches::{self, Again};
use crate::error::Error;
use crate::export::{self, MarkerTable};
use crate::markers::{self, Chosen, Grouping, find_markers};
use crate::progress::Progress;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

/// Bytes of counts that are held at a time while marker genes of a query are sought that is mapped in batches.
const MARKERS_MEMORY: u64 = 600_000_000;

/// Which marker genes the page wants.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct MarkerWishes {
    level: Option<String>,
    clusters: bool,
    column: Option<usize>,
    group: Option<String>,
    against: Option<String>,
    method: Option<String>,
    all: bool,
}

#[wasm_bindgen]
impl Engine {
    /// The tables `metadata.tsv`, `scores.tsv` and `proteins.tsv`, as `export`: `write` is given the pieces as arrays of
    /// bytes, since they may be large.
    pub fn export_pieces(&self, name: &str, write: &Function) -> Result<(), JsValue> {
        let mut give = |piece: &str| write.call1(&JsValue::NULL, &Uint8Array::from(piece.as_bytes())).map(|_| ());
        match name {
            "metadata.tsv" => export::metadata(self.query()?, &mut give),
            "proteins.tsv" => self.proteins_table(&mut give),
            "scores.tsv" => export::scores(self.query()?, self.mapping()?, self.reference()?, &mut give),
            _ => Err(thrown(Error::usage(format!("There is no table '{name}'.")))),
        }
    }

    /// The table `markers.tsv`, as `export`, and what is said of it: `{ bytes, warnings }`. `options` is
    /// `{ level, clusters, column, group, against, method: "normalised" | "azimuth", all }`, each of which may be missing: the
    /// groups are the types of a level or of all, the clusters, or the values of a column of the file's table of cells by its
    /// number; `all` has all genes of each group.
    ///
    /// Of a query that is mapped in batches the file is read again.
    pub fn export_markers(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        let wishes: MarkerWishes = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the markers cannot be read: {error}."))))?;
        let (options, mut shown) = wishes
            .method
            .as_deref()
            .map_or_else(|| Some((markers::Options::default(), MarkerTable::default())), MarkerTable::of_method)
            .ok_or_else(|| thrown(Error::usage("There is no such table of marker genes.")))?;
        if wishes.all {
            shown.most = None;
        }
        let chosen = Chosen { group: wishes.group.clone(), against: wishes.against.clone() };
        let groupings = self.groupings(&wishes)?.into_iter().map(|grouping| chosen.of(grouping));
        let groupings = groupings.collect::<crate::Result<Vec<Grouping>>>().map_err(thrown)?;
        let report = reporter(report);
        let progress = Progress::new(&report);
        let query = self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))?;
        let mut found = match (&self.projection, &mut self.file, &self.reference) {
            (Some(projection), Some(file), Some(reference)) => {
                let reading = self.wishes.options(reference, self.genes.as_ref());
                let again = Again { file, options: &reading, reference, query, projection };
                batches::find_markers(again, &groupings, &options, MARKERS_MEMORY, &progress).map_err(thrown)?
            }
            _ => find_markers(&query.counts, &query.metrics.counts, &groupings, &options, &progress),
        };
        chosen.keep(&mut found);
        let table = export::markers(&found, query, &shown);
        let object = to_object(&Said { warnings: found.iter().flat_map(markers::Markers::warnings).collect() })?;
        js_sys::Reflect::set(&object, &"bytes".into(), &Uint8Array::from(table.as_bytes()).into())?;
        Ok(object)
    }

    /// A table as bytes: `predictions.tsv`, `umap.tsv`, `qc.tsv`, `genes.tsv` or `protein_markers.tsv`, or, once they were asked
    /// for, `clusters.tsv`, `umap_own.tsv` or `doublets.tsv`; the same that the command writes.
    pub fn export(&self, name: &str) -> Result<Vec<u8>, JsValue> {
        let query = self.query()?;
        let table = match name {
            "predictions.tsv" => export::predictions(query, self.mapping()?, self.reference()?),
            "umap.tsv" => export::umap(query, self.mapping()?),
            "qc.tsv" => export::qc(query),
            "protein_markers.tsv" => self.protein_markers()?,
            "genes.tsv" => export::genes(query, self.reference()?, &self.genes_of_query()?),
            "clusters.tsv" | "umap_own.tsv" | "doublets.tsv" => self.own_table(name)?,
            _ => return Err(thrown(Error::usage(format!("There is no table '{name}'.")))),
        };
        Ok(table.into_bytes())
    }
}

impl Engine {
    fn groupings(&self, wishes: &MarkerWishes) -> Result<Vec<Grouping>, JsValue> {
        if wishes.clusters {
            return Ok(vec![self.clusters_as_groups()?]);
        }
        if let Some(column) = wishes.column {
            let query = self.query()?;
            let found = query.metadata.get(column);
            let (name, column) = found.ok_or_else(|| thrown(Error::usage("The file has no such column.")))?;
            return Ok(vec![Grouping::of_column(name, column, query.cells.len()).map_err(thrown)?]);
        }
        let mut groupings = Grouping::of_mapping(self.mapping()?, self.reference()?);
        groupings.retain(|grouping| wishes.level.as_ref().is_none_or(|level| *level == grouping.name));
        Ok(groupings)
    }
}
