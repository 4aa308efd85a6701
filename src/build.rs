//! Labelled counts to a reference.
//!
//! | step | module | in → out |
//! |---|---|---|
//! | labels | [`labels`] | names per cell → levels with classes and colours |
//! | model | [`sctransform`] | counts → regularised negative binomial parameters of each gene |
//! | features | [`residuals`] | parameters → variance of each gene's residuals, matrix of the most variable |
//! | components | [`pca`] | residuals → embedding (cells × dimensions) and loadings (features × dimensions) |
//! | neighbours | [`neighbors`] | embedding → the nearest cells of each cell |
//! | map | [`umap`] | neighbours → layout in the plane |

pub mod by_gene;
pub mod labels;
pub mod neighbors;
pub mod pca;
pub mod random;
pub mod residuals;
pub mod sctransform;
pub mod umap;

use crate::error::{Error, Result, Warning};
use crate::formats::{Dataset, Feature};
use crate::matrix::Counts;
use crate::progress::Progress;
use crate::reference::{About, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use by_gene::ByGene;
use sctransform::{Model, ModelOptions, Parameters};
use std::collections::HashSet;

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
        }
    }
}

/// Fewer cells than this are no reference: anchors are sought among 30 neighbours of each cell.
const FEWEST_CELLS: usize = 100;
/// A query must have this many features in common with its reference.
const FEWEST_FEATURES: usize = 250;

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
    let depths = depths(&dataset.counts)?;
    let counts = ByGene::new(&dataset.counts);

    let model = sctransform::fit(&counts, &depths, &options.model, progress)?;
    let selected = select_features(&counts, &model, &depths, options.features)?;
    let genes: Vec<usize> = selected.iter().map(|feature| feature.gene).collect();
    let parameters: Vec<Parameters> = selected.iter().map(|feature| feature.parameters).collect();
    let clip = (cells as f64 / 30.0).sqrt();
    let matrix = residuals::matrix(&counts, &genes, &parameters, &depths, clip);
    drop(counts);

    let components = pca::components(&matrix, options.dimensions, progress)?;
    drop(matrix);
    let umap = options.umap.unwrap_or_else(|| umap::seurat_parameters(cells));
    let most = options.neighbors.max(umap.neighbors as usize);
    let (neighbors, distances) = neighbors::nearest_by_cosine(&components.embedding, most, progress);
    let layout = umap::layout(&neighbors, &distances, &components.embedding, &umap, options.umap_seed, progress);

    let about = About {
        provenance: (about.provenance.iter().cloned())
            .chain(provenance(dataset, options, &model, genes.len(), &components, &umap))
            .collect(),
        ..about
    };
    let reference = Reference {
        about,
        features: names(&dataset.features, &genes)?,
        model: ResidualModel {
            theta: parameters.iter().map(|gene| gene.theta).collect(),
            intercept: parameters.iter().map(|gene| gene.intercept).collect(),
            slope: parameters.iter().map(|gene| gene.slope).collect(),
            residual_mean: selected.iter().map(|feature| feature.residual_mean).collect(),
            clip: (-clip, clip),
            variance_floor: VarianceFloor::None,
        },
        loadings: components.loadings,
        embedding: components.embedding,
        neighbors: neighbors.slice(ndarray::s![.., ..options.neighbors.min(cells)]).to_owned(),
        levels,
        umap: UmapModel { layout, rows: (0..cells as u32).collect(), parameters: umap },
        cells: dataset.cells.clone(),
    };
    Ok((reference, warnings))
}

/// log10 of each cell's total count.
fn depths(counts: &Counts) -> Result<Vec<f64>> {
    let mut empty = 0;
    let mut depths = Vec::with_capacity(counts.cells());
    for cell in 0..counts.cells() {
        let mut total = 0.0;
        for (_, count) in counts.row(cell) {
            if count < 0.0 || libm::floorf(count) != count {
                return Err(Error::input(format!(
                    "a reference is built from raw counts, which are whole numbers, but a value of {count} was found; name \
                     the matrix that holds the counts (such as layers/counts), or round estimated counts first"
                )));
            }
            total += f64::from(count);
        }
        empty += usize::from(total == 0.0);
        depths.push(libm::log10(total));
    }
    if empty > 0 {
        return Err(Error::input(format!(
            "{empty} of {} cells have no counts at all: take them out of the file",
            counts.cells()
        )));
    }
    Ok(depths)
}

/// A feature of the reference, before it has a name.
struct Selected {
    gene: usize,
    parameters: Parameters,
    residual_mean: f64,
}

/// The genes of the largest residual variance, in descending order of it.
fn select_features(counts: &ByGene, model: &Model, depths: &[f64], most: usize) -> Result<Vec<Selected>> {
    let moments = residuals::moments(counts, &model.genes, &model.parameters, depths);
    let mut order: Vec<usize> = (0..moments.len()).collect();
    order.sort_by(|&a, &b| moments[b].variance.total_cmp(&moments[a].variance).then(a.cmp(&b)));
    order.truncate(most);
    if order.len() < FEWEST_FEATURES {
        return Err(Error::input(format!(
            "only {} genes can be features; at least {FEWEST_FEATURES} are needed to map a query: was the matrix cut down \
             to some genes, or are the counts very few?",
            order.len()
        )));
    }
    Ok(order
        .into_iter()
        .map(|row| Selected {
            gene: model.genes[row],
            parameters: model.parameters[row],
            residual_mean: moments[row].mean,
        })
        .collect())
}

/// The features' names; a symbol that occurs again in the file gets `.1`, `.2`…, as Seurat does.
fn names(all: &[Feature], genes: &[usize]) -> Result<Vec<Feature>> {
    let mut taken: HashSet<String> = all.iter().map(|feature| feature.symbol.clone()).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    let unique: Vec<String> = all
        .iter()
        .map(|feature| {
            if seen.insert(&feature.symbol) {
                return feature.symbol.clone();
            }
            let mut number = 1;
            loop {
                let name = format!("{}.{number}", feature.symbol);
                if taken.insert(name.clone()) {
                    return name;
                }
                number += 1;
            }
        })
        .collect();
    (genes.iter())
        .map(|&gene| match (all.get(gene), unique.get(gene)) {
            (Some(feature), Some(symbol)) => Ok(Feature { id: feature.id.clone(), symbol: symbol.clone() }),
            _ => Err(Error::input(format!("the matrix has more genes than the {} names of the file", all.len()))),
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_symbols_are_numbered() {
        let feature = |id: &str, symbol: &str| Feature { id: Some(id.into()), symbol: symbol.into() };
        let all = [feature("E1", "A"), feature("E2", "A"), feature("E3", "A.1"), feature("E4", "A")];
        let named = names(&all, &[3, 1, 0]).unwrap();
        let symbols: Vec<&str> = named.iter().map(|feature| feature.symbol.as_str()).collect();
        // As R's make.unique: the name A.1 is taken by the third gene.
        assert_eq!(symbols, ["A.3", "A.2", "A"]);
        assert_eq!(named[0].id.as_deref(), Some("E4"));
        assert!(names(&all, &[4]).is_err());
    }
}
