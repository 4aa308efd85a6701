//! Which of the references that are at hand the query is like, for the page.

use super::{Engine, file, thrown, to_object};
use crate::error::Warning;
use crate::likeness::{Likeness, Profile, advice};
use crate::reference::bundle::Bundle;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[derive(Serialize)]
struct Compared {
    /// The most alike first.
    all: Vec<Likeness>,
    warning: Option<Warning>,
    /// Name of the reference that fits better, beside a warning.
    better: Option<String>,
}

#[wasm_bindgen]
impl Engine {
    /// Compares the query with bundles: `{ all, warning, better }`. Those that do not tell what their classes express, and those
    /// that cannot be read, are passed over. Nothing where the counts of the query were not kept.
    pub fn compare(&self, bundles: Vec<web_sys::File>) -> Result<JsValue, JsValue> {
        let query = self.query()?;
        let Some(profile) = Profile::of(query) else {
            return Ok(JsValue::NULL);
        };
        let likeness = |file: web_sys::File| {
            let mut bundle = Bundle::open(file::BrowserFile::new(file)).ok()?;
            let expression = bundle.expression().ok()??;
            profile.likeness(bundle.about(), &expression, self.genes.as_ref())
        };
        let mut all: Vec<Likeness> = bundles.into_iter().filter_map(likeness).collect();
        all.sort_by(|a, b| b.fit.total_cmp(&a.fit).then(a.name.cmp(&b.name)));
        let chosen = self.reference().map_err(|_| thrown(crate::Error::usage("Choose a reference first.")))?;
        let advice = advice(&all, &chosen.about.name, &query.features);
        let (warning, better) = advice.unzip();
        to_object(&Compared { all, warning, better })
    }
}
