//! References that Azimuth publishes: objects with their classes and slots (`tests/data/azimuth`), imported and mapped onto.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use sextant::azimuth::{self, Options};
use sextant::map::{Method, Query, map, proteins};
use sextant::progress::Progress;
use sextant::reference::{About, Reference, VarianceFloor, bundle};
use sextant::{Result, Warning};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tables::Table;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/azimuth")
}

fn import(bytes: Vec<u8>) -> Result<(Reference, Vec<Warning>)> {
    azimuth::import(Box::new(Cursor::new(bytes)), &Options::default(), About::default(), &Progress::silent())
}

fn of_file(name: &str) -> (Reference, Vec<Warning>) {
    import(std::fs::read(folder().join(name)).expect(name)).expect("a reference")
}

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
    let (reference, warnings) = of_file("proteins.Rds");
    assert_eq!(warnings, []);
    let input = fixture::input("query");
    let genes = input.matched(&reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    let options = sextant::map::Options { method: Method::Seurat, proteins: true, ..Default::default() };
    let mapping = map(&query, &reference, &options, &Progress::silent()).expect("a mapping");
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
    let _ = (proteins::Imputed::of(&mapping, &reference), VarianceFloor::None, bundle::sha256(b""));
}

#[test]
fn look() {
    for name in ["proteins.Rds", "spca_v2.Rds", "dimensions_100.Rds"] {
        let (r, w) = of_file(name);
        println!(
            "{name} {:?} {:?} {:?} {:?}",
            r.embedding.dim(),
            r.loadings.dim(),
            r.model.clip,
            r.model.variance_floor
        );
        println!("{:?} {:?} {:?}", r.umap.layout.dim(), &r.umap.rows[..5], r.umap.parameters);
        println!("{w:?} {:?}", r.about.provenance);
        for l in &r.levels {
            println!("{} {:?}", l.name, l.classes);
        }
    }
}
