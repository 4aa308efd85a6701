//! The tables of an H5AD file, `obs` and `var`, in every encoding that anndata has written.

use super::Column;
use super::hdf5::{Table, damaged};
use super::store::{Node, Store};
use crate::error::{Error, Result, Warning};
use std::collections::HashMap;
use std::rc::Rc;

/// A table of cells or genes. Columns are read when they are asked for.
///
/// # Source
/// anndata's on-disk format, <https://anndata.readthedocs.io/en/latest/fileformat-prose.html>; before
/// 0.7 tables were one compound dataset, and up to 0.7 categories stood in `__categories` or `uns`.
pub struct Frame {
    file: Rc<dyn Store>,
    path: String,
    layout: Layout,
    rows: usize,
}

enum Layout {
    /// A group with one dataset (or group) for each column.
    Group { index_name: String },
    /// One compound dataset.
    Compound { table: Table, index_name: String },
}

impl Frame {
    /// Opens the table; the names of its rows are not read yet.
    ///
    /// # Errors
    /// When there is no such table or it has no names of rows.
    pub fn open(file: &Rc<dyn Store>, path: &str) -> Result<Frame> {
        let (layout, rows) = match file.node(path) {
            Node::Dataset => {
                let table = file.table(path)?;
                let columns = table.columns();
                let index_name = ["index", "_index"]
                    .into_iter()
                    .find(|name| columns.iter().any(|column| column == name))
                    .or(columns.first().map(String::as_str))
                    .ok_or_else(|| damaged(path, "it has no names of its rows"))?
                    .to_owned();
                let rows = table.rows();
                (Layout::Compound { table, index_name }, rows)
            }
            Node::Group => {
                let index_name = index_name(file.as_ref(), path)?;
                let rows = length(file.as_ref(), &format!("{path}/{index_name}"))?;
                (Layout::Group { index_name }, rows)
            }
            Node::Missing => return Err(damaged(path, "it is not there")),
        };
        Ok(Frame { file: file.clone(), path: path.to_owned(), layout, rows })
    }

    /// Where the table stands.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What the names of the rows are called.
    pub fn index_name(&self) -> &str {
        let (Layout::Group { index_name } | Layout::Compound { index_name, .. }) = &self.layout;
        index_name
    }

    /// Reads the names of the rows. They are not kept: files have millions of cells.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn index(&self) -> Result<Vec<String>> {
        let index = match &self.layout {
            Layout::Compound { table, index_name } if table.is_text(index_name) => table.strings(index_name)?,
            Layout::Compound { table, index_name } => table.numbers(index_name)?.into_iter().map(number_text).collect(),
            Layout::Group { index_name } => texts(self.file.as_ref(), &format!("{}/{index_name}", self.path))?,
        };
        if index.len() != self.rows {
            let what = format!("it has {} names for {} rows", index.len(), self.rows);
            return Err(damaged(&format!("{}/{}", self.path, self.index_name()), &what));
        }
        Ok(index)
    }

    /// The columns, in the order of the table where it is known.
    pub fn columns(&self) -> Vec<String> {
        match &self.layout {
            Layout::Compound { table, index_name } => {
                let mut columns = table.columns();
                columns.retain(|name| name != index_name);
                columns
            }
            Layout::Group { index_name } => {
                let mut members = self.file.members(&self.path).unwrap_or_default();
                members.retain(|name| name != index_name && name != "__categories");
                let order = self.file.attribute_texts(&self.path, "column-order");
                let place: HashMap<&str, usize> = order.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
                members.sort_by_key(|name| place.get(name.as_str()).copied().unwrap_or(usize::MAX));
                members
            }
        }
    }

    /// Reads one column.
    ///
    /// # Errors
    /// When it is missing, damaged, of an unknown kind, or has another length than the table.
    pub fn column(&self, name: &str) -> Result<Column> {
        let column = match &self.layout {
            Layout::Compound { table, .. } => self.compound_column(table, name)?,
            Layout::Group { .. } => self.group_column(name)?,
        };
        let length = match &column {
            Column::Categorical { codes, .. } => codes.len(),
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
        };
        if length != self.rows {
            return Err(damaged(
                &format!("{}/{name}", self.path),
                &format!("it has {length} values for {} rows", self.rows),
            ));
        }
        Ok(column)
    }

    /// Reads all columns; those that cannot be read become warnings.
    pub fn read_columns(&self, warnings: &mut Vec<Warning>) -> Vec<(String, Column)> {
        let mut columns = Vec::new();
        for name in self.columns() {
            match self.column(&name) {
                Ok(column) => columns.push((name, column)),
                Err(error) => warnings.push(Warning::new(
                    "column_skipped",
                    format!("The column \"{name}\" of \"{}\" was left out: {error}", self.path),
                )),
            }
        }
        columns
    }

    /// A column as text; `None` when there is none of that name or it is not text.
    pub fn text_column(&self, name: &str) -> Option<Vec<String>> {
        match self.column(name).ok()? {
            Column::Text(values) => Some(values),
            Column::Categorical { categories, codes } => {
                Some(codes.iter().map(|&code| categories.get(code as usize).cloned().unwrap_or_default()).collect())
            }
            Column::Number(_) => None,
        }
    }

    fn compound_column(&self, table: &Table, name: &str) -> Result<Column> {
        if table.is_text(name) {
            return Ok(Column::Text(table.strings(name)?));
        }
        let values = table.numbers(name)?;
        let categories = format!("uns/{name}_categories");
        if self.file.exists(&categories) {
            return categorical(texts(self.file.as_ref(), &categories)?, &values, &self.path, name);
        }
        Ok(Column::Number(values))
    }

    fn group_column(&self, name: &str) -> Result<Column> {
        let path = format!("{}/{name}", self.path);
        if self.file.node(&path) == Node::Group {
            return self.encoded_column(name, &path);
        }
        if self.file.is_text(&path) {
            return Ok(Column::Text(self.file.strings(&path)?));
        }
        let values = self.file.numbers(&path)?;
        let categories = [format!("{}/__categories/{name}", self.path), format!("uns/{name}_categories")];
        if let Some(categories) = categories.iter().find(|path| self.file.exists(path)) {
            return categorical(texts(self.file.as_ref(), categories)?, &values, &self.path, name);
        }
        if self.file.is_boolean(&path) {
            return Ok(booleans(&values));
        }
        Ok(labelled(self.file.labels(&path), values))
    }

    fn encoded_column(&self, name: &str, path: &str) -> Result<Column> {
        let (codes, categories) = (format!("{path}/codes"), format!("{path}/categories"));
        if self.file.exists(&codes) && self.file.exists(&categories) {
            let codes = self.file.numbers(&codes)?;
            return categorical(texts(self.file.as_ref(), &categories)?, &codes, &self.path, name);
        }
        let (values, mask) = (format!("{path}/values"), format!("{path}/mask"));
        if !self.file.exists(&values) || !self.file.exists(&mask) {
            let encoding = self.file.attribute_text(path, "encoding-type");
            return Err(Error::input(format!(
                "\"{path}\" has the encoding \"{}\", which Sextant does not read.",
                encoding.as_deref().unwrap_or("unknown")
            )));
        }
        let missing: Vec<bool> = self.file.numbers(&mask)?.iter().map(|&m| m != 0.0).collect();
        if self.file.is_text(&values) {
            return Ok(text_with_missing(self.file.strings(&values)?, &missing));
        }
        let mut numbers = self.file.numbers(&values)?;
        for (value, _) in numbers.iter_mut().zip(&missing).filter(|(_, missing)| **missing) {
            *value = f64::NAN;
        }
        Ok(if self.file.is_boolean(&values) { booleans(&numbers) } else { Column::Number(numbers) })
    }
}

/// The dataset that names the rows: the attribute `_index` says which, and older files call it so.
fn index_name(file: &dyn Store, path: &str) -> Result<String> {
    let named = file.attribute_text(path, "_index");
    let usual = ["_index", "index"].map(str::to_owned);
    named
        .into_iter()
        .chain(usual)
        .find(|name| file.exists(&format!("{path}/{name}")))
        .ok_or_else(|| damaged(path, "it has no names of its rows"))
}

/// The number of values, of which a group has one for each code or value.
fn length(file: &dyn Store, path: &str) -> Result<usize> {
    let inner = ["codes", "values"].map(|name| format!("{path}/{name}"));
    let stored = match file.node(path) {
        Node::Group => inner.iter().find(|path| file.exists(path)).map_or(path, String::as_str),
        _ => path,
    };
    match *file.shape(stored)?.as_slice() {
        [rows] => usize::try_from(rows).map_err(|_| damaged(path, "it has an impossible length")),
        _ => Err(damaged(path, "it should have one dimension")),
    }
}

/// Text, or numbers as text.
///
/// # Errors
/// When it cannot be read.
pub fn texts(file: &dyn Store, path: &str) -> Result<Vec<String>> {
    if file.node(path) == Node::Group {
        return encoded_texts(file, path);
    }
    if file.is_text(path) {
        return file.strings(path);
    }
    if file.is_boolean(path) {
        let numbers = file.numbers(path)?;
        return Ok(numbers.into_iter().map(boolean_text).collect());
    }
    Ok(file.numbers(path)?.into_iter().map(number_text).collect())
}

/// Names that are categories themselves, as CELLxGENE's gene names, or nullable strings.
fn encoded_texts(file: &dyn Store, path: &str) -> Result<Vec<String>> {
    let codes = format!("{path}/codes");
    if !file.exists(&codes) {
        let values = format!("{path}/values");
        return match file.node(&values) {
            Node::Dataset => texts(file, &values),
            _ => Err(damaged(path, "it is a group without values")),
        };
    }
    let categories = format!("{path}/categories");
    let categories = match file.node(&categories) {
        // One level of nesting, nullable strings, is all that anndata writes.
        Node::Group => file.strings(&format!("{categories}/values"))?,
        _ => texts(file, &categories)?,
    };
    let codes = file.numbers(&codes)?;
    let name = |code: f64| {
        let known = (code >= 0.0).then(|| categories.get(code as usize).cloned());
        known.flatten().unwrap_or_default()
    };
    Ok(codes.into_iter().map(name).collect())
}

fn number_text(value: f64) -> String {
    format!("{value}")
}

fn boolean_text(value: f64) -> String {
    String::from(if value == 0.0 { "False" } else { "True" })
}

/// anndata writes -1 for a missing value.
fn categorical(categories: Vec<String>, codes: &[f64], path: &str, name: &str) -> Result<Column> {
    let code = |&code: &f64| {
        if code < 0.0 || code.is_nan() {
            return Some(u32::MAX);
        }
        let code = code as usize;
        (code < categories.len()).then_some(code as u32)
    };
    match codes.iter().map(code).collect() {
        Some(codes) => Ok(Column::Categorical { categories, codes }),
        None => Err(damaged(&format!("{path}/{name}"), "it names categories that it does not have")),
    }
}

/// Numbers, or what they stand for where they have names; a number without one is missing.
pub fn labelled(labels: Vec<(String, f64)>, values: Vec<f64>) -> Column {
    if labels.is_empty() {
        return Column::Number(values);
    }
    let code =
        |value: &f64| labels.iter().position(|(_, number)| number == value).map_or(u32::MAX, |place| place as u32);
    let codes = values.iter().map(code).collect();
    Column::Categorical { categories: labels.into_iter().map(|(name, _)| name).collect(), codes }
}

/// Anything but 0 and 1 is missing, as R's third truth value is.
pub fn booleans(values: &[f64]) -> Column {
    let code = |value: &f64| match *value {
        0.0 => 0,
        1.0 => 1,
        _ => u32::MAX,
    };
    Column::Categorical {
        categories: ["False", "True"].map(str::to_owned).to_vec(),
        codes: values.iter().map(code).collect(),
    }
}

/// Text stays text unless some of it is missing, which only categories can say.
fn text_with_missing(values: Vec<String>, missing: &[bool]) -> Column {
    if !missing.contains(&true) {
        return Column::Text(values);
    }
    let mut categories: Vec<String> = Vec::new();
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut codes = Vec::with_capacity(values.len());
    for (row, value) in values.into_iter().enumerate() {
        if missing.get(row) == Some(&true) {
            codes.push(u32::MAX);
            continue;
        }
        let next = categories.len() as u32;
        let code = *known.entry(value).or_insert_with_key(|value| {
            categories.push(value.clone());
            next
        });
        codes.push(code);
    }
    Column::Categorical { categories, codes }
}
