//! Tables of older versions of anndata: one compound dataset.

use super::text::{decode, is_text, text};
use super::{damaged, explain};
use crate::error::{Error, Result};
use crate::formats::elements::{Element, IntoF64};
use hdf5rs::format::messages::datatype::DatatypeClass;
use hdf5rs::types::StringBytes;
use hdf5rs::{Datatype, File};

/// A compound dataset held as bytes, read column by column.
pub struct Table {
    pub(super) path: String,
    pub(super) file: File,
    pub(super) datatype: Datatype,
    pub(super) rows: Vec<u8>,
}

impl Table {
    /// The columns, in the order of the file.
    pub fn columns(&self) -> Vec<String> {
        match &self.datatype.class {
            DatatypeClass::Compound { members } => members.iter().map(|m| m.name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len() / (self.datatype.size as usize).max(1)
    }

    fn member(&self, name: &str) -> Result<(usize, &Datatype)> {
        let member = match &self.datatype.class {
            DatatypeClass::Compound { members } => members.iter().find(|m| m.name == name),
            _ => None,
        };
        let missing = || damaged(&self.path, &format!("it has no readable column \"{name}\""));
        let member = member.ok_or_else(missing)?;
        let end = u64::from(member.offset) + u64::from(member.datatype.size);
        if member.array_dims.is_some() || end > u64::from(self.datatype.size) {
            return Err(missing());
        }
        Ok((member.offset as usize, &member.datatype))
    }

    /// The bytes of a column, one value behind the other.
    fn column(&self, name: &str) -> Result<(Vec<u8>, &Datatype)> {
        let (offset, datatype) = self.member(name)?;
        let end = offset + datatype.size as usize;
        let rows = self.rows.chunks_exact(self.datatype.size as usize);
        let bytes = rows.flat_map(|row| &row[offset..end]).copied().collect();
        Ok((bytes, datatype))
    }

    pub fn is_text(&self, name: &str) -> bool {
        self.member(name).is_ok_and(|(_, datatype)| is_text(datatype))
    }

    /// # Errors
    /// When the column is missing or not numeric.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let (bytes, datatype) = self.column(name)?;
        let element = Element::of(datatype)
            .ok_or_else(|| Error::input(format!("\"{}.{name}\" does not hold numbers.", self.path)))?;
        let mut values = vec![0.0; bytes.len() / element.size()];
        element.visit(&bytes, IntoF64(&mut values));
        Ok(values)
    }

    /// # Errors
    /// When the column is missing or not text.
    pub fn strings(&self, name: &str) -> Result<Vec<String>> {
        let (bytes, datatype) = self.column(name)?;
        let values: Vec<StringBytes> =
            decode(&self.file, datatype, &bytes).map_err(|error| explain(&format!("{}.{name}", self.path), error))?;
        Ok(values.into_iter().map(text).collect())
    }
}
