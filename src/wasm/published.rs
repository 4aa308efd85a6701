//! A reference that others publish, made a bundle in the page.

use super::{Engine, file, reporter, thrown, to_object};
use crate::error::Warning;
use crate::progress::Progress;
use crate::published::{Options, import};
use crate::reference::{About, bundle};
use js_sys::{Function, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[derive(Serialize)]
struct Imported {
    warnings: Vec<Warning>,
}

#[wasm_bindgen]
impl Engine {
    /// Makes a bundle of the file `ref.Rds` of an Azimuth reference, or of the list that Symphony builds: `{ warnings, bundle }`, the bundle as bytes, to be given to
    /// [`Engine::load_reference`] and to be kept.
    pub fn import_reference(&self, file: web_sys::File, name: &str, report: &Function) -> Result<JsValue, JsValue> {
        let report = reporter(report);
        let about = About { name: name.to_owned(), title: name.to_owned(), ..About::default() };
        let source = Box::new(file::BrowserFile::new(file));
        let (reference, warnings) =
            import(source, &Options::default(), about, &Progress::new(&report)).map_err(thrown)?;
        let bytes = bundle::write(&reference).map_err(thrown)?;
        drop(reference);
        let object = to_object(&Imported { warnings })?;
        js_sys::Reflect::set(&object, &"bundle".into(), &Uint8Array::from(bytes.as_slice()).into())?;
        Ok(object)
    }
}
