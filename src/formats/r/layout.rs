//! A matrix as R keeps it, and the way from there to slabs of whole cells.

use super::faults::broken;
use super::numbers::{Cursor, File, Numbers};
use super::sampling;
use super::slabs::{Slabs, index, packed};
use crate::error::Result;
use crate::formats::packing::Tally;
use crate::formats::raw_counts::Sample;
use crate::formats::stored::{Matrix, Meter, SLAB};
use crate::matrix::Counts;
use std::sync::Arc;

/// A matrix of the file, cells × genes, checked for consistency but not read.
pub struct RMatrix {
    pub file: File,
    pub cells: usize,
    pub genes: usize,
    pub layout: Layout,
}

/// How the values lie.
pub enum Layout {
    /// Cell after cell; several parts hold different cells, as the layers of Seurat 5 do.
    ByCell(Vec<Part>),
    /// In any other order.
    Scattered { genes: Lines, cells: Arc<Numbers>, values: Arc<Numbers> },
    /// With zeros: columns that are cells or genes, or one vector with all of them.
    Dense { columns: Vec<Arc<Numbers>>, by_cell: bool },
}

/// A compressed matrix whose columns are cells.
pub struct Part {
    pub genes: Arc<Numbers>,
    pub values: Arc<Numbers>,
    /// Where each column begins, and the end of the last.
    pub offsets: Vec<u64>,
    /// The cell of each column; without it they are the cells in order.
    pub cells: Option<Vec<u32>>,
    /// The number of each gene in the whole; without it they are all genes in order.
    pub renumber: Option<Vec<u32>>,
}

/// The genes of entries.
pub enum Lines {
    Each(Arc<Numbers>),
    /// Where the entries of each gene begin, and the end of the last.
    Offsets(Vec<u64>),
}

type Take<'a> = dyn FnMut(Counts) -> Result<()> + 'a;
type Visit<'a> = dyn FnMut(u32, u32, f64) -> Result<()> + 'a;

impl Part {
    /// The cell of a column.
    fn cell(&self, column: usize) -> usize {
        match &self.cells {
            None => column,
            Some(cells) => cells.get(column).map_or(usize::MAX, |&cell| cell as usize),
        }
    }
}

impl Matrix for RMatrix {
    fn shape(&self) -> [usize; 2] {
        [self.cells, self.genes]
    }

    fn nonzeros(&self) -> Option<u64> {
        match &self.layout {
            Layout::ByCell(parts) => Some(parts.iter().map(|part| part.values.length).sum()),
            Layout::Scattered { values, .. } => Some(values.length),
            Layout::Dense { .. } => None,
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.layout {
            Layout::ByCell(_) => "csr",
            Layout::Scattered { genes: Lines::Offsets(_), .. } => "csc",
            Layout::Scattered { .. } => "triplets",
            Layout::Dense { .. } => "dense",
        }
    }

    fn work(&self) -> u64 {
        match &self.layout {
            Layout::ByCell(parts) => parts.iter().map(|part| part.genes.bytes() + part.values.bytes()).sum(),
            Layout::Scattered { cells, values, .. } => 2 * cells.bytes() + values.bytes(),
            Layout::Dense { columns, by_cell } => {
                let passes = if *by_cell { 1 } else { 2 };
                passes * columns.iter().map(|column| column.bytes()).sum::<u64>()
            }
        }
    }

    fn sample(&self) -> Result<Sample> {
        sampling::sample(self)
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        match &self.layout {
            Layout::ByCell(parts) => self.read_by_cell(parts, meter, take),
            Layout::Dense { columns, by_cell: true } => self.read_dense(columns, meter, take),
            _ => self.read_scattered(meter, take),
        }
    }
}

impl RMatrix {
    /// One pass: genes and counts are put to their rows as they come by. With one part a slab is handed over as soon as
    /// it is complete.
    fn read_by_cell(&self, parts: &[Part], meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut lengths = vec![0; self.cells];
        for part in parts {
            for (column, ends) in part.offsets.windows(2).enumerate() {
                let length = lengths.get_mut(part.cell(column)).ok_or_else(|| broken("a layer has unknown cells"))?;
                *length += ends[1] - ends[0];
            }
        }
        let mut slabs = Slabs::new(self.genes, &lengths)?;
        // A cell that stands in several parts, which is odd, goes on where the part before ended.
        let mut cursors: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
        if parts.len() > 1 {
            cursors = std::array::from_fn(|_| (0..self.cells).map(|cell| slabs.start(cell)).collect());
        }
        let mut vectors: Vec<(&Part, bool)> = parts.iter().flat_map(|part| [(part, false), (part, true)]).collect();
        let vector =
            |&(part, is_values): &(&Part, bool)| Arc::clone(if is_values { &part.values } else { &part.genes });
        vectors.sort_by_key(|key| vector(key).position());
        let mut tally = Tally::default();
        let (mut stream, mut passed) = (None, 0);
        for (number, key) in vectors.iter().enumerate() {
            let (part, is_values) = *key;
            let numbers = vector(key);
            let mut cursor = self.file.cursor(&numbers, stream.take())?;
            for (column, ends) in part.offsets.windows(2).enumerate() {
                let cell = part.cell(column);
                let mut rest = (ends[1] - ends[0]) as usize;
                let mut entry = match cursors[usize::from(is_values)].get_mut(cell) {
                    Some(next) => std::mem::replace(next, *next + rest as u64),
                    None => slabs.start(cell),
                };
                while rest > 0 {
                    let piece = cursor.take(rest)?;
                    match is_values {
                        true => slabs.put_values(entry, piece, &mut tally)?,
                        false => slabs.put_genes(entry, piece, part.renumber.as_deref())?,
                    }
                    entry += piece.len() as u64;
                    rest -= piece.len();
                    passed += (piece.len() * numbers.element.width()) as u64;
                }
                if passed > 1 << 20 {
                    meter.advance(std::mem::take(&mut passed));
                }
                if number == 1 && parts.len() == 1 {
                    slabs.hand_over(entry, take)?;
                }
            }
            stream = cursor.release();
        }
        slabs.hand_over(u64::MAX, take)?;
        Ok(tally)
    }

    /// Columns with zeros, of which each is a cell.
    fn read_dense(&self, columns: &[Arc<Numbers>], meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut counts = Counts::with_genes(self.genes);
        let (mut row, mut gene) = (Vec::new(), 0);
        let mut handed = 0;
        self.pass_columns(columns, meter, &mut |values| {
            for &value in values {
                if value != 0.0 {
                    row.push((gene as u32, packed(value, &mut tally).map_or_else(|single| single, f32::from)));
                }
                gene += 1;
                if gene == self.genes {
                    counts.push_row(row.drain(..));
                    gene = 0;
                    if counts.nonzeros() as u64 >= SLAB {
                        handed += counts.cells();
                        take(std::mem::replace(&mut counts, Counts::with_genes(self.genes)))?;
                    }
                }
            }
            Ok(())
        })?;
        // A matrix of no genes has rows all the same.
        while handed + counts.cells() < self.cells {
            counts.push_row([]);
        }
        take(counts)?;
        Ok(tally)
    }

    fn pass_columns(
        &self,
        columns: &[Arc<Numbers>],
        meter: &mut Meter<'_>,
        pass: &mut dyn FnMut(&[f64]) -> Result<()>,
    ) -> Result<()> {
        let mut stream = None;
        for numbers in columns {
            let mut cursor = self.file.cursor(numbers, stream.take())?;
            while cursor.rest() > 0 {
                let piece = cursor.take(usize::MAX)?;
                meter.advance(piece.len() as u64 * numbers.element.width() as u64);
                pass(piece)?;
            }
            stream = cursor.release();
        }
        Ok(())
    }

    /// Two passes: the first counts the entries of each cell, the second puts them in their rows.
    fn read_scattered(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
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
