//! What the classes of a reference express, from the counts of its cells.

use super::features;
use crate::error::Result;
use crate::formats::Feature;
use crate::matrix::Counts;
use crate::progress::Progress;
use crate::reference::Level;
use crate::reference::expression::{ClassExpression, Expression, SCALE};
use half::f16;
use ndarray::Array2;
use rayon::prelude::*;

const STAGE: &str = "Summarising the classes";

/// Mean and fraction of every gene in every class of every level. Genes without a count are left out.
///
/// # Shapes
/// `counts`: cells × genes, `features` names the genes.
///
/// # Errors
/// Fewer names than genes.
///
/// # Source
/// `NormalizeData` of Seurat and `normalize_total`, `log1p` of scanpy, averaged as scanpy's dot plots do.
pub fn summarise(
    counts: &Counts,
    features: &[Feature],
    levels: &[Level],
    progress: &Progress<'_>,
) -> Result<Expression> {
    let mut detected = vec![false; counts.genes()];
    for cell in 0..counts.cells() {
        counts.row(cell).for_each(|(gene, _)| detected[gene as usize] = true);
    }
    let genes: Vec<usize> = (0..detected.len()).filter(|&gene| detected[gene]).collect();
    let summarised = levels.iter().enumerate().map(|(number, level)| {
        progress.report(STAGE, number as f64 / levels.len() as f64);
        of_level(counts, &genes, level)
    });
    Ok(Expression { levels: summarised.collect(), genes: features::names(features, &genes)? })
}

fn of_level(counts: &Counts, genes: &[usize], level: &Level) -> ClassExpression {
    let mut cells_of: Vec<Vec<usize>> = vec![Vec::new(); level.classes.len()];
    level.codes.iter().enumerate().for_each(|(cell, &code)| cells_of[usize::from(code)].push(cell));
    let rows: Vec<(Vec<f16>, Vec<u8>)> = cells_of.par_iter().map(|cells| of_class(counts, genes, cells)).collect();
    let shape = (rows.len(), genes.len());
    let mut summary = ClassExpression { mean: Array2::from_elem(shape, f16::ZERO), fraction: Array2::zeros(shape) };
    for (class, (mean, fraction)) in rows.into_iter().enumerate() {
        summary.mean.row_mut(class).assign(&ndarray::ArrayView1::from(&mean));
        summary.fraction.row_mut(class).assign(&ndarray::ArrayView1::from(&fraction));
    }
    summary
}

/// In the order of the cells, so that the sums are the same whoever adds them up.
fn of_class(counts: &Counts, genes: &[usize], cells: &[usize]) -> (Vec<f16>, Vec<u8>) {
    let mut sums = vec![0.0f64; counts.genes()];
    let mut with_counts = vec![0u32; counts.genes()];
    for &cell in cells {
        let total: f64 = counts.row(cell).map(|(_, count)| f64::from(count)).sum();
        for (gene, count) in counts.row(cell) {
            sums[gene as usize] += libm::log1p(SCALE * f64::from(count) / total);
            with_counts[gene as usize] += 1;
        }
    }
    let all = cells.len() as u32;
    // By way of 32 bits, rounded twice everywhere: straight from 64, some processors round once and others twice.
    let mean = genes.iter().map(|&gene| f16::from_f32((sums[gene] / f64::from(all.max(1))) as f32));
    let fraction = genes.iter().map(|&gene| ClassExpression::kept_fraction(with_counts[gene], all));
    (mean.collect(), fraction.collect())
}
