//! Which columns of the table of cells a reference keeps: those that tell samples, studies and donors apart.

use crate::formats::{Column, is_no_name};
use crate::reference::columns::{CellColumn, NOT_RECORDED};
use std::collections::BTreeMap;

/// As labs and CELLxGENE Discover call them, in small letters.
const USUAL: [&str; 26] = [
    "donor",
    "donor_id",
    "patient",
    "subject",
    "individual",
    "study",
    "dataset",
    "sample",
    "sample_id",
    "batch",
    "library",
    "library_id",
    "orig.ident",
    "technology",
    "tech",
    "method",
    "assay",
    "suspension_type",
    "condition",
    "disease",
    "stim",
    "treatment",
    "tissue",
    "region",
    "sex",
    "development_stage",
];

/// The columns of these names, or of the one that is `wanted`, that have two or more values and at most as many as can be told apart.
///
/// # Shapes
/// `metadata`: columns of n values.
pub fn origins(metadata: &[(String, Column)], wanted: Option<&str>) -> Vec<CellColumn> {
    let usual = |name: &str| USUAL.contains(&name.to_lowercase().as_str()) || wanted == Some(name);
    metadata.iter().filter(|(name, _)| usual(name)).filter_map(|(name, column)| coded(name, column)).collect()
}

fn coded(name: &str, column: &Column) -> Option<CellColumn> {
    let mut known: BTreeMap<String, u16> = BTreeMap::new();
    let mut values = Vec::new();
    let mut codes = Vec::with_capacity(column.len());
    for cell in 0..column.len() {
        let value = column.text(cell).filter(|value| !is_no_name(value)).unwrap_or_else(|| NOT_RECORDED.to_owned());
        let code = match known.get(&value) {
            Some(&code) => code,
            None => {
                let code = u16::try_from(values.len()).ok()?;
                values.push(value.clone());
                known.insert(value, code);
                code
            }
        };
        codes.push(code);
    }
    // One that names every cell, or all of them alike, tells nothing apart.
    let tells = (2..=column.len() / 2).contains(&values.len());
    tells.then(|| CellColumn { name: name.to_owned(), values, codes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Column {
        Column::Text(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn usual_columns_are_kept_with_what_is_not_recorded() {
        let metadata = [
            ("Donor".to_owned(), text(&["a", "b", "a", "nan"])),
            ("score".to_owned(), text(&["1", "2", "1", "2"])),
            ("sample".to_owned(), text(&["one", "two", "three", "four"])),
            ("batch".to_owned(), text(&["x"; 4])),
            ("mine".to_owned(), Column::Number(vec![1.0, 1.0, 2.0, f64::NAN])),
        ];
        let metadata = metadata.map(|(name, column)| (name, if column.len() == 4 { repeated(column) } else { column }));
        let found = origins(&metadata, Some("mine"));
        assert_eq!(found.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["Donor", "sample", "mine"]);
        assert_eq!(found[0].values, ["a", "b", NOT_RECORDED]);
        assert_eq!(found[0].codes, [0, 1, 0, 2, 0, 1, 0, 2]);
        assert_eq!(found[2].values, ["1", "2", NOT_RECORDED]);
        // Four names for four cells are the cells' own.
        assert!(origins(&[("sample".to_owned(), text(&["one", "two", "three", "four"]))], None).is_empty());
    }

    fn repeated(column: Column) -> Column {
        column.select(&[0, 1, 2, 3, 0, 1, 2, 3])
    }
}
