//! Loom: a dense matrix of genes × cells with attributes of its rows and columns.

use super::Column;
use super::attributes::Attributes;
use super::choice::{Choice, Join};
use super::gene_names::{GeneNames, name_genes};
use super::hdf5::damaged;
use super::store::Store;
use super::stored::{FeatureTable, Format, pick_rows};
use super::transposed::Transposed;
use crate::error::{Result, Warning};
use std::rc::Rc;

/// What the names of the cells are called, in the order in which they are looked for.
const CELLS: [&str; 9] =
    ["CellID", "obs_names", "cell_names", "index", "barcode", "barcodes", "Barcode", "CellName", "cell_id"];
/// What the names of the genes are called.
const GENES: [&str; 8] = ["Gene", "var_names", "gene_names", "index", "gene", "GeneName", "Symbol", "Accession"];

/// Whether the file has the groups of a Loom file.
pub fn detect(file: &dyn Store) -> bool {
    ["matrix", "row_attrs", "col_attrs"].into_iter().all(|path| file.exists(path))
}

/// An open Loom file.
///
/// # Source
/// <https://linnarssonlab.org/loompy/format/index.html>
pub struct Loom {
    file: Rc<dyn Store>,
    genes: u64,
    cells: u64,
}

impl Loom {
    /// # Errors
    /// When `matrix` has no shape of genes and cells.
    pub fn new(file: Rc<dyn Store>) -> Result<Self> {
        match *file.shape("matrix")?.as_slice() {
            [genes, cells] => Ok(Loom { file, genes, cells }),
            _ => Err(damaged("matrix", "its shape should have two entries")),
        }
    }

    fn matrix(&self, path: &str) -> Result<Transposed> {
        let array = self.file.array(path)?;
        if array.shape() != (self.genes, self.cells) {
            let (genes, cells) = array.shape();
            return Err(damaged(
                path,
                &format!(
                    "it is {genes} genes by {cells} cells, but \"matrix\" has {} genes and {} cells",
                    self.genes, self.cells
                ),
            ));
        }
        Transposed::new(array)
    }

    fn of_cells(&self) -> Attributes {
        Attributes::new(self.file.clone(), "col_attrs", self.cells as usize)
    }

    /// The first array of these names.
    fn first(attributes: &Attributes, names: &[&str]) -> Option<(String, Vec<String>)> {
        names.iter().find_map(|name| Some(((*name).to_owned(), attributes.text(name)?)))
    }
}

impl Format for Loom {
    fn name(&self) -> String {
        String::from("Loom")
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let mut choices = vec![Choice::single("matrix", self.matrix("matrix"))];
        let mut layers = self.file.members("layers")?;
        layers.sort_by_key(|name| !name.to_lowercase().contains("count"));
        let part = |name: &str| self.matrix(&format!("layers/{name}"));
        let has = |name: &str| layers.iter().any(|layer| layer == name);
        if has("spliced") && has("unspliced") {
            let velocity = ["spliced", "unspliced", "ambiguous"].into_iter().filter(|name| has(name));
            let parts: Result<Vec<Transposed>> = velocity.map(part).collect();
            choices.push(Choice::new("layers/spliced+unspliced", parts, Join::Sum));
        }
        choices.extend(layers.iter().map(|name| Choice::single(format!("layers/{name}"), part(name))));
        Ok(choices)
    }

    fn cells(&self, _choice: &str) -> Result<usize> {
        Ok(self.cells as usize)
    }

    /// Cells without names are numbered.
    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        let names = Loom::first(&self.of_cells(), &CELLS).map(|(_, names)| names);
        let names = names.unwrap_or_else(|| (1..=self.cells).map(|cell| format!("cell_{cell}")).collect());
        Ok(pick_rows(names, rows))
    }

    fn features(&self, _choice: &str, column: Option<&str>) -> Result<FeatureTable> {
        let attributes = Attributes::new(self.file.clone(), "row_attrs", self.genes as usize);
        let (index_name, index) = Loom::first(&attributes, &GENES)
            .or_else(|| attributes.names().into_iter().find_map(|name| Some((name.clone(), attributes.text(&name)?))))
            .ok_or_else(|| damaged("row_attrs", "it has no names of genes"))?;
        let mut columns = attributes.names();
        columns.retain(|name| *name != index_name);
        let read = Box::new(|name: &str| attributes.text(name));
        name_genes(&GeneNames { path: attributes.path(), index_name, index, columns, read }, column)
    }

    fn metadata(&self, _choice: &str, warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        let attributes = self.of_cells();
        let index = Loom::first(&attributes, &CELLS).map(|(name, _)| name);
        Ok(attributes.columns(index.as_deref().as_slice(), warnings))
    }
}
