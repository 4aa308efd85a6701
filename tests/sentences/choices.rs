//! What is said of choices that make no reference, and of what they leave out.

use crate::fixture;
use sextant::Warning;
use sextant::build::choices::{Prepared, prepare};
use sextant::build::columns;
use sextant::build::downsample::Most;
use sextant::build::held_out::By;
use sextant::build::integration::Batches;
use sextant::build::labels::levels;
use sextant::build::validate::cross_validate;
use sextant::build::{Choices, Options, cleaning};
use sextant::error::Result;
use sextant::formats::{Column, Dataset};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use sextant::qc::{Filter, Samples};

fn sentence<T>(result: Result<T>) -> String {
    result.err().map(|error| error.message).unwrap_or_default()
}

fn words(values: impl Iterator<Item = String>) -> Column {
    Column::Text(values.collect())
}

/// The 500 reference cells of the golden fixture, with their labels.
fn golden() -> Dataset {
    let input = fixture::input("reference");
    let cells = fixture::table("reference_cells.tsv.gz");
    let columns = ["cell_type", "coarse"].map(|name| (name.to_owned(), Column::Text(cells.column(name))));
    dataset(input.counts, input.names, input.genes, columns.to_vec())
}

fn dataset(
    counts: Counts,
    cells: Vec<String>,
    features: Vec<sextant::formats::Feature>,
    metadata: Vec<(String, Column)>,
) -> Dataset {
    Dataset {
        format: "test".into(),
        matrix: "X".into(),
        cells,
        genes_in_file: features.len(),
        features,
        gene_columns: Vec::new(),
        feature_types: Vec::new(),
        counts,
        metadata,
        droplets: None,
        least_counts: Vec::new(),
        joined: None,
        warnings: Vec::new(),
    }
}

fn choices(change: impl FnOnce(&mut Choices)) -> Choices {
    let mut choices = Choices { labels: vec!["cell_type".into()], ..Choices::default() };
    change(&mut choices);
    choices
}

#[test]
fn bounds_that_make_no_reference_are_explained() {
    let said = |change: fn(&mut Choices)| sentence(choices(change).check());
    assert_eq!(
        said(|c| c.dimensions = Some(2)),
        "2 dimensions were asked for, and a reference takes 5 to 200: 50 do for most tissues."
    );
    assert_eq!(
        said(|c| c.features = Some(20_000)),
        "20000 features were asked for, and a reference takes 500 to 10000: a query has to have 250 of them, and 3,000 do for most \
         tissues."
    );
    assert_eq!(
        said(|c| c.most = Most { in_all: Some(50), of_class: None }),
        "At most 50 cells were asked for, and a reference needs at least 100."
    );
    assert_eq!(
        said(|c| c.most = Most { in_all: None, of_class: Some(3) }),
        "At most 3 cells of a class were asked for, and a class of fewer than 10 is hardly found again."
    );
    assert_eq!(
        said(|c| c.doublets = Some(1.5)),
        "Doublet scores lie between 0 and 1, and 1.5 does not: 0.5 is more likely a doublet than not."
    );
    assert_eq!(said(|_| ()), "");
    let mut many = golden();
    many.metadata[0].1 =
        words((0..500).map(|cell| format!("type {}", (b'a' + (cell % 13) as u8) as char) + &"x".repeat(cell % 16)));
    assert_eq!(
        sentence::<Prepared>(prepare(
            many,
            &choices(|c| c.most = Most { in_all: Some(150), of_class: None }),
            &Progress::silent()
        )),
        "At most 150 cells were asked for, and there are 208 classes: each needs some."
    );
}

#[test]
fn columns_that_hold_no_labels_are_explained() {
    let said = |metadata: &[(String, Column)], names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        sentence(columns::labels(metadata, &names, 500))
    };
    assert_eq!(
        said(&[], &[]),
        "Name the columns of labels. This file has no table of cells, so it holds no labels: a reference needs some for every \
         cell."
    );
    let score = ("score".to_owned(), Column::Number((0..500).map(|cell| f64::from(cell) / 7.0).collect()));
    assert_eq!(
        said(std::slice::from_ref(&score), &[]),
        "Name the columns of labels. None of the file's looks like one; it has: score."
    );
    assert!(said(&[score], &["score"]).starts_with(
        "The cell column 'score' holds numbers, not labels: 0.14285714285714285 is one, and a score or a measurement makes no \
         classes. Name a column of types."
    ));
    let clusters = ("seurat_clusters".to_owned(), words((0..500).map(|cell| format!("{}", cell % 3))));
    let found = columns::labels(&[clusters], &["seurat_clusters".to_owned()], 500).expect("labels");
    assert_eq!(
        found.warnings.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(),
        [
            "The labels of `seurat_clusters` look like numbers of clusters and not like types (0, 1, 2): a query will be told these \
             numbers. Give the clusters names, or name a column of types."
        ]
    );
}

#[test]
fn batches_and_parts_that_divide_nothing_are_explained() {
    let of_levels = levels(&[("cell_type".into(), fixture::table("reference_cells.tsv.gz").column("cell_type"))], 500);
    let (of_levels, _) = of_levels.expect("levels");
    let barcodes = ("barcode".to_owned(), words((0..500).map(|cell| format!("c{}", cell / 2))));
    assert_eq!(
        sentence(Batches::of(&[barcodes], "barcode", &of_levels)),
        "The cell column 'barcode' has 250 values in 500 cells: batches of fewer than 10 cells on average cannot be told from \
         types. Name a column of donors, samples or studies."
    );
    assert_eq!(
        sentence(Batches::of(&[], "donor", &of_levels)),
        "The file has no table of cells, so there is no column 'donor' to tell batches apart by."
    );
    let validated = |data: Dataset, by: By| sentence(cross_validate(data, &choices(|_| ()), &by, &Progress::silent()));
    assert_eq!(
        validated(golden(), By::Nothing),
        "Name the column whose values are held out in turn; 'none' holds no cells out."
    );
    // Of each half the other half has only one type.
    let mut halves = golden();
    let types: Vec<String> = (0..500).map(|cell| if cell < 250 { "T".to_owned() } else { "B".to_owned() }).collect();
    halves.metadata =
        vec![("cell_type".into(), words(types.clone().into_iter())), ("donor".into(), words(types.into_iter()))];
    assert!(validated(halves, By::Column("donor".into())).starts_with(
        "No part of the cells could be mapped onto the others. The first: level `cell_type` has only the class"
    ));
}

#[test]
fn what_is_left_out_is_told() {
    let golden = golden();
    let one = Samples::one(500);
    let told = |found: Result<(Vec<usize>, Option<Warning>)>| found.expect("some cells").1.expect("a warning").message;
    let filter = Filter::parse("min_features=500").expect("limits");
    let message = told(cleaning::within_limits(&golden, &one, &filter));
    assert!(
        message.contains(" of the 500 cells lie beyond the limits on quality and are left out, as asked for: "),
        "{message}"
    );
    let options = Options { features: 1_000, dimensions: 20, ..Options::default() };
    let doublets = |most: f64| cleaning::no_doublets(&golden, &one, most, &options, &Progress::silent());
    let message = told(doublets(0.2));
    assert!(message.contains(" of the 500 cells have a doublet score above 0.2 and are left out, as asked for (simulated doublets among the neighbours in 20 principal components, as Scrublet)."), "{message}");
}
