//! Tables of text: a line for each gene and a column for each cell, or the other way round.

mod layout;
mod likeness;
mod matrix;
mod rows;

use super::choice::Choice;
use super::content::Content;
use super::lines;
use super::mex::name_features;
use super::stored::{FeatureTable, Format, pick_rows};
use super::{Column, Feature};
use crate::error::{Error, Result, Warning};
pub use layout::fields;
use layout::{Layout, Role, is_annotation, is_missing};
use likeness::{are_barcodes, are_genes, composite};
use matrix::{Scan, TableMatrix};
use rows::Rows;
use std::sync::Arc;

/// Bytes from which the layout is judged, unless the first lines are longer.
const BEGINNING: usize = 1 << 20;
/// The longest beginning that is looked at: a line has an entry for each gene or cell.
const LONGEST_BEGINNING: usize = 96 << 20;
/// Words for the names of genes and of cells, in the corner of a table.
const GENE_WORDS: [&str; 6] = ["gene", "symbol", "ensembl", "feature", "ensg", "transcript"];
const CELL_WORDS: [&str; 3] = ["cell", "barcode", "sample"];
/// A table of counts rarely has so few genes, a table that describes cells rarely so many columns of numbers.
const FEW_COLUMNS: usize = 30;

/// A table whose lines have been counted, but whose counts are not kept.
pub struct Table {
    content: Content,
    layout: Arc<Layout>,
    scan: Arc<Scan>,
    genes_in_rows: bool,
    warning: Option<Warning>,
}

/// Whether bytes are text, as far as the first of them tell.
pub fn is_text(first: &[u8]) -> bool {
    let control = |byte: &&u8| **byte < 9 || (14..32).contains(*byte);
    let lower = String::from_utf8_lossy(&first[..first.len().min(256)]).trim_start().to_ascii_lowercase();
    let web_page = lower.starts_with("<!doctype html") || lower.starts_with("<html");
    let document = first.starts_with(b"%PDF");
    !first.is_empty() && !web_page && !document && !first.iter().any(|byte| control(&byte))
}

/// Whether the text begins as a table with many columns of numbers does; reads its first lines only.
pub fn has_numbers(content: &Content) -> bool {
    let layout = content.clone().unpacked().and_then(|content| beginning(&content));
    layout.is_ok_and(|layout| mostly_numbers(&layout))
}

/// Whether it is such a table, and rows or columns are named for genes: one of cells may have as many numbers.
pub fn has_genes(content: &Content) -> bool {
    let looked = content.clone().unpacked().and_then(|content| {
        let layout = beginning(&content)?;
        let (bytes, _) = lines::beginning(&content, BEGINNING)?;
        Ok((layout, bytes))
    });
    let Ok((layout, bytes)) = looked else {
        return false;
    };
    let rows = Rows::parse(bytes.get(layout.skip as usize..).unwrap_or_default(), &layout, true);
    let names = |place: usize| rows.names.iter().filter_map(|names| names.get(place).cloned()).collect::<Vec<_>>();
    mostly_numbers(&layout) && (are_genes(&layout.names(Role::Count)) || are_genes(&names(0)) || are_genes(&names(1)))
}

fn mostly_numbers(layout: &Layout) -> bool {
    let [counts, annotations] = [Role::Count, Role::Annotation].map(|role| layout.names(role).len());
    counts > annotations && counts > 3
}

fn beginning(content: &Content) -> Result<Layout> {
    let mut limit = BEGINNING;
    loop {
        let (bytes, all) = lines::beginning(content, limit)?;
        let newlines = bytes.iter().filter(|&&byte| byte == b'\n').take(3).count();
        if all || newlines > 2 || limit >= LONGEST_BEGINNING {
            return Layout::of(&bytes, all);
        }
        limit = (limit * 4).min(LONGEST_BEGINNING);
    }
}

impl Table {
    /// Reads the table once: names, annotations, and how many counts each cell has.
    ///
    /// # Errors
    /// When it is no table of counts, or a line does not fit the others.
    pub fn open(content: &Content) -> Result<Self> {
        let content = content.clone().unpacked()?;
        let layout = Arc::new(beginning(&content)?);
        let scan = Arc::new(Scan::of(&content, &layout)?);
        if let Some(error) = table_of_cells(&layout, &scan) {
            return Err(error);
        }
        let (genes_in_rows, warning) = orientation(&layout, &scan);
        Ok(Table { content, layout, scan, genes_in_rows, warning })
    }

    fn row_names(&self) -> Vec<String> {
        self.scan.names.iter().filter_map(|names| names.first().cloned()).collect()
    }

    /// The names of the rows, and the annotations that name genes as well.
    fn gene_columns(&self) -> (Vec<Vec<String>>, Vec<String>) {
        let corner = if self.layout.corner.is_empty() { "row names" } else { &self.layout.corner };
        let mut columns = vec![self.row_names()];
        let mut names = vec![corner.to_owned()];
        for (place, name) in (1..).zip(self.layout.names(Role::Annotation)) {
            let column: Vec<String> =
                self.scan.names.iter().map(|names| names.get(place).cloned().unwrap_or_default()).collect();
            let mut distinct: Vec<&String> = column.iter().collect();
            distinct.sort_unstable();
            distinct.dedup();
            if !is_annotation(&name) && (distinct.len() * 2 > column.len() || super::mex::are_types(&column)) {
                columns.push(column);
                names.push(name);
            }
        }
        (columns, names)
    }
}

/// The error for a table that describes cells: a line for each, and a few numbers that are not named like genes.
fn table_of_cells(layout: &Layout, scan: &Scan) -> Option<Error> {
    let columns = layout.names(Role::Count);
    let rows: Vec<String> = scan.names.iter().filter_map(|names| names.first().cloned()).collect();
    let corner = layout.corner.to_ascii_lowercase();
    let of_cells = are_barcodes(&rows) || CELL_WORDS.iter().any(|word| corner.contains(word));
    if !of_cells || columns.len() > FEW_COLUMNS || are_genes(&columns) || are_genes(&rows) {
        return None;
    }
    Some(Error::input(format!(
        "it looks like a table that describes cells: the names of its columns with numbers (\"{}\") are not those of genes. \
         Load the file with the counts of these cells.",
        columns.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\", \"")
    )))
}

/// Whether rows are genes: by their names, by those of the columns, or by their number.
fn orientation(layout: &Layout, scan: &Scan) -> (bool, Option<Warning>) {
    let rows: Vec<String> = scan.names.iter().filter_map(|names| names.first().cloned()).collect();
    let columns = layout.names(Role::Count);
    let second = |names: &Vec<String>| names.get(1).cloned();
    let symbols: Vec<String> = scan.names.iter().filter_map(second).collect();
    match (are_genes(&rows) || are_genes(&symbols), are_genes(&columns)) {
        (true, false) => return (true, None),
        (false, true) => return (false, None),
        _ => {}
    }
    match (are_barcodes(&rows), are_barcodes(&columns)) {
        (true, false) => return (false, None),
        (false, true) => return (true, None),
        _ => {}
    }
    let corner = layout.corner.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| corner.contains(word));
    match (says(&GENE_WORDS), says(&CELL_WORDS)) {
        (true, false) => return (true, None),
        (false, true) => return (false, None),
        _ => {}
    }
    let genes_in_rows = rows.len() >= columns.len();
    let (taken, more) = if genes_in_rows { ("rows", "columns") } else { ("columns", "rows") };
    let warning = Warning::new(
        "orientation_guessed",
        format!(
            "The names of the {} rows and of the {} columns do not tell which are genes. The {taken} were taken for \
             genes, because there are not fewer of them than {more}.",
            rows.len(),
            columns.len()
        ),
    );
    (genes_in_rows, Some(warning))
}

impl Format for Table {
    fn name(&self) -> String {
        let order = if self.genes_in_rows { "genes × cells" } else { "cells × genes" };
        format!("table of {order} (text, separated by {})", self.layout.separator_name())
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let (layout, scan) = (Arc::clone(&self.layout), Arc::clone(&self.scan));
        let matrix = TableMatrix::new(self.content.clone(), layout, scan, self.genes_in_rows);
        Ok(vec![Choice::single("table", Ok(matrix))])
    }

    fn cells(&self, _: &str) -> Result<usize> {
        Ok(if self.genes_in_rows { self.layout.names(Role::Count).len() } else { self.scan.names.len() })
    }

    fn cell_names(&self, _: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        let names = if self.genes_in_rows { self.layout.names(Role::Count) } else { self.row_names() };
        Ok(pick_rows(names, rows))
    }

    fn features(&self, _: &str, column: Option<&str>) -> Result<FeatureTable> {
        let (columns, names) = match self.genes_in_rows {
            true => self.gene_columns(),
            false => (vec![self.layout.names(Role::Count)], vec![String::from("header")]),
        };
        let mut table = name_features(columns, names, column)?;
        let pairs: Vec<Option<(String, String)>> =
            table.features.iter().map(|feature| composite(&feature.symbol)).collect();
        if pairs.iter().flatten().count() * 2 > pairs.len() {
            for (feature, pair) in table.features.iter_mut().zip(pairs) {
                if let Some((id, symbol)) = pair {
                    *feature = Feature { id: Some(id), symbol };
                }
            }
        }
        Ok(table)
    }

    fn metadata(&self, _: &str, _: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        if self.genes_in_rows {
            return Ok(Vec::new());
        }
        let value = |names: &Vec<String>, place: usize| names.get(place).cloned().unwrap_or_default();
        let column = |place: usize| column_of(self.scan.names.iter().map(|names| value(names, place)).collect());
        let named = (1..).zip(self.layout.names(Role::Annotation));
        Ok(named.map(|(place, name)| (name, column(place))).collect())
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warning.iter().cloned().collect()
    }
}

/// Numbers where all are, categories where values repeat, else text.
fn column_of(values: Vec<String>) -> Column {
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| if is_missing(value) { Some(f64::NAN) } else { value.parse().ok() }).collect();
    if let Some(numbers) = numbers
        && numbers.iter().any(|number| !number.is_nan())
    {
        return Column::Number(numbers);
    }
    let mut categories: Vec<String> = values.iter().filter(|value| !is_missing(value)).cloned().collect();
    categories.sort_unstable();
    categories.dedup();
    if categories.len() * 2 > values.len() {
        return Column::Text(values);
    }
    let code = |value: &String| categories.binary_search(value).map_or(u32::MAX, |code| code as u32);
    let codes = values.iter().map(code).collect();
    Column::Categorical { categories, codes }
}

/// The error for text, and reads, that are not what they should be, found by the first bytes.
pub fn other_text(first: &[u8]) -> Option<Error> {
    if first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]) {
        return Some(Error::input("it is text in UTF-16. Save it again as CSV in UTF-8."));
    }
    if first.starts_with(b"BAM\x01") {
        return Some(Error::input(
            "it is a BAM file of aligned reads. Sextant reads counts; load the matrix made from it.",
        ));
    }
    None
}
