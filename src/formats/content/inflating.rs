//! gzip and deflate, as streams.

use super::super::hdf5::damaged;
use super::Reader;
use crate::error::Result;
use zlib_rs::{Inflate, InflateFlush, Status};

/// Packed bytes that are asked for at once.
const PACKED: usize = 256 << 10;
/// The first bytes of gzip.
pub const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Undoes gzip, of which several may stand one after the other, or the bare deflate of a ZIP archive.
pub struct Inflating {
    inner: Reader,
    inflate: Inflate,
    packed: Vec<u8>,
    /// The bytes of `packed` that wait to be inflated.
    start: usize,
    end: usize,
    state: State,
    /// Size and checksum that the archive promises; gzip carries its own.
    promised: Option<(u64, u32)>,
    size: u64,
    crc: crc32fast::Hasher,
}

#[derive(PartialEq, Eq)]
enum State {
    /// In the middle of a stream.
    Inside,
    /// A stream has ended; another may follow.
    Between,
    Ended,
}

impl Inflating {
    /// Reads gzip.
    pub fn gzip(inner: Reader) -> Self {
        Self::new(inner, Inflate::new(true, 31), None)
    }

    /// Reads bare deflate that should become `size` bytes with the checksum `crc`.
    pub fn deflate(inner: Reader, size: u64, crc: u32) -> Self {
        Self::new(inner, Inflate::new(false, 15), Some((size, crc)))
    }

    fn new(inner: Reader, inflate: Inflate, promised: Option<(u64, u32)>) -> Self {
        Inflating {
            inner,
            inflate,
            packed: vec![0; PACKED],
            start: 0,
            end: 0,
            state: State::Inside,
            promised,
            size: 0,
            crc: crc32fast::Hasher::new(),
        }
    }

    /// As [`Reader::fill`]; `name` stands in errors.
    ///
    /// # Errors
    /// When the packed data is damaged, ends early, or is not what was promised.
    pub fn fill(&mut self, buffer: &mut [u8], name: &str) -> Result<usize> {
        let mut written = 0;
        while written < buffer.len() && self.state != State::Ended {
            if self.start == self.end {
                self.start = 0;
                self.end = self.inner.fill(&mut self.packed)?;
            }
            if self.state == State::Between {
                self.begin_next();
                continue;
            }
            let ended = self.start == self.end;
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let packed = &self.packed[self.start..self.end];
            let status = self.inflate.decompress(packed, &mut buffer[written..], InflateFlush::NoFlush);
            self.start += (self.inflate.total_in() - before_in) as usize;
            let count = (self.inflate.total_out() - before_out) as usize;
            self.note(&buffer[written..written + count]);
            written += count;
            match status {
                Ok(Status::StreamEnd) => self.end_stream(name)?,
                Ok(_) if ended && count == 0 => return Err(damaged(name, "its compressed data ends early")),
                Ok(_) => {}
                Err(_) => return Err(damaged(name, "its compressed data does not decompress")),
            }
            if self.promised.is_some_and(|(size, _)| self.size > size) {
                return Err(damaged(name, "it has not the length that its archive says"));
            }
        }
        Ok(written)
    }

    /// Packed bytes passed so far.
    pub fn passed(&self) -> u64 {
        self.inner.passed()
    }

    fn note(&mut self, bytes: &[u8]) {
        if self.promised.is_some() {
            self.size += bytes.len() as u64;
            self.crc.update(bytes);
        }
    }

    fn end_stream(&mut self, name: &str) -> Result<()> {
        self.state = match self.promised {
            None => State::Between,
            Some((size, crc)) => {
                if self.size != size {
                    return Err(damaged(name, "it has not the length that its archive says"));
                }
                if self.crc.clone().finalize() != crc {
                    return Err(damaged(name, "its checksum does not fit"));
                }
                State::Ended
            }
        };
        Ok(())
    }

    /// Another gzip stream follows, or padding, or nothing. What follows but is no gzip is left alone, as
    /// gzip itself does.
    fn begin_next(&mut self) {
        let waiting = &self.packed[self.start..self.end];
        self.state = match waiting {
            [first, ..] if *first == GZIP[0] => {
                self.inflate = Inflate::new(true, 31);
                State::Inside
            }
            _ => State::Ended,
        };
    }
}
