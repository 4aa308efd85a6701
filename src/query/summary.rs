//! A query in figures, for the page and for `summary.json`.

use super::Query;
use crate::error::Warning;
use crate::formats::Droplets;
use crate::genes::species;
use crate::metadata::{ColumnSummary, summaries};
use crate::qc::{Ambient, GeneSet, Limits, median};
use serde::Serialize;

/// A query in figures, the same on the page and from the command. Medians are over the cells with counts.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    pub format: &'a str,
    pub matrix: &'a str,
    /// All cells of the file, also those without counts.
    pub cells: usize,
    pub empty_cells: usize,
    /// Genes of the file.
    pub genes: usize,
    /// Those of them whose counts were kept.
    pub genes_kept: usize,
    pub nonzeros: usize,
    pub total_counts: f64,
    pub median_counts: Option<f64>,
    pub median_features: Option<f64>,
    pub median_percent_mt: Option<f64>,
    pub median_percent_ribo: Option<f64>,
    pub median_percent_hb: Option<f64>,
    pub limits: &'a Limits,
    /// The column that tells samples apart.
    pub sample_column: Option<&'a str>,
    pub ambient: &'a [Ambient],
    /// Cells that a filter left out.
    pub cells_left_out: usize,
    pub feature_types: &'a [(String, usize)],
    pub species: Option<&'static str>,
    pub droplets: Option<&'a Droplets>,
    pub min_counts: Option<f64>,
    /// The columns of the file's table of cells, over all cells.
    pub metadata: Vec<ColumnSummary>,
    pub warnings: Vec<Warning>,
}

impl Query {
    /// What the file holds, in figures.
    pub fn summary(&self) -> Summary<'_> {
        let median_percent = |set: GeneSet| self.metrics.percent(set).and_then(median);
        let features: Vec<f64> = self.metrics.features.iter().copied().map(f64::from).collect();
        Summary {
            format: &self.format,
            matrix: &self.matrix,
            cells: self.described_cells().count(),
            empty_cells: self.empty_cells.len(),
            genes: self.genes_in_file,
            genes_kept: self.features.len(),
            nonzeros: self.nonzeros(),
            total_counts: self.total_counts(),
            median_counts: median(&self.metrics.counts),
            median_features: median(&features),
            median_percent_mt: median_percent(GeneSet::Mitochondrial),
            median_percent_ribo: median_percent(GeneSet::Ribosomal),
            median_percent_hb: median_percent(GeneSet::Haemoglobin),
            limits: &self.limits,
            sample_column: self.sample_column.as_deref(),
            ambient: &self.ambient,
            cells_left_out: self.left_out.cells.len(),
            feature_types: &self.feature_types,
            species: species(&self.features),
            droplets: self.droplets.as_ref(),
            min_counts: self.min_counts,
            metadata: summaries(&self.metadata),
            warnings: self.warnings.clone(),
        }
    }

    /// Counts that are not zero: of the genes that were kept or, where none were, of all.
    pub fn nonzeros(&self) -> usize {
        match self.consumed {
            true => self.metrics.features.iter().map(|&features| features as usize).sum(),
            false => self.counts.nonzeros(),
        }
    }

    pub fn total_counts(&self) -> f64 {
        self.metrics.counts.iter().fold(0.0, |sum, counts| sum + counts)
    }
}
