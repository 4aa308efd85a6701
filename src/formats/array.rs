//! Numbers in bulk: chunks are found through the HDF5 crate, read in few large pieces by the calling
//! thread, and decoded in parallel.

use super::elements::{Element, IntoF64, IntoPositions};
use super::filters::{Filter, Scratch, supported};
use super::hdf5::{damaged, explain, re_save};
use crate::error::{Error, Result};
use hdf5rs::format::UNDEFINED_ADDRESS;
use hdf5rs::format::messages::layout::{DONT_FILTER_PARTIAL_BOUND_CHUNKS, DataLayout};
use hdf5rs::io::ReadAt;
use rayon::prelude::*;
use std::ops::Range;

/// Stored bytes that are asked for at once.
const READ: u64 = 8 << 20;
/// Decoded bytes that are in flight at once (one chunk at least).
const IN_FLIGHT: u64 = 32 << 20;
/// Bytes between two chunks that are read along rather than asked for separately.
const GAP: u64 = 64 << 10;
/// Data without chunks is cut into pieces of this size.
const PIECE: u64 = 512 << 10;
/// Chunks beyond this size cannot be decoded in the memory of a browser.
const LARGEST_CHUNK: u64 = 1 << 30;

/// A numeric dataset of one or two dimensions whose values are read in slices.
///
/// One dimension is treated as a single column of many rows.
pub struct NumericArray {
    dataset: hdf5rs::Dataset,
    path: String,
    element: Element,
    rows: u64,
    columns: u64,
    chunk_rows: u64,
    chunk_columns: u64,
    filters: Vec<Filter>,
    /// The edges of the grid are stored without filters.
    plain_edges: bool,
    storage: Storage,
}

enum Storage {
    /// Stored chunks by ascending number in the grid; those that were never written hold the fill value.
    Chunks(Vec<Place>),
    /// From this address on.
    Contiguous(u64),
    /// In the header itself.
    Compact(Vec<u8>),
    /// Never written: the fill value everywhere.
    Nowhere,
}

#[derive(Clone, Copy)]
struct Place {
    number: u64,
    address: u64,
    size: u64,
    mask: u32,
}

/// What was read for a chunk.
enum Stored {
    Bytes { buffer: usize, range: Range<usize>, mask: u32 },
    Fill,
}

/// A rectangle of a two-dimensional array.
pub struct Block<'a> {
    /// Rows of the array.
    pub rows: Range<u64>,
    /// Columns of the array.
    pub columns: Range<u64>,
    /// Row-major, [`Self::stride`] elements from one row to the next.
    pub bytes: &'a [u8],
    pub stride: usize,
    pub element: Element,
}

impl Block<'_> {
    /// The bytes of the block's `row`-th row, its columns only.
    pub fn row(&self, row: usize) -> &[u8] {
        let size = self.element.size();
        let start = row * self.stride * size;
        let length = (self.columns.end - self.columns.start) as usize * size;
        self.bytes.get(start..start + length).unwrap_or(&[])
    }
}

impl NumericArray {
    /// Looks at how the dataset is stored; `largest` bounds a chunk's size.
    pub(super) fn new(dataset: hdf5rs::Dataset, path: &str, largest: u64) -> Result<Self> {
        let Some(element) = Element::of(dataset.datatype()) else {
            return Err(Error::input(format!("\"{path}\" should hold numbers and holds {}.", dataset.datatype())));
        };
        let (rows, columns) = match *dataset.shape() {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            ref shape => {
                return Err(Error::input(format!(
                    "\"{path}\" should have one or two dimensions and has {}.",
                    shape.len()
                )));
            }
        };
        let mut array = NumericArray {
            path: path.to_owned(),
            element,
            rows,
            columns,
            chunk_rows: 1,
            chunk_columns: columns.max(1),
            filters: Vec::new(),
            plain_edges: false,
            storage: Storage::Nowhere,
            dataset,
        };
        array.find_storage(largest)?;
        Ok(array)
    }

    fn find_storage(&mut self, largest: u64) -> Result<()> {
        let size = self.element.size() as u64;
        let row_bytes = self.columns.max(1).saturating_mul(size);
        let bytes = self.rows.saturating_mul(row_bytes);
        // Checked against the file's size by the caller, so these products do not overflow.
        self.chunk_rows = (PIECE / row_bytes).clamp(1, self.rows.max(1));
        self.storage = match self.dataset.layout() {
            DataLayout::Compact { data, .. } => {
                if (data.len() as u64) < bytes {
                    return Err(damaged(&self.path, "it is shorter than its shape"));
                }
                Storage::Compact(data.clone())
            }
            DataLayout::Contiguous { .. } if self.dataset.external_files().is_some() => {
                return Err(self.elsewhere());
            }
            DataLayout::Contiguous { address, .. } if *address == UNDEFINED_ADDRESS => Storage::Nowhere,
            DataLayout::Contiguous { address, .. } => Storage::Contiguous(*address),
            DataLayout::Virtual { .. } => return Err(self.elsewhere()),
            DataLayout::Chunked(chunked) => {
                let (chunk_rows, chunk_columns) = match *chunked.dims.as_slice() {
                    [rows] => (rows, 1),
                    [rows, columns] => (rows, columns),
                    _ => return Err(damaged(&self.path, "its chunks have another rank")),
                };
                let chunk_bytes = chunk_rows
                    .checked_mul(chunk_columns)
                    .and_then(|elements| elements.checked_mul(size))
                    .filter(|&bytes| bytes > 0 && bytes <= largest);
                match chunk_bytes {
                    None => return Err(damaged(&self.path, "its chunks have an impossible size")),
                    Some(bytes) if bytes > LARGEST_CHUNK => {
                        return Err(Error::input(format!(
                            "\"{}\" is stored in chunks of {bytes} bytes, more than Sextant can decode. {}",
                            self.path,
                            re_save()
                        )));
                    }
                    Some(_) => {}
                }
                self.chunk_rows = chunk_rows;
                self.chunk_columns = chunk_columns;
                self.plain_edges = chunked.flags & DONT_FILTER_PARTIAL_BOUND_CHUNKS != 0;
                self.filters = supported(self.dataset.filters(), &self.path, self.element.size())?;
                Storage::Chunks(self.places()?)
            }
        };
        Ok(())
    }

    fn elsewhere(&self) -> Error {
        Error::input(format!("\"{}\" keeps its data in another file. {}", self.path, re_save()))
    }

    fn places(&self) -> Result<Vec<Place>> {
        let chunks = self.dataset.chunks().map_err(|error| explain(&self.path, error))?;
        let across = self.blocks_across();
        let mut places = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let row = chunk.scaled.first().copied().unwrap_or(0);
            let column = chunk.scaled.get(1).copied().unwrap_or(0);
            if row >= self.bands() || column >= across {
                continue; // left over from a larger shape
            }
            places.push(Place {
                number: row * across + column,
                address: chunk.address,
                size: chunk.size,
                mask: chunk.filter_mask,
            });
        }
        places.sort_by_key(|place| place.number);
        Ok(places)
    }

    /// Where the array stands in the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Rows and columns; a one-dimensional array has one column.
    pub fn shape(&self) -> (u64, u64) {
        (self.rows, self.columns)
    }

    /// Dimensions in the file.
    pub fn rank(&self) -> usize {
        self.dataset.shape().len()
    }

    /// Elements, for a one-dimensional array.
    pub fn len(&self) -> u64 {
        self.rows * self.columns
    }

    /// Decoded bytes of the whole array.
    pub fn bytes(&self) -> u64 {
        self.len() * self.element.size() as u64
    }

    /// Rows of a chunk: elements, for a one-dimensional array.
    pub fn chunk_rows(&self) -> u64 {
        self.chunk_rows
    }

    /// Rows of blocks in the grid of chunks.
    pub fn bands(&self) -> u64 {
        if self.columns == 0 {
            return 0;
        }
        self.rows.div_ceil(self.chunk_rows)
    }

    /// Rows of the array in a band of chunks.
    pub fn band_rows(&self, band: u64) -> Range<u64> {
        let start = band.saturating_mul(self.chunk_rows).min(self.rows);
        start..start.saturating_add(self.chunk_rows).min(self.rows)
    }

    /// Bands that are decoded at once within the bounds on memory.
    pub fn bands_in_flight(&self) -> u64 {
        (IN_FLIGHT / self.blocks_across().saturating_mul(self.chunk_bytes()).max(1)).max(1)
    }

    /// Blocks in a band.
    pub fn blocks_across(&self) -> u64 {
        self.columns.div_ceil(self.chunk_columns)
    }

    fn chunk_bytes(&self) -> u64 {
        self.chunk_rows * self.chunk_columns * self.element.size() as u64
    }

    /// Decodes the elements of `range` of a one-dimensional array into `out`, which is as long. `convert`
    /// gets the stored values, the number of the first one, and where they belong; it runs in parallel.
    /// Its results come back in the order of the array.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn decode<T: Send, R: Send>(
        &self,
        range: Range<u64>,
        out: &mut [T],
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(Element, &[u8], u64, &mut [T]) -> R + Sync,
    ) -> Result<Vec<R>> {
        let size = self.element.size();
        if range.end > self.rows || self.columns != 1 || range.end.checked_sub(range.start) != Some(out.len() as u64) {
            return Err(damaged(&self.path, "it is shorter than it should be"));
        }
        let mut items = Vec::new();
        let mut rest = out;
        let mut at = range.start;
        while at < range.end {
            let number = at / self.chunk_rows;
            let end = ((number + 1) * self.chunk_rows).min(range.end);
            let (head, tail) = rest.split_at_mut((end - at) as usize);
            items.push((number, (at, head)));
            rest = tail;
            at = end;
        }
        self.visit(items, advance, |number, (first, slots), bytes| {
            let skip = (first - number * self.chunk_rows) as usize * size;
            let bytes = bytes.get(skip..skip + slots.len() * size).unwrap_or_default();
            convert(self.element, bytes, first, slots)
        })
    }

    /// Decodes bands of chunks of a two-dimensional array; the results come band by band, and in a band
    /// by ascending columns.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn decode_bands<R: Send>(
        &self,
        bands: Range<u64>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(Block<'_>) -> R + Sync,
    ) -> Result<Vec<R>> {
        let across = self.blocks_across();
        let items = (bands.start * across..bands.end * across).map(|number| (number, ()));
        self.visit(items.collect(), advance, |number, (), bytes| {
            let start = number % across * self.chunk_columns;
            convert(Block {
                rows: self.band_rows(number / across),
                columns: start..(start + self.chunk_columns).min(self.columns),
                bytes,
                stride: self.chunk_columns as usize,
                element: self.element,
            })
        })
    }

    /// Reads the chunks with these ascending numbers in bounded batches and hands each, decoded, to
    /// `convert`. Only this thread touches the file; decoding is parallel.
    fn visit<I: Send, R: Send>(
        &self,
        items: Vec<(u64, I)>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(u64, I, &[u8]) -> R + Sync,
    ) -> Result<Vec<R>> {
        let batch = (IN_FLIGHT / self.chunk_bytes()).max(1) as usize;
        let mut results = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let batch: Vec<(u64, I)> = items.by_ref().take(batch).collect();
            let numbers: Vec<u64> = batch.iter().map(|(number, _)| *number).collect();
            let (buffers, stored) = self.fetch(&numbers)?;
            let decoded: Vec<std::result::Result<R, &'static str>> = batch
                .into_par_iter()
                .zip(stored)
                .map_init(Scratch::new, |scratch, ((number, item), stored)| {
                    let bytes = self.decode_chunk(number, &stored, &buffers, scratch)?;
                    Ok(convert(number, item, &bytes))
                })
                .collect();
            for result in decoded {
                results.push(result.map_err(|reason| damaged(&self.path, reason))?);
            }
            advance(numbers.len() as u64 * self.chunk_bytes());
        }
        Ok(results)
    }

    fn decode_chunk<'a>(
        &self,
        number: u64,
        stored: &Stored,
        buffers: &'a [Vec<u8>],
        scratch: &'a mut Scratch,
    ) -> std::result::Result<std::borrow::Cow<'a, [u8]>, &'static str> {
        let length = self.chunk_bytes() as usize;
        match stored {
            Stored::Fill => Ok(self.fill(length).into()),
            Stored::Bytes { buffer, range, mask } => {
                let bytes = buffers
                    .get(*buffer)
                    .and_then(|buffer| buffer.get(range.clone()))
                    .ok_or("a chunk lies outside of the file")?;
                if !matches!(self.storage, Storage::Chunks(_)) {
                    return Ok(bytes.into());
                }
                let mask = if self.plain_edges && self.is_edge(number) { u32::MAX } else { *mask };
                scratch.decode(bytes, &self.filters, mask, length).map(Into::into)
            }
        }
    }

    fn is_edge(&self, number: u64) -> bool {
        let (band, block) = (number / self.blocks_across(), number % self.blocks_across());
        (band + 1) * self.chunk_rows > self.rows || (block + 1) * self.chunk_columns > self.columns
    }

    fn fill(&self, length: usize) -> Vec<u8> {
        match self.dataset.fill_value_bytes() {
            Some(value) if value.len() == self.element.size() => value.iter().copied().cycle().take(length).collect(),
            _ => vec![0; length],
        }
    }

    /// Reads the stored bytes of chunks: sorted by address, neighbours together.
    fn fetch(&self, numbers: &[u64]) -> Result<(Vec<Vec<u8>>, Vec<Stored>)> {
        let mut stored: Vec<Stored> = numbers.iter().map(|_| Stored::Fill).collect();
        let mut wanted = Vec::new();
        match &self.storage {
            Storage::Nowhere => {}
            Storage::Compact(bytes) => {
                for (slot, &number) in stored.iter_mut().zip(numbers) {
                    let start = (number * self.chunk_bytes()) as usize;
                    let end = (start + self.chunk_bytes() as usize).min(bytes.len());
                    *slot = Stored::Bytes { buffer: 0, range: start..end, mask: 0 };
                }
                return Ok((vec![bytes.clone()], stored));
            }
            Storage::Contiguous(address) => {
                for (slot, &number) in numbers.iter().enumerate() {
                    let start = number * self.chunk_bytes();
                    let size = (self.bytes() - start).min(self.chunk_bytes());
                    let address =
                        address.checked_add(start).ok_or_else(|| damaged(&self.path, "it lies outside of the file"))?;
                    wanted.push((address, size, slot, 0));
                }
            }
            Storage::Chunks(places) => {
                for (slot, &number) in numbers.iter().enumerate() {
                    let found = places.binary_search_by_key(&number, |place| place.number);
                    if let Some(place) = found.ok().and_then(|found| places.get(found)) {
                        wanted.push((place.address, place.size, slot, place.mask));
                    }
                }
            }
        }
        wanted.sort_unstable();
        let buffers = self.fetch_sorted(&wanted, &mut stored)?;
        Ok((buffers, stored))
    }

    fn fetch_sorted(&self, wanted: &[(u64, u64, usize, u32)], stored: &mut [Stored]) -> Result<Vec<Vec<u8>>> {
        let outside = || damaged(&self.path, "a chunk lies outside of the file");
        let store = self.dataset.file().store();
        let file_size = store.size().map_err(|error| explain(&self.path, error))?;
        let mut buffers = Vec::new();
        let mut next = 0;
        while let Some(&(start, ..)) = wanted.get(next) {
            let mut end = start;
            let mut last = next;
            while let Some(&(address, size, ..)) = wanted.get(last) {
                let chunk_end = address.checked_add(size).filter(|&end| end <= file_size).ok_or_else(outside)?;
                let apart = address > end.saturating_add(GAP);
                if last > next && (apart || chunk_end - start > READ) {
                    break;
                }
                end = end.max(chunk_end);
                last += 1;
            }
            let mut buffer = vec![0; (end - start) as usize];
            store.read_exact_at(start, &mut buffer).map_err(|error| explain(&self.path, error))?;
            for &(address, size, slot, mask) in &wanted[next..last] {
                let offset = (address - start) as usize;
                stored[slot] = Stored::Bytes { buffer: buffers.len(), range: offset..offset + size as usize, mask };
            }
            buffers.push(buffer);
            next = last;
        }
        Ok(buffers)
    }

    fn read_all<T: Copy + Send>(&self, empty: T, convert: impl Fn(Element, &[u8], &mut [T]) + Sync) -> Result<Vec<T>> {
        let mut values = vec![empty; self.len() as usize];
        self.decode(0..self.rows, &mut values, &mut |_| {}, |element, bytes, _, slots| convert(element, bytes, slots))?;
        Ok(values)
    }

    /// Every value of a one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_f64(&self) -> Result<Vec<f64>> {
        self.read_all(0.0, |element, bytes, slots| {
            element.visit(bytes, IntoF64(slots));
        })
    }

    /// Every value of a one-dimensional array of positions; those that are none become `u64::MAX`.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_positions(&self) -> Result<Vec<u64>> {
        self.read_all(0, |element, bytes, slots| {
            element.visit(bytes, IntoPositions(slots));
        })
    }

    /// The values of `range` of a one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_range(&self, range: Range<u64>) -> Result<Vec<f64>> {
        let length = range.end.saturating_sub(range.start);
        let mut values = vec![0.0; length.min(self.rows) as usize];
        self.decode(range, &mut values, &mut |_| {}, |element, bytes, _, slots| {
            element.visit(bytes, IntoF64(slots));
        })?;
        Ok(values)
    }
}
