//! Labelled counts to a reference.
//!
//! | step | module | in → out |
//! |---|---|---|
//! | labels | [`labels`] | names per cell → levels with classes and colours |
//! | model | [`sctransform`] | counts → regularised negative binomial parameters of each gene |
//! | features | [`features`], [`residuals`] | parameters → variance of each gene's residuals, matrix of the most variable |
//! | components | [`pca`] | residuals → embedding (cells × dimensions) and loadings (features × dimensions) |
//! | neighbours | [`nearest_by_cosine`] | embedding → the nearest cells of each cell |
//! | map | [`layout`] | neighbours → layout in the plane |
//! | held out | [`held_out`] | embedding, labels → how right the labels of held-out cells are |
//! | proteins | [`proteins`] | counts of antibodies, where there are any → normalised values |

pub mod by_gene;
pub mod features;
pub mod few;
pub mod held_out;
pub mod labels;
pub mod ontology;
pub mod proteins;
pub mod residuals;
pub mod sctransform;

use crate::error::{Error, Result, Warning};
use crate::formats::Dataset;
use crate::layout;
use crate::map::cosine::nearest_by_cosine;
use crate::pca;
use crate::progress::Progress;
use crate::reference::{About, ExpressionModel, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use by_gene::ByGene;
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
    let (levels, warnings) = labels::levels(levels, cells)?;
    let parts = held_out::parts(&dataset.cells, &dataset.metadata, &options.held_out_by)?;
    let depths = features::depths(&dataset.counts)?;
    let counts = ByGene::new(&dataset.counts);

    let model = sctransform::fit(&counts, &depths, &options.model, progress)?;
    let selected = features::select(&counts, &model, &depths, options.features)?;
    let genes: Vec<usize> = selected.iter().map(|feature| feature.gene).collect();
    let parameters: Vec<Parameters> = selected.iter().map(|feature| feature.parameters).collect();
    let clip = (cells as f64 / 30.0).sqrt();
    let matrix = residuals::matrix(&counts, &genes, &parameters, &depths, clip);
    drop(counts);

    let components = pca::components(&matrix, options.dimensions, progress)?;
    drop(matrix);
    let umap = options.umap.unwrap_or_else(|| layout::seurat_parameters(cells));
    let most = options.neighbors.max(umap.neighbors as usize);
    let (neighbors, distances) = nearest_by_cosine(&components.embedding, most, progress);
    let layout = layout::layout(&neighbors, &distances, &components.embedding, &umap, options.umap_seed, progress);
    let held_out = parts.map(|parts| held_out::judge(&components.embedding, &levels, &parts, progress));

    let about = About {
        provenance: (about.provenance.iter().cloned())
            .chain(provenance(dataset, options, &model, genes.len(), &components, &umap))
            .collect(),
        held_out,
        ..about
    };
    let reference = Reference {
        about,
        features: features::names(&dataset.features, &genes)?,
        model: ExpressionModel::Residuals(ResidualModel {
            theta: parameters.iter().map(|gene| gene.theta).collect(),
            intercept: parameters.iter().map(|gene| gene.intercept).collect(),
            slope: parameters.iter().map(|gene| gene.slope).collect(),
            residual_mean: selected.iter().map(|feature| feature.residual_mean).collect(),
            clip: (-clip, clip),
            variance_floor: VarianceFloor::None,
        }),
        loadings: components.loadings,
        embedding: components.embedding,
        neighbors: neighbors.slice(ndarray::s![.., ..options.neighbors.min(cells)]).to_owned(),
        levels,
        umap: UmapModel { layout, rows: (0..cells as u32).collect(), parameters: umap },
        cells: dataset.cells.clone(),
        proteins: None,
    };
    Ok((reference, warnings))
}

/// One sentence a step: its method and parameters.
fn provenance(
    dataset: &Dataset,
    options: &Options,
    model: &Model,
    features: usize,
    components: &pca::Components,
    umap: &UmapParameters,
) -> Vec<String> {
    let outliers = model.step1.iter().filter(|gene| gene.2).count();
    vec![
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
            "Features: the {features} genes of the largest residual variance; residuals clipped at ±√(cells / 30) and centred."
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
    ]
}
