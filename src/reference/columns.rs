//! Where the cells of a reference come from: the sample, study or donor of each.

/// No study has more of them.
const MOST_COLUMNS: usize = 100;

/// A column of the table of cells that tells origins apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellColumn {
    /// As the file called it: "donor_id", "study".
    pub name: String,
    /// In the order of their first cell; cells without a value have [`NOT_RECORDED`].
    pub values: Vec<String>,
    /// `n` indices into `values`.
    pub codes: Vec<u16>,
}

/// The value of cells without one.
pub const NOT_RECORDED: &str = "not recorded";

impl CellColumn {
    /// Whether columns fit a reference of so many cells; what does not, if anything.
    pub(crate) fn fault(columns: &[CellColumn], cells: usize) -> Option<&'static str> {
        let fits = |column: &CellColumn| {
            column.codes.len() == cells && column.codes.iter().all(|&code| usize::from(code) < column.values.len())
        };
        if columns.len() > MOST_COLUMNS {
            return Some("it has more than 100 columns about its cells");
        }
        (!columns.iter().all(fits)).then_some("a column about its cells does not tell of each of them")
    }
}
