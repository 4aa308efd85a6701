//! Marker genes: which genes tell the cells of a group from other cells.
//!
//! Every gene is compared between the cells of a group and all others that are in any group, by the Wilcoxon rank-sum
//! test. Cells that are in no group take no part, so two selections are compared by putting them in two groups and the
//! rest in none.
//!
//! The non-zero values of a gene are sorted once for all groups of all levels; zeros are one group of ties below them.
//! So the work grows with the non-zeros and with genes × groups, and only some genes are held by gene at a time.
//! Sums are whole numbers: the result does not depend on the order of the cells.

mod blocks;
mod grouping;
mod order;
mod proteins;
mod ranks;
mod significance;
mod table;

pub use grouping::{Chosen, Grouping};
pub use order::Order;
pub use proteins::find_protein_markers;
pub use significance::{adjust, area_under_curve, p_value, z_score};

use crate::error::Warning;
use crate::matrix::Counts;
use crate::progress::Progress;
use blocks::{Block, Scale, divide, entries_of_genes};
use ranks::{Codes, Sums, UNIT, cell};
use rayon::prelude::*;
use std::ops::Range;

/// Counts that every cell is brought to (`scale.factor` of Seurat's `NormalizeData`).
const DEPTH: f64 = 10_000.0;
/// Genes that one task compares.
const GENES: usize = 64;

/// Which values of the cells are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Counts as they are: types of large cells have more of every gene.
    Counts,
    /// log1p(count / total of the cell · 10,000), in single precision; means are of count / total · 10,000.
    DepthNormalised,
}

/// Which tied cells lower the variance of the rank sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// All of them.
    All,
    /// All but those of each gene's largest value, as in presto 1.0.0. So its p-values are a little larger where
    /// many cells have that value.
    NotOfLargest,
}

/// Which genes are tests that Benjamini and Hochberg's adjustment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    AllGenes,
    /// Those that some cell has a count of: Azimuth drops the others when it loads a file.
    ExpressedGenes,
}

/// How groups are compared. The default is ours, [`Options::azimuth`] what Azimuth shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub values: Values,
    pub ties: Ties,
    pub tests: Tests,
    /// Groups of fewer cells get a sentence instead of results. 16: Azimuth's page says at least 15, its code asks for
    /// more than 15.
    pub fewest_cells: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { values: Values::DepthNormalised, ties: Ties::All, tests: Tests::AllGenes, fewest_cells: 16 }
    }
}

impl Options {
    /// Azimuth's: on raw counts with presto's sum of ties.
    ///
    /// # Source
    /// Agrees with presto 1.0.0 `wilcoxauc` on the `data` of Azimuth's query, which are its counts.
    pub fn azimuth() -> Self {
        Options { values: Values::Counts, ties: Ties::NotOfLargest, tests: Tests::ExpressedGenes, ..Options::default() }
    }
}

/// One gene in the cells of a group (`in`) and in the others that it is compared with (`out`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    /// Probability that a cell of the group has more of the gene than another cell; above 0.5 it is higher in the group.
    pub auc: f64,
    /// Positive where the gene is higher in the group; see [`z_score`].
    pub z: f64,
    /// Two-sided; see [`p_value`].
    pub p: f64,
    /// Adjusted over the genes; see [`adjust`].
    pub p_adjusted: f64,
    /// Mean count per 10,000 of the cell, or mean count, as [`Values`] says.
    pub mean_in: f64,
    pub mean_out: f64,
    /// Share of cells with a count, 0 to 100.
    pub percent_in: f64,
    pub percent_out: f64,
}

impl Marker {
    /// log₂((mean_in + 1) / (mean_out + 1)).
    ///
    /// # Source
    /// Equals Seurat 4.3's `FoldChange` of log-normalised data (`mean.fxn` with `pseudocount.use = 1`) where means are
    /// of [`Values::DepthNormalised`].
    pub fn log2_fold_change(&self) -> f64 {
        libm::log2((self.mean_in + 1.0) / (self.mean_out + 1.0))
    }

    /// mean_in − mean_out, which presto calls `logFC`.
    pub fn difference(&self) -> f64 {
        self.mean_in - self.mean_out
    }
}

/// The markers of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMarkers {
    pub group: String,
    pub cells: usize,
    /// The cells that it was compared with.
    pub others: usize,
    /// One for each gene, in their order; or why the group was not compared.
    pub genes: Result<Vec<Marker>, Warning>,
}

/// The markers of every group of one grouping, in the order of its groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Markers {
    /// Name of the grouping, such as a level of the reference.
    pub level: String,
    /// Groups of fewer cells were not compared.
    pub fewest_cells: usize,
    pub groups: Vec<GroupMarkers>,
}

impl Markers {
    /// Sentences about the groups that have cells, but no results; one about all that have too few.
    pub fn warnings(&self) -> Vec<Warning> {
        let with_cells = self.groups.iter().filter(|group| group.cells > 0);
        let without: Vec<(&GroupMarkers, &Warning)> =
            with_cells.filter_map(|group| Some((group, group.genes.as_ref().err()?))).collect();
        match without.as_slice() {
            [] => Vec::new(),
            [(_, warning)] => vec![(*warning).clone()],
            several => vec![grouping::few_cells(self, several.iter().map(|(group, _)| *group))],
        }
    }
}

/// Compares each group of each grouping with the rest of it, in every gene.
///
/// # Shapes
/// `counts` is cells × genes; `totals` and the codes of each grouping have one entry for each cell; totals are over all
/// genes of the file, whichever of them are here. One result for each grouping.
pub fn find_markers(
    counts: &Counts,
    totals: &[f64],
    groupings: &[Grouping],
    options: &Options,
    progress: &Progress<'_>,
) -> Vec<Markers> {
    find_in_blocks(counts, totals, groupings, options, blocks::ENTRIES, progress)
}

/// `least`: entries of a block of genes, about.
fn find_in_blocks(
    counts: &Counts,
    totals: &[f64],
    groupings: &[Grouping],
    options: &Options,
    least: usize,
    progress: &Progress<'_>,
) -> Vec<Markers> {
    let mut finding = Finding::new(totals, groupings, options);
    finding.compare(counts, least, progress);
    finding.finish()
}

/// Marker genes of counts that come some genes at a time.
pub struct Finding<'a> {
    options: &'a Options,
    scale: Scale<'a>,
    groupings: Vec<Codes>,
    found: Vec<Markers>,
    /// Cells with a count of each gene so far.
    of_gene: Vec<u32>,
}

impl<'a> Finding<'a> {
    /// # Shapes
    /// As [`find_markers`].
    pub fn new(totals: &'a [f64], groupings: &[Grouping], options: &'a Options) -> Self {
        debug_assert!(groupings.iter().all(|grouping| grouping.codes.len() == totals.len()));
        let prepared: Vec<Codes> = groupings.iter().map(Codes::new).collect();
        let found = groupings.iter().zip(&prepared).map(|(grouping, codes)| empty(grouping, codes, options)).collect();
        let scale = Scale::new(options.values, totals);
        Finding { options, scale, groupings: prepared, found, of_gene: Vec::new() }
    }

    /// Compares the genes that follow those that were compared before.
    ///
    /// # Shapes
    /// `counts`: all cells × these genes.
    pub fn add(&mut self, counts: &Counts, progress: &Progress<'_>) {
        self.compare(counts, blocks::ENTRIES, progress);
    }

    fn compare(&mut self, counts: &Counts, least: usize, progress: &Progress<'_>) {
        let of_gene = entries_of_genes(counts);
        let blocks = divide(&of_gene, least);
        for (number, genes) in blocks.iter().enumerate() {
            progress.report("Finding markers", number as f64 / blocks.len() as f64);
            let block = Block::new(counts, genes, &self.scale);
            let starts: Vec<usize> = (0..genes.len()).step_by(GENES).collect();
            let some = |start: usize| {
                let genes = start..(start + GENES).min(genes.len());
                compare(&block, genes, &self.scale, &self.groupings, &self.found, self.options)
            };
            let results: Vec<Vec<Vec<Marker>>> = starts.into_par_iter().map(some).collect();
            results.into_iter().for_each(|result| hand_out(result, &mut self.found));
        }
        self.of_gene.extend(of_gene);
    }

    /// The markers of all genes, their p-values adjusted.
    pub fn finish(mut self) -> Vec<Markers> {
        let groups = self.found.par_iter_mut().flat_map(|level| level.groups.par_iter_mut());
        let (of_gene, tests) = (&self.of_gene, self.options.tests);
        groups.filter_map(|group| group.genes.as_mut().ok()).for_each(|genes| adjust_all(genes, of_gene, tests));
        self.found
    }
}

/// Groups with no results yet, or with the reason why they get none.
fn empty(grouping: &Grouping, codes: &Codes, options: &Options) -> Markers {
    let groups = grouping.groups.iter().zip(&codes.cells).map(|(name, &cells)| {
        let others = codes.compared - u64::from(cells);
        let refusal = grouping.refusal(name, cells as usize, others as usize, options.fewest_cells);
        let genes = refusal.map_or_else(|| Ok(Vec::new()), Err);
        GroupMarkers { group: name.clone(), cells: cells as usize, others: others as usize, genes }
    });
    Markers { level: grouping.name.clone(), fewest_cells: options.fewest_cells, groups: groups.collect() }
}

/// The results of some genes of a block in each grouping, by gene and then by group; of the groups that are compared only.
fn compare(
    block: &Block,
    genes: Range<usize>,
    scale: &Scale<'_>,
    groupings: &[Codes],
    found: &[Markers],
    options: &Options,
) -> Vec<Vec<Marker>> {
    let mut results: Vec<Vec<Marker>> = groupings.iter().map(|_| Vec::new()).collect();
    let mut sums: Vec<Sums> = groupings.iter().map(Sums::new).collect();
    let mut sorted = Vec::new();
    for gene in genes {
        sorted.clear();
        sums.iter_mut().for_each(Sums::clear);
        for (keys, counts) in block.gene(gene) {
            sorted.extend_from_slice(keys);
            for (&key, &count) in keys.iter().zip(counts) {
                let amount = scale.amount(cell(key), count);
                for (sums, codes) in sums.iter_mut().zip(groupings) {
                    sums.add(codes.code[cell(key)], amount);
                }
            }
        }
        sorted.sort_unstable();
        for (((sums, codes), level), results) in sums.iter_mut().zip(groupings).zip(found).zip(&mut results) {
            sums.rank(&sorted, codes);
            let of_groups = markers(sums, codes, options.ties);
            results
                .extend(of_groups.zip(&level.groups).filter(|(_, group)| group.genes.is_ok()).map(|(make, _)| make()));
        }
    }
    results
}

/// Adds what [`compare`] found to the groups that it is of.
fn hand_out(results: Vec<Vec<Marker>>, found: &mut [Markers]) {
    for (level, result) in found.iter_mut().zip(results) {
        let compared: Vec<_> = level.groups.iter_mut().filter_map(|group| group.genes.as_mut().ok()).collect();
        let number = compared.len().max(1);
        for (place, genes) in compared.into_iter().enumerate() {
            genes.extend(result.iter().skip(place).step_by(number));
        }
    }
}

/// The result of one gene in each group, made when asked for.
fn markers<'a>(sums: &'a Sums, codes: &'a Codes, ties: Ties) -> impl Iterator<Item = impl Fn() -> Marker + 'a> + 'a {
    let groups = codes.cells.len() - 1;
    let ties = match ties {
        Ties::All => sums.ties,
        Ties::NotOfLargest => sums.ties - sums.ties_of_largest,
    };
    let nonzeros: u32 = sums.nonzeros[..groups].iter().sum();
    let amount: u128 = sums.amounts[..groups].iter().sum();
    let mean = |amount: u128, cells: u64| amount as f64 / UNIT / cells as f64;
    let percent = |nonzeros: u32, cells: u64| 100.0 * f64::from(nonzeros) / cells as f64;
    (0..groups).map(move |group| {
        move || {
            let inside = u64::from(codes.cells[group]);
            let outside = codes.compared - inside;
            let twice_ranks = sums.twice_ranks[group];
            let z = z_score(twice_ranks, inside, outside, ties);
            Marker {
                auc: area_under_curve(twice_ranks, inside, outside),
                z,
                p: p_value(z),
                p_adjusted: 1.0,
                mean_in: mean(sums.amounts[group], inside),
                mean_out: mean(amount - sums.amounts[group], outside),
                percent_in: percent(sums.nonzeros[group], inside),
                percent_out: percent(nonzeros - sums.nonzeros[group], outside),
            }
        }
    })
}

fn adjust_all(genes: &mut [Marker], of_gene: &[u32], tests: Tests) {
    let is_test = |gene: &(&mut Marker, &u32)| tests == Tests::AllGenes || *gene.1 > 0;
    let mut tested: Vec<&mut Marker> =
        genes.iter_mut().zip(of_gene).filter(is_test).map(|(marker, _)| marker).collect();
    let p_values: Vec<f64> = tested.iter().map(|marker| marker.p).collect();
    tested.iter_mut().zip(adjust(&p_values)).for_each(|(marker, adjusted)| marker.p_adjusted = adjusted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_division_of_the_genes_changes_nothing() {
        let mut counts = Counts::with_genes(150);
        for row in 0..60 {
            counts.push_row((0..150).map(|gene| (gene, (row * (gene + 3) % 11 % 4) as f32)));
        }
        let totals: Vec<f64> = (0..60).map(|cell| counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
        let grouping = |name: &str, of: fn(u32) -> u32| Grouping {
            name: name.into(),
            groups: ["a", "b", "c"].map(str::to_owned).to_vec(),
            codes: (0..60).map(of).collect(),
        };
        let groupings = [grouping("even", |cell| cell % 3), grouping("few", |cell| cell / 28)];
        let find =
            |least| find_in_blocks(&counts, &totals, &groupings, &Options::default(), least, &Progress::silent());
        let whole = find(blocks::ENTRIES);
        assert!(whole[1].groups[2].genes.is_err());
        for group in whole.iter().flat_map(|level| &level.groups).filter(|group| group.cells > 15) {
            assert_eq!(group.genes.as_ref().map(Vec::len), Ok(150));
        }
        assert!(whole == find(1) && whole == find(700));
    }
}
