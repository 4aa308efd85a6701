//! Which cells are compared with which.

use super::{GroupMarkers, Markers};
use crate::error::{Error, Result, Warning};
use crate::formats::{Column, grouped, is_no_name, some};
use crate::map::Mapping;
use crate::map::labels::Labels;
use crate::reference::{Level, Reference};

/// Cells in groups that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Such as the name of a level.
    pub name: String,
    pub groups: Vec<String>,
    /// The group of each cell; [`Grouping::NONE`], or any other number that is no group, for cells that take no part.
    pub codes: Vec<u32>,
}

impl Grouping {
    /// The code of a cell in no group.
    pub const NONE: u32 = u32::MAX;

    /// Results take 64 bytes for each gene of each group, so columns of barcodes or of numbers are no groups.
    pub const MOST: usize = 1_000;

    /// The types that cells were predicted to be at one level. `level`: the reference's, of that name.
    pub fn of_labels(labels: &Labels, level: &Level) -> Self {
        Grouping {
            name: labels.level.clone(),
            groups: level.classes.iter().map(|class| class.name.clone()).collect(),
            codes: labels.codes.iter().copied().map(u32::from).collect(),
        }
    }

    /// The types that cells were predicted to be, at every level that was mapped.
    pub fn of_mapping(mapping: &Mapping, reference: &Reference) -> Vec<Self> {
        let of_level = |labels: &Labels| {
            let level = reference.level(&labels.level)?;
            Some(Grouping::of_labels(labels, level))
        };
        mapping.labels.iter().filter_map(of_level).collect()
    }

    /// Groups by a name of each cell, in alphabetical order; cells without a name are in none.
    ///
    /// # Errors
    /// More than [`Grouping::MOST`] different names.
    pub fn of_names<'a>(name: &str, names: impl IntoIterator<Item = Option<&'a str>>) -> Result<Self> {
        let names: Vec<Option<&str>> =
            names.into_iter().map(|name| name.map(str::trim).filter(|name| !is_no_name(name))).collect();
        let mut groups: Vec<&str> = names.iter().copied().flatten().collect();
        groups.sort_unstable();
        groups.dedup();
        if groups.len() > Self::MOST {
            return Err(Error::usage(format!(
                "\"{name}\" has {} different values, such as {}: they look like names of cells or like measurements, not like \
                 groups of cells. Up to {} groups are compared.",
                grouped(groups.len() as f64),
                groups[..3].join(", "),
                grouped(Self::MOST as f64)
            )));
        }
        let code = |name: &str| groups.binary_search(&name).ok().map(|place| place as u32);
        let codes = names.iter().map(|name| name.and_then(code).unwrap_or(Self::NONE)).collect();
        Ok(Grouping { name: name.to_owned(), groups: groups.into_iter().map(str::to_owned).collect(), codes })
    }

    /// The values of a column of the file's table of cells, of its first `cells` rows.
    ///
    /// # Errors
    /// They are measurements, or more than [`Grouping::MOST`].
    pub fn of_column(name: &str, column: &Column, cells: usize) -> Result<Self> {
        let is_measured = |value: &f64| value.is_finite() && value.fract() != 0.0;
        if matches!(column, Column::Number(values) if values.iter().any(is_measured)) {
            return Err(Error::usage(format!("The cell column '{name}' holds numbers, not groups.")));
        }
        let names: Vec<Option<String>> = (0..cells).map(|cell| column.text(cell)).collect();
        Grouping::of_names(name, names.iter().map(Option::as_deref))
    }

    /// Two selections of cells, each of which is compared with the other; all other cells take no part.
    ///
    /// # Shapes
    /// `first` and `second`: what each is called, and rows of cells below `cells`.
    ///
    /// # Errors
    /// A selection is empty, a cell is in both, or a row is none of a cell.
    pub fn of_selections(name: &str, first: (&str, &[u32]), second: (&str, &[u32]), cells: usize) -> Result<Self> {
        let mut codes = vec![Self::NONE; cells];
        let mut shared = 0usize;
        for (code, (called, rows)) in (0..).zip([first, second]) {
            if rows.is_empty() {
                return Err(Error::usage(format!("\"{called}\" has no cells, so there is nothing to compare.")));
            }
            for &row in rows {
                let Some(of_cell) = codes.get_mut(row as usize) else {
                    let cells = grouped(cells as f64);
                    return Err(Error::usage(format!("\"{called}\" names cell {row}; there are only {cells}.")));
                };
                shared += usize::from(*of_cell != Self::NONE && *of_cell != code);
                *of_cell = code;
            }
        }
        if shared > 0 {
            return Err(Error::usage(format!(
                "{} cells are in both \"{}\" and \"{}\". Compare selections that share no cell.",
                grouped(shared as f64),
                first.0,
                second.0
            )));
        }
        Ok(Grouping { name: name.to_owned(), groups: [first.0, second.0].map(str::to_owned).to_vec(), codes })
    }

    /// The same with only these two groups, in this order; the cells of others take no part.
    ///
    /// # Errors
    /// There is no such group, or the two are the same.
    pub fn between(&self, first: &str, second: &str) -> Result<Self> {
        let places = [self.place(first)?, self.place(second)?];
        if places[0] == places[1] {
            return Err(Error::usage(format!("\"{first}\" cannot be compared with itself. Name two groups.")));
        }
        let renumbered = |code: &u32| match places.iter().position(|place| place == code) {
            Some(place) => place as u32,
            None => Self::NONE,
        };
        let codes = self.codes.iter().map(renumbered).collect();
        Ok(Grouping { name: self.name.clone(), groups: [first, second].map(str::to_owned).to_vec(), codes })
    }

    /// Which group has that name.
    ///
    /// # Errors
    /// None has.
    pub fn place(&self, wanted: &str) -> Result<u32> {
        self.groups.iter().position(|group| group == wanted).map(|place| place as u32).ok_or_else(|| {
            let known = self.groups.join(", ");
            Error::usage(format!("\"{}\" has no group \"{wanted}\". Its groups are: {known}.", self.name))
        })
    }

    /// Why a group of so many cells among so many others is not compared, if it is not.
    pub(super) fn refusal(&self, group: &str, cells: usize, others: usize, fewest: usize) -> Option<Warning> {
        let few = fewest.saturating_sub(1);
        if others == 0 && cells > 0 {
            return Some(Warning::new(
                "one_group_only",
                format!(
                    "All {} cells are \"{group}\" at \"{}\": there are no others to compare them with, so it has no \
                     marker genes.",
                    grouped(cells as f64),
                    self.name
                ),
            ));
        }
        (cells < fewest.max(1)).then(|| {
            let counted = match cells {
                0 => "has no cells".to_owned(),
                1 => "has 1 cell".to_owned(),
                cells => format!("has {} cells", grouped(cells as f64)),
            };
            Warning::new(
                "few_cells_for_markers",
                format!(
                    "\"{group}\" at \"{}\" {counted}; marker genes are sought for groups of more than {few}.",
                    self.name
                ),
            )
        })
    }
}

/// Which groups of a grouping are compared: each with all others, unless one is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    pub group: Option<String>,
    /// The group that it is compared with, and that is compared with it; all others where it is `None`.
    pub against: Option<String>,
}

impl Chosen {
    /// The grouping to compare; cells of groups that are not chosen take part as others, or not at all.
    ///
    /// # Errors
    /// There is no such group, or the two are the same.
    pub fn of(&self, grouping: Grouping) -> Result<Grouping> {
        match (&self.group, &self.against) {
            (Some(group), Some(against)) => grouping.between(group, against),
            (Some(group), None) => grouping.place(group).map(|_| grouping),
            (None, _) => Ok(grouping),
        }
    }

    /// Keeps what was asked for: of a group against all others its own markers.
    pub fn keep(&self, found: &mut [Markers]) {
        if let (Some(group), None) = (&self.group, &self.against) {
            found.iter_mut().for_each(|level| level.groups.retain(|found| found.group == *group));
        }
    }
}

/// What is said of several groups of a level that have too few cells.
pub(super) fn few_cells<'a>(level: &Markers, groups: impl Iterator<Item = &'a GroupMarkers>) -> Warning {
    let named: Vec<String> = groups.map(|group| format!("{} ({})", group.group, group.cells)).collect();
    Warning::new(
        "few_cells_for_markers",
        format!(
            "{} groups at \"{}\" have too few cells for marker genes, which are sought for groups of more than {}: {}.",
            named.len(),
            level.level,
            level.fewest_cells.saturating_sub(1),
            some(&named)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_names() {
        let named = |names: &[Option<&str>]| Grouping::of_names("batch", names.iter().copied());
        let grouping = named(&[Some("b"), None, Some("a"), Some("b")]).expect("few groups");
        assert_eq!(named(&[Some("b"), Some("NA"), Some(" a"), Some("b")]).expect("few groups"), grouping);
        assert_eq!(grouping.groups, ["a", "b"]);
        assert_eq!(grouping.codes, [1, Grouping::NONE, 0, 1]);
        let swapped = grouping.between("b", "a").expect("two groups");
        assert_eq!((swapped.groups, swapped.codes), (vec!["b".into(), "a".into()], vec![0, Grouping::NONE, 1, 0]));
        let said = |first, second| grouping.between(first, second).unwrap_err().message;
        assert_eq!(said("a", "c"), "\"batch\" has no group \"c\". Its groups are: a, b.");
        assert_eq!(said("a", "a"), "\"a\" cannot be compared with itself. Name two groups.");
    }

    #[test]
    fn columns_of_values_are_groups_and_columns_of_measurements_are_none() {
        let of = |values: &[f64], cells| Grouping::of_column("batch", &Column::Number(values.to_vec()), cells);
        let grouping = of(&[2.0, 10.0, f64::NAN, 7.5], 3).expect_err("a measurement");
        assert_eq!(grouping.message, "The cell column 'batch' holds numbers, not groups.");
        let grouping = of(&[2.0, 10.0, f64::NAN, 2.0, 3.0], 4).expect("whole numbers");
        assert_eq!((grouping.groups, grouping.codes), (vec!["10".into(), "2".into()], vec![1, 0, Grouping::NONE, 1]));
    }

    #[test]
    fn a_chosen_group_is_compared_with_the_others_or_with_one() {
        let grouping =
            Grouping { name: "g".into(), groups: ["a", "b", "c"].map(str::to_owned).to_vec(), codes: vec![0, 1, 2] };
        let chosen = |group: Option<&str>, against: Option<&str>| Chosen {
            group: group.map(str::to_owned),
            against: against.map(str::to_owned),
        };
        assert_eq!(chosen(None, None).of(grouping.clone()).expect("all"), grouping);
        assert_eq!(chosen(Some("b"), None).of(grouping.clone()).expect("all"), grouping);
        let pair = chosen(Some("c"), Some("a")).of(grouping.clone()).expect("two groups");
        assert_eq!(pair, grouping.between("c", "a").expect("two groups"));
        let message = chosen(Some("d"), None).of(grouping.clone()).expect_err("no such group").message;
        assert_eq!(message, "\"g\" has no group \"d\". Its groups are: a, b, c.");
        let group = |name: &str| GroupMarkers { group: name.into(), cells: 1, others: 2, genes: Ok(Vec::new()) };
        let mut found = [Markers { level: "g".into(), fewest_cells: 1, groups: vec![group("a"), group("b")] }];
        chosen(None, None).keep(&mut found);
        assert_eq!(found[0].groups.len(), 2);
        chosen(Some("b"), None).keep(&mut found);
        assert_eq!(found[0].groups, [group("b")]);
    }

    #[test]
    fn names_of_cells_are_no_groups() {
        let names: Vec<String> = (0..1_001).map(|cell| format!("cell{cell:04}")).collect();
        let error = Grouping::of_names("barcode", names.iter().map(|name| Some(name.as_str()))).unwrap_err();
        assert_eq!(
            error.message,
            "\"barcode\" has 1,001 different values, such as cell0000, cell0001, cell0002: they look like names of cells or \
             like measurements, not like groups of cells. Up to 1,000 groups are compared."
        );
    }

    #[test]
    fn groups_of_two_selections() {
        let grouping = Grouping::of_selections("mine", ("left", &[0, 3]), ("right", &[2]), 5).expect("two selections");
        assert_eq!(grouping.codes, [0, Grouping::NONE, 1, 0, Grouping::NONE]);
        let said = |first: &[u32], second: &[u32]| {
            Grouping::of_selections("mine", ("left", first), ("right", second), 5).unwrap_err().message
        };
        assert_eq!(said(&[0], &[]), "\"right\" has no cells, so there is nothing to compare.");
        assert_eq!(said(&[0], &[5]), "\"right\" names cell 5; there are only 5.");
        assert_eq!(
            said(&[0, 1], &[1, 2]),
            "1 cells are in both \"left\" and \"right\". Compare selections that share no cell."
        );
    }

    #[test]
    fn sentences_for_groups_that_are_not_compared() {
        let grouping = Grouping { name: "fine".into(), groups: Vec::new(), codes: Vec::new() };
        let said = |cells, others| grouping.refusal("ASDC", cells, others, 16).map(|warning| warning.message);
        assert_eq!(said(16, 1), None);
        let few = |counted: &str| {
            Some(format!("\"ASDC\" at \"fine\" {counted}; marker genes are sought for groups of more than 15."))
        };
        assert_eq!(said(15, 100), few("has 15 cells"));
        assert_eq!(said(1, 100), few("has 1 cell"));
        assert_eq!(said(0, 100), few("has no cells"));
        assert_eq!(
            said(1_000, 0).as_deref(),
            Some(
                "All 1,000 cells are \"ASDC\" at \"fine\": there are no others to compare them with, so it has no marker \
                 genes."
            )
        );
    }
}
