//! What R wraps around its data: gzip, bzip2, xz, zstd or nothing. Decoded in small pieces, never whole.

use super::faults::{broken, truncated, unreadable};
use crate::error::{Error, Result};
use crate::formats::raw_counts::grouped;
use crate::formats::source::BlockCache;
use crate::formats::unpacking::{Packing, limit};
use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

/// Bytes that are decoded ahead.
const BUFFER: usize = 1 << 18;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Plain,
    Packed(Packing),
}

impl Container {
    /// Found by the first bytes of the file.
    pub fn of(first: &[u8]) -> Self {
        Packing::of(first).map_or(Container::Plain, Container::Packed)
    }
}

/// The source from a position on.
struct Bytes {
    source: Arc<BlockCache>,
    position: u64,
    fate: Rc<Cell<Fate>>,
}

/// What became of the source, which decoders hide in errors of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    /// More was wanted than there is.
    Ended,
    Failed,
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.source.len().saturating_sub(self.position);
        let count = usize::try_from(rest).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        if count == 0 && !buffer.is_empty() {
            self.fate.set(Fate::Ended);
        }
        self.source.read_exact_at(self.position, &mut buffer[..count]).inspect_err(|_| self.fate.set(Fate::Failed))?;
        self.position += count as u64;
        Ok(count)
    }
}

/// The decoded bytes, from front to back.
pub struct Decoded {
    reader: Box<dyn Read>,
    container: Container,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where the end of the buffer stands in the decoded bytes.
    reached: u64,
    limit: u64,
    fate: Rc<Cell<Fate>>,
}

impl Decoded {
    /// Begins at `position` of the decoded bytes.
    ///
    /// # Errors
    /// When the bytes before it cannot be decoded.
    pub fn open(source: &Arc<BlockCache>, container: Container, position: u64) -> Result<Self> {
        let seekable = container == Container::Plain;
        let reached = if seekable { position } else { 0 };
        let fate = Rc::new(Cell::new(Fate::Open));
        let bytes = Bytes { source: Arc::clone(source), position: reached, fate: Rc::clone(&fate) };
        let limit = match container {
            Container::Plain => u64::MAX,
            _ => limit(source.len()),
        };
        let bytes = BufReader::with_capacity(BUFFER, bytes);
        let reader: Box<dyn Read> = match container {
            Container::Plain => Box::new(bytes),
            Container::Packed(packing) => packing.decoder(bytes),
        };
        let buffer = vec![0; BUFFER];
        let mut decoded = Decoded { reader, container, buffer, start: 0, end: 0, reached, limit, fate };
        decoded.skip(position - reached)?;
        Ok(decoded)
    }

    /// Where the next byte stands.
    pub fn position(&self) -> u64 {
        self.reached - (self.end - self.start) as u64
    }

    /// Bytes that are there without decoding more; empty at the end.
    ///
    /// # Errors
    /// When the next bytes cannot be decoded.
    pub fn ready(&mut self) -> Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.fetch()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// At least `count` bytes (no more than [`BUFFER`]).
    ///
    /// # Errors
    /// When there are fewer, or they cannot be decoded.
    pub fn at_least(&mut self, count: usize) -> Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < count {
                let more = self.fetch()?;
                if more == 0 {
                    return Err(truncated());
                }
                self.end += more;
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Passes bytes that were looked at.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Passes bytes unseen.
    ///
    /// # Errors
    /// When there are fewer, or they cannot be decoded.
    pub fn skip(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let ready = self.ready()?.len() as u64;
            if ready == 0 {
                return Err(truncated());
            }
            let step = ready.min(count);
            self.consume(step as usize);
            count -= step;
        }
        Ok(())
    }

    /// Decodes behind the bytes that are in the buffer.
    fn fetch(&mut self) -> Result<usize> {
        let count = loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(count) => break count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        };
        self.reached += count as u64;
        if self.reached > self.limit {
            return Err(broken(&format!(
                "it expands to more than {} MB, which the data of an experiment do not",
                grouped(self.limit as f64 / 1e6)
            )));
        }
        Ok(count)
    }

    fn explain(&self, error: std::io::Error) -> Error {
        if self.fate.get() == Fate::Failed {
            return unreadable(error);
        }
        let (name, excess) = match self.container {
            Container::Plain => return unreadable(error),
            Container::Packed(packing) => (packing.name(), packing.excess(&error)),
        };
        if let Some(excess) = excess {
            return Error::input(format!(
                "it is compressed with {name} and needs {excess}, more than Sextant gives. Unpack it first, or save \
                 it again in R with `saveRDS(object, \"file.rds\")`."
            ))
            .because(error);
        }
        if error.kind() == std::io::ErrorKind::UnexpectedEof || self.fate.get() == Fate::Ended {
            return truncated();
        }
        broken(&format!("its {name} compression is damaged")).because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Source;
    use std::io::{Cursor, Seek, SeekFrom};

    fn decoded(bytes: Vec<u8>, position: u64) -> Result<Decoded> {
        let container = Container::of(&bytes);
        Decoded::open(&Arc::new(BlockCache::new(Box::new(Cursor::new(bytes)))?), container, position)
    }

    /// A frame of zstd with one block of one byte that is repeated.
    fn repeated(byte: u8, count: u32) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
        frame.extend(&((count << 3) | 0b11).to_le_bytes()[..3]);
        frame.push(byte);
        frame
    }

    #[test]
    fn frames_are_read_as_one() {
        let mut bytes = repeated(7, 1000);
        bytes.extend(repeated(8, 5));
        let mut decoded = decoded(bytes, 990).unwrap();
        assert_eq!(decoded.position(), 990);
        assert_eq!(decoded.at_least(15).unwrap(), [[7; 10].as_slice(), &[8; 5]].concat());
        decoded.skip(15).unwrap();
        assert!(decoded.ready().unwrap().is_empty());
        assert!(decoded.skip(1).unwrap_err().message.starts_with("the file is truncated"));
    }

    #[test]
    fn bombs_are_refused() {
        let bytes = repeated(0, 128 << 10).repeat(600);
        let refused = decoded(bytes, 100 << 20).err().map(|error| error.message).unwrap_or_default();
        assert_eq!(
            refused,
            "its R data cannot be read: it expands to more than 73 MB, which the data of an experiment do not. The file \
             is damaged or was not written completely; copy or download it again, or save it again in R with \
             `saveRDS(object, \"file.rds\")`."
        );
        let window = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 0, 0, 0, 0];
        let refused = decoded(window, 0).and_then(|mut decoded| decoded.skip(1)).err().map(|error| error.message);
        assert_eq!(
            refused.as_deref(),
            Some(
                "it is compressed with zstd and needs a window of more than 64 MB, more than Sextant gives. Unpack it \
                 first, or save it again in R with `saveRDS(object, \"file.rds\")`."
            )
        );
    }

    /// Has a length and nothing else.
    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Ok(100)
        }
    }

    #[test]
    fn a_source_that_fails_is_not_taken_for_damage() {
        let packed = [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstandard].map(Container::Packed);
        for container in [Container::Plain].into_iter().chain(packed) {
            let source: Box<dyn Source> = Box::new(Failing);
            let source = Arc::new(BlockCache::new(source).unwrap());
            let read = Decoded::open(&source, container, 0).and_then(|mut decoded| decoded.skip(1));
            assert_eq!(
                read.err().map(|error| error.message).unwrap_or_default(),
                "it cannot be read: the disk is gone. Check that the file is still where it was and may be read."
            );
        }
    }
}
