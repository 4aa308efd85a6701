//! References of Symphony: lists with their classes and elements (`tests/data/symphony`), imported, mapped onto as symphonypy
//! does it, and with every part missing or odd.

#![allow(clippy::disallowed_methods)]

#[path = "../golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod odd;
#[path = "../golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::Input;
use ndarray::Array2;
use sextant::doublets::{self, doublet_scores};
use sextant::formats::Feature;
use sextant::map::project::project;
use sextant::map::{Method, Query, map};
use sextant::normalize::Residuals;
use sextant::progress::Progress;
use sextant::published::{self, Options};
use sextant::qc::Samples;
use sextant::reference::{About, ExpressionModel, LogModel, Reference, bundle};
use sextant::{Result, Warning};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tables::Table;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/symphony")
}

fn import_levels(bytes: Vec<u8>, levels: Option<&[&str]>) -> Result<(Reference, Vec<Warning>)> {
    let levels = levels.map(|levels| levels.iter().map(|level| (*level).to_owned()).collect());
    let about = About { name: "kang".into(), ..About::default() };
    published::import(Box::new(Cursor::new(bytes)), &Options { levels }, about, &Progress::silent())
}

fn import(bytes: Vec<u8>) -> Result<(Reference, Vec<Warning>)> {
    import_levels(bytes, None)
}

fn of_file(name: &str) -> (Reference, Vec<Warning>) {
    import(std::fs::read(folder().join(name)).expect(name)).expect("a reference")
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| of_file("reference.rds").0);

fn model(reference: &mut Reference) -> &mut LogModel {
    match &mut reference.model {
        ExpressionModel::LogNormalized(model) => model,
        ExpressionModel::Residuals(_) => panic!("the model is of logarithms"),
    }
}

fn uncorrected() -> Reference {
    let mut reference = REFERENCE.clone();
    model(&mut reference).clusters = None;
    reference
}

/// The 250 stimulated cells that are not in the reference.
fn query() -> Input {
    let all = fixture::input("query");
    let cells: Vec<usize> = (150..400).collect();
    Input {
        counts: all.counts.select_cells(&cells),
        totals: cells.iter().map(|&cell| all.totals[cell]).collect(),
        names: cells.iter().map(|&cell| all.names[cell].clone()).collect(),
        genes: all.genes,
    }
}

fn projected(input: &Input, reference: &Reference) -> Array2<f32> {
    let genes = input.matched(reference);
    let residuals = Residuals::new(reference, &input.counts, &genes.feature_of_gene);
    project(&residuals, reference, &input.counts, &input.totals, &Progress::silent())
}

fn assert_close(what: &str, found: &Array2<f32>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim(), "{what}");
    let apart = found.iter().zip(expected).map(|(&ours, &theirs)| (f64::from(ours) - theirs).abs());
    let largest = apart.fold(0.0, f64::max);
    println!("{what}: largest difference {largest:.1e} (allowed {tolerance:e})");
    assert!(largest <= tolerance, "{what}: {largest:e}");
}

#[test]
fn a_query_is_projected_and_corrected_as_symphonypy_does_it() {
    let (reference, input) = (&*REFERENCE, query());
    let table = |name: &str| Table::read(&folder().join(name)).matrix();
    let (before, after) = (table("query_projected.tsv.gz"), table("query_corrected.tsv.gz"));
    assert_close("projected", &projected(&input, reference), &before, 1e-5);
    let genes = input.matched(reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    let mapping = map(&query, reference, &Default::default(), &Progress::silent()).expect("a mapping");
    assert_close("corrected", &mapping.projected, &after, 1e-5);
    let moved = before.iter().zip(&after).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
    assert!(moved > 0.5, "the correction does something: {moved}");
    let without = map(&query, &uncorrected(), &Default::default(), &Progress::silent()).expect("a mapping");
    assert_close("without clusters", &without.projected, &before, 1e-5);
}

/// Every value by itself, in a dense matrix; with a clip that cuts many of them.
#[test]
fn the_sparse_projection_is_the_dense_one() {
    let input = query();
    for clip in [10.0, 1.0, 0.2] {
        let mut reference = REFERENCE.clone();
        model(&mut reference).clip = clip;
        let LogModel { mean, stddev, .. } = model(&mut reference).clone();
        let (cells, dimensions) = (input.names.len(), reference.loadings.ncols());
        let mut expected = Array2::<f64>::zeros((cells, dimensions));
        let mut cut = 0;
        for (feature, Feature { symbol, .. }) in reference.features.iter().enumerate() {
            let Some(gene) = input.genes.iter().position(|gene| gene.symbol == *symbol) else {
                continue;
            };
            for cell in 0..cells {
                let count = input.counts.row(cell).find(|entry| entry.0 as usize == gene).map_or(0.0, |entry| entry.1);
                let logarithm = (1.0 + f64::from(count) / input.totals[cell] * 10_000.0).ln();
                let value = (logarithm - mean[feature]) / stddev[feature];
                cut += usize::from(value.abs() > clip);
                for axis in 0..dimensions {
                    expected[(cell, axis)] += value.clamp(-clip, clip) * f64::from(reference.loadings[(feature, axis)]);
                }
            }
        }
        assert!(clip == 10.0 || cut > 1000, "{cut} values are cut at {clip}");
        assert_close("dense", &projected(&input, &reference), &expected, 1e-5);
    }
}

/// Symphony takes a gene that the file has for measured, whether or not any cell has a count of it.
#[test]
fn a_gene_without_counts_is_a_zero_and_a_missing_one_is_nothing() {
    let mut input = query();
    let reference = &*REFERENCE;
    let lacking = reference.features.iter().filter(|feature| !input.genes.contains(feature)).count();
    assert_eq!(lacking, 12);
    let missing = projected(&input, reference);
    let feature = reference.features.iter().position(|feature| !input.genes.contains(feature)).expect("one");
    // A gene more, of which no cell has counts.
    input.genes.push(reference.features[feature].clone());
    let mut counts = sextant::matrix::Counts::with_genes(input.genes.len());
    (0..input.names.len()).for_each(|cell| counts.push_row(input.counts.row(cell)));
    input.counts = counts;
    let zero = projected(&input, reference);
    let LogModel { mean, stddev, .. } = model(&mut reference.clone()).clone();
    let value = -mean[feature] / stddev[feature];
    let expected = Array2::from_shape_fn(missing.dim(), |(cell, axis)| {
        f64::from(missing[(cell, axis)]) + value * f64::from(reference.loadings[(feature, axis)])
    });
    assert_close("a zero more", &zero, &expected, 1e-5);
}

#[test]
fn labels_scores_and_doublets_of_a_query() {
    let (reference, input) = (&*REFERENCE, query());
    let genes = input.matched(reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    let truth = fixture::table("query_cells.tsv.gz").column("cell_type")[150..].to_vec();
    for (method, fewest) in [(Method::Sextant, 180), (Method::Seurat, 170)] {
        let options = sextant::map::Options { method, ..Default::default() };
        let mapping = map(&query, reference, &options, &Progress::silent()).expect("a mapping");
        let level = reference.level("cell_type").expect("a level");
        let found = mapping.labels.iter().find(|labels| labels.level == "cell_type").expect("labels");
        let right = found.codes.iter().zip(&truth).filter(|(code, name)| level.classes[**code as usize].name == **name);
        let right = right.count();
        println!("{}: {right} of 250", method.name());
        assert!(right >= fewest, "{}: {right} of 250", method.name());
        assert!(mapping.mapping_scores.iter().all(|score| (0.0..=1.0).contains(score)));
        assert!(mapping.umap.layout.iter().all(|place| place.is_finite()));
    }
    let scores =
        doublet_scores(&query, reference, &Samples::one(250), &doublets::Options::default(), &Progress::silent());
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)) && scores.iter().any(|score| *score > 0.0));
}

/// Facts of the lists, as R tells them of the same files.
#[test]
fn parts_come_from_their_elements() {
    let (reference, warnings) = of_file("reference.rds");
    assert_eq!(
        warnings.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(),
        [
            "Of meta_data, cell_type became levels. These columns could be, too, if --levels names them: condition, coarse."
        ]
    );
    assert_eq!((reference.embedding.dim(), reference.loadings.dim()), ((300, 15), (300, 15)));
    assert_eq!((reference.umap.layout.dim(), reference.neighbors.dim()), ((300, 2), (300, 31)));
    assert_eq!(reference.cells[0], "ctrl_AAACATACATTTCC-1");
    assert_eq!(reference.levels.len(), 1);
    assert_eq!(reference.model.clusters().expect("clusters").sums.dim(), (10, 15));
    assert_eq!(
        reference.about.provenance,
        [
            "Imported from a Symphony reference: log1p of counts per 10,000, scaled, projected by its loadings.",
            "Loadings and integrated embedding (Z_corr) as they were: 300 features, 15 dimensions, 300 cells. A query is corrected by \
             its 10 clusters before anchors are found."
        ]
    );

    let (plain, warnings) = of_file("plain.rds");
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Of meta_data, cell_type became levels. These columns could be, too, if --levels names them: condition, coarse.",
            "cache is missing; what a query is corrected with was computed from R and Z_corr.",
            "umap$embedding is missing; a map of the reference was laid out anew from Z_corr. (The file that save_uwot_path names cannot \
             be read here, and is not needed.)",
        ]
    );
    assert_eq!((plain.embedding.dim(), plain.loadings.dim(), plain.umap.layout.dim()), ((120, 8), (60, 8), (120, 2)));
    assert_eq!(
        (plain.cells[0].as_str(), plain.cells[119].as_str()),
        (REFERENCE.cells[0].as_str(), REFERENCE.cells[239].as_str())
    );
    assert_eq!(plain.model.clusters().expect("clusters").sizes.len(), 6);
    // The shares of each cell are 1 together.
    let sizes: f64 = plain.model.clusters().expect("clusters").sizes.iter().sum();
    assert!((sizes - 120.0).abs() < 1e-3, "{sizes}");
    let again = bundle::read(&bundle::write(&plain).expect("a bundle")).expect("a reference");
    assert!(again.model == plain.model, "the model");
    assert_eq!((again.umap.layout, again.umap.rows), (plain.umap.layout, plain.umap.rows));
}

#[test]
fn the_same_file_gives_the_same_bundle() {
    let bytes = || bundle::write(&of_file("plain.rds").0).expect("a bundle");
    assert!(bytes() == bytes());
}

#[test]
fn levels_are_those_that_are_asked_for() {
    let bytes = std::fs::read(folder().join("reference.rds")).expect("a file");
    let (reference, warnings) =
        import_levels(bytes.clone(), Some(&["condition", "coarse", "coarse"])).expect("a reference");
    assert_eq!(warnings, []);
    let names: Vec<(&str, usize)> =
        reference.levels.iter().map(|level| (level.name.as_str(), level.classes.len())).collect();
    assert_eq!(names, [("condition", 2), ("coarse", 3)]);
    assert_eq!(reference.levels[0].classes[0].color, "#0072b2");
    let refused = import_levels(bytes, Some(&["donor"])).expect_err("a sentence").message;
    assert_eq!(
        refused,
        "meta_data has no column \"donor\" to take for a level. Its columns are: cell_id, condition, coarse, cell_type."
    );
}

#[test]
fn azimuths_and_symphonys_are_told_apart() {
    let azimuth = std::fs::read(folder().join("../azimuth/dimensions_100.Rds")).expect("a file");
    assert!(import(azimuth).expect("a reference").0.model.residuals().is_some());
    assert!(REFERENCE.model.residuals().is_none());
    let said = |bytes: Vec<u8>| import(bytes).expect_err("a sentence").message;
    let cannot = |what: &str| {
        format!(
            "This cannot be imported as a reference: {what}. Give the file ref.Rds of a reference that Azimuth publishes, or what \
             buildReference() of the R package symphony returns, saved with saveRDS()."
        )
    };
    assert_eq!(said(b"PK\x03\x04 and more".to_vec()), cannot("it is no file that R's saveRDS() wrote"));
    let matrix = std::fs::read(folder().join("../formats/r/dgc_gzip.rds")).expect("a matrix");
    assert_eq!(said(matrix), cannot("its object is of the class dgCMatrix"));
}
