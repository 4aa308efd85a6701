//! What the counts of a query cell become before they are projected, and, of references that Harmony integrated, what
//! becomes of the projection.

use super::{ResidualModel, VarianceFloor};
use crate::matrix::Dense;

/// How the reference looks at counts.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionModel {
    /// Pearson residuals of a negative binomial regression, as of Azimuth and of references that are built here.
    Residuals(ResidualModel),
    /// Logarithms of normalised counts, as of Symphony.
    LogNormalized(LogModel),
}

/// `z = (log1p(count * scale / total) - mean) / stddev`, bounded by ± `clip`; `total` is of all genes of the cell.
///
/// # Source
/// Kang et al. 2021 (10.1038/s41467-021-25957-x), section "Mapping a query"; the bound is the default of symphony's
/// `scaleDataWithStats`, and of symphonypy.
#[derive(Debug, Clone, PartialEq)]
pub struct LogModel {
    /// Of each feature over the reference's cells.
    pub mean: Vec<f64>,
    pub stddev: Vec<f64>,
    /// What the counts of a cell are made to add up to: 10,000.
    pub scale: f64,
    /// 10
    pub clip: f64,
    /// What the projection of a query is corrected with; nothing where the reference does not keep it.
    pub clusters: Option<Clusters>,
}

/// The soft clusters of an integrated reference, `k` of them, and all that a query's correction needs of its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// `k` × `d`, each of length 1.
    pub centroids: Dense,
    /// How many reference cells each holds: the sums of their shares.
    pub sizes: Vec<f64>,
    /// `k` × `d`: the sums of the integrated places of the reference cells, each by its share.
    pub sums: Dense,
}

/// As of all values of a reference.
const LARGEST_VALUE: f64 = 1e6;
/// A logarithm of a normalised count, a deviation or a mean beyond this is one of no data.
const LARGEST_LOGARITHM: f64 = 1e3;
/// More than anyone clusters an atlas into.
const MOST_CLUSTERS: usize = 10_000;
/// Sums over cells: their number times the largest value.
const LARGEST_SUM: f64 = 1e12;

impl From<ResidualModel> for ExpressionModel {
    fn from(model: ResidualModel) -> Self {
        ExpressionModel::Residuals(model)
    }
}

impl From<LogModel> for ExpressionModel {
    fn from(model: LogModel) -> Self {
        ExpressionModel::LogNormalized(model)
    }
}

impl ExpressionModel {
    /// The model of residuals, where it is one.
    pub fn residuals(&self) -> Option<&ResidualModel> {
        match self {
            ExpressionModel::Residuals(model) => Some(model),
            ExpressionModel::LogNormalized(_) => None,
        }
    }

    /// What the projection of a query is corrected with.
    pub fn clusters(&self) -> Option<&Clusters> {
        match self {
            ExpressionModel::Residuals(_) => None,
            ExpressionModel::LogNormalized(model) => model.clusters.as_ref(),
        }
    }

    pub fn variance_floor(&self) -> VarianceFloor {
        self.residuals().map_or(VarianceFloor::None, |model| model.variance_floor)
    }

    /// What is impossible about it, where there are so many features and dimensions.
    pub fn fault(&self, features: usize, dimensions: usize) -> Option<&'static str> {
        match self {
            ExpressionModel::Residuals(model) => model.fault(features),
            ExpressionModel::LogNormalized(model) => model.fault(features, dimensions),
        }
    }
}

impl LogModel {
    /// The scaled value of `count` in a cell of `total` counts.
    pub fn scaled(&self, feature: usize, total: f64, count: f64) -> f64 {
        let logarithm = if count > 0.0 { libm::log1p(count * self.scale / total) } else { 0.0 };
        ((logarithm - self.mean[feature]) / self.stddev[feature]).clamp(-self.clip, self.clip)
    }

    fn fault(&self, features: usize, dimensions: usize) -> Option<&'static str> {
        let believed = |value: &f64| value.abs() <= LARGEST_LOGARITHM;
        let positive = |value: f64| value > 0.0 && value <= LARGEST_VALUE;
        let checks = [
            (self.mean.len() == features && self.stddev.len() == features, "features and model differ in number"),
            (
                self.mean.iter().all(believed) && self.stddev.iter().all(|value| *value > 0.0 && believed(value)),
                "the model holds means or standard deviations that are no numbers, or that logarithms of counts cannot have",
            ),
            (positive(self.scale) && positive(self.clip), "its scale or its clip is no positive number"),
        ];
        let failed = checks.iter().find(|check| !check.0).map(|(_, what)| *what);
        failed.or_else(|| self.clusters.as_ref().and_then(|clusters| clusters.fault(dimensions)))
    }
}

impl Clusters {
    fn fault(&self, dimensions: usize) -> Option<&'static str> {
        let clusters = self.sizes.len();
        let square = |row: ndarray::ArrayView1<'_, f32>| {
            row.iter().fold(0.0, |sum, &value| sum + f64::from(value) * f64::from(value))
        };
        let sums = |value: &f32| f64::from(value.abs()) <= LARGEST_SUM;
        let checks = [
            (
                clusters > 0 && [&self.centroids, &self.sums].iter().all(|part| part.dim() == (clusters, dimensions)),
                "the parts of its clusters do not fit each other",
            ),
            (clusters <= MOST_CLUSTERS, "it has more than 10,000 clusters"),
            (
                self.centroids.rows().into_iter().all(|row| (square(row) - 1.0).abs() < 1e-3),
                "the centroids of its clusters are not of length 1",
            ),
            (
                self.sizes.iter().all(|size| *size >= 0.0 && *size <= LARGEST_SUM) && self.sums.iter().all(sums),
                "its clusters have sizes or sums that are no numbers, or larger than any that are computed",
            ),
        ];
        checks.iter().find(|check| !check.0).map(|(_, what)| *what)
    }
}
