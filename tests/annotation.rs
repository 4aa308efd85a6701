//! Sextant's own labels on the golden data: 500 control cells as the reference, 400 interferon-stimulated cells as the query.

#![allow(clippy::disallowed_methods)]

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{Input, input, reference, table};
use ndarray::Axis;
use sextant::genes::GeneMatch;
use sextant::map::annotate::{Annotation, CERTAIN, Call, UNKNOWN};
use sextant::map::{Mapping, Method, Options, Query, map, neighbors, project};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use sextant::reference::{Class, Level, Reference, VarianceFloor};
use std::sync::LazyLock;

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| reference("reference_model.tsv.gz", VarianceFloor::None, ""));
static INPUT: LazyLock<Input> = LazyLock::new(|| input("query"));
static MAPPING: LazyLock<Mapping> = LazyLock::new(|| run(&INPUT, &REFERENCE, &Options::default()));

fn run(input: &Input, reference: &Reference, options: &Options) -> Mapping {
    let genes: GeneMatch = input.matched(reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    map(&query, reference, options, &Progress::silent()).expect("a mapping")
}

fn annotation(mapping: &Mapping) -> &Annotation {
    mapping.annotation.as_ref().expect("Sextant's own labels")
}

/// The input with these of its cells, in this order.
fn pick(input: &Input, cells: &[usize]) -> Input {
    let mut counts = Counts::with_genes(input.genes.len());
    cells.iter().for_each(|&cell| counts.push_row(input.counts.row(cell)));
    Input {
        counts,
        totals: cells.iter().map(|&cell| input.totals[cell]).collect(),
        names: cells.iter().map(|&cell| input.names[cell].clone()).collect(),
        genes: input.genes.clone(),
    }
}

fn truth() -> Vec<String> {
    table("query_cells.tsv.gz").column("cell_type")
}

/// The names that cells are given at a level.
fn named(mapping: &Mapping, reference: &Reference, level: &str) -> Vec<String> {
    let labels = mapping.labels.iter().find(|labels| labels.level == level).expect("the level");
    let classes = &reference.level(level).expect("the level").classes;
    labels.codes.iter().map(|&code| classes[usize::from(code)].name.clone()).collect()
}

fn share_right(found: &[String], truth: &[String]) -> f64 {
    found.iter().zip(truth).filter(|(found, truth)| found == truth).count() as f64 / truth.len() as f64
}

/// Probability that a value of the first kind is the larger one.
fn area_under_curve(values: &[f32], first: impl Fn(usize) -> bool) -> f64 {
    let (mut larger, mut pairs) = (0.0, 0.0);
    for (a, &one) in values.iter().enumerate().filter(|(a, _)| first(*a)) {
        assert!(a < values.len());
        for (_, &other) in values.iter().enumerate().filter(|(b, _)| !first(*b)) {
            pairs += 1.0;
            larger += if one > other { 1.0 } else { f64::from(u8::from(one == other)) / 2.0 };
        }
    }
    assert!(pairs > 0.0);
    larger / pairs
}

#[test]
fn is_right_at_least_as_often_as_the_label_transfer() {
    let transferred = run(&INPUT, &REFERENCE, &Options { method: Method::Seurat, ..Options::default() });
    assert!(transferred.annotation.is_none());
    let truth = truth();
    let [ours, theirs] =
        [&*MAPPING, &transferred].map(|mapping| share_right(&named(mapping, &REFERENCE, "cell_type"), &truth));
    println!("right: {ours:.4}, by the label transfer {theirs:.4}");
    assert!(ours >= theirs && ours > 0.86, "{ours} {theirs}");
    // All but the labels is the same.
    assert!(MAPPING.labels.iter().zip(&transferred.labels).all(|(ours, theirs)| ours.scores == theirs.scores));
    assert_eq!(MAPPING.umap.layout, transferred.umap.layout);
    assert_eq!(MAPPING.mapping_scores, transferred.mapping_scores);
}

#[test]
fn levels_never_contradict_each_other_and_probabilities_add_up() {
    let (fine, coarse) = (named(&MAPPING, &REFERENCE, "cell_type"), named(&MAPPING, &REFERENCE, "coarse"));
    let (fine_level, coarse_level) =
        (REFERENCE.level("cell_type").expect("a level"), REFERENCE.level("coarse").expect("a level"));
    let name = |level: &Level, cell: usize| level.classes[usize::from(level.codes[cell])].name.clone();
    let pairs: std::collections::HashSet<(String, String)> =
        (0..REFERENCE.cells.len()).map(|cell| (name(fine_level, cell), name(coarse_level, cell))).collect();
    for (cell, pair) in fine.into_iter().zip(coarse).enumerate() {
        assert!(pairs.contains(&pair), "cell {cell}: {pair:?}");
        let [fine, coarse] = [0, 1].map(|level| annotation(&MAPPING).confidences[level][cell]);
        assert!(fine > 0.0 && fine <= coarse && coarse <= 1.0, "cell {cell}: {fine} {coarse}");
    }
}

#[test]
fn calls_are_as_fine_as_they_are_certain() {
    let found = annotation(&MAPPING);
    let (mut coarser, mut finest) = (0, 0);
    for (cell, &call) in found.calls.iter().enumerate() {
        let [fine, coarse] = [0, 1].map(|level| found.confidences[level][cell]);
        let expected = match () {
            () if found.unknown_scores[cell] >= UNKNOWN => Call::Unknown,
            () if coarse < CERTAIN => Call::Unresolved,
            () if fine < CERTAIN => Call::Level(1),
            () => Call::Level(0),
        };
        assert_eq!(call, expected, "cell {cell}");
        coarser += usize::from(call == Call::Level(1));
        finest += usize::from(call == Call::Level(0));
    }
    assert!(coarser > 0 && finest > 300, "{coarser} {finest}");
}

#[test]
fn the_levels_asked_for_change_no_label() {
    let options = Options { levels: Some(vec!["coarse".into()]), ..Options::default() };
    let alone = run(&INPUT, &REFERENCE, &options);
    assert_eq!(alone.labels[0], MAPPING.labels[1]);
    assert_eq!(annotation(&alone).confidences[0], annotation(&MAPPING).confidences[1]);
    assert_eq!(annotation(&alone).unknown_scores, annotation(&MAPPING).unknown_scores);
}

#[test]
fn a_level_that_crosses_the_others_stands_alone() {
    let mut crossed = REFERENCE.clone();
    let class = |name: &str| Class { name: name.into(), color: "#000000".into(), ontology: None };
    let codes = (0..crossed.cells.len()).map(|cell| (cell % 2) as u16).collect();
    crossed.levels.insert(0, Level { name: "batch".into(), classes: vec![class("one"), class("two")], codes });
    let found = run(&INPUT, &crossed, &Options::default());
    assert_eq!(found.labels[1..], MAPPING.labels);
    assert_eq!(annotation(&found).confidences[1..], annotation(&MAPPING).confidences);
    // The label has at least half after integration, which is four fifths of the confidence.
    assert!(annotation(&found).confidences[0].iter().all(|&confidence| (0.4..=1.0).contains(&confidence)));
}

/// The reference without the cells of a class of `cell_type`.
fn without(class: &str) -> Reference {
    let all = &*REFERENCE;
    let level = all.level("cell_type").expect("a level");
    let code = level.classes.iter().position(|other| other.name == class).expect("the class");
    let kept: Vec<usize> = (0..all.cells.len()).filter(|&cell| usize::from(level.codes[cell]) != code).collect();
    let mut left = all.clone();
    left.embedding = all.embedding.select(Axis(0), &kept);
    let unit = project::normalize_rows(&left.embedding);
    left.neighbors = neighbors::nearest(&unit, &unit, 31, "", &Progress::silent()).indices;
    left.cells = kept.iter().map(|&cell| all.cells[cell].clone()).collect();
    left.umap.rows = kept.iter().map(|&cell| all.umap.rows[cell]).collect();
    left.levels.iter_mut().for_each(|level| level.codes = kept.iter().map(|&cell| level.codes[cell]).collect());
    left.check().expect("a reference");
    left
}

#[test]
fn types_that_the_reference_does_not_have_are_doubted() {
    let truth = truth();
    for (class, least) in [("B cells", 0.95), ("CD14+ Monocytes", 0.9)] {
        let found = run(&INPUT, &without(class), &Options::default());
        let is_unknown = |cell: usize| truth[cell] == class;
        let doubt = area_under_curve(&annotation(&found).unknown_scores, is_unknown);
        let unmapped: Vec<f32> = found.mapping_scores.iter().map(|score| 1.0 - score).collect();
        let unmapped = area_under_curve(&unmapped, is_unknown);
        println!("{class}: AUROC {doubt:.3}, of 1 - mapping score {unmapped:.3}");
        assert!(doubt > least && doubt > unmapped, "{class}: {doubt} {unmapped}");
    }
    let doubted = Annotation {
        confidences: Vec::new(),
        unknown_scores: vec![0.9, 0.1, 0.2],
        calls: vec![Call::Unknown, Call::Level(0), Call::Unresolved],
    };
    assert_eq!(
        doubted.warning().expect("a warning").message,
        "33.3 % of the cells look as if the reference did not have their type (unknown.score from 0.5): see whether they are \
         clusters of their own before you trust their labels."
    );
    assert_eq!(annotation(&MAPPING).warning(), None);
    let known = annotation(&MAPPING).calls.iter().filter(|call| **call == Call::Unknown).count();
    assert!(known <= 20, "{known} of 400 cells of known types are called unknown");
}

#[test]
fn permuted_cells_have_the_same_labels() {
    let mut order: Vec<usize> = (0..400).map(|cell| cell * 147 % 400).collect();
    order.dedup();
    let permuted = run(&pick(&INPUT, &order), &REFERENCE, &Options::default());
    for (row, &cell) in order.iter().enumerate() {
        for level in 0..2 {
            assert_eq!(permuted.labels[level].codes[row], MAPPING.labels[level].codes[cell], "cell {cell}");
            let [one, other] = [&permuted, &*MAPPING].map(|mapping| &annotation(mapping).confidences[level]);
            assert!((one[row] - other[cell]).abs() < 1e-5, "cell {cell}");
        }
        let [one, other] = [&permuted, &*MAPPING].map(|mapping| &annotation(mapping).unknown_scores);
        assert!((one[row] - other[cell]).abs() < 1e-4, "cell {cell}: {} {}", one[row], other[cell]);
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| run(&INPUT, &REFERENCE, &Options::default()))
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.annotation, three.annotation);
    assert_eq!(one.labels, three.labels);
}

#[test]
fn a_reference_labels_itself_at_least_as_well_as_its_neighbours_do() {
    let itself = input("reference");
    let found = run(&itself, &REFERENCE, &Options::default());
    let level = REFERENCE.level("cell_type").expect("a level");
    let truth: Vec<String> = level.codes.iter().map(|&code| level.classes[usize::from(code)].name.clone()).collect();
    let voted: Vec<String> = (0..REFERENCE.cells.len())
        .map(|cell| {
            let mut votes = vec![0; level.classes.len()];
            REFERENCE.neighbors.row(cell).iter().skip(1).take(15).for_each(|&near| {
                votes[usize::from(level.codes[near as usize])] += 1;
            });
            let best = (0..votes.len()).rev().max_by_key(|&class| votes[class]).unwrap_or(0);
            level.classes[best].name.clone()
        })
        .collect();
    let (ours, theirs) = (share_right(&named(&found, &REFERENCE, "cell_type"), &truth), share_right(&voted, &truth));
    println!("onto itself: {ours:.4}, leave-one-out vote {theirs:.4}");
    assert!(ours >= theirs, "{ours} {theirs}");
}

#[test]
fn one_type_only() {
    let truth = truth();
    let monocytes: Vec<usize> = (0..400).filter(|&cell| truth[cell].contains("Mono")).collect();
    let found = run(&pick(&INPUT, &monocytes), &REFERENCE, &Options::default());
    let expected = vec!["myeloid".to_owned(); monocytes.len()];
    let right = share_right(&named(&found, &REFERENCE, "coarse"), &expected);
    let unknown = annotation(&found).calls.iter().filter(|call| **call == Call::Unknown).count();
    println!("{} monocytes: {right:.3} right, {unknown} called unknown", monocytes.len());
    assert!(right > 0.95 && unknown * 10 < monocytes.len());
}

#[test]
fn a_few_cells_are_labelled_where_seurat_fails() {
    let few: Vec<usize> = (0..40).collect();
    let few = pick(&INPUT, &few);
    let found = run(&few, &REFERENCE, &Options::default());
    let right = share_right(&named(&found, &REFERENCE, "coarse"), &named(&MAPPING, &REFERENCE, "coarse")[..40]);
    assert!(right >= 0.9, "{right}");
    assert!(found.mapping_scores.iter().all(|score| (0.0..=1.0).contains(score)));
    assert!(found.umap.layout.iter().all(|place| place.is_finite()));
    let said = found.warnings().into_iter().find(|warning| warning.code == "few_anchors").expect("a warning").message;
    let anchors = found.anchors.len();
    assert!(said.starts_with(&format!("Only {anchors} anchors on ")), "{said}");
    assert!(
        said.ends_with(
            " cells were found; Azimuth refuses a mapping with fewer than 50. Prediction and mapping scores mean little \
             here: go by the confidence."
        ),
        "{said}"
    );
    let genes = few.matched(&REFERENCE);
    let query = Query { counts: &few.counts, totals: &few.totals, names: &few.names, genes: &genes };
    let seurat = Options { method: Method::Seurat, ..Options::default() };
    let error = map(&query, &REFERENCE, &seurat, &Progress::silent()).expect_err("too few anchors");
    assert!(error.message.starts_with("Too few anchors identified: "), "{}", error.message);
}
