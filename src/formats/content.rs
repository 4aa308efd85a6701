//! The bytes of a file, or of a member of an archive, packed or not: to be read from the start as often as wanted.
//!
//! ```text
//! BlockCache ─ Source ─ Part (tar member) ─ Gzip ─ …          GSE1_RAW.tar / GSM1.tar.gz / matrix.mtx.gz
//!                     └ Zipped (stored or deflated) ─ Gzip
//! ```

mod inflating;

use super::hdf5::damaged;
use super::source::BlockCache;
use crate::error::{Error, Result};
use inflating::{GZIP, Inflating};
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Bytes that are read at once where all are wanted.
const STEP: usize = 256 << 10;
/// Bytes that are passed over at once where nothing can be jumped over.
const SKIP: usize = 256 << 10;
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
    Gzip(Content),
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

    /// What this content holds when it is gzip, else the content itself.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn unpacked(self) -> Result<Self> {
        let mut first = [0; 2];
        let read = self.reader()?.fill(&mut first)?;
        if read < 2 || first != GZIP {
            return Ok(self);
        }
        Ok(Content { name: Arc::clone(&self.name), layer: Arc::new(Layer::Gzip(self)) })
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
            Layer::Gzip(packed) => packed.work(),
        }
    }

    /// Bytes of the content when it is unpacked, where an archive tells and each member is packed for itself.
    pub fn unpacked_length(&self) -> Option<u64> {
        match &*self.layer {
            Layer::Source(source) => Some(source.len()),
            Layer::Zipped(member) => Some(member.size),
            Layer::Part { .. } | Layer::Gzip(_) => None,
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
            Layer::Zipped(_) | Layer::Gzip(_) => None,
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
            Layer::Source(source) => {
                ReaderKind::Window { source: Arc::clone(source), at: 0, end: source.len(), first: 0 }
            }
            Layer::Part { of, start, length } => match self.window() {
                Some((source, first, length)) => ReaderKind::Window { source, at: first, end: first + length, first },
                None => {
                    let mut outer = of.reader()?;
                    outer.skip(*start)?;
                    ReaderKind::Within { outer: Box::new(outer), left: *length }
                }
            },
            Layer::Zipped(member) => {
                let start = super::archive::data_start(&self.name, member)?;
                let packed = member.archive.part(&self.name, start, member.packed);
                let inner = packed.reader()?;
                match member.deflated {
                    true => ReaderKind::Inflating(Box::new(Inflating::deflate(inner, member.size, member.crc))),
                    false => return Ok(inner),
                }
            }
            Layer::Gzip(packed) => ReaderKind::Inflating(Box::new(Inflating::gzip(packed.reader()?))),
        };
        Ok(Reader { name: Arc::clone(&self.name), kind })
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

/// Reads content from the beginning to the end.
pub struct Reader {
    name: Arc<str>,
    kind: ReaderKind,
}

enum ReaderKind {
    Window { source: Arc<BlockCache>, at: u64, end: u64, first: u64 },
    Within { outer: Box<Reader>, left: u64 },
    Inflating(Box<Inflating>),
}

impl Reader {
    /// Reads until the buffer is full or the content ends; the number of bytes read.
    ///
    /// # Errors
    /// When the source fails, or packed data is damaged or ends early.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let name = Arc::clone(&self.name);
        match &mut self.kind {
            ReaderKind::Window { source, at, end, .. } => {
                let count = (*end - *at).min(buffer.len() as u64) as usize;
                let slots = &mut buffer[..count];
                source.read_exact_at(*at, slots).map_err(|cause| unreadable(&name, cause))?;
                *at += count as u64;
                Ok(count)
            }
            ReaderKind::Within { outer, left } => {
                let count = (*left).min(buffer.len() as u64) as usize;
                let read = outer.fill(&mut buffer[..count])?;
                if read < count {
                    return Err(damaged(&name, "the archive ends before this member does"));
                }
                *left -= read as u64;
                Ok(read)
            }
            ReaderKind::Inflating(inflating) => inflating.fill(buffer, &name),
        }
    }

    /// Passes over bytes.
    ///
    /// # Errors
    /// When they cannot be read or are not there.
    pub fn skip(&mut self, bytes: u64) -> Result<()> {
        if let ReaderKind::Window { at, end, .. } = &mut self.kind {
            *at = at.checked_add(bytes).filter(|at| at <= end).ok_or_else(|| cut_off(&self.name))?;
            return Ok(());
        }
        let mut left = bytes;
        let mut scrap = vec![0; SKIP.min(usize::try_from(bytes).unwrap_or(SKIP))];
        while left > 0 {
            let count = (scrap.len() as u64).min(left) as usize;
            let read = self.fill(&mut scrap[..count])?;
            if read < count {
                return Err(cut_off(&self.name));
            }
            left -= read as u64;
        }
        Ok(())
    }

    /// Bytes passed so far, of [`Content::work`].
    pub fn passed(&self) -> u64 {
        match &self.kind {
            ReaderKind::Window { at, first, .. } => at - first,
            ReaderKind::Within { outer, .. } => outer.passed(),
            ReaderKind::Inflating(inflating) => inflating.passed(),
        }
    }
}

fn cut_off(name: &str) -> Error {
    damaged(name, "it ends before its data does")
}

/// The error for a source that fails.
fn unreadable(name: &str, cause: std::io::Error) -> Error {
    if cause.kind() == ErrorKind::UnexpectedEof {
        return cut_off(name);
    }
    Error::input(format!(
        "\"{name}\" cannot be read: {cause}. Check that the file is still where it was and may be read."
    ))
    .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: Vec<u8>) -> Content {
        let cache = BlockCache::new(Box::new(Cursor::new(bytes))).unwrap();
        Content::of_source("f", Arc::new(cache))
    }

    fn all(content: &Content) -> Result<Vec<u8>> {
        Ok(content.read_all(1 << 24)?.unwrap())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut deflate = zlib_rs::Deflate::new_with_config(zlib_rs::DeflateConfig {
            window_bits: 31,
            ..zlib_rs::DeflateConfig::new(6)
        });
        let mut packed = vec![0; bytes.len() + 100];
        deflate.compress(bytes, &mut packed, zlib_rs::DeflateFlush::Finish).unwrap();
        packed.truncate(deflate.total_out() as usize);
        packed
    }

    fn text() -> Vec<u8> {
        (0..200_000u32).flat_map(|i| format!("{} ", i * 7 % 1013).into_bytes()).collect()
    }

    #[test]
    fn gzip_of_one_and_of_several_streams() {
        let text = text();
        let half = text.len() / 2;
        let mut several = gzip(&text[..half]);
        several.extend(gzip(&[]));
        several.extend(gzip(&text[half..]));
        several.extend([0; 300]);
        for packed in [gzip(&text), several] {
            let content = content(packed).unpacked().unwrap();
            assert_eq!(all(&content).unwrap(), text);
            assert_eq!(all(&content).unwrap(), text, "a second time");
        }
        let plain = content(text.clone()).unpacked().unwrap();
        assert!(plain.window().is_some());
        assert_eq!(plain.read_all(1000).unwrap(), None);
        assert_eq!(all(&content(b"\x1f".to_vec()).unpacked().unwrap()).unwrap(), b"\x1f");
        assert_eq!(all(&content(gzip(&gzip(b"a"))).unpacked().unwrap()).unwrap(), gzip(b"a"), "one layer");
    }

    #[test]
    fn content_becomes_a_source_of_its_own() {
        let text = text();
        let packed = content(gzip(&text)).unpacked().unwrap();
        for whole in [content(text.clone()), packed.clone(), content(text.clone()).part("p", 0, text.len() as u64)] {
            let source = whole.seekable().unwrap();
            let mut read = [0; 5];
            source.read_exact_at(70_000, &mut read).unwrap();
            assert_eq!((source.len(), &read[..]), (text.len() as u64, &text[70_000..70_005]));
        }
        let inner = content(text.clone()).part("p", 10, 20).seekable().unwrap();
        let mut read = [0; 20];
        inner.read_exact_at(0, &mut read).unwrap();
        assert_eq!((inner.len(), &read[..]), (20, &text[10..30]));
        assert_eq!(
            packed.seekable_within(500_000).err().map(|error| error.message).unwrap_or_default(),
            "\"f\" is compressed as a whole, and unpacked it has more than 0 MB, which have to be in memory. Unpack it first."
        );
        let cut = content(text.clone()).part("p", 0, 1 << 40);
        let tail = "The file is damaged or was not written completely; copy or download it again, or write it again from its \
                    source.";
        let message = all(&cut).unwrap_err().message;
        assert_eq!(message, format!("\"p\" cannot be read: the archive ends before this member does. {tail}"));
        let behind = content(text).part("p", 1 << 40, 2);
        assert_eq!(
            all(&behind).unwrap_err().message,
            format!("\"f\" cannot be read: it ends before its data does. {tail}")
        );
    }

    #[test]
    fn cut_and_changed_gzip_is_an_error() {
        let packed = gzip(&text());
        let message = |bytes: &[u8]| all(&content(bytes.to_vec()).unpacked().unwrap()).unwrap_err().message;
        let tail = "The file is damaged or was not written completely; copy or download it again, or write it \
                    again from its source.";
        for length in [2, 9, 20, packed.len() / 2, packed.len() - 1] {
            let expected = format!("\"f\" cannot be read: its compressed data ends early. {tail}");
            assert_eq!(message(&packed[..length]), expected, "{length}");
        }
        let mut changed = packed.clone();
        let at = changed.len() - 6;
        changed[at] ^= 1;
        assert_eq!(message(&changed), format!("\"f\" cannot be read: its compressed data does not decompress. {tail}"));
    }

    #[test]
    fn parts_of_plain_and_of_packed_content() {
        let text = text();
        let packed = content(gzip(&text)).unpacked().unwrap();
        for whole in [content(text.clone()), packed] {
            let part = whole.part("part", 1000, 500_000);
            assert_eq!(all(&part).unwrap(), text[1000..501_000]);
            let inner = part.part("inner", 10, 20);
            assert_eq!(all(&inner).unwrap(), text[1010..1030]);
            let mut reader = part.reader().unwrap();
            reader.skip(499_998).unwrap();
            let mut last = [0; 9];
            assert_eq!(reader.fill(&mut last).unwrap(), 2);
            assert!(all(&whole.part("beyond", 1000, u64::MAX)).is_err());
            assert!(all(&whole.part("beyond", u64::MAX, 2)).is_err());
        }
    }
}
