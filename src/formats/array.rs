//! Numbers in bulk, of whichever type the file stores, in slices and in bands.

use super::chunks::{Chunks, IN_FLIGHT};
use super::elements::{Element, IntoF64, IntoPositions, Values};
use super::hdf5::damaged;
use crate::error::Result;
use std::ops::Range;

/// A numeric dataset of one or two dimensions whose values are read in slices.
///
/// One dimension is treated as a single column of many rows.
pub struct NumericArray {
    chunks: Box<Chunks>,
    element: Element,
    rank: usize,
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
    /// `chunks` holds elements of the size of `element`; `rank`: dimensions in the file, one or two.
    pub fn new(chunks: Chunks, element: Element, rank: usize) -> Self {
        NumericArray { chunks: Box::new(chunks), element, rank }
    }

    /// Where the array stands in the file.
    pub fn path(&self) -> &str {
        &self.chunks.path
    }

    /// Rows and columns; a one-dimensional array has one column.
    pub fn shape(&self) -> (u64, u64) {
        (self.chunks.grid.rows, self.chunks.grid.columns)
    }

    /// Dimensions in the file.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Elements, for a one-dimensional array.
    pub fn len(&self) -> u64 {
        self.chunks.grid.rows * self.chunks.grid.columns
    }

    /// Decoded bytes of the whole array.
    pub fn bytes(&self) -> u64 {
        self.chunks.grid.bytes()
    }

    /// Bytes of an element.
    pub fn element_bytes(&self) -> u64 {
        self.element.size() as u64
    }

    /// Rows of a chunk: elements, for a one-dimensional array.
    pub fn chunk_rows(&self) -> u64 {
        self.chunks.grid.chunk_rows
    }

    /// Columns of a chunk.
    pub fn chunk_columns(&self) -> u64 {
        self.chunks.grid.chunk_columns
    }

    /// Rows of blocks in the grid of chunks.
    pub fn bands(&self) -> u64 {
        self.chunks.grid.bands()
    }

    /// Rows of the array in a band of chunks.
    pub fn band_rows(&self, band: u64) -> Range<u64> {
        self.chunks.grid.band_rows(band)
    }

    /// Bands that are decoded at once within the bounds on memory.
    pub fn bands_in_flight(&self) -> u64 {
        let grid = &self.chunks.grid;
        (IN_FLIGHT / grid.across().saturating_mul(grid.chunk_bytes()).max(1)).max(1)
    }

    /// Blocks in a band.
    pub fn blocks_across(&self) -> u64 {
        self.chunks.grid.across()
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
        convert: impl Fn(Values<'_>, u64, &mut [T]) -> R + Sync,
    ) -> Result<Vec<R>> {
        let (grid, size) = (self.chunks.grid, self.element.size());
        if range.end > grid.rows || grid.columns != 1 || range.end.checked_sub(range.start) != Some(out.len() as u64) {
            return Err(damaged(self.path(), "it is shorter than it should be"));
        }
        let mut items = Vec::new();
        let mut rest = out;
        let mut at = range.start;
        while at < range.end {
            let number = at / grid.chunk_rows;
            let end = ((number + 1) * grid.chunk_rows).min(range.end);
            let (head, tail) = rest.split_at_mut((end - at) as usize);
            items.push((number, (at, head)));
            rest = tail;
            at = end;
        }
        self.chunks.visit_shuffled(items, Some(size), advance, |number, (first, slots), bytes, shuffled| {
            let skip = (first - number * grid.chunk_rows) as usize;
            convert(Values::new(self.element, bytes, shuffled, skip..skip + slots.len()), first, slots)
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
        self.decode_blocks(bands, 0..self.blocks_across(), advance, convert)
    }

    /// As [`Self::decode_bands`], but of each band only the blocks with these numbers.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn decode_blocks<R: Send>(
        &self,
        bands: Range<u64>,
        blocks: Range<u64>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(Block<'_>) -> R + Sync,
    ) -> Result<Vec<R>> {
        let (grid, across) = (self.chunks.grid, self.blocks_across());
        let in_band = |band| blocks.clone().map(move |block| (band * across + block, ()));
        self.chunks.visit(bands.flat_map(in_band).collect(), advance, |number, (), bytes| {
            let start = number % across * grid.chunk_columns;
            convert(Block {
                rows: grid.band_rows(number / across),
                columns: start..(start + grid.chunk_columns).min(grid.columns),
                bytes,
                stride: grid.chunk_columns as usize,
                element: self.element,
            })
        })
    }

    fn read_all<T: Copy + Send>(&self, empty: T, convert: impl Fn(Values<'_>, &mut [T]) + Sync) -> Result<Vec<T>> {
        self.chunks.check_size()?;
        let mut values = vec![empty; self.len() as usize];
        let all = 0..self.chunks.grid.rows;
        self.decode(all, &mut values, &mut |_| {}, |values, _, slots| convert(values, slots))?;
        Ok(values)
    }

    /// Every value of a one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_f64(&self) -> Result<Vec<f64>> {
        self.read_all(0.0, |values, slots| {
            values.visit(IntoF64(slots));
        })
    }

    /// Every value of a one-dimensional array of positions; those that are none become `u64::MAX`.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_positions(&self) -> Result<Vec<u64>> {
        self.read_all(0, |values, slots| {
            values.visit(IntoPositions(slots));
        })
    }

    /// The values of `range` of a one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn read_range(&self, range: Range<u64>) -> Result<Vec<f64>> {
        let length = range.end.saturating_sub(range.start);
        let mut values = vec![0.0; length.min(self.chunks.grid.rows) as usize];
        self.decode(range, &mut values, &mut |_| {}, |values, _, slots| {
            values.visit(IntoF64(slots));
        })?;
        Ok(values)
    }
}
