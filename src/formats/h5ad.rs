//! H5AD, the file format of anndata, from version 0.5 on.

use super::choice::{Choice, Join};
use super::frame::Frame;
use super::hdf5::{Hdf5, damaged};
use super::store::{Node, Store};
use super::stored::{FeatureTable, Format, pick_rows};
use super::stored_matrix::{Encoding, StoredMatrix};
use super::{Column, Feature, GENE_EXPRESSION};
use crate::error::{Error, Result, Warning};

/// Layers that hold raw counts by name, in the order in which they are tried.
const COUNT_LAYERS: [&str; 6] = ["counts", "raw_counts", "raw", "count", "umi", "umis"];
/// Layers of RNA velocity: their sum is the count.
const VELOCITY_LAYERS: [&str; 3] = ["spliced", "unspliced", "ambiguous"];
/// Columns of `var` with gene symbols when its index has Ensembl ids, as CELLxGENE, scanpy and others
/// call them; compared without regard to case.
const SYMBOL_COLUMNS: [&str; 10] = [
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "symbol",
    "symbols",
    "hgnc_symbol",
    "gene_short_name",
    "name",
];
/// Columns of `var` with Ensembl ids when its index has symbols.
const ID_COLUMNS: [&str; 9] =
    ["gene_ids", "gene_id", "ensembl", "ensemblid", "ensembl_id", "ensembl_ids", "ensembl_gene_id", "feature_id", "id"];

/// Whether the file has the tables of an H5AD file and a matrix.
pub fn detect(file: &dyn Store) -> bool {
    ["obs", "var"].into_iter().all(|path| file.exists(path))
        && ["X", "raw", "raw.X", "layers"].into_iter().any(|path| file.exists(path))
}

/// An open H5AD file.
pub struct H5ad {
    file: Hdf5,
}

impl H5ad {
    pub fn new(file: Hdf5) -> Self {
        H5ad { file }
    }
}

impl Format for H5ad {
    fn name(&self) -> String {
        String::from("H5AD")
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        choices(&self.file)
    }

    fn cells(&self, _choice: &str) -> Result<usize> {
        Ok(Frame::open(&self.file, "obs")?.index().len())
    }

    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(pick_rows(Frame::open(&self.file, "obs")?.index().to_vec(), rows))
    }

    fn features(&self, choice: &str, _column: Option<&str>) -> Result<FeatureTable> {
        features(&self.file, choice)
    }

    fn metadata(&self, _choice: &str, warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        Ok(Frame::open(&self.file, "obs")?.read_columns(warnings))
    }
}

/// Where the genes of raw counts are described; `.` before anndata 0.7.
fn raw_paths(file: &dyn Store) -> Option<(&'static str, &'static str)> {
    [("raw/X", "raw/var"), ("raw.X", "raw.var")].into_iter().find(|(matrix, _)| file.exists(matrix))
}

fn var_path(file: &dyn Store, choice: &str) -> &'static str {
    match raw_paths(file) {
        Some((_, var)) if choice == "raw/X" && file.exists(var) => var,
        _ => "var",
    }
}

/// The matrices, in the order in which raw counts are looked for.
///
/// # Errors
/// When `obs`, `var` or the list of layers cannot be read.
fn choices(file: &dyn Store) -> Result<Vec<Choice>> {
    let cells = Frame::open(file, "obs")?.index().len();
    let genes = Frame::open(file, "var")?.index().len();
    let shape = [cells as u64, genes as u64];
    let mut choices = Vec::new();
    if file.exists("X") {
        choices.push(Choice::single("X", matrix(file, "X", shape)));
    }
    if let Some((path, var)) = raw_paths(file) {
        let parts = match file.exists(var) {
            true => Frame::open(file, var).map(|frame| frame.index().len()),
            false => Ok(genes),
        };
        let parts = parts.and_then(|genes| matrix(file, path, [cells as u64, genes as u64]));
        choices.push(Choice::single("raw/X", parts));
    }
    let mut layers = file.members("layers")?;
    let rank = |name: &String| {
        let lower = name.to_lowercase();
        COUNT_LAYERS.iter().position(|&known| known == lower)
    };
    let (mut named, others): (Vec<String>, Vec<String>) = layers.drain(..).partition(|name| rank(name).is_some());
    named.sort_by_key(rank);
    let single = |name: &String| {
        let path = format!("layers/{name}");
        let parts = matrix(file, &path, shape);
        Choice::single(path, parts)
    };
    choices.extend(named.iter().map(single));
    let velocity: Vec<&str> =
        VELOCITY_LAYERS.into_iter().filter(|name| others.iter().any(|other| other == name)).collect();
    if velocity.starts_with(&VELOCITY_LAYERS[..2]) {
        let parts = velocity.iter().map(|name| matrix(file, &format!("layers/{name}"), shape)).collect();
        let path = format!("layers/{}", velocity.join("+"));
        choices.push(Choice::new(path, parts, Join::Sum));
    }
    choices.extend(others.iter().map(single));
    Ok(choices)
}

/// Opens a matrix after its shape was compared with the tables.
fn matrix(file: &dyn Store, path: &str, expected: [u64; 2]) -> Result<StoredMatrix> {
    match file.node(path) {
        Node::Dataset => {
            let stored = StoredMatrix::dense(file, path)?;
            let shape = [stored.cells as u64, stored.genes as u64];
            check_shape(path, shape, expected)?;
            Ok(stored)
        }
        Node::Group => {
            let encoding = encoding(file, path)?;
            let shape = ["shape", "h5sparse_shape"].into_iter().find_map(|name| file.attribute_numbers(path, name));
            let shape = match shape.as_deref() {
                Some(&[cells, genes]) => [cells, genes],
                Some(_) => return Err(damaged(path, "its shape should have two entries")),
                None => expected,
            };
            check_shape(path, shape, expected)?;
            StoredMatrix::sparse(file, path, encoding, shape)
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

fn encoding(file: &dyn Store, path: &str) -> Result<Encoding> {
    let named = ["encoding-type", "h5sparse_format"].into_iter().find_map(|name| file.attribute_text(path, name));
    match named.as_deref() {
        Some("csr_matrix" | "csr") => Ok(Encoding::Csr),
        Some("csc_matrix" | "csc") => Ok(Encoding::Csc),
        Some(other) => Err(Error::input(format!(
            "\"{path}\" has the encoding \"{other}\". Sextant reads \"csr_matrix\", \"csc_matrix\" and \
             dense arrays; write it again as one of them."
        ))),
        None => Err(damaged(path, "it does not say how it is encoded")),
    }
}

/// The genes of a matrix.
///
/// # Errors
/// When the table of genes cannot be read.
fn features(file: &dyn Store, choice: &str) -> Result<FeatureTable> {
    let path = var_path(file, choice);
    let frame = Frame::open(file, path)?;
    let mut features = name_genes(&frame);
    // The smaller table of anndata's `raw` often lacks what `var` says of the same genes.
    if path != "var" && frame.columns().is_empty() {
        complete(&mut features, file);
    }
    let types = frame.text_column("feature_types").filter(|types| types.iter().any(|kind| kind == GENE_EXPRESSION));
    Ok(FeatureTable { features, types, columns: Vec::new() })
}

fn name_genes(frame: &Frame<'_>) -> Vec<Feature> {
    let index = frame.index();
    let columns = frame.columns();
    let find = |names: &[&str], accept: &dyn Fn(&[String]) -> bool| {
        names
            .iter()
            .filter_map(|name| columns.iter().find(|column| column.eq_ignore_ascii_case(name)))
            .filter_map(|column| frame.text_column(column))
            .find(|values| accept(values))
    };
    let empty = |text: &str| text.is_empty() || text == "nan" || text == "NA";
    if mostly_accessions(index) {
        let symbols = find(&SYMBOL_COLUMNS, &|values| !mostly_accessions(values));
        let symbols = symbols.unwrap_or_else(|| index.to_vec());
        let named = index.iter().zip(symbols);
        return named
            .map(|(id, symbol)| Feature {
                symbol: if empty(&symbol) { id.clone() } else { symbol },
                id: Some(id.clone()),
            })
            .collect();
    }
    let ids = find(&ID_COLUMNS, &mostly_accessions);
    let ids = ids.map(|ids| ids.into_iter().map(|id| (!empty(&id)).then_some(id)));
    let mut ids = ids.into_iter().flatten();
    index.iter().map(|symbol| Feature { id: ids.next().flatten(), symbol: symbol.clone() }).collect()
}

/// Takes the missing half of a gene's names from `var`, where its index has the same name.
fn complete(features: &mut [Feature], file: &dyn Store) {
    let Ok(frame) = Frame::open(file, "var") else {
        return;
    };
    let named = name_genes(&frame);
    let known: rustc_hash::FxHashMap<&String, &Feature> = frame.index().iter().zip(&named).collect();
    for feature in features {
        let index = feature.id.as_ref().unwrap_or(&feature.symbol);
        if let Some(&named) = known.get(index) {
            *feature = named.clone();
        }
    }
}

/// Whether most of up to a thousand names are accessions (Ensembl, FlyBase, WormBase) and not symbols.
fn mostly_accessions(names: &[String]) -> bool {
    let step = (names.len() / 1000).max(1);
    let sample: Vec<_> = names.iter().step_by(step).collect();
    let accessions = sample.iter().filter(|name| is_accession(name)).count();
    accessions * 2 > sample.len()
}

fn is_accession(name: &str) -> bool {
    let digits = |rest: &str| rest.len() >= 6 && rest.as_bytes()[..6].iter().all(u8::is_ascii_digit);
    if let Some(rest) = name.strip_prefix("FBgn").or(name.strip_prefix("WBGene")) {
        return digits(rest);
    }
    let Some(rest) = name.strip_prefix("ENS") else {
        return false;
    };
    let species = rest.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = &rest[..rest.len() - species.len()];
    letters.ends_with('G') && digits(species)
}

#[cfg(test)]
mod tests {
    use super::is_accession;

    #[test]
    fn accessions_are_told_from_symbols() {
        for name in ["ENSG00000141510", "ENSG00000141510.17", "ENSMUSG00000059552", "FBgn0000008"] {
            assert!(is_accession(name), "{name}");
        }
        for name in ["TP53", "ENSA", "ENSG", "ENSAP1", "GENSG00000141510", "ENST00000141510", ""] {
            assert!(!is_accession(name), "{name}");
        }
    }
}
