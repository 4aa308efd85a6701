//! What the JSON beside the chunks says of groups and arrays, in versions 2 and 3 of the format.
//!
//! # Source
//! <https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html> and
//! <https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html>.

use super::codecs::{self, Codecs};
use super::types::Type;
use crate::error::Result;
use crate::formats::hdf5::damaged;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A group or an array.
pub struct Node {
    pub attributes: Map<String, Value>,
    /// What the array is, as it stands in the file; none for a group.
    pub array: Option<Value>,
}

/// The nodes of a hierarchy by their path, without '/' at its ends; the root has an empty one.
pub type Nodes = BTreeMap<String, Node>;

/// Adds what a file of metadata says. `path` is the file's, below the root.
pub fn add(nodes: &mut Nodes, path: &str, text: Value) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match (name, text) {
        (".zmetadata", Value::Object(mut text)) => {
            let Some(Value::Object(all)) = text.remove("metadata") else { return };
            all.into_iter().for_each(|(path, text)| add(nodes, &path, text));
        }
        ("zarr.json", Value::Object(text)) => add_version_3(nodes, folder, text),
        (".zattrs", Value::Object(text)) => node(nodes, folder).attributes = text,
        (".zarray", text) => node(nodes, folder).array = Some(text),
        (".zgroup", _) => {
            node(nodes, folder);
        }
        _ => {}
    }
}

fn node<'a>(nodes: &'a mut Nodes, path: &str) -> &'a mut Node {
    nodes.entry(path.to_owned()).or_insert_with(|| Node { attributes: Map::new(), array: None })
}

fn add_version_3(nodes: &mut Nodes, path: &str, mut text: Map<String, Value>) {
    if let Some(Value::Object(mut all)) = text.remove("consolidated_metadata")
        && let Some(Value::Object(all)) = all.remove("metadata")
    {
        for (below, text) in all {
            if let Value::Object(text) = text {
                let path = if path.is_empty() { below } else { format!("{path}/{below}") };
                add_version_3(nodes, &path, text);
            }
        }
    }
    let node = node(nodes, path);
    if let Some(Value::Object(attributes)) = text.remove("attributes") {
        node.attributes = attributes;
    }
    if text.get("node_type").and_then(Value::as_str) == Some("array") {
        node.array = Some(Value::Object(text));
    }
}

/// An array, as far as its description tells.
pub struct Array {
    pub shape: Vec<u64>,
    pub chunk: Vec<u64>,
    pub kind: Type,
    pub codecs: Codecs,
    pub fill: Value,
    /// What stands before the numbers in a chunk's name.
    pub prefix: &'static str,
    /// What stands between them.
    pub separator: char,
}

impl Array {
    /// # Errors
    /// When the description lacks something, or speaks of types and codecs that we do not read.
    pub fn parse(text: &Value, path: &str) -> Result<Array> {
        let version = text.get("zarr_format").and_then(Value::as_u64);
        let array = if version == Some(3) { version_3(text, path) } else { version_2(text, path) }?;
        if array.shape.len() != array.chunk.len() || array.chunk.contains(&0) {
            return Err(damaged(path, "its chunks have an impossible size"));
        }
        Ok(array)
    }
}

fn incomplete(path: &str, what: &str) -> crate::error::Error {
    damaged(path, &format!("its description has no readable \"{what}\""))
}

fn numbers(value: Option<&Value>) -> Option<Vec<u64>> {
    value?.as_array()?.iter().map(Value::as_u64).collect()
}

fn version_2(text: &Value, path: &str) -> Result<Array> {
    let shape = numbers(text.get("shape")).ok_or_else(|| incomplete(path, "shape"))?;
    let chunk = numbers(text.get("chunks")).ok_or_else(|| incomplete(path, "chunks"))?;
    let name = text.get("dtype").ok_or_else(|| incomplete(path, "dtype"))?;
    let kind = Type::of_version_2(name, path)?;
    let slash = text.get("dimension_separator").and_then(Value::as_str) == Some("/");
    let columns_first = text.get("order").and_then(Value::as_str) == Some("F");
    let codecs = codecs::of_version_2(text, &chunk, &kind, columns_first, path)?;
    let fill = text.get("fill_value").cloned().unwrap_or(Value::Null);
    Ok(Array { shape, chunk, kind, codecs, fill, prefix: "", separator: if slash { '/' } else { '.' } })
}

fn version_3(text: &Value, path: &str) -> Result<Array> {
    let shape = numbers(text.get("shape")).ok_or_else(|| incomplete(path, "shape"))?;
    let chunk = numbers(text.pointer("/chunk_grid/configuration/chunk_shape"));
    let chunk = chunk.ok_or_else(|| incomplete(path, "chunk_grid"))?;
    let name = text.get("data_type").ok_or_else(|| incomplete(path, "data_type"))?;
    let kind = Type::of_version_3(name, path)?;
    let list = text.get("codecs").and_then(Value::as_array).ok_or_else(|| incomplete(path, "codecs"))?;
    let (codecs, kind) = codecs::of_version_3(list, &chunk, kind, path)?;
    let keys = text.pointer("/chunk_key_encoding/name").and_then(Value::as_str).unwrap_or("default");
    let separator = text.pointer("/chunk_key_encoding/configuration/separator").and_then(Value::as_str);
    let (prefix, usual) = if keys == "v2" { ("", ".") } else { ("c", "/") };
    let separator = if separator.unwrap_or(usual) == "/" { '/' } else { '.' };
    let fill = text.get("fill_value").cloned().unwrap_or(Value::Null);
    Ok(Array { shape, chunk, kind, codecs, fill, prefix, separator })
}
