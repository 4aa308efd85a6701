//! Entries that come gene by gene, or in no order, on their way to the rows of their cells.

use super::reading::check_memory;
use crate::error::Result;
use crate::matrix::{Counts, CountsBuilder, GenesMut};

/// Entries of a slab, about.
pub const SLAB: u64 = 4 << 20;
/// Cells of a slab at most: unfiltered matrices have millions without a count.
pub const SLAB_CELLS: usize = 1 << 20;

/// Rows of known lengths, by slabs of whole cells.
pub struct Scatter {
    slabs: Vec<Slab>,
    /// For each cell, the next free entry in its slab.
    next: Vec<u32>,
}

struct Slab {
    first_cell: usize,
    builder: CountsBuilder,
    escapes: Vec<(u64, f32)>,
    /// For each cell, the end of its entries.
    ends: Vec<u32>,
}

impl Scatter {
    /// Room for `lengths` entries in each cell, which were counted and not just claimed.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(genes: usize, lengths: &[u32]) -> Result<Self> {
        let total = lengths.iter().map(|&length| u64::from(length)).sum();
        check_memory(total, genes, u64::MAX)?;
        let mut slabs = Vec::new();
        let mut next = Vec::with_capacity(lengths.len());
        let mut first = 0;
        while first < lengths.len() {
            let mut offsets = vec![0];
            let mut end = 0;
            let mut ends = Vec::new();
            for &length in lengths[first..].iter().take(SLAB_CELLS) {
                if end > 0 && end + u64::from(length) > SLAB {
                    break;
                }
                next.push(end as u32);
                end += u64::from(length);
                offsets.push(end);
                ends.push(end as u32);
            }
            let cells = offsets.len() - 1;
            let builder = CountsBuilder::new(genes, offsets);
            slabs.push(Slab { first_cell: first, builder, escapes: Vec::new(), ends });
            first += cells;
        }
        Ok(Scatter { slabs, next })
    }

    /// Puts an entry into its cell; `value` is what [`crate::matrix::pack`] made of it, or `None` when it
    /// needs all of `count`. False when the cell has no room: the content is not what was counted.
    pub fn put(&mut self, cell: u32, gene: u32, value: Option<u16>, count: f32) -> bool {
        let cell = cell as usize;
        let slab = self.slabs.partition_point(|slab| slab.first_cell <= cell);
        let Some(slab) = slab.checked_sub(1).and_then(|slab| self.slabs.get_mut(slab)) else {
            return false;
        };
        let Some(next) = self.next.get_mut(cell) else {
            return false;
        };
        if slab.ends.get(cell - slab.first_cell).is_none_or(|end| *next >= *end) {
            return false;
        }
        let slot = *next as usize;
        *next += 1;
        let (genes, values) = slab.builder.parts();
        match genes {
            GenesMut::Narrow(genes) => genes[slot] = gene as u16,
            GenesMut::Wide(genes) => genes[slot] = gene,
        }
        values[slot] = value.unwrap_or(CountsBuilder::ESCAPED);
        if value.is_none() {
            slab.escapes.push((slot as u64, count));
        }
        true
    }

    /// Hands the rows over, sorted. Slots that were never filled become zeros and vanish.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn finish(self, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<()> {
        for slab in self.slabs {
            let mut builder = slab.builder;
            builder.escape(slab.escapes);
            take(builder.finish())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::pack;

    #[test]
    fn entries_in_any_order_become_rows() {
        for genes in [5, 70_000] {
            let mut scatter = Scatter::new(genes, &[2, 0, 3]).unwrap();
            for (cell, gene, count) in [(2, 4, 1.0), (0, 3, 70_000.0), (2, 1, 0.5), (0, 3, 1.0), (2, 1, 2.0)] {
                assert!(scatter.put(cell, gene, pack(count), count));
            }
            assert!(!scatter.put(1, 0, Some(1), 1.0), "no room");
            assert!(!scatter.put(0, 0, Some(1), 1.0), "no room left");
            assert!(!scatter.put(3, 0, Some(1), 1.0), "no such cell");
            let mut rows: Vec<Vec<(u32, f32)>> = Vec::new();
            let take = &mut |counts: Counts| {
                rows.extend((0..counts.cells()).map(|cell| counts.row(cell).collect()));
                Ok(())
            };
            scatter.finish(take).unwrap();
            assert_eq!(rows, [vec![(3, 70_001.0)], vec![], vec![(1, 2.5), (4, 1.0)]]);
        }
    }

    #[test]
    fn large_matrices_come_in_slabs() {
        let lengths = vec![1 << 20; 9];
        let scatter = Scatter::new(3, &lengths).unwrap();
        let mut cells = Vec::new();
        scatter
            .finish(&mut |counts| {
                cells.push(counts.cells());
                Ok(())
            })
            .unwrap();
        assert_eq!(cells, [4, 4, 1]);
    }
}
