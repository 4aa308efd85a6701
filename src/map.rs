//! The mapping: residuals → projection → anchors → weights → labels, integrated embedding, UMAP, mapping score.
//!
//! One step, one file, one function. `n` reference cells, `m` query cells, `p` features, `d` dimensions.
//!
//! | step | function | result |
//! |---|---|---|
//! | project | [`project::project`] | m × d |
//! | anchors | [`anchors::find_anchors`] | pairs of reference and query cells with scores |
//! | weights | [`weights::weigh_anchors`] | up to 50 anchors a query cell |
//! | labels | [`labels::transfer_labels`] | m × classes for each level |
//! | integrate | [`integrate::integrate`] | m × d |
//! | UMAP | [`umap::place`] | m × 2 |
//! | score | [`score::mapping_scores`] | m |
//!
//! [`samples::map_samples`] does all of it for each sample by itself.

pub mod anchors;
pub mod integrate;
pub mod labels;
pub mod neighbors;
pub mod project;
pub mod samples;
pub mod score;
pub mod umap;
pub mod weights;

use crate::error::{Error, Result, Warning};
use crate::genes::GeneMatch;
use crate::matrix::{Counts, Dense};
use crate::normalize::Residuals;
use crate::progress::Progress;
use crate::reference::{Level, Reference};
use anchors::Anchor;
use labels::Labels;
use umap::Placement;
use weights::Weights;

/// Below this share of cells with anchors Azimuth turns red (`Azimuth.map.panchorscolors`).
const FEW_ANCHORS_PERCENT: f64 = 5.0;

/// Every option of every step, with Azimuth's defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Levels to transfer, by name; all where it is `None`.
    pub levels: Option<Vec<String>>,
    pub anchors: anchors::Options,
    pub weights: weights::Options,
    pub umap: umap::Options,
    pub score: score::Options,
}

/// The cells to map, each with at least one count.
pub struct Query<'a> {
    /// m × genes of the file.
    pub counts: &'a Counts,
    /// m totals over **all** genes of the file.
    pub totals: &'a [f64],
    /// m names; a cell's place on the map depends on its name, not on its row.
    pub names: &'a [String],
    pub genes: &'a GeneMatch,
}

/// What the mapping found; one row a query cell.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// m × d, on the reference's loadings.
    pub projected: Dense,
    pub anchors: Vec<Anchor>,
    pub weights: Weights,
    /// One for each level that was asked for.
    pub labels: Vec<Labels>,
    /// m × d, in the reference's space.
    pub integrated: Dense,
    pub umap: Placement,
    /// m, 0 to 1.
    pub mapping_scores: Vec<f32>,
    /// Features of the reference that some query cell expresses.
    pub features_used: usize,
}

impl Mapping {
    /// Share of query cells that are part of an anchor, in per cent.
    pub fn percent_with_anchors(&self) -> f64 {
        let with = anchors::distinct(self.anchors.iter().map(|anchor| anchor.query)).len();
        100.0 * with as f64 / self.projected.nrows().max(1) as f64
    }

    /// What the person should know of this mapping as a whole.
    pub fn warnings(&self) -> Vec<Warning> {
        let percent = self.percent_with_anchors();
        if percent >= FEW_ANCHORS_PERCENT {
            return Vec::new();
        }
        vec![Warning::new(
            "few_cells_with_anchors",
            format!(
                "Only {percent:.1} % of the cells have an anchor in the reference (below {FEW_ANCHORS_PERCENT} %): query and \
                 reference differ much, and labels deserve doubt. A reference of the same tissue and technology would serve \
                 better."
            ),
        )]
    }
}

/// Maps the query onto the reference, with the numbers of Seurat 4.3 and exact neighbours.
///
/// # Errors
/// A level that the reference does not have; too few anchors.
pub fn map(query: &Query<'_>, reference: &Reference, options: &Options, progress: &Progress<'_>) -> Result<Mapping> {
    let levels = chosen_levels(reference, options.levels.as_deref())?;
    progress.report("Normalising", 0.0);
    let residuals = Residuals::new(reference, query.counts, &query.genes.feature_of_gene);
    let projected = project::project(&residuals, reference, query.counts, query.totals, progress);
    let query_unit = project::normalize_rows(&projected);
    let reference_unit = project::normalize_rows(&reference.embedding);
    let (anchors, found) =
        anchors::find_anchors(&reference_unit, &query_unit, &reference.neighbors, &options.anchors, progress)?;
    let weights = weights::weigh_anchors(&anchors, &projected, &options.weights, progress);
    let labels = levels.iter().map(|level| labels::transfer_labels(&anchors, &weights, level)).collect();
    progress.report("Integrating", 0.0);
    let integrated = integrate::integrate(&anchors, &weights, &projected, &reference.embedding);
    let in_reference = neighbors::nearest(
        &project::normalize_rows(&integrated),
        &reference_unit,
        options.umap.neighbors,
        "Integrating",
        progress,
    );
    let umap = umap::place(&in_reference, query.names, &reference.umap, &options.umap, progress);
    let mapping_scores = score::mapping_scores(
        &anchors,
        &weights,
        &reference_unit,
        &query_unit,
        &found.query_in_query,
        &options.score,
        progress,
    );
    let features_used = residuals.features.len();
    Ok(Mapping { projected, anchors, weights, labels, integrated, umap, mapping_scores, features_used })
}

fn chosen_levels<'a>(reference: &'a Reference, names: Option<&[String]>) -> Result<Vec<&'a Level>> {
    let Some(names) = names else {
        return Ok(reference.levels.iter().collect());
    };
    let find = |name: &String| {
        reference.levels.iter().find(|level| &level.name == name).ok_or_else(|| {
            let known: Vec<&str> = reference.levels.iter().map(|level| level.name.as_str()).collect();
            Error::usage(format!("The reference has no level '{name}'. Its levels are: {}.", known.join(", ")))
        })
    };
    let chosen: Vec<&Level> = names.iter().map(find).collect::<Result<_>>()?;
    if chosen.is_empty() {
        return Err(Error::usage("No level was chosen: choose at least one level of the reference to transfer."));
    }
    Ok(chosen)
}
