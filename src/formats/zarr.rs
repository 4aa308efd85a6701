//! Zarr, versions 2 and 3: a hierarchy of groups and arrays as a folder of files, or the same in a ZIP archive.

mod codecs;
mod description;
mod files;
mod places;
mod text;
mod types;

use super::array::NumericArray;
use super::hdf5::{Table, damaged};
use super::store::{self, Store};
use crate::error::{Error, Result};
use description::{Array, Node, Nodes};
pub use files::{Files, take_out};
use serde_json::Value;
use std::sync::Arc;
use types::Type;

/// An open hierarchy.
pub struct Zarr {
    files: Arc<Files>,
    nodes: Nodes,
}

impl Zarr {
    /// Reads the descriptions of all groups and arrays.
    ///
    /// # Errors
    /// When one of them is no JSON or the source fails.
    pub fn open(files: Files) -> Result<Zarr> {
        let mut nodes = Nodes::new();
        // What was gathered in one place comes first, what stands beside the chunks prevails.
        let gathered = files.find(".zmetadata").into_iter();
        let described = (0..files.len()).filter(|&number| {
            let path = files.path(number);
            let name = path.rsplit('/').next().unwrap_or(path);
            [".zgroup", ".zarray", ".zattrs", "zarr.json"].contains(&name)
        });
        let mut described: Vec<usize> = described.collect();
        // Outer folders first: version 3 gathers in the outermost.
        described.sort_by_key(|&number| files.path(number).matches('/').count());
        for number in gathered.chain(described) {
            let path = files.path(number);
            let value: Value = serde_json::from_slice(&files.small(number)?)
                .map_err(|cause| damaged(path, "it should be JSON and is not").because(cause))?;
            description::add(&mut nodes, path, value);
        }
        Ok(Zarr { files: Arc::new(files), nodes })
    }

    fn find(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path.trim_matches('/'))
    }

    fn described(&self, path: &str) -> Result<Array> {
        let node = self.find(path).ok_or_else(|| damaged(path, "it is not there"))?;
        let text = node.array.as_ref().ok_or_else(|| damaged(path, "it is a group and should be an array"))?;
        Array::parse(text, path)
    }

    fn kind(&self, path: &str) -> Option<Type> {
        self.described(path).ok().map(|array| array.kind)
    }

    fn attribute(&self, path: &str, name: &str) -> Option<&Value> {
        self.find(path)?.attributes.get(name)
    }
}

impl Store for Zarr {
    fn node(&self, path: &str) -> store::Node {
        match self.find(path) {
            Some(Node { array: Some(_), .. }) => store::Node::Dataset,
            Some(_) => store::Node::Group,
            None => store::Node::Missing,
        }
    }

    fn members(&self, path: &str) -> Result<Vec<String>> {
        let path = path.trim_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let below = self.nodes.range(prefix.clone()..).map_while(|(name, _)| name.strip_prefix(&prefix));
        Ok(below.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned).collect())
    }

    fn attribute_text(&self, path: &str, name: &str) -> Option<String> {
        self.attribute(path, name)?.as_str().map(str::to_owned)
    }

    fn attribute_texts(&self, path: &str, name: &str) -> Vec<String> {
        let values = self.attribute(path, name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn attribute_numbers(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        match self.attribute(path, name)? {
            Value::Array(values) => values.iter().map(Value::as_u64).collect(),
            value => value.as_u64().map(|number| vec![number]),
        }
    }

    fn shape(&self, path: &str) -> Result<Vec<u64>> {
        Ok(self.described(path)?.shape)
    }

    fn array(&self, path: &str) -> Result<NumericArray> {
        let array = self.described(path)?;
        let Some(element) = array.kind.element() else {
            return Err(Error::input(format!("\"{path}\" should hold numbers and holds text.")));
        };
        let chunks = places::chunks(&self.files, path.trim_matches('/'), &array)?;
        Ok(NumericArray::new(chunks, element, array.shape.len()))
    }

    fn is_text(&self, path: &str) -> bool {
        self.kind(path).is_some_and(|kind| kind.is_text())
    }

    fn is_boolean(&self, path: &str) -> bool {
        self.kind(path) == Some(Type::Boolean)
    }

    fn strings(&self, path: &str) -> Result<Vec<String>> {
        let array = self.described(path)?;
        if !array.kind.is_text() {
            return Err(Error::input(format!("\"{path}\" should hold text and holds numbers.")));
        }
        text::strings(&places::chunks(&self.files, path.trim_matches('/'), &array)?, array.kind)
    }

    fn table(&self, path: &str) -> Result<Table> {
        Err(damaged(path, "it should be a group with a table's columns and is an array"))
    }
}
