//! A matrix as a file stores it (by rows, by columns, or dense) and the way from there to [`Counts`].

use super::array::NumericArray;
use super::hdf5::{Hdf5, damaged};
use super::packing::{IntoPacked, IntoSlots, SparseBlock, Tally};
use super::raw_counts::grouped;
use crate::error::{Error, Result};
use crate::matrix::{Counts, CountsBuilder, GenesMut};
use crate::progress::Progress;
use std::ops::Range;

/// Entries that are scattered from columns into rows at once.
const SLICE: u64 = 4 << 20;
/// The most cells or genes that are believed.
const MOST: u64 = 1 << 31;

/// How the values are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Compressed sparse rows: cell after cell.
    Csr,
    /// Compressed sparse columns: gene after gene.
    Csc,
    Dense,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Csr => "csr",
            Encoding::Csc => "csc",
            Encoding::Dense => "dense",
        }
    }
}

/// A matrix in the file, cells × genes, checked for consistency but not read.
pub struct StoredMatrix {
    pub encoding: Encoding,
    pub cells: usize,
    pub genes: usize,
    pub parts: Parts,
}

/// The arrays of a matrix.
pub enum Parts {
    Sparse {
        data: NumericArray,
        indices: NumericArray,
        /// Where each row (CSR) or column (CSC) begins, and the end of the last.
        offsets: Vec<u64>,
    },
    Dense(NumericArray),
}

/// Reports bytes done of bytes to do.
pub struct Meter<'a> {
    progress: &'a Progress<'a>,
    done: u64,
    total: u64,
}

impl<'a> Meter<'a> {
    pub fn new(progress: &'a Progress<'a>, total: u64) -> Self {
        Meter { progress, done: 0, total: total.max(1) }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.progress.report("Reading", self.done as f64 / self.total as f64);
    }
}

impl StoredMatrix {
    /// A compressed matrix in the group `path` with `data`, `indices` and `indptr`.
    ///
    /// # Errors
    /// When the three contradict each other or the shape.
    pub fn sparse(file: &Hdf5, path: &str, encoding: Encoding, shape: [u64; 2]) -> Result<Self> {
        let [cells, genes] = checked_shape(path, shape)?;
        let data = file.array(&format!("{path}/data"))?;
        let indices = file.array(&format!("{path}/indices"))?;
        let pointers = file.array(&format!("{path}/indptr"))?;
        let (major, what) = match encoding {
            Encoding::Csc => (genes, "genes"),
            _ => (cells, "cells"),
        };
        if pointers.len() != major as u64 + 1 {
            let found = pointers.len();
            return Err(damaged(
                pointers.path(),
                &format!("it has {found} entries, which does not fit {major} {what}"),
            ));
        }
        if data.len() != indices.len() {
            return Err(damaged(path, &format!("it has {} values but {} indices", data.len(), indices.len())));
        }
        let offsets = pointers.read_positions()?;
        if offsets.first() != Some(&0) || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(damaged(pointers.path(), "it should ascend from 0 and does not"));
        }
        if offsets.last() != Some(&data.len()) {
            let end = offsets.last().copied().unwrap_or(0);
            return Err(damaged(pointers.path(), &format!("it ends at {end} but there are {} values", data.len())));
        }
        let parts = Parts::Sparse { data, indices, offsets };
        Ok(StoredMatrix { encoding, cells, genes, parts })
    }

    /// A dense dataset at `path`, cells × genes.
    ///
    /// # Errors
    /// When it is not a numeric matrix.
    pub fn dense(file: &Hdf5, path: &str) -> Result<Self> {
        let array = file.array(path)?;
        if array.rank() != 2 {
            return Err(Error::input(format!(
                "\"{path}\" should be a matrix of cells by genes and has one dimension."
            )));
        }
        let (cells, genes) = array.shape();
        let [cells, genes] = checked_shape(path, [cells, genes])?;
        Ok(StoredMatrix { encoding: Encoding::Dense, cells, genes, parts: Parts::Dense(array) })
    }

    /// Stored entries; unknown for a dense matrix.
    pub fn nonzeros(&self) -> Option<u64> {
        match &self.parts {
            Parts::Sparse { data, .. } => Some(data.len()),
            Parts::Dense(_) => None,
        }
    }

    /// Decoded bytes that reading takes, for the meter.
    pub fn work(&self) -> u64 {
        match (&self.parts, self.encoding) {
            (Parts::Sparse { data, indices, .. }, Encoding::Csc) => data.bytes() + 2 * indices.bytes(),
            (Parts::Sparse { data, indices, .. }, _) => data.bytes() + indices.bytes(),
            (Parts::Dense(array), _) => array.bytes(),
        }
    }

    /// Reads the matrix. With `keep`, which has a new number or `u32::MAX` for each gene, only the genes
    /// with a number are left, and their number is the second part.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn read(&self, keep: Option<(&[u32], usize)>, meter: &mut Meter<'_>) -> Result<(Counts, Tally)> {
        match (&self.parts, self.encoding) {
            (Parts::Dense(array), _) => self.read_dense(array, keep, meter),
            (Parts::Sparse { data, indices, offsets }, Encoding::Csc) => {
                let (builder, tally) = self.read_columns(data, indices, offsets, meter)?;
                Ok((builder.finish(keep), tally))
            }
            (Parts::Sparse { data, indices, offsets }, _) => {
                let (builder, tally) = self.read_rows(data, indices, offsets, meter)?;
                Ok((builder.finish(keep), tally))
            }
        }
    }

    /// Rows are stored as we keep them: every chunk is decoded straight to its place.
    fn read_rows(
        &self,
        data: &NumericArray,
        indices: &NumericArray,
        offsets: &[u64],
        meter: &mut Meter<'_>,
    ) -> Result<(CountsBuilder, Tally)> {
        check_memory(data, self.genes)?;
        let mut builder = CountsBuilder::new(self.genes, offsets.to_vec());
        let (genes, values) = builder.parts();
        let (all, limit) = (0..indices.len(), self.genes as u64);
        let advance = &mut |bytes| meter.advance(bytes);
        let fits = match genes {
            GenesMut::Narrow(slots) => indices.decode(all.clone(), slots, advance, |element, bytes, _, slots| {
                element.visit(bytes, IntoSlots { slots, limit })
            })?,
            GenesMut::Wide(slots) => indices.decode(all.clone(), slots, advance, |element, bytes, _, slots| {
                element.visit(bytes, IntoSlots { slots, limit })
            })?,
        };
        if fits.contains(&false) {
            return Err(out_of_range(indices.path(), self.genes, "genes"));
        }
        let packed = data.decode(all, values, advance, |element, bytes, first, slots| {
            element.visit(bytes, IntoPacked { slots, first })
        })?;
        let mut tally = Tally::default();
        for packed in packed {
            tally.add(packed.tally);
            builder.escape(packed.escapes);
        }
        Ok((builder, tally))
    }

    /// Two passes: the first counts the entries of each cell, the second puts them in their rows. Genes
    /// come in ascending order, so rows are sorted.
    fn read_columns(
        &self,
        data: &NumericArray,
        indices: &NumericArray,
        offsets: &[u64],
        meter: &mut Meter<'_>,
    ) -> Result<(CountsBuilder, Tally)> {
        check_memory(data, self.genes)?;
        let mut starts = vec![0u64; self.cells + 1];
        let mut cells = Vec::new();
        for slice in slices(data, indices) {
            self.read_cells(indices, slice, &mut cells, meter)?;
            for &cell in &cells {
                starts[cell as usize + 1] += 1;
            }
        }
        for cell in 0..self.cells {
            starts[cell + 1] += starts[cell];
        }
        let mut next = starts.clone();
        let mut builder = CountsBuilder::new(self.genes, starts);
        let mut tally = Tally::default();
        let mut escapes = Vec::new();
        let mut values = Vec::new();
        let mut gene = 0;
        for slice in slices(data, indices) {
            self.read_cells(indices, slice.clone(), &mut cells, meter)?;
            values.clear();
            values.resize(cells.len(), 0u16);
            let first = slice.start;
            let advance = &mut |bytes| meter.advance(bytes);
            let packed = data.decode(slice, &mut values, advance, |element, bytes, first, slots| {
                element.visit(bytes, IntoPacked { slots, first })
            })?;
            let mut escaped = Vec::new();
            for packed in packed {
                tally.add(packed.tally);
                escaped.extend(packed.escapes);
            }
            let mut escaped = escaped.into_iter().peekable();
            let (mut genes, slots) = builder.parts();
            for (entry, (&cell, &value)) in cells.iter().zip(&values).enumerate() {
                let entry = first + entry as u64;
                while offsets.get(gene + 1).is_some_and(|&end| end <= entry) {
                    gene += 1;
                }
                let cursor = &mut next[cell as usize];
                let slot = *cursor as usize;
                *cursor += 1;
                match &mut genes {
                    GenesMut::Narrow(genes) => genes[slot] = gene as u16,
                    GenesMut::Wide(genes) => genes[slot] = gene as u32,
                }
                slots[slot] = value;
                if let Some((_, value)) = escaped.next_if(|&(position, _)| position == entry) {
                    escapes.push((slot as u64, value));
                }
            }
        }
        builder.escape(escapes);
        Ok((builder, tally))
    }

    /// The cells of a slice of entries that are stored by gene.
    fn read_cells(
        &self,
        indices: &NumericArray,
        slice: Range<u64>,
        cells: &mut Vec<u32>,
        meter: &mut Meter<'_>,
    ) -> Result<()> {
        cells.clear();
        cells.resize((slice.end - slice.start) as usize, 0);
        let limit = self.cells as u64;
        let advance = &mut |bytes| meter.advance(bytes);
        let fits = indices.decode(slice, cells, advance, |element, bytes, _, slots| {
            element.visit(bytes, IntoSlots { slots, limit })
        })?;
        if fits.contains(&false) {
            return Err(out_of_range(indices.path(), self.cells, "cells"));
        }
        Ok(())
    }

    fn read_dense(
        &self,
        array: &NumericArray,
        keep: Option<(&[u32], usize)>,
        meter: &mut Meter<'_>,
    ) -> Result<(Counts, Tally)> {
        let mut counts = Counts::with_genes(keep.map_or(self.genes, |(_, genes)| genes));
        let mut tally = Tally::default();
        let (bands, step) = (array.bands(), array.bands_in_flight());
        let mut band = 0;
        while band < bands {
            let end = (band + step).min(bands);
            let advance = &mut |bytes| meter.advance(bytes);
            let blocks = array.decode_bands(band..end, advance, |block| SparseBlock::of(&block, keep))?;
            for blocks in blocks.chunks(array.blocks_across().max(1) as usize) {
                for row in 0..blocks.first().map_or(0, |block| block.ends.len()) {
                    counts.push_row(blocks.iter().flat_map(|block| block.row(row)));
                }
                for block in blocks {
                    tally.add(block.tally);
                }
            }
            band = end;
        }
        // A matrix of no genes has rows all the same.
        while counts.cells() < self.cells {
            counts.push_row([]);
        }
        Ok((counts, tally))
    }

    /// The stored values of some cells of a matrix that is stored by gene; reads all of it.
    ///
    /// # Errors
    /// When the data is damaged or the source fails.
    pub fn gather_cells(&self, wanted: &[usize]) -> Result<Vec<Vec<f64>>> {
        let mut rows = vec![Vec::new(); wanted.len()];
        let Parts::Sparse { data, indices, .. } = &self.parts else {
            return Ok(rows);
        };
        let progress = Progress::silent();
        let mut meter = Meter::new(&progress, 1);
        let mut place = vec![u32::MAX; self.cells];
        for (row, &cell) in wanted.iter().enumerate() {
            if let Some(slot) = place.get_mut(cell) {
                *slot = row as u32;
            }
        }
        let mut cells = Vec::new();
        for slice in slices(data, indices) {
            self.read_cells(indices, slice.clone(), &mut cells, &mut meter)?;
            let values = data.read_range(slice)?;
            for (&cell, value) in cells.iter().zip(values) {
                if let Some(row) = rows.get_mut(place[cell as usize] as usize) {
                    row.push(value);
                }
            }
        }
        Ok(rows)
    }
}

fn checked_shape(path: &str, shape: [u64; 2]) -> Result<[usize; 2]> {
    if shape.iter().any(|&length| length > MOST) {
        return Err(damaged(path, &format!("its shape of {} cells by {} genes is impossible", shape[0], shape[1])));
    }
    Ok(shape.map(|length| length as usize))
}

/// Asks for the room that the counts will take and gives it back: in a browser a request that fails later
/// would end the engine without a word.
fn check_memory(data: &NumericArray, genes: usize) -> Result<()> {
    let entry = if genes <= 1 << 16 { 4 } else { 6 };
    let bytes = data.len().saturating_mul(entry);
    let mut room = Vec::<u8>::new();
    let granted = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    // Without this the compiler may decide that the room is not needed, and granted.
    std::hint::black_box(&room);
    if granted {
        return Ok(());
    }
    Err(Error::input(format!(
        "its {} counts need {} MB of memory, more than there is here. Use the command on a machine with \
         more memory, or split the file.",
        grouped(data.len() as f64),
        grouped(bytes as f64 / 1e6)
    )))
}

fn out_of_range(path: &str, limit: usize, what: &str) -> Error {
    damaged(path, &format!("it names positions beyond its {limit} {what}"))
}

/// Slices of entries that begin where chunks begin.
fn slices(data: &NumericArray, indices: &NumericArray) -> impl Iterator<Item = Range<u64>> {
    let chunk = data.chunk_rows().max(indices.chunk_rows()).max(1);
    let step = SLICE.div_ceil(chunk).saturating_mul(chunk);
    let length = data.len();
    let count = length.div_ceil(step);
    (0..count).map(move |slice| slice * step..((slice + 1) * step).min(length))
}
