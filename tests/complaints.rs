//! What people complained of in other programs, and must not come true here.
//!
//! The files in `tests/data/formats/complaints` are written by `generate.py` and `generate.R` beside them.

#[path = "common/files.rs"]
mod files;

use files::Files;
use sextant::Warning;
use sextant::formats::{Column, Dataset, OpenFile, ReadOptions};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use std::fmt::Write;

fn read(name: &str) -> Dataset {
    files::read(files::file(name, files::bytes(&format!("complaints/{name}"))))
}

fn message<'a>(warnings: &'a [Warning], code: &str) -> Option<&'a str> {
    warnings.iter().find(|warning| warning.code == code).map(|warning| warning.message.as_str())
}

#[test]
fn columns_of_scvi_and_of_many_categories_are_kept() {
    let dataset = read("odd_cells.h5ad");
    let names: Vec<&str> = dataset.metadata.iter().map(|column| column.0.as_str()).collect();
    assert_eq!(names, ["_scvi_batch", "_scvi_labels", "clone", "age", "donor"]);
    let column = |place: usize| &dataset.metadata[place].1;
    assert_eq!(*column(1), Column::Number((0..60).map(|cell| f64::from(cell % 3)).collect()));
    let clones: Vec<Option<String>> = (0..60).map(|cell| column(2).text(cell)).collect();
    assert_eq!(clones, (0..60).map(|cell| Some(format!("clone{cell}"))).collect::<Vec<_>>());
    // Columns without a single value.
    assert!((0..60).all(|cell| column(3).text(cell).is_none() && column(4).text(cell).is_none()));
    // Numbers for names of cells, and symbols rather than ids for genes.
    assert_eq!(dataset.cells, (0..60).map(|cell| cell.to_string()).collect::<Vec<_>>());
    assert_eq!(dataset.features[3].symbol, "GENE3");
    assert_eq!(dataset.features[3].id.as_deref(), Some("ENSG00000000003"));
    assert_eq!((dataset.counts.nonzeros(), dataset.warnings), (637, Vec::new()));
}

#[test]
fn a_list_of_samples_is_not_read_in_part_without_a_word() {
    let dataset = read("list_of_samples.rds");
    assert_eq!((dataset.matrix.as_str(), dataset.cells.len()), ("control", 30));
    assert_eq!(
        message(&dataset.warnings, "other_cells"),
        Some(
            "Only the cells of \"control\" are read. The file has other cells in \"stimulated\" (30 cells): choose that \
             matrix, or save each object as a file of its own and load them together."
        )
    );
}

fn open(files: Files) -> OpenFile {
    files::open(files).unwrap_or_else(|error| panic!("{error}"))
}

/// An unfiltered sample: 20,000 barcodes, of which some have the counts of cells and twice as many those of soup.
fn unfiltered(name: &str, cells: usize, count: usize) -> Files {
    let (mut barcodes, mut features, mut entries) = (String::new(), String::new(), String::new());
    (0..20_000).for_each(|cell| writeln!(barcodes, "{name}{cell}").expect("a line"));
    (0..1_000).for_each(|gene| writeln!(features, "ENSG{gene:011}\tG{gene}\tGene Expression").expect("a line"));
    for cell in 0..3 * cells {
        let count = if cell < cells { count } else { 1 };
        (0..120).for_each(|gene| writeln!(entries, "{} {} {count}", gene * 8 + 1, cell + 1).expect("a line"));
    }
    let header = format!("%%MatrixMarket matrix coordinate integer general\n1000 20000 {}\n", 360 * cells);
    [("matrix.mtx", header + &entries), ("barcodes.tsv", barcodes), ("features.tsv", features)]
        .map(|(file, text)| (format!("{name}/{file}"), text.into_bytes()))
        .to_vec()
}

/// Each sample is asked by itself which features its genes are; the same feature is one gene, kept or not.
#[test]
fn genes_of_several_samples_are_joined_by_what_they_are() {
    let mex = |name: &str, genes: &str| {
        let matrix = "%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 5\n2 1 6\n2 2 7\n3 2 8\n".to_owned();
        [("matrix.mtx", matrix), ("barcodes.tsv", format!("{name}1\n{name}2\n")), ("genes.tsv", genes.to_owned())]
            .map(|(file, text)| (format!("{name}/{file}"), text.into_bytes()))
            .to_vec()
    };
    let files =
        [mex("a", "ENSG00000000001\tG1\nENSG00000000002\tG2\nENSG00000000003\tG3\n"), mex("b", "OLD2\nG4\nG3\n")]
            .concat();
    let asked = std::cell::RefCell::new(Vec::new());
    let features = |genes: &[sextant::formats::Feature]| {
        asked.borrow_mut().push(genes.iter().map(|gene| gene.symbol.clone()).collect::<Vec<_>>());
        let feature = |gene: &sextant::formats::Feature| match gene.symbol.as_str() {
            "G2" | "OLD2" => Some(9),
            "G3" => Some(4),
            _ => None,
        };
        genes.iter().map(feature).collect::<Vec<_>>()
    };
    let read = |features_only| {
        let options = ReadOptions { features: Some(&features), features_only, ..Default::default() };
        let dataset = open(files.clone()).read(&options, &mut (), &Progress::silent()).expect("a dataset");
        let symbols = dataset.features.iter().map(|feature| feature.symbol.clone()).collect::<Vec<_>>();
        let rows: Vec<Vec<(u32, f32)>> = (0..4).map(|cell| dataset.counts.row(cell).collect()).collect();
        (symbols, rows, dataset.genes_in_file)
    };
    let (symbols, rows, genes) = read(false);
    assert_eq!((symbols, genes), (["G1", "G2", "G3", "G4"].map(String::from).to_vec(), 4));
    let expected =
        [vec![(0, 5.0), (1, 6.0)], vec![(1, 7.0), (2, 8.0)], vec![(1, 5.0), (3, 6.0)], vec![(2, 8.0), (3, 7.0)]];
    assert_eq!(rows, expected);
    let (symbols, rows, genes) = read(true);
    assert_eq!((symbols, genes), (["G2", "G3"].map(String::from).to_vec(), 4));
    assert_eq!(rows, [vec![(0, 6.0)], vec![(0, 7.0), (1, 8.0)], vec![(0, 5.0)], vec![(1, 8.0)]]);
    assert_eq!(
        asked.into_inner(),
        [["G1", "G2", "G3"], ["OLD2", "G4", "G3"], ["G1", "G2", "G3"], ["OLD2", "G4", "G3"]]
    );
}

#[test]
fn empty_droplets_of_several_samples_are_no_cells() {
    let files = [unfiltered("deep", 50, 100), unfiltered("shallow", 40, 20)].concat();
    let query = |min_counts| {
        let options = QueryOptions { min_counts, ..Default::default() };
        Query::read(&mut open(files.clone()), &options, &Progress::silent()).expect("a query")
    };
    let own = query(None);
    let of = |query: &Query, name: &str| query.cells.iter().filter(|cell| cell.starts_with(name)).count();
    assert_eq!((of(&own, "deep"), of(&own, "shallow")), (50, 40));
    assert_eq!((own.counts.cells(), own.metadata[0].1.text(50).as_deref()), (90, Some("shallow")));
    assert_eq!(
        message(&own.warnings, "unfiltered"),
        Some(
            "These files are not filtered, most of their barcodes are of empty droplets: deep (20,000 barcodes, 50 with \
             at least 1,200 counts), shallow (20,000 barcodes, 40 with at least 240 counts). Those with that many counts are \
             taken for cells, unless another limit is set."
        )
    );
    assert_eq!(message(&own.warnings, "few_counts"), None);
    let chosen = query(Some(5_000.0));
    assert_eq!((of(&chosen, "deep"), of(&chosen, "shallow")), (50, 0));
    assert_eq!(
        message(&chosen.warnings, "few_counts"),
        Some("220 cells with fewer than 5,000 counts were left out, as asked for.")
    );
    let alone = Query::read(&mut open(unfiltered("deep", 50, 100)), &QueryOptions::default(), &Progress::silent());
    assert_eq!(
        message(&alone.expect("a query").warnings, "unfiltered"),
        Some(
            "The file is not filtered: it has 20,000 barcodes, most of them of empty droplets. The 50 with at least 1,200 \
             counts were taken for cells (suggested: 1,200, with 50 cells)."
        )
    );
    let filtered = [
        unfiltered("deep", 50, 100),
        vec![("few.csv".into(), b"gene,c1,c2,c3,c4\nACTB,1,7,1,1\nGAPDH,1,7,2,3\n".to_vec())],
    ];
    let both =
        Query::read(&mut open(filtered.concat()), &QueryOptions::default(), &Progress::silent()).expect("a query");
    assert_eq!(
        message(&both.warnings, "unfiltered"),
        Some(
            "This file is not filtered, most of its barcodes are of empty droplets: deep (20,000 barcodes, 50 with at least \
             1,200 counts). Those with that many counts are taken for cells, unless another limit is set."
        )
    );
    assert_eq!((both.cells.len(), both.cells.last().map(String::as_str)), (54, Some("c4")));
}
