//! Columns of the file's table of cells as levels of labels: what they say, and what looks as if it were none.

mod looks;

use super::ontology::Ids;
use crate::error::{Error, Result, Warning};
use crate::formats::{Column, is_no_name, some};
use std::collections::{BTreeMap, BTreeSet};

/// What CELLxGENE puts behind the name of a column of labels for that of their ids.
const IDS: &str = "_ontology_term_id";
/// Columns that are suggested at most.
const MOST_SUGGESTED: usize = 6;

/// The labels of some columns, one a cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// The name of each level with its labels; a missing label is empty.
    pub levels: Vec<(String, Vec<String>)>,
    /// Ids of the Cell Ontology from the columns beside them.
    pub ids: Ids,
    pub warnings: Vec<Warning>,
}

/// Takes the labels from the table of cells, and their ids where CELLxGENE's column of ids stands beside.
///
/// # Shapes
/// Columns of `cells` rows → one label a cell for each name.
///
/// # Errors
/// A column that is not there; one of scores, or of names of cells.
pub fn labels(metadata: &[(String, Column)], names: &[String], cells: usize) -> Result<Labels> {
    if names.is_empty() {
        return Err(missing(metadata, cells));
    }
    let mut found = Labels::default();
    for name in names {
        let Some((_, column)) = metadata.iter().find(|column| column.0 == *name) else {
            return Err(no_such(metadata, name, cells));
        };
        let labels = of_column(name, column, cells, metadata)?;
        found.warnings.extend(looks::clusters(name, &labels));
        if let Some((_, beside)) = metadata.iter().find(|column| column.0 == format!("{name}{IDS}")) {
            let (ids, warning) = ids(name, &labels, beside);
            found.warnings.extend(warning);
            if !ids.is_empty() {
                found.ids.insert(name.clone(), ids);
            }
        }
        found.levels.push((name.clone(), labels));
    }
    Ok(found)
}

/// What is said where no column was named.
///
/// # Errors
/// Always.
pub fn missing(metadata: &[(String, Column)], cells: usize) -> Error {
    let suggested = suggest(metadata, cells);
    Error::usage(match (suggested.as_slice(), metadata) {
        ([], []) => {
            "Name the columns of labels. This file has no table of cells, so it holds no labels: a reference needs \
                     some for every cell."
                .to_owned()
        }
        ([], all) => {
            let names: Vec<String> = all.iter().map(|column| column.0.clone()).collect();
            format!("Name the columns of labels. None of the file's looks like one; it has: {}.", some(&names))
        }
        (suggested, _) => {
            format!("Name the columns of labels, coarse before fine. These look like labels: {}.", suggested.join(", "))
        }
    })
}

fn no_such(metadata: &[(String, Column)], name: &str, cells: usize) -> Error {
    let columns: Vec<&str> = metadata.iter().map(|column| column.0.as_str()).collect();
    let suggested = suggest(metadata, cells);
    let hint = match suggested.as_slice() {
        [] => String::new(),
        names => format!(" These look like labels: {}.", names.join(", ")),
    };
    Error::usage(format!("The file has no cell column '{name}'. Its columns are: {}.{hint}", columns.join(", ")))
}

/// The columns that look like labels of types, with their number of classes: those that are called so, where there are any.
pub fn like_labels(metadata: &[(String, Column)], cells: usize) -> Vec<(&str, usize)> {
    let found: Vec<(&str, usize)> = (metadata.iter())
        .filter_map(|(name, column)| looks::classes(name, column, cells).map(|classes| (name.as_str(), classes)))
        .collect();
    let called_so: Vec<(&str, usize)> =
        found.iter().copied().filter(|(name, _)| looks::is_called_like_labels(name)).collect();
    if called_so.is_empty() { found } else { called_so }
}

/// The first of these, in words.
pub fn suggest(metadata: &[(String, Column)], cells: usize) -> Vec<String> {
    let chosen = like_labels(metadata, cells).into_iter().take(MOST_SUGGESTED);
    chosen.map(|(name, classes)| format!("{name} ({classes} classes)")).collect()
}

/// # Errors
/// Scores; names of cells.
fn of_column(name: &str, column: &Column, cells: usize, metadata: &[(String, Column)]) -> Result<Vec<String>> {
    let scores = |example: f64| {
        let others: Vec<String> = suggest(metadata, cells);
        let hint =
            if others.is_empty() { String::new() } else { format!(" These look like labels: {}.", others.join(", ")) };
        Error::usage(format!(
            "The cell column '{name}' holds numbers, not labels: {example} is one, and a score or a measurement makes no \
             classes. Name a column of types.{hint}"
        ))
    };
    let labels: Vec<String> = match column {
        Column::Number(values) => {
            if let Some(example) = looks::score_among(values, cells) {
                return Err(scores(example));
            }
            values.iter().map(|value| if value.is_nan() { String::new() } else { format!("{value}") }).collect()
        }
        _ => (0..column.len()).map(|cell| column.text(cell).unwrap_or_default().trim().to_owned()).collect(),
    };
    let named: Vec<&str> = labels.iter().map(String::as_str).filter(|label| !is_no_name(label)).collect();
    let numbers: Option<Vec<f64>> = named.iter().map(|label| label.parse().ok()).collect();
    if let Some(example) = numbers.and_then(|values| looks::score_among(&values, cells)) {
        return Err(scores(example));
    }
    let distinct = named.iter().collect::<BTreeSet<_>>().len();
    if looks::is_name_of_cells(distinct, named.len()) {
        return Err(Error::usage(format!(
            "The cell column '{name}' has {distinct} values in {} cells, such as '{}': that looks like names of cells and not \
             like types. Name a column in which many cells have the same label.",
            named.len(),
            named[0]
        )));
    }
    Ok(labels)
}

/// The id of each class that has one and not several, and what is to be said of those with several.
fn ids(name: &str, labels: &[String], beside: &Column) -> (BTreeMap<String, String>, Option<Warning>) {
    let mut of_class: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (cell, label) in labels.iter().enumerate().filter(|(_, label)| !is_no_name(label)) {
        if let Some(id) = beside.text(cell).filter(|id| super::ontology::is_id(id)) {
            of_class.entry(label).or_default().insert(id);
        }
    }
    let several: Vec<String> = (of_class.iter())
        .filter(|(_, ids)| ids.len() > 1)
        .map(|(class, ids)| format!("{class} ({})", ids.iter().cloned().collect::<Vec<_>>().join(", ")))
        .collect();
    let warning = (!several.is_empty()).then(|| {
        Warning::new(
            "several_ids",
            format!(
                "Classes of `{name}` have several ids in the column '{name}{IDS}' and are given none: {}.",
                some(&several)
            ),
        )
    });
    let one = of_class.into_iter().filter(|(_, ids)| ids.len() == 1);
    (one.filter_map(|(class, ids)| Some((class.to_owned(), ids.into_iter().next()?))).collect(), warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[&str], times: usize) -> Column {
        Column::Text((0..times).flat_map(|_| values.iter().map(|value| (*value).to_owned())).collect())
    }

    fn table() -> Vec<(String, Column)> {
        vec![
            ("barcode".into(), Column::Text((0..120).map(|cell| format!("AAAC{cell}")).collect())),
            ("cell_type".into(), words(&["T cell", "B cell", "NK cell"], 40)),
            ("cell_type_ontology_term_id".into(), words(&["CL:0000084", "CL:0000236", "unknown"], 40)),
            ("donor_id".into(), words(&["d1", "d2"], 60)),
            ("leiden".into(), Column::Number((0..120).map(|cell| f64::from(cell % 4)).collect())),
            ("score".into(), Column::Number((0..120).map(|cell| f64::from(cell) / 7.0).collect())),
            ("score_text".into(), words(&["0.25", "0.5"], 60)),
            ("seurat".into(), words(&["Cluster 1", "cluster_2", "C3", "leiden4"], 30)),
        ]
    }

    fn take(names: &[&str]) -> Result<Labels> {
        labels(&table(), &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), 120)
    }

    #[test]
    fn labels_come_with_the_ids_beside_them() {
        let found = take(&["cell_type"]).expect("labels");
        assert_eq!(found.levels[0].1[..3], ["T cell", "B cell", "NK cell"]);
        let ids = &found.ids["cell_type"];
        assert_eq!(
            ids.iter().map(|(class, id)| (class.as_str(), id.as_str())).collect::<Vec<_>>(),
            [("B cell", "CL:0000236"), ("T cell", "CL:0000084")]
        );
        assert!(found.warnings.is_empty());
        let mut table = table();
        table[2].1 = words(&["CL:0000084", "CL:0000236", "CL:0000623", "CL:0000625", "CL:0000236", "CL:0000623"], 20);
        let found = labels(&table, &["cell_type".to_owned()], 120).expect("labels");
        assert_eq!(
            found.warnings[0].message,
            "Classes of `cell_type` have several ids in the column 'cell_type_ontology_term_id' and are given none: T cell \
             (CL:0000084, CL:0000625)."
        );
        assert_eq!(found.ids["cell_type"].len(), 2);
    }

    #[test]
    fn clusters_are_told() {
        for name in ["leiden", "seurat"] {
            let found = take(&[name]).expect("labels");
            assert_eq!(found.warnings[0].code, "labels_look_like_clusters", "{name}");
        }
        assert_eq!(take(&["leiden"]).expect("labels").levels[0].1[3], "3");
    }

    #[test]
    fn scores_and_names_are_refused() {
        let refusal = |name: &str| take(&[name]).unwrap_err().message;
        assert!(
            refusal("score")
                .starts_with("The cell column 'score' holds numbers, not labels: 0.14285714285714285 is one")
        );
        assert!(refusal("score_text").contains("0.25 is one"), "{}", refusal("score_text"));
        assert_eq!(
            refusal("barcode"),
            "The cell column 'barcode' has 120 values in 120 cells, such as 'AAAC0': that looks like names of cells and not like \
             types. Name a column in which many cells have the same label."
        );
        assert_eq!(
            refusal("celltype"),
            "The file has no cell column 'celltype'. Its columns are: barcode, cell_type, cell_type_ontology_term_id, donor_id, \
             leiden, score, score_text, seurat. These look like labels: cell_type (3 classes)."
        );
    }

    #[test]
    fn columns_are_suggested() {
        let said = |metadata: &[(String, Column)]| missing(metadata, 120).message;
        assert!(said(&table()).ends_with("These look like labels: cell_type (3 classes)."));
        let donors = [table()[3].clone()];
        assert!(said(&donors).ends_with("None of the file's looks like one; it has: donor_id."));
        assert!(said(&[]).contains("no table of cells"));
        // Without a telling name, those whose values could be labels.
        let other = [("what".to_owned(), words(&["x", "y", "z"], 40))];
        assert!(said(&other).ends_with("These look like labels: what (3 classes)."));
    }
}
