//! Matrices that are stored gene after gene, on their way into rows.

use super::{PASS, Parts, Sparse, StoredMatrix, Take, out_of_range, width};
use crate::error::Result;
use crate::formats::array::NumericArray;
use crate::formats::packing::{IntoPacked, IntoSlots, Tally};
use crate::formats::reading::check_memory;
use crate::formats::stored::Meter;
use crate::matrix::{CountsBuilder, GenesMut};
use std::ops::Range;

/// Entries that are scattered from columns into rows at once.
const SLICE: u64 = 4 << 20;

impl StoredMatrix {
    /// A first pass counts the entries of each cell; then each pass puts as many cells in their rows as fit. Genes come
    /// in ascending order, so rows are sorted.
    pub(super) fn read_columns(
        &self,
        sparse: &Sparse<'_>,
        meter: &mut Meter<'_>,
        take: &mut Take<'_>,
    ) -> Result<Tally> {
        let mut lengths = vec![0u64; self.cells];
        let mut cells = Vec::new();
        for slice in slices(sparse.data, sparse.indices) {
            self.read_cells(sparse.indices, slice, &mut cells, meter)?;
            for &cell in &cells {
                lengths[cell as usize] += 1;
            }
        }
        let pass = PASS / width(sparse.data)?;
        let mut tally = Tally::default();
        let mut first = 0;
        while first < self.cells {
            let mut offsets = vec![0];
            let mut entries = 0;
            let mut next = first;
            while next < self.cells && (next == first || entries + lengths[next] <= pass) {
                entries += lengths[next];
                offsets.push(entries);
                next += 1;
            }
            check_memory(entries, self.genes, u64::MAX)?;
            let mut builder = CountsBuilder::new(self.genes, offsets.clone());
            // Every pass sees all values; one of them is enough to judge them.
            let seen = self.scatter(sparse, first..next, offsets, &mut builder, meter)?;
            if first == 0 {
                tally = seen;
            }
            take(builder.finish())?;
            first = next;
        }
        Ok(tally)
    }

    /// Puts the entries of some cells in their rows; `cursors` are where the rows begin.
    fn scatter(
        &self,
        sparse: &Sparse<'_>,
        wanted: Range<usize>,
        mut cursors: Vec<u64>,
        builder: &mut CountsBuilder,
        meter: &mut Meter<'_>,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut escapes = Vec::new();
        let (mut cells, mut values) = (Vec::new(), Vec::new());
        let mut gene = 0;
        for slice in slices(sparse.data, sparse.indices) {
            self.read_cells(sparse.indices, slice.clone(), &mut cells, meter)?;
            values.clear();
            values.resize(cells.len(), 0u16);
            let first = slice.start;
            let advance = &mut |bytes| meter.advance(bytes);
            let packed = sparse.data.decode(slice, &mut values, advance, |values, first, slots| {
                values.visit(IntoPacked { slots, first })
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
                while sparse.offsets.get(gene + 1).is_some_and(|&end| end <= entry) {
                    gene += 1;
                }
                let escape = escaped.next_if(|&(position, _)| position == entry);
                if !wanted.contains(&(cell as usize)) {
                    continue;
                }
                let cursor = &mut cursors[cell as usize - wanted.start];
                let slot = *cursor as usize;
                *cursor += 1;
                match &mut genes {
                    GenesMut::Narrow(genes) => genes[slot] = gene as u16,
                    GenesMut::Wide(genes) => genes[slot] = gene as u32,
                }
                slots[slot] = value;
                if let Some((_, value)) = escape {
                    escapes.push((slot as u64, value));
                }
            }
        }
        builder.escape(escapes);
        Ok(tally)
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
        let fits =
            indices.decode(slice, cells, advance, |values, _, slots| values.visit(IntoSlots { slots, limit }))?;
        if fits.contains(&false) {
            return Err(out_of_range(indices.path(), self.cells, "cells"));
        }
        Ok(())
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
        let progress = crate::progress::Progress::silent();
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

/// Slices of entries that begin where chunks begin.
fn slices(data: &NumericArray, indices: &NumericArray) -> impl Iterator<Item = Range<u64>> {
    let chunk = data.chunk_rows().max(indices.chunk_rows()).max(1);
    let step = SLICE.div_ceil(chunk).saturating_mul(chunk);
    let length = data.len();
    let count = length.div_ceil(step);
    (0..count).map(move |slice| slice * step..((slice + 1) * step).min(length))
}
