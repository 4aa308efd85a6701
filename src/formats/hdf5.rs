//! A thin adapter over the HDF5 crate: names, attributes, strings and tables. Numbers in bulk go through
//! [`super::array`], which uses the crate for the list of chunks only.

use super::array::NumericArray;
use super::source::BlockCache;
use crate::error::{Error, Result};
use hdf5rs::format::messages::datatype::{DatatypeClass, VariableLengthKind};
use hdf5rs::types::{DecodeContext, GlobalHeapResolver, H5Type, StringBytes};
use hdf5rs::{Attribute, Datatype, File, FileAccess, Object, ReadLimits};
use std::sync::Arc;

/// gzip makes a byte of at most 1,032; nothing that a file holds can be larger than this many times the
/// file, whatever its headers say.
const LARGEST_EXPANSION: u64 = 1_040;
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

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    Group,
    Dataset,
    /// Nothing, or something unreadable.
    Missing,
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
    /// The most bytes that any honest array in this file can have.
    largest: u64,
}

impl Hdf5 {
    /// Opens the file and compares its length with the one it was written with.
    ///
    /// # Errors
    /// When it is not HDF5, truncated, or its first structures are damaged.
    pub fn open(cache: Arc<BlockCache>) -> Result<Hdf5> {
        let size = cache.len();
        check_signature(&cache)?;
        let largest = size.saturating_mul(LARGEST_EXPANSION).saturating_add(SLACK);
        let piece = largest.min(LARGEST_PIECE) as usize;
        let access = FileAccess::default()
            .external_files(false)
            .chunk_cache_bytes(4 << 20)
            .read_limits(ReadLimits::with_max_output(piece).max_chunk_bytes(piece));
        let file = File::from_reader_with(Shared(cache), access).map_err(|error| explain("superblock", error))?;
        let superblock = file.superblock();
        let expected = superblock.base().saturating_add(superblock.eof_address);
        if size < expected {
            return Err(Error::input(format!(
                "the file is truncated: it was written with {expected} bytes and has {size}. Copy or \
                 download it again."
            )));
        }
        Ok(Hdf5 { file, largest })
    }

    pub fn node(&self, path: &str) -> Node {
        match self.file.object(path) {
            Ok(Object::Group(_)) => Node::Group,
            Ok(Object::Dataset(_)) => Node::Dataset,
            _ => Node::Missing,
        }
    }

    pub fn exists(&self, path: &str) -> bool {
        self.node(path) != Node::Missing
    }

    /// The names in a group, sorted; none when there is no such group.
    ///
    /// # Errors
    /// When the group is damaged.
    pub fn members(&self, path: &str) -> Result<Vec<String>> {
        match self.file.group(path) {
            Ok(group) => group.link_names().map_err(|error| explain(path, error)),
            Err(hdf5rs::Error::NotFound(_) | hdf5rs::Error::WrongObjectType(_)) => Ok(Vec::new()),
            Err(error) => Err(explain(path, error)),
        }
    }

    fn attribute(&self, path: &str, name: &str) -> Option<Attribute> {
        let attribute = match self.file.object(path).ok()? {
            Object::Group(group) => group.attribute(name),
            Object::Dataset(dataset) => dataset.attribute(name),
            Object::NamedDatatype(_) => return None,
        };
        attribute.ok()
    }

    /// A text attribute.
    pub fn attribute_text(&self, path: &str, name: &str) -> Option<String> {
        let values = self.attribute(path, name)?.read::<StringBytes>().ok()?;
        values.first().map(StringBytes::to_string_lossy)
    }

    /// A text attribute of several values; none when there is no such attribute.
    pub fn attribute_texts(&self, path: &str, name: &str) -> Vec<String> {
        let values = self.attribute(path, name).and_then(|attribute| attribute.read::<StringBytes>().ok());
        values.unwrap_or_default().iter().map(StringBytes::to_string_lossy).collect()
    }

    /// An attribute of non-negative whole numbers, such as a shape.
    pub fn attribute_numbers(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        let values = self.attribute(path, name)?.read::<i64>().ok()?;
        values.iter().map(|&v| u64::try_from(v).ok()).collect()
    }

    /// A dataset, after its announced size was compared with what the file can hold.
    fn dataset(&self, path: &str) -> Result<hdf5rs::Dataset> {
        let dataset = self.file.dataset(path).map_err(|error| explain(path, error))?;
        let bytes = dataset
            .element_count()
            .ok()
            .and_then(|count| count.checked_mul(u64::from(dataset.datatype().size)))
            .filter(|&bytes| bytes <= self.largest);
        match bytes {
            Some(_) => Ok(dataset),
            None => Err(damaged(path, "it announces more data than the file can hold")),
        }
    }

    /// The shape of a dataset.
    ///
    /// # Errors
    /// When there is none or it announces more than the file can hold.
    pub fn shape(&self, path: &str) -> Result<Vec<u64>> {
        Ok(self.dataset(path)?.shape().to_vec())
    }

    /// Numbers of one or two dimensions, to be read in slices.
    ///
    /// # Errors
    /// When it is not numeric, stored in an unknown way, or damaged.
    pub fn array(&self, path: &str) -> Result<NumericArray> {
        NumericArray::new(self.dataset(path)?, path, self.largest)
    }

    /// Every value of a small one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::array`].
    pub fn numbers(&self, path: &str) -> Result<Vec<f64>> {
        self.array(path)?.read_f64()
    }

    /// Whether the dataset holds strings.
    pub fn is_text(&self, path: &str) -> bool {
        self.file.dataset(path).is_ok_and(|dataset| is_text(dataset.datatype()))
    }

    /// Whether the dataset holds booleans, which h5py stores as an enumeration.
    pub fn is_boolean(&self, path: &str) -> bool {
        self.file.dataset(path).is_ok_and(|dataset| {
            matches!(&dataset.datatype().class, DatatypeClass::Enumeration { members, .. }
                if members.iter().any(|member| member.name == "TRUE"))
        })
    }

    /// Strings of fixed or variable length; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// When the dataset is missing, damaged, or not text.
    pub fn strings(&self, path: &str) -> Result<Vec<String>> {
        let dataset = self.dataset(path)?;
        if !is_text(dataset.datatype()) {
            return Err(Error::input(format!("\"{path}\" should hold text and holds {}.", dataset.datatype())));
        }
        let values = dataset.read::<StringBytes>().map_err(|error| explain(path, error))?;
        Ok(values.into_iter().map(text).collect())
    }

    /// The strings of some ascending rows of a one-dimensional dataset, or of all. Only a slice of them is held at a time,
    /// since unfiltered files have millions.
    ///
    /// # Errors
    /// As [`Self::strings`].
    pub fn strings_of_rows(&self, path: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        let Some(rows) = rows else {
            return self.strings(path);
        };
        let dataset = self.dataset(path)?;
        let length = dataset.shape().first().copied().unwrap_or(0);
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
            let slice = hdf5rs::Selection::range(start..end);
            let values = dataset.read_selection::<StringBytes>(&slice).map_err(|error| explain(path, error))?;
            names.extend(
                wanted.iter().filter_map(|&row| values.get((u64::from(row) - start) as usize).cloned()).map(text),
            );
        }
        Ok(names)
    }

    /// The rows of a table that older versions of anndata wrote as one compound dataset.
    ///
    /// # Errors
    /// When the dataset is missing, damaged, or not a table.
    pub fn table(&self, path: &str) -> Result<Table> {
        let dataset = self.dataset(path)?;
        let datatype = dataset.datatype().clone();
        if !matches!(datatype.class, DatatypeClass::Compound { .. }) || datatype.size == 0 {
            return Err(Error::input(format!("\"{path}\" should be a table and holds {datatype}.")));
        }
        let rows = dataset.read_raw().map_err(|error| explain(path, error))?;
        Ok(Table { path: path.to_owned(), file: self.file.clone(), datatype, rows })
    }
}

fn is_text(datatype: &Datatype) -> bool {
    matches!(
        datatype.class,
        DatatypeClass::String(_) | DatatypeClass::VariableLength { kind: VariableLengthKind::String { .. }, .. }
    )
}

fn text(bytes: StringBytes) -> String {
    String::from_utf8(bytes.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A compound dataset held as bytes, read column by column.
pub struct Table {
    path: String,
    file: File,
    datatype: Datatype,
    rows: Vec<u8>,
}

impl Table {
    /// The columns, in the order of the file.
    pub fn columns(&self) -> Vec<String> {
        match &self.datatype.class {
            DatatypeClass::Compound { members } => members.iter().map(|m| m.name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn member(&self, name: &str) -> Result<(usize, &Datatype)> {
        let member = match &self.datatype.class {
            DatatypeClass::Compound { members } => members.iter().find(|m| m.name == name),
            _ => None,
        };
        let missing = || damaged(&self.path, &format!("it has no readable column \"{name}\""));
        let member = member.ok_or_else(missing)?;
        let end = u64::from(member.offset) + u64::from(member.datatype.size);
        if member.array_dims.is_some() || end > u64::from(self.datatype.size) {
            return Err(missing());
        }
        Ok((member.offset as usize, &member.datatype))
    }

    /// The bytes of a column, one value behind the other.
    fn column(&self, name: &str) -> Result<(Vec<u8>, &Datatype)> {
        let (offset, datatype) = self.member(name)?;
        let end = offset + datatype.size as usize;
        let rows = self.rows.chunks_exact(self.datatype.size as usize);
        let bytes = rows.flat_map(|row| &row[offset..end]).copied().collect();
        Ok((bytes, datatype))
    }

    pub fn is_text(&self, name: &str) -> bool {
        self.member(name).is_ok_and(|(_, datatype)| is_text(datatype))
    }

    fn read<T: H5Type>(&self, name: &str) -> Result<Vec<T>> {
        let (bytes, datatype) = self.column(name)?;
        let resolver = GlobalHeapResolver::new(self.file.store().as_ref(), self.file.sizes());
        let context = DecodeContext::with_resolver(self.file.sizes(), &resolver);
        let explain = |error| explain(&format!("{}.{name}", self.path), error);
        T::check(datatype).map_err(explain)?;
        hdf5rs::types::decode_all(datatype, &bytes, &context).map_err(explain)
    }

    /// # Errors
    /// When the column is missing or not numeric.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let (bytes, datatype) = self.column(name)?;
        let element = super::elements::Element::of(datatype)
            .ok_or_else(|| Error::input(format!("\"{}.{name}\" does not hold numbers.", self.path)))?;
        let mut values = vec![0.0; bytes.len() / element.size()];
        element.visit(&bytes, super::elements::IntoF64(&mut values));
        Ok(values)
    }

    /// # Errors
    /// When the column is missing or not text.
    pub fn strings(&self, name: &str) -> Result<Vec<String>> {
        Ok(self.read::<StringBytes>(name)?.into_iter().map(text).collect())
    }
}

/// HDF5's signature stands at the start, or behind a user block of 512 bytes, 1 KiB, 2 KiB and so on.
fn check_signature(cache: &BlockCache) -> Result<()> {
    let mut at = 0;
    let mut head = [0; 8];
    while at + 8 <= cache.len() {
        cache.read_exact_at(at, &mut head).map_err(|error| explain("superblock", error.into()))?;
        if head == hdf5rs::SIGNATURE {
            return Ok(());
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    let mut head = vec![0; cache.len().min(64) as usize];
    cache.read_exact_at(0, &mut head).map_err(|error| explain("superblock", error.into()))?;
    Err(Error::input(format!(
        "it is not an HDF5 file: {}. Expected a 10x Genomics HDF5 file (.h5) or an H5AD file (.h5ad).",
        describe_start(&head)
    )))
}

/// Says what a file is that is not HDF5, as far as its first bytes tell.
fn describe_start(head: &[u8]) -> &'static str {
    match head {
        [] => "it is empty",
        [0x1f, 0x8b, ..] => "it is compressed with gzip; unpack it first if it is a .h5 or .h5ad file",
        [b'P', b'K', 3, 4, ..] => "it is a ZIP archive; unpack it first",
        [b'B', b'Z', b'h', ..] => "it is compressed with bzip2; unpack it first",
        [0xfd, b'7', b'z', ..] => "it is compressed with xz; unpack it first",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "it is compressed with Zstandard; unpack it first",
        _ if head.starts_with(b"%%MatrixMarket") => "it is a MatrixMarket file",
        _ if head.starts_with(b"RDX") || head.starts_with(b"X\n") => "it is an R data file",
        _ if head.starts_with(b"<") => "it looks like a web page; the download may have failed",
        _ if head.iter().all(|&byte| byte >= 32 || byte.is_ascii_whitespace()) => "it looks like a text file",
        _ => "its first bytes are not those of HDF5",
    }
}
