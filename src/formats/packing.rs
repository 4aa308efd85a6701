//! Stored values of any type on their way into the few bytes that [`Counts`](crate::matrix::Counts) takes.

use super::array::Block;
use super::elements::{Number, Visit};
use crate::matrix::{CountsBuilder, pack};

/// Values that are packed at once.
const BLOCK: usize = 1 << 10;

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
        } else if value != value.trunc() {
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
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) {
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
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) -> bool {
        let empty = self.slots.is_empty();
        let largest = N::largest_position(values.clone());
        for (slot, value) in self.slots.iter_mut().zip(values) {
            *slot = T::keep(value.position());
        }
        largest < self.limit || empty
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
    /// Nearly all values are small whole numbers: blocks of those are packed without a look at each.
    fn visit<N: Number>(self, mut values: impl ExactSizeIterator<Item = N> + Clone) -> Packed {
        let mut packed = Packed { escapes: Vec::new(), tally: Tally::default() };
        let mut entry = self.first;
        for slots in self.slots.chunks_mut(BLOCK) {
            let same = values.clone();
            let mut escaped = false;
            for (slot, value) in slots.iter_mut().zip(&mut values) {
                *slot = value.small().unwrap_or(CountsBuilder::ESCAPED);
                escaped |= *slot == CountsBuilder::ESCAPED;
            }
            if escaped {
                packed.pack(entry, slots, same);
            }
            entry += slots.len() as u64;
        }
        packed
    }
}

impl Packed {
    fn pack<N: Number>(&mut self, first: u64, slots: &mut [u16], values: impl Iterator<Item = N>) {
        for ((entry, slot), value) in (first..).zip(slots).zip(values) {
            *slot = match value.small() {
                Some(small) if small != CountsBuilder::ESCAPED => small,
                _ => {
                    self.tally.note(value.f64());
                    // A value that vanishes in single precision is packed as the zero it has become.
                    pack(value.f32()).unwrap_or_else(|| {
                        self.escapes.push((entry, value.f32()));
                        CountsBuilder::ESCAPED
                    })
                }
            };
        }
    }
}
