//! The tables that a person takes away, for the page: the bytes that the command writes.

use super::summaries::Said;
use super::{Engine, reporter, thrown, to_object};
use crate::batches::{self, Again};
use crate::doublets::{self, doublet_scores};
use crate::error::Error;
use crate::export::{self, MarkerTable};
use crate::markers::{self, Grouping, find_markers};
use crate::progress::Progress;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

/// Bytes of counts that are held at a time while marker genes of a query are sought that is mapped in batches.
const MARKERS_MEMORY: u64 = 600_000_000;

#[wasm_bindgen]
impl Engine {
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

    /// The table `markers.tsv`, as `export`, and what is said of it: `{ bytes, warnings }`.
    ///
    /// Of a query that is mapped in batches the file is read again.
    pub fn export_markers(&mut self, report: &Function) -> Result<JsValue, JsValue> {
        let groupings = Grouping::of_mapping(self.mapping()?, self.reference()?);
        let report = reporter(report);
        let options = markers::Options::default();
        let progress = Progress::new(&report);
        let query = self.query.as_ref().ok_or_else(|| thrown(Error::usage("Read a file first.")))?;
        let found = match (&self.projection, &mut self.file, &self.reference) {
            (Some(projection), Some(file), Some(reference)) => {
                let reading = self.wishes.options(reference, self.genes.as_ref());
                let again = Again { file, options: &reading, reference, query, projection };
                batches::find_markers(again, &groupings, &options, MARKERS_MEMORY, &progress).map_err(thrown)?
            }
            _ => find_markers(&query.counts, &query.metrics.counts, &groupings, &options, &progress),
        };
        let table = export::markers(&found, query, &MarkerTable::default());
        let object = to_object(&Said { warnings: found.iter().flat_map(markers::Markers::warnings).collect() })?;
        js_sys::Reflect::set(&object, &"bytes".into(), &Uint8Array::from(table.as_bytes()).into())?;
        Ok(object)
    }

    /// A table as bytes: `predictions.tsv`, `umap.tsv`, `qc.tsv`, `genes.tsv` or `doublets.tsv`, or, once they were asked for,
    /// `clusters.tsv` or `umap_own.tsv`; the same that the command writes.
    pub fn export(&self, name: &str) -> Result<Vec<u8>, JsValue> {
        let query = self.query()?;
        let table = match name {
            "predictions.tsv" => export::predictions(query, self.mapping()?, self.reference()?),
            "umap.tsv" => export::umap(query, self.mapping()?),
            "qc.tsv" => export::qc(query),
            "doublets.tsv" => {
                let genes = self.genes_of_query()?;
                let (samples, options) = (query.samples(), doublets::Options::default());
                let cells = self.cells(&genes)?;
                let scores = doublet_scores(&cells, self.reference()?, &samples, &options, &Progress::silent());
                export::doublets(query, &scores)
            }
            "genes.tsv" => export::genes(query, self.reference()?, &self.genes_of_query()?),
            "clusters.tsv" | "umap_own.tsv" => self.own_table(name)?,
            _ => return Err(thrown(Error::usage(format!("There is no table '{name}'.")))),
        };
        Ok(table.into_bytes())
    }
}
