//! Surface proteins that were measured in the cells of a reference, as CITE-seq and TEA-seq do it.

use crate::matrix::Dense;
use std::collections::BTreeSet;

/// Panels have up to some 300 antibodies.
const MOST_PROTEINS: usize = 10_000;
/// A logarithm of a count beyond this is one of no data.
const LARGEST_VALUE: f32 = 1e3;

/// Proteins of the `n` cells of a reference: `q` of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Proteins {
    /// `q` different names, as the study that measured them gave them.
    pub names: Vec<String>,
    /// Cells × proteins (`n` × `q`): normalised, 0 or more; see [`crate::build::proteins`].
    pub values: Dense,
}

impl Proteins {
    /// Whether they fit a reference of so many cells; what does not, if anything.
    pub(crate) fn fault(&self, cells: usize) -> Option<&'static str> {
        let different: BTreeSet<&String> = self.names.iter().collect();
        let sensible = |value: &f32| (0.0..=LARGEST_VALUE).contains(value);
        let checks = [
            (!self.names.is_empty(), "it has a table of proteins without proteins"),
            (self.names.len() <= MOST_PROTEINS, "it has more than 10,000 proteins"),
            (different.len() == self.names.len(), "two of its proteins have the same name"),
            (self.values.nrows() == cells, "its proteins are not those of its cells"),
            (self.values.ncols() == self.names.len(), "the names and the values of its proteins differ in number"),
            (
                self.values.iter().all(sensible),
                "the values of its proteins are negative, no numbers, or larger than any that are normalised",
            ),
        ];
        checks.into_iter().find(|check| !check.0).map(|(_, what)| what)
    }
}
