//! A matrix in the making: rows of known lengths, filled in any order, handed over slab by slab.

use super::faults::broken;
use crate::error::{Error, Result};
use crate::formats::packing::Tally;
use crate::formats::reading::check_memory;
use crate::formats::stored::SLAB;
use crate::matrix::{Counts, CountsBuilder, GenesMut, pack};

/// Rows of known lengths.
pub struct Slabs {
    genes: usize,
    /// Where each row begins among all entries, and the end of the last.
    offsets: Vec<u64>,
    slabs: Vec<Slab>,
    /// Slabs that were handed over.
    done: usize,
}

struct Slab {
    /// The first of its entries, and the one behind the last.
    entries: (u64, u64),
    builder: Option<CountsBuilder>,
    escapes: Vec<(u64, f32)>,
}

impl Slabs {
    /// Makes room for rows of these lengths.
    ///
    /// # Errors
    /// When there is not so much memory.
    pub fn new(genes: usize, lengths: &[u64]) -> Result<Self> {
        Self::with_entries(genes, lengths, SLAB)
    }

    /// Slabs of at most so many entries, unless a row has more.
    fn with_entries(genes: usize, lengths: &[u64], most: u64) -> Result<Self> {
        let mut offsets = Vec::with_capacity(lengths.len() + 1);
        let mut end = 0;
        offsets.push(end);
        for length in lengths {
            end += length;
            offsets.push(end);
        }
        check_memory(end, genes, SLAB * 4)?;
        let mut slabs = Vec::new();
        let mut first = 0;
        while first < lengths.len() || slabs.is_empty() {
            let start = offsets[first];
            let fits = offsets.partition_point(|&end| end <= start.saturating_add(most));
            let next = fits.saturating_sub(1).max(first + 1).min(lengths.len());
            let rows = offsets[first..=next].iter().map(|offset| offset - start).collect();
            let builder = Some(CountsBuilder::new(genes, rows));
            slabs.push(Slab { entries: (start, offsets[next]), builder, escapes: Vec::new() });
            first = next.max(first + 1);
        }
        Ok(Slabs { genes, offsets, slabs, done: 0 })
    }

    /// Where a row begins.
    pub fn start(&self, row: usize) -> u64 {
        self.offsets.get(row).copied().unwrap_or(u64::MAX)
    }

    fn slab(&mut self, entry: u64) -> Option<&mut Slab> {
        let place = self.slabs.partition_point(|slab| slab.entries.1 <= entry);
        self.slabs.get_mut(place).filter(|slab| slab.entries.0 <= entry)
    }

    /// Writes the genes of neighbouring entries of one row.
    ///
    /// # Errors
    /// When they are no genes, or do not fit.
    pub fn put_genes(&mut self, entry: u64, values: &[f64], renumber: Option<&[u32]>) -> Result<()> {
        let limit = self.genes;
        let gene = |value: f64| match renumber {
            None => index(value, limit),
            Some(renumber) => index(value, renumber.len()).and_then(|old| renumber.get(old as usize)).copied(),
        };
        let Some(slots) = self.range(entry, values.len()) else {
            return Err(does_not_fit());
        };
        let (builder, range) = slots;
        let mut fits = true;
        let genes = values.iter().map(|&value| {
            gene(value).unwrap_or_else(|| {
                fits = false;
                0
            })
        });
        match builder.parts().0 {
            GenesMut::Narrow(slots) => {
                slots[range].iter_mut().zip(genes).for_each(|(slot, gene)| *slot = gene as u16);
            }
            GenesMut::Wide(slots) => slots[range].iter_mut().zip(genes).for_each(|(slot, gene)| *slot = gene),
        }
        if fits { Ok(()) } else { Err(broken("its matrix names positions beyond its genes")) }
    }

    /// Writes the counts of neighbouring entries of one row.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn put_values(&mut self, entry: u64, values: &[f64], tally: &mut Tally) -> Result<()> {
        let Some((builder, range)) = self.range(entry, values.len()) else {
            return Err(does_not_fit());
        };
        let start = range.start as u64;
        let mut escapes = Vec::new();
        let slots = &mut builder.parts().1[range];
        for (place, (slot, &value)) in (start..).zip(slots.iter_mut().zip(values)) {
            *slot = packed(value, tally).unwrap_or_else(|single| {
                escapes.push((place, single));
                CountsBuilder::ESCAPED
            });
        }
        if !escapes.is_empty()
            && let Some(slab) = self.slab(entry)
        {
            slab.escapes.extend(escapes);
        }
        Ok(())
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn put(&mut self, entry: u64, gene: u32, value: f64, tally: &mut Tally) -> Result<()> {
        self.put_genes(entry, &[f64::from(gene)], None)?;
        self.put_values(entry, &[value], tally)
    }

    fn range(&mut self, entry: u64, count: usize) -> Option<(&mut CountsBuilder, std::ops::Range<usize>)> {
        let slab = self.slab(entry)?;
        let (start, end) = slab.entries;
        if entry + count as u64 > end {
            return None;
        }
        let first = (entry - start) as usize;
        Some((slab.builder.as_mut()?, first..first + count))
    }

    /// Hands over the slabs whose entries all lie before `entry`.
    ///
    /// # Errors
    /// When `take` fails.
    pub fn hand_over(&mut self, entry: u64, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<()> {
        while let Some(slab) = self.slabs.get_mut(self.done).filter(|slab| slab.entries.1 <= entry) {
            self.done += 1;
            if let Some(mut builder) = slab.builder.take() {
                builder.escape(std::mem::take(&mut slab.escapes));
                take(builder.finish())?;
            }
        }
        Ok(())
    }
}

fn does_not_fit() -> Error {
    broken("its matrix has more entries in a cell than it says")
}

/// A position below `limit`.
pub fn index(value: f64, limit: usize) -> Option<u32> {
    (value >= 0.0 && value < limit as f64).then_some(value as u32)
}

/// A count in two bytes, or as it needs an entry of its own.
pub fn packed(value: f64, tally: &mut Tally) -> std::result::Result<u16, f32> {
    let small = value as u16;
    if small != CountsBuilder::ESCAPED && f64::from(small) == value {
        return Ok(small);
    }
    tally.note(value);
    pack(value as f32).ok_or(value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slabs_are_filled_in_any_order_and_handed_over_in_theirs() {
        for genes in [9, 70_000] {
            let lengths = [2, 0, 3, 1, 0];
            let mut slabs = Slabs::with_entries(genes, &lengths, 3).unwrap();
            let mut tally = Tally::default();
            let mut handed = Vec::new();
            let mut take = |slab: Counts| {
                handed.push(slab);
                Ok(())
            };
            slabs.put(slabs.start(3), 8, 0.5, &mut tally).unwrap();
            slabs.put_genes(0, &[3.0, 1.0], None).unwrap();
            slabs.put_genes(slabs.start(2), &[0.0, 2.0, 1.0], Some(&[4, 5, 5])).unwrap();
            slabs.put_values(0, &[70_000.0, 2.0], &mut tally).unwrap();
            slabs.hand_over(2, &mut take).unwrap();
            slabs.put_values(slabs.start(2), &[1.0, 2.0, 3.0], &mut tally).unwrap();
            let broken = |what: &str| {
                format!(
                    "its R data cannot be read: {what}. The file is damaged or was not written completely; copy or download \
                     it again, or save it again in R with `saveRDS(object, \"file.rds\")`."
                )
            };
            assert_eq!(
                slabs.put_values(slabs.start(3), &[1.0, 1.0], &mut tally).unwrap_err().message,
                broken("its matrix has more entries in a cell than it says")
            );
            assert_eq!(
                slabs.put_genes(slabs.start(3), &[genes as f64], None).unwrap_err().message,
                broken("its matrix names positions beyond its genes")
            );
            slabs.put_genes(slabs.start(3), &[8.0], None).unwrap();
            slabs.hand_over(u64::MAX, &mut take).unwrap();
            let rows: [&[&[(u32, f32)]]; 3] =
                [&[&[(1, 2.0), (3, 70_000.0)], &[]], &[&[(4, 1.0), (5, 5.0)]], &[&[(8, 0.5)], &[]]];
            for (slab, rows) in handed.iter().zip(rows) {
                let mut pushed = Counts::with_genes(genes);
                rows.iter().for_each(|row| pushed.push_row(row.iter().copied()));
                assert_eq!(*slab, pushed);
            }
            assert_eq!(handed.len(), 3);
            assert_eq!(tally, Tally { fractions: 1, ..Tally::default() });
        }
    }
}
