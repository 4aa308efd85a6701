//! Rows of counts in one piece of memory.

use rayon::prelude::*;
use std::ops::Range;

/// Stands for a value that two bytes do not hold.
pub const ESCAPE: u16 = u16::MAX;
/// Genes up to this number take two bytes.
pub const NARROW: usize = 1 << 16;

/// The two bytes that stand for a count, or `None` when it needs an entry of its own.
///
/// Counts of 65,535 and above and fractions do not fit.
pub fn pack(value: f32) -> Option<u16> {
    let small = value as u16;
    (small != ESCAPE && f32::from(small) == value).then_some(small)
}

/// Consecutive rows.
#[derive(Debug, Clone)]
pub struct Segment {
    /// One more than rows, into the entries.
    pub offsets: Vec<u64>,
    /// The gene of each entry.
    pub columns: Columns,
    /// Its count, or [`ESCAPE`].
    pub values: Vec<u16>,
    /// Sorted by position: the entries whose stored value is [`ESCAPE`].
    pub escapes: Vec<(u64, f32)>,
}

#[derive(Debug, Clone)]
pub enum Columns {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Segment {
    /// No rows yet.
    pub fn with_genes(genes: usize) -> Self {
        let columns = if genes <= NARROW { Columns::Narrow(Vec::new()) } else { Columns::Wide(Vec::new()) };
        Segment { offsets: vec![0], columns, values: Vec::new(), escapes: Vec::new() }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let columns = match &self.columns {
            Columns::Narrow(columns) => 2 * columns.capacity(),
            Columns::Wide(columns) => 4 * columns.capacity(),
        };
        8 * self.offsets.capacity() + columns + 2 * self.values.capacity() + 16 * self.escapes.capacity()
    }

    /// Adds a row. Zeros are dropped; genes must ascend.
    pub fn push_row(&mut self, genes: usize, entries: impl IntoIterator<Item = (u32, f32)>) {
        for (gene, value) in entries {
            if value == 0.0 {
                continue;
            }
            debug_assert!((gene as usize) < genes);
            match &mut self.columns {
                Columns::Narrow(columns) => columns.push(gene as u16),
                Columns::Wide(columns) => columns.push(gene),
            }
            self.values.push(pack(value).unwrap_or_else(|| {
                self.escapes.push((self.values.len() as u64, value));
                ESCAPE
            }));
        }
        self.offsets.push(self.values.len() as u64);
    }

    /// Adds the rows of another segment behind.
    pub fn append(&mut self, other: &Segment) {
        let start = self.values.len() as u64;
        self.offsets.extend(other.offsets.iter().skip(1).map(|&end| start + end));
        self.escapes.extend(other.escapes.iter().map(|&(entry, value)| (start + entry, value)));
        self.values.extend_from_slice(&other.values);
        match (&mut self.columns, &other.columns) {
            (Columns::Narrow(to), Columns::Narrow(from)) => to.extend_from_slice(from),
            (Columns::Wide(to), Columns::Wide(from)) => to.extend_from_slice(from),
            (Columns::Wide(to), Columns::Narrow(from)) => to.extend(from.iter().map(|&gene| u32::from(gene))),
            (Columns::Narrow(to), Columns::Wide(from)) => to.extend(from.iter().map(|&gene| gene as u16)),
        }
    }

    /// Gene and count of each entry of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.entries(self.offsets[row] as usize..self.offsets[row + 1] as usize)
    }

    /// The same of genes in a range, which are found by bisection.
    pub fn row_between(&self, row: usize, genes: Range<u32>) -> impl Iterator<Item = (u32, f32)> + '_ {
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        let before = |bound: u32| match &self.columns {
            Columns::Narrow(columns) => columns[start..end].partition_point(|&gene| u32::from(gene) < bound),
            Columns::Wide(columns) => columns[start..end].partition_point(|&gene| gene < bound),
        };
        let first = before(genes.start);
        self.entries(start + first..start + before(genes.end).max(first))
    }

    fn entries(&self, range: Range<usize>) -> impl Iterator<Item = (u32, f32)> + '_ {
        let mut escape = self.escapes.partition_point(|&(position, _)| position < range.start as u64);
        range.map(move |entry| {
            let gene = self.gene(entry);
            let small = self.values[entry];
            if small != ESCAPE {
                return (gene, f32::from(small));
            }
            escape += 1;
            (gene, self.escapes[escape - 1].1)
        })
    }

    fn gene(&self, entry: usize) -> u32 {
        match &self.columns {
            Columns::Narrow(columns) => u32::from(columns[entry]),
            Columns::Wide(columns) => columns[entry],
        }
    }

    /// Whether genes ascend in every row and no entry is zero.
    pub fn rows_are_clean(&self) -> bool {
        let clean = |row: &[u64]| {
            let row = row[0] as usize..row[1] as usize;
            let in_order = match &self.columns {
                Columns::Narrow(genes) => ascend(&genes[row.clone()]),
                Columns::Wide(genes) => ascend(&genes[row.clone()]),
            };
            // Without a branch for each entry, as in [`ascend`]
            in_order && !self.values[row].iter().fold(false, |any, &value| any | (value == 0))
        };
        self.offsets.par_windows(2).with_min_len(64).all(clean)
    }

    /// Rewrites the rows in place, which only become shorter: sorted, without zeros or repeated genes, and of the genes
    /// that have a new number in `keep`.
    pub fn clean_rows(&mut self, keep: Option<&[u32]>) {
        let escapes = std::mem::take(&mut self.escapes);
        let mut escaped = escapes.into_iter();
        let mut row: Vec<(u32, f32)> = Vec::new();
        let (mut start, mut written) = (0, 0);
        for cell in 0..self.rows() {
            let end = self.offsets[cell + 1] as usize;
            row.clear();
            for entry in start..end {
                let value = match self.values[entry] {
                    ESCAPE => escaped.next().map_or(0.0, |(_, value)| value),
                    small => f32::from(small),
                };
                let gene = self.gene(entry);
                match keep.map(|keep| keep.get(gene as usize).copied()) {
                    None => row.push((gene, value)),
                    Some(Some(kept)) if kept != u32::MAX => row.push((kept, value)),
                    Some(_) => {}
                }
            }
            merge(&mut row);
            for &(gene, value) in row.iter().filter(|entry| entry.1 != 0.0) {
                match &mut self.columns {
                    Columns::Narrow(columns) => columns[written] = gene as u16,
                    Columns::Wide(columns) => columns[written] = gene,
                }
                self.values[written] = pack(value).unwrap_or_else(|| {
                    self.escapes.push((written as u64, value));
                    ESCAPE
                });
                written += 1;
            }
            self.offsets[cell + 1] = written as u64;
            start = end;
        }
        self.values.truncate(written);
        match &mut self.columns {
            Columns::Narrow(columns) => columns.truncate(written),
            Columns::Wide(columns) => columns.truncate(written),
        }
    }

    /// Keeps these rows, which ascend.
    pub fn keep_rows(&mut self, rows: impl Iterator<Item = usize>) {
        let escapes = std::mem::take(&mut self.escapes);
        let (mut written, mut count) = (0, 0);
        for row in rows {
            let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
            let first = escapes.partition_point(|&(position, _)| position < range.start as u64);
            let last = escapes.partition_point(|&(position, _)| position < range.end as u64);
            let moved =
                escapes[first..last].iter().map(|&(at, value)| (at - range.start as u64 + written as u64, value));
            self.escapes.extend(moved);
            let length = range.len();
            self.values.copy_within(range.clone(), written);
            match &mut self.columns {
                Columns::Narrow(columns) => columns.copy_within(range, written),
                Columns::Wide(columns) => columns.copy_within(range, written),
            }
            written += length;
            count += 1;
            self.offsets[count] = written as u64;
        }
        self.offsets.truncate(count + 1);
        self.values.truncate(written);
        match &mut self.columns {
            Columns::Narrow(columns) => columns.truncate(written),
            Columns::Wide(columns) => columns.truncate(written),
        }
    }

    /// Takes two bytes a gene where there are few enough, four where there are more, and gives back unused memory.
    pub fn fit(&mut self, genes: usize) {
        match &mut self.columns {
            Columns::Wide(columns) if genes <= NARROW => {
                self.columns = Columns::Narrow(columns.iter().map(|&gene| gene as u16).collect());
            }
            Columns::Narrow(columns) if genes > NARROW => {
                self.columns = Columns::Wide(columns.iter().map(|&gene| u32::from(gene)).collect());
            }
            Columns::Narrow(columns) => move_to_fit(columns),
            Columns::Wide(columns) => move_to_fit(columns),
        }
        move_to_fit(&mut self.values);
    }
}

/// Whether each value is larger than the one before: all are looked at, which several at once is faster than to stop early.
fn ascend<T: Copy + Ord>(values: &[T]) -> bool {
    values.windows(2).fold(true, |all, pair| all & (pair[0] < pair[1]))
}

/// Moves the values to where they just fit. Shrunk in its place a vector would leave a hole behind it that the next one,
/// of full size, does not fit: the memory of a browser, which has no pages to give back, would fill up with holes.
fn move_to_fit<T: Copy>(values: &mut Vec<T>) {
    if values.capacity() > values.len() {
        *values = values.as_slice().to_vec();
    }
}

/// Sorts the entries of a row by gene and adds up those of the same gene, in the order they stood in.
pub fn merge(row: &mut Vec<(u32, f32)>) {
    if row.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return;
    }
    row.sort_by_key(|entry| entry.0);
    row.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
}
