//! Reading what people bring: the file's kind is found by its content, the raw counts by looking at values.
//!
//! ```text
//! inputs ─ grouping ─ source (block cache) ─ h5ad │ tenx_h5 │ … : Format ─ choices ─ raw_counts: which one?
//!                                                   └ Matrix ─ slabs of whole cells ─ reading ─ samples ─ Dataset
//! ```
//!
//! A file is never held whole, and never as a dense matrix. Only the thread that calls reads the source.

mod array;
mod attributes;
mod choice;
mod chunks;
mod dataset;
mod dense_h5;
mod droplets;
mod elements;
mod filters;
mod frame;
mod gene_names;
mod h5ad;
mod h5seurat;
mod hdf5;
mod hierarchy;
mod loom;
mod packing;
mod raw_counts;
mod reading;
mod samples;
mod source;
mod store;
mod stored;
mod stored_matrix;
mod tenx_h5;
mod transposed;
mod zarr;

pub use dataset::{Candidate, Column, Dataset, Feature, GENE_EXPRESSION, Inspection};
pub use droplets::Droplets;
pub use raw_counts::grouped;
pub use reading::{GeneFilter, Observer, ReadOptions};

use crate::error::{Error, Result};
use crate::progress::Progress;
use hdf5::Hdf5;
use reading::Part;
use source::BlockCache;
use std::io::{Read, Seek};
use std::sync::Arc;
use stored::Format;

/// Where bytes come from: a native file, or a `File` of the browser.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// A file that was handed over.
pub struct Input {
    /// Its name, or its path in the folder that was handed over, with `/` between the parts. It stands in messages;
    /// its extension is not looked at.
    pub path: String,
    pub source: Box<dyn Source>,
}

impl Input {
    pub fn new(path: impl Into<String>, source: Box<dyn Source>) -> Self {
        Input { path: path.into(), source }
    }
}

/// One dataset, or several samples, whose kind is known and whose matrices have been found, but not read.
pub struct OpenFile {
    parts: Vec<Part>,
}

/// Opens files that were handed over together. Several are several samples.
///
/// # Errors
/// When one is of no kind that is read, or truncated, or damaged, or has no cells or no genes.
pub fn open(inputs: Vec<Input>) -> Result<OpenFile> {
    let (hierarchies, inputs) = zarr::take_out(inputs);
    let mut parts = Vec::with_capacity(inputs.len() + hierarchies.len());
    for (path, files) in hierarchies {
        let sample = sample_name(&path);
        let opened = zarr::Files::of_inputs(files).and_then(zarr::Zarr::open).and_then(hierarchy::open_zarr);
        let opened = opened.and_then(|format| Part::new(path.clone(), sample, format));
        parts.push(named(&path, opened)?);
    }
    for Input { path, source } in inputs {
        let sample = sample_name(&path);
        let opened = open_one(source).and_then(|format| Part::new(path.clone(), sample, format));
        parts.push(named(&path, opened)?);
    }
    if parts.is_empty() {
        return Err(Error::usage("Choose a file first."));
    }
    Ok(OpenFile { parts })
}

fn open_one(source: Box<dyn Source>) -> Result<Box<dyn Format>> {
    let cache = Arc::new(BlockCache::new(source)?);
    hierarchy::open_hdf5(Hdf5::open(cache)?)
}

/// A file's name without folders and extensions.
fn sample_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name).to_owned()
}

impl OpenFile {
    /// Looks at names, shapes and a sample of each matrix; reads no matrix. Several samples are described by the first,
    /// with the cells and entries of all.
    ///
    /// # Errors
    /// When the tables of cells or features are damaged. A file without raw counts is no error here.
    pub fn inspect(&mut self, options: &ReadOptions<'_>) -> Result<Inspection> {
        let several = self.parts.len() > 1;
        let mut whole: Option<Inspection> = None;
        for part in &mut self.parts {
            let inspected = part.inspect(options);
            let mut inspection = named(&part.file, inspected)?;
            if several {
                inspection.samples = vec![part.sample.clone()];
            }
            match &mut whole {
                None => whole = Some(inspection),
                Some(whole) => whole.add(inspection),
            }
        }
        whole.ok_or_else(|| Error::usage("Choose a file first."))
    }

    /// Reads the raw counts, the names and the tables of cells. Progress is reported as the stage "Reading".
    ///
    /// # Errors
    /// When there are no raw counts, the wanted matrix does not exist or has negative, NaN or infinite values, a file is
    /// damaged, or the counts do not fit the budget.
    pub fn read(
        &mut self,
        options: &ReadOptions<'_>,
        observer: &mut dyn Observer,
        progress: &Progress<'_>,
    ) -> Result<Dataset> {
        let mut samples = Vec::with_capacity(self.parts.len());
        let count = self.parts.len() as f64;
        for (number, part) in self.parts.iter_mut().enumerate() {
            let report = |stage: &str, share: f64| progress.report(stage, (number as f64 + share) / count);
            let read = part.read(options, observer, &Progress::new(&report));
            samples.push((part.sample.clone(), named(&part.file, read)?));
        }
        samples::join(samples).ok_or_else(|| Error::usage("Choose a file first."))
    }
}

/// Puts the name of the file in front of an error.
fn named<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|mut error| {
        error.message = format!("{name}: {}", error.message);
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_named_by_their_files() {
        assert_eq!(sample_name("run/sample_1.filtered.h5"), "sample_1");
        assert_eq!(sample_name(".hidden"), ".hidden");
    }
}
