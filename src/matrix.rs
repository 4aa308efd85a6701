//! The two matrix types: dense embeddings and sparse counts.

use ndarray::Array2;

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

const ESCAPE: u16 = u16::MAX;

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
            let small = value as u16;
            if small != ESCAPE && f32::from(small) == value {
                self.values.push(small);
            } else {
                self.escapes.push((self.values.len() as u64, value));
                self.values.push(ESCAPE);
            }
        }
        self.offsets.push(self.values.len() as u64);
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
            let gene = match &self.columns {
                Columns::Narrow(columns) => u32::from(columns[entry]),
                Columns::Wide(columns) => columns[entry],
            };
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

#[cfg(test)]
mod tests {
    use super::*;

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
