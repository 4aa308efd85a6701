//! What an object offers: a matrix with the names and tables that belong to it.

use super::layout::RMatrix;
use super::texts::Texts;
use super::tree::NodeId;
use crate::error::Result;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A matrix of the file.
pub struct Offer {
    /// What people call it: "RNA/counts".
    pub path: String,
    /// Matrices of a lower rank are looked at first.
    pub rank: u8,
    pub matrix: Result<Arc<RMatrix>>,
    pub cells: Names,
    pub genes: Names,
    /// The table of genes: its columns, in the order of the genes or of their names.
    pub gene_table: Option<Table>,
    pub cell_table: Option<Table>,
}

/// Columns of an object, with the names of their rows when it has them.
#[derive(Clone)]
pub struct Table {
    pub rows: Option<Arc<Texts>>,
    pub columns: Vec<(String, NodeId)>,
}

/// Names of cells or genes.
#[derive(Clone)]
pub enum Names {
    All(Arc<Texts>),
    Some(Arc<Texts>, Vec<u32>),
    /// There are none, for so many.
    Missing(usize),
}

impl Names {
    pub fn len(&self) -> usize {
        match self {
            Names::All(texts) => texts.len(),
            Names::Some(_, picked) => picked.len(),
            Names::Missing(count) => *count,
        }
    }

    pub fn missing(&self) -> bool {
        matches!(self, Names::Missing(_))
    }

    /// A name; empty when it is missing.
    pub fn get(&self, number: usize) -> &str {
        match self {
            Names::All(texts) => texts.get(number).unwrap_or_default(),
            Names::Some(texts, picked) => {
                picked.get(number).and_then(|&row| texts.get(row as usize)).unwrap_or_default()
            }
            Names::Missing(_) => "",
        }
    }

    /// The names of some rows, or all. Cells without names are numbered.
    pub fn picked(&self, rows: Option<&[u32]>) -> Vec<String> {
        let name = |number: usize| match self {
            Names::Missing(_) => format!("cell_{}", number + 1),
            _ => self.get(number).to_owned(),
        };
        match rows {
            None => (0..self.len()).map(name).collect(),
            Some(rows) => rows.iter().map(|&row| row as usize).filter(|&row| row < self.len()).map(name).collect(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).map(|number| self.get(number))
    }

    /// Where each of these names stands among other names, `u32::MAX` when it does not; `None` when they are the same.
    pub fn among(&self, others: &Texts) -> Option<Vec<u32>> {
        let same = self.len() == others.len() && (0..self.len()).all(|row| others.get(row) == Some(self.get(row)));
        if same || self.missing() && self.len() == others.len() {
            return None;
        }
        let mut places: FxHashMap<&str, u32> = FxHashMap::default();
        for (place, name) in others.iter().enumerate() {
            places.entry(name.unwrap_or_default()).or_insert(place as u32);
        }
        Some(self.iter().map(|name| places.get(name).copied().unwrap_or(u32::MAX)).collect())
    }
}
