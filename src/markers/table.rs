//! Groups of cells from a table that names the cells, as [`crate::export::predictions`] writes it or R and pandas do.

use super::Grouping;
use crate::error::{Error, Result, Warning};
use crate::formats::{fields, grouped, is_no_name};
use rustc_hash::FxHashMap;

impl Grouping {
    /// The column `wanted` of a table whose first column names the cells. Columns are separated by tabs, or by commas
    /// where the first line has no tab; values may be quoted. A first line that is one name short is R's, which
    /// leaves the name of the first column out. Cells that are not in the table, or have no value there, are in no group.
    ///
    /// # Shapes
    /// `cells` names the cells; `table` is what errors call the table.
    ///
    /// # Errors
    /// No such column; a cell stands there twice, with different values; none of the cells stands there; too many groups.
    pub fn of_table(text: &str, table: &str, wanted: &str, cells: &[String]) -> Result<(Self, Option<Warning>)> {
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next().unwrap_or_default();
        let separator = if first.contains('\t') { b'\t' } else { b',' };
        let mut rows =
            text.lines().filter(|line| !line.trim().is_empty()).map(|line| fields(line.as_bytes(), separator));
        let mut columns = rows.next().unwrap_or_default();
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.first().is_some_and(|row| row.len() == columns.len() + 1) {
            columns.insert(0, String::new());
        }
        let columns = columns.get(1..).unwrap_or_default();
        let place = columns.iter().position(|column| column == wanted).ok_or_else(|| {
            Error::usage(format!("'{table}' has no column '{wanted}'. Its columns are: {}.", columns.join(", ")))
        })?;
        let mut group_of: FxHashMap<&str, &str> = FxHashMap::default();
        for row in &rows {
            let (Some(cell), Some(group)) = (row.first(), row.get(place + 1)) else { continue };
            if is_no_name(group) {
                continue;
            }
            if let Some(other) = group_of.insert(cell, group).filter(|other| other != group) {
                return Err(Error::usage(format!(
                    "'{table}' has the cell '{cell}' twice: as '{other}' and as '{group}'. Leave one of them."
                )));
            }
        }
        let names: Vec<Option<&str>> = cells.iter().map(|cell| group_of.get(cell.as_str()).copied()).collect();
        let without = names.iter().filter(|name| name.is_none()).count();
        if without == cells.len() {
            return Err(Error::usage(format!(
                "None of the {} cells stands in '{table}' with a group. Its first column has to have the cells' names, \
                 such as '{}'.",
                grouped(cells.len() as f64),
                cells.first().map(String::as_str).unwrap_or_default()
            )));
        }
        let warning = (without > 0).then(|| {
            Warning::new(
                "cells_without_group",
                format!(
                    "{} of the {} cells have no group and were compared with none.",
                    grouped(without as f64),
                    grouped(cells.len() as f64)
                ),
            )
        });
        Ok((Grouping::of_names(wanted, names)?, warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<String> {
        ["a-1", "b-1", "c-1", "d-1"].map(str::to_owned).to_vec()
    }

    #[test]
    fn tables_of_many_writers() {
        let expected = Grouping::of_names("kind", [Some("T, CD4"), None, Some("B"), Some("B")]).expect("groups");
        let tables = [
            "cell\tbatch\tkind\na-1\t1\tT, CD4\nc-1\t1\tB\nd-1\t1\tB\n",
            // R's write.table and write.csv, pandas' to_csv with a mark at the beginning
            "\"batch\"\t\"kind\"\n\"a-1\"\t1\t\"T, CD4\"\n\"b-1\"\t1\tNA\n\"c-1\"\t1\t\"B\"\n\"d-1\"\t2\t\"B\"\n",
            "\"\",\"batch\",\"kind\"\r\n\"a-1\",1,\"T, CD4\"\r\n\"b-1\",1,NA\r\n\"c-1\",1,\"B\"\r\n\"d-1\",2,\"B\"\r\n",
            "\u{feff},batch,kind\na-1,1,\"T, CD4\"\nb-1,1,\nc-1,1,B\nc-1,2,B\nd-1,1,B\n\n",
        ];
        for table in tables {
            let (grouping, warning) = Grouping::of_table(table, "t", "kind", &cells()).expect(table);
            assert_eq!(grouping, expected, "{table}");
            let said = "1 of the 4 cells have no group and were compared with none.";
            assert_eq!(warning.map(|warning| warning.message).as_deref(), Some(said));
        }
    }

    #[test]
    fn sentences_for_tables_that_do_not_fit() {
        let said = |table: &str| Grouping::of_table(table, "t.tsv", "kind", &cells()).unwrap_err().message;
        assert_eq!(said("cell\tbatch\n"), "'t.tsv' has no column 'kind'. Its columns are: batch.");
        assert_eq!(said(""), "'t.tsv' has no column 'kind'. Its columns are: .");
        assert_eq!(
            said("cell\tkind\na-1\tT\na-1\tB\n"),
            "'t.tsv' has the cell 'a-1' twice: as 'T' and as 'B'. Leave one of them."
        );
        assert_eq!(
            said("cell\tkind\nnobody\tT\n"),
            "None of the 4 cells stands in 't.tsv' with a group. Its first column has to have the cells' names, such as 'a-1'."
        );
    }
}
