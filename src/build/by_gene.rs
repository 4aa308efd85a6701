//! Counts the other way round: one row a gene, as the model's fit walks them.

use crate::matrix::Counts;

/// Counts as compressed columns: the non-zero entries of each gene by ascending cell.
pub struct ByGene {
    cells: usize,
    offsets: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl ByGene {
    /// Transposes the counts.
    ///
    /// # Shapes
    /// cells × genes → one row a gene.
    pub fn new(counts: &Counts) -> Self {
        let mut offsets = vec![0usize; counts.genes() + 1];
        for cell in 0..counts.cells() {
            for (gene, _) in counts.row(cell) {
                offsets[gene as usize + 1] += 1;
            }
        }
        for gene in 0..counts.genes() {
            offsets[gene + 1] += offsets[gene];
        }
        let mut next = offsets.clone();
        let mut entries = vec![(0u32, 0f32); counts.nonzeros()];
        for cell in 0..counts.cells() {
            for (gene, count) in counts.row(cell) {
                let slot = &mut next[gene as usize];
                entries[*slot] = (cell as u32, count);
                *slot += 1;
            }
        }
        ByGene { cells: counts.cells(), offsets, entries }
    }

    pub fn cells(&self) -> usize {
        self.cells
    }

    pub fn genes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The non-zero entries of a gene: cell and count.
    pub fn gene(&self, gene: usize) -> &[(u32, f32)] {
        &self.entries[self.offsets[gene]..self.offsets[gene + 1]]
    }

    /// Only these cells, renumbered in the given (ascending) order.
    pub fn select_cells(&self, cells: &[usize]) -> ByGene {
        let mut renumbered = vec![u32::MAX; self.cells];
        for (position, &cell) in cells.iter().enumerate() {
            renumbered[cell] = position as u32;
        }
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let mut entries = Vec::new();
        for gene in 0..self.genes() {
            entries.extend(self.gene(gene).iter().filter_map(|&(cell, count)| {
                let position = renumbered[cell as usize];
                (position != u32::MAX).then_some((position, count))
            }));
            offsets.push(entries.len());
        }
        ByGene { cells: cells.len(), offsets, entries }
    }

    /// log10 of the gene's geometric mean with a pseudocount of one: `log10(exp(mean(ln(count + 1))) - 1)`.
    pub fn log10_geometric_mean(&self, gene: usize) -> f64 {
        let total: f64 = self.gene(gene).iter().map(|&(_, count)| libm::log1p(f64::from(count))).sum();
        libm::log10(libm::expm1(total / self.cells as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transpose_holds_the_same_entries() {
        let mut counts = Counts::with_genes(3);
        counts.push_row([(0, 1.0), (2, 4.0)]);
        counts.push_row([]);
        counts.push_row([(2, 2.0)]);
        let by_gene = ByGene::new(&counts);
        assert_eq!(by_gene.gene(0), [(0, 1.0)]);
        assert_eq!(by_gene.gene(1), []);
        assert_eq!(by_gene.gene(2), [(0, 4.0), (2, 2.0)]);
        let picked = by_gene.select_cells(&[1, 2]);
        assert_eq!((picked.cells(), picked.gene(0).len()), (2, 0));
        assert_eq!(picked.gene(2), [(1, 2.0)]);
        // (5 · 1 · 3)^(1/3) - 1
        let expected = libm::log10(libm::cbrt(15.0) - 1.0);
        assert!((by_gene.log10_geometric_mean(2) - expected).abs() < 1e-14);
    }
}
