//! Mapping in batches: the same as the usual mapping where one batch holds all cells, else that of each batch.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{folder, input};
use ndarray::Axis;
use sextant::batches::{self, Again, Projection};
use sextant::error::Kind;
use sextant::formats::{Input, OpenFile};
use sextant::map::{self, Mapping, Options, Projected};
use sextant::markers::{self, Grouping};
use sextant::progress::Progress;
use sextant::qc::Filter;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{Clusters, ExpressionModel, LogModel, Reference, VarianceFloor};
use sextant::{Error, export};
use std::cell::RefCell;
use std::fmt::Write;
use std::io::Cursor;
use std::sync::LazyLock;

/// Names and bytes of files that are handed over together.
type Files = Vec<(&'static str, Vec<u8>)>;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| fixture::reference("reference_model.tsv.gz", VarianceFloor::None, ""));

/// One that looks at logarithms, and corrects by three clusters.
fn with_logarithms() -> Reference {
    let (features, dimensions) = REFERENCE.loadings.dim();
    let centroids = ndarray::Array2::from_shape_fn((3, dimensions), |(row, axis)| f32::from(u8::from(row == axis)));
    let clusters = Clusters { sums: &centroids * 900.0, centroids, sizes: vec![100.0, 200.0, 50.5] };
    let spread = |feature: usize| 0.3 + 0.1 * (feature % 7) as f64;
    let model = LogModel {
        mean: (0..features).map(|feature| spread(feature) / 2.0).collect(),
        stddev: (0..features).map(spread).collect(),
        scale: 10_000.0,
        clip: 10.0,
        clusters: Some(clusters),
    };
    Reference { model: model.into(), ..REFERENCE.clone() }
}

fn open(files: &Files) -> OpenFile {
    let inputs = files.iter().map(|(name, bytes)| Input::new(*name, Box::new(Cursor::new(bytes.clone())))).collect();
    sextant::formats::open(inputs).expect("files")
}

/// The golden query as 10x made it.
fn tenx() -> Files {
    vec![("query.h5", std::fs::read(folder().join("query.h5")).expect("the query"))]
}

/// Some of its cells as a table, genes × cells, with every `step`-th gene first.
fn sample(name: &'static str, cells: std::ops::Range<usize>, step: usize) -> (&'static str, Vec<u8>) {
    let query = input("query");
    let mut rows = vec![vec![0.0; cells.len()]; query.genes.len()];
    for cell in cells.clone() {
        query.counts.row(cell).for_each(|(gene, count)| rows[gene as usize][cell - cells.start] = count);
    }
    let mut text = format!("gene,{}\n", query.names[cells].join(","));
    for gene in (0..step).flat_map(|first| (first..rows.len()).step_by(step)) {
        let counts: Vec<String> = rows[gene].iter().map(f32::to_string).collect();
        writeln!(text, "{},{}", query.genes[gene].symbol, counts.join(",")).expect("a line");
    }
    (name, text.into_bytes())
}

fn usual(files: &Files, reference: &Reference, min_counts: Option<f64>) -> (Query, Mapping) {
    let options = QueryOptions { reference: Some(reference), min_counts, ..Default::default() };
    let query = Query::read(&mut open(files), &options, &Progress::silent()).expect("a query");
    let (genes, _) = query.match_to(reference, None).expect("genes in common");
    let cells = map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes: &genes };
    let mapping = map::map(&cells, reference, &Options::default(), &Progress::silent()).expect("a mapping");
    (query, mapping)
}

fn read(files: &Files, reference: &Reference, min_counts: Option<f64>, size: usize) -> (Query, Projection) {
    let options = QueryOptions { min_counts, ..Default::default() };
    batches::read(&mut open(files), reference, &options, size, &Progress::silent()).expect("a query")
}

fn in_batches(files: &Files, reference: &Reference, min_counts: Option<f64>, size: usize) -> (Query, Mapping) {
    let (query, projection) = read(files, reference, min_counts, size);
    let options = Options::default();
    let mapping = batches::map(&projection, &query.cells, reference, &options, &Progress::silent());
    (query, mapping.expect("a mapping"))
}

fn exports((query, mapping): &(Query, Mapping), reference: &Reference) -> [String; 4] {
    let (genes, _) = query.match_to(reference, None).expect("genes in common");
    [
        export::predictions(query, mapping, reference),
        export::umap(query, mapping),
        export::qc(query),
        export::genes(query, reference, &genes),
    ]
}

#[test]
fn one_batch_is_the_usual_mapping() {
    let version_2 = fixture::reference("reference_model_v2.tsv.gz", VarianceFloor::MedianCount, "v2_");
    let mut clipped = REFERENCE.clone();
    // Now the first clip, of 20, cuts residuals.
    if let ExpressionModel::Residuals(model) = &mut clipped.model {
        model.clip = (-100.0, 100.0);
    }
    let logarithms = with_logarithms();
    let samples =
        || vec![sample("one.csv", 0..150, 1), sample("two.csv", 150..290, 3), sample("three.csv", 290..400, 7)];
    for (files, reference, min_counts) in [
        (tenx(), &*REFERENCE, None),
        (tenx(), &*REFERENCE, Some(1400.0)),
        (tenx(), &clipped, None),
        (tenx(), &clipped, Some(1200.0)),
        (tenx(), &version_2, None),
        (tenx(), &version_2, Some(1000.0)),
        (vec![sample("query.csv", 0..400, 5)], &*REFERENCE, None),
        (samples(), &*REFERENCE, None),
        (samples(), &version_2, Some(900.0)),
        (tenx(), &logarithms, None),
        (tenx(), &logarithms, Some(1200.0)),
        (samples(), &logarithms, None),
    ] {
        let expected = usual(&files, reference, min_counts);
        let found = in_batches(&files, reference, min_counts, 400);
        assert!(exports(&found, reference) == exports(&expected, reference), "{} {min_counts:?}", files[0].0);
        assert_eq!(found.1.projected, expected.1.projected);
        assert_eq!(found.1.features_used, expected.1.features_used);
        assert_eq!(found.0.warnings, expected.0.warnings);
        let [found, expected] = [&found.0, &expected.0].map(|query| {
            let summary = query.summary();
            (summary.cells, summary.genes, summary.nonzeros, summary.total_counts.to_bits())
        });
        assert_eq!(found, expected);
    }
}

/// Cells are left out that are deeper than others which are mapped: what only they express is not used.
#[test]
fn cells_that_are_left_out_change_nothing() {
    let version_2 = fixture::reference("reference_model_v2.tsv.gz", VarianceFloor::MedianCount, "v2_");
    let filter = Filter::parse("max_counts=1600").expect("a filter");
    for reference in [&*REFERENCE, &version_2, &with_logarithms()] {
        let options = QueryOptions { reference: Some(reference), filter: Some(&filter), ..Default::default() };
        let expected = Query::read(&mut open(&tenx()), &options, &Progress::silent()).expect("a query");
        let (genes, _) = expected.match_to(reference, None).expect("genes in common");
        let (counts, totals, names) = (&expected.counts, &expected.metrics.counts, &expected.cells);
        let cells = map::Query { counts, totals, names, genes: &genes };
        let whole = map::map(&cells, reference, &Options::default(), &Progress::silent()).expect("a mapping");
        assert!((100..390).contains(&names.len()), "{}", names.len());
        let read = batches::read(&mut open(&tenx()), reference, &options, 400, &Progress::silent());
        let (query, projection) = read.expect("a query");
        let mapping = batches::map(&projection, &query.cells, reference, &Options::default(), &Progress::silent());
        let found = (query, mapping.expect("a mapping"));
        assert_eq!((found.1.features_used, &found.1.projected), (whole.features_used, &whole.projected));
        assert!(exports(&found, reference) == exports(&(expected, whole), reference));
    }
}

/// Counts of 3 and more: their median is not the first guess, so the file is read twice.
#[test]
fn the_median_count_is_that_of_all_cells() {
    let version_2 = fixture::reference("reference_model_v2.tsv.gz", VarianceFloor::MedianCount, "v2_");
    let (name, text) = sample("query.csv", 0..400, 1);
    let text = String::from_utf8(text).expect("text");
    let tripled = |(number, line): (usize, &str)| -> String {
        let mut fields = line.split(',');
        let first = fields.next().unwrap_or_default().to_owned();
        let triple = |field: &str| match number {
            0 => field.to_owned(),
            _ => (3 * field.parse::<u32>().expect("a count")).to_string(),
        };
        fields.fold(first, |line, field| line + "," + &triple(field)) + "\n"
    };
    let files = vec![(name, text.lines().enumerate().map(tripled).collect::<String>().into_bytes())];
    let expected = usual(&files, &version_2, None);
    let readings = RefCell::new(0);
    let count = |stage: &str, share: f64| *readings.borrow_mut() += u32::from(stage == "Reading" && share == 1.0);
    let options = QueryOptions::default();
    let (query, projection) =
        batches::read(&mut open(&files), &version_2, &options, 400, &Progress::new(&count)).expect("a query");
    assert!(*readings.borrow() >= 2);
    let mapping = batches::map(&projection, &query.cells, &version_2, &Options::default(), &Progress::silent());
    assert_eq!(mapping.expect("a mapping").projected, expected.1.projected);
}

#[test]
fn every_batch_is_mapped_by_itself() {
    let (_, whole) = usual(&tenx(), &REFERENCE, None);
    let (query, found) = in_batches(&tenx(), &REFERENCE, None, 150);
    assert_eq!((found.batches, found.features_used), (3, whole.features_used));
    let mut anchors = 0;
    for batch in 0..3 {
        let cells: Vec<usize> = (batch..400).step_by(3).collect();
        let names: Vec<String> = cells.iter().map(|&cell| query.cells[cell].clone()).collect();
        let rows = whole.projected.select(Axis(0), &cells);
        let projected = Projected { rows, names: &names, features_used: whole.features_used };
        let alone =
            map::map_projected(projected, &REFERENCE, &Options::default(), &Progress::silent()).expect("a batch");
        anchors += alone.anchors.len();
        for (row, &cell) in cells.iter().enumerate() {
            for (a, b) in found.labels.iter().zip(&alone.labels) {
                assert_eq!((&a.level, a.codes[cell]), (&b.level, b.codes[row]));
                assert_eq!(a.score(cell), b.score(row));
            }
            assert_eq!(found.umap.layout.row(cell), alone.umap.layout.row(row));
            assert_eq!(found.mapping_scores[cell], alone.mapping_scores[row]);
            let (a, b) = found.annotation.as_ref().zip(alone.annotation.as_ref()).expect("Sextant's own labels");
            assert!(a.confidences.iter().zip(&b.confidences).all(|(a, b)| a[cell] == b[row]));
            assert_eq!((a.unknown_scores[cell], a.calls[cell]), (b.unknown_scores[row], b.calls[row]));
        }
        for anchor in &alone.anchors {
            let of_all = map::anchors::Anchor { query: cells[anchor.query as usize] as u32, ..*anchor };
            assert!(found.anchors.contains(&of_all));
        }
    }
    assert_eq!(found.anchors.len(), anchors);
    let same = found.labels[0].codes.iter().zip(&whole.labels[0].codes).filter(|(a, b)| a == b).count();
    assert!(same > 360, "{same} of 400 labels as in one run");
}

#[test]
fn marker_genes_are_those_of_all_counts() {
    let samples = vec![sample("one.csv", 0..150, 1), sample("two.csv", 150..290, 3), sample("three.csv", 290..400, 7)];
    for (files, min_counts, memory, least_readings) in
        [(tenx(), None, u64::MAX, 1), (tenx(), Some(1400.0), 203_200, 4), (samples, Some(900.0), 503_200, 2)]
    {
        let (query, mapping) = usual(&files, &REFERENCE, min_counts);
        let options = markers::Options::default();
        let groupings = Grouping::of_mapping(&mapping, &REFERENCE);
        let totals = &query.metrics.counts;
        let expected = markers::find_markers(&query.counts, totals, &groupings, &options, &Progress::silent());
        let reading = QueryOptions { min_counts, ..Default::default() };
        let mut file = open(&files);
        let read = batches::read(&mut file, &REFERENCE, &reading, 400, &Progress::silent());
        let (query, projection) = read.expect("a query");
        let seen = RefCell::new(Vec::new());
        let report = |stage: &str, share: f64| seen.borrow_mut().push((stage.to_owned(), share));
        let again =
            Again { file: &mut file, options: &reading, reference: &REFERENCE, query: &query, projection: &projection };
        let found = batches::find_markers(again, &groupings, &options, memory, &Progress::new(&report));
        assert!(found.expect("markers") == expected, "{} {min_counts:?}", files[0].0);
        let seen = seen.into_inner();
        assert!(seen.iter().all(|(stage, _)| stage == "Finding markers") && seen.is_sorted_by(|a, b| a.1 <= b.1));
        assert!(seen.len() > 2 * least_readings, "{seen:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| exports(&in_batches(&tenx(), &REFERENCE, None, 200), &REFERENCE))
    };
    assert!(run(1) == run(3));
}

#[test]
fn progress_never_goes_back_within_the_batches() {
    let (query, projection) = read(&tenx(), &REFERENCE, None, 200);
    let seen = RefCell::new(Vec::new());
    let report = |stage: &str, share: f64| seen.borrow_mut().push((stage.to_owned(), share));
    batches::map(&projection, &query.cells, &REFERENCE, &Options::default(), &Progress::new(&report))
        .expect("a mapping");
    let seen = seen.into_inner();
    assert!(seen.iter().all(|(stage, _)| stage == "Mapping in batches") && seen.len() > 10);
    assert!(seen.is_sorted_by(|a, b| a.1 <= b.1), "{seen:?}");
    assert_eq!(seen.last().map(|last| last.1), Some(1.0));
}

#[test]
fn what_cannot_be_mapped_in_batches_is_told() {
    let refused = |size: usize, budget: Option<u64>| -> Error {
        let options = QueryOptions { budget, ..Default::default() };
        let read = batches::read(&mut open(&tenx()), &REFERENCE, &options, size, &Progress::silent());
        read.err().expect("an error")
    };
    assert_eq!(refused(99, None).message, "A batch has at least 100 cells, not 99.");
    let error = refused(100, Some(100_000));
    assert_eq!(error.kind, Kind::Memory);
    assert_eq!(
        error.message,
        "query.h5: its cells need more than 0 MB of memory even where they are mapped in batches, and 0 MB are there for \
         them. Use the command on a machine with more memory, or split the file by sample."
    );
    let (query, projection) = read(&tenx(), &REFERENCE, None, 100);
    assert_eq!((projection.cells(), projection.batches(), projection.bytes()), (400, 4, 400 * 50 * 4));
    // Seurat's labels rest on the anchors alone, so it wants more of them.
    let mut options = Options { method: map::Method::Seurat, ..Options::default() };
    options.anchors.k_anchor = 1;
    let map = |reference: &Reference| {
        let mapped = batches::map(&projection, &query.cells, reference, &options, &Progress::silent());
        mapped.err().map(|error| error.message).unwrap_or_default()
    };
    let few = map(&REFERENCE);
    assert!(few.starts_with("Batch 1 of 4: Too few anchors identified: "), "{few}");
    let mut other = REFERENCE.clone();
    other.about.name = "other".into();
    assert_eq!(map(&other), "The cells were projected onto another reference: read the file again.");
}

/// As in the usual mapping, though of each cell one score is kept only; not of a level that has but one class.
#[test]
fn one_label_for_all_cells_is_told() {
    let (_, mut mapping) = in_batches(&tenx(), &REFERENCE, None, 150);
    let said = |mapping: &Mapping| -> Vec<String> {
        let one = mapping.warnings().into_iter().filter(|warning| warning.code == "one_label");
        one.map(|warning| warning.message).collect()
    };
    assert_eq!((mapping.batches, said(&mapping)), (3, Vec::new()));
    mapping.labels[1].codes.fill(2);
    assert_eq!(
        said(&mapping),
        [
            "All cells got the same label at 'coarse'. That is right where the file holds one type only, such as sorted cells; \
             otherwise the reference may not hold the types of this tissue."
        ]
    );
    mapping.labels[1].classes = 1;
    assert_eq!(said(&mapping), Vec::<String>::new());
}
