//! A matrix as a file stores it (by rows, by columns, or dense) and the way from there to [`Counts`].

use super::array::NumericArray;
use super::hdf5::damaged;
use super::packing::{IntoPacked, IntoSlots, SparseBlock, Tally};
use super::raw_counts::Sample;
use super::reading::check_memory;
use super::store::Store;
use super::stored::{Matrix, Meter, SLAB};
use crate::error::{Error, Result};
use crate::matrix::{Counts, CountsBuilder, GenesMut};
use std::ops::Range;

mod columns;
mod sample;

/// Entries of a matrix stored by gene that are put in rows in one pass over it; a larger one takes several passes.
const PASS: u64 = 128 << 20;
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

impl StoredMatrix {
    /// A compressed matrix in the group `path` with `data`, `indices` and `indptr`.
    ///
    /// # Errors
    /// When the three contradict each other or the shape.
    pub fn sparse(file: &dyn Store, path: &str, encoding: Encoding, shape: [u64; 2]) -> Result<Self> {
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
    pub fn dense(file: &dyn Store, path: &str) -> Result<Self> {
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

    /// Rows are stored as we keep them: every chunk is decoded straight to its place.
    fn read_rows(&self, sparse: &Sparse<'_>, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let slab = SLAB / width(sparse.data)?;
        let slab = slab.max(sparse.data.chunk_rows()).max(sparse.indices.chunk_rows());
        let mut tally = Tally::default();
        let mut first = 0;
        while first < self.cells {
            let start = sparse.offsets[first];
            let fits = sparse.offsets.partition_point(|&end| end <= start.saturating_add(slab));
            let next = fits.saturating_sub(1).clamp(first + 1, self.cells);
            check_memory(sparse.offsets[next] - start, self.genes, u64::MAX)?;
            let rows = sparse.offsets[first..=next].iter().map(|&offset| offset - start).collect();
            let mut builder = CountsBuilder::new(self.genes, rows);
            tally.add(self.decode_rows(sparse, start..sparse.offsets[next], &mut builder, meter)?);
            take(builder.finish())?;
            first = next;
        }
        Ok(tally)
    }

    fn decode_rows(
        &self,
        sparse: &Sparse<'_>,
        entries: Range<u64>,
        builder: &mut CountsBuilder,
        meter: &mut Meter<'_>,
    ) -> Result<Tally> {
        let (indices, limit) = (sparse.indices, self.genes as u64);
        let (genes, values) = builder.parts();
        let advance = &mut |bytes| meter.advance(bytes);
        let fits = match genes {
            GenesMut::Narrow(slots) => indices
                .decode(entries.clone(), slots, advance, |values, _, slots| values.visit(IntoSlots { slots, limit }))?,
            GenesMut::Wide(slots) => indices
                .decode(entries.clone(), slots, advance, |values, _, slots| values.visit(IntoSlots { slots, limit }))?,
        };
        if fits.contains(&false) {
            return Err(out_of_range(indices.path(), self.genes, "genes"));
        }
        let start = entries.start;
        let packed = sparse.data.decode(entries, values, advance, |values, first, slots| {
            values.visit(IntoPacked { slots, first: first - start })
        })?;
        let mut tally = Tally::default();
        for packed in packed {
            tally.add(packed.tally);
            builder.escape(packed.escapes);
        }
        Ok(tally)
    }

    fn read_dense(&self, array: &NumericArray, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut counts = Counts::with_genes(self.genes);
        let mut cells = 0;
        let mut tally = Tally::default();
        let (bands, step) = (array.bands(), array.bands_in_flight());
        let mut band = 0;
        while band < bands {
            let end = (band + step).min(bands);
            let advance = &mut |bytes| meter.advance(bytes);
            let blocks = array.decode_bands(band..end, advance, |block| SparseBlock::of(&block))?;
            for blocks in blocks.chunks(array.blocks_across().max(1) as usize) {
                for row in 0..blocks.first().map_or(0, |block| block.ends.len()) {
                    counts.push_row(blocks.iter().flat_map(|block| block.row(row)));
                }
                for block in blocks {
                    tally.add(block.tally);
                }
            }
            if counts.bytes() as u64 >= 4 * SLAB {
                cells += counts.cells();
                take(std::mem::replace(&mut counts, Counts::with_genes(self.genes)))?;
            }
            band = end;
        }
        // A matrix of no genes has rows all the same.
        while cells + counts.cells() < self.cells {
            counts.push_row([]);
        }
        take(counts)?;
        Ok(tally)
    }
}

/// The arrays of a compressed matrix.
struct Sparse<'a> {
    data: &'a NumericArray,
    indices: &'a NumericArray,
    offsets: &'a [u64],
}

/// How many times less is taken at once of fractions, which do not fit into the two bytes of a small whole number.
fn width(data: &NumericArray) -> Result<u64> {
    let some = data.read_range(0..data.len().min(1024))?;
    let fractions = some.iter().filter(|&&value| value != value.trunc()).count();
    Ok(if fractions * 2 > some.len() { 10 } else { 1 })
}

/// Receives slabs.
type Take<'a> = dyn FnMut(Counts) -> Result<()> + 'a;

impl Matrix for StoredMatrix {
    fn shape(&self) -> [usize; 2] {
        [self.cells, self.genes]
    }

    fn nonzeros(&self) -> Option<u64> {
        match &self.parts {
            Parts::Sparse { data, .. } => Some(data.len()),
            Parts::Dense(_) => None,
        }
    }

    fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    fn work(&self) -> u64 {
        match (&self.parts, self.encoding) {
            (Parts::Sparse { data, indices, .. }, Encoding::Csc) => {
                let pass = PASS / width(data).unwrap_or(1);
                let passes = data.len().div_ceil(pass).max(1);
                passes * data.bytes() + (1 + passes) * indices.bytes()
            }
            (Parts::Sparse { data, indices, .. }, _) => data.bytes() + indices.bytes(),
            (Parts::Dense(array), _) => array.bytes(),
        }
    }

    fn sample(&self) -> Result<Sample> {
        sample::sample(self)
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        match (&self.parts, self.encoding) {
            (Parts::Dense(array), _) => self.read_dense(array, meter, take),
            (Parts::Sparse { data, indices, offsets }, encoding) => {
                let sparse = Sparse { data, indices, offsets };
                if encoding == Encoding::Csc {
                    self.read_columns(&sparse, meter, take)
                } else {
                    self.read_rows(&sparse, meter, take)
                }
            }
        }
    }
}

fn checked_shape(path: &str, shape: [u64; 2]) -> Result<[usize; 2]> {
    if shape.iter().any(|&length| length > MOST) {
        return Err(damaged(path, &format!("its shape of {} cells by {} genes is impossible", shape[0], shape[1])));
    }
    Ok(shape.map(|length| length as usize))
}

fn out_of_range(path: &str, limit: usize, what: &str) -> Error {
    damaged(path, &format!("it names positions beyond its {limit} {what}"))
}
