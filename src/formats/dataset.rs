//! What a file holds: the features, the table of cells, the matrices to choose from, and the counts as they were read.

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

/// What was read from a file: the raw counts of its genes, with the names and the table of cells.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// For people: "10x HDF5 (Cell Ranger 3 or later)", "H5AD".
    pub format: String,
    /// The matrix that was taken: "/matrix", "X", "raw/X", "layers/counts".
    pub matrix: String,
    /// Barcodes, unique.
    pub cells: Vec<String>,
    /// The genes; features of other types are left out.
    pub features: Vec<Feature>,
    /// The types of all features in the file with their numbers, in the order of the file.
    pub feature_types: Vec<(String, usize)>,
    /// Cells × features.
    pub counts: Counts,
    pub metadata: Vec<(String, Column)>,
    pub warnings: Vec<Warning>,
}

/// A matrix that the file offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// To be given to [`OpenFile::read`].
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
    pub warnings: Vec<Warning>,
}

/// The type of feature whose counts are mapped.
pub const GENE_EXPRESSION: &str = "Gene Expression";
