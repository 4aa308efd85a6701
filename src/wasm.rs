//! The boundary to JavaScript.

use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the pool of worker threads that the parallel loops run on; once, in the engine's worker, before anything else.
/// Without it, and in the build without threads, they run on the calling thread.
#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

#[derive(Serialize)]
struct BuildInfo {
    version: &'static str,
    threads: bool,
}

/// Which engine this is: `{ version: string, threads: boolean }`.
///
/// # Errors
/// None that can be expected: both fields have a JavaScript value.
#[wasm_bindgen]
pub fn build_info() -> Result<JsValue, JsValue> {
    let info = BuildInfo { version: env!("CARGO_PKG_VERSION"), threads: cfg!(feature = "threads") };
    Ok(serde_wasm_bindgen::to_value(&info)?)
}
