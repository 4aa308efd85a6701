//! Which of the references that are at hand the query is like, for the page.

use super::{Engine, file, to_object};
use crate::error::Warning;
use crate::likeness::{Likeness, Profile, advice};
use crate::reference::bundle::Bundle;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[derive(Serialize)]
struct OfBundle {
    /// Which of the bundles it is.
    place: usize,
    #[serde(flatten)]
    likeness: Likeness,
}

#[derive(Serialize)]
struct Compared {
    /// The most alike first.
    all: Vec<OfBundle>,
    warning: Option<Warning>,
    /// Which bundle fits better, beside a warning.
    better: Option<usize>,
}

#[wasm_bindgen]
impl Engine {
    /// Compares the query with bundles: `{ all, warning, better }`, bundles by their places. Those that do not tell what their classes express, and those
    /// that cannot be read, are passed over. Nothing where the counts of the query were not kept.
    pub fn compare(&self, bundles: Vec<web_sys::File>) -> Result<JsValue, JsValue> {
        let query = self.query()?;
        let Some(profile) = Profile::of(query) else {
            return Ok(JsValue::NULL);
        };
        let likeness = |(place, file): (usize, web_sys::File)| {
            let mut bundle = Bundle::open(file::BrowserFile::new(file)).ok()?;
            let expression = bundle.expression().ok()??;
            profile.likeness(bundle.about(), &expression, self.genes.as_ref()).map(|found| (place, found))
        };
        let mut all: Vec<(usize, Likeness)> = bundles.into_iter().enumerate().filter_map(likeness).collect();
        all.sort_by(|(_, a), (_, b)| b.fit.total_cmp(&a.fit).then(a.name.cmp(&b.name)));
        let (places, all): (Vec<usize>, Vec<Likeness>) = all.into_iter().unzip();
        let advice = advice(&all, &self.reference()?.about.name, &query.features);
        let better = advice.as_ref().and_then(|(_, at)| places.get(*at).copied());
        let warning = advice.map(|(warning, _)| warning);
        let all = places.into_iter().zip(all).map(|(place, likeness)| OfBundle { place, likeness }).collect();
        to_object(&Compared { all, warning, better })
    }
}
