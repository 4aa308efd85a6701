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
pub use files::Files;
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

#[cfg(test)]
mod tests {
    use super::files::Piece;
    use super::*;

    fn open(files: &[(&str, &[u8])]) -> Result<Zarr> {
        let piece = |bytes: &[u8]| Box::new(bytes.to_vec()) as Box<dyn Piece>;
        Zarr::open(Files::new(files.iter().map(|(path, bytes)| ((*path).to_owned(), piece(bytes))).collect()))
    }

    fn array(description: &str, chunk: (&str, &[u8])) -> Result<Vec<f64>> {
        let name = if description.contains("\"node_type\"") { "x/zarr.json" } else { "x/.zarray" };
        open(&[(name, description.as_bytes()), chunk])?.array("x")?.read_f64()
    }

    fn sentence(result: Result<Vec<f64>>) -> String {
        result.err().map(|error| error.message).unwrap_or_default()
    }

    const PLAIN: &str = r#"{"zarr_format": 2, "shape": [3], "chunks": [2], "dtype": "<u2", "fill_value": 7, "order": "C",
        "compressor": null, "filters": null}"#;
    const DAMAGED: &str = "The file is damaged or was not written completely; copy or download it again, or write it again \
                           from its source.";

    #[test]
    fn chunks_that_were_never_written_hold_the_fill_value() {
        assert_eq!(array(PLAIN, ("x/0", &[1, 0, 2, 0])).unwrap(), [1.0, 2.0, 7.0]);
        assert_eq!(array(PLAIN, ("x/1", &[5, 0, 0, 0])).unwrap(), [7.0, 7.0, 5.0]);
        assert_eq!(array(PLAIN, ("x/9", &[5, 0, 0, 0])).unwrap(), [7.0, 7.0, 7.0]);
        let shards = shards("5");
        let mut stored = vec![3, 0, 4, 0];
        // Of two chunks in the shard the second was never written.
        stored.extend([0u64, 4, u64::MAX, u64::MAX].iter().flat_map(|number| number.to_le_bytes()));
        assert_eq!(array(&shards, ("x/c/0", &stored)).unwrap(), [3.0, 4.0, 0.0, 0.0, 0.0]);
        assert_eq!(
            sentence(array(&shards, ("x/c/0", &stored[..20]))),
            format!("\"x\" cannot be read: the index of a shard is damaged. {DAMAGED}")
        );
    }

    fn shards(length: &str) -> String {
        let text = r#"{"zarr_format": 3, "node_type": "array", "shape": [LENGTH], "data_type": "uint16", "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
            "codecs": [{"name": "sharding_indexed", "configuration": {"chunk_shape": [2], "codecs": [{"name": "bytes"}],
            "index_codecs": [{"name": "bytes"}]}}]}"#;
        text.replace("LENGTH", length)
    }

    #[test]
    fn descriptions_are_checked() {
        let chunk: (&str, &[u8]) = ("x/0", &[1, 0, 2, 0]);
        let of = |from: &str, to: &str| sentence(array(&PLAIN.replace(from, to), chunk));
        let damaged = |what: &str| format!("\"x\" cannot be read: {what}. {DAMAGED}");
        assert_eq!(of("[3]", "[30000000]"), damaged("it announces more data than the files can hold"));
        assert_eq!(of("[3]", "[3000000]"), damaged("it announces more data than the files can hold"));
        assert_eq!(of("[2]", "[0]"), damaged("its chunks have an impossible size"));
        assert_eq!(of("[2]", "[2, 2]"), damaged("its chunks have an impossible size"));
        assert_eq!(of("\"shape\"", "\"form\""), damaged("its description has no readable \"shape\""));
        assert_eq!(of("\"dtype\"", "\"type\""), damaged("its description has no readable \"dtype\""));
        assert_eq!(of("[2]", "[3]"), damaged("a chunk has not the size that was announced"));
        assert_eq!(of("\"<u2\"", "\"|O\""), "\"x\" should hold numbers and holds text.");
        assert_eq!(
            of("\"compressor\": null", "\"compressor\": {\"id\": \"jpeg\"}"),
            "\"x\" is compressed with \"jpeg\", which Sextant does not read; it reads gzip, lzf, Zstandard, LZ4, Blosc, \
             bitshuffle, bzip2 and uncompressed data. Re-save it as H5AD, for example in Python with \
             `anndata.read_zarr(\"in.zarr\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`."
        );
        let nested = shards("5").replace(
            "[{\"name\": \"bytes\"}],\n            \"index",
            "[{\"name\": \"sharding_indexed\"}],\n            \"index",
        );
        assert_eq!(
            sentence(array(&nested, chunk)),
            "\"x\" has shards that are themselves filtered or nested, which Sextant does not read. Re-save it as H5AD, for \
             example in Python with `anndata.read_zarr(\"in.zarr\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`."
        );
        let broken = open(&[("x/.zarray", b"{")]).err().map(|error| error.message);
        assert_eq!(broken, Some(format!("\"x/.zarray\" cannot be read: it should be JSON and is not. {DAMAGED}")));
    }

    #[test]
    fn groups_have_members_and_attributes() {
        let group = br#"{"zarr_format": 2}"#;
        let attributes = br#"{"_index": "name", "column-order": ["a", "b"], "shape": [3, 4]}"#;
        let store = open(&[
            (".zgroup", group),
            ("obs/.zgroup", group),
            ("obs/.zattrs", attributes),
            ("obs/name/.zarray", PLAIN.as_bytes()),
            ("obsm/.zgroup", group),
        ])
        .unwrap();
        assert_eq!(store.members("/").unwrap(), ["obs", "obsm"]);
        assert_eq!(store.members("obs").unwrap(), ["name"]);
        assert_eq!(store.attribute_text("obs", "_index").as_deref(), Some("name"));
        assert_eq!(store.attribute_texts("obs", "column-order"), ["a", "b"]);
        assert_eq!(store.attribute_numbers("obs", "shape"), Some(vec![3, 4]));
        let nodes = ["/", "obs/name", "obs/none"].map(|path| store.node(path));
        assert_eq!(nodes, [store::Node::Group, store::Node::Dataset, store::Node::Missing]);
    }
}
