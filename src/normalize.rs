//! The query's counts as the reference looks at them: Pearson residuals under its model, or scaled logarithms of normalised
//! counts. Nothing is fitted on the query.

use crate::kernel::{exp, widest};
use crate::matrix::Counts;
use crate::reference::{ExpressionModel, Reference, ResidualModel, VarianceFloor};
use rayon::prelude::*;

/// The counts of a cell over all its genes, and their log10.
#[derive(Clone, Copy)]
pub struct Total {
    count: f64,
    log: f64,
}

impl Total {
    pub fn of(count: f64) -> Self {
        Total { count, log: libm::log10(count) }
    }

    /// For what depends on the logarithm alone: a zero count.
    pub fn of_log(log: f64) -> Self {
        Total { count: f64::NAN, log }
    }

    pub fn log(&self) -> f64 {
        self.log
    }
}

/// The reference's model with the query's own clip: the residual of any count, or its scaled logarithm.
#[derive(Clone, Copy)]
pub struct Rule<'a> {
    pub reference: &'a Reference,
    /// First clip of residuals: ± the square root of the number of query cells.
    pub first_clip: f64,
    pub variance_floor: f64,
}

impl Rule<'_> {
    /// Mean and deviation of a feature in cells of one depth.
    fn expect(&self, model: &ResidualModel, feature: usize, total: Total) -> (f64, f64) {
        let mean = exp(model.intercept[feature] + model.slope[feature] * total.log);
        (mean, deviation(mean, model.theta[feature], self.variance_floor))
    }

    fn residual(&self, model: &ResidualModel, feature: usize, expected: (f64, f64), count: f64) -> f64 {
        residual(count, expected, model.residual_mean[feature], self.first_clip, model.clip)
    }

    /// The value of `count` in a cell of such a total.
    fn value(&self, feature: usize, total: Total, count: f64) -> f64 {
        match &self.reference.model {
            ExpressionModel::Residuals(model) => {
                self.residual(model, feature, self.expect(model, feature, total), count)
            }
            ExpressionModel::LogNormalized(model) => model.scaled(feature, total.count, count),
        }
    }

    /// By how much the value of `count` differs from that of a zero count.
    pub fn correction(&self, feature: usize, total: Total, count: f64) -> f64 {
        match &self.reference.model {
            ExpressionModel::Residuals(model) => {
                let expected = self.expect(model, feature, total);
                self.residual(model, feature, expected, count) - self.residual(model, feature, expected, 0.0)
            }
            ExpressionModel::LogNormalized(model) => {
                model.scaled(feature, total.count, count) - model.scaled(feature, total.count, 0.0)
            }
        }
    }

    /// Whether the model's own clip hides every residual that the first clip could cut, so that its size does not matter.
    pub fn first_clip_is_hidden(&self) -> bool {
        let Some(model) = self.reference.model.residuals() else {
            return true;
        };
        let (low, high) = model.clip;
        let hidden = |&mean: &f64| self.first_clip - mean >= high && -self.first_clip - mean <= low;
        model.residual_mean.iter().all(hidden)
    }

    /// Whether only features count that some query cell expresses: genes without counts drop out in Seurat. Symphony takes
    /// a gene that the file has for one that was measured, and found to be zero.
    pub fn drops_unexpressed(&self) -> bool {
        self.reference.model.residuals().is_some()
    }
}

#[inline(always)]
fn deviation(mean: f64, theta: f64, variance_floor: f64) -> f64 {
    (mean + mean * mean / theta).max(variance_floor).sqrt()
}

#[inline(always)]
fn residual(count: f64, expected: (f64, f64), residual_mean: f64, first_clip: f64, clip: (f64, f64)) -> f64 {
    let clipped = bounded((count - expected.0) / expected.1, (-first_clip, first_clip));
    bounded(clipped - residual_mean, clip)
}

/// `clamp` without its check of the bounds, which would keep a loop from becoming vectors.
#[inline(always)]
fn bounded(value: f64, (low, high): (f64, f64)) -> f64 {
    let value = if value < low { low } else { value };
    if value > high { high } else { value }
}

/// The smallest variance of a version-2 model, where `median` is that of the non-zero counts.
pub fn floor_of_median(median: f64) -> f64 {
    let fifth = median / 5.0;
    fifth * fifth
}

/// The reference's model, restricted to the features that the query has, with the query's own clip. Where the model is not of
/// residuals, what is called so here are its scaled logarithms: [`crate::reference::LogModel`].
///
/// # Source
/// Hafemeister and Satija 2019 (10.1186/s13059-019-1874-1); agrees with Seurat 4.3's
/// `SCTransform(reference.SCT.model = …)` as Azimuth calls it.
pub struct Residuals<'a> {
    rule: Rule<'a>,
    /// Rows of the reference's features that are used, ascending.
    pub features: Vec<u32>,
    of_features: OfFeatures,
    /// For each gene of the query, its place in `features`.
    pub place_of_gene: Vec<Option<u32>>,
}

/// What the model says of each feature used: side by side, so that a loop over them becomes vectors.
enum OfFeatures {
    Residuals {
        intercept: Vec<f64>,
        slope: Vec<f64>,
        theta: Vec<f64>,
        residual_mean: Vec<f64>,
        clip: (f64, f64),
    },
    /// The values of zero counts, which are those of every depth.
    LogNormalized(Vec<f64>),
}

impl OfFeatures {
    fn new(reference: &Reference, features: &[u32]) -> Self {
        let of = |values: &[f64]| features.iter().map(|&feature| values[feature as usize]).collect();
        match &reference.model {
            ExpressionModel::Residuals(model) => OfFeatures::Residuals {
                intercept: of(&model.intercept),
                slope: of(&model.slope),
                theta: of(&model.theta),
                residual_mean: of(&model.residual_mean),
                clip: model.clip,
            },
            ExpressionModel::LogNormalized(model) => OfFeatures::LogNormalized(
                features.iter().map(|&feature| model.scaled(feature as usize, 1.0, 0.0)).collect(),
            ),
        }
    }
}

/// What a value needs at one sequencing depth.
pub struct Depth {
    total: Total,
    /// Expected count and deviation of each feature used; of none where the values are no residuals.
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// The value of a zero count, for every feature used.
    pub zero: Vec<f64>,
}

impl<'a> Residuals<'a> {
    /// Of residuals, features that no cell of the query expresses drop out, as genes without counts do in Seurat.
    ///
    /// # Shapes
    /// `feature_of_gene` has one entry for each gene of `counts`, whose cells all have counts.
    pub fn new(reference: &'a Reference, counts: &Counts, feature_of_gene: &[Option<u32>]) -> Self {
        let first_clip = (counts.cells() as f64).sqrt();
        let rule = Rule { reference, first_clip, variance_floor: f64::NEG_INFINITY };
        let expressed = if rule.drops_unexpressed() { expressed_genes(counts) } else { vec![true; counts.genes()] };
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
        let of_features = OfFeatures::new(reference, &features);
        let mut residuals = Residuals { rule, features, of_features, place_of_gene };
        residuals.rule.variance_floor = match reference.model.variance_floor() {
            VarianceFloor::None => f64::NEG_INFINITY,
            VarianceFloor::Fixed(floor) => floor,
            VarianceFloor::MedianCount => floor_of_median(residuals.median_count(counts)),
        };
        residuals
    }

    /// For features and a rule that are known: those of cells whose counts are gone. It has no genes.
    pub fn of_features(rule: Rule<'a>, features: Vec<u32>) -> Self {
        let of_features = OfFeatures::new(rule.reference, &features);
        Residuals { rule, features, of_features, place_of_gene: Vec::new() }
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
        let total = Total::of(total);
        let features = self.features.len();
        let (intercept, slope, theta, residual_mean, clip) = match &self.of_features {
            OfFeatures::Residuals { intercept, slope, theta, residual_mean, clip } => {
                (intercept, slope, theta, residual_mean, *clip)
            }
            OfFeatures::LogNormalized(zero) => {
                return Depth { total, mean: Vec::new(), deviation: Vec::new(), zero: zero.clone() };
            }
        };
        let (first_clip, floor) = (self.rule.first_clip, self.rule.variance_floor);
        let [intercept, slope, theta, residual_mean] =
            [intercept, slope, theta, residual_mean].map(|values| &values[..features]);
        let [mean, deviations, zero] = std::array::from_fn(|_| vec![0.0; features]);
        let mut depth = Depth { total, mean, deviation: deviations, zero };
        let (means, deviations, zeros) =
            (&mut depth.mean[..features], &mut depth.deviation[..features], &mut depth.zero[..features]);
        widest(
            #[inline(always)]
            || {
                for at in 0..features {
                    means[at] = exp(intercept[at] + slope[at] * total.log);
                }
                for at in 0..features {
                    deviations[at] = deviation(means[at], theta[at], floor);
                    zeros[at] = residual(0.0, (means[at], deviations[at]), residual_mean[at], first_clip, clip);
                }
            },
        );
        depth
    }

    /// The value of one count, where nothing else of the cell's depth is needed.
    pub fn residual_alone(&self, total: Total, place: usize, count: f64) -> f64 {
        self.rule.value(self.features[place] as usize, total, count)
    }

    /// The value of `count` for the feature at `place` of [`Self::features`].
    pub fn residual(&self, depth: &Depth, place: usize, count: f64) -> f64 {
        let feature = self.features[place] as usize;
        match &self.rule.reference.model {
            ExpressionModel::Residuals(model) => {
                self.rule.residual(model, feature, (depth.mean[place], depth.deviation[place]), count)
            }
            ExpressionModel::LogNormalized(_) => self.rule.value(feature, depth.total, count),
        }
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
