//! References that Azimuth publishes: objects with their classes and slots (`tests/data/azimuth`), imported, mapped onto,
//! written again, and with every part missing or odd.

#![allow(clippy::disallowed_methods)]

#[path = "../golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod odd;
#[path = "../golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use sextant::azimuth::{self, Options};
use sextant::map::{Method, Query, map};
use sextant::progress::Progress;
use sextant::reference::{About, Reference, VarianceFloor, bundle};
use sextant::{Result, Warning};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tables::Table;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/azimuth")
}

fn import_levels(bytes: Vec<u8>, levels: Option<&[&str]>) -> Result<(Reference, Vec<Warning>)> {
    let levels = levels.map(|levels| levels.iter().map(|level| (*level).to_owned()).collect());
    let about = About { name: "kang".into(), ..About::default() };
    azimuth::import(Box::new(Cursor::new(bytes)), &Options { levels }, about, &Progress::silent())
}

fn import(bytes: Vec<u8>) -> Result<(Reference, Vec<Warning>)> {
    import_levels(bytes, None)
}

fn of_file(name: &str) -> Reference {
    let (reference, warnings) = import(std::fs::read(folder().join(name)).expect(name)).expect("a reference");
    assert_eq!(warnings, []);
    reference
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| of_file("proteins.Rds"));

/// Seurat's tables hold nine digits of what it computes in f64.
fn assert_close(what: &str, found: &ndarray::Array2<f32>, expected: &Table, tolerance: f64) {
    let expected = expected.matrix();
    assert_eq!(found.dim(), expected.dim(), "{what}");
    let apart = found.iter().zip(&expected).map(|(&ours, &theirs)| (f64::from(ours) - theirs).abs());
    let largest = apart.fold(0.0, f64::max);
    println!("{what}: largest difference {largest:.1e} (allowed {tolerance:e})");
    assert!(largest <= tolerance, "{what}: {largest:e}");
}

#[test]
fn a_query_is_mapped_as_seurat_maps_it() {
    let reference = &*REFERENCE;
    let input = fixture::input("query");
    let genes = input.matched(reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    let options = sextant::map::Options { method: Method::Seurat, ..Default::default() };
    let mapping = map(&query, reference, &options, &Progress::silent()).expect("a mapping");
    let table = |name: &str| Table::read(&folder().join(name));
    assert_close("projected components", &mapping.projected, &table("query_projected.tsv.gz"), 1e-5);
    let predictions = table("predictions.tsv.gz");
    for (labels, level) in mapping.labels.iter().zip(&reference.levels) {
        let found: Vec<&str> = labels.codes.iter().map(|&code| level.classes[code as usize].name.as_str()).collect();
        assert_eq!(found, predictions.column(&format!("predicted.{}", level.name)));
        let scores = predictions.numbers(&format!("predicted.{}.score", level.name));
        for (cell, score) in scores.into_iter().enumerate() {
            assert!((f64::from(labels.score(cell)) - score).abs() <= 1e-5, "{cell}");
        }
    }
    for (found, expected) in mapping.mapping_scores.iter().zip(predictions.numbers("mapping.score")) {
        assert!((f64::from(*found) - expected).abs() <= 1e-4);
    }
}

/// Facts of the objects, as R tells them of the same files.
#[test]
fn parts_come_from_their_slots() {
    let reference = &*REFERENCE;
    assert_eq!((reference.embedding.dim(), reference.loadings.dim()), ((250, 50), (460, 50)));
    assert_eq!((reference.umap.layout.dim(), &reference.umap.rows[..5]), ((300, 2), &[0, 1, 3, 4, 5][..]));
    assert_eq!(reference.umap.parameters.epochs, 500);
    assert_eq!(reference.neighbors.row(0).to_vec()[..6], [0, 59, 111, 166, 68, 16]);
    assert_eq!(reference.neighbors.dim(), (250, 31));
    let clip = (300f64 / 30.0).sqrt();
    assert_eq!(reference.model.residuals().map(|model| model.clip), Some((-clip, clip)));
    assert_eq!(reference.model.variance_floor(), VarianceFloor::None);
    let level = reference.level("celltype.l1").expect("a level");
    let classes: Vec<(&str, &str)> =
        level.classes.iter().map(|class| (class.name.as_str(), class.color.as_str())).collect();
    assert_eq!(classes, [("myeloid", "#d37a4a"), ("lymphoid", "#e16a86"), ("other", "#b88a00")]);
    assert_eq!(reference.proteins.as_ref().map(|proteins| proteins.values.dim()), Some((250, 9)));

    let supervised = of_file("spca_v2.Rds");
    assert_eq!(
        (supervised.embedding.dim(), supervised.model.variance_floor()),
        ((150, 40), VarianceFloor::MedianCount)
    );
    assert!(supervised.proteins.is_none());
    let wide = of_file("dimensions_100.Rds");
    assert_eq!((wide.embedding.dim(), wide.loadings.dim(), wide.levels.len()), ((150, 100), (260, 100), 1));
}

#[test]
fn what_is_exported_is_imported_again() {
    for name in ["proteins.Rds", "spca_v2.Rds", "dimensions_100.Rds"] {
        let reference = of_file(name);
        let written = sextant::export::azimuth(&reference).expect("an object");
        assert!(written == sextant::export::azimuth(&reference).expect("an object"), "the same bytes");
        let (mut again, warnings) = import(written).expect("a reference");
        assert_eq!(warnings, []);
        // It tells of its own making once more.
        again.about.provenance.clone_from(&reference.about.provenance);
        assert!(bundle::write(&again).expect("a bundle") == bundle::write(&reference).expect("a bundle"), "{name}");
    }
}

#[test]
fn a_reference_that_was_built_here_comes_back() {
    let built = fixture::reference("reference_model_v2.tsv.gz", VarianceFloor::Fixed(0.04), "v2_");
    let (again, warnings) = import(sextant::export::azimuth(&built).expect("an object")).expect("a reference");
    assert_eq!(warnings, []);
    assert_eq!((&again.features, &again.model), (&built.features, &built.model));
    assert_eq!((&again.loadings, &again.embedding), (&built.loadings, &built.embedding));
    assert_eq!((&again.neighbors, &again.umap, &again.cells), (&built.neighbors, &built.umap, &built.cells));
    for level in &built.levels {
        assert_eq!(again.level(&level.name), Some(level));
    }
}

#[test]
fn genes_of_one_symbol_are_told_apart() {
    let mut reference = REFERENCE.clone();
    reference.features[1].symbol = reference.features[0].symbol.clone();
    let (again, _) = import(sextant::export::azimuth(&reference).expect("an object")).expect("a reference");
    assert_eq!(again.features[1].symbol, format!("{}.1", reference.features[0].symbol));
    assert_eq!(again.model, reference.model);
}
