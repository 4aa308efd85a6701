//! Quality of each cell: its counts, its features, and the shares of mitochondrial, ribosomal and haemoglobin counts.

mod ambient;
mod limits;
mod sets;
mod suspicions;

pub use ambient::{Ambient, Signatures, warnings as ambient_warnings};
pub use limits::{Bound, Filter, Limit, Limits, Metric, SampleLimits, Samples};
pub use sets::GeneSet;
pub use suspicions::Look;

use crate::formats::{Feature, Observer};
use crate::genes::Name;
use crate::matrix::Counts;
use rayon::prelude::*;

/// Per-cell metrics, one value a cell, over **all** genes of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// Total counts (`nCount`).
    pub counts: Vec<f64>,
    /// Genes with a count (`nFeature`).
    pub features: Vec<u32>,
    /// Counts of mitochondrial genes in per cent; `None` where the file has no such gene, NaN for the cells of a sample
    /// without one beside samples that have some.
    pub percent_mt: Option<Vec<f64>>,
    /// The same of the proteins of the ribosome.
    pub percent_ribo: Option<Vec<f64>>,
    /// The same of haemoglobin.
    pub percent_hb: Option<Vec<f64>>,
}

impl Metrics {
    /// The values of some cells, in their order.
    pub fn select(&self, cells: &[usize]) -> Metrics {
        let percent = |set: GeneSet| {
            let values = self.percent(set)?;
            Some(cells.iter().map(|&cell| values[cell]).collect())
        };
        Metrics {
            counts: cells.iter().map(|&cell| self.counts[cell]).collect(),
            features: cells.iter().map(|&cell| self.features[cell]).collect(),
            percent_mt: percent(GeneSet::Mitochondrial),
            percent_ribo: percent(GeneSet::Ribosomal),
            percent_hb: percent(GeneSet::Haemoglobin),
        }
    }

    /// Counts of the set's genes in per cent of each cell's, see [`Self::percent_mt`].
    pub fn percent(&self, set: GeneSet) -> Option<&[f64]> {
        match set {
            GeneSet::Mitochondrial => self.percent_mt.as_deref(),
            GeneSet::Ribosomal => self.percent_ribo.as_deref(),
            GeneSet::Haemoglobin => self.percent_hb.as_deref(),
        }
    }
}

/// # Source
/// Agrees with Seurat's `nCount`, `nFeature` and `PercentageFeatureSet(pattern = "^MT-")`.
pub fn metrics(counts: &Counts, features: &[Feature]) -> Metrics {
    let mut metrics = MetricsOfSlabs::default();
    metrics.begin(features);
    metrics.slab(counts);
    metrics.end();
    metrics.finish()
}

/// Collects the metrics while a file is read, so that they count all genes even where few are kept.
#[derive(Default)]
pub struct MetricsOfSlabs {
    cells: Vec<Sums>,
    /// Cells of the samples that are complete.
    complete: usize,
    /// For each gene of the sample, the sets that it is of: bit for bit those of [`GeneSet::ALL`].
    sets_of_gene: Vec<u8>,
    /// The sets that the sample has genes of, and those that any sample has.
    known: u8,
    any: u8,
}

/// What is added up of a cell.
struct Sums {
    total: f64,
    features: u32,
    /// Counts of each set; NaN where the sample has none of its genes.
    of_sets: [f64; GeneSet::ALL.len()],
}

impl Observer for MetricsOfSlabs {
    fn begin(&mut self, features: &[Feature]) {
        self.cells.truncate(self.complete);
        self.sets_of_gene = features.iter().map(sets_of).collect();
        self.known = self.sets_of_gene.iter().fold(0, |all, sets| all | sets);
        self.any |= self.known;
    }

    fn slab(&mut self, slab: &Counts) {
        let empty: [f64; GeneSet::ALL.len()] =
            std::array::from_fn(|set| if self.known >> set & 1 == 1 { 0.0 } else { f64::NAN });
        let of_cell = |cell: usize| {
            let mut sums = Sums { total: 0.0, features: 0, of_sets: empty };
            for (gene, count) in slab.row(cell) {
                let count = f64::from(count);
                sums.total += count;
                sums.features += 1;
                let sets = self.sets_of_gene[gene as usize];
                if sets != 0 {
                    let parts = sums.of_sets.iter_mut().enumerate().filter(|(set, _)| sets >> set & 1 == 1);
                    parts.for_each(|(_, part)| *part += count);
                }
            }
            sums
        };
        let cells: Vec<Sums> = (0..slab.cells()).into_par_iter().map(of_cell).collect();
        self.cells.extend(cells);
    }

    fn end(&mut self) {
        self.complete = self.cells.len();
    }
}

impl MetricsOfSlabs {
    pub fn finish(self) -> Metrics {
        let percents = |set: usize| {
            let percent = |sums: &Sums| {
                let part = sums.of_sets[set];
                if sums.total > 0.0 || part.is_nan() { 100.0 * part / sums.total } else { 0.0 }
            };
            (self.any >> set & 1 == 1).then(|| self.cells.iter().map(percent).collect())
        };
        Metrics {
            counts: self.cells.iter().map(|cell| cell.total).collect(),
            features: self.cells.iter().map(|cell| cell.features).collect(),
            percent_mt: percents(0),
            percent_ribo: percents(1),
            percent_hb: percents(2),
        }
    }
}

fn sets_of(feature: &Feature) -> u8 {
    let name = Name::of(feature);
    let sets = GeneSet::ALL.iter().enumerate();
    sets.filter(|(_, set)| set.has_name(&name)).fold(0, |sets, (bit, _)| sets | 1 << bit)
}

/// Middle value of those that are not NaN; the mean of the two middle ones for an even number of them. `None` for none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.is_empty() {
        None
    } else if sorted.len() % 2 == 1 {
        Some(sorted[middle])
    } else {
        Some((sorted[middle - 1] + sorted[middle]) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_count_all_genes() {
        let features = ["MT-CO1", "CD3E", "ENSG00000198888.2"].map(|name| Feature { id: None, symbol: name.into() });
        let mut counts = Counts::with_genes(3);
        counts.push_row([(0, 2.0), (1, 5.0), (2, 1.0)]);
        counts.push_row([]);
        counts.push_row([(1, 4.0)]);
        let metrics = metrics(&counts, &features);
        assert_eq!(metrics.counts, [8.0, 0.0, 4.0]);
        assert_eq!(metrics.features, [3, 0, 1]);
        assert_eq!(metrics.percent_mt, Some(vec![37.5, 0.0, 0.0]));
        assert_eq!((metrics.percent_ribo, metrics.percent_hb), (None, None));
        assert_eq!(
            super::metrics(&counts, &features[..].iter().map(|_| features[1].clone()).collect::<Vec<_>>()).percent_mt,
            None
        );
    }

    #[test]
    fn every_set_counts_by_itself_and_is_unknown_where_a_sample_has_none_of_it() {
        let features = |names: &[&str]| -> Vec<Feature> {
            names.iter().map(|name| Feature { id: None, symbol: (*name).into() }).collect()
        };
        let mut counts = Counts::with_genes(4);
        counts.push_row([(0, 1.0), (1, 2.0), (2, 1.0), (3, 4.0)]);
        let mut metrics = MetricsOfSlabs::default();
        for names in [["RPS2", "HBB", "RPLP0", "CD3E"], ["RPS6KA1", "HBP1", "CD3E", "HBA1"]] {
            metrics.begin(&features(&names));
            metrics.slab(&counts);
            metrics.end();
        }
        let metrics = metrics.finish();
        assert_eq!(metrics.percent_mt, None);
        let ribosomal = metrics.percent_ribo.expect("ribosomal genes");
        assert!(ribosomal[0] == 25.0 && ribosomal[1].is_nan());
        assert_eq!(metrics.percent_hb, Some(vec![25.0, 50.0]));
    }

    #[test]
    fn median_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[f64::NAN, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
