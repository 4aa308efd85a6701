//! Stored values of any type on their way into the few bytes that [`Counts`](crate::matrix::Counts) takes.

use super::array::Block;
use super::elements::{Number, Visit};
use crate::matrix::{CountsBuilder, pack};

/// What was noticed while every value passed by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub fractions: u64,
    pub negatives: u64,
    /// NaN and infinite.
    pub not_finite: u64,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.fractions += other.fractions;
        self.negatives += other.negatives;
        self.not_finite += other.not_finite;
    }

    /// Notes a value that is no small whole number.
    pub fn note(&mut self, value: f64) {
        if !value.is_finite() {
            self.not_finite += 1;
        } else if value < 0.0 {
            self.negatives += 1;
        } else if value != libm::trunc(value) {
            self.fractions += 1;
        }
    }
}

/// The non-zero values of a block of a dense matrix.
pub struct SparseBlock {
    /// Where each row's entries end.
    pub ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
    pub tally: Tally,
}

impl SparseBlock {
    /// Takes the non-zero values.
    pub fn of(block: &Block<'_>) -> Self {
        let mut sparse = SparseBlock { ends: Vec::new(), entries: Vec::new(), tally: Tally::default() };
        for row in 0..(block.rows.end - block.rows.start) as usize {
            let visitor = IntoEntries { block: &mut sparse, first_gene: block.columns.start as u32 };
            block.element.visit(block.row(row), visitor);
            sparse.ends.push(sparse.entries.len());
        }
        sparse
    }

    /// The entries of a row of the block.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        self.entries[start..self.ends[row]].iter().copied()
    }
}

struct IntoEntries<'a> {
    block: &'a mut SparseBlock,
    first_gene: u32,
}

impl Visit for IntoEntries<'_> {
    type Output = ();
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N>) {
        for (gene, value) in (self.first_gene..).zip(values) {
            let small = value.small();
            if small == Some(0) {
                continue;
            }
            if small.is_none() {
                self.block.tally.note(value.f64());
            }
            self.block.entries.push((gene, value.f32()));
        }
    }
}

/// A position as it is kept: in two bytes, or in four.
pub trait Slot {
    /// Keeps the low bytes; the caller looks at the limit.
    fn keep(position: u64) -> Self;
}

impl Slot for u16 {
    fn keep(position: u64) -> Self {
        position as u16
    }
}

impl Slot for u32 {
    fn keep(position: u64) -> Self {
        position as u32
    }
}

/// Writes positions; says whether all lie below the limit.
pub struct IntoSlots<'a, T> {
    pub slots: &'a mut [T],
    pub limit: u64,
}

impl<T: Slot> Visit for IntoSlots<'_, T> {
    type Output = bool;
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N>) -> bool {
        let mut largest = 0;
        for (slot, value) in self.slots.iter_mut().zip(values) {
            let position = value.position();
            largest = largest.max(position);
            *slot = T::keep(position);
        }
        largest < self.limit || self.slots.is_empty()
    }
}

/// Values that two bytes do not hold, with their entry, and what was noticed.
pub struct Packed {
    pub escapes: Vec<(u64, f32)>,
    pub tally: Tally,
}

/// Packs values into two bytes.
pub struct IntoPacked<'a> {
    pub slots: &'a mut [u16],
    /// The number of the first value's entry.
    pub first: u64,
}

impl Visit for IntoPacked<'_> {
    type Output = Packed;
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N>) -> Packed {
        let mut packed = Packed { escapes: Vec::new(), tally: Tally::default() };
        for ((entry, slot), value) in (self.first..).zip(self.slots).zip(values) {
            *slot = match value.small() {
                Some(small) if small != CountsBuilder::ESCAPED => small,
                _ => {
                    packed.tally.note(value.f64());
                    // A value that vanishes in single precision is packed as the zero it has become.
                    pack(value.f32()).unwrap_or_else(|| {
                        packed.escapes.push((entry, value.f32()));
                        CountsBuilder::ESCAPED
                    })
                }
            };
        }
        packed
    }
}
