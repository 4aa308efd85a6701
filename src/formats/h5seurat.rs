//! h5Seurat, Seurat objects (to version 4) as SeuratDisk saves them.

use super::Column;
use super::attributes::Attributes;
use super::choice::Choice;
use super::gene_names::{GeneNames, name_genes};
use super::hdf5::damaged;
use super::store::{Node, Store};
use super::stored::{FeatureTable, Format, pick_rows};
use super::stored_matrix::{Encoding, StoredMatrix};
use crate::error::{Result, Warning};
use std::rc::Rc;

/// Slots of an assay, in the order in which raw counts are looked for. The scaled data has genes of its own and is
/// never counts.
const SLOTS: [&str; 2] = ["counts", "data"];
/// Assays that do not hold genes.
const OTHERS: [&str; 6] = ["ADT", "HTO", "PROTEIN", "CRISPR", "PEAKS", "ATAC"];

/// Whether the file has the groups of an h5Seurat file.
pub fn detect(file: &dyn Store) -> bool {
    file.node("assays") == Node::Group && file.exists("cell.names")
}

/// An open h5Seurat file.
///
/// # Source
/// <https://mojaveazure.github.io/seurat-disk/articles/h5Seurat-spec.html>
pub struct H5Seurat {
    file: Rc<dyn Store>,
    cells: usize,
    /// Those with genes first, and of them "RNA".
    assays: Vec<String>,
}

impl H5Seurat {
    /// # Errors
    /// When the cells or the assays cannot be read.
    pub fn new(file: Rc<dyn Store>) -> Result<Self> {
        let &[cells] = file.shape("cell.names")?.as_slice() else {
            return Err(damaged("cell.names", "it should have one dimension"));
        };
        let active = file.attribute_text("/", "active.assay");
        let mut assays = file.members("assays")?;
        assays.sort_by_key(|name| (H5Seurat::is_other(name), name != "RNA", Some(name) != active.as_ref()));
        Ok(H5Seurat { file, cells: cells as usize, assays })
    }

    /// Whether an assay holds other features than genes.
    fn is_other(assay: &str) -> bool {
        OTHERS.iter().any(|known| known.eq_ignore_ascii_case(assay))
    }

    /// The assay that a choice is of.
    fn assay(choice: &str) -> &str {
        choice.split('/').next().unwrap_or(choice)
    }

    fn matrix(&self, assay: &str, path: &str) -> Result<StoredMatrix> {
        let genes = self.file.shape(&format!("assays/{assay}/features"))?;
        let &[genes] = genes.as_slice() else {
            return Err(damaged(&format!("assays/{assay}/features"), "it should have one dimension"));
        };
        let expected = [self.cells as u64, genes];
        // R's order of dimensions: genes first in its attribute, last in the array.
        let found = match self.file.node(path) {
            Node::Group => match self.file.attribute_numbers(path, "dims").as_deref() {
                Some(&[genes, cells]) => [cells, genes],
                Some(_) => return Err(damaged(path, "its shape should have two entries")),
                None => expected,
            },
            _ => match *self.file.shape(path)?.as_slice() {
                [cells, genes] => [cells, genes],
                _ => return Err(damaged(path, "its shape should have two entries")),
            },
        };
        if found != expected {
            let what = format!(
                "it is {} cells by {} genes, but the file names {} cells and {} genes",
                found[0], found[1], expected[0], expected[1]
            );
            return Err(damaged(path, &what));
        }
        match self.file.node(path) {
            Node::Group => StoredMatrix::sparse(self.file.as_ref(), path, Encoding::Csr, expected),
            _ => StoredMatrix::dense(self.file.as_ref(), path),
        }
    }
}

impl Format for H5Seurat {
    fn name(&self) -> String {
        String::from("h5Seurat")
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let mut choices = Vec::new();
        // Other features are no genes, however many counts they have, unless there is nothing else.
        let genes = self.assays.iter().any(|assay| !H5Seurat::is_other(assay));
        for assay in self.assays.iter().filter(|assay| !genes || !H5Seurat::is_other(assay)) {
            let slots = SLOTS.iter().map(|slot| format!("assays/{assay}/{slot}"));
            for path in slots.filter(|path| self.file.exists(path)) {
                let name = path.trim_start_matches("assays/").to_owned();
                choices.push(Choice::single(name, self.matrix(assay, &path)));
            }
        }
        Ok(choices)
    }

    fn cells(&self, _choice: &str) -> Result<usize> {
        Ok(self.cells)
    }

    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(pick_rows(self.file.strings("cell.names")?, rows))
    }

    fn features(&self, choice: &str, column: Option<&str>) -> Result<FeatureTable> {
        let assay = H5Seurat::assay(choice);
        let path = format!("assays/{assay}/features");
        let index = self.file.strings(&path)?;
        let more = Attributes::new(self.file.clone(), &format!("assays/{assay}/meta.features"), index.len());
        let mut columns = more.names();
        columns.retain(|name| name != "_index");
        let read = Box::new(|name: &str| more.text(name));
        name_genes(&GeneNames { path: &path, index_name: String::from("index"), index, columns, read }, column)
    }

    fn metadata(&self, _choice: &str, warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        Ok(Attributes::new(self.file.clone(), "meta.data", self.cells).columns(&["_index"], warnings))
    }

    fn warnings(&self) -> Vec<Warning> {
        let (others, genes): (Vec<&String>, Vec<&String>) =
            self.assays.iter().partition(|assay| H5Seurat::is_other(assay));
        if others.is_empty() || genes.is_empty() {
            return Vec::new();
        }
        let counted = others.iter().map(|assay| {
            let shape = self.file.shape(&format!("assays/{assay}/features")).unwrap_or_default();
            format!("{} of \"{assay}\"", shape.first().copied().unwrap_or(0))
        });
        let counted: Vec<String> = counted.collect();
        vec![Warning::new(
            "other_features",
            format!("Besides genes the file has features that are not mapped: {}.", counted.join(", ")),
        )]
    }
}
