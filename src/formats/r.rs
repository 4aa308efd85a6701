//! What R writes: `saveRDS()` (.rds) and `save()` (.rda, .RData).
//!
//! ```text
//! container (gzip, …) ─ stream (numbers, strings) ─ parser ─ tree ─ objects (seurat, experiment, …) ─ offers : Format
//!                       └ numbers: long vectors, read again when they are wanted ─ layout ─ slabs of whole cells
//! ```
//!
//! The first pass parses everything and keeps names and short vectors only; reading a matrix is a second pass.

mod columns;
mod container;
mod experiment;
mod faults;
mod frames;
mod gene_names;
mod header;
mod keeper;
mod layers;
mod layout;
mod matrices;
mod numbers;
pub(crate) mod object;
mod objects;
mod offer;
mod orientation;
mod parser;
mod sampling;
mod scattered;
mod seurat;
mod slabs;
mod stream;
mod tables;
pub(crate) mod texts;
mod tree;

use super::Column;
use super::choice::Choice;
use super::packing::Tally;
use super::raw_counts::{Sample, grouped};
use super::source::BlockCache;
use super::stored::{FeatureTable, Format, Matrix, Meter};
use crate::error::{Error, Result, Warning};
use crate::matrix::Counts;
use columns::Columns;
use layout::RMatrix;
use numbers::File;
use offer::Offer;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use tree::Tree;

/// A file that R wrote.
pub struct RFile {
    name: String,
    file: File,
    tree: Tree,
    offers: Vec<Offer>,
    warnings: Vec<Warning>,
}

/// How files of R begin when gzip is taken off: as text, native or in XDR, with or without a name for each object; or
/// compressed in another way, which no other format that is read here is.
pub const BEGINNINGS: [&[u8]; 8] = [b"X\n", b"A\n", b"B\n", b"RDX", b"RDA", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];

/// Opens a file that R wrote; `None` when it is of another kind. Reads all of it once.
///
/// # Errors
/// When it is R's but damaged, or has nothing that could be mapped.
pub fn open(source: &Arc<BlockCache>) -> Result<Option<Box<dyn Format>>> {
    let Some((header, stream)) = header::open(source)? else {
        return Ok(None);
    };
    let tree = parser::parse(stream, &header)?;
    let file = File { source: Arc::clone(source), container: header.container, encoding: header.encoding };
    let found = objects::find(&tree, &file, header.named)?;
    let kind = match found.kinds.as_slice() {
        [first, rest @ ..] if rest.iter().all(|kind| kind == first) => first,
        _ => "R objects",
    };
    let name = format!("{kind} ({})", if header.named { "RData" } else { "RDS" });
    let warnings = found.warnings();
    let offers = found.offers;
    Ok(Some(Box::new(RFile { name, file, tree, offers, warnings })))
}

impl RFile {
    fn offer(&self, choice: &str) -> Result<&Offer> {
        let found = self.offers.iter().find(|offer| offer.path == choice).or(self.offers.first());
        found.ok_or_else(|| Error::input("there is no matrix in it."))
    }

    /// What is said when other matrices, as of a list of objects, have cells that the one that is read has not.
    fn other_cells(&self, read: &Offer) -> Option<Warning> {
        let known: FxHashSet<&str> = read.cells.iter().collect();
        let mut listed: Vec<&Offer> = Vec::new();
        for other in self.offers.iter().filter(|other| other.matrix.is_ok() && !other.cells.missing()) {
            let same =
                |listed: &&Offer| listed.cells.len() == other.cells.len() && listed.cells.iter().eq(other.cells.iter());
            if other.cells.iter().any(|cell| !known.contains(cell)) && !listed.iter().any(same) {
                listed.push(other);
            }
        }
        let name = |offer: &&Offer| format!("\"{}\" ({} cells)", offer.path, grouped(offer.cells.len() as f64));
        let names: Vec<String> = listed.iter().take(5).map(name).collect();
        let more = if listed.len() > 5 { " and others" } else { "" };
        (!listed.is_empty()).then(|| {
            Warning::new(
                "other_cells",
                format!(
                    "Only the cells of \"{}\" are read. The file has other cells in {}{more}: choose that matrix, or save \
                     each object as a file of its own and load them together.",
                    read.path,
                    names.join(", ")
                ),
            )
        })
    }
}

impl Format for RFile {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let choice = |offer: &Offer| {
            let matrix = offer.matrix.as_ref().map(|matrix| SharedMatrix(Arc::clone(matrix)));
            Choice::single(&offer.path, matrix.map_err(|error| Error::new(error.kind, error.message.clone())))
        };
        Ok(self.offers.iter().map(choice).collect())
    }

    fn cells(&self, choice: &str) -> Result<usize> {
        Ok(self.offer(choice)?.cells.len())
    }

    fn cell_names(&self, choice: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(self.offer(choice)?.cells.picked(rows))
    }

    fn features(&self, choice: &str, column: Option<&str>) -> Result<FeatureTable> {
        gene_names::table(&self.tree, &self.file, self.offer(choice)?, column)
    }

    fn metadata(&self, choice: &str, warnings: &mut Vec<Warning>) -> Result<Vec<(String, Column)>> {
        let offer = self.offer(choice)?;
        warnings.extend(self.other_cells(offer));
        let Some(table) = &offer.cell_table else {
            return Ok(Vec::new());
        };
        let rows = columns::rows(table, &offer.cells);
        let mut read = Vec::new();
        let mut columns = Columns { tree: &self.tree, file: &self.file, stream: None };
        for (name, id) in &table.columns {
            match columns.read(*id, &rows, offer.cells.len()) {
                Ok(column) => read.push((name.clone(), column)),
                Err(error) => warnings.push(Warning::new(
                    "column_skipped",
                    format!("The column \"{name}\" of the table of cells was left out: {error}"),
                )),
            }
        }
        Ok(read)
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

/// A matrix that is offered and read.
struct SharedMatrix(Arc<RMatrix>);

impl Matrix for SharedMatrix {
    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn nonzeros(&self) -> Option<u64> {
        self.0.nonzeros()
    }

    fn encoding(&self) -> &'static str {
        self.0.encoding()
    }

    fn work(&self) -> u64 {
        self.0.work()
    }

    fn sample(&self) -> Result<Sample> {
        self.0.sample()
    }

    fn read(&self, meter: &mut Meter<'_>, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<Tally> {
        self.0.read(meter, take)
    }
}
