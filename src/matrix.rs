//! The two matrix types: dense embeddings and sparse counts.

mod builder;
mod segment;

pub use builder::{CountsBuilder, GenesMut};
pub use segment::{merge, pack};

use ndarray::Array2;
use segment::Segment;
use std::ops::Range;

/// A dense matrix, row-major, one row a cell (or a feature).
pub type Dense = Array2<f32>;

/// A segment takes no more rows when it has this many entries.
const SEGMENT: usize = 16 << 20;
/// Segments of fewer entries are joined. Larger ones are not: growing vectors take up to twice what they hold.
const SMALL: usize = 1 << 20;

/// Counts, cells × genes, as compressed rows. Only non-zero entries are stored.
///
/// Genes take two bytes where the file has at most 65,536 of them; counts take two bytes, with a table
/// of the few that do not fit (fractions, and counts of 65,535 and above). The rows lie in segments, so that
/// no allocation becomes larger than a browser grants, and adding rows never copies all that is there.
#[derive(Debug, Clone)]
pub struct Counts {
    genes: usize,
    segments: Vec<Segment>,
    /// The first cell of each segment, and behind the last one the number of cells.
    firsts: Vec<usize>,
}

impl Counts {
    /// An empty matrix of no cells to which rows are added.
    pub fn with_genes(genes: usize) -> Self {
        Counts { genes, segments: Vec::new(), firsts: vec![0] }
    }

    /// Adds a cell. Zeros are dropped; genes must ascend and lie below [`Self::genes`].
    pub fn push_row(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        if self.segments.last().is_none_or(|segment| segment.values.len() >= SEGMENT) {
            if let Some(full) = self.segments.last_mut() {
                full.fit(self.genes);
            }
            self.segments.push(Segment::with_genes(self.genes));
            self.firsts.push(self.cells());
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.push_row(self.genes, entries);
        }
        if let Some(cells) = self.firsts.last_mut() {
            *cells += 1;
        }
    }

    /// Adds the cells of another matrix of the same genes behind those that are there.
    pub fn append(&mut self, other: Counts) {
        debug_assert_eq!(self.genes, other.genes);
        for segment in other.segments {
            let rows = segment.rows();
            match self.segments.last_mut() {
                Some(last) if last.values.len() < SMALL && segment.values.len() < SMALL => last.append(&segment),
                _ => {
                    self.firsts.push(self.cells());
                    self.segments.push(segment);
                }
            }
            if let Some(cells) = self.firsts.last_mut() {
                *cells += rows;
            }
        }
    }

    /// Takes the rows out, a segment's worth at a time, and gives their memory back as it goes.
    pub fn into_slabs(self) -> impl Iterator<Item = Counts> {
        let genes = self.genes;
        self.segments.into_iter().map(move |segment| Counts::of_segment(genes, segment))
    }

    fn of_segment(genes: usize, segment: Segment) -> Self {
        let rows = segment.rows();
        Counts { genes, segments: vec![segment], firsts: vec![0, rows] }
    }

    /// The sum of two matrices of the same shape, such as spliced and unspliced counts.
    ///
    /// Cells or genes that only one of the two has are taken over.
    pub fn plus(&self, other: &Counts) -> Counts {
        let mut sum = Counts::with_genes(self.genes.max(other.genes));
        let mut row = Vec::new();
        for cell in 0..self.cells().max(other.cells()) {
            row.clear();
            for counts in [self, other] {
                if cell < counts.cells() {
                    row.extend(counts.row(cell));
                }
            }
            merge(&mut row);
            sum.push_row(row.iter().copied());
        }
        sum
    }

    pub fn cells(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0)
    }

    pub fn genes(&self) -> usize {
        self.genes
    }

    pub fn nonzeros(&self) -> usize {
        self.segments.iter().map(|segment| segment.values.len()).sum()
    }

    /// Bytes that the matrix takes.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(Segment::bytes).sum()
    }

    /// The non-zero entries of a cell: gene and count, by ascending gene.
    pub fn row(&self, cell: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let number = self.firsts.partition_point(|&first| first <= cell).max(1) - 1;
        self.segments[number].row(cell - self.firsts[number])
    }

    /// Those of a cell's entries whose gene lies in a range, without walking over the others.
    pub fn row_between(&self, cell: usize, genes: Range<u32>) -> impl Iterator<Item = (u32, f32)> + '_ {
        let number = self.firsts.partition_point(|&first| first <= cell).max(1) - 1;
        self.segments[number].row_between(cell - self.firsts[number], genes)
    }

    /// The named cells, in that order.
    pub fn select_cells(&self, cells: &[usize]) -> Counts {
        let mut selected = Counts::with_genes(self.genes);
        for &cell in cells {
            selected.push_row(self.row(cell));
        }
        selected
    }

    /// Keeps the named cells, which ascend, in place: no second matrix is needed.
    pub fn keep_cells(mut self, cells: &[usize]) -> Counts {
        let mut rest = cells;
        let mut firsts = vec![0];
        for (segment, bounds) in self.segments.iter_mut().zip(self.firsts.windows(2)) {
            let (here, later) = rest.split_at(rest.partition_point(|&cell| cell < bounds[1]));
            rest = later;
            segment.keep_rows(here.iter().map(|&cell| cell - bounds[0]));
            segment.fit(self.genes);
            firsts.push(firsts.last().copied().unwrap_or(0) + here.len());
        }
        self.firsts = firsts;
        self
    }

    /// Keeps the genes that have a new number in `keep` (others have `u32::MAX`), in place; `genes` is their number.
    /// The new numbers may stand in any order.
    pub fn select_genes(mut self, keep: &[u32], genes: usize) -> Counts {
        for segment in &mut self.segments {
            segment.clean_rows(Some(keep));
            segment.fit(genes);
        }
        self.genes = genes;
        self
    }
}

/// Equal when the same cells have the same entries, however they are divided into segments.
impl PartialEq for Counts {
    fn eq(&self, other: &Counts) -> bool {
        (self.genes, self.cells(), self.nonzeros()) == (other.genes, other.cells(), other.nonzeros())
            && (0..self.cells()).all(|cell| self.row(cell).eq(other.row(cell)))
    }
}

#[cfg(test)]
mod tests {
    use super::segment::ESCAPE;
    use super::*;

    #[test]
    fn assembled_rows_are_put_in_order() {
        for genes in [10, 70_000] {
            let mut builder = CountsBuilder::new(genes, vec![0, 4, 4, 7]);
            let (columns, values) = builder.parts();
            let unsorted = [5, 1, 5, 2, 0, 3, 9];
            match columns {
                GenesMut::Narrow(slots) => slots.copy_from_slice(&unsorted),
                GenesMut::Wide(slots) => slots.copy_from_slice(&unsorted.map(u32::from)),
            }
            values.copy_from_slice(&[1, 2, ESCAPE, 0, ESCAPE, 4, 0]);
            builder.escape([(4, 0.5), (2, 70_000.0)]);
            let keep: Vec<u32> =
                (0..genes as u32).map(|gene| if gene == 3 { u32::MAX } else { gene - u32::from(gene > 3) }).collect();
            let counts = builder.finish().select_genes(&keep, genes - 1);
            assert_eq!((counts.cells(), counts.genes()), (3, genes - 1));
            let rows: Vec<Vec<_>> = (0..3).map(|cell| counts.row(cell).collect()).collect();
            assert_eq!(rows, [vec![(1, 2.0), (4, 70_001.0)], vec![], vec![(0, 0.5)]]);
        }
    }

    #[test]
    fn assembled_rows_in_order_equal_pushed_rows() {
        let mut builder = CountsBuilder::new(8, vec![0, 2, 2, 4]);
        let (columns, values) = builder.parts();
        if let GenesMut::Narrow(slots) = columns {
            slots.copy_from_slice(&[1, 4, 0, 7]);
        }
        values.copy_from_slice(&[3, 1, 1, ESCAPE]);
        builder.escape([(3, 65_535.0)]);
        let mut pushed = Counts::with_genes(8);
        pushed.push_row([(1, 3.0), (4, 1.0)]);
        pushed.push_row([]);
        pushed.push_row([(0, 1.0), (7, 65_535.0)]);
        let built = builder.finish();
        assert_eq!(built, pushed);
        let mut twice = Counts::with_genes(8);
        twice.push_row([(1, 6.0), (4, 2.0)]);
        twice.push_row([]);
        twice.push_row([(0, 2.0), (7, 131_070.0)]);
        assert_eq!(built.plus(&pushed), twice);
    }

    #[test]
    fn counts_keep_every_value() {
        let rows: [&[(u32, f32)]; 3] =
            [&[(0, 1.0), (2, 65_534.0), (3, 65_535.0), (9, 500_000.0)], &[], &[(1, 0.5), (4, 0.0), (5, 7.0)]];
        for genes in [10, 70_000] {
            let mut counts = Counts::with_genes(genes);
            for row in rows {
                counts.push_row(row.iter().copied());
            }
            assert_eq!((counts.cells(), counts.genes(), counts.nonzeros()), (3, genes, 6));
            for (cell, row) in rows.iter().enumerate() {
                let expected: Vec<_> = row.iter().copied().filter(|entry| entry.1 != 0.0).collect();
                assert_eq!(counts.row(cell).collect::<Vec<_>>(), expected);
                for (start, end) in [(0, 10), (2, 5), (3, 4), (6, 6), (9, u32::MAX), (5, 2)] {
                    let between = expected.iter().copied().filter(|entry| (start..end).contains(&entry.0));
                    let found: Vec<_> = counts.row_between(cell, start..end).collect();
                    assert_eq!(found, between.collect::<Vec<_>>());
                }
            }
            let picked = counts.select_cells(&[2, 0]);
            assert_eq!(picked.row(0).collect::<Vec<_>>(), counts.row(2).collect::<Vec<_>>());
            assert_eq!(picked.row(1).collect::<Vec<_>>(), counts.row(0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn appended_slabs_equal_pushed_rows() {
        let row = |cell: u32| (0..5).map(move |gene| (gene * 3 + cell % 3, (cell * 7 + gene) as f32 * 0.5));
        for genes in [20, 70_000] {
            let mut pushed = Counts::with_genes(genes);
            let mut appended = Counts::with_genes(genes);
            let mut cell = 0;
            for rows in [3, 0, 1, 7] {
                let mut slab = Counts::with_genes(genes);
                for _ in 0..rows {
                    pushed.push_row(row(cell));
                    slab.push_row(row(cell));
                    cell += 1;
                }
                appended.append(slab);
            }
            assert_eq!((appended.cells(), appended.nonzeros()), (11, pushed.nonzeros()));
            assert!(appended == pushed);
            let kept = [1, 2, 3, 7, 10];
            assert!(appended.clone().keep_cells(&kept) == appended.select_cells(&kept));
            assert_eq!(appended.clone().keep_cells(&[]).cells(), 0);
            let mut split = Counts::with_genes(genes);
            split.segments = appended.clone().segments.into_iter().chain(pushed.clone().segments).collect();
            split.firsts = vec![0, 11, 22];
            let kept = [0, 5, 10, 11, 12, 21];
            assert!(split.clone().keep_cells(&kept) == split.select_cells(&kept));
            let slabs: Vec<Counts> = appended.into_slabs().collect();
            assert_eq!(slabs.iter().map(Counts::cells).sum::<usize>(), 11);
        }
    }
}
