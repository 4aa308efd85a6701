//! What every kind of file has in common: a matrix that can be sampled and read, and the names that go with it.

use super::choice::Choice;
use super::packing::Tally;
use super::proteins::ProteinTable;
use super::raw_counts::Sample;
use super::{Column, Feature};
use crate::error::{Result, Warning};
use crate::matrix::Counts;
use crate::progress::Progress;

/// Entries of a slab: what a matrix hands over at once while it is read.
pub const SLAB: u64 = 16 << 20;

/// One file, or several that belong together, of a known kind.
pub trait Format {
    /// For people: "H5AD", "10x MEX".
    fn name(&self) -> String;

    /// The matrices, in the order in which raw counts are looked for.
    ///
    /// # Errors
    /// When what describes them is damaged. A matrix that cannot be read is a choice that says so.
    fn choices(&self) -> Result<Vec<Choice>>;

    /// The number of cells of a choice.
    ///
    /// # Errors
    /// When the names of the cells are damaged.
    fn cells(&self, choice: &str) -> Result<usize>;

    /// The names of the cells of a choice: all, or those of some ascending rows, since unfiltered files have millions.
    ///
    /// # Errors
    /// When they cannot be read.
    fn cell_names(&self, choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>>;

    /// The features of a choice. `column` is the column of the feature table that the person chose for the names;
    /// without it the content decides.
    ///
    /// # Errors
    /// When they cannot be read, or there is no such column.
    fn features(&self, choice: &str, column: Option<&str>) -> Result<FeatureTable>;

    /// The columns of the table of cells, for all rows of a choice; those that cannot be read become warnings.
    ///
    /// # Errors
    /// When the table itself cannot be read.
    fn metadata(&self, _choice: &str, _warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        Ok(Vec::new())
    }

    /// Counts of proteins of all cells beside those of genes: those of `key`, or of the usual ones where there are any.
    ///
    /// # Errors
    /// There is no such entry, or it cannot be read or named.
    fn proteins(&self, key: Option<&str>) -> Result<Option<ProteinTable>> {
        match key {
            None => Ok(None),
            Some(_) => Err(super::proteins::no_entries(&self.name())),
        }
    }

    /// What else there is to say about the file.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }
}

/// The features of a matrix, and their types when the file tells them.
#[derive(Default)]
pub struct FeatureTable {
    pub features: Vec<Feature>,
    pub types: Option<Vec<String>>,
    /// The columns that names can be taken from, the one in use first; empty when there is nothing to choose.
    pub columns: Vec<String>,
}

/// A matrix of cells × genes that a file offers.
pub trait Matrix {
    /// Cells and genes.
    fn shape(&self) -> [usize; 2];

    /// Stored entries, when the file tells them without being read.
    fn nonzeros(&self) -> Option<u64>;

    /// "csr", "csc", "dense", "mex", "text".
    fn encoding(&self) -> &'static str;

    /// Bytes that reading passes through, for the meter.
    fn work(&self) -> u64;

    /// The values of some cells, to judge what they are.
    ///
    /// # Errors
    /// When they cannot be read.
    fn sample(&self) -> Result<Sample>;

    /// Reads all cells in their order and hands them over in slabs: consecutive whole cells with about [`SLAB`] entries,
    /// genes ascending in each row, without zeros and without repeated genes.
    ///
    /// # Errors
    /// When the data is damaged, the source fails, or `take` does.
    fn read(&self, meter: &mut Meter<'_>, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<Tally>;
}

/// Reports bytes done of bytes to do.
pub struct Meter<'a> {
    progress: &'a Progress<'a>,
    done: u64,
    total: u64,
}

impl<'a> Meter<'a> {
    pub fn new(progress: &'a Progress<'a>, total: u64) -> Self {
        Meter { progress, done: 0, total: total.max(1) }
    }

    pub fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.progress.report("Reading", (self.done as f64 / self.total as f64).min(1.0));
    }
}

/// Picks the named rows out of all names.
pub fn pick_rows(names: Vec<String>, rows: Option<&[u32]>) -> Vec<String> {
    match rows {
        None => names,
        Some(rows) => rows.iter().filter_map(|&row| names.get(row as usize).cloned()).collect(),
    }
}
