//! Cells that come one after the other, on their way out by slabs.

use super::scatter::{SLAB, SLAB_CELLS};
use crate::error::Result;
use crate::matrix::{Counts, CountsBuilder, GenesMut};

/// Takes the slabs of a matrix.
pub type Take<'a> = dyn FnMut(Counts) -> Result<()> + 'a;

/// Entries of consecutive cells, until they are enough for a slab.
pub struct Slabs {
    genes_of_matrix: usize,
    offsets: Vec<u64>,
    genes: Vec<u32>,
    values: Vec<u16>,
    escapes: Vec<(u64, f32)>,
}

impl Slabs {
    pub fn new(genes: usize) -> Self {
        Slabs { genes_of_matrix: genes, offsets: vec![0], genes: Vec::new(), values: Vec::new(), escapes: Vec::new() }
    }

    /// Adds entries to the current cell. `values` are packed; where they are
    /// [`CountsBuilder::ESCAPED`], `escapes` has the count.
    pub fn extend(&mut self, genes: &[u32], values: &[u16], escapes: impl Iterator<Item = f32>) {
        let first = self.values.len();
        self.genes.extend_from_slice(genes);
        self.values.extend_from_slice(values);
        let escaped = (first as u64..).zip(values).filter(|(_, value)| **value == CountsBuilder::ESCAPED);
        // Rarely any: the values are only looked at when there are.
        let mut escapes = escapes.peekable();
        if escapes.peek().is_some() {
            self.escapes.extend(escaped.map(|(entry, _)| entry).zip(escapes));
        }
    }

    /// Begins the next cell, and hands the cells before it over when they are enough.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn end_cell(&mut self, take: &mut Take<'_>) -> Result<()> {
        self.offsets.push(self.values.len() as u64);
        if self.values.len() as u64 >= SLAB || self.offsets.len() > SLAB_CELLS {
            return self.hand_over(take);
        }
        Ok(())
    }

    /// Hands over what is left.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn finish(mut self, take: &mut Take<'_>) -> Result<()> {
        if self.offsets.len() > 1 { self.hand_over(take) } else { Ok(()) }
    }

    fn hand_over(&mut self, take: &mut Take<'_>) -> Result<()> {
        let mut builder = CountsBuilder::new(self.genes_of_matrix, std::mem::replace(&mut self.offsets, vec![0]));
        let (genes, values) = builder.parts();
        match genes {
            GenesMut::Narrow(slots) => {
                for (slot, &gene) in slots.iter_mut().zip(&self.genes) {
                    *slot = gene as u16;
                }
            }
            GenesMut::Wide(slots) => slots.copy_from_slice(&self.genes),
        }
        values.copy_from_slice(&self.values);
        builder.escape(self.escapes.drain(..));
        self.genes.clear();
        self.values.clear();
        take(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_out_as_they_went_in() {
        let mut slabs = Slabs::new(10);
        let mut rows: Vec<Vec<(u32, f32)>> = Vec::new();
        let take = &mut |counts: Counts| {
            rows.extend((0..counts.cells()).map(|cell| counts.row(cell).collect()));
            Ok(())
        };
        slabs.extend(&[3, 1], &[7, CountsBuilder::ESCAPED], [0.5].into_iter());
        slabs.extend(&[1], &[2], std::iter::empty());
        slabs.end_cell(take).unwrap();
        slabs.end_cell(take).unwrap();
        slabs.extend(&[9], &[CountsBuilder::ESCAPED], [70_000.0].into_iter());
        slabs.extend(&[2], &[0], std::iter::empty());
        slabs.end_cell(take).unwrap();
        slabs.finish(take).unwrap();
        assert_eq!(rows, [vec![(1, 2.5), (3, 7.0)], vec![], vec![(9, 70_000.0)]]);
    }

    #[test]
    fn slabs_end_with_cells() {
        let mut slabs = Slabs::new(10);
        let mut seen = Vec::new();
        let take = &mut |counts: Counts| {
            seen.push((counts.cells(), counts.nonzeros()));
            Ok(())
        };
        let genes = vec![5; 1 << 20];
        let values = vec![1; 1 << 20];
        for _ in 0..5 {
            slabs.extend(&genes, &values, std::iter::empty());
            slabs.extend(&[4], &[1], std::iter::empty());
            slabs.end_cell(take).unwrap();
        }
        slabs.finish(take).unwrap();
        assert_eq!(seen, [(4, 8), (1, 2)]);
    }
}
