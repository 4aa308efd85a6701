//! What the columns of a file's table of cells hold: in figures, and as classes or values to colour cells by.

mod coloring;
mod words;

pub use coloring::Coloring;

use crate::formats::Column;
use rayon::slice::ParallelSliceMut;
use serde::Serialize;
use std::fmt;
use words::Words;

/// Values that are named of a column at most; the others are counted.
pub const MOST_VALUES: usize = 50;
/// And of all columns together, since a table may have thousands. A few are named of each even so.
const MOST_VALUES_OF_ALL: usize = 10_000;
const FEWEST_VALUES: usize = 5;
/// Characters of a name or a value that are shown. The export has them whole.
const LONGEST: usize = 120;
/// What the values of a truth column are called.
const TRUTH: [&str; 2] = ["False", "True"];

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Boolean,
    Categorical,
    Number,
    Text,
}

impl Kind {
    /// # Source
    /// Readers hand truth over as the categories "False" and "True"; of joined samples it may be one of them, or the other
    /// way round.
    pub fn of(column: &Column) -> Kind {
        match column {
            Column::Categorical { categories, .. } => {
                match categories.iter().all(|category| TRUTH.contains(&category.as_str())) {
                    true if !categories.is_empty() => Kind::Boolean,
                    _ => Kind::Categorical,
                }
            }
            Column::Number(_) => Kind::Number,
            Column::Text(_) => Kind::Text,
        }
    }
}

/// A value and the cells that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueCount {
    /// As text that can be shown: without control characters, cut where it is very long.
    pub value: String,
    pub cells: usize,
}

/// A column in figures. An empty text is a missing value, as it is in the export.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// As text that can be shown.
    pub name: String,
    pub kind: Kind,
    /// Cells without a value.
    pub missing: usize,
    /// Different values.
    pub distinct: usize,
    /// Whether all cells that have a value have the same.
    pub constant: bool,
    /// Whether every cell has a value that no other has.
    pub unique: bool,
    /// The most frequent values, by frequency and then by name. Of numbers only where all of them can be listed.
    pub values: Vec<ValueCount>,
    /// Values that are not listed, and the cells that have them.
    pub other_values: usize,
    pub other_cells: usize,
    /// Of the finite numbers; `None` where there are none.
    pub min: Option<f64>,
    pub median: Option<f64>,
    pub max: Option<f64>,
    /// Cells whose number is infinite.
    pub infinite: usize,
}

/// The columns in figures, in their order.
pub fn summaries(columns: &[(String, Column)]) -> Vec<ColumnSummary> {
    let most = (MOST_VALUES_OF_ALL / columns.len().max(1)).clamp(FEWEST_VALUES, MOST_VALUES);
    columns.iter().map(|(name, column)| summary(name, column, most)).collect()
}

fn summary(name: &str, column: &Column, most: usize) -> ColumnSummary {
    let figures = match column {
        Column::Number(numbers) => of_numbers(numbers, most),
        _ => of_words(&Words::of(column, column.len()), most),
    };
    ColumnSummary { name: shown(name), kind: Kind::of(column), ..figures }
}

fn of_words(words: &Words<'_>, most: usize) -> ColumnSummary {
    let distinct = words.distinct();
    let named = words.most_frequent(most);
    let values: Vec<ValueCount> = named.iter().map(|&value| words.count(value)).collect();
    let present = words.present();
    let missing = words.codes.len() - present;
    ColumnSummary {
        missing,
        distinct,
        constant: distinct == 1,
        unique: distinct > 1 && distinct == words.codes.len(),
        other_values: distinct - values.len(),
        other_cells: present - values.iter().map(|value| value.cells).sum::<usize>(),
        values,
        ..ColumnSummary::EMPTY
    }
}

fn of_numbers(numbers: &[f64], most: usize) -> ColumnSummary {
    let mut keys: Vec<u64> = numbers.iter().filter(|number| !number.is_nan()).map(|&number| key(number)).collect();
    keys.par_sort_unstable();
    let distinct = keys.chunk_by(|a, b| a == b).count();
    let mut values: Vec<ValueCount> = Vec::new();
    if distinct <= most {
        let count = |run: &[u64]| ValueCount { value: Shortest(number(run[0])).to_string(), cells: run.len() };
        values = keys.chunk_by(|a, b| a == b).map(count).collect();
        // Stable: equally frequent numbers stay in their order.
        values.sort_by_key(|value| std::cmp::Reverse(value.cells));
    }
    let below = keys.partition_point(|&key| number(key) == f64::NEG_INFINITY);
    let above = keys.partition_point(|&key| number(key) < f64::INFINITY);
    let finite = keys.get(below..above).unwrap_or(&[]);
    let at = |place: usize| finite.get(place).map(|&key| number(key));
    let middle = finite.len() / 2;
    let median = match finite.len() % 2 {
        0 => middle.checked_sub(1).and_then(at).zip(at(middle)).map(|(low, high)| low / 2.0 + high / 2.0),
        _ => at(middle),
    };
    ColumnSummary {
        missing: numbers.len() - keys.len(),
        distinct,
        constant: distinct == 1,
        unique: distinct > 1 && distinct == numbers.len(),
        other_values: distinct - values.len(),
        other_cells: keys.len() - values.iter().map(|value| value.cells).sum::<usize>(),
        values,
        min: at(0),
        median,
        max: finite.len().checked_sub(1).and_then(at),
        infinite: keys.len() - finite.len(),
        ..ColumnSummary::EMPTY
    }
}

impl ColumnSummary {
    const EMPTY: ColumnSummary = ColumnSummary {
        name: String::new(),
        kind: Kind::Number,
        missing: 0,
        distinct: 0,
        constant: false,
        unique: false,
        values: Vec::new(),
        other_values: 0,
        other_cells: 0,
        min: None,
        median: None,
        max: None,
        infinite: 0,
    };
}

/// A name from the file as it can be shown anywhere: control characters become spaces, and what is very long is cut.
pub fn shown(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A number in the fewest digits that read back as the same number.
pub struct Shortest(pub f64);

impl fmt::Display for Shortest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        // Without an exponent these would be written with up to three hundred zeros.
        if size == 0.0 || (1e-5..1e17).contains(&size) {
            write!(formatter, "{}", self.0)
        } else {
            write!(formatter, "{:e}", self.0)
        }
    }
}

const SIGN: u64 = 1 << 63;

/// Whole numbers in the order of the numbers, which sort faster. The two zeros are one number.
fn key(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The number of a key.
fn number(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn one(column: Column) -> ColumnSummary {
        summaries(&[("column".to_owned(), column)]).remove(0)
    }

    fn counts(summary: &ColumnSummary) -> Vec<(&str, usize)> {
        summary.values.iter().map(|value| (value.value.as_str(), value.cells)).collect()
    }

    #[test]
    fn categories_by_frequency_then_name() {
        let codes = vec![2, 0, u32::MAX, 1, 1, 2, 4];
        let summary = one(Column::Categorical { categories: texts(&["b", "a", "c", "unused", ""]), codes });
        assert_eq!(counts(&summary), [("a", 2), ("c", 2), ("b", 1)]);
        assert_eq!((summary.kind, summary.missing, summary.distinct), (Kind::Categorical, 2, 3));
        assert!(!summary.constant && !summary.unique);
        let truth = one(Column::Categorical { categories: texts(&["False", "True"]), codes: vec![1, 1, u32::MAX] });
        assert_eq!((truth.kind, truth.missing, truth.constant, truth.unique), (Kind::Boolean, 1, true, false));
        for (categories, kind) in [
            (&["True", "False"][..], Kind::Boolean),
            (&["True"], Kind::Boolean),
            (&["True", "no"], Kind::Categorical),
            (&[], Kind::Categorical),
        ] {
            assert_eq!(one(Column::Categorical { categories: texts(categories), codes: Vec::new() }).kind, kind);
        }
    }

    #[test]
    fn numbers_with_missing_and_infinite_ones() {
        let summary =
            one(Column::Number(vec![3.0, f64::NAN, -1.5, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e300]));
        assert_eq!((summary.min, summary.median, summary.max), (Some(-1.5), Some(0.0), Some(1e300)));
        assert_eq!((summary.missing, summary.infinite, summary.distinct), (1, 2, 6));
        let values = [("0", 2), ("-inf", 1), ("-1.5", 1), ("3", 1), ("1e300", 1), ("inf", 1)];
        assert_eq!(counts(&summary), values);
        let even = one(Column::Number(vec![1e308, 1.5e308, -5.0, 1.2e308]));
        assert_eq!((even.median, even.unique), (Some(1.1e308), true));
        let none = one(Column::Number(vec![f64::NAN; 3]));
        assert_eq!((none.min, none.median, none.max, none.missing, none.distinct), (None, None, None, 3, 0));
        assert!(!none.constant && !none.unique);
        let all = one(Column::Number((0..1000).map(f64::from).collect()));
        assert_eq!((all.values.len(), all.other_values, all.other_cells, all.median), (0, 1000, 1000, Some(499.5)));
    }

    #[test]
    fn a_million_different_texts_are_a_few_values_and_a_number() {
        let mut words: Vec<String> = (0..1_000_000).map(|cell| format!("value {cell:07}")).collect();
        let summary = one(Column::Text(words.clone()));
        assert_eq!((summary.distinct, summary.unique, summary.values.len()), (1_000_000, true, MOST_VALUES));
        assert_eq!(summary.values[49].value, "value 0000049");
        assert_eq!((summary.other_values, summary.other_cells), (999_950, 999_950));
        words[3] = words[999_999].clone();
        words[4] = String::new();
        let summary = one(Column::Text(words));
        assert_eq!((summary.missing, summary.distinct, summary.unique), (1, 999_998, false));
        assert_eq!(counts(&summary)[..2], [("value 0999999", 2), ("value 0000000", 1)]);
    }

    #[test]
    fn of_thousands_of_columns_fewer_values_are_named() {
        let words = texts(&["a", "b", "c", "d", "e", "f", "g"]);
        let columns: Vec<(String, Column)> =
            (0..5000).map(|number| (format!("column {number}"), Column::Text(words.clone()))).collect();
        let summaries = summaries(&columns);
        assert_eq!((summaries.len(), summaries[4999].values.len(), summaries[4999].other_cells), (5000, 5, 2));
    }

    #[test]
    fn names_and_values_can_be_shown() {
        let long = "x".repeat(5000);
        let summary = one(Column::Text(vec![long, "a\u{1b}[31m\tb\n".into()]));
        assert_eq!(summary.values[0].value, "a [31m b ");
        assert_eq!(summary.values[1].value.chars().count(), LONGEST + 1);
        assert!(summary.values[1].value.ends_with("x…"));
    }

    #[test]
    fn numbers_in_the_fewest_digits() {
        for (number, text) in [
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (-0.0, "-0"),
            (12_345_678_901_234.5, "12345678901234.5"),
            (1e17, "1e17"),
            (-2.5e-9, "-2.5e-9"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(Shortest(number).to_string(), text);
            assert_eq!(text.parse::<f64>(), Ok(number));
        }
    }
}
