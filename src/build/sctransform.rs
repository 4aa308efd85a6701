//! Regularised negative binomial regression: the residual model of a reference.

pub mod negative_binomial;
pub mod robust;
pub mod root;
pub mod smoothing;

use crate::build::by_gene::ByGene;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::random::Random;
use negative_binomial::{COX_REID, Depths};
use rayon::prelude::*;

/// How the model is fitted. The defaults are those of `SCTransform(method = "glmGamPoi")` of Seurat 4.3 with
/// sctransform 0.3.5, with which Azimuth's references were made.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOptions {
    /// Genes detected in fewer cells are left out (`min_cells`).
    pub min_cells: usize,
    /// Cells that the genes' own parameters are fitted on (`ncells`).
    pub step1_cells: usize,
    /// Genes that are fitted themselves; the others take the trend (`n_genes`).
    pub step1_genes: usize,
    /// Factor on the Sheather-Jones bandwidth (`bw_adjust`).
    pub bandwidth_factor: f64,
    pub seed: u64,
    /// Cells and genes of the first step, in place of the random ones.
    pub step1: Option<(Vec<usize>, Vec<usize>)>,
}

impl Default for ModelOptions {
    fn default() -> Self {
        ModelOptions {
            min_cells: 5,
            step1_cells: 5_000,
            step1_genes: 2_000,
            bandwidth_factor: 3.0,
            seed: 1_448_145,
            step1: None,
        }
    }
}

/// Parameters of one gene: `mu = exp(intercept + slope * log10(total))`, variance `mu + mu² / theta`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    pub theta: f64,
    pub intercept: f64,
    pub slope: f64,
}

/// The regularised model of all genes that are detected in enough cells.
#[derive(Debug, Clone)]
pub struct Model {
    /// Rows of the count matrix's genes, ascending.
    pub genes: Vec<usize>,
    /// One an entry of `genes`.
    pub parameters: Vec<Parameters>,
    /// The genes of the first step, their own parameters, and whether the trend ignores them.
    pub step1: Vec<(usize, Parameters, bool)>,
    pub step1_cells: usize,
    pub bandwidth: f64,
}

/// Genes are fitted in groups of this many, each with an overdispersion trend of its own (sctransform's `bin_size`).
const GROUP: usize = 500;

/// Fits the regularised negative binomial model.
///
/// 1. Some cells and some genes are drawn, the genes evenly along the axis of expression.
/// 2. Each of these genes is regressed on log10 of the cells' totals.
/// 3. Outliers are dropped, and the parameters are smoothed along the axis of expression; every gene takes its
///    parameters from the smooth curve.
///
/// # Shapes
/// `log10_total`: one a cell of `counts`.
///
/// # Errors
/// Too few genes or cells to fit a trend.
///
/// # Source
/// Hafemeister and Satija 2019 (10.1186/s13059-019-1874-1), with the regression of Ahlmann-Eltze and Huber 2020
/// (10.1093/bioinformatics/btaa1009); agrees with `sctransform::vst(method = "glmGamPoi")` 0.3.5.
pub fn fit(counts: &ByGene, log10_total: &[f64], options: &ModelOptions, progress: &Progress) -> Result<Model> {
    let genes: Vec<usize> = (0..counts.genes()).filter(|&gene| counts.gene(gene).len() >= options.min_cells).collect();
    let (cells, step1_genes) = match &options.step1 {
        Some((cells, genes)) => (cells.clone(), genes.clone()),
        None => draw_step1(counts, &genes, options),
    };
    if genes.len() < 10 || step1_genes.len() < 10 {
        return Err(Error::input(format!(
            "{} genes are detected in at least {} cells; a reference needs raw counts of many more genes to learn how counts vary",
            genes.len(),
            options.min_cells
        )));
    }
    let selected = counts.select_cells(&cells);
    let depths = Depths::new(cells.iter().map(|&cell| log10_total[cell]).collect());
    let mut fitted = Vec::with_capacity(step1_genes.len());
    for group in step1_genes.chunks(GROUP) {
        fitted.extend(fit_genes(&selected, &depths, group));
        progress.report("Fitting the model", 0.8 * fitted.len() as f64 / step1_genes.len() as f64);
    }
    // Over all cells, as for the genes that the curves are read at.
    let step1_means = log10_means(counts, &step1_genes);
    let means = log10_means(counts, &genes);
    let (parameters, outliers, bandwidth) = regularise(&fitted, &step1_means, &means, options.bandwidth_factor)?;
    // Where the curve has a gap wider than the kernel, it says nothing about a gene.
    let (genes, parameters) = (genes.into_iter().zip(parameters))
        .filter(|(_, gene)| !gene.theta.is_nan() && gene.intercept.is_finite() && gene.slope.is_finite())
        .unzip();
    progress.report("Fitting the model", 1.0);
    Ok(Model {
        genes,
        parameters,
        step1: (step1_genes.into_iter().zip(fitted).zip(outliers))
            .map(|((gene, parameters), outlier)| (gene, parameters, outlier))
            .collect(),
        step1_cells: cells.len(),
        bandwidth,
    })
}

/// log10 of the genes' geometric means.
pub fn log10_means(counts: &ByGene, genes: &[usize]) -> Vec<f64> {
    genes.par_iter().map(|&gene| counts.log10_geometric_mean(gene)).collect()
}

/// Draws the cells, and genes detected in enough of them with a probability inverse to the density of their log10
/// geometric mean.
fn draw_step1(counts: &ByGene, genes: &[usize], options: &ModelOptions) -> (Vec<usize>, Vec<usize>) {
    let mut random = Random::new(options.seed);
    let cells = random.sample(counts.cells(), options.step1_cells);
    let selected = counts.select_cells(&cells);
    let eligible: Vec<usize> =
        (genes.iter().copied()).filter(|&gene| selected.gene(gene).len() >= options.min_cells).collect();
    if eligible.len() <= options.step1_genes.max(3) {
        return (cells, eligible);
    }
    let weights: Vec<f64> = smoothing::density(&log10_means(&selected, &eligible))
        .iter()
        .map(|density| 1.0 / (density + f64::EPSILON))
        .collect();
    let drawn = random.sample_weighted(&weights, options.step1_genes);
    (cells, drawn.into_iter().map(|position| eligible[position]).collect())
}

/// Fits each gene by itself: coefficients at a rough overdispersion, the overdispersion at these means, and the
/// coefficients again at the trend of the group's overdispersions.
fn fit_genes(counts: &ByGene, depths: &Depths, genes: &[usize]) -> Vec<Parameters> {
    let first: Vec<(f64, f64, f64, f64)> = (genes.par_iter())
        .map(|&gene| {
            let y = dense(counts, gene);
            let rough = moment_overdispersion(&y);
            let fit = depths.fit(&y, rough, depths.start(&y));
            let overdispersion = depths.overdispersion(&y, &fit.mu, rough, COX_REID);
            let mean = fit.mu.iter().sum::<f64>() / y.len() as f64;
            (overdispersion, mean, fit.intercept, fit.slope)
        })
        .collect();
    let overdispersions: Vec<f64> = first.iter().map(|gene| gene.0).collect();
    let means: Vec<f64> = first.iter().map(|gene| gene.1).collect();
    let trend = robust::running_median(&means, &overdispersions, (genes.len() / 10).max(100));
    (0..genes.len())
        .into_par_iter()
        .map(|position| {
            let y = dense(counts, genes[position]);
            let (overdispersion, _, intercept, slope) = first[position];
            let fit = depths.fit(&y, trend[position], (intercept, slope));
            let mean = fit.mu.iter().sum::<f64>() / y.len() as f64;
            Parameters {
                // Of a gene that is nearly Poisson the likelihood says no more than "large".
                theta: (1.0 / overdispersion).min(mean / 1e-4),
                intercept: fit.intercept,
                slope: fit.slope,
            }
        })
        .collect()
}

/// The gene's counts, one a cell.
pub fn dense(counts: &ByGene, gene: usize) -> Vec<f64> {
    let mut row = vec![0.0; counts.cells()];
    for &(cell, count) in counts.gene(gene) {
        row[cell as usize] = f64::from(count);
    }
    row
}

/// Overdispersion by moments: `(variance - mean) / mean²`, not below 0.
pub fn moment_overdispersion(counts: &[f64]) -> f64 {
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let deviation = smoothing::standard_deviation(counts);
    let rough = (deviation * deviation - mean) / (mean * mean);
    if rough.is_finite() { rough.max(0.0) } else { 0.0 }
}

/// Smooths the parameters of the first step along log10 of the geometric mean and reads every gene's off the curves.
///
/// The overdispersion is smoothed as `log10(1 + mean / theta)`, the overdispersion factor. Returns the parameters,
/// the outliers of the first step, and the bandwidth.
///
/// # Shapes
/// `fitted` and `step1_means`: one a gene of the first step; `means`: one a gene of the model.
///
/// # Errors
/// Means that are too alike for a bandwidth.
///
/// # Source
/// Hafemeister and Satija 2019, methods; agrees with `sctransform` 0.3.5 (`theta_regularization = "od_factor"`).
pub fn regularise(
    fitted: &[Parameters],
    step1_means: &[f64],
    means: &[f64],
    bandwidth_factor: f64,
) -> Result<(Vec<Parameters>, Vec<bool>, f64)> {
    let columns: [Vec<f64>; 3] = [
        (fitted.iter().zip(step1_means))
            .map(|(gene, &mean)| libm::log10(1.0 + libm::exp10(mean) / gene.theta))
            .collect(),
        fitted.iter().map(|gene| gene.intercept).collect(),
        fitted.iter().map(|gene| gene.slope).collect(),
    ];
    let mut outliers = vec![false; fitted.len()];
    for column in &columns {
        for (outlier, found) in outliers.iter_mut().zip(robust::outliers(step1_means, column)) {
            *outlier |= found;
        }
    }
    let keep = |values: &[f64]| -> Vec<f64> {
        (values.iter().zip(&outliers)).filter(|pair| !pair.1).map(|pair| *pair.0).collect()
    };
    let x = keep(step1_means);
    let bandwidth = smoothing::sheather_jones(&x)
        .map(|bandwidth| bandwidth * bandwidth_factor)
        .ok_or_else(|| {
            Error::input("the genes' mean expression hardly varies, so no trend can be fitted: expected raw counts of a whole transcriptome")
        })?;
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let points: Vec<f64> = means.iter().map(|mean| mean.clamp(low, high)).collect();
    let smooth = columns.map(|column| smoothing::kernel_regression(&x, &keep(&column), bandwidth, &points));
    let parameters = (0..means.len())
        .map(|gene| Parameters {
            theta: libm::exp10(means[gene]) / (libm::exp10(smooth[0][gene]) - 1.0),
            intercept: smooth[1][gene],
            slope: smooth[2][gene],
        })
        .collect();
    Ok((parameters, outliers, bandwidth))
}
