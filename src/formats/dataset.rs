//! What a file holds: the features, the table of cells, the matrices to choose from, and the counts as they were read.

use super::droplets::Droplets;
use crate::error::Warning;
use crate::matrix::Counts;
use serde::{Deserialize, Serialize};

/// One row of the feature table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Ensembl id or another accession, as the file writes it.
    pub id: Option<String>,
    /// Gene symbol; the id where the file has no symbols.
    pub symbol: String,
}

/// Whether a label is what H5AD, pandas and R write where there is none. (`none` may well be a treatment.)
pub fn is_no_name(label: &str) -> bool {
    matches!(label.trim(), "" | "NA" | "<NA>" | "NaN" | "nan" | "None")
}

/// A column of the file's table of cells.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    Categorical {
        categories: Vec<String>,
        /// `u32::MAX` for a missing value.
        codes: Vec<u32>,
    },
    Number(Vec<f64>),
    Text(Vec<String>),
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Categorical { codes, .. } => codes.len(),
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row as text; `None` where it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Column::Categorical { categories, codes } => categories.get(*codes.get(row)? as usize).cloned(),
            Column::Number(values) => values.get(row).filter(|value| !value.is_nan()).map(|value| format!("{value}")),
            Column::Text(values) => values.get(row).cloned(),
        }
    }

    /// The values of some rows, in their order.
    pub fn select(&self, rows: &[u32]) -> Column {
        let rows = || rows.iter().map(|&row| row as usize);
        match self {
            Column::Categorical { categories, codes } => Column::Categorical {
                categories: categories.clone(),
                codes: rows().map(|row| codes.get(row).copied().unwrap_or(u32::MAX)).collect(),
            },
            Column::Number(values) => {
                Column::Number(rows().map(|row| values.get(row).copied().unwrap_or(f64::NAN)).collect())
            }
            Column::Text(values) => {
                Column::Text(rows().map(|row| values.get(row).cloned().unwrap_or_default()).collect())
            }
        }
    }
}

/// What was read from a file: the raw counts of its genes, with the names and the table of cells.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// For people: "10x HDF5 (Cell Ranger 3 or later)", "H5AD".
    pub format: String,
    /// The matrix that was taken: "/matrix", "X", "raw/X", "layers/counts".
    pub matrix: String,
    /// Barcodes, unique.
    pub cells: Vec<String>,
    /// The genes that were kept; features of other types are left out.
    pub features: Vec<Feature>,
    /// Genes of the matrix in the file: more than `features` where only some were asked for.
    pub genes_in_file: usize,
    /// As [`Inspection::gene_columns`].
    pub gene_columns: Vec<String>,
    /// The types of all features in the file with their numbers, in the order of the file.
    pub feature_types: Vec<(String, usize)>,
    /// Cells × features.
    pub counts: Counts,
    pub metadata: Vec<(String, Column)>,
    /// What is known of the barcodes of an unfiltered file, of which only those with enough counts are here.
    pub droplets: Option<Droplets>,
    /// Of several samples, some of them unfiltered: for each cell the total from which on a barcode of its sample is taken
    /// for a cell, 0 in samples that were filtered. Else empty.
    pub least_counts: Vec<f64>,
    /// How several samples became one dataset.
    pub joined: Option<Joined>,
    pub warnings: Vec<Warning>,
}

/// Several samples in one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Their names.
    pub samples: Vec<String>,
    /// For each gene, also of those that were left out, the first sample that has it and the gene's number in the file of
    /// that sample.
    pub origins: Vec<(usize, usize)>,
    /// For each sample the number of each of its genes among those of the dataset, without those that were left out.
    pub places: Vec<Vec<u32>>,
}

/// A matrix that the file offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// To be given to [`OpenFile::read`](super::OpenFile::read).
    pub path: String,
    /// Cells and features; `[0, 0]` when it cannot be read.
    pub shape: [usize; 2],
    /// "csr", "csc", "dense" or "unreadable".
    pub encoding: String,
    /// What its values are, to follow "values …": "are whole numbers …", "look like log1p of …".
    pub verdict: String,
    /// Whether it can be taken for raw counts.
    pub is_counts: bool,
}

/// What a file holds, as far as names, shapes and a sample of values tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// As [`Dataset::format`].
    pub format: String,
    /// The matrix that would be taken; `None` when none holds raw counts.
    pub matrix: Option<String>,
    /// Every matrix, in the order in which raw counts are looked for.
    pub matrices: Vec<Candidate>,
    pub cells: usize,
    /// Features of the matrix that are genes.
    pub genes: usize,
    /// Stored entries of the matrix; `None` when it is dense, and counted by reading only.
    pub nonzeros: Option<u64>,
    /// As [`Dataset::feature_types`].
    pub feature_types: Vec<(String, usize)>,
    /// Columns of the feature table that gene names can be taken from, the one in use first; empty when there is
    /// nothing to choose.
    pub gene_columns: Vec<String>,
    /// The samples, where several files were opened together.
    pub samples: Vec<String>,
    /// Bytes that the counts will take in memory, as far as is known without reading.
    pub bytes: Option<u64>,
    pub warnings: Vec<Warning>,
}

impl Inspection {
    /// Adds another sample of the same dataset.
    pub(super) fn add(&mut self, other: Inspection) {
        self.cells += other.cells;
        self.nonzeros = self.nonzeros.zip(other.nonzeros).map(|(own, others)| own + others);
        self.bytes = self.bytes.zip(other.bytes).map(|(own, others)| own + others);
        self.samples.extend(other.samples);
        if other.matrix.is_none() {
            self.matrix = None;
        }
    }
}

/// The type of feature whose counts are mapped.
pub const GENE_EXPRESSION: &str = "Gene Expression";
