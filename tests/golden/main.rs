//! Every step of the mapping against the values of real Seurat 4.3 with exact neighbours, on 500 control cells as
//! the reference and 400 interferon-stimulated cells as the query (Kang et al. 2018).

#![allow(clippy::disallowed_methods)]

mod fixture;
mod tables;

use fixture::{Input, input, reference, table};
use ndarray::Array2;
use sextant::map::{Mapping, Method, Options, Query, map, neighbors, project};
use sextant::normalize::Residuals;
use sextant::progress::Progress;
use sextant::reference::{Reference, VarianceFloor};
use std::collections::HashMap;
use std::sync::LazyLock;
use tables::Table;

struct Run {
    reference: Reference,
    input: Input,
    mapping: Mapping,
}

static RUN: LazyLock<Run> = LazyLock::new(|| {
    let reference = reference("reference_model.tsv.gz", VarianceFloor::None, "");
    let input = input("query");
    let mapping = run(&reference, &input);
    Run { reference, input, mapping }
});

fn seurat() -> Options {
    Options { method: Method::Seurat, ..Options::default() }
}

fn run(reference: &Reference, input: &Input) -> Mapping {
    let genes = input.matched(reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    map(&query, reference, &seurat(), &Progress::silent()).expect("a mapping")
}

/// The largest difference between two tables of the same shape.
fn largest_difference(found: impl Iterator<Item = f64>, expected: impl Iterator<Item = f64>) -> f64 {
    let mut count = 0;
    let largest = found.zip(expected).fold(0.0f64, |largest, (a, b)| {
        count += 1;
        assert!(a.is_finite() && b.is_finite());
        largest.max((a - b).abs())
    });
    assert!(count > 0);
    largest
}

fn assert_close(what: &str, found: &Array2<f32>, expected: &Table, tolerance: f64) {
    let expected = expected.matrix();
    assert_eq!(found.dim(), expected.dim(), "{what}");
    let largest = largest_difference(found.iter().map(|&value| f64::from(value)), expected.iter().copied());
    println!("{what}: largest difference {largest:.1e} (allowed {tolerance:e})");
    assert!(largest <= tolerance, "{what}: {largest:e} > {tolerance:e}");
}

fn check_residuals(reference: &Reference, input: &Input, golden: &str) {
    let golden = table(golden);
    let genes = input.matched(reference);
    let residuals = Residuals::new(reference, &input.counts, &genes.feature_of_gene);
    let row_of: HashMap<String, usize> =
        golden.column("gene").into_iter().enumerate().map(|(row, gene)| (gene, row)).collect();
    assert_eq!(residuals.features.len(), row_of.len(), "the features that Seurat used");
    let expected = golden.matrix();
    for (column, name) in golden.columns[1..].iter().enumerate() {
        let cell = input.names.iter().position(|cell| cell == name).expect("a cell of the query");
        let depth = residuals.at_depth(input.totals[cell]);
        let mut found = depth.zero.clone();
        for (gene, count) in input.counts.row(cell) {
            if let Some(place) = residuals.place_of_gene[gene as usize] {
                found[place as usize] = residuals.residual(&depth, place as usize, f64::from(count));
            }
        }
        let in_order = residuals.features.iter().map(|&feature| row_of[&reference.features[feature as usize].symbol]);
        let largest = largest_difference(found.into_iter(), in_order.map(|row| expected[(row, column)]));
        assert!(largest <= 1e-5, "{name}: {largest:e}");
    }
}

#[test]
fn residuals() {
    check_residuals(&RUN.reference, &RUN.input, "query_residuals.tsv.gz");
}

#[test]
fn residuals_of_a_version_2_model() {
    let reference = reference("reference_model_v2.tsv.gz", VarianceFloor::MedianCount, "v2_");
    assert!(
        reference.model.residuals().expect("residuals").theta.iter().any(|theta| theta.is_infinite()),
        "Poisson features occur"
    );
    check_residuals(&reference, &RUN.input, "query_residuals_v2.tsv.gz");
}

#[test]
fn projection() {
    assert_close("projected PCs", &RUN.mapping.projected, &table("query_projected.tsv.gz"), 1e-4);
}

#[test]
fn projection_equals_its_dense_twin() {
    let Run { reference, input, mapping } = &*RUN;
    let genes = input.matched(reference);
    let residuals = Residuals::new(reference, &input.counts, &genes.feature_of_gene);
    for cell in 0..input.counts.cells() {
        let depth = residuals.at_depth(input.totals[cell]);
        let mut counts = vec![0.0; residuals.features.len()];
        for (gene, count) in input.counts.row(cell) {
            if let Some(place) = residuals.place_of_gene[gene as usize] {
                counts[place as usize] = f64::from(count);
            }
        }
        for dimension in 0..reference.loadings.ncols() {
            let dense: f64 = residuals
                .features
                .iter()
                .enumerate()
                .map(|(place, &feature)| {
                    residuals.residual(&depth, place, counts[place])
                        * f64::from(reference.loadings[(feature as usize, dimension)])
                })
                .sum();
            let found = f64::from(mapping.projected[(cell, dimension)]);
            assert!((found - dense).abs() <= 1e-6 * (1.0 + dense.abs()), "{cell} {dimension}: {found} {dense}");
        }
    }
}

/// Distances that differ by less than this share are a tie.
const TIE: f64 = 1e-6;

#[test]
fn reference_neighbors_and_ties() {
    let unit = project::normalize_rows(&RUN.reference.embedding);
    let found = neighbors::nearest(&unit, &unit, 31, "", &Progress::silent());
    let mut ties = 0;
    for cell in 0..unit.nrows() {
        for (rank, (&ours, &theirs)) in found.of(cell).iter().zip(RUN.reference.neighbors.row(cell)).enumerate() {
            if ours == theirs {
                continue;
            }
            let distance = |other: u32| {
                let other = unit.row(other as usize).to_vec();
                sextant::kernel::squared_distance(&neighbors::wide(&unit.row(cell).to_vec()), &other).sqrt()
            };
            let (ours, theirs) = (distance(ours), distance(theirs));
            assert!((ours - theirs).abs() <= TIE * theirs, "cell {cell}, rank {rank}: {ours} {theirs}");
            ties += 1;
        }
    }
    println!("ties among reference neighbours: {ties}");
    assert!((ties as f64) < 0.001 * found.indices.len() as f64, "{ties} ties");
}

#[test]
fn anchors() {
    let golden = table("anchors.tsv.gz");
    let expected: Vec<(u32, u32)> = golden
        .numbers("reference")
        .into_iter()
        .zip(golden.numbers("query"))
        .map(|(reference, query)| (reference as u32, query as u32))
        .collect();
    let found: Vec<(u32, u32)> = RUN.mapping.anchors.iter().map(|anchor| (anchor.reference, anchor.query)).collect();
    assert_eq!(found, expected);
    let scores = RUN.mapping.anchors.iter().map(|anchor| anchor.score);
    let largest = largest_difference(scores, golden.numbers("score").into_iter());
    println!("anchor scores: largest difference {largest:.1e}");
    assert!(largest <= 1e-6, "{largest:e}");
}

#[test]
fn weights() {
    let golden = table("weights.tsv.gz");
    let mut expected: HashMap<(usize, usize), f64> = HashMap::new();
    for row in &golden.rows {
        let number = |index: usize| row[index].parse::<f64>().expect("a number");
        expected.insert((number(0) as usize, number(1) as usize), number(2));
    }
    let weights = &RUN.mapping.weights;
    let mut largest = 0.0f64;
    for cell in 0..weights.cells() {
        let mut sum = 0.0;
        for (anchor, weight) in weights.of(cell) {
            largest = largest.max((weight - expected.remove(&(anchor, cell)).unwrap_or(0.0)).abs());
            sum += weight;
        }
        assert!((sum - 1.0).abs() < 1e-6, "the weights of cell {cell} sum to {sum}");
    }
    largest = expected.values().fold(largest, |largest, &left| largest.max(left));
    println!("weights: largest difference {largest:.1e}");
    assert!(largest <= 1e-6, "{largest:e}");
}

#[test]
fn prediction_scores_and_labels() {
    let predictions = table("predictions.tsv.gz");
    for (labels, level) in RUN.mapping.labels.iter().zip(&RUN.reference.levels) {
        let golden = table(&format!("prediction_scores_{}.tsv.gz", level.name));
        // Seurat writes '-' for '_'.
        let names: Vec<String> = level.classes.iter().map(|class| class.name.replace('_', "-")).collect();
        assert_eq!(golden.columns[1..], names, "classes in the order of their first cell");
        assert_close(&format!("prediction scores of {}", level.name), &labels.scores, &golden, 1e-5);
        let found: Vec<&str> = labels.codes.iter().map(|&code| level.classes[code as usize].name.as_str()).collect();
        assert_eq!(found, predictions.column(&format!("predicted.{}", level.name)));
        let scores = (0..found.len()).map(|cell| f64::from(labels.score(cell)));
        let expected = predictions.numbers(&format!("predicted.{}.score", level.name));
        assert!(largest_difference(scores, expected.into_iter()) <= 1e-5);
    }
}

#[test]
fn integrated_embedding() {
    assert_close("integrated PCs", &RUN.mapping.integrated, &table("query_integrated.tsv.gz"), 1e-4);
}

#[test]
fn umap_neighbors_and_start() {
    let unit = project::normalize_rows(&RUN.reference.embedding);
    let found =
        neighbors::nearest(&project::normalize_rows(&RUN.mapping.integrated), &unit, 20, "", &Progress::silent());
    assert_close("UMAP neighbour distances", &found.distances, &table("umap_distances.tsv.gz"), 1e-5);
    let expected = table("umap_neighbors.tsv.gz").matrix();
    let differ = found.indices.iter().zip(&expected).filter(|&(&ours, &theirs)| ours != theirs as u32).count();
    println!("UMAP neighbours that differ by a tie: {differ}");
    assert!((differ as f64) < 0.001 * expected.len() as f64, "{differ}");
    assert_close("UMAP start", &RUN.mapping.umap.start, &table("umap_start.tsv.gz"), 1e-3);
}

/// The refinement draws other random numbers than uwot's, so it can only be near: the typical cell moves as far.
#[test]
fn umap_refinement_moves_as_far_as_uwot() {
    let expected = table("umap_final.tsv.gz").dense();
    let moved = |to: &Array2<f32>| {
        let start = &RUN.mapping.umap.start;
        let mut lengths: Vec<f32> = (0..start.nrows())
            .map(|cell| (to[(cell, 0)] - start[(cell, 0)]).hypot(to[(cell, 1)] - start[(cell, 1)]))
            .collect();
        lengths.sort_by(f32::total_cmp);
        lengths[lengths.len() / 2]
    };
    let (ours, theirs) = (moved(&RUN.mapping.umap.layout), moved(&expected));
    println!("median move of the refinement: ours {ours}, uwot's {theirs}");
    assert!(ours > 0.5 * theirs && ours < 2.0 * theirs, "{ours} {theirs}");
}

#[test]
fn mapping_scores() {
    let expected = table("predictions.tsv.gz").numbers("mapping.score");
    let found = RUN.mapping.mapping_scores.iter().map(|&score| f64::from(score));
    let largest = largest_difference(found, expected.into_iter());
    println!("mapping scores: largest difference {largest:.1e}");
    assert!(largest <= 1e-4, "{largest:e}");
}

/// A file in another order is the same file: labels, scores and places belong to the cells, not to the rows.
#[test]
fn the_order_of_the_cells_does_not_matter() {
    let Run { reference, input, mapping } = &*RUN;
    // 400 cells; 7 and 400 have no common divisor, so every cell occurs once.
    let order: Vec<usize> = (0..input.names.len()).map(|row| row * 7 % input.names.len()).collect();
    let shuffled = Input {
        counts: input.counts.select_cells(&order),
        totals: order.iter().map(|&cell| input.totals[cell]).collect(),
        names: order.iter().map(|&cell| input.names[cell].clone()).collect(),
        genes: input.genes.clone(),
    };
    let other = run(reference, &shuffled);
    assert_eq!(other.anchors.len(), mapping.anchors.len());
    for (row, &cell) in order.iter().enumerate() {
        assert_eq!(other.projected.row(row), mapping.projected.row(cell));
        for (a, b) in other.labels.iter().zip(&mapping.labels) {
            assert_eq!(a.codes[row], b.codes[cell]);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(a.scores.row(row).iter().zip(b.scores.row(cell)).all(near));
        }
        assert!((other.mapping_scores[row] - mapping.mapping_scores[cell]).abs() < 1e-5);
        for axis in 0..2 {
            let (a, b) = (other.umap.layout[(row, axis)], mapping.umap.layout[(cell, axis)]);
            assert!((a - b).abs() < 1e-3, "{}: {a} {b}", input.names[cell]);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let mapping = pool.install(|| run(&RUN.reference, &RUN.input));
        assert_eq!(mapping.projected, RUN.mapping.projected);
        assert_eq!(mapping.anchors, RUN.mapping.anchors);
        assert_eq!(mapping.weights, RUN.mapping.weights);
        assert_eq!(mapping.labels, RUN.mapping.labels);
        assert_eq!(mapping.integrated, RUN.mapping.integrated);
        assert_eq!(mapping.umap, RUN.mapping.umap);
        assert_eq!(mapping.mapping_scores, RUN.mapping.mapping_scores);
    }
}

#[test]
fn few_cells_with_anchors_are_told() {
    let mut mapping = RUN.mapping.clone();
    assert_eq!(mapping.warnings(), []);
    mapping.anchors.clear();
    let messages: Vec<String> = mapping.warnings().into_iter().map(|warning| warning.message).collect();
    assert_eq!(
        messages,
        [
            "Only 0.0 % of the cells have an anchor in the reference (below 5 %): query and reference differ much, and labels \
          deserve doubt. A reference of the same tissue and technology would serve better.",
            "Only 0 anchors on 0 cells were found; Azimuth refuses a mapping with fewer than 50. Prediction and mapping scores mean \
             little here: go by the confidence."
        ]
    );
}

#[test]
fn few_cells_and_single_labels_are_told() {
    let mut mapping = RUN.mapping.clone();
    mapping.mapping_scores.truncate(99);
    mapping.labels[1].codes.fill(2);
    let messages: Vec<String> = mapping.warnings().into_iter().map(|warning| warning.message).collect();
    assert_eq!(
        messages,
        [
            "Only 99 cells were mapped; Azimuth asks for 100. A label comes from the anchors of the cells around it, so those of \
             few cells are less certain: map samples of the same experiment together.",
            "All cells got the same label at 'coarse'. That is right where the file holds one type only, such as sorted cells; \
             otherwise the reference may not hold the types of this tissue."
        ]
    );
}
