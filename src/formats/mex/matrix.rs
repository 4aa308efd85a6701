//! The counts of a MatrixMarket file on their way to rows of cells.

use super::super::content::Content;
use super::super::hdf5::damaged;
use super::super::lines;
use super::super::packing::Tally;
use super::super::raw_counts::Sample;
use super::super::scatter::Scatter;
use super::super::slabs::{Slabs, Take};
use super::super::stored::{Matrix, Meter};
use super::entries::Entries;
use super::header::Header;
use crate::error::{Error, Result};
use crate::matrix::CountsBuilder;
use std::sync::{Arc, Mutex};

/// Text at the beginning from which the order of the entries and the kind of values are judged.
const SAMPLE: usize = 2 << 20;
/// Cells in the sample.
const CELLS: usize = 64;
/// Cells that are looked at for the sample where entries come in no order; many may be empty.
const LOOKED_AT: usize = 1024;

/// A MatrixMarket file whose header was read.
pub struct MexMatrix {
    content: Content,
    header: Header,
    /// Whether rows are cells; usually columns are.
    cells_in_rows: bool,
    beginning: Mutex<Option<Arc<Beginning>>>,
    counted: Mutex<Option<Arc<Counted>>>,
}

/// What the beginning of the file shows.
struct Beginning {
    /// Whether the entries come cell by cell.
    by_cell: bool,
    /// The first whole cells, when they do.
    cells: Vec<Vec<f64>>,
}

/// What one passage through the whole file shows.
struct Counted {
    /// Entries of each cell.
    lengths: Vec<u32>,
    sample: Vec<Vec<f64>>,
}

/// How a passage in the order of the file ended.
enum Streamed {
    Whole(Tally),
    /// Entries of an earlier cell came late, before any cell was handed over.
    OutOfOrder,
}

impl MexMatrix {
    pub fn new(content: Content, header: Header, cells_in_rows: bool) -> Self {
        MexMatrix { content, header, cells_in_rows, beginning: Mutex::new(None), counted: Mutex::new(None) }
    }

    /// Cells and genes of some entries.
    fn places<'a>(&self, entries: &'a Entries) -> (&'a [u32], &'a [u32]) {
        match self.cells_in_rows {
            true => (&entries.rows, &entries.columns),
            false => (&entries.columns, &entries.rows),
        }
    }

    fn dimensions(&self) -> (usize, usize) {
        let [rows, columns] = self.header.shape.map(|length| length as usize);
        if self.cells_in_rows { (rows, columns) } else { (columns, rows) }
    }

    /// Hands the entries over piece by piece; compares their number with the header's.
    fn pass(&self, advance: &mut dyn FnMut(u64), take: &mut dyn FnMut(&Entries) -> Result<bool>) -> Result<Tally> {
        let name = self.content.name();
        let (mut line, mut seen) = (self.header.lines, 0);
        let (mut tally, mut whole) = (Tally::default(), true);
        let parse = |piece: &[u8]| Entries::parse(piece, self.header.shape);
        lines::parse(&self.content, self.header.length, &parse, advance, &mut |entries| {
            seen += entries.rows.len() as u64;
            tally.add(entries.tally);
            if let Some((number, what)) = &entries.problem {
                return Err(damaged(name, &format!("line {} {what}", line + number + 1)));
            }
            line += entries.lines;
            whole = take(&entries)?;
            Ok(whole)
        })?;
        if whole && seen != self.header.entries {
            let promised = self.header.entries;
            return Err(damaged(name, &format!("it has {seen} entries, but its header promises {promised}")));
        }
        Ok(tally)
    }

    fn beginning(&self) -> Result<Arc<Beginning>> {
        let mut kept = self.beginning.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(beginning) = &*kept {
            return Ok(Arc::clone(beginning));
        }
        let start = self.header.length as usize;
        let (text, all) = lines::beginning(&self.content, start + SAMPLE)?;
        let text = text.get(start..).unwrap_or_default();
        let end = match all {
            true => text.len(),
            // The last line may be cut.
            false => text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1),
        };
        let entries = Entries::parse(&text[..end], self.header.shape);
        if let Some((number, what)) = &entries.problem {
            return Err(damaged(self.content.name(), &format!("line {} {what}", self.header.lines + number + 1)));
        }
        let (cells, _) = self.places(&entries);
        let by_cell = cells.is_sorted();
        let rows = if by_cell { whole_cells(cells, &entries, all) } else { Vec::new() };
        let beginning = Arc::new(Beginning { by_cell, cells: rows });
        *kept = Some(Arc::clone(&beginning));
        Ok(beginning)
    }

    /// Counts the entries of each cell, and collects those of some for the sample.
    fn counted(&self, advance: &mut dyn FnMut(u64)) -> Result<Arc<Counted>> {
        let mut kept = self.counted.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(counted) = &*kept {
            return Ok(Arc::clone(counted));
        }
        let (cells, _) = self.dimensions();
        // The list of cells is as long, so the file is not just claiming it.
        let mut lengths = vec![0u32; cells];
        let step = (cells / LOOKED_AT).max(1) as u32;
        let mut sample = vec![Vec::new(); cells.div_ceil(step as usize)];
        self.pass(advance, &mut |entries| {
            let mut escapes = entries.escapes.iter();
            for (&cell, &value) in self.places(entries).0.iter().zip(&entries.values) {
                if let Some(length) = lengths.get_mut(cell as usize) {
                    *length = length.saturating_add(1);
                }
                let value = unpacked(value, &mut escapes);
                if cell.is_multiple_of(step)
                    && let Some(row) = sample.get_mut((cell / step) as usize)
                {
                    row.push(f64::from(value));
                }
            }
            Ok(true)
        })?;
        sample.retain(|row| !row.is_empty());
        let every = sample.len().div_ceil(CELLS).max(1);
        let sample = sample.into_iter().step_by(every).collect();
        let counted = Arc::new(Counted { lengths, sample });
        *kept = Some(Arc::clone(&counted));
        Ok(counted)
    }

    /// Entries come cell by cell: cells are handed over as they are complete.
    fn stream(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Streamed> {
        let (cells, genes) = self.dimensions();
        let mut slabs = Slabs::new(genes);
        let (mut current, mut handed_over, mut ordered) = (0, false, true);
        let take = &mut |counts| {
            handed_over = true;
            take(counts)
        };
        let tally = self.pass(&mut |bytes| meter.advance(bytes), &mut |entries| {
            let (of_cells, of_genes) = self.places(entries);
            ordered = of_cells.is_sorted() && of_cells.first().is_none_or(|&first| first >= current);
            if !ordered {
                return Ok(false);
            }
            let mut escapes = entries.escapes.iter();
            let mut start = 0;
            for run in of_cells.chunk_by(|a, b| a == b) {
                while run.first().is_some_and(|&cell| current < cell) {
                    slabs.end_cell(take)?;
                    current += 1;
                }
                let end = start + run.len();
                let values = &entries.values[start..end];
                let escaped = values.iter().filter(|value| **value == CountsBuilder::ESCAPED).count();
                slabs.extend(&of_genes[start..end], values, escapes.by_ref().take(escaped).copied());
                start = end;
            }
            Ok(true)
        })?;
        if !ordered {
            return if handed_over { Err(self.late_disorder()) } else { Ok(Streamed::OutOfOrder) };
        }
        for _ in current as usize..cells {
            slabs.end_cell(take)?;
        }
        slabs.finish(take)?;
        Ok(Streamed::Whole(tally))
    }

    fn late_disorder(&self) -> Error {
        Error::input(format!(
            "\"{}\" has its entries cell by cell at first, and later not. Sort its lines by cell, for example in Python with \
             `scipy.io.mmwrite(\"matrix.mtx\", scipy.io.mmread(\"{0}\").tocsc())`.",
            self.content.name()
        ))
    }

    /// Entries come in any order: they are counted first, then put into place.
    fn scatter(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let counted = self.counted(&mut |bytes| meter.advance(bytes))?;
        let (_, genes) = self.dimensions();
        let mut scatter = Scatter::new(genes, &counted.lengths)?;
        let tally = self.pass(&mut |bytes| meter.advance(bytes), &mut |entries| {
            let (of_cells, of_genes) = self.places(entries);
            let mut escapes = entries.escapes.iter();
            for ((&cell, &gene), &packed) in of_cells.iter().zip(of_genes).zip(&entries.values) {
                let count = unpacked(packed, &mut escapes);
                let packed = (packed != CountsBuilder::ESCAPED).then_some(packed);
                if !scatter.put(cell, gene, packed, count) {
                    return Err(damaged(self.content.name(), "it changed while it was read"));
                }
            }
            Ok(true)
        })?;
        scatter.finish(take)?;
        Ok(tally)
    }
}

fn unpacked(value: u16, escapes: &mut std::slice::Iter<'_, f32>) -> f32 {
    if value == CountsBuilder::ESCAPED { escapes.next().copied().unwrap_or(0.0) } else { f32::from(value) }
}

/// The values of some cells, evenly among the half with more entries, so that empty droplets do not fill the sample; of the
/// last cell only when the file ends with it.
fn whole_cells(cells: &[u32], entries: &Entries, all: bool) -> Vec<Vec<f64>> {
    let mut escapes = entries.escapes.iter();
    let mut values = entries.values.iter().map(|&value| f64::from(unpacked(value, &mut escapes)));
    let runs = cells.chunk_by(|a, b| a == b);
    let mut rows: Vec<Vec<f64>> = runs.map(|run| values.by_ref().take(run.len()).collect()).collect();
    if !all && rows.len() > 1 {
        rows.pop();
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.len()));
    rows.truncate(CELLS.max(rows.len() / 2));
    let step = rows.len().div_ceil(CELLS).max(1);
    rows.into_iter().step_by(step).collect()
}

impl Matrix for MexMatrix {
    fn shape(&self) -> [usize; 2] {
        let (cells, genes) = self.dimensions();
        [cells, genes]
    }

    fn nonzeros(&self) -> Option<u64> {
        Some(self.header.entries)
    }

    fn encoding(&self) -> &'static str {
        "mex"
    }

    fn work(&self) -> u64 {
        let once = self.content.work();
        if self.beginning().is_ok_and(|beginning| !beginning.by_cell) {
            let counted = self.counted.lock().is_ok_and(|counted| counted.is_some());
            return if counted { once } else { once.saturating_mul(2) };
        }
        once
    }

    fn sample(&self) -> Result<Sample> {
        let beginning = self.beginning()?;
        if beginning.by_cell {
            return Ok(Sample::of_whole_cells(beginning.cells.clone()));
        }
        Ok(Sample::of_whole_cells(self.counted(&mut |_| {})?.sample.clone()))
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        if self.beginning()?.by_cell
            && let Streamed::Whole(tally) = self.stream(meter, take)?
        {
            return Ok(tally);
        }
        self.scatter(meter, take)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::source::BlockCache;
    use super::*;
    use crate::matrix::Counts;
    use crate::progress::Progress;
    use std::io::Cursor;

    fn matrix(entries: &[(u32, u32, u32)], shape: [u32; 2]) -> MexMatrix {
        let mut text =
            format!("%%MatrixMarket matrix coordinate integer general\n{} {} {}\n", shape[0], shape[1], entries.len());
        for (row, column, count) in entries {
            text.push_str(&format!("{} {} {count}\n", row + 1, column + 1));
        }
        let cache = BlockCache::new(Box::new(Cursor::new(text.into_bytes()))).unwrap();
        let content = Content::of_source("m", Arc::new(cache));
        let header = Header::read(&content).unwrap();
        MexMatrix::new(content, header, false)
    }

    fn rows(matrix: &MexMatrix) -> Counts {
        let mut counts = Counts::with_genes(matrix.shape()[1]);
        let progress = Progress::silent();
        let take = &mut |slab| {
            counts.append(slab);
            Ok(())
        };
        matrix.read(&mut Meter::new(&progress, matrix.work()), take).unwrap();
        counts
    }

    /// More text than the order is judged by.
    fn many() -> Vec<(u32, u32, u32)> {
        (0..400_000).map(|entry| (entry * 7 % 500, entry / 400, entry % 3 + 1)).collect()
    }

    #[test]
    fn a_late_entry_of_an_early_cell_is_put_in_its_place() {
        let ordered = many();
        let mut late = ordered.clone();
        let last = late.len() - 1;
        late.swap(3, last);
        let (first, second) = (matrix(&ordered, [500, 1000]), matrix(&late, [500, 1000]));
        assert!(first.beginning().unwrap().by_cell);
        let expected = rows(&first);
        assert_eq!(expected.cells(), 1000);
        assert_eq!(expected.row(999).count(), 400);
        late.swap(3, last);
        late.swap(last, last - 500);
        let third = matrix(&late, [500, 1000]);
        assert!(third.beginning().unwrap().by_cell, "the disorder comes after what is looked at");
        for other in [second, third] {
            assert_eq!(rows(&other), expected);
            assert!(other.sample().is_ok());
        }
    }

    #[test]
    fn disorder_after_cells_were_handed_over_is_an_error() {
        assert_eq!(
            matrix(&[(0, 0, 1)], [1, 1]).late_disorder().message,
            "\"m\" has its entries cell by cell at first, and later not. Sort its lines by cell, for example in Python with \
             `scipy.io.mmwrite(\"matrix.mtx\", scipy.io.mmread(\"m\").tocsc())`."
        );
    }

    #[test]
    fn rows_may_be_cells() {
        let usual = matrix(&many(), [500, 1000]);
        let turned: Vec<(u32, u32, u32)> = many().iter().map(|&(gene, cell, count)| (cell, gene, count)).collect();
        let mut turned = matrix(&turned, [1000, 500]);
        turned.cells_in_rows = true;
        assert_eq!(rows(&turned), rows(&usual));
    }
}
