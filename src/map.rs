//! The mapping: residuals → projection → anchors → weights → labels, integrated embedding, UMAP, mapping score.
//!
//! One step, one file, one function. `n` reference cells, `m` query cells, `p` features, `d` dimensions.
//!
//! | step | function | result |
//! |---|---|---|
//! | project | [`project::project`] | m × d |
//! | correct | [`correct::correct`] | m × d, where the reference is integrated and keeps its clusters |
//! | anchors | [`anchors::find_anchors`] | pairs of reference and query cells with scores |
//! | weights | [`weights::weigh_anchors`] | up to 50 anchors a query cell |
//! | labels | [`labels::transfer_labels`] | m × classes for each level |
//! | integrate | [`integrate::integrate`] | m × d |
//! | UMAP | [`umap::place`] | m × 2 |
//! | score | [`score::mapping_scores`] | m |
//! | proteins | [`proteins::impute`] | m × proteins, where the reference has some |
//! | annotate | [`annotate::annotate`] | labels of [`Method::Sextant`], confidence, doubt |
//!
//! [`samples::map_samples`] does all of it for each sample by itself.

pub mod anchors;
pub mod annotate;
pub(crate) mod confidence;
pub mod correct;
pub mod cosine;
pub(crate) mod discriminant;
pub mod grade;
pub mod integrate;
pub mod labels;
pub mod neighbors;
pub mod project;
pub mod proteins;
pub mod rehearsal;
pub mod samples;
pub mod score;
pub mod umap;
mod unknown;
pub mod weights;

use crate::error::{Error, Result, Warning};
use crate::genes::GeneMatch;
use crate::matrix::{Counts, Dense};
use crate::normalize::Residuals;
use crate::progress::Progress;
use crate::reference::{Level, Reference};
use anchors::Anchor;
use annotate::{Annotation, Evidence};
use grade::Grade;
use labels::Labels;
use ndarray::Array2;
use umap::Placement;
use weights::Weights;

/// Azimuth maps no fewer cells (`Azimuth.map.ncells`).
pub const FEW_CELLS: usize = 100;

/// Who decides on the labels. Everything else is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// See [`annotate`].
    #[default]
    Sextant,
    /// The label transfer, each level by itself, as Seurat's and Azimuth's.
    Seurat,
}

impl Method {
    /// The method of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn of_name(name: &str) -> Result<Self> {
        Method::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| {
            Error::usage(format!("There is no method '{name}'; the methods are 'sextant' and 'seurat'."))
        })
    }

    /// Sextant's labels do not rest on the anchors alone, so a few will do.
    fn fewest_anchors(self) -> usize {
        match self {
            Method::Sextant => 10,
            Method::Seurat => anchors::MIN_ANCHORS,
        }
    }

    pub const ALL: [Method; 2] = [Method::Sextant, Method::Seurat];

    pub fn name(self) -> &'static str {
        match self {
            Method::Sextant => "sextant",
            Method::Seurat => "seurat",
        }
    }
}

/// Every option of every step, with Azimuth's defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub method: Method,
    /// Levels to transfer, by name; all where it is `None`.
    pub levels: Option<Vec<String>>,
    pub anchors: anchors::Options,
    pub weights: weights::Options,
    pub umap: umap::Options,
    pub score: score::Options,
    /// Keeps the imputed proteins of several batches, four bytes for each protein of each cell. (Where all cells are mapped at
    /// once they need not be kept: see [`proteins::Imputed`].)
    pub proteins: bool,
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

/// The cells to map, once they are projected.
pub struct Projected<'a> {
    /// m × d.
    pub rows: Dense,
    /// m names.
    pub names: &'a [String],
    /// Features of the reference that some query cell expresses.
    pub features_used: usize,
}

/// What the mapping found; one row a query cell.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Parts of the query that were mapped each by itself (see [`crate::batches`]). Of several, what is needed to map on is
    /// not kept: `projected`, `integrated`, `weights` and the start of `umap` are empty, `nearest` is not there, and of the prediction scores
    /// there are those of the predicted classes.
    pub batches: usize,
    /// m × d, on the reference's loadings, and corrected where the reference keeps its clusters.
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
    /// m × 20: the reference cells that are nearest after integration, where they decide on the label.
    pub nearest: Option<Array2<u32>>,
    /// m × proteins: those of several batches, if [`Options::proteins`] asked for them.
    pub proteins: Option<Dense>,
    /// What goes beyond the label transfer; nothing with [`Method::Seurat`].
    pub annotation: Option<Annotation>,
    /// Features of the reference that some query cell expresses.
    pub features_used: usize,
}

impl Mapping {
    fn cells_with_anchors(&self) -> usize {
        anchors::distinct(self.anchors.iter().map(|anchor| anchor.query)).len()
    }

    /// Share of query cells that are part of an anchor, in per cent.
    pub fn percent_with_anchors(&self) -> f64 {
        100.0 * self.cells_with_anchors() as f64 / self.mapping_scores.len().max(1) as f64
    }

    /// What the person should know of this mapping as a whole.
    pub fn warnings(&self) -> Vec<Warning> {
        let percent = self.percent_with_anchors();
        let mut warnings = Vec::new();
        if Grade::of_percent_with_anchors(percent) == Grade::Poor {
            let (few, _) = grade::PERCENT_WITH_ANCHORS;
            warnings.push(Warning::new(
                "few_cells_with_anchors",
                format!(
                    "Only {percent:.1} % of the cells have an anchor in the reference (below {few} %): query and reference \
                     differ much, and labels deserve doubt. A reference of the same tissue and technology would serve \
                     better."
                ),
            ));
        }
        let anchored = self.cells_with_anchors();
        if anchored.min(self.anchors.len()) < anchors::MIN_ANCHORS {
            warnings.push(Warning::new(
                "few_anchors",
                format!(
                    "Only {} anchors on {anchored} cells were found; Azimuth refuses a mapping with fewer than {}. Prediction and \
                     mapping scores mean little here: go by the confidence.",
                    self.anchors.len(),
                    anchors::MIN_ANCHORS
                ),
            ));
        }
        let cells = self.mapping_scores.len();
        if cells < FEW_CELLS {
            warnings.push(Warning::new(
                "few_cells",
                format!(
                    "Only {cells} cells were mapped; Azimuth asks for {FEW_CELLS}. A label comes from the anchors of the cells \
                     around it, so those of few cells are less certain: map samples of the same experiment together."
                ),
            ));
        }
        warnings.extend(self.annotation.as_ref().and_then(Annotation::warning));
        let has_one_label = |labels: &&Labels| cells > 1 && labels.codes.windows(2).all(|pair| pair[0] == pair[1]);
        for labels in self.labels.iter().filter(|labels| labels.classes > 1).filter(has_one_label) {
            warnings.push(Warning::new(
                "one_label",
                format!(
                    "All cells got the same label at '{}'. That is right where the file holds one type only, such as sorted \
                     cells; otherwise the reference may not hold the types of this tissue.",
                    labels.level
                ),
            ));
        }
        warnings
    }
}

/// Maps the query onto the reference, with the numbers of Seurat 4.3 and exact neighbours; the labels by the method chosen.
///
/// # Errors
/// A level that the reference does not have; too few anchors.
pub fn map(query: &Query<'_>, reference: &Reference, options: &Options, progress: &Progress<'_>) -> Result<Mapping> {
    chosen_levels(reference, options.levels.as_deref())?;
    progress.report("Normalising", 0.0);
    let residuals = Residuals::new(reference, query.counts, &query.genes.feature_of_gene);
    let rows = project::project(&residuals, reference, query.counts, query.totals, progress);
    let projected = Projected { rows, names: query.names, features_used: residuals.features.len() };
    map_projected(projected, reference, options, progress)
}

/// What [`map`] does once the cells are projected.
///
/// # Errors
/// As there.
pub fn map_projected(
    query: Projected<'_>,
    reference: &Reference,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<Mapping> {
    let levels = chosen_levels(reference, options.levels.as_deref())?;
    let Projected { rows: mut projected, names, features_used } = query;
    if let Some(clusters) = reference.model.clusters() {
        projected = correct::correct(&projected, clusters, &correct::Options::default(), progress);
    }
    let query_unit = project::normalize_rows(&projected);
    let reference_unit = project::normalize_rows(&reference.embedding);
    let wanted = anchors::Options { fewest: options.method.fewest_anchors(), ..options.anchors };
    let (anchors, found) =
        anchors::find_anchors(&reference_unit, &query_unit, &reference.neighbors, &wanted, progress)?;
    let weights = weights::weigh_anchors(&anchors, &projected, &options.weights, progress);
    let mut labels: Vec<Labels> =
        levels.iter().map(|level| labels::transfer_labels(&anchors, &weights, level)).collect();
    let part = |from: f64| move |stage: &str, share: f64| progress.report(stage, from + 0.5 * share);
    let integrated =
        integrate::integrate(&anchors, &weights, &projected, &reference.embedding, &Progress::new(&part(0.0)));
    let in_reference = neighbors::nearest(
        &project::normalize_rows(&integrated),
        &reference_unit,
        options.umap.neighbors,
        integrate::STAGE,
        &Progress::new(&part(0.5)),
    );
    let annotation = (options.method == Method::Sextant).then(|| {
        let coarsest = &reference.levels[annotate::coarsest_level(reference)];
        let transferred = labels::transfer_labels(&anchors, &weights, coarsest);
        let evidence = Evidence {
            reference_unit: &reference_unit,
            projected: &projected,
            integrated: &integrated,
            query_in_reference: &found.query_in_reference,
            integrated_in_reference: &in_reference,
            query_in_query: &found.query_in_query,
            coarsest_scores: &(0..transferred.codes.len()).map(|cell| transferred.score(cell)).collect::<Vec<f32>>(),
        };
        annotate::annotate(&mut labels, reference, &evidence)
    });
    let umap = umap::place(&in_reference, names, &reference.umap, &options.umap, progress);
    let mapping_scores = score::mapping_scores(
        &anchors,
        &weights,
        &reference_unit,
        &query_unit,
        &found.query_in_query,
        &options.score,
        progress,
    );
    Ok(Mapping {
        batches: 1,
        projected,
        anchors,
        weights,
        labels,
        integrated,
        umap,
        mapping_scores,
        nearest: (options.method == Method::Sextant).then_some(in_reference.indices),
        proteins: None,
        annotation,
        features_used,
    })
}

fn chosen_levels<'a>(reference: &'a Reference, names: Option<&[String]>) -> Result<Vec<&'a Level>> {
    let Some(names) = names else {
        return Ok(reference.levels.iter().collect());
    };
    let find = |name: &String| {
        reference.level(name).ok_or_else(|| {
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
