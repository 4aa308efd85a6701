//! Pearson residuals of the reference's own cells: which genes vary, and the matrix that the PCA takes.

use crate::build::by_gene::ByGene;
use crate::build::sctransform::Parameters;
use crate::matrix::Dense;
use rayon::prelude::*;

/// Mean and variance of a gene's residuals, clipped at ±√cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    pub mean: f64,
    /// With `cells - 1`.
    pub variance: f64,
}

/// Residuals of one gene: `(y - mu) / sqrt(mu + mu² / theta)`, clipped at ±`clip`.
fn residuals(counts: &ByGene, gene: usize, depths: &[f64], parameters: &Parameters, clip: f64) -> Vec<f64> {
    let expected = |cell: usize| {
        let mu = libm::exp(parameters.intercept + parameters.slope * depths[cell]);
        (mu, (mu + mu * mu / parameters.theta).sqrt())
    };
    let mut row: Vec<f64> = (0..counts.cells())
        .map(|cell| {
            let (mu, deviation) = expected(cell);
            (-mu / deviation).max(-clip)
        })
        .collect();
    for &(cell, count) in counts.gene(gene) {
        let (mu, deviation) = expected(cell as usize);
        row[cell as usize] = ((f64::from(count) - mu) / deviation).clamp(-clip, clip);
    }
    row
}

/// Mean and variance of the residuals of each gene.
///
/// # Shapes
/// `genes` and `parameters` run side by side; `depths` is log10 of each cell's total.
///
/// # Source
/// Hafemeister and Satija 2019 (10.1186/s13059-019-1874-1); agrees with `sctransform::vst`'s gene attributes.
pub fn moments(counts: &ByGene, genes: &[usize], parameters: &[Parameters], depths: &[f64]) -> Vec<Moments> {
    let clip = (counts.cells() as f64).sqrt();
    (genes.par_iter().zip(parameters))
        .map(|(&gene, parameters)| {
            let row = residuals(counts, gene, depths, parameters, clip);
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            let squares: f64 = row.iter().map(|value| (value - mean) * (value - mean)).sum();
            Moments { mean, variance: squares / (row.len() as f64 - 1.0) }
        })
        .collect()
}

/// The residuals of the given genes, clipped at ±√(cells / 30) and centred.
///
/// # Shapes
/// → cells × genes.
///
/// # Source
/// `scale.data` of `Seurat::SCTransform` 4.3: clipped first, centred afterwards.
pub fn matrix(counts: &ByGene, genes: &[usize], parameters: &[Parameters], depths: &[f64], clip: f64) -> Dense {
    let limit = (counts.cells() as f64).sqrt();
    let rows: Vec<Vec<f32>> = (genes.par_iter().zip(parameters))
        .map(|(&gene, parameters)| {
            let mut row = residuals(counts, gene, depths, parameters, limit);
            row.iter_mut().for_each(|value| *value = value.clamp(-clip, clip));
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            row.iter().map(|value| (value - mean) as f32).collect()
        })
        .collect();
    // Written by row, as the PCA reads it.
    let mut values = vec![0f32; counts.cells() * genes.len()];
    (values.par_chunks_mut(genes.len().max(1)).enumerate()).for_each(|(cell, target)| {
        for (value, row) in target.iter_mut().zip(&rows) {
            *value = row[cell];
        }
    });
    // The length is the product of the two by construction.
    Dense::from_shape_vec((counts.cells(), genes.len()), values).unwrap_or_default()
}
