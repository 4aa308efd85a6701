//! Columns of R's tables: numbers, text, factors, logical values and runs of them.

use super::faults::broken;
use super::numbers::File;
use super::offer::{Names, Table};
use super::stream::{Element, Stream};
use super::texts::Texts;
use super::tree::{Kind, NodeId, Tree};
use crate::error::{Error, Result};
use crate::formats::Column;
use std::sync::Arc;

/// Where the rows of a table come from, for each row that is wanted; see [`Names::among`].
pub type Rows = Option<Vec<u32>>;

/// The rows of a table for the named cells or genes; of a table without names all, in their order.
pub fn rows(table: &Table, names: &Names) -> Rows {
    table.rows.as_ref().and_then(|rows| names.among(rows))
}

/// Reads the columns of one table.
pub struct Columns<'a> {
    pub tree: &'a Tree,
    pub file: &'a File,
    /// Where reading stands, since columns mostly follow one another.
    pub stream: Option<Stream>,
}

impl Columns<'_> {
    /// Reads a column, for `count` rows.
    ///
    /// # Errors
    /// When it is damaged, of an unknown kind, or has another length than the table.
    pub fn read(&mut self, id: NodeId, rows: &Rows, count: usize) -> Result<Column> {
        let column = self.whole(id)?;
        let length = length(&column);
        let Some(rows) = rows else {
            return if length == count { Ok(column) } else { Err(wrong_length(length, count)) };
        };
        if rows.iter().any(|&row| row != u32::MAX && row as usize >= length) {
            return Err(wrong_length(length, count));
        }
        Ok(selected(column, rows))
    }

    fn whole(&mut self, id: NodeId) -> Result<Column> {
        let tree = self.tree;
        match tree.kind(id) {
            Kind::Texts(texts) => Ok(text_column(texts)),
            Kind::Numbers(numbers) => {
                if tree.attribute(id, "dim").is_some() {
                    return Err(Error::input("it is a matrix"));
                }
                let values = self.file.whole(numbers, &mut self.stream)?;
                if let Some(levels) = tree.attribute(id, "levels").and_then(|levels| tree.texts(levels)) {
                    return factor(levels, &values);
                }
                if numbers.element == Element::Logical {
                    return factor(&logical(), &values.iter().map(|value| value + 1.0).collect::<Vec<_>>());
                }
                Ok(Column::Number(values.to_vec()))
            }
            Kind::S4 if tree.is_a(id, "Rle") => self.runs(id),
            _ => {
                let class = tree.classes(id).first().copied().unwrap_or("list").to_owned();
                Err(Error::input(format!("it is of the class {class}, not numbers or text")))
            }
        }
    }

    /// Bioconductor's run-length encoding.
    fn runs(&mut self, id: NodeId) -> Result<Column> {
        let tree = self.tree;
        let slots = ["values", "lengths"].map(|slot| tree.attribute(id, slot));
        let [Some(values), Some(lengths)] = slots else {
            return Err(broken("runs of values have no values or no lengths"));
        };
        let Some(lengths) = tree.numbers(lengths) else {
            return Err(broken("runs of values have no lengths"));
        };
        // One step only: the values of runs are no runs.
        if tree.is_a(values, "Rle") {
            return Err(broken("runs of values are nested"));
        }
        let lengths: Arc<[f64]> = self.file.whole(lengths, &mut self.stream)?;
        let mut rows = Vec::new();
        for (run, &length) in lengths.iter().enumerate() {
            if !(0.0..=1.6e7).contains(&length) || rows.len() as f64 + length > 1.6e7 {
                return Err(broken("runs of values are impossibly long"));
            }
            rows.extend(std::iter::repeat_n(run as u32, length as usize));
        }
        let values = self.whole(values)?;
        if lengths.len() != length(&values) {
            return Err(broken("runs of values have not as many lengths as values"));
        }
        Ok(selected(values, &rows))
    }
}

fn length(column: &Column) -> usize {
    match column {
        Column::Categorical { codes, .. } => codes.len(),
        Column::Number(values) => values.len(),
        Column::Text(values) => values.len(),
    }
}

fn wrong_length(length: usize, count: usize) -> Error {
    Error::input(format!("it has {length} values for {count} rows"))
}

fn selected(column: Column, rows: &[u32]) -> Column {
    let missing = rows.contains(&u32::MAX);
    match column {
        Column::Categorical { categories, codes } => {
            let code = |&row: &u32| codes.get(row as usize).copied().unwrap_or(u32::MAX);
            Column::Categorical { categories, codes: rows.iter().map(code).collect() }
        }
        Column::Number(values) => {
            Column::Number(rows.iter().map(|&row| values.get(row as usize).copied().unwrap_or(f64::NAN)).collect())
        }
        Column::Text(values) if missing => {
            let mut texts = Texts::default();
            for &row in rows {
                match values.get(row as usize) {
                    Some(text) => texts.push(text),
                    None => texts.push_missing(),
                }
            }
            text_column(&texts)
        }
        Column::Text(values) => Column::Text(rows.iter().map(|&row| values[row as usize].clone()).collect()),
    }
}

fn logical() -> Texts {
    let mut levels = Texts::default();
    levels.push("FALSE");
    levels.push("TRUE");
    levels
}

fn factor(levels: &Texts, values: &[f64]) -> Result<Column> {
    let code = |&value: &f64| {
        if value.is_nan() {
            return Some(u32::MAX);
        }
        (value >= 1.0 && value <= levels.len() as f64).then_some(value as u32).map(|code| code - 1)
    };
    let codes: Option<Vec<u32>> = values.iter().map(code).collect();
    match codes {
        Some(codes) => Ok(Column::Categorical { categories: levels.to_vec(), codes }),
        None => Err(broken("a factor names levels that it does not have")),
    }
}

/// Text stays text unless some of it is missing, which only categories can say.
fn text_column(texts: &Texts) -> Column {
    if texts.iter().all(|text| text.is_some()) {
        return Column::Text(texts.to_vec());
    }
    let mut categories: Vec<String> = Vec::new();
    let mut known: rustc_hash::FxHashMap<&str, u32> = rustc_hash::FxHashMap::default();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        codes.push(text.map_or(u32::MAX, |text| {
            *known.entry(text).or_insert_with(|| {
                categories.push(text.to_owned());
                categories.len() as u32 - 1
            })
        }));
    }
    Column::Categorical { categories, codes }
}
