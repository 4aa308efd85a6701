//! Marker genes of a query whose counts were not kept: the file is read again for some genes at a time.
//!
//! How many genes are taken at a time changes nothing in the result: it is that of all counts, bit for bit.

use super::Projection;
use crate::error::Result;
use crate::formats::OpenFile;
use crate::markers::{Finding, Grouping, Markers, Options};
use crate::matrix::Counts;
use crate::progress::Progress;
use crate::query::{Consumer, Query, QueryOptions};
use crate::reference::Reference;
use rayon::prelude::*;
use std::cell::Cell;
use std::ops::Range;

const STAGE: &str = "Finding markers";
/// Cells of a slab whose counts one task picks out.
const CELLS: usize = 256;
/// Share of the time of a pass that reading takes, about.
const READING: f64 = 0.9;

/// A query that was read by [`super::read`], with what it was read from.
pub struct Again<'a> {
    pub file: &'a mut OpenFile,
    /// The same as then.
    pub options: &'a QueryOptions<'a>,
    pub reference: &'a Reference,
    pub query: &'a Query,
    pub projection: &'a Projection,
}

/// Finds the marker genes of groups of the cells that are mapped. `memory`: bytes that counts may take at a time; the file is
/// read as often as that needs.
///
/// # Shapes
/// As [`crate::markers::find_markers`].
///
/// # Errors
/// As [`Query::read`]: the file may have changed.
pub fn find_markers(
    again: Again<'_>,
    groupings: &[Grouping],
    options: &Options,
    memory: u64,
    progress: &Progress<'_>,
) -> Result<Vec<Markers>> {
    let Again { file, options: reading, reference, query, projection } = again;
    let reading = QueryOptions { reference: Some(reference), budget: None, ..*reading };
    let mut finding = Finding::new(&query.metrics.counts, groupings, options);
    let passes = divide(&projection.entries, memory, projection.cells());
    for (number, genes) in passes.iter().enumerate() {
        let begun = Cell::new(0.0f64);
        // A pass may begin to read anew.
        let tell = |from: f64, to: f64, share: f64| {
            begun.set(begun.get().max(from + (to - from) * share));
            progress.report(STAGE, (number as f64 + begun.get()) / passes.len() as f64);
        };
        let report = |_: &str, share: f64| tell(0.0, READING, share);
        let mut taking = Taking::new(genes.clone(), &query.places_of_samples);
        Query::read_past(file, &reading, &mut taking, &Progress::new(&report))?;
        let report = |_: &str, share: f64| tell(READING, 1.0, share);
        finding.add(&taking.counts, &Progress::new(&report));
    }
    Ok(finding.finish())
}

/// Divides genes of so many entries into ranges whose counts fit the memory; a gene is never divided.
fn divide(entries: &[u64], memory: u64, cells: usize) -> Vec<Range<u32>> {
    // Two bytes for the gene, two for the count, eight for the end of each row.
    let fit = (memory.saturating_sub(8 * cells as u64) / 4).max(1);
    let (mut ranges, mut start, mut sum) = (Vec::new(), 0, 0);
    for (gene, &entries) in (0u32..).zip(entries) {
        if sum > 0 && sum + entries > fit {
            ranges.push(start..gene);
            (start, sum) = (gene, 0);
        }
        sum += entries;
    }
    ranges.push(start..entries.len() as u32);
    ranges
}

/// Takes the counts of some genes.
struct Taking<'a> {
    genes: Range<u32>,
    /// Of several samples, for each the number of each of its genes among all.
    places: &'a [Vec<u32>],
    counts: Counts,
    /// Samples that are complete, and their cells.
    samples: usize,
    cells: usize,
}

impl<'a> Taking<'a> {
    fn new(genes: Range<u32>, places: &'a [Vec<u32>]) -> Self {
        Taking { counts: Counts::with_genes(genes.len()), genes, places, samples: 0, cells: 0 }
    }

    fn pick(&self, slab: &Counts, cells: Range<usize>) -> Counts {
        let mut picked = Counts::with_genes(self.genes.len());
        let Some(places) = self.places.get(self.samples) else {
            for cell in cells {
                let row = slab.row_between(cell, self.genes.clone());
                picked.push_row(row.map(|(gene, count)| (gene - self.genes.start, count)));
            }
            return picked;
        };
        let mut row: Vec<(u32, f32)> = Vec::new();
        for cell in cells {
            let placed = slab.row(cell).filter_map(|(gene, count)| Some((*places.get(gene as usize)?, count)));
            row.clear();
            row.extend(placed.filter(|(gene, _)| self.genes.contains(gene)));
            row.sort_unstable_by_key(|entry| entry.0);
            picked.push_row(row.iter().map(|&(gene, count)| (gene - self.genes.start, count)));
        }
        picked
    }
}

impl Consumer for Taking<'_> {
    fn begin(&mut self, _: &[Option<u32>]) {
        let complete: Vec<usize> = (0..self.cells).collect();
        if self.counts.cells() > self.cells {
            let counts = std::mem::replace(&mut self.counts, Counts::with_genes(0));
            self.counts = counts.keep_cells(&complete);
        }
    }

    fn slab(&mut self, slab: &Counts) {
        let starts: Vec<usize> = (0..slab.cells()).step_by(CELLS).collect();
        let pick = |&start: &usize| self.pick(slab, start..(start + CELLS).min(slab.cells()));
        let parts: Vec<Counts> = starts.par_iter().map(pick).collect();
        parts.into_iter().for_each(|part| self.counts.append(part));
    }

    fn end(&mut self) {
        self.samples += 1;
        self.cells = self.counts.cells();
    }

    fn bytes(&self) -> u64 {
        self.counts.bytes() as u64
    }

    fn keep(&mut self, cells: &[u32]) {
        let rows: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
        let counts = std::mem::replace(&mut self.counts, Counts::with_genes(0));
        self.counts = counts.keep_cells(&rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genes_are_taken_as_many_as_fit() {
        assert_eq!(divide(&[3, 0, 4, 9, 1, 0], 8 + 4 * 7, 1), [0..3, 3..4, 4..6]);
        assert_eq!(divide(&[3, 4], 0, 1), [0..1, 1..2]);
        assert_eq!(divide(&[0, 0], 0, 1), vec![0..2]);
    }
}
