//! What the values of a column look like: labels, numbers of clusters, scores, or names of cells.

use crate::error::Warning;
use crate::formats::{Column, is_no_name, some};
use std::collections::BTreeSet;

/// Whole numbers of more different values than this are no clusters.
const MOST_CLUSTERS: usize = 200;
/// Columns of fewer cells may well have a label each.
const FEW_CELLS: usize = 100;
/// No column of labels has more classes than this, or classes of fewer cells on average.
const MOST_CLASSES: usize = 500;
const CELLS_OF_A_CLASS: usize = 5;

/// Parts of the names of columns that hold labels.
const CALLED_LABELS: [&str; 9] =
    ["type", "label", "annot", "class", "lineage", "subset", "compartment", "identity", "population"];
/// Parts of the names of columns that hold something else, whatever else their names say.
const CALLED_OTHERWISE: [&str; 25] = [
    "ontology_term",
    "donor",
    "batch",
    "sample",
    "sex",
    "gender",
    "assay",
    "study",
    "tissue",
    "disease",
    "condition",
    "ethnicity",
    "stage",
    "phase",
    "suspension",
    "organism",
    "library",
    "patient",
    "barcode",
    "orig.ident",
    "treatment",
    "technology",
    "doublet",
    "dataset",
    "species",
];
/// What clusters are called, before their number.
const CLUSTER_WORDS: [&str; 10] =
    ["", "c", "cl", "cluster", "clusters", "group", "leiden", "louvain", "seurat_cluster", "seurat_clusters"];

/// A value that no label is, where the numbers are no clusters: a fraction, or one of very many.
pub fn score_among(values: &[f64], cells: usize) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if let Some(fraction) = known.iter().copied().find(|value| value.floor() != *value || value.is_infinite()) {
        return Some(fraction);
    }
    let mut distinct: Vec<i64> = known.iter().map(|&value| value as i64).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let many = distinct.len() > MOST_CLUSTERS || (cells >= FEW_CELLS && 2 * distinct.len() > cells);
    known.first().copied().filter(|_| many)
}

/// Whether so many different values of so many cells are names.
pub fn is_name_of_cells(distinct: usize, cells: usize) -> bool {
    cells >= FEW_CELLS && 2 * distinct > cells
}

/// What is said where all classes are numbers, or `cluster 3` and the like.
pub fn clusters(name: &str, labels: &[String]) -> Option<Warning> {
    let classes: BTreeSet<&str> = labels.iter().map(String::as_str).filter(|label| !is_no_name(label)).collect();
    if classes.is_empty() || !classes.iter().all(|class| is_cluster(class)) {
        return None;
    }
    let examples: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
    Some(Warning::new(
        "labels_look_like_clusters",
        format!(
            "The labels of `{name}` look like numbers of clusters and not like types ({}): a query will be told these \
             numbers. Give the clusters names, or name a column of types.",
            some(&examples)
        ),
    ))
}

fn is_cluster(class: &str) -> bool {
    let word = class.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if word.len() == class.len() {
        return false;
    }
    let word = word.trim_end_matches([' ', '_', '-', '.', ':', '#']).to_lowercase().replace([' ', '-', '.'], "_");
    CLUSTER_WORDS.contains(&word.as_str())
}

/// How many classes a column has that could be one of labels.
pub fn classes(name: &str, column: &Column, cells: usize) -> Option<usize> {
    let lower = name.to_lowercase();
    if matches!(column, Column::Number(_)) || CALLED_OTHERWISE.iter().any(|part| lower.contains(part)) {
        return None;
    }
    let values: Vec<String> =
        (0..column.len()).filter_map(|cell| column.text(cell)).filter(|value| !is_no_name(value)).collect();
    let classes: BTreeSet<&str> = values.iter().map(|value| value.trim()).collect();
    let words = classes.iter().any(|class| class.parse::<f64>().is_err() && !["True", "False"].contains(class));
    let most = MOST_CLASSES.min(cells / CELLS_OF_A_CLASS).max(2);
    let all_clusters = classes.iter().all(|class| is_cluster(class));
    (words && !all_clusters && (2..=most).contains(&classes.len()) && 2 * values.len() > cells).then_some(classes.len())
}

pub fn is_called_like_labels(name: &str) -> bool {
    let lower = name.to_lowercase();
    CALLED_LABELS.iter().any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clusters_are_called() {
        for class in ["0", "12", "Cluster 3", "cluster_3", "C7", "c-7", "Leiden4", "seurat clusters 5", "CL: 3"] {
            assert!(is_cluster(class), "{class}");
        }
        for class in ["T", "CD4", "Th17", "B cell 2", "1Ery", "cluster", "CD8 Tem_1", ""] {
            assert!(!is_cluster(class), "{class}");
        }
    }

    #[test]
    fn what_scores_are() {
        assert_eq!(score_among(&[1.0, 2.0, f64::NAN, 2.0], 4), None);
        assert_eq!(score_among(&[1.0, 0.5], 2), Some(0.5));
        assert_eq!(score_among(&[1.0, f64::INFINITY], 2), Some(f64::INFINITY));
        let counts: Vec<f64> = (0..150).map(f64::from).collect();
        assert_eq!(score_among(&counts, 150), Some(0.0));
        assert_eq!(score_among(&counts, 1_000), None);
        assert!(is_name_of_cells(60, 100) && !is_name_of_cells(50, 100) && !is_name_of_cells(40, 40));
    }
}
