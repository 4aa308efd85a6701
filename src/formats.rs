//! Reading what people bring: the file's kind is found by its content, the raw counts by looking at values.
//!
//! ```text
//! inputs ─ archive ─ grouping ─ content ─ h5ad │ tenx_h5 │ mex │ table │ … : Format ─ choices ─ raw_counts: which one?
//!                                                   └ Matrix ─ slabs of whole cells ─ reading ─ samples ─ Dataset
//! ```
//!
//! A file is never held whole, and never as a dense matrix. Only the thread that calls reads the source.

mod archive;
mod array;
mod attributes;
mod choice;
mod chunks;
mod content;
mod dataset;
mod dense_h5;
mod droplets;
mod elements;
mod filters;
mod frame;
mod gene_names;
mod grouping;
mod h5ad;
mod h5seurat;
mod hdf5;
mod hierarchy;
mod lines;
mod loom;
mod mex;
mod packing;
mod proteins;
mod r;
mod raw_counts;
mod reading;
mod samples;
mod scatter;
mod slabs;
mod source;
mod store;
mod stored;
mod stored_matrix;
mod table;
mod tenx_h5;
mod transposed;
mod unpacking;
mod zarr;

pub(crate) use archive::{number, zip};
pub use dataset::{Candidate, Column, Dataset, Feature, GENE_EXPRESSION, Inspection, Joined, is_no_name};
pub use droplets::Droplets;
pub use proteins::ProteinTable;
pub(crate) use r::object::{Object, RObjects, places};
pub(crate) use r::texts::Texts;
pub use raw_counts::{grouped, some};
pub use reading::{FeaturesOfGenes, Observer, ReadOptions};
pub use samples::warnings_of_samples;
pub use table::fields;

use crate::error::{Error, Result, Warning};
use crate::progress::Progress;
use archive::Member;
use content::Content;
use grouping::{Files, Group};
use hdf5::Hdf5;
use mex::Mex;
use reading::Part;
use samples::{Genes, Sample};
use source::BlockCache;
use std::cell::RefCell;
use std::io::{Read, Seek};
use std::sync::Arc;
use stored::Format;

/// Bytes from whose look the kind of a file is told.
const FIRST_BYTES: usize = 64 << 10;
const HDF5_SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

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
    /// About the files that were handed over together.
    warnings: Vec<Warning>,
}

/// Opens files that were handed over together. Archives are opened; files that belong together are one dataset, and several
/// datasets are several samples.
///
/// # Errors
/// When one is of no kind that is read, or truncated, or damaged, or has no cells or no genes.
pub fn open(inputs: Vec<Input>) -> Result<OpenFile> {
    let mut members = Vec::new();
    let sole = if let [input] = inputs.as_slice() { Some(input.path.clone()) } else { None };
    for Input { path, source } in inputs {
        let listed = BlockCache::new(source).and_then(|cache| list(&path, Arc::new(cache)));
        members.extend(named(&path, listed)?);
    }
    if members.is_empty() {
        return Err(Error::usage("Choose a file first."));
    }
    let grouped = grouping::group(members);
    let (groups, warnings) = match &sole {
        Some(path) => named(path, grouped)?,
        None => grouped?,
    };
    let mut parts = Vec::with_capacity(groups.len());
    for Group { path, sample, files } in groups {
        let opened = open_one(&files, &path).and_then(|format| Part::new(path.clone(), sample, format));
        parts.push(named(&path, opened)?);
    }
    Ok(OpenFile { parts, warnings })
}

/// The file, or what is in it when it is an archive.
fn list(path: &str, source: Arc<BlockCache>) -> Result<Vec<Member>> {
    let content = Content::of_source(path, Arc::clone(&source));
    let Some(mut members) = archive::open(&content)? else {
        // A folder may have thousands of files; their beginnings are not kept.
        source.forget();
        return Ok(vec![Member { path: path.to_owned(), content }]);
    };
    let folder = archive::stem(path);
    for member in &mut members {
        member.path = format!("{folder}/{}", member.path);
    }
    Ok(members)
}

/// `root`: the path of a folder of files.
fn open_one(files: &Files, root: &str) -> Result<Box<dyn Format>> {
    match files {
        Files::Mex(files) => Ok(Box::new(Mex::open(files)?)),
        Files::Single(content) => open_single(content),
        Files::Folder(members) => hierarchy::open_zarr(zarr::Zarr::open(zarr::Files::of_members(members, root)?)?),
    }
}

fn open_single(content: &Content) -> Result<Box<dyn Format>> {
    // Damage is explained by the reader of the kind that the first bytes tell.
    let unpacked = content.clone().unpacked()?;
    let looked = lines::beginning(&unpacked, FIRST_BYTES);
    let first = looked.as_ref().map_or(&[][..], |(bytes, _)| bytes.as_slice());
    let may_be_r = first.is_empty() || r::BEGINNINGS.iter().any(|beginning| first.starts_with(beginning));
    if may_be_r && let Some(format) = r::open(&content.seekable()?)? {
        return Ok(format);
    }
    let (first, _) = looked?;
    if mex::begins(&first) {
        let matrix = Member { path: content.name().to_owned(), content: content.clone() };
        let files = mex::Files { matrices: vec![matrix], cells: None, features: None };
        return Ok(Box::new(Mex::open(&files)?));
    }
    if let Some(error) = table::other_text(&first) {
        return Err(error);
    }
    if table::is_text(&first) {
        return Ok(Box::new(table::Table::open(content)?));
    }
    let packed_hdf5 = first.starts_with(HDF5_SIGNATURE);
    let file = Hdf5::open(if packed_hdf5 { unpacked.seekable()? } else { content.seekable()? })?;
    hierarchy::open_hdf5(file)
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
        let mut warnings = Vec::with_capacity(self.parts.len());
        for part in &mut self.parts {
            let inspected = part.inspect(options);
            let mut inspection = named(&part.file, inspected)?;
            if several {
                inspection.samples = vec![part.sample.clone()];
            }
            warnings.push((part.sample.as_str(), std::mem::take(&mut inspection.warnings)));
            match &mut whole {
                None => whole = Some(inspection),
                Some(whole) => whole.add(inspection),
            }
        }
        let mut whole = whole.ok_or_else(|| Error::usage("Choose a file first."))?;
        whole.warnings = warnings_of_samples(warnings);
        whole.warnings.extend(self.warnings.iter().cloned());
        Ok(whole)
    }

    /// Counts of proteins of all cells of a file, beside those of genes: the entry `key` of `obsm` or, without one, that of a
    /// usual name where there is one. Data frames are read, and arrays (dense or compressed) whose names stand in `uns`.
    ///
    /// # Errors
    /// There is no such entry, it cannot be read or has no names, or there are several files.
    pub fn proteins(&self, key: Option<&str>) -> Result<Option<ProteinTable>> {
        match (self.parts.as_slice(), key) {
            ([part], _) => named(&part.file, part.proteins(key)),
            (_, None) => Ok(None),
            (_, Some(key)) => Err(Error::usage(format!(
                "The proteins \"{key}\" are looked for in one file, and there are several. Name a table of all cells by \
                 proteins (TSV or CSV) instead."
            ))),
        }
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
        let mut left = options.budget;
        for (number, part) in self.parts.iter_mut().enumerate() {
            let report = |stage: &str, share: f64| progress.report(stage, (number as f64 + share) / count);
            let genes = RefCell::new(Genes::default());
            let look = |features: &[Feature]| {
                let of_genes = options.features.map(|features_of| features_of(features));
                let places = of_genes.clone().unwrap_or_default();
                genes.replace(Genes { features: features.to_vec(), of_genes });
                places
            };
            let options = ReadOptions {
                features: Some(&look),
                features_only: options.features_only && options.features.is_some(),
                budget: left,
                ..*options
            };
            let read = part.read(&options, observer, &Progress::new(&report));
            let dataset = named(&part.file, read)?;
            left = left.map(|left| left.saturating_sub(dataset.counts.bytes() as u64));
            samples.push(Sample { name: part.sample.clone(), genes: genes.into_inner(), dataset });
        }
        let whole = samples::join(samples, options.features_only);
        let mut whole = whole.ok_or_else(|| Error::usage("Choose a file first."))?;
        whole.warnings.extend(self.warnings.iter().cloned());
        Ok(whole)
    }
}

/// Puts the name of the file in front of an error.
fn named<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|mut error| {
        // A message about the file itself has its name already.
        error.message = match error.message.strip_prefix(&format!("\"{name}\" ")) {
            Some(rest) => format!("{name}: it {rest}"),
            None => format!("{name}: {}", error.message),
        };
        error
    })
}

#[cfg(test)]
mod tests;
