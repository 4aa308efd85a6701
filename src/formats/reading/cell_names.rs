//! Names of cells tell them apart.

use crate::error::Warning;
use rustc_hash::{FxHashMap, FxHashSet};

/// Makes names of cells unique as anndata does: the first keeps its name, others get "-1", "-2" and so on.
pub fn make_unique(cells: &mut [String]) -> Option<Warning> {
    let repeated: Vec<usize> = {
        let mut known: FxHashSet<&str> = FxHashSet::default();
        known.reserve(cells.len());
        (0..cells.len()).filter(|&cell| !known.insert(&cells[cell])).collect()
    };
    repeated.first()?;
    let mut known: FxHashSet<String> = cells.iter().cloned().collect();
    let first = cells[*repeated.first()?].clone();
    let mut next: FxHashMap<String, usize> = FxHashMap::default();
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
