//! Quality of each cell: its counts, its features, and the share of mitochondrial counts.

mod suspicions;

pub use suspicions::Look;

use crate::formats::{Feature, Observer};
use crate::genes::{Name, Species};
use crate::matrix::Counts;
use rayon::prelude::*;

/// Per-cell metrics, one value a cell, over **all** genes of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Total counts (`nCount`).
    pub counts: Vec<f64>,
    /// Genes with a count (`nFeature`).
    pub features: Vec<u32>,
    /// Counts of mitochondrial genes in per cent; `None` where the file has no such gene, NaN for the cells of a sample
    /// without one beside samples that have some.
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
        let known = self.mitochondrial.contains(&true);
        let of_cell = |cell: usize| {
            let (mut total, mut detected, mut mitochondrial_total) = (0.0, 0, if known { 0.0 } else { f64::NAN });
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
            if total > 0.0 || part.is_nan() { 100.0 * part / total } else { 0.0 }
        };
        Metrics {
            counts: self.cells.iter().map(|cell| cell.0).collect(),
            features: self.cells.iter().map(|cell| cell.1).collect(),
            percent_mt: self.any_mitochondrial.then(|| self.cells.iter().map(percent).collect()),
        }
    }
}

/// The 37 genes of the mitochondrion by the numbers in their Ensembl ids, human (ENSG) and mouse (ENSMUSG): where a
/// file has ids only, these are the genes whose symbols begin with `MT-` and `mt-`.
///
/// # Source
/// Ensembl, genes of the chromosome MT in GRCh38 and GRCm39.
const MITOCHONDRIAL_HUMAN: [u32; 37] = [
    198695, 198712, 198727, 198763, 198786, 198804, 198840, 198886, 198888, 198899, 198938, 209082, 210049, 210077,
    210082, 210100, 210107, 210112, 210117, 210127, 210135, 210140, 210144, 210151, 210154, 210156, 210164, 210174,
    210176, 210184, 210191, 210194, 210195, 210196, 211459, 212907, 228253,
];
/// All from 64336 to 64372 but 64362, which is 65947.
const MITOCHONDRIAL_MOUSE: std::ops::RangeInclusive<u32> = 64_336..=64_372;

/// By symbol or by Ensembl id, whichever tells; a genome in front of either does not matter.
fn is_mitochondrial(feature: &Feature) -> bool {
    let name = Name::of(feature);
    let by_symbol = name.symbol.as_deref().is_some_and(|symbol| symbol.starts_with("MT-") || symbol.starts_with("mt-"));
    by_symbol || name.id.is_some_and(is_mitochondrial_id)
}

fn is_mitochondrial_id(id: &str) -> bool {
    match Species::of_id(id) {
        Some(Species::Human) => Species::Human.number(id).is_some_and(|id| MITOCHONDRIAL_HUMAN.contains(&id)),
        Some(Species::Mouse) => Species::Mouse
            .number(id)
            .is_some_and(|id| id == 65_947 || (id != 64_362 && MITOCHONDRIAL_MOUSE.contains(&id))),
        None => false,
    }
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
        assert_eq!(
            super::metrics(&counts, &features[..].iter().map(|_| features[1].clone()).collect::<Vec<_>>()).percent_mt,
            None
        );
    }

    #[test]
    fn mitochondrial_genes_by_every_name() {
        let feature =
            |id: &str, symbol: &str| Feature { id: (!id.is_empty()).then(|| id.into()), symbol: symbol.into() };
        for (id, symbol) in [
            ("", "MT-ND1"),
            ("", "mt-Nd1"),
            ("", "MT_ND1"),
            ("ENSG00000198888", "NADH1"),
            ("ENSG00000198888.2", "ENSG00000198888.2"),
            ("", "ENSMUSG00000064341.3"),
            ("", "ENSMUSG00000065947"),
            ("", "GRCh38_MT-CO1"),
            ("", "mm10___mt-Co1"),
            ("hg19_ENSG00000198804", "hg19_COX1"),
            ("", "mm10---mt-Co1"),
            ("", "MT-ND1_ENSG00000198888"),
        ] {
            assert!(is_mitochondrial(&feature(id, symbol)), "{id} {symbol}");
        }
        for (id, symbol) in [("", "MTOR"), ("", "MT1X"), ("ENSG00000198793", "MTOR"), ("", "ENSMUSG00000064362")] {
            assert!(!is_mitochondrial(&feature(id, symbol)), "{id} {symbol}");
        }
    }

    #[test]
    fn median_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[f64::NAN, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
