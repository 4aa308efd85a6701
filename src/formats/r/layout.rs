//! A matrix as R keeps it, and the way from there to slabs of whole cells.

use super::faults::broken;
use super::numbers::{Cursor, File, Numbers};
use super::sampling;
use super::slabs::{Slabs, packed};
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

/// Takes a slab.
pub type Take<'a> = dyn FnMut(Counts) -> Result<()> + 'a;

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
            Layout::ByCell(parts) => match in_order(parts) {
                Some(parts) => self.read_in_order(&parts, meter, take),
                None => self.read_parts(parts, meter, take),
            },
            Layout::Dense { columns, by_cell: true } => self.read_dense(columns, meter, take),
            _ => self.read_scattered(meter, take),
        }
    }
}

impl RMatrix {
    /// Parts whose cells follow one another: two streams, one of genes and one of counts, run side by side, so that no
    /// more than a slab is in memory. That the second has to pass the genes costs less than keeping them would.
    fn read_in_order(&self, parts: &[&Part], meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut tally = Tally::default();
        let (mut of_genes, mut of_values) = (None, None);
        for part in parts {
            let mut genes = self.file.cursor(&part.genes, of_genes.take())?;
            let mut values = self.file.cursor(&part.values, of_values.take())?;
            for run in runs(&part.offsets, SLAB) {
                let lengths: Vec<u64> = part.offsets[run].windows(2).map(|ends| ends[1] - ends[0]).collect();
                let count: u64 = lengths.iter().sum();
                let mut slab = Slabs::new(self.genes, &lengths)?;
                pass(&mut genes, count, meter, |entry, piece| slab.put_genes(entry, piece, part.renumber.as_deref()))?;
                pass(&mut values, count, meter, |entry, piece| slab.put_values(entry, piece, &mut tally))?;
                slab.hand_over(u64::MAX, take)?;
            }
            (of_genes, of_values) = (genes.release(), values.release());
        }
        Ok(tally)
    }

    /// Parts whose cells stand in another order than their own: genes and counts are put to their rows as they come by.
    fn read_parts(&self, parts: &[Part], meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut lengths = vec![0; self.cells];
        for part in parts {
            for (column, ends) in part.offsets.windows(2).enumerate() {
                let length = lengths.get_mut(part.cell(column)).ok_or_else(|| broken("a layer has unknown cells"))?;
                *length += ends[1] - ends[0];
            }
        }
        let mut slabs = Slabs::new(self.genes, &lengths)?;
        // A cell that stands in several parts, which is odd, goes on where the part before ended.
        let mut cursors: [Vec<u64>; 2] =
            std::array::from_fn(|_| (0..self.cells).map(|cell| slabs.start(cell)).collect());
        let mut vectors: Vec<(&Part, bool)> = parts.iter().flat_map(|part| [(part, false), (part, true)]).collect();
        let vector =
            |&(part, is_values): &(&Part, bool)| Arc::clone(if is_values { &part.values } else { &part.genes });
        vectors.sort_by_key(|key| vector(key).position());
        let mut tally = Tally::default();
        let (mut stream, mut passed) = (None, 0);
        for key in &vectors {
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

    /// Passes all values of columns with zeros.
    ///
    /// # Errors
    /// When they cannot be read, or `pass` fails.
    pub fn pass_columns(
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
}

/// The parts in the order of the file, when their cells follow one another in it.
fn in_order(parts: &[Part]) -> Option<Vec<&Part>> {
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by_key(|part| (part.genes.position(), part.values.position()));
    let cells =
        sorted.iter().flat_map(|part| (0..part.offsets.len().saturating_sub(1)).map(|column| part.cell(column)));
    cells.enumerate().all(|(place, cell)| place == cell || parts.len() == 1).then_some(sorted)
}

/// Runs of columns with at most so many entries, as ranges of their offsets.
fn runs(offsets: &[u64], most: u64) -> impl Iterator<Item = std::ops::RangeInclusive<usize>> + '_ {
    let columns = offsets.len().saturating_sub(1);
    let mut first = 0;
    std::iter::from_fn(move || {
        let start = *offsets.get(first).filter(|_| first < columns)?;
        let fits = offsets.partition_point(|&end| end <= start.saturating_add(most));
        let next = fits.saturating_sub(1).clamp(first + 1, columns);
        let run = first..=next;
        first = next;
        Some(run)
    })
}

/// Takes the next `count` elements of a vector piece by piece, with the number of the first.
fn pass(
    cursor: &mut Cursor,
    count: u64,
    meter: &mut Meter<'_>,
    mut take: impl FnMut(u64, &[f64]) -> Result<()>,
) -> Result<()> {
    let (mut entry, mut passed) = (0, 0);
    while entry < count {
        let piece = cursor.take(usize::try_from(count - entry).unwrap_or(usize::MAX))?;
        take(entry, piece)?;
        entry += piece.len() as u64;
        passed += piece.len();
        if passed >= 1 << 17 || entry == count {
            meter.advance((std::mem::take(&mut passed) * cursor.width()) as u64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::r::container::Container;
    use crate::formats::r::stream::{Element, Encoding};
    use crate::formats::source::BlockCache;
    use crate::progress::Progress;

    /// The cells of a layer are looked up in the assay when the file is opened; nothing else lets them be beyond it.
    #[test]
    fn layers_have_no_cells_beyond_the_assay() {
        let source = Arc::new(BlockCache::new(Box::new(std::io::Cursor::new(Vec::new()))).unwrap());
        let file = File { source, container: Container::Plain, encoding: Encoding::Ascii };
        let numbers = |values: &[f64]| Arc::new(Numbers::new(Element::Real, values.to_vec()));
        let part = |cell| Part {
            genes: numbers(&[0.0]),
            values: numbers(&[1.0]),
            offsets: vec![0, 1],
            cells: Some(vec![cell]),
            renumber: None,
        };
        let read = |cell| {
            let layout = Layout::ByCell(vec![part(1), part(cell)]);
            let matrix = RMatrix { file: file.clone(), cells: 2, genes: 1, layout };
            let progress = Progress::silent();
            matrix.read(&mut Meter::new(&progress, 1), &mut |_| Ok(()))
        };
        assert!(read(0).is_ok());
        assert_eq!(
            read(2).unwrap_err().message,
            "its R data cannot be read: a layer has unknown cells. The file is damaged or was not written completely; copy or \
             download it again, or save it again in R with `saveRDS(object, \"file.rds\")`."
        );
        let mut cursor = file.cursor(&numbers(&[7.0]), None).unwrap();
        assert_eq!(cursor.take(2).unwrap(), [7.0]);
        assert_eq!(
            cursor.take(1).unwrap_err().message,
            "its R data cannot be read: a vector is shorter than it should be. The file is damaged or was not written \
             completely; copy or download it again, or save it again in R with `saveRDS(object, \"file.rds\")`."
        );
    }

    #[test]
    fn runs_hold_whole_columns() {
        let runs: Vec<_> = runs(&[0, 2, 2, 5, 6, 6], 3).collect();
        assert_eq!(runs, [0..=2, 2..=3, 3..=5]);
    }
}
