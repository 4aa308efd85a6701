//! Labelled counts to a reference.
//!
//! | step | module | in → out |
//! |---|---|---|
//! | choices | [`choices`] | a file and what was chosen → all of the below, in order |
//! | columns | [`columns`] | table of cells → names per cell, ids of the Cell Ontology |
//! | cleaning | [`cleaning`], [`few`] | cells of low quality, doublets and small classes, where they are to go |
//! | fewer cells | [`downsample`] | classes with many cells → at most so many |
//! | labels | [`labels`] | names per cell → levels with classes and colours |
//! | model | [`sctransform`] | counts → regularised negative binomial parameters of each gene |
//! | features | [`features`], [`residuals`] | parameters → variance of each gene's residuals, matrix of the most variable |
//! | components | [`pca`] | residuals → embedding (cells × dimensions) and loadings (features × dimensions) |
//! | batches | [`integration`] | embedding → the same without what batches differ in, where that is wanted |
//! | neighbours | [`nearest_by_cosine`] | embedding → the nearest cells of each cell |
//! | map | [`layout`] | neighbours → layout in the plane |
//! | held out | [`held_out`] | embedding, labels → how right the labels of held-out cells are |
//! | expression | [`expression`] | counts, levels → mean and fraction of each gene in each class |
//! | proteins | [`proteins`] | counts of antibodies, where there are any → normalised values |
//! | validation | [`validate`] | the same file without some cells → how right these are labelled as a query |

pub mod by_gene;
pub mod choices;
pub mod cleaning;
pub mod columns;
pub mod downsample;
pub mod expression;
pub mod features;
pub mod few;
pub mod held_out;
pub mod integration;
pub mod labels;
pub mod ontology;
pub mod origins;
pub mod proteins;
pub mod residuals;
pub mod sctransform;
pub mod tally;
pub mod validate;

pub use choices::{Choices, from_dataset};

use crate::error::{Error, Result, Warning};
use crate::formats::Dataset;
use crate::layout;
use crate::map::cosine::nearest_by_cosine;
use crate::matrix::Dense;
use crate::pca;
use crate::progress::Progress;
use crate::reference::{About, ExpressionModel, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use by_gene::ByGene;
use features::Selected;
use integration::Batches;
use ndarray::Array2;
use sctransform::{Model, ModelOptions, Parameters};

/// How a reference is built. The defaults are those of Azimuth's hosted references.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub model: ModelOptions,
    /// Most variable genes that become features (`variable.features.n`).
    pub features: usize,
    /// Principal components (`Azimuth.map.ndims`).
    pub dimensions: usize,
    /// Neighbours kept of each cell, itself included (`k.param` of `AzimuthReference`).
    pub neighbors: usize,
    /// Seurat's parameters where none are given.
    pub umap: Option<UmapParameters>,
    pub umap_seed: u64,
    /// Which cells are held out to see how right their labels are.
    pub held_out_by: held_out::By,
    /// The column of the table of cells whose values are batches to integrate.
    pub batch: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            model: ModelOptions::default(),
            features: 3_000,
            dimensions: 50,
            neighbors: 31,
            umap: None,
            umap_seed: 42,
            held_out_by: held_out::By::default(),
            batch: None,
        }
    }
}

/// Fewer cells than this are no reference: anchors are sought among 30 neighbours of each cell.
const FEWEST_CELLS: usize = 100;

/// Builds a reference from labelled raw counts.
///
/// # Shapes
/// `levels`: the name of each level, coarse before fine, with one label a cell of `dataset`.
///
/// # Errors
/// Counts that are no whole numbers, cells without counts, too few cells or genes, labels that are missing.
///
/// # Source
/// The pipeline of Azimuth's references: `SCTransform`, `RunPCA`, `RunUMAP` of Seurat 4.3, `AzimuthReference`.
pub fn build(
    dataset: &Dataset,
    levels: &[(String, Vec<String>)],
    options: &Options,
    about: About,
    progress: &Progress,
) -> Result<(Reference, Vec<Warning>)> {
    let cells = dataset.counts.cells();
    if cells < FEWEST_CELLS {
        return Err(Error::input(format!("the file has {cells} cells; a reference needs at least {FEWEST_CELLS}")));
    }
    let (levels, mut warnings) = labels::levels(levels, cells)?;
    let batches = match &options.batch {
        Some(name) => Batches::of(&dataset.metadata, name, &levels)?,
        None => None,
    };
    if let (Some(name), None) = (&options.batch, &batches) {
        warnings.push(Warning::new(
            "one_batch",
            format!("All cells have the same value of '{name}': there are no batches to integrate."),
        ));
    }
    let parts = held_out::parts(&dataset.cells, &dataset.metadata, &options.held_out_by)?;
    let depths = features::depths(&dataset.counts)?;
    let expression = expression::summarise(&dataset.counts, &dataset.features, &levels, progress)?;
    let embedded = Embedded::of(dataset, &depths, batches.as_ref(), options, progress)?;
    let embedding = &embedded.components.embedding;
    let projected = embedded.projected.as_ref().unwrap_or(embedding);

    let umap = options.umap.unwrap_or_else(|| layout::seurat_parameters(cells));
    let most = options.neighbors.max(umap.neighbors as usize);
    let (neighbors, distances) = nearest_by_cosine(embedding, most, progress);
    let layout = layout::layout(&neighbors, &distances, embedding, &umap, options.umap_seed, progress);
    let held_out = parts.map(|parts| held_out::judge(embedding, projected, &levels, &parts, progress));

    let about = About {
        provenance: (about.provenance.iter().cloned())
            .chain(provenance(dataset, options, &embedded, batches.as_ref(), &umap))
            .collect(),
        held_out,
        ..about
    };
    let reference = Reference {
        about,
        neighbors: neighbors.slice(ndarray::s![.., ..options.neighbors.min(cells)]).to_owned(),
        levels,
        umap: UmapModel { layout, rows: (0..cells as u32).collect(), parameters: umap },
        cells: dataset.cells.clone(),
        columns: origins::origins(&dataset.metadata, options.held_out_by.column()),
        expression: Some(expression),
        ..embedded.without_cells(dataset)?
    };
    Ok((Reference { embedding: embedded.components.embedding, ..reference }, warnings))
}

/// The cells in the space of their own principal components.
struct Embedded {
    model: Model,
    selected: Vec<Selected>,
    /// Rows of the file's table of features: the features of the reference.
    genes: Vec<usize>,
    clip: f64,
    components: pca::Components,
    /// Where batches were integrated: where the cells would stand without.
    projected: Option<Dense>,
}

impl Embedded {
    /// Fits the model, selects the features, and finds the components of their residuals.
    ///
    /// # Shapes
    /// `depths`: log10 of the total of each cell.
    ///
    /// # Errors
    /// Too few cells or genes.
    fn of(
        dataset: &Dataset,
        depths: &[f64],
        batches: Option<&Batches>,
        options: &Options,
        progress: &Progress,
    ) -> Result<Self> {
        let counts = ByGene::new(&dataset.counts);
        let model = sctransform::fit(&counts, depths, &options.model, progress)?;
        let selected = features::select(&counts, &model, depths, options.features)?;
        let genes: Vec<usize> = selected.iter().map(|feature| feature.gene).collect();
        let parameters: Vec<Parameters> = selected.iter().map(|feature| feature.parameters).collect();
        let clip = (depths.len() as f64 / 30.0).sqrt();
        let matrix = residuals::matrix(&counts, &genes, &parameters, depths, clip);
        drop(counts);
        let mut components = pca::components(&matrix, options.dimensions, progress)?;
        let projected = batches.map(|batches| {
            let projected = components.embedding.clone();
            batches.take_off(&mut components.embedding);
            projected
        });
        Ok(Embedded { model, selected, genes, clip, components, projected })
    }

    /// A reference that cells can be projected on, and no more.
    fn without_cells(&self, dataset: &Dataset) -> Result<Reference> {
        let of = |value: fn(&Selected) -> f64| self.selected.iter().map(value).collect();
        Ok(Reference {
            about: About::default(),
            features: features::names(&dataset.features, &self.genes)?,
            model: ExpressionModel::Residuals(ResidualModel {
                theta: of(|feature| feature.parameters.theta),
                intercept: of(|feature| feature.parameters.intercept),
                slope: of(|feature| feature.parameters.slope),
                residual_mean: of(|feature| feature.residual_mean),
                clip: (-self.clip, self.clip),
                variance_floor: VarianceFloor::None,
            }),
            loadings: self.components.loadings.clone(),
            embedding: Dense::zeros((0, self.components.loadings.ncols())),
            neighbors: Array2::zeros((0, 0)),
            levels: Vec::new(),
            umap: UmapModel {
                layout: Dense::zeros((0, 2)),
                rows: Vec::new(),
                parameters: layout::seurat_parameters(0),
            },
            cells: Vec::new(),
            columns: Vec::new(),
            proteins: None,
            expression: None,
        })
    }
}

/// One sentence a step: its method and parameters.
fn provenance(
    dataset: &Dataset,
    options: &Options,
    embedded: &Embedded,
    batches: Option<&Batches>,
    umap: &UmapParameters,
) -> Vec<String> {
    let Embedded { model, components, .. } = embedded;
    let outliers = model.step1.iter().filter(|gene| gene.2).count();
    let mut lines = vec![
        format!(
            "Counts: {} cells × {} genes, from {} of {}.",
            dataset.counts.cells(),
            dataset.counts.genes(),
            dataset.matrix,
            dataset.format
        ),
        format!(
            "Model: regularised negative binomial regression on log10 of the total count (Hafemeister and Satija 2019), as \
             sctransform 0.3.5 (version 1, method glmGamPoi) does it; {} genes detected in at least {} cells; {} genes and {} \
             cells in the first step (seed {}), {outliers} outliers left out; kernel bandwidth {:.6} in log10 mean.",
            model.genes.len(),
            options.model.min_cells,
            model.step1.len(),
            model.step1_cells,
            options.model.seed,
            model.bandwidth
        ),
        format!(
            "Features: the {} genes of the largest residual variance; residuals clipped at ±√(cells / 30) and centred.",
            embedded.genes.len()
        ),
        format!(
            "Embedding: {} principal components of the residuals, exact (Lanczos iteration, {} steps), weighted by their \
             singular values.",
            options.dimensions, components.steps
        ),
        format!("Neighbours: the {} nearest cells by cosine, itself included, exact.", options.neighbors),
        format!(
            "UMAP: {} neighbours by cosine, a = {:.4}, b = {:.4}, {} epochs, {} negative samples, from the first two \
             principal components, seed {}.",
            umap.neighbors, umap.a, umap.b, umap.epochs, umap.negative_samples, options.umap_seed
        ),
    ];
    if let (Some(batches), Some(projected)) = (batches, &embedded.projected) {
        lines.insert(4, integrated(batches, projected, &components.embedding));
    }
    lines
}

/// How the batches were integrated, and how well they are mixed now.
fn integrated(batches: &Batches, projected: &Dense, embedding: &Dense) -> String {
    let mixing = |places: &Dense| batches.mixing(places).map_or("not known".to_owned(), |share| format!("{share:.2}"));
    format!(
        "Batches: what the {} values of '{}' differ in, by the labels of the level with the most classes, was taken off the \
         embedding. Other batches among the 30 nearest cells of the same class, of what chance would \
         give: {} without, {} now.",
        batches.names.len(),
        batches.column,
        mixing(projected),
        mixing(embedding)
    )
}
