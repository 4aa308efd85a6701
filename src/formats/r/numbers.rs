//! Vectors of numbers, most of which stay in the file until they are wanted.

use super::container::Container;
use super::faults::{broken, truncated};
use super::stream::{Element, Encoding, PIECE, Stream};
use crate::error::Result;
use crate::formats::source::BlockCache;
use std::sync::Arc;

/// What is so near is reached by reading on rather than by beginning anew.
const NEAR: u64 = 1 << 20;

/// A sequence takes no room in the file, so its length is a mere claim.
const LONGEST_SEQUENCE: u64 = 8 << 20;

/// A vector of numbers.
#[derive(Debug, Clone)]
pub struct Numbers {
    pub element: Element,
    pub length: u64,
    pub held: Held,
}

/// Where the numbers are.
#[derive(Debug, Clone)]
pub enum Held {
    /// Here; missing ones are NaN.
    Kept(Arc<[f64]>),
    /// An arithmetic sequence, which R writes as three numbers.
    Sequence { first: f64, step: f64 },
    /// In the file, at this position of the decoded bytes.
    Stored {
        position: u64,
        /// Values of some whole cells, when they were known while the vector passed by.
        sample: Option<Arc<Vec<Vec<f64>>>>,
    },
}

impl Numbers {
    pub fn new(element: Element, numbers: Vec<f64>) -> Self {
        Numbers { element, length: numbers.len() as u64, held: Held::Kept(numbers.into()) }
    }

    /// The numbers when they are here.
    pub fn kept(&self) -> Option<&Arc<[f64]>> {
        match &self.held {
            Held::Kept(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Where the vector stands in the decoded bytes; 0 when it is here.
    pub fn position(&self) -> u64 {
        match self.held {
            Held::Stored { position, .. } => position,
            _ => 0,
        }
    }

    /// Bytes of the vector in a binary file.
    pub fn bytes(&self) -> u64 {
        self.length * self.element.width() as u64
    }
}

/// A file of R, to be read again from the front as often as needed.
#[derive(Clone)]
pub struct File {
    pub source: Arc<BlockCache>,
    pub container: Container,
    pub encoding: Encoding,
}

impl File {
    /// Reads a vector from its beginning. `stream` is used when it stands before it; pass what
    /// [`Cursor::release`] gave.
    ///
    /// # Errors
    /// When the bytes before it cannot be decoded.
    pub fn cursor(&self, numbers: &Numbers, stream: Option<Stream>) -> Result<Cursor> {
        let mut cursor = Cursor {
            numbers: numbers.clone(),
            next: 0,
            stream: None,
            released: None,
            piece: Vec::new(),
            piece_start: 0,
        };
        let Held::Stored { position, .. } = numbers.held else {
            cursor.released = stream;
            return Ok(cursor);
        };
        let seekable = self.container == Container::Plain;
        let mut stream = match stream {
            Some(stream) if stream.position() <= position && (!seekable || position - stream.position() < NEAR) => {
                stream
            }
            _ => Stream::open(&self.source, self.container, self.encoding, if seekable { position } else { 0 })?,
        };
        stream.skip(position - stream.position())?;
        cursor.stream = Some(stream);
        Ok(cursor)
    }

    /// Reads a vector whole. `stream` is kept for the next vector: several that stand one behind the other are read in
    /// one pass.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn whole(&self, numbers: &Numbers, stream: &mut Option<Stream>) -> Result<Arc<[f64]>> {
        if let Some(kept) = numbers.kept() {
            return Ok(Arc::clone(kept));
        }
        if let Held::Sequence { .. } = numbers.held
            && numbers.length > LONGEST_SEQUENCE
        {
            return Err(broken("a sequence is impossibly long"));
        }
        let mut cursor = self.cursor(numbers, stream.take())?;
        let mut values = Vec::new();
        while cursor.rest() > 0 {
            values.extend_from_slice(cursor.take(usize::MAX)?);
        }
        *stream = cursor.release();
        Ok(values.into())
    }

    /// Reads some ascending ranges of elements (first, and behind the last) in one pass.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn ranges(&self, numbers: &Numbers, ranges: &[(u64, u64)]) -> Result<Vec<Vec<f64>>> {
        let mut cursor = self.cursor(numbers, None)?;
        let mut read = Vec::with_capacity(ranges.len());
        for &(first, last) in ranges {
            let at = numbers.length - cursor.rest();
            cursor.skip(first.saturating_sub(at))?;
            let mut values = Vec::new();
            while cursor.rest() > 0 && first + (values.len() as u64) < last {
                let rest = (last - first - values.len() as u64).min(PIECE as u64) as usize;
                values.extend_from_slice(cursor.take(rest)?);
            }
            read.push(values);
        }
        Ok(read)
    }
}

/// A vector of numbers that is read piece by piece.
pub struct Cursor {
    numbers: Numbers,
    next: u64,
    stream: Option<Stream>,
    released: Option<Stream>,
    piece: Vec<f64>,
    piece_start: usize,
}

impl Cursor {
    /// Elements that are left.
    pub fn rest(&self) -> u64 {
        self.numbers.length - self.next
    }

    /// Bytes of an element in the file.
    pub fn width(&self) -> usize {
        self.numbers.element.width()
    }

    /// The next elements: at least one and at most `count`.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    pub fn take(&mut self, count: usize) -> Result<&[f64]> {
        let rest = self.rest();
        if rest == 0 || count == 0 {
            return Err(broken("a vector is shorter than it should be"));
        }
        if self.piece_start >= self.piece.len() {
            self.piece_start = 0;
            let wanted = rest.min(PIECE as u64) as usize;
            self.fill(wanted)?;
        }
        let end = self.piece.len().min(self.piece_start + count);
        let taken = self.piece.get(self.piece_start..end).ok_or_else(truncated)?;
        self.piece_start = end;
        self.next += taken.len() as u64;
        Ok(taken)
    }

    /// Passes elements unseen, as many as there are.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn skip(&mut self, count: u64) -> Result<()> {
        let mut rest = count.min(self.rest());
        let ready = (self.piece.len() - self.piece_start).min(usize::try_from(rest).unwrap_or(usize::MAX));
        self.piece_start += ready;
        self.next += ready as u64;
        rest -= ready as u64;
        if let (Held::Stored { .. }, Some(stream)) = (&self.numbers.held, &mut self.stream) {
            stream.skip_numbers(self.numbers.element, rest)?;
        }
        self.next += rest;
        Ok(())
    }

    fn fill(&mut self, wanted: usize) -> Result<()> {
        let next = self.next;
        match (&self.numbers.held, &mut self.stream) {
            (Held::Stored { .. }, Some(stream)) => stream.numbers(self.numbers.element, wanted, &mut self.piece),
            (Held::Kept(kept), _) => {
                self.piece.clear();
                self.piece.extend(kept.iter().skip(next as usize).take(wanted));
                Ok(())
            }
            (Held::Sequence { first, step }, _) => {
                self.piece.clear();
                self.piece.extend((next..next + wanted as u64).map(|place| first + step * place as f64));
                Ok(())
            }
            (Held::Stored { .. }, None) => Err(truncated()),
        }
    }

    /// Gives the stream back when the vector has been read, so that what stands behind it can be read next.
    pub fn release(self) -> Option<Stream> {
        // In a piece that was not used up the stream is already further on, which `File::cursor` looks at.
        self.stream.or(self.released)
    }
}
