//! How right the labels of held-out cells are.
//!
//! Some cells are taken away and labelled by the rest of the reference as [`annotate`](crate::map::annotate) labels the cells
//! of a query once they stand in the reference's embedding. The model of the counts and the embedding stay those of all
//! cells, and there are no anchors. So this says how well the labels can be told apart in this embedding, and with donors,
//! samples or studies held out also how alike these are; a query of another technology is labelled less well.

use super::tally::Tally;
use crate::error::{Error, Result};
use crate::formats::{Column, is_no_name};
use crate::map::confidence::{Judges, View};
use crate::map::discriminant::Discriminant;
use crate::map::neighbors::nearest;
use crate::map::{project, umap};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::Level;
use crate::reference::held_out::HeldOut;
use crate::reference::hierarchy::{Family, families};
use ndarray::Axis;
use std::collections::BTreeMap;

/// Which cells are held out together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum By {
    /// Those of one value of the first of the usual names that the table of cells has and that divides them well, else random ones.
    #[default]
    Usual,
    /// Those of one value of this column of the table of cells.
    Column(String),
    /// None.
    Nothing,
}

impl By {
    /// The column that was asked for.
    pub fn column(&self) -> Option<&str> {
        match self {
            By::Column(name) => Some(name),
            By::Usual | By::Nothing => None,
        }
    }
}

/// Columns that tell donors, studies or samples apart, the most independent ones first.
const USUAL: [&str; 6] = ["donor", "donor_id", "study", "sample", "batch", "orig.ident"];
/// Values with fewer cells are held out together, and no column is taken unasked that has such.
const FEWEST_CELLS: usize = 50;
/// More parts say no more.
const MOST_PARTS: usize = 50;
/// What these are called together.
const OTHERS: &str = "others";
/// Random parts.
const RANDOM_PARTS: usize = 5;
const SEED: u64 = 42;
const STAGE: &str = "Holding cells out";

/// The cells that are held out in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The column whose values they are; nothing for random cells.
    pub column: Option<String>,
    /// The values, those with few cells together as `others`; empty for random cells.
    pub names: Vec<String>,
    /// The cells of each part, ascending; every cell is in one.
    pub cells: Vec<Vec<usize>>,
}

/// The parts to be held out; nothing where none are wanted.
///
/// # Shapes
/// `cells` n names; `metadata`: the table of cells.
///
/// # Errors
/// A column that was asked for and is not there, or does not divide the cells.
pub fn parts(cells: &[String], metadata: &[(String, Column)], by: &By) -> Result<Option<Parts>> {
    Ok(match by {
        By::Nothing => None,
        By::Column(name) => Some(named(name, cells.len(), metadata)?),
        By::Usual => Some(usual(cells.len(), metadata).unwrap_or_else(|| random(cells))),
    })
}

/// Labels every cell by the cells that are not held out with it.
///
/// Where batches were integrated, a cell that is judged stands where it is `projected`, since it was moved by its own label.
///
/// # Shapes
/// `embedding` and `projected` n × d.
pub fn judge(
    embedding: &Dense,
    projected: &Dense,
    levels: &[Level],
    parts: &Parts,
    progress: &Progress<'_>,
) -> HeldOut {
    let cells = embedding.nrows();
    let families = families(levels);
    let unit = project::normalize_rows(embedding);
    let unit_projected = project::normalize_rows(projected);
    let mut tallies: Vec<Tally> = levels.iter().map(|level| Tally::new(level.classes.len())).collect();
    for (number, held) in parts.cells.iter().enumerate() {
        let before: Vec<(usize, usize)> = tallies.iter().map(Tally::judged_and_right).collect();
        progress.report(STAGE, number as f64 / parts.cells.len() as f64);
        let mut is_held = vec![false; cells];
        held.iter().for_each(|&cell| is_held[cell] = true);
        let rest: Vec<usize> = (0..cells).filter(|&cell| !is_held[cell]).collect();
        let in_rest = nearest(
            &unit_projected.select(Axis(0), held),
            &unit.select(Axis(0), &rest),
            umap::Options::default().neighbors,
            STAGE,
            &Progress::silent(),
        );
        let (places, places_of_rest) = (projected.select(Axis(0), held), embedding.select(Axis(0), &rest));
        for family in &families {
            let finest = &levels[family.finest];
            let codes: Vec<u16> = rest.iter().map(|&cell| finest.codes[cell]).collect();
            let discriminant = Discriminant::fit(&places_of_rest, &codes, finest.classes.len());
            let white = discriminant.whiten_rows(&places);
            let judges = Judges { family, levels, discriminant: &discriminant, codes: &codes };
            let view = View { white: &white, near: &in_rest };
            let labelled = judges.label(view, view);
            tell(&mut tallies, family, levels, held, &rest, &labelled);
        }
        if let Some(name) = parts.names.get(number) {
            tallies.iter_mut().zip(before).for_each(|(tally, before)| tally.end_part(name, before));
        }
    }
    let levels = levels.iter().zip(tallies).map(|(level, tally)| tally.figures(level)).collect();
    HeldOut { column: parts.column.clone(), folds: parts.cells.len(), levels }
}

/// Adds the labels of a part to what is known of the levels of a family.
fn tell(
    tallies: &mut [Tally],
    family: &Family,
    levels: &[Level],
    held: &[usize],
    rest: &[usize],
    labelled: &[Vec<(u16, f32)>],
) {
    for (at, nested) in family.levels.iter().enumerate() {
        let level = &levels[nested.level];
        let mut has_class = vec![false; level.classes.len()];
        rest.iter().for_each(|&cell| has_class[usize::from(level.codes[cell])] = true);
        for (&cell, found) in held.iter().zip(labelled) {
            let truth = usize::from(level.codes[cell]);
            let (called, confidence) = found[at];
            tallies[nested.level].add(truth, has_class[truth], usize::from(called), confidence);
        }
    }
}

/// The cells of each value of a column with its name; values with few cells and cells without a value together are the last
/// part. And how many are in that one.
fn by_value(column: &Column, cells: usize) -> (Vec<(String, Vec<usize>)>, usize) {
    let mut of_value: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut few = Vec::new();
    for cell in 0..cells {
        match column.text(cell).filter(|value| !is_no_name(value)) {
            Some(value) => of_value.entry(value).or_default().push(cell),
            None => few.push(cell),
        }
    }
    let mut parts = Vec::new();
    for (value, held) in of_value {
        if held.len() < FEWEST_CELLS { few.extend(held) } else { parts.push((value, held)) }
    }
    few.sort_unstable();
    let left = few.len();
    if left > 0 {
        parts.push((OTHERS.to_owned(), few));
    }
    (parts, left)
}

/// A column of the table of cells that was named for a purpose.
///
/// # Errors
/// There is none of that name.
pub fn column<'a>(metadata: &'a [(String, Column)], name: &str, purpose: &str) -> Result<&'a Column> {
    metadata.iter().find(|column| column.0 == name).map(|column| &column.1).ok_or_else(|| {
        let known: Vec<&str> = metadata.iter().map(|column| column.0.as_str()).collect();
        Error::usage(match known.is_empty() {
            true => format!("The file has no table of cells, so there is no column '{name}' to {purpose}."),
            false => {
                format!("The file has no cell column '{name}' to {purpose}. Its columns are: {}.", known.join(", "))
            }
        })
    })
}

fn named(name: &str, cells: usize, metadata: &[(String, Column)]) -> Result<Parts> {
    let column = column(metadata, name, "hold cells out by")?;
    let (parts, _) = by_value(column, cells);
    if !(2..=MOST_PARTS).contains(&parts.len()) {
        return Err(Error::usage(format!(
            "The cell column '{name}' does not divide the cells well enough to hold some out: 2 to {MOST_PARTS} parts of at least \
             {FEWEST_CELLS} cells are needed, and it has {}. Name a column of donors, samples or studies, or 'none'.",
            parts.len()
        )));
    }
    Ok(of_column(name, parts))
}

fn usual(cells: usize, metadata: &[(String, Column)]) -> Option<Parts> {
    USUAL.iter().find_map(|&name| {
        let (_, column) = metadata.iter().find(|column| column.0 == name)?;
        let (parts, left) = by_value(column, cells);
        let divides = left == 0 && (2..=MOST_PARTS).contains(&parts.len());
        divides.then(|| of_column(name, parts))
    })
}

fn of_column(name: &str, parts: Vec<(String, Vec<usize>)>) -> Parts {
    let (names, cells) = parts.into_iter().unzip();
    Parts { column: Some(name.to_owned()), names, cells }
}

/// Which part a cell is in depends on its name, not on its row.
fn random(cells: &[String]) -> Parts {
    let mut parts = vec![Vec::new(); RANDOM_PARTS];
    for (cell, name) in cells.iter().enumerate() {
        parts[Random::for_name(name, SEED).below(RANDOM_PARTS)].push(cell);
    }
    parts.retain(|part| !part.is_empty() && part.len() < cells.len());
    Parts { column: None, names: Vec::new(), cells: parts }
}
