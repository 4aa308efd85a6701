//! Matrices that are not stored cell by cell: their entries are counted first and then put to their rows.

use super::faults::broken;
use super::layout::{Layout, Lines, RMatrix, Take};
use super::numbers::Cursor;
use super::slabs::{Slabs, index};
use crate::error::Result;
use crate::formats::packing::Tally;
use crate::formats::stored::Meter;

/// Looks at an entry: gene, cell, value.
type Visit<'a> = dyn FnMut(u32, u32, f64) -> Result<()> + 'a;

impl RMatrix {
    /// Two passes: the first counts the entries of each cell, the second puts them in their rows.
    ///
    /// # Errors
    /// When the data are damaged, there is not enough memory, or `take` fails.
    pub fn read_scattered(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut lengths = vec![0; self.cells];
        self.entries(false, meter, &mut |_, cell, _| {
            lengths[cell as usize] += 1;
            Ok(())
        })?;
        let mut slabs = Slabs::new(self.genes, &lengths)?;
        let mut next: Vec<u64> = (0..self.cells).map(|cell| slabs.start(cell)).collect();
        let mut tally = Tally::default();
        self.entries(true, meter, &mut |gene, cell, value| {
            let cursor = &mut next[cell as usize];
            *cursor += 1;
            slabs.put(*cursor - 1, gene, value, &mut tally)
        })?;
        slabs.hand_over(u64::MAX, take)?;
        Ok(tally)
    }

    /// Visits all entries of a matrix that is not stored by cell: gene, cell, value. Without `values` only the cells are
    /// true.
    ///
    /// # Errors
    /// When the data are damaged, or `visit` fails.
    pub fn entries(&self, values: bool, meter: &mut Meter<'_>, visit: &mut Visit<'_>) -> Result<()> {
        match &self.layout {
            Layout::Scattered { genes, cells, values: stored } => {
                let mut cells = self.file.cursor(cells, None)?;
                let mut genes = match genes {
                    Lines::Each(numbers) if values => Genes::Each(Box::new(self.file.cursor(numbers, None)?)),
                    Lines::Offsets(offsets) => Genes::Offsets { offsets, gene: 0, entry: 0 },
                    Lines::Each(_) => Genes::Unknown,
                };
                let mut stored = if values { Some(self.file.cursor(stored, None)?) } else { None };
                while cells.rest() > 0 {
                    let cell = index(one(&mut cells)?, self.cells);
                    let cell = cell.ok_or_else(|| broken("its matrix names positions beyond its cells"))?;
                    let gene = genes.next(self.genes)?;
                    let value = match &mut stored {
                        Some(stored) => one(stored)?,
                        None => 1.0,
                    };
                    if cells.rest() % (1 << 16) == 0 {
                        meter.advance(1 << if values { 20 } else { 18 });
                    }
                    visit(gene, cell, value)?;
                }
                Ok(())
            }
            Layout::Dense { columns, .. } => {
                let (mut gene, mut cell) = (0, 0);
                self.pass_columns(columns, meter, &mut |piece| {
                    for &value in piece {
                        if value != 0.0 {
                            visit(gene, cell, value)?;
                        }
                        cell += 1;
                        if cell as usize == self.cells {
                            cell = 0;
                            gene += 1;
                        }
                    }
                    Ok(())
                })
            }
            Layout::ByCell(_) => Ok(()),
        }
    }
}

/// The genes of entries as they pass by.
enum Genes<'a> {
    Each(Box<Cursor>),
    Offsets { offsets: &'a [u64], gene: u32, entry: u64 },
    Unknown,
}

impl Genes<'_> {
    fn next(&mut self, limit: usize) -> Result<u32> {
        match self {
            Genes::Each(cursor) => {
                let gene = index(one(cursor)?, limit);
                gene.ok_or_else(|| broken("its matrix names positions beyond its genes"))
            }
            Genes::Offsets { offsets, gene, entry } => {
                while offsets.get(*gene as usize + 1).is_some_and(|end| end <= entry) {
                    *gene += 1;
                }
                *entry += 1;
                Ok(*gene)
            }
            Genes::Unknown => Ok(0),
        }
    }
}

fn one(cursor: &mut Cursor) -> Result<f64> {
    cursor.take(1)?.first().copied().ok_or_else(|| broken("a vector is shorter than it should be"))
}
