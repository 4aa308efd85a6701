//! What a person chooses, and the whole way from a file to a reference.

use super::columns;
use super::downsample::{self, Most};
use super::few::{self, Kept};
use super::held_out::By;
use super::labels::levels as checked;
use super::ontology::{self, Ids};
use super::proteins::{self, normalise};
use super::{FEWEST_CELLS, Options, build, cleaning, features};
use crate::error::{Error, Result, Warning};
use crate::formats::{Dataset, ProteinTable};
use crate::progress::Progress;
use crate::qc::{Filter, Samples};
use crate::reference::proteins::Proteins;
use crate::reference::{About, Reference};
use ndarray::Axis;
use std::ops::RangeInclusive;

/// Principal components that make sense: with fewer types are not told apart, and beyond there is noise.
pub const DIMENSIONS: RangeInclusive<usize> = 5..=200;
/// Features that make sense: a query needs 250 of them, and beyond a fifth of all genes nothing varies.
pub const FEATURES: RangeInclusive<usize> = 500..=10_000;
/// A class of fewer cells is hardly found again, so no downsampling makes one smaller.
const FEWEST_OF_CLASS: usize = 10;

/// How a labelled file becomes a reference. Without any, as Azimuth's hosted references, from all its cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choices {
    /// Columns of the table of cells with labels, coarse before fine.
    pub labels: Vec<String>,
    /// Leaves out the classes of the finest level with fewer cells; 0 for none.
    pub min_cells: usize,
    pub most: Most,
    /// Leaves out cells beyond limits on their quality.
    pub filter: Filter,
    /// Leaves out cells with a higher doublet score.
    pub doublets: Option<f64>,
    /// The column that tells samples apart, for the limits and the doublets.
    pub samples: Option<String>,
    /// The column of the batches that are integrated.
    pub batch: Option<String>,
    /// Principal components; [`Options::default`] has how many otherwise.
    pub dimensions: Option<usize>,
    /// Most variable genes that become features; as well.
    pub features: Option<usize>,
    /// Ids of the Cell Ontology, before those that stand in the file.
    pub ids: Ids,
    /// Which cells are held out to see how right their labels are.
    pub held_out_by: By,
}

impl Choices {
    /// # Errors
    /// Bounds that no reference has.
    pub fn check(&self) -> Result<()> {
        let within = |value: Option<usize>, bounds: RangeInclusive<usize>, what: &str, why: &str| match value {
            Some(value) if !bounds.contains(&value) => Err(Error::usage(format!(
                "{value} {what} were asked for, and a reference takes {} to {}: {why}.",
                bounds.start(),
                bounds.end()
            ))),
            _ => Ok(()),
        };
        within(self.dimensions, DIMENSIONS, "dimensions", "50 do for most tissues")?;
        within(self.features, FEATURES, "features", "a query has to have 250 of them, and 3,000 do for most tissues")?;
        if let Some(cells) = self.most.in_all.filter(|&cells| cells < FEWEST_CELLS) {
            return Err(Error::usage(format!(
                "At most {cells} cells were asked for, and a reference needs at least {FEWEST_CELLS}."
            )));
        }
        if let Some(cells) = self.most.of_class.filter(|&cells| cells < FEWEST_OF_CLASS) {
            return Err(Error::usage(format!(
                "At most {cells} cells of a class were asked for, and a class of fewer than {FEWEST_OF_CLASS} is hardly found \
                 again."
            )));
        }
        match self.doublets {
            Some(most) if !(0.0..=1.0).contains(&most) => Err(Error::usage(format!(
                "Doublet scores lie between 0 and 1, and {most} does not: 0.5 is more likely a doublet than not."
            ))),
            _ => Ok(()),
        }
    }

    /// What of them the building itself needs.
    pub fn options(&self) -> Options {
        let usual = Options::default();
        Options {
            dimensions: self.dimensions.unwrap_or(usual.dimensions),
            features: self.features.unwrap_or(usual.features),
            held_out_by: self.held_out_by.clone(),
            batch: self.batch.clone(),
            ..usual
        }
    }
}

/// The cells that may stand in the reference, with their labels.
#[derive(Debug)]
pub struct Prepared {
    pub dataset: Dataset,
    /// The name of each level with one label a cell.
    pub levels: Vec<(String, Vec<String>)>,
    /// Ids that stand in the file.
    pub ids: Ids,
    /// Rows of the file, ascending.
    pub kept: Vec<usize>,
    pub warnings: Vec<Warning>,
    /// What was left out, a sentence each.
    pub provenance: Vec<String>,
}

/// Takes the labels and leaves out what should not stand in the reference: cells of low quality, doublets, small classes.
///
/// # Errors
/// Labels that are none or missing; counts that are none; no cell is left; choices that make no sense.
pub fn prepare(dataset: Dataset, choices: &Choices, progress: &Progress<'_>) -> Result<Prepared> {
    choices.check()?;
    let labels = columns::labels(&dataset.metadata, &choices.labels, dataset.cells.len())?;
    // Before the work, so that what is wrong is told at once.
    checked(&labels.levels, dataset.cells.len())?;
    let mut prepared = Prepared {
        kept: (0..dataset.cells.len()).collect(),
        dataset,
        levels: labels.levels,
        ids: labels.ids,
        warnings: labels.warnings,
        provenance: Vec::new(),
    };
    if !choices.filter.is_empty() {
        let samples = prepared.samples(choices)?;
        let (cells, said) = cleaning::within_limits(&prepared.dataset, &samples, &choices.filter)?;
        prepared.keep(&cells, said);
    }
    features::depths(&prepared.dataset.counts)?;
    if let Some(most) = choices.doublets {
        let samples = prepared.samples(choices)?;
        let (cells, said) = cleaning::no_doublets(&prepared.dataset, &samples, most, &choices.options(), progress)?;
        prepared.keep(&cells, said);
    }
    if choices.min_cells > 0 {
        let Kept { cells, levels, warning } = few::leave_out(&prepared.levels, choices.min_cells);
        prepared.keep(&cells, warning);
        prepared.levels = levels;
    }
    let mut levels = checked(&prepared.levels, prepared.dataset.cells.len())?.0;
    ontology::name_classes(&mut levels, &choices.ids)?;
    let finest = few::finest(&prepared.levels).map_or(0, |level| levels[level].classes.len());
    if let Some(cells) = choices.most.in_all.filter(|&cells| cells < finest) {
        return Err(Error::usage(format!(
            "At most {cells} cells were asked for, and there are {finest} classes: each needs some."
        )));
    }
    Ok(prepared)
}

impl Prepared {
    fn samples(&self, choices: &Choices) -> Result<Samples> {
        cleaning::samples(&self.dataset.metadata, choices.samples.as_deref(), self.dataset.cells.len())
    }

    /// Takes the other cells out and keeps what is said of it.
    fn keep(&mut self, cells: &[usize], said: Option<Warning>) {
        if let Some(warning) = said {
            self.provenance.push(warning.message.clone());
            self.warnings.push(warning);
        }
        if cells.len() == self.kept.len() {
            return;
        }
        self.kept = cells.iter().map(|&cell| self.kept[cell]).collect();
        few::keep(&mut self.dataset, cells);
        few::keep_labels(&mut self.levels, cells);
    }

    /// Some of the cells, as if there were no others.
    pub fn only(&self, cells: &[usize]) -> Prepared {
        let mut levels = self.levels.clone();
        few::keep_labels(&mut levels, cells);
        Prepared {
            dataset: few::select(&self.dataset, cells),
            levels,
            ids: self.ids.clone(),
            kept: cells.iter().map(|&cell| self.kept[cell]).collect(),
            warnings: Vec::new(),
            provenance: Vec::new(),
        }
    }

    /// Downsamples and builds.
    ///
    /// # Errors
    /// As [`build`].
    pub fn build(
        mut self,
        choices: &Choices,
        options: &Options,
        proteins: Option<&Normalised>,
        mut about: About,
        progress: &Progress<'_>,
    ) -> Result<(Reference, Vec<Warning>)> {
        let (cells, said) = downsample::draw(&self.dataset.cells, &self.levels, choices.most);
        self.keep(&cells, said.map(|sentence| Warning::new("downsampled", sentence)));
        about.provenance.append(&mut self.provenance);
        let (mut reference, warnings) = build(&self.dataset, &self.levels, options, about, progress)?;
        let mut said = std::mem::take(&mut self.dataset.warnings);
        said.append(&mut self.warnings);
        said.extend(warnings);
        ontology::take_over(&mut reference.levels, &self.ids);
        ontology::name_classes(&mut reference.levels, &choices.ids)?;
        if let Some(Normalised { proteins, place, warnings }) = proteins {
            let values = proteins.values.select(Axis(0), &self.kept);
            proteins::attach(&mut reference, Proteins { names: proteins.names.clone(), values }, place);
            said.extend(warnings.iter().cloned());
        }
        Ok((reference, said))
    }
}

/// Proteins of all cells of the file.
#[derive(Debug, Clone)]
pub struct Normalised {
    pub proteins: Proteins,
    pub place: String,
    pub warnings: Vec<Warning>,
}

/// Builds a reference from a labelled file: takes the labels, leaves out what was chosen, downsamples, and builds.
///
/// # Shapes
/// `proteins`: a row for each cell of `dataset`.
///
/// # Errors
/// As [`prepare`] and [`build`]; proteins that are no counts.
pub fn from_dataset(
    dataset: Dataset,
    proteins: Option<&ProteinTable>,
    choices: &Choices,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    let proteins = match proteins {
        Some(table) => {
            let (proteins, warnings) = normalise(table, &dataset.cells)?;
            Some(Normalised { proteins, place: table.place.clone(), warnings })
        }
        None => None,
    };
    prepare(dataset, choices, progress)?.build(choices, &choices.options(), proteins.as_ref(), about, progress)
}
