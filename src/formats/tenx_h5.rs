//! 10x Genomics HDF5: Cell Ranger 3 and later (`/matrix`), and before (one group for each genome).

use super::choice::{Choice, Join};
use super::gene_names::usual_types;
use super::hdf5::{Hdf5, damaged};
use super::store::{Node, Store};
use super::stored::{FeatureTable, Format, pick_rows};
use super::stored_matrix::{Encoding, StoredMatrix};
use super::{Feature, GENE_EXPRESSION};
use crate::error::{Error, Result, Warning};
use rustc_hash::FxHashMap;

/// An open file of 10x.
pub struct TenX {
    file: Hdf5,
    layout: Layout,
}

/// Which layout a file has.
pub enum Layout {
    /// `/matrix`, with feature types.
    Matrix,
    /// One group for each genome, with a matrix, genes and barcodes of its own.
    Genomes(Vec<String>),
}

impl Layout {
    /// The layout, when the file is of 10x at all.
    ///
    /// # Errors
    /// When the root of the file is damaged.
    pub fn detect(file: &dyn Store) -> Result<Option<Layout>> {
        if is_matrix(file, "matrix")? && file.node("matrix/barcodes") == Node::Dataset {
            return Ok(Some(Layout::Matrix));
        }
        let mut genomes = Vec::new();
        for name in file.members("/")? {
            if is_matrix(file, &name)?
                && file.node(&format!("{name}/barcodes")) == Node::Dataset
                && file.node(&format!("{name}/genes")) == Node::Dataset
            {
                genomes.push(name);
            }
        }
        Ok((!genomes.is_empty()).then_some(Layout::Genomes(genomes)))
    }
}

impl TenX {
    pub fn new(file: Hdf5, layout: Layout) -> Self {
        TenX { file, layout }
    }
}

impl Format for TenX {
    fn name(&self) -> String {
        String::from(match self.layout {
            Layout::Matrix => "10x HDF5 (Cell Ranger 3 or later)",
            Layout::Genomes(_) => "10x HDF5 (Cell Ranger 2 or earlier)",
        })
    }

    /// The one matrix there is.
    fn choices(&self) -> Result<Vec<Choice>> {
        let file = &self.file;
        Ok(match &self.layout {
            Layout::Matrix => vec![Choice::single("/matrix", matrix(file, "matrix", &self.layout))],
            Layout::Genomes(genomes) => {
                let path = match genomes.as_slice() {
                    [genome] => format!("/{genome}"),
                    _ => String::from("/"),
                };
                let parts = genomes.iter().map(|genome| matrix(file, genome, &self.layout)).collect();
                let rows = match genomes.as_slice() {
                    [_] => Ok(Vec::new()),
                    _ => unite(file, genomes).map(|united| united.1),
                };
                match rows {
                    Ok(rows) if rows.is_empty() => vec![Choice::new(path, parts, Join::Sum)],
                    Ok(rows) => vec![Choice::new(path, parts, Join::Beside(rows))],
                    Err(error) => vec![Choice::new::<StoredMatrix>(path, Err(error), Join::Sum)],
                }
            }
        })
    }

    /// The barcodes; those of several genomes are united.
    fn cells(&self, _choice: &str) -> Result<usize> {
        let count = |path: &str| Ok(self.file.shape(path)?.first().map_or(0, |&cells| cells as usize));
        match &self.layout {
            Layout::Matrix => count("matrix/barcodes"),
            Layout::Genomes(genomes) => match genomes.as_slice() {
                [genome] => count(&format!("{genome}/barcodes")),
                genomes => Ok(unite(&self.file, genomes)?.0.len()),
            },
        }
    }

    fn cell_names(&self, _choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        match &self.layout {
            Layout::Matrix => self.file.strings_of_rows("matrix/barcodes", rows),
            Layout::Genomes(genomes) => match genomes.as_slice() {
                [genome] => self.file.strings_of_rows(&format!("{genome}/barcodes"), rows),
                genomes => Ok(pick_rows(unite(&self.file, genomes)?.0, rows)),
            },
        }
    }

    fn features(&self, _choice: &str, _column: Option<&str>) -> Result<FeatureTable> {
        match &self.layout {
            Layout::Matrix => matrix_features(&self.file),
            Layout::Genomes(genomes) => {
                let mut features = Vec::new();
                for genome in genomes {
                    features.extend(genome_features(&self.file, genome)?);
                }
                Ok(FeatureTable { features, ..Default::default() })
            }
        }
    }

    /// What there is to say about the genomes.
    fn warnings(&self) -> Vec<Warning> {
        let genomes = match &self.layout {
            Layout::Genomes(genomes) => genomes.clone(),
            Layout::Matrix => {
                let mut genomes = self.file.strings("matrix/features/genome").unwrap_or_default();
                genomes.retain(|genome| !genome.is_empty());
                genomes.sort();
                genomes.dedup();
                genomes
            }
        };
        if genomes.len() < 2 {
            return Vec::new();
        }
        vec![Warning::new(
            "several_genomes",
            format!(
                "The file holds counts for {} genomes ({}). Their genes were taken together; only those \
                 of the reference's species will be used.",
                genomes.len(),
                genomes.join(", ")
            ),
        )]
    }
}

fn is_matrix(file: &dyn Store, path: &str) -> Result<bool> {
    let members = file.members(path)?;
    let has = |name: &str| members.iter().any(|member| member == name);
    Ok(["data", "indices", "indptr", "shape"].into_iter().all(has)
        && file.shape(&format!("{path}/data")).is_ok_and(|shape| shape.len() == 1))
}

/// 10x stores features × cells by column: for us, cells × features by row.
fn matrix(file: &dyn Store, group: &str, layout: &Layout) -> Result<StoredMatrix> {
    let path = format!("{group}/shape");
    let shape = file.array(&path)?.read_positions()?;
    let &[genes, cells] = shape.as_slice() else {
        return Err(damaged(&path, "it should have two entries"));
    };
    let barcodes = file.shape(&format!("{group}/barcodes"))?;
    if barcodes != [cells] {
        return Err(damaged(group, &format!("its shape says {cells} cells but there are {barcodes:?} barcodes")));
    }
    let names = match layout {
        Layout::Matrix => feature_paths(file).0,
        Layout::Genomes(_) => format!("{group}/genes"),
    };
    let features = file.shape(&names)?;
    if features != [genes] {
        return Err(damaged(group, &format!("its shape says {genes} features but there are {features:?} ids")));
    }
    StoredMatrix::sparse(file, group, Encoding::Csr, [cells, genes])
}

/// Ids and names; the first files of Cell Ranger 3's layout called them as before.
fn feature_paths(file: &dyn Store) -> (String, String) {
    if file.exists("matrix/features/id") {
        ("matrix/features/id".into(), "matrix/features/name".into())
    } else {
        ("matrix/genes".into(), "matrix/gene_names".into())
    }
}

fn matrix_features(file: &dyn Store) -> Result<FeatureTable> {
    let (ids, names) = feature_paths(file);
    let features = join_names(file, &ids, &names)?;
    let path = "matrix/features/feature_type";
    let types = if file.exists(path) {
        let types = usual_types(file.strings(path)?);
        if types.len() != features.len() {
            return Err(damaged(path, "it has another length than the ids"));
        }
        Some(types)
    } else {
        None
    };
    if let Some(types) = &types
        && !types.is_empty()
        && !types.iter().any(|kind| kind == GENE_EXPRESSION)
    {
        return Err(unused_matrix(types));
    }
    Ok(FeatureTable { features, types, columns: Vec::new() })
}

/// The error for a 10x file without gene expression.
pub fn unused_matrix(types: &[String]) -> Error {
    let mut kinds: Vec<&str> = types.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Error::input(format!(
        "it has no features of the type \"{GENE_EXPRESSION}\", only \"{}\". Sextant maps gene expression; \
         load the matrix of that library.",
        kinds.join("\", \"")
    ))
}

fn genome_features(file: &dyn Store, genome: &str) -> Result<Vec<Feature>> {
    join_names(file, &format!("{genome}/genes"), &format!("{genome}/gene_names"))
}

fn join_names(file: &dyn Store, ids: &str, names: &str) -> Result<Vec<Feature>> {
    let ids_read = file.strings(ids)?;
    let names_read = if file.exists(names) { file.strings(names)? } else { ids_read.clone() };
    if names_read.len() != ids_read.len() {
        return Err(damaged(names, &format!("it has {} names for {} ids", names_read.len(), ids_read.len())));
    }
    Ok(ids_read
        .into_iter()
        .zip(names_read)
        .map(|(id, symbol)| Feature { symbol: if symbol.is_empty() { id.clone() } else { symbol }, id: Some(id) })
        .collect())
}

/// The barcodes of all genomes in the order in which they first appear, and for each genome the row of
/// each of them.
fn unite(file: &dyn Store, genomes: &[String]) -> Result<(Vec<String>, Vec<Vec<u32>>)> {
    let mut lists = Vec::new();
    for genome in genomes {
        lists.push(file.strings(&format!("{genome}/barcodes"))?);
    }
    let same = lists.windows(2).all(|pair| pair[0] == pair[1]);
    if same {
        let cells = lists.into_iter().next().unwrap_or_default();
        let rows = (0..cells.len() as u32).collect();
        return Ok((cells, vec![rows; genomes.len()]));
    }
    let mut cells: Vec<String> = Vec::new();
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    for barcode in lists.iter().flatten() {
        let next = cells.len();
        known.entry(barcode.clone()).or_insert_with(|| {
            cells.push(barcode.clone());
            next
        });
    }
    let mut rows = vec![vec![u32::MAX; cells.len()]; genomes.len()];
    for (rows, list) in rows.iter_mut().zip(&lists) {
        for (row, barcode) in list.iter().enumerate() {
            if let Some(slot) = known.get(barcode).and_then(|&cell| rows.get_mut(cell)) {
                *slot = row as u32;
            }
        }
    }
    Ok((cells, rows))
}
