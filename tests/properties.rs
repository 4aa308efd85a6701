//! What must hold of every query: an empty cell changes nothing, weights sum to one, nothing is NaN, and a handful of cells
//! give a result or a sentence.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{Input, input};
use ndarray::Axis;
use sextant::cluster::preservation::{self, preservation};
use sextant::cluster::{self, find_clusters, own_map};
use sextant::doublets::{self, doublet_scores};
use sextant::export::{self, MarkerTable};
use sextant::map::samples::map_samples;
use sextant::map::{self, Mapping, Method, Options, map};
use sextant::markers::{self, Grouping, find_markers};
use sextant::matrix::{Counts, Dense};
use sextant::progress::Progress;
use sextant::qc::Samples;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{Reference, VarianceFloor};
use sextant::{batches, formats};
use std::fmt::Write;
use std::io::Cursor;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| fixture::reference("reference_model.tsv.gz", VarianceFloor::None, ""));
static INPUT: LazyLock<Input> = LazyLock::new(|| input("query"));

fn silent() -> Progress<'static> {
    Progress::silent()
}

/// Some cells of the golden query as a table, an empty one where it is `None`.
fn csv(cells: &[Option<usize>]) -> Vec<u8> {
    INPUT.csv(cells, 0..INPUT.genes.len())
}

fn open(bytes: Vec<u8>) -> sextant::Result<formats::OpenFile> {
    formats::open(vec![formats::Input::new("query.csv", Box::new(Cursor::new(bytes)))])
}

fn read(cells: &[Option<usize>]) -> sextant::Result<Query> {
    let options = QueryOptions { reference: Some(&REFERENCE), ..Default::default() };
    Query::read(&mut open(csv(cells))?, &options, &silent())
}

fn with_cells<R>(query: &Query, run: impl FnOnce(&map::Query<'_>) -> R) -> R {
    let (genes, _) = query.match_to(&REFERENCE, None).expect("a match");
    let (counts, totals) = (&query.counts, &query.metrics.counts);
    run(&map::Query { counts, totals, names: &query.cells, genes: &genes })
}

fn options(method: Method) -> Options {
    Options { method, ..Options::default() }
}

/// Every table of a query whose lines are of cells that are mapped, or of genes.
fn tables_of(query: &Query, method: Method) -> Vec<String> {
    with_cells(query, |cells| {
        let mapping = map(cells, &REFERENCE, &options(method), &silent()).expect("a mapping");
        let groupings = Grouping::of_mapping(&mapping, &REFERENCE);
        let totals = &query.metrics.counts;
        let found = find_markers(&query.counts, totals, &groupings, &markers::Options::default(), &silent());
        let scores = doublet_scores(cells, &REFERENCE, &query.samples(), &doublets::Options::default(), &silent());
        let clustering = find_clusters(cells, &REFERENCE, &cluster::Options::default(), &silent());
        let preserved = preservation(cells, &REFERENCE, &mapping, &preservation::Options::default(), &silent());
        let mut classes = String::new();
        let write = |piece: &str| -> Result<(), std::fmt::Error> { classes.write_str(piece) };
        export::scores(query, &mapping, &REFERENCE, write).expect("written");
        vec![
            export::predictions(query, &mapping, &REFERENCE),
            export::umap(query, &mapping),
            export::markers(&found, query, &MarkerTable::default()),
            export::doublets(query, &scores),
            export::clusters(query, &clustering.clusters),
            classes,
            format!("{preserved:?} {:?} {:?}", mapping.warnings(), query.limits),
        ]
    })
}

#[test]
fn an_empty_cell_changes_nothing_else() {
    let cells: Vec<Option<usize>> = (0..130).map(|cell| Some(3 * cell)).collect();
    let mut more = cells.clone();
    [130, 64, 0].into_iter().for_each(|at| more.insert(at, None));
    let [without, with] = [read(&cells).expect("a query"), read(&more).expect("a query")];
    assert_eq!(with.empty_cells, ["empty0", "empty65", "empty132"]);
    let said: Vec<&str> = with.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(said.contains(&"3 of the 133 cells have no counts at all; they are set aside and not mapped."), "{said:?}");
    assert!(with.cells == without.cells && with.metrics.counts == without.metrics.counts);
    for method in Method::ALL {
        for (found, expected) in tables_of(&with, method).iter().zip(&tables_of(&without, method)) {
            assert!(found == expected, "{}: {}", method.name(), found.lines().next().unwrap_or_default());
        }
    }
    let quality = [export::qc(&without), export::qc(&with)];
    assert_eq!(quality[1].lines().count(), quality[0].lines().count() + 3);
    assert!(quality[1].starts_with(quality[0].trim_end()), "the empty cells come last");

    let in_batches = |cells: &[Option<usize>]| {
        let reading = QueryOptions { reference: Some(&REFERENCE), ..Default::default() };
        let mut file = open(csv(cells)).expect("a file");
        let (query, projection) = batches::read(&mut file, &REFERENCE, &reading, 100, &silent()).expect("a query");
        let mapping = batches::map(&projection, &query.cells, &REFERENCE, &Options::default(), &silent());
        let mapping = mapping.expect("a mapping");
        (mapping.batches, export::predictions(&query, &mapping, &REFERENCE), export::umap(&query, &mapping))
    };
    assert!(in_batches(&more) == in_batches(&cells));
}

/// The input with these of its cells, in this order, with names of their own.
fn pick(cells: &[usize]) -> Input {
    let mut counts = Counts::with_genes(INPUT.genes.len());
    cells.iter().for_each(|&cell| counts.push_row(INPUT.counts.row(cell)));
    Input {
        counts,
        totals: cells.iter().map(|&cell| INPUT.totals[cell]).collect(),
        names: (0..cells.len()).map(|number| format!("cell{number}")).collect(),
        genes: INPUT.genes.clone(),
    }
}

fn assert_finite(what: &str, values: &Dense) {
    assert!(values.iter().all(|value| value.is_finite()), "{what} has a value that is no number");
}

/// Every number of a mapping is one, and what are shares are from 0 to 1.
fn assert_sound(mapping: &Mapping) {
    assert_finite("the projection", &mapping.projected);
    assert_finite("the integrated embedding", &mapping.integrated);
    assert_finite("the map", &mapping.umap.layout);
    let is_share = |value: &f32| (0.0..=1.0).contains(value);
    assert!(mapping.mapping_scores.iter().all(is_share), "{:?}", mapping.mapping_scores);
    assert!(mapping.anchors.iter().all(|anchor| (0.0..=1.0).contains(&anchor.score)));
    for cell in 0..mapping.mapping_scores.len() {
        let weights: Vec<f64> = mapping.weights.of(cell).map(|(_, weight)| weight).collect();
        assert!(weights.iter().all(|weight| *weight >= 0.0) && weights.len() <= 50, "cell {cell}: {weights:?}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-5, "cell {cell}: {weights:?}");
        for labels in &mapping.labels {
            let sum: f64 = labels.scores.row(cell).iter().copied().map(f64::from).sum();
            assert!((sum - 1.0).abs() < 1e-5 && labels.scores.row(cell).iter().all(|share| *share > -1e-6), "{sum}");
        }
    }
    if let Some(annotation) = &mapping.annotation {
        assert!(annotation.confidences.iter().flatten().all(is_share));
        assert!(annotation.unknown_scores.iter().all(is_share), "{:?}", annotation.unknown_scores);
    }
}

#[test]
fn weights_sum_to_one_and_nothing_is_nan() {
    // As it is; one cell many times, so that all distances are zero; few cells many times; cells of very low depth.
    let all: Vec<usize> = (0..INPUT.names.len()).collect();
    let shallow = |input: Input| {
        let mut counts = Counts::with_genes(input.genes.len());
        let few = |cell: usize| input.counts.row(cell).take(1 + cell % 12).map(|(gene, _)| (gene, 1.0));
        (0..input.names.len()).for_each(|cell| counts.push_row(few(cell)));
        let totals = (0..input.names.len()).map(|cell| counts.row(cell).count() as f64).collect();
        Input { counts, totals, ..input }
    };
    let repeated =
        |times: usize, cells: usize| pick(&(0..times * cells).map(|row| 7 * (row % cells)).collect::<Vec<_>>());
    for (name, input) in [
        ("as it is", pick(&all)),
        ("one cell", repeated(120, 1)),
        ("three cells", repeated(50, 3)),
        ("eleven cells", repeated(20, 11)),
        ("of low depth", shallow(pick(&all))),
    ] {
        let genes = input.matched(&REFERENCE);
        let query = map::Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
        for method in Method::ALL {
            match map(&query, &REFERENCE, &options(method), &silent()) {
                Ok(mapping) => {
                    assert_sound(&mapping);
                    let options = preservation::Options::default();
                    let preserved = preservation(&query, &REFERENCE, &mapping, &options, &silent());
                    assert!((0.0..=5.0).contains(&preserved.score), "{name}: {preserved:?}");
                }
                Err(error) => assert!(error.message.starts_with("Too few anchors identified: "), "{name}: {error}"),
            }
        }
        assert_sound_alone(name, &query);
    }
}

/// What needs no mapping.
fn assert_sound_alone(name: &str, query: &map::Query<'_>) {
    let cells = query.names.len();
    let scores = doublet_scores(query, &REFERENCE, &Samples::one(cells), &doublets::Options::default(), &silent());
    assert!(scores.len() == cells && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{name}: {scores:?}");
    for method in [cluster::Method::Louvain, cluster::Method::Leiden] {
        let options = cluster::Options { method, ..Default::default() };
        let clustering = find_clusters(query, &REFERENCE, &options, &silent());
        assert_finite(name, &clustering.components);
        assert_eq!(clustering.clusters.sizes.iter().sum::<usize>(), cells, "{name}");
        assert!(clustering.clusters.modularity.is_finite(), "{name}");
    }
    let clustering = find_clusters(query, &REFERENCE, &cluster::Options::default(), &silent());
    let places = own_map(&clustering, query.names, 42, &silent());
    assert_eq!(places.len_of(Axis(0)), cells);
    assert_finite(name, &places);
    let grouping = Grouping { name: "g".into(), groups: vec!["a".into(), "b".into()], codes: vec![0; cells] };
    let alternate = Grouping { codes: (0..cells as u32).map(|cell| cell % 2).collect(), ..grouping.clone() };
    let least = markers::Options { fewest_cells: 0, ..Default::default() };
    for options in [markers::Options::default(), markers::Options::azimuth(), least] {
        let groupings = [grouping.clone(), alternate.clone()];
        let found = find_markers(query.counts, query.totals, &groupings, &options, &silent());
        for marker in found.iter().flat_map(|level| &level.groups).flat_map(|group| group.genes.iter().flatten()) {
            let numbers = [marker.auc, marker.z, marker.p, marker.p_adjusted, marker.log2_fold_change()];
            assert!(numbers.iter().all(|number| number.is_finite()), "{name}: {marker:?}");
        }
    }
}

#[test]
fn a_handful_of_cells_gives_a_result_or_a_sentence() {
    let said = |cells: &[usize], method: Method| {
        let input = pick(cells);
        let genes = input.matched(&REFERENCE);
        let query = map::Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
        assert_sound_alone(&format!("{} cells", cells.len()), &query);
        let samples = Samples {
            names: vec![None, Some("b".into())],
            of_cell: (0..cells.len() as u32).map(|cell| cell % 2).collect(),
        };
        let by_sample = map_samples(&query, &REFERENCE, &options(method), &samples, &silent());
        let mapped = map(&query, &REFERENCE, &options(method), &silent());
        assert_eq!(by_sample.is_ok(), mapped.is_ok());
        mapped.map(|mapping| assert_sound(&mapping)).err().map(|error| error.message)
    };
    let refused = |anchors: &str, fewest: usize, cells: &str| {
        Some(format!(
            "Too few anchors identified: {anchors}, where {fewest} of each are needed. The file has only {cells}, too few for \
             a mapping, which wants 100 and more: map them together with other samples of the same experiment."
        ))
    };
    for (method, fewest) in [(Method::Sextant, 10), (Method::Seurat, 50)] {
        assert_eq!(said(&[], method), refused("0 anchors on 0 query cells", fewest, "0 cells"));
        assert_eq!(said(&[5], method), refused("5 anchors on 1 query cells", fewest, "1 cells"));
        assert_eq!(said(&[5, 17], method), refused("10 anchors on 2 query cells", fewest, "2 cells"));
        said(&[1, 2, 3], method);
    }
    assert_eq!(said(&(0..40).collect::<Vec<_>>(), Method::Sextant), None);
}

#[test]
fn files_of_a_handful_of_cells_are_read_or_refused() {
    for cells in [vec![Some(5)], vec![Some(5), Some(17)], vec![None, Some(5)], vec![Some(5), None, Some(9)]] {
        let query = read(&cells).expect("a query");
        assert_eq!(query.cells.len(), cells.iter().flatten().count());
        let summary = query.summary();
        assert!(summary.median_counts.is_some_and(|median| median > 0.0));
        assert_eq!(export::qc(&query).lines().count(), cells.len() + 1);
    }
    let said = |cells: &[Option<usize>]| read(cells).err().map(|error| error.message).unwrap_or_default();
    let empty = "query.csv: no raw counts were found: the values of \"table\" are all zero, as far as a sample tells.";
    assert!(said(&[None, None]).starts_with(empty), "{}", said(&[None, None]));
    assert!(said(&[None]).starts_with(empty), "{}", said(&[None]));
    // Genes without a cell, and with a column that has neither a name nor numbers.
    assert!(said(&[]).starts_with("query.csv: it is text but no table"), "{}", said(&[]));
    let options = QueryOptions { reference: Some(&REFERENCE), ..Default::default() };
    let nameless =
        open(b"gene,\nCD3E,\nCD19,\n".to_vec()).and_then(|mut file| Query::read(&mut file, &options, &silent()));
    let said = nameless.err().map(|error| error.message).unwrap_or_default();
    assert!(said.starts_with("query.csv: it cannot be read: line 2 has no number in the column \"\""), "{said}");
}
