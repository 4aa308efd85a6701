//! Imputed proteins: against real Seurat, a naive twin, and what must not change them.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{Input, folder, input, table};
use sextant::batches;
use sextant::build::proteins::{attach, normalise};
use sextant::export;
use sextant::formats::ProteinTable;
use sextant::map::proteins::Imputed;
use sextant::map::samples::map_samples;
use sextant::map::{self, Mapping, Method, Options};
use sextant::markers::{self, Grouping, area_under_curve, find_protein_markers, p_value, z_score};
use sextant::matrix::Dense;
use sextant::progress::Progress;
use sextant::qc::Samples;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{Reference, VarianceFloor, bundle};
use std::io::Cursor;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let mut reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    let (proteins, warnings) = normalise(&tags(), &reference.cells).expect("counts");
    assert!(warnings.is_empty());
    attach(&mut reference, proteins, "the genes that are named after proteins");
    reference
});
static INPUT: LazyLock<Input> = LazyLock::new(|| input("query"));
static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let options = Options { method: Method::Seurat, ..Options::default() };
    map::map(&INPUT_QUERY, &REFERENCE, &options, &Progress::silent()).expect("a mapping")
});
static GENES: LazyLock<sextant::genes::GeneMatch> = LazyLock::new(|| INPUT.matched(&REFERENCE));
static INPUT_QUERY: LazyLock<map::Query<'static>> =
    LazyLock::new(|| map::Query { counts: &INPUT.counts, totals: &INPUT.totals, names: &INPUT.names, genes: &GENES });

/// Counts of genes that are named after surface proteins, as if they were those of antibodies.
fn tags() -> ProteinTable {
    let names: Vec<String> = table("reference_proteins.tsv.gz").columns[1..].to_vec();
    let input = input("reference");
    let mut values = Dense::zeros((input.counts.cells(), names.len()));
    let places: Vec<Option<usize>> =
        input.genes.iter().map(|gene| names.iter().position(|name| *name == gene.symbol)).collect();
    for cell in 0..input.counts.cells() {
        for (gene, count) in input.counts.row(cell) {
            if let Some(protein) = places[gene as usize] {
                values[(cell, protein)] = count;
            }
        }
    }
    ProteinTable { place: "tags".into(), names, values }
}

fn imputed(mapping: &Mapping) -> Dense {
    let imputed = Imputed::of(mapping, &REFERENCE).expect("proteins");
    imputed.block(0..imputed.cells(), 0..imputed.names().len())
}

fn assert_close(found: &Dense, name: &str, tolerance: f64) {
    let golden = table(name);
    assert_eq!(golden.columns[1..], REFERENCE.proteins.as_ref().expect("proteins").names);
    let expected = golden.matrix();
    assert_eq!(found.dim(), expected.dim());
    let largest = found.iter().zip(&expected).fold(0.0f64, |most, (&a, &b)| most.max((f64::from(a) - b).abs()));
    println!("{name}: largest difference {largest:.1e}");
    assert!(largest <= tolerance, "{largest:e}");
}

#[test]
fn equal_those_of_seurat() {
    assert_close(&REFERENCE.proteins.as_ref().expect("proteins").values, "reference_proteins.tsv.gz", 1e-6);
    assert_close(&imputed(&MAPPING), "query_proteins.tsv.gz", 1e-5);
}

#[test]
fn equal_their_naive_twin_and_stay_in_the_range_of_the_reference() {
    let measured = &REFERENCE.proteins.as_ref().expect("proteins").values;
    let found = imputed(&MAPPING);
    for cell in 0..found.nrows() {
        for (protein, column) in measured.columns().into_iter().enumerate() {
            let weights = MAPPING.weights.of(cell);
            let sum: f64 = weights
                .map(|(anchor, weight)| weight * f64::from(column[MAPPING.anchors[anchor].reference as usize]))
                .sum();
            assert_eq!(found[(cell, protein)], sum as f32);
            let [least, most] =
                [f32::min, f32::max].map(|choose| column.iter().copied().reduce(choose).expect("cells"));
            assert!(found[(cell, protein)] >= least - 1e-5 && found[(cell, protein)] <= most * (1.0 + 1e-5), "{cell}");
        }
    }
}

/// What decides on the label imputes too.
#[test]
fn with_labels_of_sextant_they_are_those_of_the_nearest_cells() {
    let mapping = map::map(&INPUT_QUERY, &REFERENCE, &Options::default(), &Progress::silent()).expect("a mapping");
    let nearest = mapping.nearest.as_ref().expect("neighbours");
    assert_eq!(nearest.dim(), (400, 20));
    let measured = &REFERENCE.proteins.as_ref().expect("proteins").values;
    let found = imputed(&mapping);
    for (cell, donors) in nearest.rows().into_iter().enumerate() {
        for (protein, column) in measured.columns().into_iter().enumerate() {
            let mean = donors.iter().map(|&donor| f64::from(column[donor as usize])).sum::<f64>() / 20.0;
            assert!((f64::from(found[(cell, protein)]) - mean).abs() < 1e-6);
        }
    }
    assert!(MAPPING.nearest.is_none());
    assert_ne!(found, imputed(&MAPPING));
}

#[test]
fn some_at_a_time_have_the_same_bits() {
    let (all, imputed) = (imputed(&MAPPING), Imputed::of(&MAPPING, &REFERENCE).expect("proteins"));
    for (cells, proteins) in [(0..1, 0..1), (7..200, 3..4), (399..400, 0..42), (5..5, 0..42), (0..400, 41..41)] {
        let found = imputed.block(cells.clone(), proteins.clone());
        assert_eq!(found, all.slice(ndarray::s![cells, proteins]));
    }
}

#[test]
fn of_each_batch_they_are_those_of_its_own_mapping() {
    let bytes = std::fs::read(folder().join("query.h5")).expect("the query");
    let read = |size| {
        let file = sextant::formats::Input::new("query.h5", Box::new(Cursor::new(bytes.clone())));
        let mut file = sextant::formats::open(vec![file]).expect("a file");
        batches::read(&mut file, &REFERENCE, &QueryOptions::default(), size, &Progress::silent()).expect("a query")
    };
    let run = |size, proteins| {
        let (query, projection) = read(size);
        let options = Options { proteins, ..Options::default() };
        batches::map(&projection, &query.cells, &REFERENCE, &options, &Progress::silent()).expect("a mapping")
    };
    let together = run(400, false);
    assert_eq!(imputed(&together), imputed(&run(400, true)));
    assert!(run(400, true).proteins.is_none(), "they come from the weights");
    let halves = run(200, true);
    assert_eq!((halves.batches, halves.proteins.as_ref().map(Dense::dim)), (2, Some((400, 42))));
    assert!(Imputed::of(&run(200, false), &REFERENCE).is_none(), "the weights are gone");
    let found = imputed(&halves);
    assert_ne!(found, imputed(&together));
    for batch in 0..2 {
        let cells: Vec<usize> = (batch..400).step_by(2).collect();
        let names: Vec<String> = cells.iter().map(|&cell| INPUT.names[cell].clone()).collect();
        let rows = together.projected.select(ndarray::Axis(0), &cells);
        let query = map::Projected { rows, names: &names, features_used: together.features_used };
        let alone = map::map_projected(query, &REFERENCE, &Options::default(), &Progress::silent());
        assert_eq!(found.select(ndarray::Axis(0), &cells), imputed(&alone.expect("a mapping")));
    }
}

#[test]
fn of_a_sample_they_are_those_of_its_own_mapping() {
    let names = [Some("a".to_owned()), Some("b".to_owned())].to_vec();
    let samples = Samples { names, of_cell: (0..400).map(|cell| u32::from(cell >= 180)).collect() };
    let (joined, _) =
        map_samples(&INPUT_QUERY, &REFERENCE, &Options::default(), &samples, &Progress::silent()).expect("a mapping");
    let cells: Vec<usize> = (0..180).collect();
    let counts = INPUT.counts.select_cells(&cells);
    let query = map::Query { counts: &counts, totals: &INPUT.totals[..180], names: &INPUT.names[..180], genes: &GENES };
    let alone = map::map(&query, &REFERENCE, &Options::default(), &Progress::silent()).expect("a mapping");
    assert_eq!(imputed(&joined).slice(ndarray::s![..180, ..]), imputed(&alone));
}

#[test]
fn without_proteins_there_are_none() {
    let mut without = REFERENCE.clone();
    without.proteins = None;
    assert!(Imputed::of(&MAPPING, &without).is_none());
    assert_eq!(
        REFERENCE.about.provenance,
        [
            "Proteins: counts of 42 from the genes that are named after proteins, each cell divided by the exponential of its mean \
          log1p and then log1p, as Seurat's CLR with margin 2."
        ]
    );
    // A bundle keeps them, and one without them is as it was.
    let read = |reference: &Reference| bundle::read(&bundle::write(reference).expect("a bundle")).expect("a reference");
    assert_eq!(read(&REFERENCE).proteins, REFERENCE.proteins);
    assert_eq!(read(&without).proteins, None);
}

/// Every cell of the group against every other.
#[test]
fn markers_equal_their_naive_twin() {
    let groupings = Grouping::of_mapping(&MAPPING, &REFERENCE);
    let found = find_protein_markers(
        &Imputed::of(&MAPPING, &REFERENCE).expect("proteins"),
        &groupings,
        &markers::Options::default(),
        &Progress::silent(),
    );
    let values = imputed(&MAPPING);
    let mut compared = 0;
    for (grouping, level) in groupings.iter().zip(&found) {
        for (group, markers) in (0u32..).zip(&level.groups) {
            let Ok(markers) = &markers.genes else { continue };
            for (column, marker) in values.columns().into_iter().zip(markers) {
                let (inside, outside): (Vec<_>, Vec<_>) =
                    column.iter().zip(&grouping.codes).partition(|(_, code)| **code == group);
                let twice_wins: u64 = inside
                    .iter()
                    .map(|(a, _)| outside.iter().map(|(b, _)| if a > b { 2 } else { u64::from(a == b) }).sum::<u64>())
                    .sum();
                let (n, m) = (inside.len() as u64, outside.len() as u64);
                let twice_ranks = twice_wins + n * (n + 1);
                assert_eq!(marker.auc, area_under_curve(twice_ranks, n, m));
                let ties: u128 =
                    column.iter().map(|a| column.iter().filter(|b| *b == a).count() as u128).map(|t| t * t - 1).sum();
                assert_eq!(marker.z, z_score(twice_ranks, n, m, ties));
                assert_eq!(marker.p, p_value(marker.z));
                let mean = |side: &[(&f32, &u32)]| {
                    side.iter().map(|(value, _)| f64::from(**value)).sum::<f64>() / side.len() as f64
                };
                assert!((marker.difference() - (mean(&inside) - mean(&outside))).abs() < 1e-8);
                compared += 1;
            }
        }
    }
    assert!(compared > 42 * 5, "{compared}");
}

#[test]
fn tables() {
    let bytes = std::fs::read(folder().join("query.h5")).expect("the query");
    let file = sextant::formats::Input::new("query.h5", Box::new(Cursor::new(bytes)));
    let mut file = sextant::formats::open(vec![file]).expect("a file");
    let query = Query::read(&mut file, &QueryOptions::default(), &Progress::silent()).expect("a query");
    let imputed = Imputed::of(&MAPPING, &REFERENCE).expect("proteins");
    let mut text = String::new();
    export::proteins(&query, &imputed, |piece| {
        text.push_str(piece);
        Ok::<(), ()>(())
    })
    .expect("written");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(
        (lines.len(), lines[0][0], &lines[0][1..]),
        (401, "cell", &imputed.names().iter().map(String::as_str).collect::<Vec<_>>()[..])
    );
    let all = imputed.block(0..400, 0..42);
    for (cell, line) in lines[1..].iter().enumerate() {
        assert_eq!(line[0], query.cells[cell]);
        let values: Vec<f32> = line[1..].iter().map(|value| value.parse().expect("a number")).collect();
        assert_eq!(values, all.row(cell).to_vec());
    }
    let groupings = Grouping::of_mapping(&MAPPING, &REFERENCE);
    let found = find_protein_markers(&imputed, &groupings, &markers::Options::default(), &Progress::silent());
    let table = export::protein_markers(&found, imputed.names());
    let mut rows = table.lines();
    assert_eq!(
        rows.next(),
        Some("level\ttype\tprotein\tauc\tz\tp\tpadj\tdifference\tmean_in\tmean_out\tcells\tothers\tvalues")
    );
    let groups = found.iter().flat_map(|level| &level.groups).filter(|group| group.genes.is_ok()).count();
    assert_eq!(rows.clone().count(), 42 * groups);
    assert!(rows.clone().all(|row| row.ends_with("\timputed") && row.split('\t').count() == 13));
    let first_of = |kind: &str| {
        let row = rows.clone().find(|row| row.split('\t').nth(1) == Some(kind)).unwrap_or_default();
        row.split('\t').nth(2).unwrap_or_default().to_owned()
    };
    assert_eq!([first_of("B cells"), first_of("CD14+ Monocytes")], ["CD74", "CD63"]);
    let differences: Vec<f64> = rows
        .filter(|row| row.split('\t').nth(1) == Some("B cells"))
        .map(|row| row.split('\t').nth(7).unwrap_or_default().parse().expect("a number"))
        .collect();
    assert!(differences.is_sorted_by(|a, b| a >= b) && differences[0] > 0.0 && differences[41] < 0.0);
}
