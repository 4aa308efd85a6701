//! Reading one dataset out of a file: its matrix slab by slab, only what is wanted kept.

mod budget;
mod cell_names;
mod intake;

use super::choice::{self, Choice};
use super::droplets::{self, Droplets};
use super::packing::Tally;
use super::proteins::ProteinTable;
use super::raw_counts::grouped;
use super::stored::{FeatureTable, Format};
use super::{Candidate, Column, Dataset, Feature, GENE_EXPRESSION, Inspection, hdf5};
use crate::error::{Error, Result, Warning};
use crate::matrix::Counts;
use crate::progress::Progress;
pub use budget::check_memory;
use budget::{check_budget, counts_bytes};
use cell_names::make_unique;
use intake::{Keep, Selection, numbered};

/// How a file is read. The default takes the raw counts of all genes.
#[derive(Default)]
pub struct ReadOptions<'a> {
    /// The path of a [`Candidate`]; it overrides the choice.
    pub matrix: Option<&'a str>,
    /// The column of the feature table with the names of the genes; one of [`Inspection::gene_columns`].
    pub gene_column: Option<&'a str>,
    /// Says of the genes of a file which feature of a reference each is. It is asked once for each sample: genes of several
    /// samples that are one feature are one gene, however each file names it.
    pub features: Option<&'a FeaturesOfGenes<'a>>,
    /// Keeps the counts of those genes only.
    pub features_only: bool,
    /// Keeps no counts: who looks on has taken of them what is needed.
    pub looking_on_only: bool,
    /// Bytes that the counts may take; more is refused with [`Kind::Memory`](crate::error::Kind::Memory).
    pub budget: Option<u64>,
}

/// The feature of a reference that each gene is, if it is one.
pub type FeaturesOfGenes<'a> = dyn Fn(&[Feature]) -> Vec<Option<u32>> + 'a;

/// Looks on while a file is read: at whole cells with all their genes, before any gene is dropped.
pub trait Observer {
    /// A sample begins. One that began before and did not end was abandoned.
    fn begin(&mut self, features: &[Feature]);
    /// Cells that are kept, following those of the slab before.
    fn slab(&mut self, slab: &Counts);
    /// The sample is complete.
    fn end(&mut self);
    /// Memory that it took for cells so far; it must fit the budget as the counts must.
    fn bytes(&self) -> u64 {
        0
    }
}

/// Looks at nothing.
impl Observer for () {
    fn begin(&mut self, _features: &[Feature]) {}
    fn slab(&mut self, _slab: &Counts) {}
    fn end(&mut self) {}
}

/// A dataset that was opened: its matrices have been found, but not read.
pub struct Part {
    /// Of the file, for messages.
    pub file: String,
    /// What its cells are called in the column of samples.
    pub sample: String,
    format: Box<dyn Format>,
    choices: Vec<Choice>,
}

impl Part {
    /// # Errors
    /// When the file describes no matrix, or has no cells or no genes.
    pub fn new(file: String, sample: String, format: Box<dyn Format>) -> Result<Part> {
        let choices = format.choices()?;
        let mut shapes = choices.iter().filter_map(Choice::shape).peekable();
        if shapes.peek().is_some() && shapes.clone().all(|[cells, _]| cells == 0) {
            return Err(Error::input(
                "there are no cells in it. Check the step that wrote the file; a filter may have removed all \
                 of them.",
            ));
        }
        if shapes.peek().is_some() && shapes.all(|[_, genes]| genes == 0) {
            return Err(Error::input(
                "there are no genes in it. Check the step that wrote the file; a filter may have removed all of \
                 them.",
            ));
        }
        Ok(Part { file, sample, format, choices })
    }

    /// Looks at names, shapes and a sample of each matrix; reads no matrix.
    ///
    /// # Errors
    /// When the tables of cells or features are damaged. A file without raw counts is no error here.
    pub fn inspect(&mut self, options: &ReadOptions<'_>) -> Result<Inspection> {
        let mut warnings = self.format.warnings();
        let taken = match choice::choose(&mut self.choices, options.matrix, &mut warnings) {
            Ok(taken) => Some(taken),
            Err(error) => {
                warnings.push(Warning::new("no_counts", error.message));
                None
            }
        };
        let matrices = self.choices.iter_mut().map(candidate).collect();
        let first = taken.and_then(|taken| self.choices.get(taken));
        let shown = first.or(self.choices.first());
        let path = shown.map_or("X", |choice| &choice.path);
        let table = self.format.features(path, options.gene_column)?;
        let (keep, feature_types) = gene_expression(&table);
        warnings.extend(other_features(&feature_types));
        let genes = keep.map_or(table.features.len(), |(_, genes)| genes);
        let nonzeros = shown.and_then(Choice::nonzeros);
        let cells = self.format.cells(path)?;
        Ok(Inspection {
            format: self.format.name(),
            matrix: first.map(|choice| choice.path.clone()),
            matrices,
            cells,
            genes,
            nonzeros,
            feature_types,
            gene_columns: table.columns,
            samples: Vec::new(),
            bytes: nonzeros.map(|nonzeros| counts_bytes(nonzeros, genes, cells)),
            warnings,
        })
    }

    /// As [`Format::proteins`].
    ///
    /// # Errors
    /// As there.
    pub fn proteins(&self, key: Option<&str>) -> Result<Option<ProteinTable>> {
        self.format.proteins(key)
    }

    /// Reads the raw counts, the names and the table of cells.
    ///
    /// # Errors
    /// When there are no raw counts, the wanted matrix does not exist or has negative, NaN or infinite
    /// values, the file is damaged, or the counts do not fit the budget.
    pub fn read(
        &mut self,
        options: &ReadOptions<'_>,
        observer: &mut dyn Observer,
        progress: &Progress<'_>,
    ) -> Result<Dataset> {
        progress.report("Reading", 0.0);
        let mut warnings = self.format.warnings();
        let taken = choice::choose(&mut self.choices, options.matrix, &mut warnings)?;
        let choice = &self.choices[taken];
        let mut table = self.format.features(&choice.path, options.gene_column)?;
        let (keep, feature_types) = gene_expression(&table);
        warnings.extend(other_features(&feature_types));
        keep_genes(&mut table, keep.as_ref());
        let features = options.features.map(|features| features(&table.features));
        let wanted = features
            .filter(|_| options.features_only)
            .map(|features| numbered(&features.iter().map(Option::is_some).collect::<Vec<bool>>()));
        if !options.looking_on_only {
            check_budget(choice, table.features.len(), wanted.is_some(), options.budget)?;
        }
        let suspected = choice.shape().is_some_and(|shape| droplets::suspected(shape, choice.nonzeros()));
        let kept = !options.looking_on_only;
        let selection = Selection { keep, wanted, kept, budget: options.budget, genes: &table.features };
        let mut about_cells = Vec::new();
        let mut metadata = self.format.metadata(&choice.path, &mut about_cells)?;
        let recovering = || choice.recovering(stated_totals(&metadata));
        let mut intake = selection.read(choice, recovering(), suspected, observer, progress)?;
        let droplets = intake.totals.take().and_then(Droplets::of);
        if suspected && droplets.is_none() {
            // Shallow, not unfiltered: cells were left out that belong in.
            intake = selection.read(choice, recovering(), false, observer, progress)?;
        }
        observer.end();
        check_tally(&choice.path, intake.tally, &mut warnings)?;
        warnings.extend(intake.recovered.take().transpose()?);
        let cells = self.format.cells(&choice.path)?;
        if intake.cells != cells {
            return Err(hdf5::damaged(&choice.path, "its shape does not fit the names of cells and genes"));
        }
        if intake.entries == 0 && selection.wanted.is_none() {
            return Err(Error::input(format!(
                "all counts in \"{}\" are zero. Check the step that wrote the file.",
                choice.path
            )));
        }
        let rows = droplets.is_some().then_some(intake.rows.as_slice());
        let mut names = self.format.cell_names(&choice.path, rows)?;
        warnings.extend(make_unique(&mut names));
        warnings.extend(about_cells);
        if let Some(rows) = rows {
            metadata.iter_mut().for_each(|(_, column)| *column = column.select(rows));
        }
        let matrix = choice.path.clone();
        let genes_in_file = table.features.len();
        if let Some((wanted, _)) = &selection.wanted {
            let kept = table.features.iter().zip(wanted).filter(|(_, kept)| **kept != u32::MAX);
            table.features = kept.map(|(feature, _)| feature.clone()).collect();
        }
        progress.report("Reading", 1.0);
        Ok(Dataset {
            format: self.format.name(),
            matrix,
            cells: names,
            features: table.features,
            genes_in_file,
            gene_columns: table.columns,
            feature_types,
            counts: intake.counts,
            metadata,
            droplets,
            least_counts: Vec::new(),
            joined: None,
            warnings,
        })
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

/// Finds the features to keep, when they are not all of one type, and counts the types.
fn gene_expression(table: &FeatureTable) -> (Option<Keep>, Vec<(String, usize)>) {
    let Some(types) = &table.types else {
        return (None, vec![(GENE_EXPRESSION.to_owned(), table.features.len())]);
    };
    let mut counted: Vec<(String, usize)> = Vec::new();
    for kind in types {
        match counted.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count += 1,
            None => counted.push((kind.clone(), 1)),
        }
    }
    let keep: Vec<bool> = types.iter().map(|kind| kind == GENE_EXPRESSION).collect();
    (keep.contains(&false).then(|| numbered(&keep)), counted)
}

fn keep_genes(table: &mut FeatureTable, keep: Option<&Keep>) {
    if let Some((keep, _)) = keep {
        let kept = std::mem::take(&mut table.features).into_iter().zip(keep).filter(|(_, kept)| **kept != u32::MAX);
        table.features = kept.map(|(feature, _)| feature).collect();
    }
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

/// Columns with the total counts of every cell, as scanpy, Seurat and their forebears name them.
const TOTALS: [&str; 7] = ["n_counts", "total_counts", "ncount_rna", "numi", "n_umi", "total_umis", "umi_count"];

/// The total counts of the cells as the file's table of cells states them. Totals with fractions were computed from
/// other values than counts.
fn stated_totals(metadata: &[(String, Column)]) -> Option<(String, Vec<f64>)> {
    TOTALS.iter().find_map(|wanted| {
        metadata.iter().find_map(|(name, column)| match column {
            Column::Number(totals) if name.eq_ignore_ascii_case(wanted) => {
                let whole = totals.iter().all(|total| total.is_nan() || *total == libm::round(*total));
                whole.then(|| (name.clone(), totals.clone()))
            }
            _ => None,
        })
    })
}

/// Values that a sample did not show.
fn check_tally(path: &str, tally: Tally, warnings: &mut Vec<Warning>) -> Result<()> {
    let amount = |count| grouped(count as f64);
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
