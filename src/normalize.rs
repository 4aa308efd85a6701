//! Pearson residuals of the query under the reference's model; nothing is fitted on the query.

use crate::matrix::Counts;
use crate::reference::{Reference, VarianceFloor};
use rayon::prelude::*;

/// The reference's model, restricted to the features that the query has, with the query's own clip.
///
/// # Source
/// Hafemeister and Satija 2019 (10.1186/s13059-019-1874-1); agrees with Seurat 4.3's
/// `SCTransform(reference.SCT.model = …)` as Azimuth calls it.
pub struct Residuals<'a> {
    reference: &'a Reference,
    /// Rows of the reference's features that are used, ascending.
    pub features: Vec<u32>,
    /// For each gene of the query, its place in `features`.
    pub place_of_gene: Vec<Option<u32>>,
    /// First clip: ± the square root of the number of query cells.
    first_clip: f64,
    variance_floor: f64,
}

/// What a residual needs at one sequencing depth.
pub struct Depth {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// The residual of a zero count, for every feature used.
    pub zero: Vec<f64>,
}

impl<'a> Residuals<'a> {
    /// Features that no cell of the query expresses drop out, as genes without counts do in Seurat.
    ///
    /// # Shapes
    /// `feature_of_gene` has one entry for each gene of `counts`, whose cells all have counts.
    pub fn new(reference: &'a Reference, counts: &Counts, feature_of_gene: &[Option<u32>]) -> Self {
        let expressed = expressed_genes(counts);
        let mut features: Vec<u32> = feature_of_gene
            .iter()
            .zip(&expressed)
            .filter_map(|(feature, &expressed)| feature.filter(|_| expressed))
            .collect();
        features.sort_unstable();
        let place_of_gene = feature_of_gene
            .iter()
            .map(|feature| feature.and_then(|feature| features.binary_search(&feature).ok()).map(|place| place as u32))
            .collect();
        let mut residuals = Residuals {
            reference,
            features,
            place_of_gene,
            first_clip: libm::sqrt(counts.cells() as f64),
            variance_floor: f64::NEG_INFINITY,
        };
        residuals.variance_floor = match reference.model.variance_floor {
            VarianceFloor::None => f64::NEG_INFINITY,
            VarianceFloor::Fixed(floor) => floor,
            VarianceFloor::MedianCount => {
                let fifth = residuals.median_count(counts) / 5.0;
                fifth * fifth
            }
        };
        residuals
    }

    /// Median of the non-zero counts of the features used.
    fn median_count(&self, counts: &Counts) -> f64 {
        let mut values: Vec<f64> = (0..counts.cells())
            .flat_map(|cell| counts.row(cell).filter(|&(gene, _)| self.place_of_gene[gene as usize].is_some()))
            .map(|(_, count)| f64::from(count))
            .collect();
        let middle = values.len() / 2;
        if values.is_empty() {
            return 0.0;
        }
        let even = values.len().is_multiple_of(2);
        let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
        if !even {
            return upper;
        }
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (lower + upper) / 2.0
    }

    /// Means, deviations and zero residuals of all features used in a cell of `total` counts.
    pub fn at_depth(&self, total: f64) -> Depth {
        let model = &self.reference.model;
        let log_total = libm::log10(total);
        let mut depth = Depth {
            mean: Vec::with_capacity(self.features.len()),
            deviation: Vec::with_capacity(self.features.len()),
            zero: Vec::with_capacity(self.features.len()),
        };
        for &feature in &self.features {
            let row = feature as usize;
            let mean = libm::exp(model.intercept[row] + model.slope[row] * log_total);
            let variance = mean + mean * mean / model.theta[row];
            depth.mean.push(mean);
            depth.deviation.push(libm::sqrt(variance.max(self.variance_floor)));
        }
        for place in 0..self.features.len() {
            let zero = self.residual(&depth, place, 0.0);
            depth.zero.push(zero);
        }
        depth
    }

    /// The residual of one count, where the log10 of the cell's total is known and nothing else of its depth is needed.
    pub fn residual_alone(&self, log_total: f64, place: usize, count: f64) -> f64 {
        let model = &self.reference.model;
        let row = self.features[place] as usize;
        let mean = libm::exp(model.intercept[row] + model.slope[row] * log_total);
        let variance = mean + mean * mean / model.theta[row];
        self.clipped((count - mean) / libm::sqrt(variance.max(self.variance_floor)), row)
    }

    /// The residual of `count` for the feature at `place` of [`Self::features`].
    pub fn residual(&self, depth: &Depth, place: usize, count: f64) -> f64 {
        self.clipped((count - depth.mean[place]) / depth.deviation[place], self.features[place] as usize)
    }

    fn clipped(&self, standardised: f64, row: usize) -> f64 {
        let model = &self.reference.model;
        let clipped = standardised.clamp(-self.first_clip, self.first_clip);
        (clipped - model.residual_mean[row]).clamp(model.clip.0, model.clip.1)
    }
}

/// Whether any cell has a count of the gene.
fn expressed_genes(counts: &Counts) -> Vec<bool> {
    const CELLS: usize = 4096;
    let starts: Vec<usize> = (0..counts.cells()).step_by(CELLS).collect();
    let parts: Vec<Vec<bool>> = starts
        .par_iter()
        .map(|&start| {
            let mut seen = vec![false; counts.genes()];
            for cell in start..(start + CELLS).min(counts.cells()) {
                counts.row(cell).for_each(|(gene, _)| seen[gene as usize] = true);
            }
            seen
        })
        .collect();
    parts.into_iter().fold(vec![false; counts.genes()], |mut all, part| {
        all.iter_mut().zip(part).for_each(|(all, part)| *all |= part);
        all
    })
}
