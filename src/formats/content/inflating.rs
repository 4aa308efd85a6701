//! The deflate of ZIP archives, as a stream.

use super::super::hdf5::damaged;
use super::Reader;
use crate::error::Result;
use zlib_rs::{Inflate, InflateFlush, Status};

/// Packed bytes that are asked for at once.
const PACKED: usize = 256 << 10;

/// Undoes bare deflate, and compares what comes out with what the archive promises.
pub struct Inflating {
    inner: Reader,
    inflate: Inflate,
    packed: Vec<u8>,
    /// The bytes of `packed` that wait to be inflated.
    start: usize,
    end: usize,
    ended: bool,
    /// Size and checksum that the archive promises.
    promised: (u64, u32),
    checksum: crc32fast::Hasher,
}

impl Inflating {
    /// Reads bare deflate that should become `size` bytes with the checksum `crc`.
    pub fn new(inner: Reader, size: u64, crc: u32) -> Self {
        Inflating {
            inner,
            inflate: Inflate::new(false, 15),
            packed: vec![0; PACKED],
            start: 0,
            end: 0,
            ended: false,
            promised: (size, crc),
            checksum: crc32fast::Hasher::new(),
        }
    }

    /// As [`Reader::fill`]; `name` stands in errors.
    ///
    /// # Errors
    /// When the packed data is damaged, ends early, or is not what was promised.
    pub fn fill(&mut self, buffer: &mut [u8], name: &str) -> Result<usize> {
        let mut written = 0;
        while written < buffer.len() && !self.ended {
            if self.start == self.end {
                self.start = 0;
                self.end = self.inner.fill(&mut self.packed)?;
            }
            let nothing_left = self.start == self.end;
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let packed = &self.packed[self.start..self.end];
            let status = self.inflate.decompress(packed, &mut buffer[written..], InflateFlush::NoFlush);
            self.start += (self.inflate.total_in() - before_in) as usize;
            let count = (self.inflate.total_out() - before_out) as usize;
            self.checksum.update(&buffer[written..written + count]);
            written += count;
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if nothing_left && count == 0 => return Err(damaged(name, "its compressed data ends early")),
                Ok(_) => {}
                Err(_) => return Err(damaged(name, "its compressed data does not decompress")),
            }
            self.check(name)?;
        }
        Ok(written)
    }

    /// Packed bytes passed so far.
    pub fn passed(&self) -> u64 {
        self.inner.passed()
    }

    fn check(&self, name: &str) -> Result<()> {
        let (size, crc) = self.promised;
        let found = self.inflate.total_out();
        if found > size || (self.ended && found != size) {
            return Err(damaged(name, "it has not the length that its archive says"));
        }
        if self.ended && self.checksum.clone().finalize() != crc {
            return Err(damaged(name, "its checksum does not fit"));
        }
        Ok(())
    }
}
