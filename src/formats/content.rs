//! The bytes of a file, or of a member of an archive, packed or not: to be read from the start as often as wanted.
//!
//! ```text
//! BlockCache ─ Source ─ Part (tar member) ─ Packed ─ …        GSE1_RAW.tar / GSM1.tar.gz / matrix.mtx.xz
//!                     └ Zipped (stored or deflated) ─ Packed
//! ```

mod inflating;
mod reader;
mod unpacking;

use super::source::BlockCache;
use super::unpacking::Packing;
use crate::error::{Error, Result};
use inflating::Inflating;
use reader::Kind;
pub use reader::Reader;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use unpacking::Unpacking;

/// Bytes that are read at once where all are wanted.
const STEP: usize = 256 << 10;
/// The largest file that is unpacked into memory, because it has to be read here and there.
const IN_MEMORY: usize = 256_000_000;

/// Bytes with a name for error messages; cheap to clone. Nothing is read before [`Content::reader`].
#[derive(Clone)]
pub struct Content {
    name: Arc<str>,
    layer: Arc<Layer>,
}

enum Layer {
    Source(Arc<BlockCache>),
    /// A range of other content.
    Part {
        of: Content,
        start: u64,
        length: u64,
    },
    Zipped(Zipped),
    /// Other content, unpacked.
    Packed(Content, Packing),
}

/// Where a member of a ZIP archive stands, as the table of contents says.
pub struct Zipped {
    pub archive: Content,
    /// Where the member's own header begins.
    pub header: u64,
    pub packed: u64,
    pub size: u64,
    pub crc: u32,
    pub deflated: bool,
}

impl Content {
    /// A whole file. `name` stands in error messages.
    pub fn of_source(name: &str, source: Arc<BlockCache>) -> Self {
        Content { name: name.into(), layer: Arc::new(Layer::Source(source)) }
    }

    /// `length` bytes of this content from `start`; whether they are there is seen when they are read.
    pub fn part(&self, name: &str, start: u64, length: u64) -> Self {
        Content { name: name.into(), layer: Arc::new(Layer::Part { of: self.clone(), start, length }) }
    }

    /// A member of a ZIP archive.
    pub fn zipped(name: &str, member: Zipped) -> Self {
        Content { name: name.into(), layer: Arc::new(Layer::Zipped(member)) }
    }

    /// What this content holds when it is packed by gzip, bzip2, xz or Zstandard, else the content itself.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn unpacked(self) -> Result<Self> {
        let mut first = [0; 6];
        let read = self.reader()?.fill(&mut first)?;
        let first = &first[..read];
        let name = Arc::clone(&self.name);
        match Packing::of(first) {
            Some(packing) => Ok(Content { name, layer: Arc::new(Layer::Packed(self, packing)) }),
            None => Ok(self),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes that [`Reader::passed`] reaches at the end: packed ones, where the content is packed.
    pub fn work(&self) -> u64 {
        match &*self.layer {
            Layer::Source(source) => source.len(),
            Layer::Part { of, start, length } => match of.window() {
                Some(_) => *length,
                None => start.saturating_add(*length),
            },
            Layer::Zipped(member) => member.packed,
            Layer::Packed(packed, _) => packed.work(),
        }
    }

    /// Bytes of the content when it is unpacked, where an archive tells and each member is packed for itself.
    pub fn unpacked_length(&self) -> Option<u64> {
        match &*self.layer {
            Layer::Source(source) => Some(source.len()),
            Layer::Zipped(member) => Some(member.size),
            Layer::Part { .. } | Layer::Packed(..) => None,
        }
    }

    /// The range of a source, when these bytes stand there as they are: they can be read at any position.
    pub fn window(&self) -> Option<(Arc<BlockCache>, u64, u64)> {
        match &*self.layer {
            Layer::Source(source) => Some((Arc::clone(source), 0, source.len())),
            Layer::Part { of, start, length } => {
                let (source, first, whole) = of.window()?;
                let end = start.checked_add(*length).filter(|&end| end <= whole)?;
                Some((source, first + start, end - start))
            }
            Layer::Zipped(member) if !member.deflated => {
                let start = super::archive::data_start(&self.name, member).ok()?;
                member.archive.part(&self.name, start, member.packed).window()
            }
            Layer::Zipped(_) | Layer::Packed(..) => None,
        }
    }

    /// A source of these bytes that can be read at any position. What is packed is held in memory for that.
    ///
    /// # Errors
    /// When it is packed and larger than 256 MB, or cannot be read.
    pub fn seekable(&self) -> Result<Arc<BlockCache>> {
        self.seekable_within(IN_MEMORY)
    }

    fn seekable_within(&self, limit: usize) -> Result<Arc<BlockCache>> {
        match self.window() {
            Some((source, 0, length)) if length == source.len() => Ok(source),
            Some((source, start, length)) => {
                Ok(Arc::new(BlockCache::new(Box::new(Window { source, start, length, at: 0 }))?))
            }
            None => match self.read_all(limit)? {
                Some(bytes) => Ok(Arc::new(BlockCache::new(Box::new(Cursor::new(bytes)))?)),
                None => Err(Error::input(format!(
                    "\"{}\" is compressed as a whole, and unpacked it has more than {} MB, which have to be in memory. \
                     Unpack it first.",
                    self.name,
                    limit / 1_000_000
                ))),
            },
        }
    }

    /// Starts to read from the beginning.
    ///
    /// # Errors
    /// When an archive is damaged where the content should begin.
    pub fn reader(&self) -> Result<Reader> {
        let kind = match &*self.layer {
            Layer::Source(source) => Kind::Window { source: Arc::clone(source), at: 0, end: source.len(), first: 0 },
            Layer::Part { of, start, length } => match self.window() {
                Some((source, first, length)) => Kind::Window { source, at: first, end: first + length, first },
                None => {
                    let mut outer = of.reader()?;
                    outer.skip(*start)?;
                    Kind::Within { outer: Box::new(outer), left: *length }
                }
            },
            Layer::Zipped(member) => {
                let start = super::archive::data_start(&self.name, member)?;
                let packed = member.archive.part(&self.name, start, member.packed);
                let inner = packed.reader()?;
                match member.deflated {
                    true => Kind::Inflating(Box::new(Inflating::new(inner, member.size, member.crc))),
                    false => return Ok(inner),
                }
            }
            Layer::Packed(packed, packing) => {
                Kind::Unpacking(Unpacking::new(packed.reader()?, *packing, packed.work()))
            }
        };
        Ok(Reader::new(&self.name, kind))
    }

    /// All bytes, when they are at most `limit`; `None` when they are more.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read_all(&self, limit: usize) -> Result<Option<Vec<u8>>> {
        let mut reader = self.reader()?;
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            bytes.resize(start + STEP.min(limit + 1 - start), 0);
            let read = reader.fill(&mut bytes[start..])?;
            bytes.truncate(start + read);
            if read == 0 {
                return Ok(Some(bytes));
            }
            if bytes.len() > limit {
                return Ok(None);
            }
        }
    }
}

/// A name in small letters without the ending of what packed the file.
pub fn bare(name: &str) -> &str {
    [".gz", ".bz2", ".xz", ".zst"].into_iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name)
}

/// A range of a source as a source of its own.
struct Window {
    source: Arc<BlockCache>,
    start: u64,
    length: u64,
    at: u64,
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.length.saturating_sub(self.at).min(buffer.len() as u64) as usize;
        self.source.read_exact_at(self.start + self.at, &mut buffer[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests;
