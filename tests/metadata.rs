//! The file's own table of cells, in figures and as it is exported, against what pandas has in it.
//!
//! The file and pandas' word on it are written by `tests/data/formats/metadata/generate.py`.

use serde_json::Value;
use sextant::export;
use sextant::formats::{Column, Input, ReadOptions};
use sextant::metadata::{ColumnSummary, Kind};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use std::io::Cursor;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/formats/metadata");

fn query() -> Query {
    let bytes = std::fs::read(format!("{FOLDER}/metadata.h5ad")).expect("the file");
    let mut file =
        sextant::formats::open(vec![Input::new("metadata.h5ad", Box::new(Cursor::new(bytes)))]).expect("opened");
    file.inspect(&ReadOptions::default()).expect("inspected");
    Query::read(&mut file, &QueryOptions::default(), &Progress::silent()).expect("read")
}

fn pandas() -> Value {
    serde_json::from_slice(&std::fs::read(format!("{FOLDER}/metadata.json")).expect("the file")).expect("JSON")
}

fn table(query: &Query) -> Vec<Vec<String>> {
    let mut whole = String::new();
    export::metadata(query, |piece| {
        whole.push_str(piece);
        Ok::<(), ()>(())
    })
    .expect("written");
    whole.lines().map(|line| line.split('\t').map(unquoted).collect()).collect()
}

/// As pandas, R and spreadsheets read a value: quoted if it begins with a mark.
fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(value) => value.replace("\"\"", "\""),
        None => value.to_owned(),
    }
}

fn without_control(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|value| value.as_str().expect("text")).collect()
}

#[test]
fn the_export_has_what_pandas_has() {
    let (query, pandas) = (query(), pandas());
    let table = table(&query);
    let names = texts(&pandas["columns"]);
    let mut expected: Vec<String> = names.iter().map(|name| without_control(name)).collect();
    assert_eq!((expected[0].as_str(), expected[1].as_str()), ("cell", "cell.1"));
    expected[0] = "cell.2".into();
    let repeated = expected.iter().rposition(|name| name == "tab and line").expect("the second of that name");
    expected[repeated] = "tab and line.1".into();
    assert_eq!(table[0][0], "cell");
    assert_eq!(table[0][1..], expected);
    let quality = export::qc(&query);
    let rows: Vec<&str> = quality.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let cells = texts(&pandas["cells"]);
    assert_eq!((table.len(), rows.len(), rows[39]), (41, 40, cells[7]), "the cell without counts stands at the end");
    for (line, name) in table[1..].iter().zip(rows) {
        assert_eq!((line.len(), line[0].as_str()), (expected.len() + 1, name));
        let row = cells.iter().position(|cell| *cell == name).expect("a cell of the file");
        for (found, column) in line[1..].iter().zip(&names) {
            let place = format!("{column:?} of {name}");
            match &pandas["described"][column]["values"][row] {
                Value::Null => assert_eq!(found, "", "{place}"),
                Value::Object(number) => {
                    let number: f64 =
                        number["number"].as_str().and_then(|digits| digits.parse().ok()).expect("a number");
                    assert_eq!(found.parse(), Ok(number), "{place}");
                }
                Value::String(text) => assert_eq!(*found, without_control(text), "{place}"),
                other => panic!("{place}: {other}"),
            }
        }
    }
}

#[test]
fn the_figures_are_those_of_pandas() {
    let (query, pandas) = (query(), pandas());
    let summaries = query.summary().metadata;
    let names = texts(&pandas["columns"]);
    assert_eq!(summaries.len(), names.len());
    for (summary, name) in summaries.iter().zip(&names) {
        let described = &pandas["described"][name];
        let found = [summary.missing, summary.distinct].map(|number| number as u64);
        assert_eq!(found.map(Some), ["missing", "distinct"].map(|field| described[field].as_u64()), "{name}");
        let named: usize = summary.values.iter().map(|value| value.cells).sum();
        assert_eq!(named + summary.other_cells + summary.missing, 40, "{name}");
        assert_eq!(summary.values.len() + summary.other_values, summary.distinct, "{name}");
    }
    let of = |name: &str| -> &ColumnSummary { summaries.iter().find(|summary| summary.name == name).expect(name) };
    let values = |name: &str| -> Vec<(&str, usize)> {
        of(name).values.iter().map(|value| (value.value.as_str(), value.cells)).collect()
    };
    assert_eq!(values("type"), [("B", 12), ("NK", 12), ("T cell", 12)]);
    assert_eq!(values("truth"), [("False", 30), ("True", 10)]);
    assert_eq!(values("byte"), [("0", 8), ("1", 8), ("2", 8), ("3", 8), ("4", 8)]);
    let kinds =
        ["type", "cluster", "flagged", "truth", "maybe", "double", "maybe_integer", "note"].map(|name| of(name).kind);
    use Kind::{Boolean, Categorical, Number, Text};
    assert_eq!(kinds, [Categorical, Categorical, Boolean, Boolean, Boolean, Number, Number, Text]);
    let double = of("double");
    assert_eq!((double.min, double.max, double.infinite), (Some(-20.0 / 7.0), Some(19.0 / 7.0), 2));
    assert_eq!(of("integer").median, Some(19.5 * 12_345_678_901.0));
    assert!(of("integer").unique && of("note").unique && of("constant").constant && !of("nothing").constant);
    assert_eq!(of("tab and line").name, "tab and line");
    let long = summaries.last().expect("a column");
    assert_eq!((long.name.chars().count(), long.values[0].value.chars().count()), (121, 121));
}

#[test]
fn cells_without_counts_keep_their_row() {
    let query = query();
    assert_eq!((query.cells.len(), query.empty_cells.as_slice()), (39, &["cell07-1".to_owned()][..]));
    let integer = query.metadata.iter().find(|(name, _)| name == "integer").map(|(_, column)| column);
    let Some(Column::Number(values)) = integer else { panic!("numbers") };
    assert_eq!((values.len(), values[7], values[39]), (40, 8.0 * 12_345_678_901.0, 7.0 * 12_345_678_901.0));
}
