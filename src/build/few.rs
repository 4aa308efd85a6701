//! Classes with too few cells to be learned from.

use crate::error::Warning;
use crate::formats::{Dataset, grouped};
use crate::matrix::Counts;
use std::collections::{BTreeMap, BTreeSet};

/// What is left once small classes are gone.
#[derive(Debug)]
pub struct Kept {
    /// Rows of the dataset before, ascending.
    pub cells: Vec<usize>,
    /// Their levels.
    pub levels: Vec<(String, Vec<String>)>,
    /// What became of the others.
    pub warning: Option<Warning>,
}

/// Leaves the cells of small classes out: of those that have fewer than `least` cells at the finest level, the one with the most classes.
///
/// Where a class of a coarser level would lose all its cells that way and has at least `least`, they stay, and bear its name
/// at the finer levels too: a cell can then still be called by the coarse class.
///
/// # Shapes
/// `levels`: the name of each level with one label a cell.
pub fn leave_out(levels: &[(String, Vec<String>)], least: usize) -> Kept {
    let mut levels = levels.to_vec();
    let order = finest_first(&levels);
    let Some(&finest) = order.first() else {
        return Kept { cells: Vec::new(), levels, warning: None };
    };
    let original = levels[finest].1.clone();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    original.iter().for_each(|label| *sizes.entry(label).or_default() += 1);
    let mut goes: Vec<bool> = original.iter().map(|label| sizes[label.as_str()] < least).collect();
    let mut renamed = Vec::new();
    for (place, &coarse) in order.iter().enumerate().skip(1) {
        for (name, cells) in rows_of_classes(&levels[coarse].1) {
            let taken = original.iter().enumerate().any(|(cell, label)| !goes[cell] && *label == name);
            if cells.len() < least || taken || cells.iter().any(|&cell| !goes[cell]) {
                continue;
            }
            for &cell in &cells {
                goes[cell] = false;
                order[..place].iter().for_each(|&finer| levels[finer].1[cell].clone_from(&name));
            }
            renamed.push(name);
        }
    }
    let cells: Vec<usize> = (0..goes.len()).filter(|&cell| !goes[cell]).collect();
    let small: Vec<String> =
        sizes.iter().filter(|(_, size)| **size < least).map(|(name, size)| format!("{name} ({size})")).collect();
    let warning = (!small.is_empty())
        .then(|| warning(&levels[finest].0, least, &small, (goes.len() - cells.len(), goes.len()), &renamed));
    keep_labels(&mut levels, &cells);
    Kept { cells, levels, warning }
}

/// The levels, the finest first; of equally fine ones the later one, since people list levels from coarse to fine.
fn finest_first(levels: &[(String, Vec<String>)]) -> Vec<usize> {
    let classes = |level: usize| levels[level].1.iter().collect::<BTreeSet<_>>().len();
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by_cached_key(|&level| std::cmp::Reverse((classes(level), level)));
    order
}

/// The level with the most classes.
pub fn finest(levels: &[(String, Vec<String>)]) -> Option<usize> {
    finest_first(levels).first().copied()
}

/// Takes the other cells out of levels.
///
/// # Shapes
/// `cells` ascend.
pub fn keep_labels(levels: &mut [(String, Vec<String>)], cells: &[usize]) {
    for (_, labels) in levels {
        *labels = cells.iter().map(|&cell| std::mem::take(&mut labels[cell])).collect();
    }
}

/// Takes the other cells out of a dataset.
///
/// # Shapes
/// `cells` ascend.
pub fn keep(dataset: &mut Dataset, cells: &[usize]) {
    if cells.len() == dataset.cells.len() {
        return;
    }
    // In place: a second matrix may not fit.
    let counts = std::mem::replace(&mut dataset.counts, Counts::with_genes(0));
    *dataset = Dataset { counts: counts.keep_cells(cells), ..without_counts(dataset, cells) };
}

/// Some cells of a dataset.
///
/// # Shapes
/// `cells` ascend.
pub fn select(dataset: &Dataset, cells: &[usize]) -> Dataset {
    Dataset { counts: dataset.counts.select_cells(cells), ..without_counts(dataset, cells) }
}

fn without_counts(dataset: &Dataset, cells: &[usize]) -> Dataset {
    let rows: Vec<u32> = cells.iter().map(|&cell| cell as u32).collect();
    Dataset {
        format: dataset.format.clone(),
        matrix: dataset.matrix.clone(),
        cells: cells.iter().filter_map(|&cell| dataset.cells.get(cell).cloned()).collect(),
        features: dataset.features.clone(),
        genes_in_file: dataset.genes_in_file,
        gene_columns: dataset.gene_columns.clone(),
        feature_types: dataset.feature_types.clone(),
        counts: Counts::with_genes(0),
        metadata: dataset.metadata.iter().map(|(name, column)| (name.clone(), column.select(&rows))).collect(),
        droplets: dataset.droplets.clone(),
        least_counts: cells.iter().filter_map(|&cell| dataset.least_counts.get(cell).copied()).collect(),
        joined: dataset.joined.clone(),
        warnings: dataset.warnings.clone(),
    }
}

fn rows_of_classes(labels: &[String]) -> BTreeMap<String, Vec<usize>> {
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    labels.iter().enumerate().for_each(|(cell, label)| rows.entry(label.clone()).or_default().push(cell));
    rows
}

fn warning(level: &str, least: usize, small: &[String], (gone, of): (usize, usize), renamed: &[String]) -> Warning {
    let kept = match renamed {
        [] => String::new(),
        names => format!(
            " Those that are all of a coarser class are kept under its name, since the class would be gone with them: {}.",
            names.join(", ")
        ),
    };
    Warning::new(
        "small_classes_left_out",
        format!(
            "Classes of fewer than {least} cells at level `{level}` are left out, {} of {} cells: {}.{kept}",
            grouped(gone as f64),
            grouped(of as f64),
            small.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, labels: &[&str]) -> (String, Vec<String>) {
        (name.into(), labels.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn small_classes_go_and_coarse_ones_stay() {
        let coarse = level("coarse", &["T", "T", "T", "B", "B", "stroma", "stroma", "T"]);
        let fine = level("fine", &["CD4", "CD4", "CD8", "B", "B", "pericyte", "fibroblast", "CD4"]);
        let kept = leave_out(&[coarse.clone(), fine.clone()], 2);
        assert_eq!(kept.cells, [0, 1, 3, 4, 5, 6, 7]);
        assert_eq!(kept.levels[0].1, ["T", "T", "B", "B", "stroma", "stroma", "T"]);
        assert_eq!(kept.levels[1].1, ["CD4", "CD4", "B", "B", "stroma", "stroma", "CD4"]);
        assert_eq!(
            kept.warning.expect("a warning").message,
            "Classes of fewer than 2 cells at level `fine` are left out, 1 of 8 cells: CD8 (1), fibroblast (1), \
             pericyte (1). Those that are all of a coarser class are kept under its name, since the class would be gone with \
             them: stroma."
        );
        // Too few also together, and nothing too small.
        let kept = leave_out(&[coarse.clone(), fine.clone()], 3);
        assert_eq!(kept.cells, [0, 1, 7]);
        assert!(!kept.warning.expect("a warning").message.contains("coarser"));
        let kept = leave_out(&[coarse.clone(), fine.clone()], 1);
        assert_eq!((kept.cells.len(), kept.warning), (8, None));
        assert_eq!(kept.levels, [coarse, fine]);
        assert!(leave_out(&[], 10).cells.is_empty());
    }

    #[test]
    fn a_name_that_other_cells_bear_is_not_given() {
        let coarse = level("coarse", &["A", "A", "A", "A", "B", "B"]);
        let fine = level("fine", &["B", "B", "C", "C", "x", "y"]);
        assert_eq!(leave_out(&[coarse, fine], 2).cells, [0, 1, 2, 3]);
    }
}
