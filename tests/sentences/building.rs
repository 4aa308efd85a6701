//! What is said of files that cannot become a reference.

use crate::files::messages;
use ndarray::Array2;
use sextant::build::by_gene::ByGene;
use sextant::build::sctransform::{self, ModelOptions};
use sextant::build::{features, labels};
use sextant::error::Result;
use sextant::formats::Feature;
use sextant::matrix::Counts;
use sextant::pca;
use sextant::progress::Progress;

fn sentence<T>(result: Result<T>) -> String {
    result.err().map(|error| error.message).unwrap_or_default()
}

fn level(name: &str, labels: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), labels.iter().map(|label| (*label).to_owned()).collect())
}

#[test]
fn labels_that_make_no_level_are_explained() {
    let said = |levels: &[(String, Vec<String>)], cells| sentence(labels::levels(levels, cells));
    assert_eq!(said(&[], 2), "a reference needs at least one level of labels: name a column of the table of cells");
    assert_eq!(said(&[level("l", &["T", "B"])], 3), "level `l` has 2 labels, but the file has 3 cells");
    assert_eq!(
        said(&[level("l", &["T", "nan", "B"])], 3),
        "1 of 3 cells have no label in level `l`: every reference cell needs one; take these cells out of the file, or give \
         them a label such as `unknown`"
    );
    assert_eq!(
        said(&[level("l", &["T", "T"])], 2),
        "level `l` has only the class `T`: at least two are needed to tell cells apart"
    );
    let twice = [level("l", &["T", "B"]), level("l", &["T", "B"])];
    assert_eq!(said(&twice, 2), "the level `l` is named twice");
    let names: Vec<String> = (0..65_536).map(|cell| format!("c{cell}")).collect();
    assert_eq!(
        said(&[("l".into(), names)], 65_536),
        "level `l` has more than 65,535 classes: it looks like a column of names, not of labels"
    );
    let crossed = [level("coarse", &["T", "B", "T", "B"]), level("fine", &["a", "b", "c", "a"])];
    let (_, warnings) = labels::levels(&crossed, 4).expect("levels");
    assert_eq!(
        messages(&warnings),
        [
            "Level `coarse` has classes of fewer than 10 cells, which a query will hardly be assigned to: T (2), B (2).",
            "Level `fine` has classes of fewer than 10 cells, which a query will hardly be assigned to: a (2), b (1), c (1).",
            "Level `fine` is no refinement of `coarse`: cells of a lie in several classes of it, so each of the two is \
             labelled by itself, and they can contradict each other.",
        ]
    );
}

#[test]
fn counts_that_make_no_model_are_explained() {
    let counts = |rows: &[&[(u32, f32)]]| {
        let mut counts = Counts::with_genes(3);
        rows.iter().for_each(|row| counts.push_row(row.iter().copied()));
        counts
    };
    assert_eq!(
        sentence(features::depths(&counts(&[&[(0, 1.0)], &[(1, 0.5)]]))),
        "a reference is built from raw counts, which are whole numbers, but a value of 0.5 was found; name the matrix that \
         holds the counts (such as layers/counts), or round estimated counts first"
    );
    assert_eq!(
        sentence(features::depths(&counts(&[&[(0, 1.0)], &[]]))),
        "1 of 2 cells have no counts at all: take them out of the file"
    );
    let gene = Feature { id: None, symbol: "A".into() };
    assert_eq!(sentence(features::names(&[gene], &[0, 1])), "the matrix has more genes than the 1 names of the file");
    let few = ByGene::new(&counts(&[&[(0, 1.0)], &[(0, 2.0)]]));
    let options = ModelOptions { min_cells: 2, ..Default::default() };
    assert_eq!(
        sentence(sctransform::fit(&few, &[0.0, 0.3], &options, &Progress::silent())),
        "1 genes are detected in at least 2 cells; a reference needs raw counts of many more genes to learn how counts vary"
    );
    let mut alike = Counts::with_genes(20);
    (0..20u32).for_each(|cell| alike.push_row((0..20u32).map(|gene| (gene, ((cell + gene) % 5 + 1) as f32))));
    let depths = features::depths(&alike).expect("depths");
    assert_eq!(
        sentence(sctransform::fit(&ByGene::new(&alike), &depths, &ModelOptions::default(), &Progress::silent())),
        "the genes' mean expression hardly varies, so no trend can be fitted: expected raw counts of a whole transcriptome"
    );
    assert_eq!(
        sentence(pca::components(&Array2::zeros((20, 10)), 12, &Progress::silent())),
        "the data spans only 10 dimensions (20 cells × 10 variable features), but 12 are asked for: add cells or genes, or ask \
         for fewer dimensions"
    );
}
