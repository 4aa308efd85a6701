//! The query as it goes into the mapping: cells with counts, their metrics, and their genes' features.

use crate::error::{Error, Result, Warning};
use crate::formats::{Column, Dataset, Feature};
use crate::genes::{GeneMatch, match_genes, species};
use crate::matrix::Counts;
use crate::qc::{Metrics, median, metrics};
use crate::reference::Reference;
use serde::Serialize;

/// A file that was read, with the cells that have no counts set aside.
#[derive(Debug, Clone)]
pub struct Query {
    /// Of the file, for people.
    pub format: String,
    /// The matrix that was taken.
    pub matrix: String,
    /// Names of the cells with counts; m of them.
    pub cells: Vec<String>,
    pub features: Vec<Feature>,
    /// m × genes of the file.
    pub counts: Counts,
    /// m values each.
    pub metrics: Metrics,
    /// Cells without a single count: named in the quality table, not mapped. (The first clip of the residuals
    /// depends on the number of cells, so they must not count.)
    pub empty_cells: Vec<String>,
    /// The file's table of cells, all rows of the file.
    pub metadata: Vec<(String, Column)>,
    pub feature_types: Vec<(String, usize)>,
    pub warnings: Vec<Warning>,
}

/// A query in figures, the same on the page and from the command. Medians are over the cells with counts.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    pub format: &'a str,
    pub matrix: &'a str,
    /// All cells of the file, also those without counts.
    pub cells: usize,
    pub empty_cells: usize,
    pub genes: usize,
    pub nonzeros: usize,
    pub total_counts: f64,
    pub median_counts: Option<f64>,
    pub median_features: Option<f64>,
    pub median_percent_mt: Option<f64>,
    pub feature_types: &'a [(String, usize)],
    pub species: Option<&'static str>,
    pub warnings: Vec<Warning>,
}

impl Query {
    /// # Errors
    /// No cell has a count.
    pub fn new(dataset: Dataset) -> Result<Self> {
        let Dataset { format, matrix, cells, features, counts, metadata, feature_types, mut warnings } = dataset;
        let all = metrics(&counts, &features);
        let (kept, empty): (Vec<usize>, Vec<usize>) = (0..cells.len()).partition(|&cell| all.counts[cell] > 0.0);
        if kept.is_empty() {
            return Err(Error::input(format!(
                "None of the {} cells has a count in '{matrix}'. Choose another matrix of the file, or check how it was written.",
                cells.len()
            )));
        }
        if empty.is_empty() {
            let empty_cells = Vec::new();
            let metrics = all;
            return Ok(Query {
                format,
                matrix,
                cells,
                features,
                counts,
                metrics,
                empty_cells,
                metadata,
                feature_types,
                warnings,
            });
        }
        warnings.push(Warning::new(
            "empty_cells",
            format!(
                "{} of the {} cells have no counts at all; they are set aside and not mapped.",
                empty.len(),
                cells.len()
            ),
        ));
        let pick = |rows: &[usize]| -> Vec<String> { rows.iter().map(|&row| cells[row].clone()).collect() };
        Ok(Query {
            cells: pick(&kept),
            empty_cells: pick(&empty),
            metrics: Metrics {
                counts: kept.iter().map(|&cell| all.counts[cell]).collect(),
                features: kept.iter().map(|&cell| all.features[cell]).collect(),
                percent_mt: all.percent_mt.map(|values| kept.iter().map(|&cell| values[cell]).collect()),
            },
            counts: counts.select_cells(&kept),
            format,
            matrix,
            features,
            metadata,
            feature_types,
            warnings,
        })
    }

    /// Matches the genes to those of a reference.
    ///
    /// # Errors
    /// Too few features in common.
    pub fn match_to(&self, reference: &Reference) -> Result<(GeneMatch, Vec<Warning>)> {
        let genes = match_genes(&self.features, &reference.features);
        let warnings = genes.check(&self.features, &reference.features, &reference.about.name)?;
        Ok((genes, warnings))
    }

    /// What the file holds, in figures.
    pub fn summary(&self) -> Summary<'_> {
        let features: Vec<f64> = self.metrics.features.iter().copied().map(f64::from).collect();
        Summary {
            format: &self.format,
            matrix: &self.matrix,
            cells: self.cells.len() + self.empty_cells.len(),
            empty_cells: self.empty_cells.len(),
            genes: self.features.len(),
            nonzeros: self.counts.nonzeros(),
            total_counts: self.total_counts(),
            median_counts: median(&self.metrics.counts),
            median_features: median(&features),
            median_percent_mt: self.metrics.percent_mt.as_deref().and_then(median),
            feature_types: &self.feature_types,
            species: species(&self.features),
            warnings: self.warnings.clone(),
        }
    }

    pub fn total_counts(&self) -> f64 {
        self.metrics.counts.iter().fold(0.0, |sum, counts| sum + counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(rows: &[&[(u32, f32)]]) -> Dataset {
        let mut counts = Counts::with_genes(2);
        rows.iter().for_each(|row| counts.push_row(row.iter().copied()));
        Dataset {
            format: "test".into(),
            matrix: "X".into(),
            cells: (0..rows.len()).map(|cell| format!("cell{cell}")).collect(),
            features: ["MT-CO1", "CD3E"].map(|symbol| Feature { id: None, symbol: symbol.into() }).to_vec(),
            counts,
            metadata: Vec::new(),
            feature_types: vec![("Gene Expression".into(), 2)],
            warnings: Vec::new(),
        }
    }

    #[test]
    fn cells_without_counts_are_set_aside_and_reported() {
        let query = Query::new(dataset(&[&[(0, 1.0), (1, 3.0)], &[], &[(1, 2.0)]])).expect("a query");
        assert_eq!(query.cells, ["cell0", "cell2"]);
        assert_eq!(query.empty_cells, ["cell1"]);
        assert_eq!(query.metrics.counts, [4.0, 2.0]);
        assert_eq!(query.metrics.percent_mt, Some(vec![25.0, 0.0]));
        assert_eq!((query.counts.cells(), query.total_counts()), (2, 6.0));
        assert_eq!(
            query.warnings[0].message,
            "1 of the 3 cells have no counts at all; they are set aside and not mapped."
        );
    }

    #[test]
    fn a_file_of_empty_cells_is_refused() {
        let error = Query::new(dataset(&[&[], &[]])).unwrap_err();
        assert!(error.to_string().starts_with("None of the 2 cells has a count in 'X'."));
    }
}
