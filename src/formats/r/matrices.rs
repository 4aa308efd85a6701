//! The classes of matrices, as they come from R itself and from the package Matrix.

use super::faults::broken;
use super::layout::{Layout, Lines, Part, RMatrix};
use super::numbers::{File, Held, Numbers};
use super::texts::Texts;
use super::tree::{Kind, NodeId, Tree};
use crate::error::{Error, Result};
use std::sync::Arc;

/// The most rows or columns that are believed.
const MOST: f64 = 2_147_483_648.0;
/// Packages whose matrices point to files on disk, or are computed when they are asked for.
const ON_DISK: [&str; 9] = [
    "BPCells",
    "DelayedArray",
    "HDF5Array",
    "TileDBArray",
    "beachmat",
    "BiocSingular",
    "ScaledMatrix",
    "alabaster.matrix",
    "Rarr",
];

/// Whether an object is a matrix, of whatever class.
pub fn is_matrix(tree: &Tree, id: NodeId) -> bool {
    match tree.kind(id) {
        Kind::Numbers(_) => tree.attribute(id, "dim").and_then(|dim| tree.numbers(dim)).is_some_and(|d| d.length == 2),
        Kind::S4 => on_disk(tree, id) || (tree.attribute(id, "Dim").is_some() && class(tree, id).ends_with("Matrix")),
        _ => false,
    }
}

fn class(tree: &Tree, id: NodeId) -> &str {
    tree.classes(id).first().copied().unwrap_or_default()
}

fn on_disk(tree: &Tree, id: NodeId) -> bool {
    tree.package(id).is_some_and(|package| ON_DISK.contains(&package))
}

/// Rows and columns; `None` when the object does not say.
pub fn shape(tree: &Tree, id: NodeId) -> Option<[usize; 2]> {
    let dim = tree.attribute(id, "Dim").or_else(|| tree.attribute(id, "dim"))?;
    let &[rows, columns] = &**tree.numbers(dim)?.kept()? else {
        return None;
    };
    let length = |length: f64| (0.0..MOST).contains(&length).then_some(length as usize);
    Some([length(rows)?, length(columns)?])
}

/// The names of rows and columns.
pub fn names(tree: &Tree, id: NodeId) -> [Option<Arc<Texts>>; 2] {
    let names = tree.attribute(id, "Dimnames").or_else(|| tree.attribute(id, "dimnames"));
    let Some(Kind::List(items)) = names.map(|names| tree.kind(names)) else {
        return [None, None];
    };
    let of = |place: usize| items.get(place).and_then(|&item| tree.texts(item)).cloned();
    [of(0), of(1)]
}

/// The matrix called `path`. `columns_are_cells` is R's custom in this field.
///
/// # Errors
/// When it is of a class that is not read, or contradicts itself.
pub fn matrix(tree: &Tree, file: &File, id: NodeId, path: &str, columns_are_cells: bool) -> Result<RMatrix> {
    if on_disk(tree, id) {
        return Err(not_in_here(path, class(tree, id), tree.package(id).unwrap_or_default()));
    }
    let shape = shape(tree, id).ok_or_else(|| fault(path, "it has no numbers of rows and columns"))?;
    let [rows, columns] = shape;
    let vector = |slot: &str| {
        let numbers = tree.attribute(id, slot).and_then(|id| tree.numbers(id)).cloned();
        numbers.ok_or_else(|| fault(path, &format!("it has no \"{slot}\""))).and_then(|numbers| held(numbers, path))
    };
    let compressed = |slot: &str, lines: usize, values: &Numbers| {
        let numbers = vector(slot)?;
        offsets(&file.whole(&numbers, &mut None)?, lines, values, path)
    };
    let layout = match (tree.kind(id), class(tree, id)) {
        (Kind::Numbers(numbers), _) => dense(held(Arc::clone(numbers), path)?, shape, columns_are_cells, path)?,
        (_, "dgeMatrix") => dense(vector("x")?, shape, columns_are_cells, path)?,
        (_, kind @ ("dgCMatrix" | "dgRMatrix")) => {
            let by_column = kind == "dgCMatrix";
            let (indices, lines) = if by_column { ("i", columns) } else { ("j", rows) };
            let (indices, values) = (vector(indices)?, vector("x")?);
            same_length(&indices, &values, path)?;
            let offsets = compressed("p", lines, &values)?;
            if by_column == columns_are_cells {
                Layout::ByCell(vec![Part { genes: indices, values, offsets, cells: None, renumber: None }])
            } else {
                Layout::Scattered { genes: Lines::Offsets(offsets), cells: indices, values }
            }
        }
        (_, "dgTMatrix") => {
            let (i, j, values) = (vector("i")?, vector("j")?, vector("x")?);
            same_length(&i, &values, path)?;
            same_length(&j, &values, path)?;
            let (genes, cells) = if columns_are_cells { (i, j) } else { (j, i) };
            Layout::Scattered { genes: Lines::Each(genes), cells, values }
        }
        (_, class) => return Err(unread_class(path, class)),
    };
    let (cells, genes) = if columns_are_cells { (columns, rows) } else { (rows, columns) };
    let matrix = RMatrix { file: file.clone(), cells, genes, layout };
    check_cells(&matrix, tree, id, columns_are_cells, path)?;
    Ok(matrix)
}

/// Of triplets the number of cells is a mere claim, unless there are as many names.
fn check_cells(matrix: &RMatrix, tree: &Tree, id: NodeId, columns_are_cells: bool, path: &str) -> Result<()> {
    let named = names(tree, id)[usize::from(columns_are_cells)].as_ref().map_or(0, |names| names.len());
    let believed = match &matrix.layout {
        Layout::ByCell(_) => usize::MAX,
        Layout::Scattered { values, .. } => usize::try_from(values.length).unwrap_or(usize::MAX).max(1 << 20),
        Layout::Dense { .. } if matrix.genes > 0 => usize::MAX,
        Layout::Dense { .. } => 1 << 20,
    };
    if matrix.cells > believed.max(named) {
        return Err(fault(path, "it has far more cells than values"));
    }
    Ok(())
}

/// Every vector of a matrix has passed by in the file, or is here; a long sequence would be a mere claim.
fn held(numbers: Arc<Numbers>, path: &str) -> Result<Arc<Numbers>> {
    match numbers.held {
        Held::Sequence { .. } => Err(fault(path, "its values are a mere sequence of numbers")),
        _ => Ok(numbers),
    }
}

fn dense(numbers: Arc<Numbers>, shape: [usize; 2], by_cell: bool, path: &str) -> Result<Layout> {
    if (shape[0] as u64).checked_mul(shape[1] as u64) != Some(numbers.length) {
        return Err(fault(path, "it has not as many values as rows times columns"));
    }
    Ok(Layout::Dense { columns: vec![numbers], by_cell })
}

fn same_length(indices: &Numbers, values: &Numbers, path: &str) -> Result<()> {
    if indices.length == values.length {
        return Ok(());
    }
    Err(fault(path, &format!("it has {} values but {} positions", values.length, indices.length)))
}

/// Where columns begin.
fn offsets(numbers: &[f64], lines: usize, values: &Numbers, path: &str) -> Result<Vec<u64>> {
    let ascend = numbers.first() == Some(&0.0) && numbers.windows(2).all(|pair| pair[0] <= pair[1]);
    if numbers.len() != lines + 1 || !ascend || numbers.last() != Some(&(values.length as f64)) {
        return Err(fault(path, "its \"p\" does not fit its values"));
    }
    Ok(numbers.iter().map(|&offset| offset as u64).collect())
}

/// The error for a matrix that contradicts itself.
pub fn fault(path: &str, what: &str) -> Error {
    broken(&format!("of \"{path}\", {what}"))
}

fn not_in_here(path: &str, class: &str, package: &str) -> Error {
    Error::input(format!(
        "\"{path}\" is of the class {class} (package {package}): its values are kept in another file or computed when R asks \
         for them, and are not in this file. In R, turn it into a matrix in memory with `as(x, \"dgCMatrix\")`, put it \
         in its place and save the object again."
    ))
}

fn unread_class(path: &str, class: &str) -> Error {
    let pattern = matches!(class.as_bytes(), [b'l' | b'n', ..]);
    if pattern {
        return Error::input(format!(
            "\"{path}\" is of the class {class}, which says whether a gene was seen and not how often. Sextant needs raw counts, as \
             a \"dgCMatrix\" has them."
        ));
    }
    Error::input(format!(
        "\"{path}\" is of the class {class}, which Sextant does not read. In R, turn it into a matrix of counts with `as(x, \
         \"dgCMatrix\")` and save the object again."
    ))
}
