//! Reading what people bring: the file's kind is found by its content, the raw counts by looking at values.

use crate::error::Warning;
use crate::matrix::Counts;
use serde::{Deserialize, Serialize};
use std::io::{Read, Seek};

/// Where bytes come from: a native file, or a `File` of the browser.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

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
        /** `u32::MAX` for a missing value. */
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
    pub features: Vec<Feature>,
    /// Cells × features.
    pub counts: Counts,
    pub metadata: Vec<(String, Column)>,
    /// How many features of each type the file holds; only "Gene Expression" goes into `counts`.
    pub feature_types: Vec<(String, usize)>,
    pub warnings: Vec<Warning>,
}
