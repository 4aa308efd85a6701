//! Named arrays that describe the cells or the genes of a matrix, as Loom and h5Seurat keep them in a group.

use super::Column;
use super::frame::{booleans, labelled, texts};
use super::hdf5::damaged;
use super::store::{Node, Store};
use crate::error::{Error, Result, Warning};
use std::rc::Rc;

/// What R stores for a missing whole number.
const MISSING: f64 = i32::MIN as f64;

/// The arrays of a group, each with as many values as there are cells or genes.
pub struct Attributes {
    file: Rc<dyn Store>,
    path: String,
    rows: usize,
}

impl Attributes {
    pub fn new(file: Rc<dyn Store>, path: &str, rows: usize) -> Self {
        Attributes { file, path: path.to_owned(), rows }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names of the arrays, as the group lists them, else sorted.
    pub fn names(&self) -> Vec<String> {
        let members = self.file.members(&self.path).unwrap_or_default();
        let mut names = self.file.attribute_texts(&self.path, "colnames");
        names.retain(|name| members.contains(name));
        let rest: Vec<String> = members.into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(rest);
        names
    }

    /// The strings of an array; none when it holds something else, or another number of values.
    pub fn text(&self, name: &str) -> Option<Vec<String>> {
        let path = format!("{}/{name}", self.path);
        let text = self.file.is_text(&path).then(|| self.file.strings(&path).ok()).flatten();
        text.filter(|values| values.len() == self.rows)
    }

    /// Reads one array. Factors of R are groups of `levels` and `values`, counted from one.
    ///
    /// # Errors
    /// When it is damaged, of an unknown kind, or has another length.
    fn column(&self, name: &str) -> Result<Column> {
        let path = format!("{}/{name}", self.path);
        let column = match self.file.node(&path) {
            Node::Group => self.factor(&path)?,
            _ if self.file.is_text(&path) => Column::Text(self.file.strings(&path)?),
            _ if self.file.is_boolean(&path) => booleans(&self.file.numbers(&path)?),
            _ => {
                let missing = |value: f64| if value == MISSING { f64::NAN } else { value };
                labelled(self.file.labels(&path), self.file.numbers(&path)?.into_iter().map(missing).collect())
            }
        };
        let length = match &column {
            Column::Categorical { codes, .. } => codes.len(),
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
        };
        if length != self.rows {
            return Err(damaged(&path, &format!("it has {length} values for {} rows", self.rows)));
        }
        Ok(column)
    }

    fn factor(&self, path: &str) -> Result<Column> {
        let (levels, values) = (format!("{path}/levels"), format!("{path}/values"));
        if !self.file.exists(&levels) || !self.file.exists(&values) {
            return Err(Error::input(format!("\"{path}\" is neither an array nor a factor.")));
        }
        let categories = texts(self.file.as_ref(), &levels)?;
        let values = self.file.numbers(&values)?;
        if values.iter().any(|&value| value > categories.len() as f64) {
            return Err(damaged(path, "it names categories that it does not have"));
        }
        let code = |value: f64| if value >= 1.0 { value as u32 - 1 } else { u32::MAX };
        Ok(Column::Categorical { codes: values.into_iter().map(code).collect(), categories })
    }

    /// Reads all arrays but some; those that cannot be read become warnings.
    pub fn columns(&self, but: &[&str], warnings: &mut Vec<Warning>) -> Vec<(String, Column)> {
        let mut columns = Vec::new();
        for name in self.names().into_iter().filter(|name| !but.contains(&name.as_str())) {
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
}
