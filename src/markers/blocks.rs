//! Counts the other way round, some genes at a time: the whole transpose would take three times the memory of all counts.

use super::Values;
use super::ranks::key;
use crate::matrix::Counts;
use rayon::prelude::*;
use std::ops::Range;

/// Entries of a block, about; one gene is never divided. An entry takes twelve bytes.
pub const ENTRIES: usize = 4 << 20;
/// Blocks there are at most, about: in each of them every row is searched for its genes, which costs as much as some
/// dozens of entries.
const BLOCKS: usize = 32;
/// Cells whose entries one task turns round, small enough for what it writes to stay in the cache.
const CELLS: usize = 512;
/// Whole counts up to this number have their values kept for each cell.
const KEPT: usize = 8;

/// Divides genes of so many entries into consecutive ranges of about as many each, and no fewer than `least`.
pub fn divide(of_gene: &[u32], least: usize) -> Vec<Range<u32>> {
    let all: usize = of_gene.iter().map(|&entries| entries as usize).sum();
    let wanted = (all / BLOCKS).max(least);
    let (mut blocks, mut start, mut entries) = (Vec::new(), 0, 0);
    for (gene, &nonzeros) in (1..).zip(of_gene) {
        entries += nonzeros as usize;
        if entries >= wanted || gene as usize == of_gene.len() {
            blocks.push(start..gene);
            (start, entries) = (gene, 0);
        }
    }
    blocks
}

/// How many cells have a count of each gene.
pub fn entries_of_genes(counts: &Counts) -> Vec<u32> {
    let starts: Vec<usize> = (0..counts.cells()).step_by(8 * CELLS).collect();
    let of_gene = |start: usize| {
        let mut entries = vec![0; counts.genes()];
        for cell in start..(start + 8 * CELLS).min(counts.cells()) {
            counts.row(cell).for_each(|(gene, _)| entries[gene as usize] += 1);
        }
        entries
    };
    let add = |mut sum: Vec<u32>, part: Vec<u32>| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    };
    starts.into_par_iter().map(of_gene).reduce(|| vec![0; counts.genes()], add)
}

/// What is compared of each cell.
pub struct Scale<'a> {
    values: Values,
    totals: &'a [f64],
    /// Of each cell, the values of the counts 1 to [`KEPT`]: most counts are that small, and logarithms take long.
    kept: Vec<f32>,
}

impl<'a> Scale<'a> {
    pub fn new(values: Values, totals: &'a [f64]) -> Self {
        let of_cell = |&total: &f64| std::array::from_fn::<f32, KEPT, _>(|less| log_normalised(less + 1, total));
        let kept = match values {
            Values::Counts => Vec::new(),
            Values::DepthNormalised => totals.par_iter().flat_map_iter(of_cell).collect(),
        };
        Scale { values, totals, kept }
    }

    /// What means are made of: the count, or the count per 10,000.
    pub fn amount(&self, cell: usize, count: f32) -> f64 {
        match self.values {
            Values::Counts => f64::from(count),
            Values::DepthNormalised => f64::from(count) / self.totals[cell] * super::DEPTH,
        }
    }

    /// What ranks are made of.
    fn value(&self, cell: usize, count: f32) -> f32 {
        match self.values {
            Values::Counts => count,
            Values::DepthNormalised => {
                let small = count as usize;
                if (1..=KEPT).contains(&small) && small as f32 == count {
                    self.kept[cell * KEPT + small - 1]
                } else {
                    libm::log1p(f64::from(count) / self.totals[cell] * super::DEPTH) as f32
                }
            }
        }
    }
}

fn log_normalised(count: usize, total: f64) -> f32 {
    libm::log1p(count as f64 / total * super::DEPTH) as f32
}

/// The non-zero entries of some genes.
pub struct Block {
    /// Of consecutive cells each.
    parts: Vec<Part>,
}

/// Entries of some genes in some cells, by gene and then by cell.
struct Part {
    /// One more than genes.
    offsets: Vec<usize>,
    keys: Vec<u64>,
    counts: Vec<f32>,
}

impl Block {
    pub fn new(counts: &Counts, genes: &Range<u32>, scale: &Scale<'_>) -> Self {
        let starts: Vec<usize> = (0..counts.cells()).step_by(CELLS).collect();
        let part = |start| Part::new(counts, start..(start + CELLS).min(counts.cells()), genes, scale);
        Block { parts: starts.into_par_iter().map(part).collect() }
    }

    /// The entries of a gene, counted from the first of the block, in pieces: keys and counts.
    pub fn gene(&self, gene: usize) -> impl Iterator<Item = (&[u64], &[f32])> {
        self.parts.iter().map(move |part| {
            let range = part.offsets[gene]..part.offsets[gene + 1];
            (&part.keys[range.clone()], &part.counts[range])
        })
    }
}

impl Part {
    fn new(counts: &Counts, cells: Range<usize>, genes: &Range<u32>, scale: &Scale<'_>) -> Self {
        let mut offsets = vec![0; genes.len() + 1];
        for cell in cells.clone() {
            for (gene, _) in counts.row_between(cell, genes.clone()) {
                offsets[(gene - genes.start) as usize + 1] += 1;
            }
        }
        for gene in 0..genes.len() {
            offsets[gene + 1] += offsets[gene];
        }
        let entries = offsets.last().copied().unwrap_or(0);
        let (mut keys, mut values) = (vec![0; entries], vec![0.0; entries]);
        let mut next = offsets.clone();
        for cell in cells {
            for (gene, count) in counts.row_between(cell, genes.clone()) {
                let slot = &mut next[(gene - genes.start) as usize];
                keys[*slot] = key(scale.value(cell, count), cell);
                values[*slot] = count;
                *slot += 1;
            }
        }
        Part { offsets, keys, counts: values }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ranks::cell;
    use super::*;

    #[test]
    fn genes_are_divided_by_their_entries() {
        assert_eq!(divide(&[3, 0, 4, 9, 0, 0], 5), [0..3, 3..4, 4..6]);
        assert_eq!(divide(&[0, 0], 5).len(), 1);
        assert_eq!(divide(&[9; 320], 1).len(), BLOCKS);
        assert!(divide(&[], 5).is_empty());
    }

    #[test]
    fn a_block_has_the_entries_of_its_genes() {
        let mut counts = Counts::with_genes(6);
        let rows = 2 * CELLS + 7;
        (0..rows).for_each(|row| counts.push_row((0..6).map(|gene| (gene, (row as u32 % (gene + 2)) as f32))));
        let totals = vec![100.0; rows];
        let scale = Scale::new(Values::DepthNormalised, &totals);
        let block = Block::new(&counts, &(2..5), &scale);
        for gene in 0..3 {
            let expected = (0..rows).map(|row| (row, (row % (gene + 4)) as f32)).filter(|entry| entry.1 > 0.0);
            let mut found = Vec::new();
            for (keys, counts) in block.gene(gene) {
                for (&one, &count) in keys.iter().zip(counts) {
                    let value = libm::log1p(f64::from(count) / 100.0 * 1e4) as f32;
                    assert_eq!(one, key(value, cell(one)));
                    found.push((cell(one), count));
                }
            }
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
        let entries = entries_of_genes(&counts);
        assert_eq!(entries[0] as usize, rows / 2);
        assert_eq!(entries.iter().map(|&entries| entries as usize).sum::<usize>(), counts.nonzeros());
    }

    #[test]
    fn values_of_small_counts_are_those_of_others() {
        let totals = [1_234.0, 77.0];
        let scale = Scale::new(Values::DepthNormalised, &totals);
        for (cell, &total) in totals.iter().enumerate() {
            for count in [0.5, 1.0, 1.5, 7.0, 8.0, 9.0, 70_000.0] {
                let expected = libm::log1p(f64::from(count) / total * 1e4) as f32;
                assert_eq!(scale.value(cell, count), expected);
            }
        }
    }
}
