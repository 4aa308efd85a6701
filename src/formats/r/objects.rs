//! What the objects of a file offer: matrices at the top, in lists, and in the classes that this field uses.

use super::numbers::File;
use super::offer::{Names, Offer, Table};
use super::orientation;
use super::texts::Texts;
use super::tree::{Kind, NodeId, Tree};
use super::{experiment, seurat, tables};
use super::{gene_names, matrices};
use crate::error::{Error, Result, Warning};
use std::sync::Arc;

/// Lists are followed to this depth.
const DEEPEST: usize = 3;
/// Numbers of columns that describe cells stay below this.
const FEW: usize = 100;
/// Choices beyond this number help nobody.
const MOST: usize = 200;

/// Ranks of matrices: which are looked at first for raw counts.
pub mod rank {
    pub const COUNTS: u8 = 0;
    /// Of another assay than RNA.
    pub const OTHER_COUNTS: u8 = 1;
    pub const OTHER: u8 = 3;
    /// Of a data frame, which may as well describe cells.
    pub const TABLE: u8 = 4;
    /// Gene activity and the like: counted, but not of RNA.
    pub const DERIVED: u8 = 5;
    /// Corrected by SCTransform.
    pub const CORRECTED: u8 = 7;
}

/// What was found.
pub struct Found<'a> {
    pub tree: &'a Tree,
    pub file: &'a File,
    pub offers: Vec<Offer>,
    /// Assays of features that are not genes, with the number of features.
    pub others: Vec<(String, usize)>,
    /// Assays whose counts are corrected.
    pub corrected: Vec<String>,
    /// Data frames that stand alone.
    pub tables: Vec<Table>,
    /// Kinds of objects, for people.
    pub kinds: Vec<&'static str>,
}

/// Looks through all objects of a file; `named`: the root is a list of named objects.
///
/// # Errors
/// When nothing that is read is there.
pub fn find<'a>(tree: &'a Tree, file: &'a File, named: bool) -> Result<Found<'a>> {
    let (offers, others, corrected) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = Found { tree, file, offers, others, corrected, tables: Vec::new(), kinds: Vec::new() };
    if named {
        for (name, id) in tree.elements(tree.root) {
            found.visit(id, &name, 0);
        }
    } else {
        found.visit(tree.root, "", 0);
    }
    found.sort_out_tables();
    if named {
        found.shorten();
    }
    found.offers.sort_by_key(|offer| offer.rank);
    found.offers.truncate(MOST);
    found.name_uniquely();
    if found.offers.is_empty() {
        return Err(found.nothing(named));
    }
    Ok(found)
}

/// A path of names.
pub fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

/// Whether an assay of this name has features other than genes.
pub fn not_genes(name: &str) -> bool {
    const OTHERS: [&str; 33] = [
        "blankcodeword",
        "controlcodeword",
        "controlprobe",
        "genomiccontrol",
        "unassignedcodeword",
        "ab",
        "abs",
        "adt",
        "antibodies",
        "antibody",
        "atac",
        "bins",
        "chromvar",
        "cite",
        "citeseq",
        "cmo",
        "crispr",
        "ercc",
        "gdo",
        "guide",
        "guides",
        "hash",
        "hashtag",
        "hashtags",
        "hto",
        "motif",
        "motifs",
        "multiplexing",
        "peak",
        "peaks",
        "prot",
        "protein",
        "spike",
    ];
    let lower = name.to_lowercase();
    lower
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .map(|word| word.trim_end_matches(|digit: char| digit.is_ascii_digit()))
        .any(|word| OTHERS.contains(&word) || word.strip_suffix('s').is_some_and(|one| OTHERS.contains(&one)))
}

impl Found<'_> {
    /// Looks at an object and, of a list, at its elements.
    pub fn visit(&mut self, id: NodeId, prefix: &str, depth: usize) {
        let tree = self.tree;
        if tree.is_a(id, "Seurat") || tree.is_a(id, "seurat") {
            self.kinds.push("Seurat object");
            return seurat::find(self, id, prefix);
        }
        if tree.attribute(id, "colData").is_some() && tree.attribute(id, "assays").is_some() {
            let bare = tree.classes(id).first().is_some_and(|class| class.ends_with("SummarizedExperiment"));
            self.kinds.push(if bare { "SummarizedExperiment" } else { "SingleCellExperiment" });
            return experiment::find(self, id, prefix);
        }
        if seurat::is_assay(tree, id) {
            self.kinds.push("Seurat assay");
            return seurat::find_assay(self, id, prefix);
        }
        if matrices::is_matrix(tree, id) {
            self.kinds.push("R matrix");
            return self.matrix(id, if prefix.is_empty() { "matrix" } else { prefix });
        }
        if tree.is_a(id, "data.frame") {
            self.kinds.push("R data frame");
            return tables::find(self, id, if prefix.is_empty() { "table" } else { prefix });
        }
        if depth < DEEPEST && matches!(tree.kind(id), Kind::List(_) | Kind::Environment(_)) {
            for (number, (name, element)) in tree.elements(id).into_iter().enumerate() {
                if self.offers.len() > MOST {
                    return;
                }
                let name = if name.is_empty() { format!("[[{}]]", number + 1) } else { name };
                self.visit(element, &joined(prefix, &name), depth + 1);
            }
        }
    }

    /// A matrix that stands alone: its names tell which side the cells are on.
    fn matrix(&mut self, id: NodeId, path: &str) {
        let tree = self.tree;
        let names = matrices::names(tree, id);
        let columns_are_cells = !orientation::rows_are_cells(&names);
        let [rows, columns] = names;
        let (genes, cells) = if columns_are_cells { (rows, columns) } else { (columns, rows) };
        let last = path.rsplit('/').next().unwrap_or(path);
        if not_genes(last) {
            let features = genes.map_or(0, |genes| genes.len());
            self.others.push((last.to_owned(), features));
            return;
        }
        let counts = matches!(last, "RNA" | "counts" | "Gene Expression" | "matrix");
        let rank = if counts { rank::COUNTS } else { rank::OTHER_COUNTS };
        self.offer(id, path, rank, Sides { genes, cells, columns_are_cells }, [None, None]);
    }

    /// Offers a matrix with its names and the tables of genes and of cells.
    pub fn offer(&mut self, id: NodeId, path: &str, rank: u8, sides: Sides, tables: [Option<Table>; 2]) {
        let matrix = matrices::matrix(self.tree, self.file, id, path, sides.columns_are_cells);
        let [gene_table, cell_table] = tables;
        let shape = matrices::shape(self.tree, id).unwrap_or([0, 0]);
        let (genes, cells) = if sides.columns_are_cells { (shape[0], shape[1]) } else { (shape[1], shape[0]) };
        let names = |texts: Option<Arc<Texts>>, count| texts.map_or(Names::Missing(count), Names::All);
        let offer = Offer {
            path: path.to_owned(),
            rank,
            matrix: matrix.map(Arc::new),
            genes: names(sides.genes, genes),
            cells: names(sides.cells, cells),
            gene_table,
            cell_table,
        };
        self.push(offer);
    }

    /// Takes an offer whose names fit its matrix; of another the matrix is an error.
    pub fn push(&mut self, mut offer: Offer) {
        if let Ok(matrix) = &offer.matrix {
            let named = offer.gene_table.is_some();
            if offer.cells.len() != matrix.cells || offer.genes.len() != matrix.genes {
                offer.matrix = Err(matrices::fault(&offer.path, "it has not as many names as rows and columns"));
            } else if offer.genes.missing() && !named && matrix.genes > 0 {
                offer.matrix = Err(gene_names::missing(&offer.path));
            }
        }
        self.offers.push(offer);
    }

    /// A data frame of few columns beside a matrix describes its cells; its numbers are no counts.
    fn sort_out_tables(&mut self) {
        let is_small = |offer: &Offer| offer.rank == rank::TABLE && offer.genes.len().min(offer.cells.len()) < FEW;
        if self.offers.iter().all(is_small) {
            return;
        }
        self.offers.retain(|offer| !is_small(offer));
        for offer in self.offers.iter_mut().filter(|offer| offer.cell_table.is_none()) {
            let describes = |table: &&Table| {
                let rows = table.rows.as_ref().filter(|rows| rows.len() >= offer.cells.len());
                rows.is_some_and(|rows| offer.cells.among(rows).is_none_or(|rows| !rows.contains(&u32::MAX)))
            };
            offer.cell_table = self.tables.iter().find(describes).cloned();
        }
    }

    /// Drops the name of the only object from the paths.
    fn shorten(&mut self) {
        let owner = |offer: &Offer| offer.path.split('/').next().unwrap_or_default().to_owned();
        let first = self.offers.first().map(owner);
        if self.offers.iter().any(|offer| Some(owner(offer)) != first) {
            return;
        }
        for offer in &mut self.offers {
            if let Some((_, rest)) = offer.path.split_once('/') {
                offer.path = rest.to_owned();
            }
        }
    }

    fn name_uniquely(&mut self) {
        let mut known = rustc_hash::FxHashSet::default();
        for offer in &mut self.offers {
            let path = offer.path.clone();
            let mut number = 1;
            while !known.insert(offer.path.clone()) {
                number += 1;
                offer.path = format!("{path} ({number})");
            }
        }
    }

    fn nothing(&self, named: bool) -> Error {
        let needed = "Sextant reads Seurat objects, SingleCellExperiments, matrices and data frames with raw counts.";
        if !self.others.is_empty() {
            let names: Vec<_> = self.others.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            return Error::input(format!(
                "it has no counts of genes, only {}, which Sextant does not map. {needed}",
                names.join(", ")
            ));
        }
        let describe = |id: NodeId| match self.tree.classes(id).first() {
            Some(class) => format!("an object of the class {class}"),
            None => match self.tree.kind(id) {
                Kind::Null => String::from("NULL"),
                Kind::Numbers(_) => String::from("numbers without rows and columns"),
                Kind::Texts(_) => String::from("text"),
                Kind::List(_) | Kind::Pairs(_) => String::from("a list"),
                Kind::Environment(_) => String::from("an environment"),
                Kind::Other(kind) => format!("an object of the kind \"{kind}\""),
                Kind::Symbol(_) | Kind::S4 => String::from("an object without data"),
            },
        };
        let found = if named {
            let objects = self.tree.elements(self.tree.root);
            let objects = objects.iter().take(5).map(|(name, id)| format!("\"{name}\", {}", describe(*id)));
            let objects: Vec<_> = objects.collect();
            if objects.is_empty() { String::from("no objects") } else { objects.join("; ") }
        } else {
            describe(self.tree.root)
        };
        Error::input(format!("it is a file of R without counts: it holds {found}. {needed}"))
    }

    /// What there is to say about names that are missing, and assays that were left out or come last.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if !self.others.is_empty() {
            let others: Vec<_> = self.others.iter().map(|(name, count)| format!("{count} of \"{name}\"")).collect();
            warnings.push(Warning::new(
                "other_features",
                format!("Besides genes the file has features that are not mapped: {}.", others.join(", ")),
            ));
        }
        for offer in self.offers.iter().filter(|offer| offer.matrix.is_ok() && offer.cells.missing()) {
            warnings.push(Warning::new(
                "no_cell_names",
                format!(
                    "The cells of \"{}\" have no names; they are called \"cell_1\", \"cell_2\" and so on.",
                    offer.path
                ),
            ));
        }
        for name in &self.corrected {
            warnings.push(Warning::new(
                "corrected_counts",
                format!(
                    "The counts of the assay \"{name}\" were corrected by SCTransform and are not raw. They are taken \
                     only when no other assay has raw counts."
                ),
            ));
        }
        warnings
    }
}

/// The names on both sides of a matrix.
pub struct Sides {
    pub genes: Option<Arc<Texts>>,
    pub cells: Option<Arc<Texts>>,
    pub columns_are_cells: bool,
}

#[cfg(test)]
mod tests {
    use super::not_genes;

    #[test]
    fn assays_of_other_features_are_known_by_name() {
        for name in
            ["ADT", "ADT2", "HTO", "Antibody Capture", "prot", "Peaks", "ATAC_macs2", "Hashtags", "ControlProbe"]
        {
            assert!(not_genes(name), "{name}");
        }
        for name in ["RNA", "SCT", "Gene Expression", "counts.ctrl", "Spatial", "integrated", "counts.1"] {
            assert!(!not_genes(name), "{name}");
        }
    }
}
