//! The different values of a column of words.

use super::{ValueCount, shown};
use crate::formats::Column;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// A column of words, whose different values are numbered.
pub(super) struct Words<'a> {
    pub values: Vec<&'a str>,
    /// For each value the cells that have it; values that no cell has may be among them.
    pub cells: Vec<u32>,
    /// For each cell its value, `u32::MAX` where it is missing.
    pub codes: Cow<'a, [u32]>,
}

impl<'a> Words<'a> {
    /// Of the first `cells` rows; a column of numbers has no words.
    pub fn of(column: &'a Column, cells: usize) -> Words<'a> {
        match column {
            Column::Categorical { categories, codes } => {
                let codes = codes.get(..cells).unwrap_or(codes);
                let known = |code: u32| categories.get(code as usize).is_some_and(|value| !value.is_empty());
                // Usually the codes can be taken as they are.
                let codes = match codes.iter().all(|&code| code == u32::MAX || known(code)) {
                    true => Cow::Borrowed(codes),
                    false => codes.iter().map(|&code| if known(code) { code } else { u32::MAX }).collect(),
                };
                Words::counted(categories.iter().map(String::as_str).collect(), codes)
            }
            Column::Text(texts) => {
                let texts = texts.get(..cells).unwrap_or(texts);
                let mut values: Vec<&str> = Vec::new();
                let mut known: FxHashMap<&str, u32> = FxHashMap::default();
                let code = |text: &'a String| match text.is_empty() {
                    true => u32::MAX,
                    false => *known.entry(text).or_insert_with(|| {
                        values.push(text);
                        values.len() as u32 - 1
                    }),
                };
                let codes: Vec<u32> = texts.iter().map(code).collect();
                drop(known);
                Words::counted(values, Cow::Owned(codes))
            }
            Column::Number(_) => Words::counted(Vec::new(), Cow::Borrowed(&[])),
        }
    }

    fn counted(values: Vec<&'a str>, codes: Cow<'a, [u32]>) -> Words<'a> {
        let mut cells = vec![0; values.len()];
        for &code in codes.iter() {
            if let Some(cells) = cells.get_mut(code as usize) {
                *cells += 1;
            }
        }
        Words { values, cells, codes }
    }

    /// How many values there are that a cell has.
    pub fn distinct(&self) -> usize {
        self.cells.iter().filter(|&&cells| cells > 0).count()
    }

    /// How many cells have a value.
    pub fn present(&self) -> usize {
        self.cells.iter().map(|&cells| cells as usize).sum()
    }

    /// The numbers of the values that most cells have, by frequency and then by name.
    pub fn most_frequent(&self, most: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.values.len()).filter(|&value| self.cells[value] > 0).collect();
        let compare = |&a: &usize, &b: &usize| {
            self.cells[b].cmp(&self.cells[a]).then(self.values[a].cmp(self.values[b])).then(a.cmp(&b))
        };
        if order.len() > most {
            order.select_nth_unstable_by(most, compare);
            order.truncate(most);
        }
        order.sort_unstable_by(compare);
        order
    }

    pub fn count(&self, value: usize) -> ValueCount {
        ValueCount { value: shown(self.values[value]), cells: self.cells[value] as usize }
    }
}
