//! Reading content from its beginning to its end.

use super::super::hdf5::damaged;
use super::super::source::BlockCache;
use super::inflating::Inflating;
use super::unpacking::Unpacking;
use crate::error::{Error, Result};
use std::io::ErrorKind;
use std::sync::Arc;

/// Bytes that are passed over at once where nothing can be jumped over.
const SKIP: usize = 256 << 10;

/// Reads content from the beginning to the end.
pub struct Reader {
    name: Arc<str>,
    kind: Kind,
}

/// Where the bytes come from.
pub enum Kind {
    Window { source: Arc<BlockCache>, at: u64, end: u64, first: u64 },
    Within { outer: Box<Reader>, left: u64 },
    Inflating(Box<Inflating>),
    Unpacking(Unpacking),
}

impl Reader {
    /// `name` stands in errors.
    pub fn new(name: &Arc<str>, kind: Kind) -> Self {
        Reader { name: Arc::clone(name), kind }
    }

    /// Reads until the buffer is full or the content ends; the number of bytes read.
    ///
    /// # Errors
    /// When the source fails, or packed data is damaged or ends early.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let name = Arc::clone(&self.name);
        match &mut self.kind {
            Kind::Window { source, at, end, .. } => {
                let count = (*end - *at).min(buffer.len() as u64) as usize;
                let slots = &mut buffer[..count];
                source.read_exact_at(*at, slots).map_err(|cause| unreadable(&name, cause))?;
                *at += count as u64;
                Ok(count)
            }
            Kind::Within { outer, left } => {
                let count = (*left).min(buffer.len() as u64) as usize;
                let read = outer.fill(&mut buffer[..count])?;
                if read < count {
                    return Err(damaged(&name, "the archive ends before this member does"));
                }
                *left -= read as u64;
                Ok(read)
            }
            Kind::Inflating(inflating) => inflating.fill(buffer, &name),
            Kind::Unpacking(unpacking) => unpacking.fill(buffer, &name),
        }
    }

    /// Passes over bytes.
    ///
    /// # Errors
    /// When they cannot be read or are not there.
    pub fn skip(&mut self, bytes: u64) -> Result<()> {
        if let Kind::Window { at, end, .. } = &mut self.kind {
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
            Kind::Window { at, first, .. } => at - first,
            Kind::Within { outer, .. } => outer.passed(),
            Kind::Inflating(inflating) => inflating.passed(),
            Kind::Unpacking(unpacking) => unpacking.passed(),
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
