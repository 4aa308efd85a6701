//! 10x MEX and what resembles it: a matrix in MatrixMarket form, a list of cells, a list of features.
//!
//! Which list is which dimension is found by their lengths, so matrices with cells in rows (kallisto, alevin-fry)
//! and with cells in columns (Cell Ranger, STARsolo) both read.

mod entries;
mod header;
mod list;
mod matrix;

use super::archive::Member;
use super::choice::{Choice, Join};
use super::content::bare;
use super::gene_names::{is_gene_type, mostly_accessions, usual_types};
use super::stored::{FeatureTable, Format};
use super::tenx_h5::unused_matrix;
use super::{Feature, GENE_EXPRESSION};
use crate::error::{Error, Result};
use header::Header;
use list::List;
use matrix::MexMatrix;

pub use header::begins;

/// Feature types of 10x, besides that of genes.
const OTHER_TYPES: [&str; 7] =
    ["Antibody Capture", "CRISPR Guide Capture", "Multiplexing Capture", "Antigen Capture", "VDJ", "Custom", "Peaks"];

/// Matrices of RNA velocity, as STARsolo and as kallisto call them: their sum is the count.
const VELOCITY: [[&str; 3]; 2] = [["spliced", "unspliced", "ambiguous"], ["mature", "nascent", "ambiguous"]];

/// The files that belong together, as far as they were found.
pub struct Files {
    /// Usually one; velocity writes spliced and unspliced counts beside the same lists.
    pub matrices: Vec<Member>,
    pub cells: Option<Member>,
    pub features: Option<Member>,
}

/// Matrix, cells and features, which fit each other.
pub struct Mex {
    matrices: Vec<Stored>,
    cells: List,
    features: List,
}

struct Stored {
    path: String,
    member: Member,
    /// The header and whether cells are in rows, or why the matrix cannot be used.
    header: Result<(Header, bool)>,
}

impl Mex {
    /// Reads the headers and the lengths of the lists.
    ///
    /// # Errors
    /// When a file of the three is missing or cannot be read, or no matrix fits the lists.
    pub fn open(files: &Files) -> Result<Self> {
        let (Some(cells), Some(features)) = (&files.cells, &files.features) else {
            return Err(missing(files));
        };
        let mut cells = List::open(&cells.content.clone().unpacked()?)?;
        let mut features = List::open(&features.content.clone().unpacked()?)?;
        let mut matrices = Vec::new();
        for member in &files.matrices {
            let content = member.content.clone().unpacked()?;
            let header = Header::read(&content).and_then(|header| {
                let cells_in_rows = orientation(&member.path, &header, &mut cells, &mut features)?;
                Ok((header, cells_in_rows))
            });
            let member = Member { path: member.path.clone(), content };
            matrices.push(Stored { path: choice_name(&member.path), member, header });
        }
        match matrices.iter_mut().all(|stored| stored.header.is_err()) {
            true => Err(matrices.pop().and_then(|stored| stored.header.err()).unwrap_or_else(|| missing(files))),
            false => Ok(Mex { matrices, cells, features }),
        }
    }
}

impl Stored {
    fn matrix(&self) -> Result<MexMatrix> {
        match &self.header {
            Ok((header, cells_in_rows)) => Ok(MexMatrix::new(self.member.content.clone(), *header, *cells_in_rows)),
            Err(error) => Err(Error::new(error.kind, error.message.clone())),
        }
    }

    /// Whether its name ends with the word.
    fn is_called(&self, word: &str) -> bool {
        self.path.to_ascii_lowercase().rsplit(['.', '_', '-']).next() == Some(word)
    }
}

impl Mex {
    /// The sum of spliced and unspliced counts, when these are the matrices that there are.
    fn velocity(&self) -> Option<Choice> {
        for words in VELOCITY {
            let found: Vec<&Stored> =
                words.iter().filter_map(|word| self.matrices.iter().find(|stored| stored.is_called(word))).collect();
            if found.len() >= 2 && found.len() == self.matrices.len() {
                let path: Vec<&str> = found.iter().map(|stored| stored.path.as_str()).collect();
                let parts = found.iter().map(|stored| stored.matrix()).collect();
                return Some(Choice::new(path.join("+"), parts, Join::Sum));
            }
        }
        None
    }
}

/// Whether cells are in rows. The first matrix that fits also tells whether the lists have a header.
fn orientation(path: &str, header: &Header, cells: &mut List, features: &mut List) -> Result<bool> {
    let [rows, columns] = header.shape.map(|length| length as usize);
    let fits = |list: &List, length: usize| list.len() == length || list.lines() == length + 1;
    let usual = fits(features, rows) && fits(cells, columns);
    let turned = fits(cells, rows) && fits(features, columns);
    let exactly_turned = cells.lines() == rows && features.lines() == columns;
    let exactly_usual = features.lines() == rows && cells.lines() == columns;
    let lower = path.to_ascii_lowercase();
    let named_turned = lower.contains("cells_x_genes") || lower.contains("quants_mat");
    let turned = match (usual, turned) {
        (false, false) => {
            return Err(Error::input(format!(
                "\"{path}\" has {rows} rows and {columns} columns, but there are {} names in \"{}\" and {} in \"{}\". \
                 These files do not belong together, or one of them is not complete.",
                features.lines(),
                features.name(),
                cells.lines(),
                cells.name(),
            )));
        }
        (true, true) if exactly_usual != exactly_turned => exactly_turned,
        (true, true) => named_turned,
        (_, turned) => turned,
    };
    let (genes, barcodes) = if turned { (columns, rows) } else { (rows, columns) };
    features.header = features.lines() == genes + 1;
    cells.header = cells.lines() == barcodes + 1;
    Ok(turned)
}

/// "matrix" of "outs/filtered_feature_bc_matrix/matrix.mtx.gz"; a name that does not end so is kept whole.
fn choice_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let bare = bare(&lower);
    name[..bare.strip_suffix(".mtx").map_or(name.len(), str::len)].to_owned()
}

fn missing(files: &Files) -> Error {
    let matrix = files.matrices.first().map(|matrix| matrix.path.as_str());
    let what = match (matrix, &files.cells, &files.features) {
        (None, ..) => "the counts (matrix.mtx or matrix.mtx.gz) are missing",
        (_, None, None) => {
            "the names of the cells (barcodes.tsv) and of the genes (features.tsv or genes.tsv) are missing"
        }
        (_, None, _) => "the names of the cells (barcodes.tsv or barcodes.tsv.gz) are missing",
        _ => "the names of the genes (features.tsv or genes.tsv, perhaps with .gz) are missing",
    };
    let list = |member: &Option<Member>| member.as_ref().map(|member| member.path.clone());
    let known = matrix.map(str::to_owned).or(list(&files.cells)).or(list(&files.features)).unwrap_or_default();
    Error::input(format!(
        "\"{known}\" is one of three files that belong together, and {what}. Drop all three at once, or their folder."
    ))
}

impl Format for Mex {
    fn name(&self) -> String {
        String::from("MEX (MatrixMarket with lists of cells and features)")
    }

    fn choices(&self) -> Result<Vec<Choice>> {
        let mut choices: Vec<Choice> = self.velocity().into_iter().collect();
        choices.extend(self.matrices.iter().map(|stored| Choice::single(stored.path.clone(), stored.matrix())));
        Ok(choices)
    }

    fn cells(&self, _: &str) -> Result<usize> {
        Ok(self.cells.len())
    }

    fn cell_names(&self, _: &str, rows: Option<&[u32]>) -> Result<Vec<String>> {
        Ok(self.cells.read(rows)?.into_iter().filter_map(|fields| fields.into_iter().next()).collect())
    }

    fn features(&self, _: &str, column: Option<&str>) -> Result<FeatureTable> {
        let rows = self.features.read(None)?;
        let names = self.features.columns()?;
        let columns: Vec<Vec<String>> =
            (0..names.len()).map(|column| rows.iter().map(|row| row[column].clone()).collect()).collect();
        name_features(columns, names, column)
    }
}

/// Finds out by content which columns are accessions, symbols and types.
pub fn name_features(columns: Vec<Vec<String>>, names: Vec<String>, wanted: Option<&str>) -> Result<FeatureTable> {
    let types = columns.iter().skip(1).position(|column| are_types(column)).map(|place| place + 1);
    let ids = columns.iter().position(|column| mostly_accessions(column));
    // The first column that is neither; where there is only one, it is both.
    let plain: Vec<usize> = (0..columns.len()).filter(|&column| Some(column) != types && Some(column) != ids).collect();
    let (id, symbol) = match (ids, plain.as_slice()) {
        (Some(id), [symbol, ..]) => (Some(id), *symbol),
        (Some(id), []) => (Some(id), id),
        (None, [id, symbol, ..]) => (Some(*id), *symbol),
        (None, [symbol]) => (None, *symbol),
        (None, []) => (None, 0),
    };
    let symbol = match wanted {
        None => symbol,
        Some(wanted) => names.iter().position(|name| name == wanted).ok_or_else(|| no_column(wanted, &names))?,
    };
    let (of_types, in_use) = (types, names.get(symbol).cloned().unwrap_or_default());
    let types = types.and_then(|column| columns.get(column).cloned()).map(usual_types);
    if let Some(types) = &types
        && !types.iter().any(|kind| kind == GENE_EXPRESSION)
    {
        return Err(unused_matrix(types));
    }
    let column = |column: usize| columns.get(column).map(Vec::as_slice).unwrap_or_default();
    let symbols = column(symbol);
    let features = (0..symbols.len()).map(|row| {
        let id = id.and_then(|id| column(id).get(row)).filter(|id| !id.is_empty()).cloned();
        let symbol = Some(&symbols[row]).filter(|symbol| !symbol.is_empty()).cloned();
        Feature { symbol: symbol.or(id.clone()).unwrap_or_default(), id }
    });
    let features = features.collect();
    let mut columns: Vec<String> =
        (0..).zip(names).filter(|(at, _)| Some(*at) != of_types).map(|(_, name)| name).collect();
    if let Some(place) = columns.iter().position(|name| *name == in_use) {
        columns[..=place].rotate_right(1);
    }
    if columns.len() < 2 {
        columns.clear();
    }
    Ok(FeatureTable { features, types, columns })
}

/// The error for a column of names that is not there.
pub fn no_column(wanted: &str, names: &[String]) -> Error {
    Error::usage(format!("there is no column \"{wanted}\" with names of genes. There are: {}.", names.join(", ")))
}

/// Whether a column has types of features as 10x writes them.
pub fn are_types(column: &[String]) -> bool {
    let known = |kind: &String| is_gene_type(kind) || OTHER_TYPES.contains(&kind.as_str());
    !column.is_empty() && column.iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Names = Vec<(Option<String>, String)>;

    /// Ids and symbols, the number of types, and the number of columns to choose from.
    fn named(columns: &[&[&str]], wanted: Option<&str>) -> (Names, Option<usize>, usize) {
        let owned = |column: &&[&str]| column.iter().map(|name| (*name).to_owned()).collect();
        let names = (1..=columns.len()).map(|column| format!("column {column}")).collect();
        let table = name_features(columns.iter().map(owned).collect(), names, wanted).unwrap();
        let features = table.features.into_iter().map(|feature| (feature.id, feature.symbol));
        (features.collect(), table.types.map(|types| types.len()), table.columns.len())
    }

    #[test]
    fn columns_of_features_are_told_apart() {
        let (ids, symbols) = (["ENSG00000141510", "ENSG00000111640"], ["TP53", "GAPDH"]);
        let genes = [GENE_EXPRESSION; 2];
        let both = |id: [&str; 2], symbol: [&str; 2]| {
            vec![(Some(id[0].to_owned()), symbol[0].to_owned()), (Some(id[1].to_owned()), symbol[1].to_owned())]
        };
        assert_eq!(named(&[&ids, &symbols, &genes], None), (both(ids, symbols), Some(2), 2));
        assert_eq!(named(&[&ids, &symbols], None), (both(ids, symbols), None, 2));
        assert_eq!(named(&[&symbols, &ids], None), (both(ids, symbols), None, 2));
        assert_eq!(named(&[&symbols, &symbols], None), (both(symbols, symbols), None, 2));
        assert_eq!(named(&[&ids], None), (both(ids, ids), None, 0));
        assert_eq!(named(&[&ids, &genes], None), (both(ids, ids), Some(2), 0));
        assert_eq!(named(&[&ids, &symbols, &["Gene", "Gene"]], None), (both(ids, symbols), Some(2), 2));
        let plain = symbols.map(|symbol| (None, symbol.to_owned())).to_vec();
        assert_eq!(named(&[&symbols], None), (plain, None, 0));
        assert_eq!(named(&[&ids, &symbols, &["a", "b"]], Some("column 3")).0, both(ids, ["a", "b"]));
        let blank = named(&[&ids, &["TP53", ""]], None).0;
        assert_eq!(blank[1].1, "ENSG00000111640");
    }

    #[test]
    fn a_matrix_of_antibodies_alone_is_refused() {
        let columns = vec![vec!["CD3".to_owned()], vec!["CD3".to_owned()], vec!["Antibody Capture".to_owned()]];
        let names = (1..=3).map(|column| format!("column {column}")).collect();
        let message = name_features(columns, names, None).err().map(|error| error.message).unwrap_or_default();
        assert_eq!(
            message,
            "it has no features of the type \"Gene Expression\", only \"Antibody Capture\". Sextant maps gene \
             expression; load the matrix of that library."
        );
    }
}
