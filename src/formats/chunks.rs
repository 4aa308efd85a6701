//! Stored bytes in bulk: chunks of a grid, read in few large pieces by the calling thread and decoded in
//! parallel. What their bytes mean is told elsewhere.

use super::filters::{Decoded, Filter, Length, Scratch};
use super::hdf5::damaged;
use crate::error::Result;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Stored bytes that are asked for at once.
const READ: u64 = 8 << 20;
/// Decoded bytes that are in flight at once (one chunk at least).
pub const IN_FLIGHT: u64 = 32 << 20;
/// Bytes between two chunks that are read along rather than asked for separately.
const GAP: u64 = 64 << 10;
/// Data without chunks is cut into pieces of this size.
pub const PIECE: u64 = 512 << 10;
/// Decoded bytes of a chunk of strings, at most.
const LARGEST_TEXT: usize = 256 << 20;
/// Fill values that an array read whole may have beyond what is stored, in bytes.
const UNWRITTEN: u64 = 16 << 20;
/// Chunks beyond this size cannot be decoded in the memory of a browser.
pub const LARGEST_CHUNK: u64 = 1 << 30;

/// Where stored bytes are: in one file, or in many that are told apart by a number.
pub trait Stored: Send + Sync {
    /// Bytes of a file.
    ///
    /// # Errors
    /// When it cannot be opened; `path` stands in the sentence.
    fn size(&self, file: u32, path: &str) -> Result<u64>;
    /// Fills `bytes` from an address on.
    ///
    /// # Errors
    /// When the file is shorter or cannot be read.
    fn read(&self, file: u32, address: u64, bytes: &mut [u8], path: &str) -> Result<()>;
}

/// How an array of one or two dimensions is cut up. One dimension is a single column of many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub rows: u64,
    pub columns: u64,
    pub chunk_rows: u64,
    pub chunk_columns: u64,
    /// Bytes of an element.
    pub width: usize,
}

impl Grid {
    /// Rows of blocks.
    pub fn bands(&self) -> u64 {
        if self.columns == 0 {
            return 0;
        }
        self.rows.div_ceil(self.chunk_rows)
    }

    /// Blocks in a band.
    pub fn across(&self) -> u64 {
        self.columns.div_ceil(self.chunk_columns)
    }

    /// Rows of the array in a band.
    pub fn band_rows(&self, band: u64) -> Range<u64> {
        let start = band.saturating_mul(self.chunk_rows).min(self.rows);
        start..start.saturating_add(self.chunk_rows).min(self.rows)
    }

    /// Decoded bytes of a chunk.
    pub fn chunk_bytes(&self) -> u64 {
        self.chunk_rows * self.chunk_columns * self.width as u64
    }

    /// Decoded bytes of the array.
    pub fn bytes(&self) -> u64 {
        self.rows * self.columns * self.width as u64
    }

    /// Whether a chunk reaches beyond the array.
    fn is_edge(&self, number: u64) -> bool {
        let (band, block) = (number / self.across(), number % self.across());
        (band + 1) * self.chunk_rows > self.rows || (block + 1) * self.chunk_columns > self.columns
    }
}

/// A stored chunk.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// In the grid, row by row.
    pub number: u64,
    pub file: u32,
    pub address: u64,
    pub size: u64,
    /// A bit for each filter that was not applied.
    pub mask: u32,
}

pub enum Storage {
    /// Stored chunks by ascending number in the grid; those that were never written hold the fill value.
    Chunks(Vec<Place>),
    /// Unfiltered, from this address of the first file on.
    Contiguous(u64),
    /// In the header itself.
    Compact(Vec<u8>),
    /// Never written: the fill value everywhere.
    Nowhere,
}

/// The bytes of an array of whatever elements.
pub struct Chunks {
    pub path: String,
    pub grid: Grid,
    pub filters: Vec<Filter>,
    /// The edges of the grid are stored without filters.
    pub plain_edges: bool,
    /// The bytes of an element that was never written; zeros when empty.
    pub fill: Vec<u8>,
    /// Chunks decode to any number of bytes up to [`LARGEST_TEXT`], since their elements are strings; the grid's width
    /// is a guess.
    pub any_length: bool,
    pub storage: Storage,
    pub stored: Arc<dyn Stored>,
}

/// What was read for a chunk.
enum Read {
    Bytes { buffer: usize, range: Range<usize>, mask: u32 },
    Fill,
}

impl Chunks {
    /// Reads the chunks with these ascending numbers in bounded batches and hands each, decoded, to
    /// `convert`. Only this thread touches the file; decoding is parallel. Results come in the order of
    /// the items.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn visit<I: Send, R: Send>(
        &self,
        items: Vec<(u64, I)>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(u64, I, &[u8]) -> R + Sync,
    ) -> Result<Vec<R>> {
        self.visit_shuffled(items, None, advance, |number, item, bytes, _| convert(number, item, bytes))
    }

    /// As [`Self::visit`], but a shuffle of elements of `shuffled` bytes is left as it is; `convert` is told.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn visit_shuffled<I: Send, R: Send>(
        &self,
        items: Vec<(u64, I)>,
        shuffled: Option<usize>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(u64, I, &[u8], bool) -> R + Sync,
    ) -> Result<Vec<R>> {
        let bytes = self.grid.chunk_bytes();
        let batch = (IN_FLIGHT / bytes.max(1)).max(1) as usize;
        let mut results = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let batch: Vec<(u64, I)> = items.by_ref().take(batch).collect();
            let numbers: Vec<u64> = batch.iter().map(|(number, _)| *number).collect();
            let (buffers, read) = self.fetch(&numbers)?;
            let decoded: Vec<Decoded<R>> = batch
                .into_par_iter()
                .zip(read)
                .map_init(Scratch::new, |scratch, ((number, item), read)| {
                    let (bytes, shuffled) = self.decode(number, &read, &buffers, scratch, shuffled)?;
                    Ok(convert(number, item, &bytes, shuffled))
                })
                .collect();
            for result in decoded {
                results.push(result.map_err(|reason| damaged(&self.path, reason))?);
            }
            advance(numbers.len() as u64 * bytes);
        }
        Ok(results)
    }

    fn decode<'a>(
        &self,
        number: u64,
        read: &Read,
        buffers: &'a [Vec<u8>],
        scratch: &'a mut Scratch,
        shuffled: Option<usize>,
    ) -> Decoded<(Cow<'a, [u8]>, bool)> {
        let length = self.grid.chunk_bytes() as usize;
        match read {
            Read::Fill if self.any_length => Ok((Vec::new().into(), false)),
            Read::Fill => Ok((self.filled(length).into(), false)),
            Read::Bytes { buffer, range, mask } => {
                let bytes = buffers
                    .get(*buffer)
                    .and_then(|buffer| buffer.get(range.clone()))
                    .ok_or("a chunk lies outside of the file")?;
                if !matches!(self.storage, Storage::Chunks(_)) {
                    return Ok((bytes.into(), false));
                }
                let mask = if self.plain_edges && self.grid.is_edge(number) { u32::MAX } else { *mask };
                let length = if self.any_length { Length::AtMost(LARGEST_TEXT) } else { Length::Exactly(length) };
                let (bytes, shuffled) = scratch.decode(bytes, &self.filters, mask, length, shuffled)?;
                Ok((bytes.into(), shuffled))
            }
        }
    }

    /// Bytes of elements that were never written.
    fn filled(&self, length: usize) -> Vec<u8> {
        if self.fill.len() == self.grid.width && self.fill.iter().any(|&byte| byte != 0) {
            return self.fill.iter().copied().cycle().take(length).collect();
        }
        vec![0; length]
    }

    /// Reads the stored bytes of chunks: sorted by where they are, neighbours together.
    fn fetch(&self, numbers: &[u64]) -> Result<(Vec<Vec<u8>>, Vec<Read>)> {
        let mut read: Vec<Read> = numbers.iter().map(|_| Read::Fill).collect();
        let mut wanted = Vec::new();
        let bytes = self.grid.chunk_bytes();
        match &self.storage {
            Storage::Nowhere => {}
            Storage::Compact(data) => {
                for (slot, &number) in read.iter_mut().zip(numbers) {
                    let start = (number * bytes) as usize;
                    let end = (start + bytes as usize).min(data.len());
                    *slot = Read::Bytes { buffer: 0, range: start..end, mask: 0 };
                }
                return Ok((vec![data.clone()], read));
            }
            Storage::Contiguous(address) => {
                for (slot, &number) in numbers.iter().enumerate() {
                    let start = number * bytes;
                    let size = (self.grid.bytes() - start).min(bytes);
                    let address = address.checked_add(start).ok_or_else(|| self.outside())?;
                    wanted.push((slot, Place { number, file: 0, address, size, mask: 0 }));
                }
            }
            Storage::Chunks(places) => {
                for (slot, &number) in numbers.iter().enumerate() {
                    let found = places.binary_search_by_key(&number, |place| place.number);
                    wanted.extend(found.ok().and_then(|found| places.get(found)).map(|&place| (slot, place)));
                }
            }
        }
        wanted.sort_by_key(|(slot, place)| (place.file, place.address, place.size, *slot));
        let buffers = self.fetch_sorted(&wanted, &mut read)?;
        Ok((buffers, read))
    }

    fn outside(&self) -> crate::error::Error {
        damaged(&self.path, "a chunk lies outside of the file")
    }

    fn fetch_sorted(&self, wanted: &[(usize, Place)], read: &mut [Read]) -> Result<Vec<Vec<u8>>> {
        let mut buffers = Vec::new();
        let mut sizes = (u32::MAX, 0);
        let mut next = 0;
        while let Some((_, first)) = wanted.get(next) {
            if sizes.0 != first.file {
                sizes = (first.file, self.stored.size(first.file, &self.path)?);
            }
            let (start, mut end) = (first.address, first.address);
            let mut last = next;
            while let Some((_, place)) = wanted.get(last).filter(|(_, place)| place.file == first.file) {
                let chunk_end = place.address.checked_add(place.size).filter(|&end| end <= sizes.1);
                let chunk_end = chunk_end.ok_or_else(|| self.outside())?;
                let apart = place.address > end.saturating_add(GAP);
                if last > next && (apart || chunk_end - start > READ) {
                    break;
                }
                end = end.max(chunk_end);
                last += 1;
            }
            let mut buffer = vec![0; (end - start) as usize];
            self.stored.read(first.file, start, &mut buffer, &self.path)?;
            for (slot, place) in &wanted[next..last] {
                let offset = (place.address - start) as usize;
                let range = offset..offset + place.size as usize;
                read[*slot] = Read::Bytes { buffer: buffers.len(), range, mask: place.mask };
            }
            buffers.push(buffer);
            next = last;
        }
        Ok(buffers)
    }

    /// Refuses an array that is to be read whole when most of it was never written: fill values take no
    /// room in the file, so nothing vouches for the size that it claims.
    ///
    /// # Errors
    /// When it is larger than what is stored and a little more.
    pub fn check_size(&self) -> Result<()> {
        let stored = match &self.storage {
            Storage::Chunks(places) => (places.len() as u64).saturating_mul(self.grid.chunk_bytes()),
            Storage::Nowhere => 0,
            Storage::Contiguous(_) | Storage::Compact(_) => return Ok(()),
        };
        if self.grid.bytes() <= stored.saturating_add(UNWRITTEN) {
            return Ok(());
        }
        Err(damaged(&self.path, "it announces more data than the file can hold"))
    }

    /// Every byte of an array of one dimension.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn read_all(&self) -> Result<Vec<u8>> {
        self.check_size()?;
        self.read_rows(0..self.grid.rows)
    }

    /// The bytes of some rows of an array of one dimension.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn read_rows(&self, rows: Range<u64>) -> Result<Vec<u8>> {
        let (grid, width) = (self.grid, self.grid.width);
        let short = || damaged(&self.path, "it is shorter than its shape");
        if grid.columns != 1 || rows.start > rows.end || rows.end > grid.rows {
            return Err(short());
        }
        let mut all = vec![0; (rows.end - rows.start) as usize * width];
        let mut items = Vec::new();
        let mut rest = all.as_mut_slice();
        let mut at = rows.start;
        while at < rows.end {
            let number = at / grid.chunk_rows;
            let end = ((number + 1) * grid.chunk_rows).min(rows.end);
            let (head, tail) = rest.split_at_mut((end - at) as usize * width);
            items.push((number, ((at - number * grid.chunk_rows) as usize * width, head)));
            rest = tail;
            at = end;
        }
        let fits = self.visit(items, &mut |_| {}, |_, (skip, slot): (usize, &mut [u8]), bytes| {
            let bytes = bytes.get(skip..).and_then(|bytes| bytes.get(..slot.len()));
            bytes.map(|bytes| slot.copy_from_slice(bytes)).is_some()
        })?;
        if fits.contains(&false) { Err(short()) } else { Ok(all) }
    }
}
