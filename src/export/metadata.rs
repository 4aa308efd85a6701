//! `metadata.tsv`: the file's own table of cells.

use super::{clean, put};
use crate::formats::Column;
use crate::metadata::Shortest;
use crate::query::Query;
use rustc_hash::FxHashSet;
use std::borrow::Cow;

/// The table is handed over in pieces of about so many bytes.
const PIECE: usize = 1 << 20;
/// What a column without a name is called.
const NAMELESS: &str = "column";

/// `cell`, then every column of the file's table of cells under its own name, in its order; the rows are those of
/// `qc.tsv`. Missing values are empty, truth is `True` and `False`, numbers have the fewest digits that read back as the
/// same number.
///
/// A table of a million cells is large, so it is handed to `write` in pieces, each of whole lines.
///
/// # Errors
/// Those of `write`.
pub fn metadata<E>(query: &Query, mut write: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let mut piece = String::from("cell");
    for name in unambiguous(query.metadata.iter().map(|column| column.0.as_str())) {
        put(&mut piece, format_args!("\t{name}"));
    }
    piece.push('\n');
    let columns: Vec<Values<'_>> = query.metadata.iter().map(|column| Values::of(&column.1)).collect();
    for (row, name) in query.described_cells().enumerate() {
        piece.push_str(&clean(name));
        for column in &columns {
            piece.push('\t');
            column.put(row, &mut piece);
        }
        piece.push('\n');
        if piece.len() >= PIECE {
            write(&piece)?;
            piece.clear();
        }
    }
    write(&piece)
}

/// The names as they stand in the table, each once. One that stands there already, as `cell` does, or that another has
/// too gets `.1`, `.2`, … behind it, as R and pandas number them.
fn unambiguous<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let cleaned = |name: &str| clean(if name.is_empty() { NAMELESS } else { name }).into_owned();
    let names: Vec<String> = names.map(cleaned).collect();
    // A name that the file gives is not given to another column.
    let given: FxHashSet<String> = names.iter().cloned().collect();
    let mut taken: FxHashSet<String> = FxHashSet::from_iter(["cell".to_owned()]);
    let mut numbered: rustc_hash::FxHashMap<String, usize> = Default::default();
    let mut unique = Vec::with_capacity(names.len());
    for name in names {
        let mut own = name.clone();
        while taken.contains(&own) || (own != name && given.contains(&own)) {
            let number = numbered.entry(name.clone()).or_insert(0);
            *number += 1;
            own = format!("{name}.{number}");
        }
        taken.insert(own.clone());
        unique.push(own);
    }
    unique
}

/// A column whose categories are cleaned once and not for each cell.
enum Values<'a> {
    Categories(Vec<Cow<'a, str>>, &'a [u32]),
    Numbers(&'a [f64]),
    Texts(&'a [String]),
}

impl<'a> Values<'a> {
    fn of(column: &'a Column) -> Values<'a> {
        match column {
            Column::Categorical { categories, codes } => {
                Values::Categories(categories.iter().map(|category| clean(category)).collect(), codes)
            }
            Column::Number(numbers) => Values::Numbers(numbers),
            Column::Text(texts) => Values::Texts(texts),
        }
    }

    /// Adds the value of a row; nothing where it is missing.
    fn put(&self, row: usize, table: &mut String) {
        match self {
            Values::Categories(categories, codes) => {
                if let Some(category) = codes.get(row).and_then(|&code| categories.get(code as usize)) {
                    table.push_str(category);
                }
            }
            Values::Numbers(numbers) => {
                if let Some(&number) = numbers.get(row).filter(|number| !number.is_nan()) {
                    put(table, format_args!("{}", Shortest(number)));
                }
            }
            Values::Texts(texts) => {
                if let Some(text) = texts.get(row) {
                    table.push_str(&clean(text));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Dataset, Feature};
    use crate::matrix::Counts;

    /// Three cells, of which the second has no counts.
    fn query(metadata: Vec<(String, Column)>) -> Query {
        let mut counts = Counts::with_genes(1);
        [Some((0, 1.0)), None, Some((0, 2.0))].into_iter().for_each(|row| counts.push_row(row));
        let dataset = Dataset {
            format: "test".into(),
            matrix: "X".into(),
            cells: ["a", "b", "c"].map(str::to_owned).to_vec(),
            features: vec![Feature { id: None, symbol: "CD3E".into() }],
            genes_in_file: 1,
            feature_types: Vec::new(),
            counts,
            metadata,
            droplets: None,
            least_counts: Vec::new(),
            joined: None,
            gene_columns: Vec::new(),
            warnings: Vec::new(),
        };
        Query::new(dataset).expect("a query")
    }

    fn table(query: &Query) -> String {
        let mut whole = String::new();
        let written: Result<(), ()> = metadata(query, |piece| {
            whole.push_str(piece);
            Ok(())
        });
        written.expect("written");
        whole
    }

    #[test]
    fn every_column_with_cells_without_counts_at_the_end() {
        let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let kind = Column::Categorical { categories: text(&["T\tcell", "=B"]), codes: vec![0, u32::MAX, 1] };
        let columns = [
            ("kind\nof cell", kind),
            ("depth", Column::Number(vec![0.1, 1e-9, f64::NAN])),
            ("note", Column::Text(text(&["", "\"b\" of it", "c \"d\""]))),
        ];
        let query = query(columns.map(|(name, column)| (name.to_owned(), column)).to_vec());
        assert_eq!(
            table(&query),
            "cell\tkind of cell\tdepth\tnote\na\tT cell\t0.1\t\nc\t=B\t\tc \"d\"\nb\t\t1e-9\t\"\"\"b\"\" of it\"\n"
        );
        let rows =
            |table: &str| table.lines().map(|line| line.split('\t').next().map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(rows(&table(&query)), rows(&crate::export::qc(&query)));
    }

    #[test]
    fn names_of_columns_are_unique() {
        let names = ["cell", "x", "x", "cell.1", "", "column", "a\tb", "a b", "x.1", "x"];
        let unique = ["cell.2", "x", "x.2", "cell.1", "column", "column.1", "a b", "a b.1", "x.1", "x.3"];
        assert_eq!(unambiguous(names.into_iter()), unique);
        assert_eq!(unambiguous(std::iter::repeat_n("x", 20_000))[19_999], "x.19999");
    }

    #[test]
    fn a_large_table_comes_in_pieces_of_whole_lines() {
        let mut query = query(vec![("n".to_owned(), Column::Number((0..300_000).map(f64::from).collect()))]);
        query.cells = (0..300_000).map(|cell| format!("cell{cell}")).collect();
        query.empty_cells = Vec::new();
        let mut sizes = Vec::new();
        let written: Result<(), ()> = metadata(&query, |piece| {
            assert!(piece.ends_with('\n'));
            sizes.push(piece.len());
            Ok(())
        });
        written.expect("written");
        assert!(sizes.len() > 2 && sizes.iter().all(|&size| size < PIECE + 100), "{sizes:?}");
        assert_eq!(metadata(&query, |_| Err("the disk is full")), Err("the disk is full"));
    }
}
