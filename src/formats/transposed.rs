//! A dense matrix of genes × cells, as Loom stores it.

use super::array::NumericArray;
use super::chunks::IN_FLIGHT;
use super::elements::{Number, Visit};
use super::packing::{SparseBlock, Tally};
use super::raw_counts::Sample;
use super::stored::{Matrix, Meter, SLAB};
use crate::error::{Error, Result};
use crate::matrix::Counts;
use std::ops::Range;

/// Entries that are gathered by cell at once; they take several times the room that they take as counts.
const GATHERED: u64 = SLAB / 4;
/// Blocks that are looked at for a sample, and neighbouring cells in each.
const PLACES: u64 = 4;
const CELLS: u64 = 16;

/// A matrix whose columns are cells.
pub struct Transposed {
    array: NumericArray,
}

impl Transposed {
    /// # Errors
    /// When the array has one dimension.
    pub fn new(array: NumericArray) -> Result<Self> {
        if array.rank() != 2 {
            let path = array.path();
            return Err(Error::input(format!(
                "\"{path}\" should be a matrix of genes by cells and has one dimension."
            )));
        }
        Ok(Transposed { array })
    }

    /// Decodes some blocks of columns, band by band.
    fn visit<R: Send>(
        &self,
        blocks: Range<u64>,
        advance: &mut dyn FnMut(u64),
        convert: impl Fn(super::array::Block<'_>) -> R + Sync,
        mut take: impl FnMut(R),
    ) -> Result<()> {
        let width = (blocks.end - blocks.start) * self.array.chunk_columns() * self.array.chunk_rows();
        let step = (IN_FLIGHT / (width * self.array.element_bytes()).max(1)).max(1);
        let mut band = 0;
        while band < self.array.bands() {
            let end = (band + step).min(self.array.bands());
            self.array.decode_blocks(band..end, blocks.clone(), advance, &convert)?.into_iter().for_each(&mut take);
            band = end;
        }
        Ok(())
    }

    /// The non-zero values of some cells, from a few blocks spread over the matrix.
    fn some_cells(&self) -> Result<Vec<Vec<f64>>> {
        let (_, cells) = self.array.shape();
        let (across, width) = (self.array.blocks_across(), self.array.chunk_columns());
        let places = PLACES.min(across);
        let mut found = Vec::new();
        for place in 0..places {
            let block = across * place / places;
            let columns = block * width..((block + 1) * width).min(cells);
            // Where there are few blocks, more cells are taken from each.
            let count = (CELLS * PLACES / places.max(1)).min(columns.end - columns.start);
            let step = ((columns.end - columns.start) / count.max(1)).max(1);
            let first = found.len();
            found.resize_with(first + count as usize, Vec::new);
            let pick = |block: super::array::Block<'_>| -> Vec<Vec<f64>> {
                let rows = (block.rows.end - block.rows.start) as usize;
                let picker = || Picker { step: step as usize, count: count as usize };
                (0..rows).map(|row| block.element.visit(block.row(row), picker())).collect()
            };
            self.visit(block..block + 1, &mut |_| {}, pick, |rows| {
                for row in rows {
                    for (cell, value) in found[first..].iter_mut().zip(row) {
                        if value != 0.0 {
                            cell.push(value);
                        }
                    }
                }
            })?;
        }
        Ok(found)
    }

    /// Gathers the entries of some cells.
    fn window(&self, cells: Range<u64>, meter: &mut Meter<'_>, tally: &mut Tally) -> Result<Counts> {
        let (genes, _) = self.array.shape();
        let width = self.array.chunk_columns();
        let mut rows: Vec<Vec<(u32, f32)>> = vec![Vec::new(); (cells.end - cells.start) as usize];
        let blocks = cells.start / width..cells.end.div_ceil(width);
        let convert =
            |block: super::array::Block<'_>| (block.rows.start as u32, block.columns.start, SparseBlock::of(&block));
        self.visit(blocks, &mut |bytes| meter.advance(bytes), convert, |(first, column, block)| {
            // A block that several windows share is judged once.
            if column >= cells.start {
                tally.add(block.tally);
            }
            for (gene, row) in (first..).zip(0..block.ends.len()) {
                for (cell, value) in block.row(row) {
                    if let Some(cell) = u64::from(cell).checked_sub(cells.start)
                        && let Some(entries) = rows.get_mut(cell as usize)
                    {
                        entries.push((gene, value));
                    }
                }
            }
        })?;
        let mut counts = Counts::with_genes(genes as usize);
        rows.into_iter().for_each(|entries| counts.push_row(entries));
        Ok(counts)
    }
}

impl Matrix for Transposed {
    fn shape(&self) -> [usize; 2] {
        let (genes, cells) = self.array.shape();
        [cells as usize, genes as usize]
    }

    fn nonzeros(&self) -> Option<u64> {
        None
    }

    fn encoding(&self) -> &'static str {
        "dense"
    }

    fn work(&self) -> u64 {
        self.array.bytes()
    }

    fn sample(&self) -> Result<Sample> {
        Ok(Sample::of_whole_cells(self.some_cells()?))
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<Tally> {
        let (_, cells) = self.array.shape();
        let some = self.some_cells()?;
        let entries: usize = some.iter().map(Vec::len).sum();
        let in_a_cell = (entries / some.len().max(1)).max(1) as u64;
        let (fitting, width) = ((GATHERED / in_a_cell).max(1), self.array.chunk_columns());
        // Whole blocks, so that none is decoded twice; unless a block is more than fits.
        let step = if fitting >= width { fitting / width * width } else { fitting };
        let mut tally = Tally::default();
        let mut first = 0;
        while first < cells {
            let end = first.saturating_add(step).min(cells);
            take(self.window(first..end, meter, &mut tally)?)?;
            first = end;
        }
        Ok(tally)
    }
}

/// Takes evenly spread values of a row.
struct Picker {
    step: usize,
    count: usize,
}

impl Visit for Picker {
    type Output = Vec<f64>;
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) -> Vec<f64> {
        values.step_by(self.step).take(self.count).map(Number::f64).collect()
    }
}
