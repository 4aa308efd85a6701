//! The two matrix types: dense embeddings and sparse counts.

use ndarray::Array2;
use rayon::prelude::*;

/// A dense matrix, row-major, one row a cell (or a feature).
pub type Dense = Array2<f32>;

/// Counts, cells × genes, as compressed rows. Only non-zero entries are stored.
///
/// Genes take two bytes where the file has at most 65,536 of them; counts take two bytes, with a table
/// of the few that do not fit (fractions, and counts of 65,535 and above).
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    genes: usize,
    /// `cells + 1` offsets into the entries.
    offsets: Vec<u64>,
    columns: Columns,
    values: Vec<u16>,
    /// Sorted by position: the entries whose stored value is [`ESCAPE`].
    escapes: Vec<(u64, f32)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Columns {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

/// Stands for a value that two bytes do not hold.
const ESCAPE: u16 = u16::MAX;

/// The two bytes that stand for a count, or `None` when it needs an entry of its own.
///
/// Counts of 65,535 and above and fractions do not fit.
pub fn pack(value: f32) -> Option<u16> {
    let small = value as u16;
    (small != ESCAPE && f32::from(small) == value).then_some(small)
}

impl Counts {
    /// An empty matrix of no cells to which rows are added.
    pub fn with_genes(genes: usize) -> Self {
        let columns = if genes <= 1 << 16 { Columns::Narrow(Vec::new()) } else { Columns::Wide(Vec::new()) };
        Counts { genes, offsets: vec![0], columns, values: Vec::new(), escapes: Vec::new() }
    }

    /// Makes room for rows with that many entries altogether.
    pub fn reserve(&mut self, cells: usize, nonzeros: usize) {
        self.offsets.reserve_exact(cells);
        self.values.reserve_exact(nonzeros);
        match &mut self.columns {
            Columns::Narrow(columns) => columns.reserve_exact(nonzeros),
            Columns::Wide(columns) => columns.reserve_exact(nonzeros),
        }
    }

    /// Adds a cell. Zeros are dropped; genes must ascend and lie below [`Self::genes`].
    pub fn push_row(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        for (gene, value) in entries {
            if value == 0.0 {
                continue;
            }
            debug_assert!((gene as usize) < self.genes);
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
        self.offsets.len() - 1
    }

    pub fn genes(&self) -> usize {
        self.genes
    }

    pub fn nonzeros(&self) -> usize {
        self.values.len()
    }

    /// The non-zero entries of a cell: gene and count, by ascending gene.
    pub fn row(&self, cell: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.offsets[cell] as usize..self.offsets[cell + 1] as usize;
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

    /// The named cells, in that order.
    pub fn select_cells(&self, cells: &[usize]) -> Counts {
        let mut selected = Counts::with_genes(self.genes);
        let nonzeros = cells.iter().map(|&cell| (self.offsets[cell + 1] - self.offsets[cell]) as usize).sum();
        selected.reserve(cells.len(), nonzeros);
        for &cell in cells {
            selected.push_row(self.row(cell));
        }
        selected
    }
}

/// Sorts the entries of a row by gene and adds up those of the same gene, in the order they stood in.
fn merge(row: &mut Vec<(u32, f32)>) {
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

/// Where the genes of entries go while a matrix is assembled.
pub enum GenesMut<'a> {
    Narrow(&'a mut [u16]),
    Wide(&'a mut [u32]),
}

/// Counts whose rows have known lengths and are filled in any order, by several threads.
///
/// Genes and counts are written where they belong ([`Self::parts`]); [`Self::finish`] then puts the rows in order.
pub struct CountsBuilder(Counts);

impl CountsBuilder {
    /// Rows between `offsets` (`cells + 1` of them, ascending, the first 0), filled with zeros.
    pub fn new(genes: usize, offsets: Vec<u64>) -> Self {
        let nonzeros = offsets.last().copied().unwrap_or(0) as usize;
        let mut counts = Counts::with_genes(genes);
        counts.columns = match counts.columns {
            Columns::Narrow(_) => Columns::Narrow(vec![0; nonzeros]),
            Columns::Wide(_) => Columns::Wide(vec![0; nonzeros]),
        };
        counts.values = vec![0; nonzeros];
        counts.offsets = offsets;
        CountsBuilder(counts)
    }

    /// The genes and the packed counts of all entries. A count that [`pack`] refuses is left as
    /// [`Self::ESCAPED`] and handed over by [`Self::escape`].
    pub fn parts(&mut self) -> (GenesMut<'_>, &mut [u16]) {
        let genes = match &mut self.0.columns {
            Columns::Narrow(columns) => GenesMut::Narrow(columns),
            Columns::Wide(columns) => GenesMut::Wide(columns),
        };
        (genes, &mut self.0.values)
    }

    /// The mark of a count that does not fit two bytes.
    pub const ESCAPED: u16 = ESCAPE;

    /// The counts that did not fit, with the number of their entry.
    pub fn escape(&mut self, counts: impl IntoIterator<Item = (u64, f32)>) {
        self.0.escapes.extend(counts);
    }

    /// Sorts rows that are not sorted, adds up repeated genes and drops zeros. With `keep`, which has a
    /// new number or `u32::MAX` for each gene, only the genes with a number stay; `genes` are left.
    pub fn finish(self, keep: Option<(&[u32], usize)>) -> Counts {
        let mut counts = self.0;
        counts.escapes.sort_unstable_by_key(|&(position, _)| position);
        if keep.is_some() || !counts.rows_are_clean() {
            counts.clean_rows(keep);
        }
        counts
    }
}

impl Counts {
    /// Whether genes ascend in every row and no entry is zero.
    fn rows_are_clean(&self) -> bool {
        let clean = |row: &[u64]| {
            let row = row[0] as usize..row[1] as usize;
            let ascend = match &self.columns {
                Columns::Narrow(genes) => genes[row.clone()].windows(2).all(|w| w[0] < w[1]),
                Columns::Wide(genes) => genes[row.clone()].windows(2).all(|w| w[0] < w[1]),
            };
            ascend && !self.values[row].contains(&0)
        };
        self.offsets.par_windows(2).with_min_len(64).all(clean)
    }

    /// Rewrites the rows in place: they only become shorter.
    fn clean_rows(&mut self, keep: Option<(&[u32], usize)>) {
        let escapes = std::mem::take(&mut self.escapes);
        let mut escaped = escapes.into_iter();
        let mut row: Vec<(u32, f32)> = Vec::new();
        let (mut start, mut written) = (0, 0);
        for cell in 0..self.cells() {
            let end = self.offsets[cell + 1] as usize;
            row.clear();
            for entry in start..end {
                let value = match self.values[entry] {
                    ESCAPE => escaped.next().map_or(0.0, |(_, value)| value),
                    small => f32::from(small),
                };
                let gene = self.gene(entry);
                match keep.map(|(keep, _)| keep.get(gene as usize).copied()) {
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
        if let Some((_, genes)) = keep {
            self.genes = genes;
            self.narrow();
        }
    }

    /// Takes to two bytes a gene where few enough are left.
    fn narrow(&mut self) {
        if self.genes <= 1 << 16
            && let Columns::Wide(columns) = &self.columns
        {
            self.columns = Columns::Narrow(columns.iter().map(|&gene| gene as u16).collect());
        }
    }

    fn gene(&self, entry: usize) -> u32 {
        match &self.columns {
            Columns::Narrow(columns) => u32::from(columns[entry]),
            Columns::Wide(columns) => columns[entry],
        }
    }
}

#[cfg(test)]
mod tests {
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
            let counts = builder.finish(Some((&keep, genes - 1)));
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
        let built = builder.finish(None);
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
            }
            let picked = counts.select_cells(&[2, 0]);
            assert_eq!(picked.row(0).collect::<Vec<_>>(), counts.row(2).collect::<Vec<_>>());
            assert_eq!(picked.row(1).collect::<Vec<_>>(), counts.row(0).collect::<Vec<_>>());
        }
    }
}
