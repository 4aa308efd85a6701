//! Quality of cells: the sets of genes, and cells left out by limits.

#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use sextant::formats::{Feature, Input};
use sextant::progress::Progress;
use sextant::qc::{Filter, GeneSet, Signatures};
use sextant::query::{Query, QueryOptions};
use std::io::Cursor;
use std::path::Path;

/// Every gene of the table of gene names that begins as those of a set do is of the set by its id exactly where it is by
/// its symbol. `quality_genes.tsv.gz` is a part of the table, cut out by `quality.py` beside it.
#[test]
fn ids_agree_with_the_table_of_gene_names() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/quality_genes.tsv.gz");
    let text = tables::text(Path::new(path));
    let mut found = [0; GeneSet::ALL.len()];
    for line in text.lines() {
        let [species, number, symbol] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let Ok(number) = number.parse::<u32>() else { continue };
        let prefix = if species == "human" { "ENSG" } else { "ENSMUSG" };
        let by_id = Feature { id: None, symbol: format!("{prefix}{number:011}") };
        let by_symbol = Feature { id: None, symbol: symbol.to_owned() };
        for (set, found) in GeneSet::ALL.into_iter().zip(&mut found) {
            assert_eq!(set.has(&by_id), set.has(&by_symbol), "{set:?} {line}");
            *found += usize::from(set.has(&by_id));
        }
    }
    assert_eq!(found, [74, 204, 22], "all ids of the sets are in the table");
}

/// So it is for what shows ambient RNA, but for haemoglobins that no blood of grown-ups has.
#[test]
fn signatures_agree_with_the_table_of_gene_names() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/quality_genes.tsv.gz");
    let mut found = std::collections::BTreeMap::new();
    for line in tables::text(Path::new(path)).lines() {
        let [species, number, symbol] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let Ok(number) = number.parse::<u32>() else { continue };
        let prefix = if species == "human" { "ENSG" } else { "ENSMUSG" };
        let by_id = Signatures::name_of(&Feature { id: None, symbol: format!("{prefix}{number:011}") });
        assert_eq!(by_id, Signatures::name_of(&Feature { id: None, symbol: symbol.to_owned() }), "{line}");
        *found.entry(by_id.unwrap_or_default()).or_insert(0) += usize::from(by_id.is_some());
    }
    let expected = [("", 0), ("enzymes of acinar cells", 31), ("glucagon", 2), ("haemoglobin", 10), ("insulin", 3)];
    let expected = [&expected[..], &[("somatostatin", 2), ("surfactant", 7)]].concat();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

/// Two samples: their cells have no table, so the names of the files tell them apart.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "a.csv",
            b"gene,a1,a2,a3,a4,a5\nMT-CO1,1,0,2,0,40\nRPS2,30,31,33,35,0\nCD3E,60,65,72,80,2\nHBB,0,0,0,0,0\n".to_vec(),
        ),
        ("b.csv", b"gene,b1,b2,b3,b4,b5\nRPS2,3,4,5,1,0\nCD3E,6,7,9,1,0\nCD4,1,2,1,0,0\n".to_vec()),
    ]
}

fn read(filter: &str, samples: Option<&str>) -> sextant::Result<Query> {
    let inputs = files().into_iter().map(|(name, bytes)| Input::new(name, Box::new(Cursor::new(bytes)))).collect();
    let filter = Filter::parse(filter)?;
    let options = QueryOptions { filter: Some(&filter), samples, ..Default::default() };
    Query::read(&mut sextant::formats::open(inputs)?, &options, &Progress::silent())
}

#[test]
fn cells_beyond_limits_are_listed_and_not_mapped() {
    let all = read("", None).expect("a query");
    let limits = &all.limits;
    let names: Vec<Option<&str>> = limits.samples.iter().map(|sample| sample.sample.as_deref()).collect();
    assert_eq!(names, [Some("a"), Some("b")]);
    assert_eq!((all.cells.len(), all.empty_cells.len(), all.left_out.cells.len()), (9, 1, 0));
    let query = read("min_counts=5,max_percent_mt=20", None).expect("a query");
    assert_eq!(query.cells, ["a1", "a2", "a3", "a4", "b1", "b2", "b3"]);
    assert_eq!(query.left_out.cells, ["a5", "b4"]);
    assert_eq!(query.limits, all.limits, "limits are suggested before cells are left out");
    let said = query.warnings.iter().find(|warning| warning.code == "filtered").expect("a word on it");
    assert_eq!(
        said.message,
        "2 of the 9 cells lie beyond the limits and were left out, as asked for: 1 by min_counts, 1 by max_percent_mt."
    );
    let table = sextant::export::qc(&query);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "cell\tcounts\tfeatures\tpercent_mt\tpercent_ribo\tpercent_hb\tkept");
    assert_eq!(lines[8..], ["a5\t42\t2\t95.2381\t0\t0\tFalse", "b4\t2\t2\t\t50\t\tFalse", "b5\t0\t0\t0\t0\t0\tFalse"]);
    let mut metadata = String::new();
    let written: Result<(), ()> = sextant::export::metadata(&query, |piece| {
        metadata.push_str(piece);
        Ok(())
    });
    written.expect("written");
    let of_table =
        |table: &str| table.lines().map(|line| line.split('\t').next().map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(of_table(&metadata), of_table(&table));
    assert!(metadata.ends_with("a5\ta\nb4\tb\nb5\tb\n"), "{metadata}");
    let summary = query.summary();
    assert_eq!((summary.cells, summary.cells_left_out, summary.empty_cells), (10, 2, 1));
}

#[test]
fn mistakes_of_filters_are_sentences() {
    let said = |filter: &str, samples| read(filter, samples).err().map(|error| error.message).unwrap_or_default();
    assert_eq!(
        said("min_counts=1000", None),
        "None of the 9 cells lies within the limits (9 by min_counts). Choose wider limits."
    );
    assert_eq!(said("", Some("donor")), "No column 'donor' tells samples apart. The columns are: sample.");
    let inputs = vec![Input::new("a.csv", Box::new(Cursor::new(files().remove(0).1)))];
    let options = QueryOptions { samples: Some("donor"), ..Default::default() };
    let mut opened = sextant::formats::open(inputs).expect("a file");
    assert_eq!(
        Query::read(&mut opened, &options, &Progress::silent()).err().map(|error| error.message).unwrap_or_default(),
        "The file has no table of cells, so no column 'donor' tells samples apart."
    );
}
