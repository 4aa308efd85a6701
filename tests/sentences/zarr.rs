//! Zarr hierarchies that tests put together, array by array.

use crate::files::Files;
use std::collections::BTreeMap;

/// The files of a hierarchy by their paths.
#[derive(Clone, Default)]
pub struct Zarr(BTreeMap<String, Vec<u8>>);

impl Zarr {
    /// AnnData of three cells and two genes, dense.
    pub fn cells() -> Zarr {
        Zarr::default()
            .group("", "{}")
            .group("obs", r#"{"_index": "_index"}"#)
            .texts("obs/_index", &["a", "b", "c"])
            .group("var", r#"{"_index": "_index"}"#)
            .texts("var/_index", &["CD3E", "MS4A1"])
            .array("X", &[3, 2], "<u2", &[5, 0, 1, 0, 2, 0, 0, 0, 3, 0, 7, 0])
    }

    /// The same as a compressed matrix in `path`.
    pub fn sparse(self, path: &str, attributes: &str) -> Zarr {
        self.without(path)
            .group(path, attributes)
            .array(&format!("{path}/data"), &[5], "|u1", &[5, 1, 2, 3, 7])
            .array(&format!("{path}/indices"), &[5], "|u1", &[0, 1, 0, 0, 1])
            .array(&format!("{path}/indptr"), &[4], "|u1", &[0, 2, 3, 5])
    }

    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Zarr {
        self.0.insert(path.to_owned(), bytes.into());
        self
    }

    /// `attributes`: as JSON.
    pub fn group(self, path: &str, attributes: &str) -> Zarr {
        let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.file(&format!("{inside}.zgroup"), r#"{"zarr_format": 2}"#).file(&format!("{inside}.zattrs"), attributes)
    }

    /// An array in one chunk.
    pub fn array(self, path: &str, shape: &[u64], kind: &str, bytes: &[u8]) -> Zarr {
        self.packed(path, shape, kind, "null", bytes)
    }

    /// An array in one chunk that is compressed already.
    pub fn packed(self, path: &str, shape: &[u64], kind: &str, compressor: &str, bytes: &[u8]) -> Zarr {
        let description = format!(
            r#"{{"zarr_format": 2, "shape": {shape:?}, "chunks": {shape:?}, "dtype": "{kind}", "fill_value": 0,
            "order": "C", "compressor": {compressor}, "filters": null}}"#
        );
        let chunk = vec!["0"; shape.len()].join(".");
        self.without(path).file(&format!("{path}/.zarray"), description).file(&format!("{path}/{chunk}"), bytes)
    }

    /// An array of version 3 of the format with these chunks and codecs.
    pub fn newer(self, path: &str, chunk: &str, codecs: &str, bytes: &[u8]) -> Zarr {
        let description = format!(
            r#"{{"zarr_format": 3, "node_type": "array", "shape": [3, 2], "data_type": "uint16", "fill_value": 0,
            "chunk_grid": {{"name": "regular", "configuration": {{"chunk_shape": {chunk}}}}}, "codecs": [{codecs}]}}"#
        );
        self.without(path).file(&format!("{path}/zarr.json"), description).file(&format!("{path}/c/0/0"), bytes)
    }

    pub fn texts(self, path: &str, values: &[&str]) -> Zarr {
        let mut bytes = Vec::new();
        for value in values {
            bytes.extend(value.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        self.array(path, &[values.len() as u64], "|S8", &bytes)
    }

    /// Takes out what stands at a path and below.
    pub fn without(mut self, path: &str) -> Zarr {
        let below = format!("{path}/");
        self.0.retain(|file, _| !file.starts_with(&below));
        self
    }

    pub fn files(self) -> Files {
        self.0.into_iter().map(|(path, bytes)| (format!("s.zarr/{path}"), bytes)).collect()
    }
}
