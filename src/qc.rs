//! Quality of each cell: its counts, its features, and the share of mitochondrial counts.

use crate::formats::{Feature, Observer};
use crate::matrix::Counts;
use rayon::prelude::*;

/// Per-cell metrics, one value a cell, over **all** genes of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Total counts (`nCount`).
    pub counts: Vec<f64>,
    /// Genes with a count (`nFeature`).
    pub features: Vec<u32>,
    /// Counts of mitochondrial genes in per cent; `None` where the file has no such gene.
    pub percent_mt: Option<Vec<f64>>,
}

impl Metrics {
    /// The values of some cells, in their order.
    pub fn select(&self, cells: &[usize]) -> Metrics {
        Metrics {
            counts: cells.iter().map(|&cell| self.counts[cell]).collect(),
            features: cells.iter().map(|&cell| self.features[cell]).collect(),
            percent_mt: self.percent_mt.as_ref().map(|values| cells.iter().map(|&cell| values[cell]).collect()),
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
    /// Total, features and mitochondrial counts of each cell.
    cells: Vec<(f64, u32, f64)>,
    /// Cells of the samples that are complete.
    complete: usize,
    mitochondrial: Vec<bool>,
    any_mitochondrial: bool,
}

impl Observer for MetricsOfSlabs {
    fn begin(&mut self, features: &[Feature]) {
        self.cells.truncate(self.complete);
        self.mitochondrial = features.iter().map(is_mitochondrial).collect();
        self.any_mitochondrial |= self.mitochondrial.contains(&true);
    }

    fn slab(&mut self, slab: &Counts) {
        let of_cell = |cell: usize| {
            let (mut total, mut detected, mut mitochondrial_total) = (0.0, 0, 0.0);
            for (gene, count) in slab.row(cell) {
                let count = f64::from(count);
                total += count;
                detected += 1;
                if self.mitochondrial[gene as usize] {
                    mitochondrial_total += count;
                }
            }
            (total, detected, mitochondrial_total)
        };
        let cells: Vec<(f64, u32, f64)> = (0..slab.cells()).into_par_iter().map(of_cell).collect();
        self.cells.extend(cells);
    }

    fn end(&mut self) {
        self.complete = self.cells.len();
    }
}

impl MetricsOfSlabs {
    pub fn finish(self) -> Metrics {
        let percent = |&(total, _, part): &(f64, u32, f64)| {
            if total > 0.0 { 100.0 * part / total } else { 0.0 }
        };
        Metrics {
            counts: self.cells.iter().map(|cell| cell.0).collect(),
            features: self.cells.iter().map(|cell| cell.1).collect(),
            percent_mt: self.any_mitochondrial.then(|| self.cells.iter().map(percent).collect()),
        }
    }
}

/// The protein-coding genes of the mitochondrion, for files that have Ensembl ids only: human `ENSG00000…`
/// and mouse `ENSMUSG00000…` (ND1, ND2, CO1, CO2, ATP8, ATP6, CO3, ND3, ND4L, ND4, ND5, ND6, CYB).
const MITOCHONDRIAL_IDS: [&str; 26] = [
    "ENSG00000198888",
    "ENSG00000198763",
    "ENSG00000198804",
    "ENSG00000198712",
    "ENSG00000228253",
    "ENSG00000198899",
    "ENSG00000198938",
    "ENSG00000198840",
    "ENSG00000212907",
    "ENSG00000198886",
    "ENSG00000198786",
    "ENSG00000198695",
    "ENSG00000198727",
    "ENSMUSG00000064341",
    "ENSMUSG00000064345",
    "ENSMUSG00000064351",
    "ENSMUSG00000064354",
    "ENSMUSG00000064356",
    "ENSMUSG00000064357",
    "ENSMUSG00000064358",
    "ENSMUSG00000064360",
    "ENSMUSG00000065947",
    "ENSMUSG00000064363",
    "ENSMUSG00000064367",
    "ENSMUSG00000064368",
    "ENSMUSG00000064370",
];

fn is_mitochondrial(feature: &Feature) -> bool {
    if feature.symbol.starts_with("MT-") || feature.symbol.starts_with("mt-") {
        return true;
    }
    let id = feature.symbol.split('.').next().unwrap_or_default();
    MITOCHONDRIAL_IDS.contains(&id)
}

/// Middle value; the mean of the two middle ones for an even number of values. `None` for no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
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
        assert_eq!(
            super::metrics(&counts, &features[..].iter().map(|_| features[1].clone()).collect::<Vec<_>>()).percent_mt,
            None
        );
    }

    #[test]
    fn median_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
