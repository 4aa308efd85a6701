//! The reference: everything that the mapping needs, and what is shown of it. It holds no expression values of a cell but those
//! of proteins, where some were measured; of genes only what each class expresses.

pub mod bundle;
pub mod card;
pub mod columns;
pub mod expression;
pub mod held_out;
pub mod hierarchy;
pub mod model;
pub mod npy;
pub mod proteins;
pub mod zip;

use crate::error::{Error, Result};
use crate::formats::Feature;
use crate::matrix::Dense;
use columns::CellColumn;
use expression::Expression;
use held_out::HeldOut;
pub use model::{Clusters, ExpressionModel, LogModel};
use ndarray::Array2;
use proteins::Proteins;
use serde::{Deserialize, Serialize};

/// An annotated reference of `n` cells in `d` dimensions over `p` features.
#[derive(Debug, Clone)]
pub struct Reference {
    pub about: About,
    /// `p` features, in the order of the loadings' rows.
    pub features: Vec<Feature>,
    pub model: ExpressionModel,
    /// Features × dimensions (`p` × `d`).
    pub loadings: Dense,
    /// Cells × dimensions (`n` × `d`), as projected: not scaled, not L2-normalised.
    pub embedding: Dense,
    /// Cells × 31: the nearest reference cells of each reference cell by cosine, itself first.
    pub neighbors: Array2<u32>,
    pub levels: Vec<Level>,
    pub umap: UmapModel,
    /// `n` names.
    pub cells: Vec<String>,
    /// Of which sample, study or donor each cell is, as far as the study tells.
    pub columns: Vec<CellColumn>,
    /// What proteins of a query are imputed from, where the study measured any.
    pub proteins: Option<Proteins>,
    /// What its classes express; nothing where the counts were not at hand, as in references that Azimuth publishes.
    pub expression: Option<Expression>,
}

/// Where a reference comes from; shown on its card and in every export.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Short name, as in `pbmc`.
    pub name: String,
    pub title: String,
    pub version: String,
    pub species: String,
    pub tissue: String,
    pub description: String,
    /// Where the data came from, with version and checksum.
    pub source: String,
    pub license: String,
    pub citation: String,
    /// The organ that its cells are from, as in `blood`.
    pub organ: String,
    /// How many donors, studies and technologies, and which; "not recorded" where that is so.
    pub donors: String,
    pub studies: String,
    pub technology: String,
    /// Small, and good for a start: not what a publication should rest on.
    pub starter: bool,
    /// Whether it is healthy tissue; nothing where that is not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// What to know before its labels are believed, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// Types of the tissue that have no class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub does_not_contain: Vec<MissingType>,
    /// How the reference was made: the method of each step with its parameters.
    pub provenance: Vec<String>,
    /// How right the labels of its own cells are where they are held out; nothing in bundles that were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
}

/// A type of the tissue without a class of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MissingType {
    pub name: String,
    /// Its id in the Cell Ontology, as in `CL:0000815`.
    pub ontology: String,
    /// The broader class that holds its cells if the reference has any; without one it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// The regularised negative binomial model of each feature: `mu = exp(intercept + slope * log10(n))`.
///
/// # Source
/// Hafemeister and Satija 2019 (10.1186/s13059-019-1874-1); agrees with `sctransform::vst` 0.3.5.
#[derive(Debug, Clone, PartialEq)]
pub struct ResidualModel {
    /// Inverse dispersion of each feature; infinite for a Poisson feature.
    pub theta: Vec<f64>,
    pub intercept: Vec<f64>,
    /// Per log10 of the cell's total count.
    pub slope: Vec<f64>,
    /// Mean residual of each feature over the reference, taken off after the first clip.
    pub residual_mean: Vec<f64>,
    /// Lower and upper bound of the centred residual.
    pub clip: (f64, f64),
    pub variance_floor: VarianceFloor,
}

/// The smallest variance that a residual is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VarianceFloor {
    /// As in models of sctransform version 1.
    None,
    Fixed(f64),
    /// (median of the query's non-zero counts over the features / 5)², as in models of version 2.
    MedianCount,
}

/// One level of annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub name: String,
    /// In the order of their first cell: a tie between two classes goes to the earlier one.
    pub classes: Vec<Class>,
    /// `n` indices into `classes`.
    pub codes: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub name: String,
    /// `#rrggbb`
    pub color: String,
    /// Its id in the Cell Ontology, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ontology: Option<String>,
}

/// The reference's UMAP and what is needed to place new cells on it.
#[derive(Debug, Clone, PartialEq)]
pub struct UmapModel {
    /// Cells × 2. Of all cells that the layout was learned on, which may be more than `n`.
    pub layout: Dense,
    /// `n` rows of `layout`: where each reference cell stands.
    pub rows: Vec<u32>,
    pub parameters: UmapParameters,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UmapParameters {
    /// Curve `1 / (1 + a d^(2b))` of the low-dimensional similarity.
    pub a: f64,
    pub b: f64,
    /// Epochs that the layout was learned with; placing takes a third of them.
    pub epochs: u32,
    pub neighbors: u32,
    pub negative_samples: u32,
    pub learning_rate: f64,
    /// Weight of the repulsion.
    pub repulsion: f64,
}

/// Cells, genes and classes are bounded by the size of a bundle; these are what no reference has more of. Those that Seurat
/// makes have 50 dimensions, 31 neighbours and one to three levels.
const MOST_DIMENSIONS: usize = 1_000;
const MOST_NEIGHBORS: usize = 1_000;
const MOST_LEVELS: usize = 100;
/// Loadings and places beyond this are no results of a principal component analysis or of UMAP.
const LARGEST_VALUE: f32 = 1e6;
/// A logarithm of a mean count beyond this is one of no data.
const LARGEST_COEFFICIENT: f64 = 1e3;

impl ResidualModel {
    /// What is impossible about it.
    fn fault(&self, features: usize) -> Option<&'static str> {
        let numbers = [&self.intercept, &self.slope, &self.residual_mean];
        let believed = |values: &Vec<f64>| values.iter().all(|value| value.abs() <= LARGEST_COEFFICIENT);
        let checks = [
            (
                self.theta.len() == features && numbers.iter().all(|values| values.len() == features),
                "features and model differ in number",
            ),
            (
                self.theta.iter().all(|&theta| theta > 0.0) && numbers.iter().all(|values| believed(values)),
                "the model holds values that are no numbers, or larger than any that are fitted",
            ),
            (self.clip.0 < self.clip.1, "its clip range is empty"),
            (
                !matches!(self.variance_floor, VarianceFloor::Fixed(floor) if !(0.0..1e12).contains(&floor)),
                "its smallest variance is negative or impossibly large",
            ),
        ];
        checks.iter().find(|check| !check.0).map(|(_, what)| *what)
    }
}

impl UmapParameters {
    /// What is impossible about them. They say how long a cell is moved about, so they are not just believed: uwot takes
    /// 200 or 500 epochs, 15 to 50 neighbours and 5 negative samples.
    fn fault(&self) -> Option<String> {
        let counts = [
            ("epochs", self.epochs, 2_000),
            ("neighbours", self.neighbors, 200),
            ("negative samples", self.negative_samples, 100),
        ];
        let numbers = [
            ("a", self.a, 1e3),
            ("b", self.b, 1e2),
            ("learning rate", self.learning_rate, 1e2),
            ("repulsion", self.repulsion, 1e2),
        ];
        let count = counts.into_iter().find(|(_, count, most)| *count == 0 || count > most);
        let number = numbers.into_iter().find(|(_, number, most)| !(*number > 0.0 && number <= most));
        match (count, number) {
            (Some((what, count, most)), _) => {
                Some(format!("its UMAP has {count} {what}, where 1 to {most} make sense"))
            }
            (_, Some((what, number, most))) => {
                Some(format!("the {what} of its UMAP is {number}, where more than 0 and up to {most} make sense"))
            }
            _ => None,
        }
    }
}

impl Reference {
    /// The level of that name.
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// What the components keep of the residuals of a feature, for each cell: the values that its places on the components
    /// stand for. Nothing where no feature has that symbol.
    ///
    /// # Shapes
    /// → n values, centred.
    pub fn reconstructed(&self, symbol: &str) -> Option<Vec<f32>> {
        let feature = self.features.iter().position(|feature| feature.symbol == symbol)?;
        let loadings = self.loadings.row(feature);
        let value = |place: ndarray::ArrayView1<'_, f32>| {
            place.iter().zip(loadings).fold(0.0, |sum, (&at, &by)| sum + f64::from(at) * f64::from(by)) as f32
        };
        Some(self.embedding.rows().into_iter().map(value).collect())
    }

    /// Whether all parts fit each other, and no number is beyond what a reference can have.
    ///
    /// # Errors
    /// The first part that does not, as a sentence.
    pub fn check(&self) -> Result<()> {
        let (cells, features, dimensions) = (self.embedding.nrows(), self.features.len(), self.loadings.ncols());
        let finite = |values: &Dense| values.iter().all(|value| value.abs() <= LARGEST_VALUE);
        let level_fits = |level: &Level| {
            let classes = level.classes.len();
            level.codes.len() == cells && level.codes.iter().all(|&code| usize::from(code) < classes)
        };
        let checks = [
            (cells > 0 && features > 0 && dimensions > 0, "it is empty"),
            (self.loadings.nrows() == features, "features and loadings differ in number"),
            (self.embedding.ncols() == dimensions, "loadings and embedding differ in dimensions"),
            (dimensions <= MOST_DIMENSIONS, "it has more than 1,000 dimensions"),
            (
                finite(&self.loadings) && finite(&self.embedding),
                "loadings or embedding hold values that are no numbers, or larger than any that are computed",
            ),
            (self.neighbors.nrows() == cells && self.neighbors.ncols() > 0, "it lacks neighbours"),
            (self.neighbors.ncols() <= MOST_NEIGHBORS, "it has more than 1,000 neighbours of each cell"),
            (self.neighbors.iter().all(|&cell| (cell as usize) < cells), "a neighbour is no cell"),
            (!self.levels.is_empty() && self.levels.iter().all(level_fits), "a level does not label its cells"),
            (self.levels.len() <= MOST_LEVELS, "it has more than 100 levels"),
            (self.umap.layout.ncols() == 2 && finite(&self.umap.layout), "its UMAP is not a map"),
            (
                self.umap.rows.len() == cells
                    && self.umap.rows.iter().all(|&row| (row as usize) < self.umap.layout.nrows()),
                "its UMAP does not place every cell",
            ),
            (self.cells.len() == cells, "names and embedding differ in number"),
        ];
        let failed = checks.iter().find(|check| !check.0).map(|(_, what)| (*what).to_owned());
        let failed = failed.or_else(|| self.model.fault(features, dimensions).map(str::to_owned));
        let of_proteins = || self.proteins.as_ref().and_then(|proteins| proteins.fault(cells)).map(str::to_owned);
        let of_columns = || CellColumn::fault(&self.columns, cells).map(str::to_owned);
        let classes = || self.levels.iter().map(|level| level.classes.len()).collect::<Vec<_>>();
        let of_expression =
            || self.expression.as_ref().and_then(|expression| expression.fault(&classes())).map(str::to_owned);
        let of_umap = || self.umap.parameters.fault();
        match failed.or_else(of_umap).or_else(of_proteins).or_else(of_columns).or_else(of_expression) {
            None => Ok(()),
            Some(what) => Err(Error::reference(format!(
                "The reference '{}' cannot be used: {what}. Build or download it again.",
                self.about.name
            ))),
        }
    }
}
