//! Imputed proteins, for the page.

use super::summaries::NumberColumn;
use super::{Engine, thrown, to_object};
use crate::batches::Projection;
use crate::error::Error;
use crate::export;
use crate::map::proteins::Imputed;
use crate::markers::{self, Grouping, find_protein_markers};
use crate::metadata::Kind;
use crate::progress::Progress;
use crate::reference::Reference;
use js_sys::Float64Array;
use wasm_bindgen::prelude::*;

/// Of a query that is mapped in batches the proteins are kept where they take no more: 46 of 1.3 million cells do.
const MOST_BYTES: usize = 256 << 20;

/// Whether the proteins of a query that is mapped in batches are kept.
pub fn kept_of_batches(projection: Option<&Projection>, reference: &Reference) -> bool {
    let proteins = reference.proteins.as_ref().map_or(0, |proteins| proteins.names.len());
    projection.is_some_and(|projection| projection.cells().saturating_mul(4 * proteins) <= MOST_BYTES)
}

#[wasm_bindgen]
impl Engine {
    /// The imputed values of a protein, by its number, in every query cell: `{ kind: "number", min, max, missing, numbers }`.
    pub fn protein(&self, protein: usize) -> Result<JsValue, JsValue> {
        let imputed = self.imputed()?;
        if protein >= imputed.names().len() {
            return Err(thrown(Error::usage("There is no such protein.")));
        }
        let values: Vec<f64> =
            imputed.block(0..imputed.cells(), protein..protein + 1).iter().copied().map(f64::from).collect();
        let [min, max] = [f64::min, f64::max].map(|choose| values.iter().copied().reduce(choose));
        let object = to_object(&NumberColumn { kind: Kind::Number, min, max, missing: 0 })?;
        js_sys::Reflect::set(&object, &"numbers".into(), &Float64Array::from(values.as_slice()).into())?;
        Ok(object)
    }
}

impl Engine {
    /// `proteins.tsv`, in pieces.
    pub(super) fn proteins_table(&self, write: impl FnMut(&str) -> Result<(), JsValue>) -> Result<(), JsValue> {
        export::proteins(self.query()?, &self.imputed()?, write)
    }

    /// `protein_markers.tsv`. What could be said of its groups is said of their marker genes.
    pub(super) fn protein_markers(&self) -> Result<String, JsValue> {
        let imputed = self.imputed()?;
        let groupings = Grouping::of_mapping(self.mapping()?, self.reference()?);
        let found = find_protein_markers(&imputed, &groupings, &markers::Options::default(), &Progress::silent());
        Ok(export::protein_markers(&found, imputed.names()))
    }

    fn imputed(&self) -> Result<Imputed<'_>, JsValue> {
        let imputed = Imputed::of(self.mapping()?, self.reference()?);
        imputed.ok_or_else(|| thrown(Error::usage("No proteins were imputed for these cells.")))
    }
}
