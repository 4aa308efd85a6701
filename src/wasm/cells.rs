//! What is known of each cell of the query, for the page: arrays with a value for each.

use super::summaries::{ClassColumn, ColoredValue, NumberColumn};
use super::{Engine, thrown, to_object};
use crate::build::labels::color;
use crate::error::Error;
use crate::map;
use crate::map::annotate::Call;
use crate::metadata::{Coloring, Kind};
use js_sys::{Float32Array, Float64Array, Uint16Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Engine {
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

    /// The confidence in the label of every query cell, where there is one.
    pub fn confidences(&self, level: &str) -> Result<Option<Float32Array>, JsValue> {
        let mapping = self.mapping()?;
        let place = mapping.labels.iter().position(|labels| labels.level == level);
        let confidences = mapping.annotation.as_ref().zip(place).map(|(found, place)| &found.confidences[place]);
        Ok(confidences.map(|values| Float32Array::from(values.as_slice())))
    }

    /// The doubt that the reference has the type of every query cell, where it is known.
    pub fn unknown_scores(&self) -> Result<Option<Float32Array>, JsValue> {
        let annotation = self.mapping()?.annotation.as_ref();
        Ok(annotation.map(|found| Float32Array::from(found.unknown_scores.as_slice())))
    }

    /// How far every query cell can be named: the place of a level, one more than the last for `unresolved`, one more for
    /// `unknown`.
    pub fn calls(&self) -> Result<Option<Uint16Array>, JsValue> {
        let mapping = self.mapping()?;
        let levels = mapping.labels.len() as u16;
        let code = |call: &Call| match *call {
            Call::Level(level) => level,
            Call::Unresolved => levels,
            Call::Unknown => levels + 1,
        };
        let calls = mapping.annotation.as_ref().map(|found| found.calls.iter().map(code).collect::<Vec<u16>>());
        Ok(calls.map(|calls| Uint16Array::from(calls.as_slice())))
    }

    pub fn mapping_scores(&self) -> Result<Float32Array, JsValue> {
        Ok(Float32Array::from(self.mapping()?.mapping_scores.as_slice()))
    }

    /// Names of the query cells, UTF-8, one a line.
    pub fn cell_names(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.query()?.cells.join("\n").into_bytes())
    }

    /// The quality of every cell with counts, also of those that a filter left out: `{ counts, features, percent_mt }`, the
    /// last `null` where the file has no such gene.
    pub fn quality(&self) -> Result<JsValue, JsValue> {
        let query = self.query()?;
        let [kept, left_out] = [&query.metrics, &query.left_out.metrics];
        let array = |values: Vec<f64>| JsValue::from(Float64Array::from(values.as_slice()));
        let features = kept.features.iter().chain(&left_out.features).copied().map(f64::from);
        let percent = kept
            .percent_mt
            .as_ref()
            .map(|values| array(values.iter().chain(left_out.percent_mt.iter().flatten()).copied().collect()));
        let object = js_sys::Object::new();
        for (name, values) in [
            ("counts", array(kept.counts.iter().chain(&left_out.counts).copied().collect())),
            ("features", array(features.collect())),
            ("percent_mt", percent.unwrap_or(JsValue::NULL)),
        ] {
            js_sys::Reflect::set(&object, &name.into(), &values)?;
        }
        Ok(object.into())
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
                set(&object, "numbers", Float64Array::from(values.as_slice()).into())?;
                Ok(object)
            }
        }
    }
}

impl Engine {
    fn labels(&self, level: &str) -> Result<&map::labels::Labels, JsValue> {
        let found = self.mapping()?.labels.iter().find(|labels| labels.level == level);
        found.ok_or_else(|| thrown(Error::usage(format!("The level '{level}' was not mapped."))))
    }
}
