//! Samples mapped by themselves, and doublets: on the golden reference and query.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::Input;
use sextant::doublets::{Options as DoubletOptions, doublet_scores};
use sextant::formats;
use sextant::map::samples::{map_samples, warnings};
use sextant::map::{self, Mapping, Options};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use sextant::qc::Samples;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{Reference, VarianceFloor};
use std::io::Cursor;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| fixture::reference("reference_model.tsv.gz", VarianceFloor::None, ""));
static INPUT: LazyLock<Input> = LazyLock::new(|| fixture::input("query"));

/// Some cells of the golden query as a file, genes × cells; `reversed` lists the genes the other way round.
fn file(cells: std::ops::Range<usize>, reversed: bool) -> Vec<u8> {
    let (cells, genes): (Vec<_>, _) = (cells.map(Some).collect(), 0..INPUT.genes.len());
    if reversed { INPUT.csv(&cells, genes.rev()) } else { INPUT.csv(&cells, genes) }
}

fn read(files: &[(&str, Vec<u8>)]) -> Query {
    let input = |(name, bytes): &(&str, Vec<u8>)| formats::Input::new(*name, Box::new(Cursor::new(bytes.clone())));
    let mut opened = formats::open(files.iter().map(input).collect()).expect("files");
    let options = QueryOptions { reference: Some(&REFERENCE), ..Default::default() };
    Query::read(&mut opened, &options, &Progress::silent()).expect("a query")
}

fn with_cells<R>(query: &Query, run: impl FnOnce(&map::Query<'_>) -> R) -> R {
    let (genes, _) = query.match_to(&REFERENCE, None).expect("a match");
    let (counts, totals) = (&query.counts, &query.metrics.counts);
    run(&map::Query { counts, totals, names: &query.cells, genes: &genes })
}

fn alone(query: &Query) -> Mapping {
    with_cells(query, |cells| map::map(cells, &REFERENCE, &Options::default(), &Progress::silent()).expect("a mapping"))
}

/// Whether some cells of a mapping have bit for bit what another mapping gave to them.
fn assert_equal(found: &Mapping, cells: std::ops::Range<usize>, expected: &Mapping) {
    for (row, cell) in cells.enumerate() {
        for (found, expected) in [
            (&found.projected, &expected.projected),
            (&found.integrated, &expected.integrated),
            (&found.umap.start, &expected.umap.start),
            (&found.umap.layout, &expected.umap.layout),
            (&found.labels[0].scores, &expected.labels[0].scores),
            (&found.labels[1].scores, &expected.labels[1].scores),
        ] {
            assert_eq!(found.row(cell), expected.row(row));
        }
        assert_eq!(found.labels[0].codes[cell], expected.labels[0].codes[row]);
        assert_eq!(found.mapping_scores[cell], expected.mapping_scores[row]);
        let weights = |mapping: &Mapping, cell: usize| -> Vec<(u32, f64)> {
            mapping.weights.of(cell).map(|(anchor, weight)| (mapping.anchors[anchor].reference, weight)).collect()
        };
        assert_eq!(weights(found, cell), weights(expected, row));
    }
}

#[test]
fn a_sample_is_mapped_as_its_own_file_is_alone() {
    let files = [("a.csv", file(0..190, false)), ("few.csv", file(190..195, false)), ("b.csv", file(195..400, true))];
    let query = read(&files);
    let samples = query.samples();
    let names: Vec<Option<&str>> = samples.names.iter().map(Option::as_deref).collect();
    assert_eq!(names, [Some("a"), Some("few"), Some("b")]);
    let run = |cells: &map::Query<'_>| {
        map_samples(cells, &REFERENCE, &Options::default(), &samples, &Progress::silent()).expect("a mapping")
    };
    let (mapping, outcomes) = with_cells(&query, run);
    let together = alone(&query);
    assert_equal(&mapping, 0..190, &alone(&read(&files[..1])));
    assert_equal(&mapping, 195..400, &alone(&read(&files[2..])));
    for cell in 190..195 {
        assert_eq!(mapping.labels[0].scores.row(cell), together.labels[0].scores.row(cell));
        assert_eq!(mapping.mapping_scores[cell], together.mapping_scores[cell]);
    }
    let facts: Vec<(usize, bool)> = outcomes.iter().map(|outcome| (outcome.cells, outcome.by_itself)).collect();
    assert_eq!(facts, [(190, true), (5, false), (205, true)]);
    assert_eq!(outcomes[1].median_mapping_score, outcomes[1].median_mapping_score_together);
    assert!(outcomes[0].median_mapping_score != outcomes[0].median_mapping_score_together);
    assert_eq!(outcomes[1].labels_changed, [("cell_type".to_owned(), 0), ("coarse".to_owned(), 0)]);
    assert_eq!(outcomes.iter().map(|outcome| outcome.anchors).sum::<usize>(), mapping.anchors.len());
    let said: Vec<String> = warnings(&outcomes).into_iter().map(|warning| warning.message).collect();
    assert_eq!(
        said,
        [
            "1 of the 3 samples have too few cells or anchors for a mapping of their own, so their cells keep what mapping all \
             samples together gave: few (5 cells)."
        ]
    );
    assert_eq!(warnings(&outcomes[..1]), []);
}

#[test]
fn progress_ascends_over_the_samples() {
    let query = read(&[("a.csv", file(0..200, false)), ("b.csv", file(200..400, false))]);
    let seen = std::cell::RefCell::new(Vec::new());
    let note = |stage: &str, share: f64| {
        if ["Mapping each sample", "Looking for doublets"].contains(&stage) {
            seen.borrow_mut().push((stage.to_owned(), share));
        }
    };
    let samples = query.samples();
    with_cells(&query, |cells| {
        let progress = Progress::new(&note);
        map_samples(cells, &REFERENCE, &Options::default(), &samples, &progress).expect("a mapping");
        doublet_scores(cells, &REFERENCE, &samples, &DoubletOptions::default(), &progress);
    });
    let seen = seen.into_inner();
    for stage in ["Mapping each sample", "Looking for doublets"] {
        let shares: Vec<f64> = seen.iter().filter(|(name, _)| name == stage).map(|(_, share)| *share).collect();
        assert!(shares.len() > 5 && shares.windows(2).all(|pair| pair[0] <= pair[1]), "{stage}: {shares:?}");
    }
}

/// The golden query, with doublets behind it that are made of two cells of different coarse types.
fn with_doublets() -> (Counts, Vec<f64>, Vec<String>, usize) {
    let genes = INPUT.matched(&REFERENCE);
    let cells = map::Query { counts: &INPUT.counts, totals: &INPUT.totals, names: &INPUT.names, genes: &genes };
    let mapping = map::map(&cells, &REFERENCE, &Options::default(), &Progress::silent()).expect("a mapping");
    let coarse = &mapping.labels[1].codes;
    let (mut counts, mut totals, mut names) = (INPUT.counts.clone(), INPUT.totals.clone(), INPUT.names.clone());
    let pairs: Vec<(usize, usize)> =
        (0..200).map(|cell| (cell, 399 - cell)).filter(|&(a, b)| coarse[a] != coarse[b]).take(40).collect();
    for &(a, b) in &pairs {
        let mut row = vec![0.0; counts.genes()];
        INPUT.counts.row(a).chain(INPUT.counts.row(b)).for_each(|(gene, count)| row[gene as usize] += count);
        counts.push_row(row.into_iter().enumerate().map(|(gene, count)| (gene as u32, count)));
        totals.push(INPUT.totals[a] + INPUT.totals[b]);
        names.push(format!("{} and {}", INPUT.names[a], INPUT.names[b]));
    }
    (counts, totals, names, pairs.len())
}

/// Share of pairs of a doublet and a cell in which the doublet scores higher; ties count half.
fn auroc(cells: &[f32], doublets: &[f32]) -> f64 {
    let pairs = cells.iter().flat_map(|cell| doublets.iter().map(move |doublet| (cell, doublet)));
    let won: f64 = pairs.map(|(cell, doublet)| f64::from(doublet > cell) + 0.5 * f64::from(doublet == cell)).sum();
    won / (cells.len() * doublets.len()) as f64
}

#[test]
fn doublets_score_higher_than_cells_whatever_the_threads_and_the_order() {
    let (counts, totals, names, made) = with_doublets();
    assert_eq!(made, 40);
    let genes = INPUT.matched(&REFERENCE);
    let all = names.len();
    let score = |order: &[usize], threads: usize| {
        let counts = counts.select_cells(order);
        let totals: Vec<f64> = order.iter().map(|&cell| totals[cell]).collect();
        let names: Vec<String> = order.iter().map(|&cell| names[cell].clone()).collect();
        let query = map::Query { counts: &counts, totals: &totals, names: &names, genes: &genes };
        let (samples, options) = (Samples::one(order.len()), DoubletOptions::default());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| doublet_scores(&query, &REFERENCE, &samples, &options, &Progress::silent()))
    };
    let order: Vec<usize> = (0..all).collect();
    let scores = score(&order, 1);
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    let found = auroc(&scores[..400], &scores[400..]);
    println!("AUROC of {made} doublets among 400 cells: {found:.3}");
    assert!(found > 0.85, "{found}");
    assert_eq!(score(&order, 3), scores, "threads");
    let reversed: Vec<usize> = order.iter().rev().copied().collect();
    let back: Vec<f32> = score(&reversed, 2).into_iter().rev().collect();
    assert_eq!(back, scores, "order");
    assert_eq!(score(&[3], 1), [0.0], "one cell is no doublet of two");
    assert_eq!(score(&[3, 7], 1).len(), 2);
}
