//! Content that gzip, bzip2, xz or Zstandard packed, as a stream.

use super::super::hdf5::damaged;
use super::super::raw_counts::grouped;
use super::super::unpacking::{Packing, limit};
use super::Reader;
use crate::error::{Error, Result};
use std::cell::{Cell, RefCell};
use std::io::{BufReader, ErrorKind, Read};
use std::rc::Rc;

/// Packed bytes that are asked for at once.
const PACKED: usize = 256 << 10;

/// Undoes the packing of other content.
pub struct Unpacking {
    packing: Packing,
    decoder: Box<dyn Read>,
    packed: Rc<State>,
    given: u64,
    limit: u64,
}

/// What became of the packed bytes, which decoders hide in errors of their own.
#[derive(Default)]
struct State {
    passed: Cell<u64>,
    /// More was wanted than there is.
    ended: Cell<bool>,
    failed: RefCell<Option<Error>>,
}

/// The packed bytes as decoders take them.
struct Packed {
    inner: Reader,
    state: Rc<State>,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.fill(buffer).map_err(|error| {
            *self.state.failed.borrow_mut() = Some(error);
            std::io::Error::from(ErrorKind::Other)
        })?;
        self.state.passed.set(self.inner.passed());
        self.state.ended.set(read == 0 && !buffer.is_empty());
        Ok(read)
    }
}

impl Unpacking {
    /// `work`: the packed bytes.
    pub fn new(inner: Reader, packing: Packing, work: u64) -> Self {
        let packed = Rc::new(State::default());
        let source = BufReader::with_capacity(PACKED, Packed { inner, state: Rc::clone(&packed) });
        Unpacking { packing, decoder: packing.decoder(source), packed, given: 0, limit: limit(work) }
    }

    /// As [`Reader::fill`]; `name` stands in errors.
    ///
    /// # Errors
    /// When the packed data is damaged, ends early, or needs more memory than it gets.
    pub fn fill(&mut self, buffer: &mut [u8], name: &str) -> Result<usize> {
        let mut written = 0;
        while written < buffer.len() {
            match self.decoder.read(&mut buffer[written..]) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error, name)),
            }
        }
        self.given += written as u64;
        if self.given > self.limit {
            let what = format!(
                "it expands to more than {} MB, which the data of an experiment do not",
                grouped(self.limit as f64 / 1e6)
            );
            return Err(damaged(name, &what));
        }
        Ok(written)
    }

    /// Packed bytes passed so far.
    pub fn passed(&self) -> u64 {
        self.packed.passed.get()
    }

    fn explain(&self, error: std::io::Error, name: &str) -> Error {
        if let Some(failed) = self.packed.failed.borrow_mut().take() {
            return failed;
        }
        let packing = self.packing.name();
        if let Some(excess) = self.packing.excess(&error) {
            return Error::input(format!(
                "\"{name}\" is compressed with {packing} and needs {excess}, more than Sextant gives. Unpack it first."
            ))
            .because(error);
        }
        if error.kind() == ErrorKind::UnexpectedEof || self.packed.ended.get() {
            return damaged(name, "its compressed data ends early").because(error);
        }
        damaged(name, &format!("its {packing} compression is damaged")).because(error)
    }
}
