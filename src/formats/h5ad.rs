//! H5AD, the file format of anndata, from version 0.5 on.

use super::choice::{Choice, Join};
use super::frame::Frame;
use super::gene_names::{GeneNames, name_genes, usual_types};
use super::hdf5::damaged;
use super::proteins::{self, ProteinTable};
use super::store::{Node, Store};
use super::stored::{FeatureTable, Format, pick_rows};
use super::stored_matrix::{Encoding, StoredMatrix};
use super::{Column, Feature, GENE_EXPRESSION};
use crate::error::{Error, Result, Warning};
use std::rc::Rc;

/// Layers that hold raw counts by name, in the order in which they are tried.
const COUNT_LAYERS: [&str; 6] = ["counts", "raw_counts", "raw", "count", "umi", "umis"];
/// Layers of RNA velocity: their sum is the count.
const VELOCITY_LAYERS: [&str; 3] = ["spliced", "unspliced", "ambiguous"];
/// Whether there are the tables of an H5AD file and a matrix.
pub fn detect(file: &dyn Store) -> bool {
    ["obs", "var"].into_iter().all(|path| file.exists(path))
        && ["X", "raw", "raw.X", "layers"].into_iter().any(|path| file.exists(path))
}

/// An open H5AD file, or the same in another kind of store.
pub struct H5ad {
    file: Rc<dyn Store>,
    name: String,
    obs: Frame,
    var: Frame,
    raw: Option<Raw>,
}

/// The matrix of all genes that `X` was a part of.
struct Raw {
    path: &'static str,
    /// Its genes; without a table of its own those of `X`.
    var: Option<Result<Frame>>,
}

impl H5ad {
    /// `name`: what people call this kind of file.
    ///
    /// # Errors
    /// When `obs` or `var` cannot be read.
    pub fn new(file: Rc<dyn Store>, name: impl Into<String>) -> Result<Self> {
        let (obs, var) = (Frame::open(&file, "obs")?, Frame::open(&file, "var")?);
        // "." before anndata 0.7.
        let paths = [("raw/X", "raw/var"), ("raw.X", "raw.var")];
        let raw = paths
            .into_iter()
            .find(|(path, _)| file.exists(path))
            .map(|(path, var)| Raw { path, var: file.exists(var).then(|| Frame::open(&file, var)) });
        Ok(H5ad { file, name: name.into(), obs, var, raw })
    }

    /// The table of the genes of a choice.
    fn genes(&self, choice: &str) -> Result<&Frame> {
        match self.raw.as_ref().filter(|_| choice == "raw/X").and_then(|raw| raw.var.as_ref()) {
            Some(Ok(frame)) => Ok(frame),
            Some(Err(error)) => Err(Error::new(error.kind, error.message.clone())),
            None => Ok(&self.var),
        }
    }

    fn single(&self, name: &str, path: &str) -> Choice {
        let shape = self.genes(name).map(|frame| [self.obs.rows() as u64, frame.rows() as u64]);
        Choice::single(name, shape.and_then(|shape| matrix(self.file.as_ref(), path, shape)))
    }
}

impl Format for H5ad {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let mut choices = Vec::new();
        let absent = self.file.attribute_text("X", "encoding-type").is_some_and(|encoding| encoding == "null");
        if self.file.exists("X") && !absent {
            choices.push(self.single("X", "X"));
        }
        if let Some(raw) = &self.raw {
            choices.push(self.single("raw/X", raw.path));
        }
        choices.extend(self.layers()?);
        Ok(choices)
    }

    fn cells(&self, _choice: &str) -> Result<usize> {
        Ok(self.obs.rows())
    }

    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(pick_rows(self.obs.index()?, rows))
    }

    fn features(&self, choice: &str, column: Option<&str>) -> Result<FeatureTable> {
        let frame = self.genes(choice)?;
        let mut named = name_genes(&names(frame)?, column)?;
        // The smaller table of anndata's `raw` often lacks what `var` says of the same genes.
        if !std::ptr::eq(frame, &self.var) && frame.columns().is_empty() {
            self.complete(&mut named.features);
        }
        let types = frame
            .text_column("feature_types")
            .map(usual_types)
            .filter(|types| types.iter().any(|kind| kind == GENE_EXPRESSION));
        Ok(FeatureTable { types, ..named })
    }

    fn metadata(&self, _choice: &str, warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        Ok(self.obs.read_columns(warnings))
    }

    fn proteins(&self, key: Option<&str>) -> Result<Option<ProteinTable>> {
        proteins::of_anndata(&self.file, self.obs.rows(), key)
    }
}

impl H5ad {
    /// The layers, those first that hold counts by name.
    fn layers(&self) -> Result<Vec<Choice>> {
        let rank = |name: &String| {
            let lower = name.to_lowercase();
            COUNT_LAYERS.iter().position(|&known| known == lower)
        };
        let layers = self.file.members("layers")?;
        let (mut named, others): (Vec<String>, Vec<String>) = layers.into_iter().partition(|name| rank(name).is_some());
        named.sort_by_key(rank);
        let single = |name: &String| {
            let path = format!("layers/{name}");
            self.single(&path, &path)
        };
        let mut choices: Vec<Choice> = named.iter().map(single).collect();
        let velocity: Vec<&str> =
            VELOCITY_LAYERS.into_iter().filter(|name| others.iter().any(|other| other == name)).collect();
        if velocity.starts_with(&VELOCITY_LAYERS[..2]) {
            let shape = [self.obs.rows() as u64, self.var.rows() as u64];
            let part = |name: &&str| matrix(self.file.as_ref(), &format!("layers/{name}"), shape);
            let parts = velocity.iter().map(part).collect();
            choices.push(Choice::new(format!("layers/{}", velocity.join("+")), parts, Join::Sum));
        }
        choices.extend(others.iter().map(single));
        Ok(choices)
    }

    /// Takes the missing half of a gene's names from `var`, where its index has the same name.
    fn complete(&self, features: &mut [Feature]) {
        let Ok(table) = names(&self.var) else { return };
        let Ok(named) = name_genes(&table, None) else { return };
        let known: rustc_hash::FxHashMap<&String, &Feature> = table.index.iter().zip(&named.features).collect();
        for feature in features {
            let index = feature.id.as_ref().unwrap_or(&feature.symbol);
            if let Some(&named) = known.get(index) {
                *feature = named.clone();
            }
        }
    }
}

/// What a table of genes offers as their names.
fn names(frame: &Frame) -> Result<GeneNames<'_>> {
    Ok(GeneNames {
        path: frame.path(),
        index_name: frame.index_name().to_owned(),
        index: frame.index()?,
        columns: frame.columns(),
        read: Box::new(|name| frame.text_column(name)),
    })
}

/// Opens a matrix after its shape was compared with the tables.
///
/// # Errors
/// When it is none, or of another shape.
pub fn matrix(file: &dyn Store, path: &str, expected: [u64; 2]) -> Result<StoredMatrix> {
    match file.node(path) {
        Node::Dataset => {
            let stored = StoredMatrix::dense(file, path)?;
            let shape = [stored.cells as u64, stored.genes as u64];
            check_shape(path, shape, expected)?;
            Ok(stored)
        }
        Node::Group => {
            let shape = ["shape", "h5sparse_shape"].into_iter().find_map(|name| file.attribute_numbers(path, name));
            let shape = match shape.as_deref() {
                Some(&[cells, genes]) => [cells, genes],
                Some(_) => return Err(damaged(path, "its shape should have two entries")),
                None => expected,
            };
            check_shape(path, shape, expected)?;
            StoredMatrix::sparse(file, path, encoding(file, path, shape)?, shape)
        }
        Node::Missing => Err(damaged(path, "it is not there")),
    }
}

fn check_shape(path: &str, shape: [u64; 2], expected: [u64; 2]) -> Result<()> {
    if shape == expected {
        return Ok(());
    }
    Err(damaged(
        path,
        &format!(
            "it is {} cells by {} genes, but the tables describe {} cells and {} genes",
            shape[0], shape[1], expected[0], expected[1]
        ),
    ))
}

fn encoding(file: &dyn Store, path: &str, [cells, genes]: [u64; 2]) -> Result<Encoding> {
    let named = ["encoding-type", "h5sparse_format"].into_iter().find_map(|name| file.attribute_text(path, name));
    match named.as_deref() {
        Some("csr_matrix" | "csr") => Ok(Encoding::Csr),
        Some("csc_matrix" | "csc") => Ok(Encoding::Csc),
        Some(other) => Err(Error::input(format!(
            "\"{path}\" has the encoding \"{other}\". Sextant reads \"csr_matrix\", \"csc_matrix\" and \
             dense arrays; write it again as one of them."
        ))),
        // Files that were put together by hand: the number of rows or columns tells.
        None => match file.shape(&format!("{path}/indptr")).unwrap_or_default().as_slice() {
            [length] if *length == cells + 1 => Ok(Encoding::Csr),
            [length] if *length == genes + 1 => Ok(Encoding::Csc),
            _ => Err(damaged(path, "it does not say how it is encoded")),
        },
    }
}
