//! Reading what people bring: the file's kind is found by its content, the raw counts by looking at values.
//!
//! ```text
//! Source ─ block cache ─ hdf5 (names, strings, chunk lists) ─ tenx_h5 │ h5ad ─ choices ─ raw_counts: which one?
//!                        └ array (large reads, parallel decoding) ─ stored_matrix ─ Counts
//! ```
//!
//! The file is never held whole, and never as a dense matrix. Only the thread that calls reads the source.

mod array;
mod choice;
mod dataset;
mod elements;
mod filters;
mod frame;
mod h5ad;
mod hdf5;
mod packing;
mod raw_counts;
mod source;
mod stored_matrix;
mod tenx_h5;

pub use dataset::{Candidate, Column, Dataset, Feature, GENE_EXPRESSION, Inspection};

use crate::error::{Error, Result, Warning};
use crate::progress::Progress;
use choice::Choice;
use hdf5::Hdf5;
use packing::Tally;
use rustc_hash::FxHashSet;
use std::io::{Read, Seek};
use stored_matrix::Meter;
use tenx_h5::TenX;

/// Where bytes come from: a native file, or a `File` of the browser.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// The features of a matrix, and their types when the file tells them.
struct FeatureTable {
    features: Vec<Feature>,
    types: Option<Vec<String>>,
}

enum Kind {
    TenX(TenX),
    H5ad,
}

/// A file whose kind is known and whose matrices have been found, but not read.
pub struct OpenFile {
    file: Hdf5,
    name: String,
    kind: Kind,
    choices: Vec<Choice>,
    cells: Vec<String>,
    warnings: Vec<Warning>,
}

/// Opens a file. `name` stands in error messages; its extension is not looked at.
///
/// # Errors
/// When it is neither 10x HDF5 nor H5AD, or truncated, or damaged, or has no cells or no genes.
pub fn open(source: Box<dyn Source>, name: &str) -> Result<OpenFile> {
    named(name, open_unnamed(source, name))
}

fn open_unnamed(source: Box<dyn Source>, name: &str) -> Result<OpenFile> {
    let file = Hdf5::open(source)?;
    let kind = if h5ad::detect(&file) {
        Kind::H5ad
    } else if let Some(layout) = TenX::detect(&file)? {
        Kind::TenX(layout)
    } else {
        return Err(of_neither_kind(&file.members("/")?));
    };
    let (mut cells, choices, mut warnings) = match &kind {
        Kind::H5ad => (h5ad::cells(&file)?, h5ad::choices(&file)?, Vec::new()),
        Kind::TenX(layout) => (layout.cells(&file)?, layout.choices(&file), layout.warnings(&file)),
    };
    if cells.is_empty() {
        return Err(Error::input(
            "there are no cells in it. Check the step that wrote the file; a filter may have removed all \
             of them.",
        ));
    }
    let mut shapes = choices.iter().filter_map(Choice::shape).peekable();
    if shapes.peek().is_some() && shapes.all(|[_, genes]| genes == 0) {
        return Err(Error::input(
            "there are no genes in it. Check the step that wrote the file; a filter may have removed all of \
             them.",
        ));
    }
    warnings.extend(make_unique(&mut cells));
    Ok(OpenFile { file, name: name.to_owned(), kind, choices, cells, warnings })
}

impl OpenFile {
    /// Looks at names, shapes and a sample of each matrix; reads no matrix.
    ///
    /// # Errors
    /// When the tables of cells or features are damaged. A file without raw counts is no error here.
    pub fn inspect(&mut self) -> Result<Inspection> {
        let inspected = self.inspect_unnamed();
        named(&self.name, inspected)
    }

    fn inspect_unnamed(&mut self) -> Result<Inspection> {
        let mut warnings = self.warnings.clone();
        let taken = match choice::choose(&mut self.choices, None, &mut warnings) {
            Ok(taken) => Some(taken),
            Err(error) => {
                warnings.push(Warning::new("no_counts", error.message));
                None
            }
        };
        let matrices = self.choices.iter_mut().map(candidate).collect();
        let first = taken.and_then(|taken| self.choices.get(taken));
        let shown = first.or(self.choices.first());
        let table = self.features(shown.map_or("X", |choice| &choice.path))?;
        let (keep, feature_types) = gene_expression(&table);
        warnings.extend(other_features(&feature_types));
        Ok(Inspection {
            format: self.format().to_owned(),
            matrix: first.map(|choice| choice.path.clone()),
            matrices,
            cells: self.cells.len(),
            genes: keep.map_or(table.features.len(), |(_, genes)| genes),
            nonzeros: shown.and_then(Choice::nonzeros),
            feature_types,
            warnings,
        })
    }

    /// Reads the raw counts, the names and the table of cells. `matrix` is the path of a [`Candidate`]
    /// and overrides the choice. Progress is reported as the stage "Reading".
    ///
    /// # Errors
    /// When there are no raw counts, the wanted matrix does not exist or has negative, NaN or infinite
    /// values, or the file is damaged.
    pub fn read(&mut self, matrix: Option<&str>, progress: &Progress<'_>) -> Result<Dataset> {
        let read = self.read_unnamed(matrix, progress);
        named(&self.name, read)
    }

    fn read_unnamed(&mut self, matrix: Option<&str>, progress: &Progress<'_>) -> Result<Dataset> {
        progress.report("Reading", 0.0);
        let mut warnings = self.warnings.clone();
        let taken = choice::choose(&mut self.choices, matrix, &mut warnings)?;
        let choice = &self.choices[taken];
        let table = self.features(&choice.path)?;
        let (keep, feature_types) = gene_expression(&table);
        warnings.extend(other_features(&feature_types));
        let mut meter = Meter::new(progress, choice.work());
        let kept = keep.as_ref().map(|(keep, genes)| (keep.as_slice(), *genes));
        let (counts, tally) = choice.read(kept, &mut meter)?;
        check_tally(&choice.path, tally, &mut warnings)?;
        let features = match &keep {
            None => table.features,
            Some((keep, _)) => table
                .features
                .into_iter()
                .zip(keep)
                .filter(|(_, kept)| **kept != u32::MAX)
                .map(|(feature, _)| feature)
                .collect(),
        };
        if counts.cells() != self.cells.len() || counts.genes() != features.len() {
            return Err(hdf5::damaged(&choice.path, "its shape does not fit the names of cells and genes"));
        }
        if counts.nonzeros() == 0 {
            return Err(Error::input(format!(
                "all counts in \"{}\" are zero. Check the step that wrote the file.",
                choice.path
            )));
        }
        let matrix = choice.path.clone();
        let metadata = match &self.kind {
            Kind::H5ad => h5ad::metadata(&self.file, &mut warnings)?,
            Kind::TenX(_) => Vec::new(),
        };
        progress.report("Reading", 1.0);
        Ok(Dataset {
            format: self.format().to_owned(),
            matrix,
            cells: self.cells.clone(),
            features,
            feature_types,
            counts,
            metadata,
            warnings,
        })
    }

    fn format(&self) -> &'static str {
        match &self.kind {
            Kind::H5ad => "H5AD",
            Kind::TenX(layout) => layout.format(),
        }
    }

    fn features(&self, choice: &str) -> Result<FeatureTable> {
        match &self.kind {
            Kind::H5ad => h5ad::features(&self.file, choice),
            Kind::TenX(layout) => layout.features(&self.file),
        }
    }
}

fn candidate(choice: &mut Choice) -> Candidate {
    let verdict = choice.verdict();
    Candidate {
        path: choice.path.clone(),
        shape: choice.shape().unwrap_or([0, 0]),
        encoding: choice.encoding().to_owned(),
        is_counts: verdict.is_counts(),
        verdict: verdict.text,
    }
}

/// Puts the name of the file in front of an error.
fn named<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|mut error| {
        error.message = format!("{name}: {}", error.message);
        error
    })
}

/// Says what an HDF5 file is that we do not read.
fn of_neither_kind(members: &[String]) -> Error {
    let has = |names: &[&str]| names.iter().all(|name| members.iter().any(|member| member == name));
    let hint = if has(&["matrix", "row_attrs", "col_attrs"]) {
        " It looks like a Loom file: `anndata.read_loom(\"in.loom\").write_h5ad(\"out.h5ad\")` converts it."
    } else if has(&["assays", "cell.names"]) {
        " It looks like an h5Seurat file: `SeuratDisk::Convert(\"in.h5seurat\", dest = \"h5ad\")` converts it."
    } else if has(&["mod", "obs", "var"]) {
        " It looks like a MuData file: write its RNA as H5AD with `mudata.read(\"in.h5mu\")[\"rna\"].write_h5ad(\"out.h5ad\")`."
    } else if has(&["barcode_idx", "feature_idx", "umi"]) {
        " It looks like molecule_info.h5: take filtered_feature_bc_matrix.h5 from the same folder."
    } else {
        ""
    };
    let mut found: Vec<String> = members.iter().take(8).map(|m| format!("\"{m}\"")).collect();
    if members.len() > found.len() {
        found.push(String::from("…"));
    }
    let found = match found.as_slice() {
        [] => String::from("nothing"),
        found => found.join(", "),
    };
    Error::input(format!(
        "it is an HDF5 file, but neither of 10x Genomics nor H5AD: at its top level it has {found}. Expected \
         \"matrix\" (10x) or \"X\", \"obs\" and \"var\" (H5AD).{hint}"
    ))
}

/// The error for a 10x file without gene expression.
fn unused_matrix(types: &[String]) -> Error {
    let mut kinds: Vec<&str> = types.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Error::input(format!(
        "it has no features of the type \"{GENE_EXPRESSION}\", only \"{}\". Sextant maps gene expression; \
         load the matrix of that library.",
        kinds.join("\", \"")
    ))
}

/// The new number of each gene, `u32::MAX` for features of other types; and the number of genes.
type Keep = (Vec<u32>, usize);

/// Finds the features to keep, when they are not all of one type, and counts the types.
fn gene_expression(table: &FeatureTable) -> (Option<Keep>, Vec<(String, usize)>) {
    let Some(types) = &table.types else {
        return (None, vec![(GENE_EXPRESSION.to_owned(), table.features.len())]);
    };
    let mut counted: Vec<(String, usize)> = Vec::new();
    let mut keep = Vec::with_capacity(types.len());
    let mut genes = 0;
    for kind in types {
        match counted.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count += 1,
            None => counted.push((kind.clone(), 1)),
        }
        if kind == GENE_EXPRESSION {
            keep.push(genes as u32);
            genes += 1;
        } else {
            keep.push(u32::MAX);
        }
    }
    let keep = (genes < types.len()).then_some((keep, genes));
    (keep, counted)
}

fn other_features(types: &[(String, usize)]) -> Option<Warning> {
    let others: Vec<String> = types
        .iter()
        .filter(|(kind, _)| kind != GENE_EXPRESSION)
        .map(|(kind, count)| format!("{count} of the type \"{kind}\""))
        .collect();
    (!others.is_empty()).then(|| {
        Warning::new(
            "other_features",
            format!("Besides genes the file has features that are not mapped: {}.", others.join(", ")),
        )
    })
}

/// Values that a sample did not show.
fn check_tally(path: &str, tally: Tally, warnings: &mut Vec<Warning>) -> Result<()> {
    let amount = |count| raw_counts::grouped(count as f64);
    if tally.not_finite > 0 {
        return Err(Error::input(format!(
            "\"{path}\" has {} values that are NaN or infinite. Counts are finite numbers; check the step \
             that wrote the file.",
            amount(tally.not_finite)
        )));
    }
    if tally.negatives > 0 {
        return Err(Error::input(format!(
            "\"{path}\" has {} negative values, so it does not hold counts (scaled values do that). Choose \
             the matrix with the raw counts.",
            amount(tally.negatives)
        )));
    }
    let known = |warning: &Warning| ["fractions", "not_counts"].contains(&warning.code);
    if tally.fractions > 0 && !warnings.iter().any(known) {
        warnings.push(Warning::new(
            "fractions",
            format!(
                "\"{path}\" has {} values with fractions, although a sample showed whole numbers only. \
                 They were taken as they are.",
                amount(tally.fractions)
            ),
        ));
    }
    Ok(())
}

/// Makes names of cells unique as anndata does: the first keeps its name, others get "-1", "-2" and so on.
fn make_unique(cells: &mut [String]) -> Option<Warning> {
    let mut known: FxHashSet<String> = FxHashSet::default();
    known.reserve(cells.len());
    let repeated: Vec<usize> = (0..cells.len()).filter(|&cell| !known.insert(cells[cell].clone())).collect();
    let first = cells[*repeated.first()?].clone();
    let mut next: rustc_hash::FxHashMap<String, usize> = rustc_hash::FxHashMap::default();
    for &cell in &repeated {
        let number = next.entry(cells[cell].clone()).or_insert(0);
        let unique = loop {
            *number += 1;
            let candidate = format!("{}-{number}", cells[cell]);
            if known.insert(candidate.clone()) {
                break candidate;
            }
        };
        cells[cell] = unique;
    }
    Some(Warning::new(
        "duplicate_cells",
        format!(
            "{} names of cells occur more than once (\"{first}\" is one). They were made unique with \"-1\", \
             \"-2\" and so on.",
            repeated.len()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_unique_without_new_clashes() {
        let mut cells = ["a", "b", "a", "a-1", "a", "b"].map(str::to_owned);
        let warning = make_unique(&mut cells);
        assert_eq!(cells, ["a", "b", "a-2", "a-1", "a-3", "b-1"]);
        let message = warning.map(|warning| warning.message).unwrap_or_default();
        assert!(message.starts_with("3 names of cells occur more than once (\"a\" is one)"));
        assert_eq!(make_unique(&mut ["a", "b"].map(str::to_owned)), None);
    }
}
