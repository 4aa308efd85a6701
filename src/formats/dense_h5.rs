//! Dense matrices in HDF5 files of no common kind: those that lie where 10x puts its own, and those whose rows and
//! columns are named by arrays beside them.

use super::choice::Choice;
use super::gene_names::{GeneNames, name_genes};
use super::store::{Node, Store};
use super::stored::{FeatureTable, Format, pick_rows};
use super::stored_matrix::StoredMatrix;
use super::transposed::Transposed;
use crate::error::Result;
use std::rc::Rc;

/// An open file with a dense matrix.
pub struct Dense {
    file: Rc<dyn Store>,
    matrix: String,
    genes: String,
    cells: String,
    /// The rows of the matrix are genes.
    transposed: bool,
}

/// Finds a matrix and the names of its genes and cells, whose numbers tell which dimension is which.
///
/// # Errors
/// When the file is damaged.
pub fn open(file: &Rc<dyn Store>) -> Result<Option<Dense>> {
    let mut places = vec![
        ["matrix/data", "matrix/features", "matrix/barcodes"].map(str::to_owned),
        ["matrix/data", "matrix/features/name", "matrix/barcodes"].map(str::to_owned),
        ["matrix/data", "matrix/features/id", "matrix/barcodes"].map(str::to_owned),
    ];
    let named = file.members("/")?.into_iter().map(|name| {
        let (rows, columns) = (format!("{name}_rownames"), format!("{name}_colnames"));
        [name, rows, columns]
    });
    places.extend(named);
    let length = |path: &str| match file.shape(path).ok()?.as_slice() {
        &[length] if file.is_text(path) => Some(length),
        _ => None,
    };
    for [matrix, genes, cells] in places {
        if file.node(&matrix) != Node::Dataset {
            continue;
        }
        let (Some(rows), Some(columns)) = (length(&genes), length(&cells)) else {
            continue;
        };
        let transposed = match file.shape(&matrix)?.as_slice() {
            shape if shape == [rows, columns] => true,
            shape if shape == [columns, rows] => false,
            _ => continue,
        };
        return Ok(Some(Dense { file: file.clone(), matrix, genes, cells, transposed }));
    }
    Ok(None)
}

impl Format for Dense {
    fn name(&self) -> String {
        String::from("HDF5 with a dense matrix")
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let path = format!("/{}", self.matrix);
        Ok(vec![if self.transposed {
            Choice::single(path, self.file.array(&self.matrix).and_then(Transposed::new))
        } else {
            Choice::single(path, StoredMatrix::dense(self.file.as_ref(), &self.matrix))
        }])
    }

    fn cells(&self, _choice: &str) -> Result<usize> {
        Ok(self.file.shape(&self.cells)?.first().map_or(0, |&cells| cells as usize))
    }

    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(pick_rows(self.file.strings(&self.cells)?, rows))
    }

    fn features(&self, _choice: &str, column: Option<&str>) -> Result<FeatureTable> {
        let index = self.file.strings(&self.genes)?;
        let group = self.genes.strip_suffix("/name").or(self.genes.strip_suffix("/id"));
        let columns = match group {
            Some(group) => self.file.members(group)?,
            None => Vec::new(),
        };
        let read = Box::new(move |name: &str| self.file.strings(&format!("{}/{name}", group?)).ok());
        name_genes(&GeneNames { path: &self.genes, index_name: String::from("index"), index, columns, read }, column)
    }
}
