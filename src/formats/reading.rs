//! Reading one dataset out of a file: its matrix slab by slab, only what is wanted kept.

use super::choice::{self, Choice};
use super::droplets::{self, Droplets};
use super::packing::Tally;
use super::raw_counts::{Recovering, grouped};
use super::stored::{FeatureTable, Format, Meter};
use super::{Candidate, Column, Dataset, Feature, GENE_EXPRESSION, Inspection, hdf5};
use crate::error::{Error, Kind, Result, Warning};
use crate::matrix::Counts;
use crate::progress::Progress;
use rustc_hash::FxHashSet;

/// How a file is read. The default takes the raw counts of all genes.
#[derive(Default)]
pub struct ReadOptions<'a> {
    /// The path of a [`Candidate`]; it overrides the choice.
    pub matrix: Option<&'a str>,
    /// The column of the feature table with the names of the genes; one of [`Inspection::gene_columns`].
    pub gene_column: Option<&'a str>,
    /// Says of each gene whether its counts are kept.
    pub genes: Option<&'a GeneFilter<'a>>,
    /// Bytes that the counts may take; more is refused with [`Kind::Memory`].
    pub budget: Option<u64>,
}

/// Says of each gene whether it is wanted.
pub type GeneFilter<'a> = dyn Fn(&[Feature]) -> Vec<bool> + 'a;

/// Looks on while a file is read: at whole cells with all their genes, before any gene is dropped.
pub trait Observer {
    /// A sample begins. One that began before and did not end was abandoned.
    fn begin(&mut self, features: &[Feature]);
    /// Cells that are kept, following those of the slab before.
    fn slab(&mut self, slab: &Counts);
    /// The sample is complete.
    fn end(&mut self);
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

    /// The genes of the matrix that would be read.
    ///
    /// # Errors
    /// When there are no raw counts, or the table of features is damaged.
    pub fn genes(&mut self, options: &ReadOptions<'_>) -> Result<Vec<Feature>> {
        let taken = choice::choose(&mut self.choices, options.matrix, &mut Vec::new())?;
        let mut table = self.format.features(&self.choices[taken].path, options.gene_column)?;
        let (keep, _) = gene_expression(&table);
        keep_genes(&mut table, keep.as_ref());
        Ok(table.features)
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
        let wanted = options.genes.map(|wanted| numbered(&wanted(&table.features)));
        check_budget(choice, table.features.len(), wanted.is_some(), options.budget)?;
        let suspected = choice.shape().is_some_and(|shape| droplets::suspected(shape, choice.nonzeros()));
        let selection = Selection { keep, wanted, budget: options.budget, genes: &table.features };
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
        if intake.counts.nonzeros() == 0 && selection.wanted.is_none() {
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
            feature_types,
            counts: intake.counts,
            metadata,
            droplets,
            least_counts: Vec::new(),
            warnings,
        })
    }
}

/// The new number of each gene, `u32::MAX` for those that are left out; and the number of genes.
type Keep = (Vec<u32>, usize);

/// What is kept of a matrix.
struct Selection<'a> {
    /// Among all features, the genes.
    keep: Option<Keep>,
    /// Among the genes, those that were asked for.
    wanted: Option<Keep>,
    budget: Option<u64>,
    genes: &'a [Feature],
}

/// What was taken in.
struct Intake {
    counts: Counts,
    tally: Tally,
    /// What there is to say about counts that were recovered from other values.
    recovered: Option<Result<Warning>>,
    /// Cells that passed by.
    cells: usize,
    /// Of an unfiltered file: the rows that were kept, and the total counts of all.
    rows: Vec<u32>,
    totals: Option<Vec<f32>>,
}

impl Selection<'_> {
    fn read(
        &self,
        choice: &Choice,
        mut recovering: Option<Recovering>,
        drop_empty: bool,
        observer: &mut dyn Observer,
        progress: &Progress<'_>,
    ) -> Result<Intake> {
        let genes = self.wanted.as_ref().map_or(self.genes.len(), |(_, genes)| *genes);
        let mut intake = Intake {
            counts: Counts::with_genes(genes),
            tally: Tally::default(),
            recovered: None,
            cells: 0,
            rows: Vec::new(),
            totals: drop_empty.then(Vec::new),
        };
        observer.begin(self.genes);
        let mut meter = Meter::new(progress, choice.work());
        let take = &mut |slab: Counts| {
            let slab = match &mut recovering {
                Some(recovering) => recovering.slab(&slab),
                None => slab,
            };
            self.take(slab, &mut intake, observer, &choice.path)
        };
        intake.tally = choice.read(&mut meter, take)?;
        if let Some(recovering) = recovering {
            intake.tally.fractions = 0;
            intake.recovered = Some(recovering.finish(&choice.path));
        }
        Ok(intake)
    }

    fn take(&self, slab: Counts, intake: &mut Intake, observer: &mut dyn Observer, path: &str) -> Result<()> {
        let first = intake.cells;
        intake.cells += slab.cells();
        let mut slab = match &self.keep {
            Some((keep, genes)) if keep.len() == slab.genes() => slab.select_genes(keep, *genes),
            _ => slab,
        };
        if slab.genes() != self.genes.len() {
            return Err(hdf5::damaged(path, "its shape does not fit the names of cells and genes"));
        }
        if let Some(totals) = &mut intake.totals {
            let mut kept = Vec::new();
            for cell in 0..slab.cells() {
                let total: f64 = slab.row(cell).map(|(_, count)| f64::from(count)).sum();
                totals.push(total as f32);
                if total >= droplets::LOWER {
                    kept.push(cell);
                    intake.rows.push((first + cell) as u32);
                }
            }
            slab = slab.keep_cells(&kept);
        }
        observer.slab(&slab);
        if let Some((wanted, genes)) = &self.wanted {
            slab = slab.select_genes(wanted, *genes);
        }
        intake.counts.append(slab);
        match self.budget {
            Some(budget) if intake.counts.bytes() as u64 > budget => {
                Err(too_large(intake.counts.bytes() as u64, true, budget, self.wanted.is_some()))
            }
            _ => Ok(()),
        }
    }
}

/// Bytes of memory that counts take.
fn counts_bytes(nonzeros: u64, genes: usize, cells: usize) -> u64 {
    let entry = if genes <= 1 << 16 { 4 } else { 6 };
    nonzeros.saturating_mul(entry).saturating_add(8 * cells as u64)
}

/// Refuses what cannot fit before anything is read. Unfiltered files keep far less than they hold, and of a selection
/// of genes the size is known by reading only.
fn check_budget(choice: &Choice, genes: usize, selected: bool, budget: Option<u64>) -> Result<()> {
    let (Some(budget), Some(nonzeros), Some(shape)) = (budget, choice.nonzeros(), choice.shape()) else {
        return Ok(());
    };
    let bytes = counts_bytes(nonzeros, genes, shape[0]);
    if bytes <= budget || selected || droplets::suspected(shape, Some(nonzeros)) {
        return Ok(());
    }
    Err(too_large(bytes, false, budget, selected))
}

fn too_large(bytes: u64, at_least: bool, budget: u64, selected: bool) -> Error {
    let amount = |bytes: u64| grouped(bytes as f64 / 1e6);
    let advice = if selected {
        "Use the command on a machine with more memory, or split the file by sample."
    } else {
        "Read the counts of the reference's genes only (labels stay the same; markers beyond those genes are lost), use \
         the command on a machine with more memory, or split the file by sample."
    };
    Error::new(
        Kind::Memory,
        format!(
            "its counts need {}{} MB of memory and {} MB are there for them. {advice}",
            if at_least { "more than " } else { "" },
            amount(bytes),
            amount(budget)
        ),
    )
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

/// Numbers those that are kept.
fn numbered(kept: &[bool]) -> Keep {
    let mut next = 0;
    let number = |&kept: &bool| {
        let number = if kept { next } else { u32::MAX };
        next += u32::from(kept);
        number
    };
    let numbers = kept.iter().map(number).collect();
    (numbers, next as usize)
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

/// Makes names of cells unique as anndata does: the first keeps its name, others get "-1", "-2" and so on.
fn make_unique(cells: &mut [String]) -> Option<Warning> {
    let repeated: Vec<usize> = {
        let mut known: FxHashSet<&str> = FxHashSet::default();
        known.reserve(cells.len());
        (0..cells.len()).filter(|&cell| !known.insert(&cells[cell])).collect()
    };
    repeated.first()?;
    let mut known: FxHashSet<String> = cells.iter().cloned().collect();
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
