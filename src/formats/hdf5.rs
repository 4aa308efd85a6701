//! A thin adapter over the HDF5 crate: names, attributes, strings and tables. Numbers in bulk go through
//! [`super::array`], which uses the crate for the list of chunks only.

mod layout;
mod start;
mod table;
mod text;

use super::array::NumericArray;
use super::chunks::Chunks;
use super::elements::{Element, IntoF64};
use super::filters;
use super::source::BlockCache;
use super::store::{Node, Store};
use crate::error::{Error, Result};
use hdf5rs::format::messages::datatype::DatatypeClass;
use hdf5rs::types::StringBytes;
use hdf5rs::{Attribute, File, FileAccess, Object, ReadLimits};
use std::sync::Arc;
pub use table::Table;
use text::{is_text, text};

/// What small files may hold beyond that: fill values take no room in the file.
const SLACK: u64 = 1 << 20;
/// The largest array read in one piece, in bytes. Matrices are read in slices and may be larger.
const LARGEST_PIECE: u64 = 1 << 30;
/// Strings that are held at once while some of them are picked.
const STRINGS_AT_ONCE: u64 = 1 << 18;

/// The error for a file whose parts contradict each other or cannot be decoded.
pub fn damaged(path: &str, what: &str) -> Error {
    Error::input(format!(
        "\"{path}\" cannot be read: {what}. The file is damaged or was not written completely; copy or \
         download it again, or write it again from its source."
    ))
}

/// What to do about a dataset that is stored in a way we do not read.
pub fn re_save() -> &'static str {
    "Re-save the file with gzip, for example in Python with \
     `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell \
     with `h5repack -f GZIP=4 in.h5 out.h5`."
}

/// Turns an error of the HDF5 crate into a sentence about the object at `path`.
pub fn explain(path: &str, error: hdf5rs::Error) -> Error {
    let sentence = match &error {
        hdf5rs::Error::NotFound(_) => damaged(path, "it is not there"),
        hdf5rs::Error::UnexpectedEof => damaged(path, "the file ends before its data does"),
        hdf5rs::Error::Io(cause) => Error::input(format!(
            "\"{path}\" cannot be read: {cause}. Check that the file is still where it was and may be \
             read."
        )),
        hdf5rs::Error::Unsupported(what) => {
            Error::input(format!("\"{path}\" is stored in a way that Sextant does not read ({what}). {}", re_save()))
        }
        other => damaged(path, &other.to_string()),
    };
    sentence.because(error)
}

/// The source as the HDF5 crate takes it.
struct Shared(Arc<BlockCache>);

impl hdf5rs::ReadAt for Shared {
    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> hdf5rs::Result<()> {
        Ok(self.0.read_exact_at(position, buffer)?)
    }

    fn size(&self) -> hdf5rs::Result<u64> {
        Ok(self.0.len())
    }
}

/// An open HDF5 file.
pub struct Hdf5 {
    file: File,
    /// Bytes of the file.
    size: u64,
}

impl Hdf5 {
    /// Opens the file and compares its length with the one it was written with.
    ///
    /// # Errors
    /// When it is not HDF5, truncated, or its first structures are damaged.
    pub fn open(cache: Arc<BlockCache>) -> Result<Hdf5> {
        let size = cache.len();
        start::check_signature(&cache)?;
        let piece = largest(size, &[]).min(LARGEST_PIECE) as usize;
        let access = FileAccess::default()
            .external_files(false)
            .chunk_cache_bytes(4 << 20)
            .read_limits(ReadLimits::with_max_output(piece).max_chunk_bytes(piece));
        let file = File::from_reader_with(Shared(cache), access).map_err(|error| explain("superblock", error))?;
        // Counted from the start of the file, also behind a user block.
        let expected = file.superblock().eof_address;
        if size < expected {
            return Err(Error::input(format!(
                "the file is truncated: it was written with {expected} bytes and has {size}. Copy or \
                 download it again."
            )));
        }
        Ok(Hdf5 { file, size })
    }

    fn attribute(&self, path: &str, name: &str) -> Option<Attribute> {
        let attribute = match self.file.object(path).ok()? {
            Object::Group(group) => group.attribute(name),
            Object::Dataset(dataset) => dataset.attribute(name),
            Object::NamedDatatype(_) => return None,
        };
        attribute.ok()
    }

    /// A dataset, and the most bytes that it can honestly have, after its announced size was compared with
    /// that: nothing that a file holds can be larger, whatever its headers say.
    fn dataset(&self, path: &str) -> Result<(hdf5rs::Dataset, u64)> {
        let dataset = self.file.dataset(path).map_err(|error| explain(path, error))?;
        let width = dataset.datatype().size;
        let filters = filters::supported(dataset.filters(), path, width as usize)?;
        let largest = largest(self.size, &filters);
        let bytes = dataset
            .element_count()
            .ok()
            .and_then(|count| count.checked_mul(u64::from(width)))
            .filter(|&bytes| bytes <= largest);
        match bytes {
            Some(_) => Ok((dataset, largest)),
            None => Err(damaged(path, "it announces more data than the file can hold")),
        }
    }

    /// The chunks of a small dataset.
    fn small(&self, path: &str) -> Result<(hdf5rs::Dataset, Chunks)> {
        let (dataset, largest) = self.dataset(path)?;
        let chunks = layout::chunks(&dataset, path, largest)?;
        if chunks.grid.bytes() > LARGEST_PIECE {
            return Err(damaged(path, "it announces more data than the file can hold"));
        }
        Ok((dataset, chunks))
    }

    fn text(&self, path: &str) -> Result<(hdf5rs::Dataset, Chunks)> {
        let (dataset, chunks) = self.small(path)?;
        if !is_text(dataset.datatype()) {
            return Err(Error::input(format!("\"{path}\" should hold text and holds {}.", dataset.datatype())));
        }
        Ok((dataset, chunks))
    }

    fn texts(&self, dataset: &hdf5rs::Dataset, bytes: &[u8], path: &str) -> Result<Vec<StringBytes>> {
        text::decode(&self.file, dataset.datatype(), bytes).map_err(|error| explain(path, error))
    }

    /// The strings of some ascending rows of a one-dimensional dataset, or of all. Only a slice of them is held at
    /// a time, since unfiltered files have millions.
    ///
    /// # Errors
    /// As [`Store::strings`].
    pub fn strings_of_rows(&self, path: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        let Some(rows) = rows else {
            return self.strings(path);
        };
        let (dataset, chunks) = self.text(path)?;
        let length = chunks.grid.rows;
        let mut names = Vec::with_capacity(rows.len());
        let mut rest = rows;
        for start in (0..length).step_by(STRINGS_AT_ONCE as usize) {
            let end = (start + STRINGS_AT_ONCE).min(length);
            let here = rest.partition_point(|&row| u64::from(row) < end);
            let (wanted, later) = rest.split_at(here);
            rest = later;
            if wanted.is_empty() {
                continue;
            }
            let values = self.texts(&dataset, &chunks.read_rows(start..end)?, path)?;
            let wanted = wanted.iter().filter_map(|&row| values.get((u64::from(row) - start) as usize).cloned());
            names.extend(wanted.map(text));
        }
        Ok(names)
    }
}

fn largest(size: u64, filters: &[filters::Filter]) -> u64 {
    size.saturating_mul(filters::expansion(filters)).saturating_add(SLACK)
}

impl Store for Hdf5 {
    fn node(&self, path: &str) -> Node {
        match self.file.object(path) {
            Ok(Object::Group(_)) => Node::Group,
            Ok(Object::Dataset(_)) => Node::Dataset,
            _ => Node::Missing,
        }
    }

    fn members(&self, path: &str) -> Result<Vec<String>> {
        match self.file.group(path) {
            Ok(group) => group.link_names().map_err(|error| explain(path, error)),
            Err(hdf5rs::Error::NotFound(_) | hdf5rs::Error::WrongObjectType(_)) => Ok(Vec::new()),
            Err(error) => Err(explain(path, error)),
        }
    }

    fn attribute_text(&self, path: &str, name: &str) -> Option<String> {
        let values = self.attribute(path, name)?.read::<StringBytes>().ok()?;
        values.first().map(StringBytes::to_string_lossy)
    }

    fn attribute_texts(&self, path: &str, name: &str) -> Vec<String> {
        let values = self.attribute(path, name).and_then(|attribute| attribute.read::<StringBytes>().ok());
        values.unwrap_or_default().iter().map(StringBytes::to_string_lossy).collect()
    }

    fn attribute_numbers(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        let values = self.attribute(path, name)?.read::<i64>().ok()?;
        values.iter().map(|&v| u64::try_from(v).ok()).collect()
    }

    fn shape(&self, path: &str) -> Result<Vec<u64>> {
        Ok(self.dataset(path)?.0.shape().to_vec())
    }

    fn array(&self, path: &str) -> Result<NumericArray> {
        let (dataset, largest) = self.dataset(path)?;
        let Some(element) = Element::of(dataset.datatype()) else {
            return Err(Error::input(format!("\"{path}\" should hold numbers and holds {}.", dataset.datatype())));
        };
        let chunks = layout::chunks(&dataset, path, largest)?;
        Ok(NumericArray::new(chunks, element, dataset.shape().len()))
    }

    fn is_text(&self, path: &str) -> bool {
        self.file.dataset(path).is_ok_and(|dataset| is_text(dataset.datatype()))
    }

    fn is_boolean(&self, path: &str) -> bool {
        self.file.dataset(path).is_ok_and(|dataset| {
            matches!(&dataset.datatype().class, DatatypeClass::Enumeration { members, .. }
                if members.iter().any(|member| member.name == "TRUE"))
        })
    }

    fn labels(&self, path: &str) -> Vec<(String, f64)> {
        let Ok(dataset) = self.file.dataset(path) else { return Vec::new() };
        let (DatatypeClass::Enumeration { members, .. }, Some(element)) =
            (&dataset.datatype().class, Element::of(dataset.datatype()))
        else {
            return Vec::new();
        };
        if members.iter().any(|member| member.name == "TRUE") {
            return Vec::new();
        }
        let number = |bytes: &[u8]| {
            let mut number = [f64::NAN];
            element.visit(bytes, IntoF64(&mut number));
            number[0]
        };
        members.iter().map(|member| (member.name.clone(), number(&member.value))).collect()
    }

    fn strings(&self, path: &str) -> Result<Vec<String>> {
        let (dataset, chunks) = self.text(path)?;
        let values = self.texts(&dataset, &chunks.read_all()?, path)?;
        Ok(values.into_iter().map(text).collect())
    }

    fn table(&self, path: &str) -> Result<Table> {
        let (dataset, chunks) = self.small(path)?;
        let datatype = dataset.datatype().clone();
        if !matches!(datatype.class, DatatypeClass::Compound { .. }) || datatype.size == 0 {
            return Err(Error::input(format!("\"{path}\" should be a table and holds {datatype}.")));
        }
        let rows = chunks.read_all()?;
        Ok(Table { path: path.to_owned(), file: self.file.clone(), datatype, rows })
    }
}

#[cfg(test)]
mod corpus;
