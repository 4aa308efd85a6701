//! Counts of proteins beside those of genes: a table of cells by proteins.

use super::frame::{Frame, texts};
use super::h5ad::matrix;
use super::store::{Node, Store};
use super::stored::{Matrix, Meter};
use super::table::fields;
use super::{Column, grouped, some};
use crate::error::{Error, Result};
use crate::matrix::Dense;
use crate::progress::Progress;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Entries of `obsm` that hold counts of proteins by name: ours, and that of scvi-tools.
const USUAL_KEYS: [&str; 2] = ["proteins", "protein_expression"];
/// Where the names of an array's columns stand in `uns`; the first for the entry of that key, the other is of scvi-tools.
const NAMES: [&str; 2] = ["{key}_names", "protein_names"];
/// Panels have up to some 300 antibodies; a sparse array may claim any number of columns.
const MOST: u64 = 10_000;

/// Values of proteins as they were found, not checked for being counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ProteinTable {
    /// Where they stand, for people.
    pub place: String,
    pub names: Vec<String>,
    /// Cells of the file × proteins.
    pub values: Dense,
}

/// A file of a kind that has no entries to name.
pub fn no_entries(format: &str) -> Error {
    Error::usage(format!(
        "A file of the kind \"{format}\" has no entries in obsm to take proteins from. Name a table of cells by proteins (TSV or \
         CSV) instead, or use H5AD."
    ))
}

/// Those of AnnData's `obsm`.
///
/// # Errors
/// No entry of that key; or it cannot be read, has no names, or another number of rows than there are cells.
pub fn of_anndata(file: &Rc<dyn Store>, cells: usize, key: Option<&str>) -> Result<Option<ProteinTable>> {
    let members = file.members("obsm")?;
    let has = |key: &str| members.iter().any(|member| member == key);
    let key = match key {
        None => match USUAL_KEYS.into_iter().find(|key| has(key)) {
            Some(key) => key,
            None => return Ok(None),
        },
        Some(key) if has(key) => key,
        Some(key) => {
            let known = if members.is_empty() { "none".to_owned() } else { members.join(", ") };
            return Err(Error::usage(format!(
                "\"obsm\" has no entry \"{key}\", and there is no file of that name. Its entries are: {known}."
            )));
        }
    };
    let place = format!("obsm/{key}");
    let is_frame = file.node(&place) == Node::Group && !file.exists(&format!("{place}/indptr"));
    let (names, values) = match is_frame {
        true => of_frame(&Frame::open(file, &place)?, cells)?,
        false => of_array(file.as_ref(), key, &place, cells)?,
    };
    Ok(Some(ProteinTable { place, names, values }))
}

fn of_frame(frame: &Frame, cells: usize) -> Result<(Vec<String>, Dense)> {
    let names = frame.columns();
    check_size(frame.path(), [frame.rows() as u64, names.len() as u64], cells)?;
    let mut values = Dense::zeros((cells, names.len()));
    for (name, mut to) in names.iter().zip(values.columns_mut()) {
        let Column::Number(column) = frame.column(name)? else {
            return Err(Error::input(format!(
                "The column \"{name}\" of \"{}\" holds text, and counts of a protein were expected. Leave it out, or name \
                 another table of proteins.",
                frame.path()
            )));
        };
        to.iter_mut().zip(column).for_each(|(to, value)| *to = value as f32);
    }
    Ok((names, values))
}

fn of_array(file: &dyn Store, key: &str, place: &str, cells: usize) -> Result<(Vec<String>, Dense)> {
    let named = NAMES.map(|name| format!("uns/{}", name.replace("{key}", key)));
    let Some(stored) = named.iter().find(|path| file.exists(path)) else {
        return Err(Error::input(format!(
            "\"{place}\" is an array whose columns have no names. Write it as a data frame, with \
             `adata.obsm[\"{key}\"] = pandas.DataFrame(values, adata.obs_names, names)`, or put its names into \
             `adata.uns[\"{key}_names\"]`."
        )));
    };
    let names = texts(file, stored)?;
    let shape = match file.node(place) {
        Node::Dataset => file.shape(place)?,
        _ => file.attribute_numbers(place, "shape").unwrap_or_default(),
    };
    let &[rows, columns] = shape.as_slice() else {
        return Err(Error::input(format!("\"{place}\" should be a table of cells by proteins and has another shape.")));
    };
    check_size(place, [rows, columns], cells)?;
    if columns != names.len() as u64 {
        return Err(Error::input(format!(
            "\"{stored}\" has {} names for the {columns} columns of \"{place}\". Write one name for each.",
            names.len()
        )));
    }
    let array = matrix(file, place, [rows, columns])?;
    let mut values = Dense::zeros((cells, names.len()));
    let mut first = 0;
    let progress = Progress::silent();
    array.read(&mut Meter::new(&progress, 1), &mut |slab| {
        for row in 0..slab.cells() {
            slab.row(row).for_each(|(protein, value)| values[(first + row, protein as usize)] = value);
        }
        first += slab.cells();
        Ok(())
    })?;
    Ok((names, values))
}

fn check_size(place: &str, [rows, proteins]: [u64; 2], cells: usize) -> Result<()> {
    if rows != cells as u64 {
        return Err(Error::input(format!(
            "\"{place}\" has {} rows, and the file has {} cells. Write one row for each cell.",
            grouped(rows as f64),
            grouped(cells as f64)
        )));
    }
    if proteins == 0 || proteins > MOST {
        return Err(Error::input(format!(
            "\"{place}\" has {} columns; a table of cells by proteins has 1 to {}.",
            grouped(proteins as f64),
            grouped(MOST as f64)
        )));
    }
    Ok(())
}

impl ProteinTable {
    /// A table as R, pandas or a spreadsheet writes it: columns separated by tabs, or by commas where the first line has no
    /// tab. Its first column names cells and its first line proteins, or the other way round: which, the names of the cells
    /// tell. Cells that are not among `cells` are left out.
    ///
    /// # Shapes
    /// The rows of the result are those of `cells`; `place` is what errors call the table.
    ///
    /// # Errors
    /// Cells that are not there, or twice; values that are no numbers; lines of another length than the first.
    pub fn of_text(text: &str, place: &str, cells: &[String]) -> Result<Self> {
        let (columns, rows) = lines(text, place)?;
        let number: FxHashMap<&str, usize> = cells.iter().enumerate().map(|(at, cell)| (cell.as_str(), at)).collect();
        let known =
            |names: &mut dyn Iterator<Item = &String>| names.filter(|name| number.contains_key(name.as_str())).count();
        let transposed = known(&mut columns.iter()) > known(&mut rows.iter().filter_map(|row| row.first()));
        let of_rows: Vec<String> = rows.iter().filter_map(|row| row.first().cloned()).collect();
        let (of_cells, names) = if transposed { (columns, of_rows) } else { (of_rows, columns) };
        check_size(place, [cells.len() as u64, names.len() as u64], cells.len())?;
        let mut line_of_cell: Vec<Option<usize>> = vec![None; cells.len()];
        for (line, name) in of_cells.iter().enumerate() {
            let Some(&cell) = number.get(name.as_str()) else { continue };
            if line_of_cell[cell].replace(line).is_some() {
                return Err(Error::input(format!("\"{place}\" has the cell \"{name}\" twice. Leave one of them.")));
            }
        }
        let missing: Vec<String> =
            cells.iter().zip(&line_of_cell).filter(|(_, line)| line.is_none()).map(|(cell, _)| cell.clone()).collect();
        if !missing.is_empty() {
            return Err(Error::input(format!(
                "\"{place}\" lacks {} of the {} cells: {}. Its first column (or its first line) has to name every cell as the \
                 file with the counts does.",
                grouped(missing.len() as f64),
                grouped(cells.len() as f64),
                some(&missing)
            )));
        }
        let mut values = Dense::zeros((cells.len(), names.len()));
        for (cell, line) in line_of_cell.into_iter().flatten().enumerate() {
            for (protein, name) in names.iter().enumerate() {
                let (row, column) = if transposed { (protein, line + 1) } else { (line, protein + 1) };
                let text = rows.get(row).and_then(|row| row.get(column)).map_or("", |text| text.trim());
                values[(cell, protein)] = text.parse().map_err(|_| {
                    Error::input(format!(
                        "\"{place}\" has \"{text}\" for \"{name}\" in the cell \"{}\", which is no number.",
                        cells[cell]
                    ))
                })?;
            }
        }
        Ok(ProteinTable { place: place.to_owned(), names, values })
    }
}

/// The names of the columns but the first, and the rows, each of the first line's length.
fn lines(text: &str, place: &str) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains('\t') { b'\t' } else { b',' };
    let mut rows = text.lines().filter(|line| !line.trim().is_empty()).map(|line| fields(line.as_bytes(), separator));
    let mut columns = rows.next().unwrap_or_default();
    let rows: Vec<Vec<String>> = rows.collect();
    // R leaves the name of the first column out.
    if rows.first().is_none_or(|row| row.len() != columns.len() + 1) && !columns.is_empty() {
        columns.remove(0);
    }
    if let Some((line, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != columns.len() + 1) {
        return Err(Error::input(format!(
            "\"{place}\" has {} columns of values, but {} values in its {}. row. Write a value for each protein of each cell.",
            columns.len(),
            row.len().saturating_sub(1),
            line + 1
        )));
    }
    Ok((columns, rows))
}
