//! The counts of a table on their way to rows of cells.

use super::super::content::Content;
use super::super::hdf5::damaged;
use super::super::lines;
use super::super::packing::Tally;
use super::super::raw_counts::Sample;
use super::super::scatter::Scatter;
use super::super::slabs::{Slabs, Take};
use super::super::stored::{Matrix, Meter};
use super::layout::{Layout, Role};
use super::rows::{Problem, Rows};
use crate::error::{Error, Result};
use crate::matrix::CountsBuilder;
use std::sync::Arc;

/// Rows and columns in the sample, about.
const SAMPLE: usize = 64;

/// Values of a column in the sample at most: more than any cell has genes.
const MOST_VALUES: usize = 1 << 16;

/// What one passage through a table shows.
pub struct Scan {
    /// The name and the annotations of each row.
    pub names: Vec<Vec<String>>,
    /// Entries of each column of counts.
    lengths: Vec<u32>,
    entries: u64,
    /// The values of some rows and of some columns: one of them are cells.
    rows: Vec<Vec<f64>>,
    columns: Vec<Vec<f64>>,
}

/// A table and what is known of it.
pub struct TableMatrix {
    content: Content,
    layout: Arc<Layout>,
    scan: Arc<Scan>,
    genes_in_rows: bool,
}

impl Scan {
    /// Reads the table once.
    ///
    /// # Errors
    /// When it cannot be read or a line does not fit the layout.
    pub fn of(content: &Content, layout: &Layout) -> Result<Self> {
        let width = layout.names(Role::Count).len();
        let step = (width / SAMPLE).max(1) as u32;
        let mut scan = Scan {
            names: Vec::new(),
            lengths: vec![0; width],
            entries: 0,
            rows: Vec::new(),
            columns: vec![Vec::new(); width.div_ceil(step as usize)],
        };
        // Every so many rows are in the sample; as the table goes on, fewer of them.
        let (mut every, mut row) = (1, 0);
        pass(content, layout, true, &mut |_| {}, &mut |rows| {
            let mut escapes = rows.escapes.iter();
            let mut start = 0;
            for &end in &rows.ends {
                let sampled = row % every == 0;
                let mut values = Vec::new();
                for (&column, &value) in rows.columns[start..end].iter().zip(&rows.values[start..end]) {
                    let value = f64::from(unpacked(value, &mut escapes));
                    scan.lengths[column as usize] += 1;
                    if sampled {
                        values.push(value);
                    }
                    if column.is_multiple_of(step)
                        && let Some(values) = scan.columns.get_mut((column / step) as usize)
                        && values.len() < MOST_VALUES
                    {
                        values.push(value);
                    }
                }
                if sampled {
                    scan.rows.push(values);
                }
                if scan.rows.len() > 2 * SAMPLE {
                    let mut place = 0;
                    scan.rows.retain(|_| {
                        place += 1;
                        place % 2 == 1
                    });
                    every *= 2;
                }
                (start, row) = (end, row + 1);
            }
            scan.entries += rows.columns.len() as u64;
            scan.names.extend(rows.names);
            Ok(())
        })?;
        Ok(scan)
    }
}

/// Hands the rows over piece by piece.
fn pass(
    content: &Content,
    layout: &Layout,
    with_names: bool,
    advance: &mut dyn FnMut(u64),
    take: &mut dyn FnMut(Rows) -> Result<()>,
) -> Result<Tally> {
    let mut line = layout.lines;
    let mut tally = Tally::default();
    lines::parse(content, layout.skip, &|piece| Rows::parse(piece, layout, with_names), advance, &mut |rows| {
        if let Some((number, problem)) = &rows.problem {
            return Err(explain(content.name(), line + number + 1, problem));
        }
        line += rows.lines;
        tally.add(rows.tally);
        take(rows)?;
        Ok(true)
    })?;
    Ok(tally)
}

fn explain(name: &str, line: u64, problem: &Problem) -> Error {
    match problem {
        Problem::Damaged(what) => damaged(name, &format!("line {line} {what}")),
        Problem::Missing(what) => Error::input(format!(
            "\"{name}\" cannot be read: line {line} {what}. Every gene needs a count in every cell: write 0 where nothing \
             was counted."
        )),
    }
}

fn unpacked(value: u16, escapes: &mut std::slice::Iter<'_, f32>) -> f32 {
    if value == CountsBuilder::ESCAPED { escapes.next().copied().unwrap_or(0.0) } else { f32::from(value) }
}

impl TableMatrix {
    pub fn new(content: Content, layout: Arc<Layout>, scan: Arc<Scan>, genes_in_rows: bool) -> Self {
        TableMatrix { content, layout, scan, genes_in_rows }
    }

    /// Each line is a cell.
    fn read_cells(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let mut slabs = Slabs::new(self.scan.lengths.len());
        let tally = pass(&self.content, &self.layout, false, &mut |bytes| meter.advance(bytes), &mut |rows| {
            let mut escapes = rows.escapes.iter();
            let mut start = 0;
            for &end in &rows.ends {
                let values = &rows.values[start..end];
                let escaped = values.iter().filter(|value| **value == CountsBuilder::ESCAPED).count();
                slabs.extend(&rows.columns[start..end], values, escapes.by_ref().take(escaped).copied());
                slabs.end_cell(take)?;
                start = end;
            }
            Ok(())
        })?;
        slabs.finish(take)?;
        Ok(tally)
    }

    /// Each line is a gene: its counts are put into the rows of their cells.
    fn read_genes(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        let genes = self.scan.names.len();
        let mut scatter = Scatter::new(genes, &self.scan.lengths)?;
        let mut gene = 0u32;
        let tally = pass(&self.content, &self.layout, false, &mut |bytes| meter.advance(bytes), &mut |rows| {
            let mut escapes = rows.escapes.iter();
            let mut start = 0;
            for &end in &rows.ends {
                for (&cell, &packed) in rows.columns[start..end].iter().zip(&rows.values[start..end]) {
                    let count = unpacked(packed, &mut escapes);
                    let packed = (packed != CountsBuilder::ESCAPED).then_some(packed);
                    if gene as usize >= genes || !scatter.put(cell, gene, packed, count) {
                        return Err(damaged(self.content.name(), "it changed while it was read"));
                    }
                }
                (start, gene) = (end, gene + 1);
            }
            Ok(())
        })?;
        scatter.finish(take)?;
        Ok(tally)
    }
}

impl Matrix for TableMatrix {
    fn shape(&self) -> [usize; 2] {
        let (rows, columns) = (self.scan.names.len(), self.scan.lengths.len());
        if self.genes_in_rows { [columns, rows] } else { [rows, columns] }
    }

    fn nonzeros(&self) -> Option<u64> {
        Some(self.scan.entries)
    }

    fn encoding(&self) -> &'static str {
        "text"
    }

    fn work(&self) -> u64 {
        self.content.work()
    }

    fn sample(&self) -> Result<Sample> {
        let cells = if self.genes_in_rows { &self.scan.columns } else { &self.scan.rows };
        Ok(Sample::of_whole_cells(cells.clone()))
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut Take<'_>) -> Result<Tally> {
        match self.genes_in_rows {
            true => self.read_genes(meter, take),
            false => self.read_cells(meter, take),
        }
    }
}
