//! Clusters of the query: graph, modularity and preservation score of real Seurat, and what must not change the result.

#![allow(clippy::disallowed_methods)]

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{Input, input, reference};
use ndarray::s;
use sextant::cluster::graph::{Graph, shared_neighbors};
use sextant::cluster::network::Network;
use sextant::cluster::preservation::{self, Preservation, compare, entropies, preservation};
use sextant::cluster::{Clustering, Method, Options, cluster, find_clusters, own, own_map};
use sextant::map::grade::Grade;
use sextant::map::neighbors::{Neighbors, nearest};
use sextant::map::{self, Query};
use sextant::matrix::{Counts, Dense};
use sextant::normalize::{Residuals, Total};
use sextant::pca;
use sextant::progress::Progress;
use sextant::reference::{Reference, VarianceFloor};
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;
use tables::{Table, number};

static GIVEN: LazyLock<(Reference, Input)> =
    LazyLock::new(|| (reference("reference_model.tsv.gz", VarianceFloor::None, ""), input("query")));

fn table(name: &str) -> Table {
    Table::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clusters").join(name))
}

fn value(name: &str) -> f64 {
    let parameters = table("parameters.tsv");
    number(&parameters.rows.iter().find(|row| row[0] == name).expect("a parameter")[1])
}

fn silent() -> Progress<'static> {
    Progress::silent()
}

fn twenty(places: &Dense) -> Neighbors {
    nearest(places, places, 20, "", &silent())
}

/// Runs with a query and what it shares with the reference.
fn with_query<T>(input: &Input, run: impl FnOnce(&Query<'_>, &Reference) -> T) -> T {
    let genes = input.matched(&GIVEN.0);
    run(&Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes }, &GIVEN.0)
}

fn find(input: &Input, options: &Options) -> Clustering {
    with_query(input, |query, reference| find_clusters(query, reference, options, &silent()))
}

fn part_of(input: &Input, cells: &[usize]) -> Input {
    Input {
        counts: input.counts.select_cells(cells),
        totals: cells.iter().map(|&cell| input.totals[cell]).collect(),
        names: cells.iter().map(|&cell| input.names[cell].clone()).collect(),
        genes: input.genes.clone(),
    }
}

/// How far two partitions agree beyond chance.
///
/// Hubert and Arabie 1985 (10.1007/BF01908075).
fn adjusted_rand_index(a: &[u32], b: &[u32]) -> f64 {
    let pairs = |count: usize| (count * count.saturating_sub(1) / 2) as f64;
    let (mut both, mut of_a, mut of_b) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (&a, &b) in a.iter().zip(b) {
        *both.entry((a, b)).or_insert(0usize) += 1;
        *of_a.entry(a).or_insert(0usize) += 1;
        *of_b.entry(b).or_insert(0usize) += 1;
    }
    let sum = |counts: Vec<usize>| counts.into_iter().map(pairs).sum::<f64>();
    let (together, in_a, in_b) =
        (sum(both.into_values().collect()), sum(of_a.into_values().collect()), sum(of_b.into_values().collect()));
    let chance = in_a * in_b / pairs(a.len());
    (together - chance) / ((in_a + in_b) / 2.0 - chance)
}

fn is_seurats_graph(graph: &Graph, golden: &str, neighbors: usize) {
    let golden = table(golden);
    let column = |name: &str| golden.numbers(name).into_iter();
    let expected: Vec<(usize, usize, f64)> = column("a")
        .zip(column("b"))
        .zip(column("shared"))
        .map(|((a, b), shared)| (a as usize, b as usize, shared / (2.0 * neighbors as f64 - shared)))
        .collect();
    let edges = |node: usize| graph.of(node).filter(move |edge| node < edge.0).map(move |edge| (node, edge.0, edge.1));
    let found: Vec<(usize, usize, f64)> = (0..graph.nodes()).flat_map(edges).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found == expected);
    assert_eq!(graph.ends(), 2 * found.len());
}

#[test]
fn the_graph_equals_seurats() {
    let own = table("own_pcs.tsv.gz").dense();
    is_seurats_graph(&shared_neighbors(&twenty(&own), "", &silent()), "query_graph.tsv.gz", 20);
    let both = table("both_pcs.tsv.gz").dense();
    is_seurats_graph(&shared_neighbors(&twenty(&both), "", &silent()), "both_graph.tsv.gz", 20);
}

#[test]
fn clusters_are_as_good_as_seurats_and_nearly_the_same() {
    let neighbors = twenty(&table("both_pcs.tsv.gz").dense());
    let network = Network::new(shared_neighbors(&neighbors, "", &silent()));
    let golden = table("both_clusters.tsv.gz");
    for name in ["0.4", "0.8", "1.2"] {
        let resolution = number(name);
        let seurats: Vec<u32> =
            golden.numbers(&format!("clusters_{name}")).into_iter().map(|code| code as u32).collect();
        let theirs = value(&format!("both_modularity_{name}"));
        assert!((network.modularity(&seurats, resolution) - theirs).abs() < 1e-9, "the same definition of modularity");
        for method in [Method::Louvain, Method::Leiden] {
            let options = Options { resolution, method, ..Default::default() };
            let found = cluster(&neighbors, &options, "", &silent());
            let index = adjusted_rand_index(&found.codes, &seurats);
            println!(
                "{name} {method:?}: modularity {:.6}, Seurat's {theirs:.6}; {} clusters, adjusted Rand index {index:.4}",
                found.modularity,
                found.sizes.len()
            );
            assert!(found.modularity > theirs - 5e-4, "{name} {method:?}: {} {theirs}", found.modularity);
            assert!(index >= 0.9, "{name} {method:?}: {index}");
            assert!(found.sizes.windows(2).all(|pair| pair[0] >= pair[1]), "by size");
        }
    }
}

#[test]
fn own_components_are_seurats_and_those_of_the_dense_matrix() {
    let (reference, input) = &*GIVEN;
    let cells: Vec<usize> = (0..input.names.len()).collect();
    let found =
        with_query(input, |query, _| own::components(query, reference, &cells, &own::Options::of(50), "", &silent()));
    let expected = table("own_pcs.tsv.gz").matrix();
    assert_eq!(found.dim(), expected.dim());
    // The last components are close to each other in size, where a rotation among them is as good.
    let lengths = |column: usize| expected.column(column).iter().map(|value| value * value).sum::<f64>().sqrt();
    for column in 0..50 {
        let ours = found.column(column).mapv(f64::from);
        let theirs = expected.column(column);
        let sign = if ours.iter().zip(theirs).map(|(a, b)| a * b).sum::<f64>() < 0.0 { -1.0 } else { 1.0 };
        let difference = ours.iter().zip(theirs).map(|(a, b)| (sign * a - b).powi(2)).sum::<f64>().sqrt();
        let share = difference / lengths(column);
        assert!(share < if column < 30 { 1e-3 } else { 2e-2 }, "component {column}: {share}");
    }

    let genes = input.matched(reference);
    let residuals = Residuals::new(reference, &input.counts, &genes.feature_of_gene);
    let mut dense = Dense::zeros((cells.len(), residuals.features.len()));
    for cell in cells {
        let depth = residuals.at_depth(input.totals[cell]);
        dense.row_mut(cell).iter_mut().zip(&depth.zero).for_each(|(to, &zero)| *to = zero as f32);
        for (gene, count) in input.counts.row(cell) {
            if let Some(place) = residuals.place_of_gene[gene as usize] {
                let residual = residuals.residual(&depth, place as usize, f64::from(count));
                let alone = residuals.residual_alone(Total::of(input.totals[cell]), place as usize, f64::from(count));
                assert!((residual - alone).abs() < 1e-9);
                dense[(cell, place as usize)] = residual as f32;
            }
        }
    }
    let dense = pca::components(&dense, 50, &silent()).expect("components");
    for column in 0..50 {
        let length = found.column(column).iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        assert!((length / dense.singular_values[column] - 1.0).abs() < 1e-3, "{column}: {length}");
    }
}

#[test]
fn cells_beyond_those_that_are_fitted_are_placed_by_their_components() {
    let (reference, input) = &*GIVEN;
    let cells: Vec<usize> = (0..input.names.len()).collect();
    let components = |cells: &[usize], fitted: usize| {
        let options = own::Options { dimensions: 10, fitted };
        with_query(input, |query, _| own::components(query, reference, cells, &options, "", &silent()))
    };
    // Of the first half alone, and of the first half with the others placed by it.
    let (half, all) = (components(&cells[..200], 200), components(&cells, 200));
    assert_eq!((half.dim(), all.dim()), ((200, 10), (400, 10)));
    for column in 0..5 {
        let length = half.column(column).iter().map(|value| value * value).sum::<f32>().sqrt();
        let apart =
            all.slice(s![..200, column]).iter().zip(half.column(column)).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        assert!(apart.sqrt() < 0.01 * length, "component {column}: {}", apart.sqrt() / length);
    }
    // The other way round: each half placed by itself has the places that it has beside the other.
    let turned: Vec<usize> = (200..400).chain(0..200).collect();
    let other = components(&turned, 400);
    let whole = components(&cells, 400);
    for (row, &cell) in turned.iter().enumerate() {
        for column in 0..5 {
            let (a, b) = (other[(row, column)], whole[(cell, column)]);
            assert!((a - b).abs() < 1e-2 * (1.0 + b.abs()), "{cell} {column}: {a} {b}");
        }
    }
}

/// Many depths lie between the knots: the components stay those of the dense matrix.
#[test]
fn lines_between_depths_are_close_enough() {
    let (reference, input) = &*GIVEN;
    let genes = input.matched(reference);
    let residuals = Residuals::new(reference, &input.counts, &genes.feature_of_gene);
    let (low, high) = (2.0f64, 4.5);
    let step = (high - low) / 255.0;
    let mut largest = 0.0f64;
    for knot in 0..255 {
        let depth = low + step * f64::from(knot);
        for place in (0..residuals.features.len()).step_by(7) {
            let at = |depth: f64| residuals.residual_alone(Total::of_log(depth), place, 0.0);
            let line = (at(depth) + at(depth + step)) / 2.0;
            largest = largest.max((at(depth + step / 2.0) - line).abs());
        }
    }
    println!("largest deviation of a line between two of 256 depths over 2.5 decades: {largest:.1e}");
    assert!(largest < 5e-3, "{largest}");
}

#[test]
fn the_preservation_score_is_azimuths() {
    let golden = table("query_clusters.tsv.gz");
    let codes: Vec<u32> = golden.numbers("cluster").into_iter().map(|code| code as u32).collect();
    let clusters = value("clusters") as usize;
    let own = twenty(&table("own_pcs.tsv.gz").dense());
    let integrated = fixture::table("query_integrated.tsv.gz").dense();
    let close = |found: &[f64], column: &str| {
        for (ours, theirs) in found.iter().zip(golden.numbers(column)) {
            assert!((ours + theirs).abs() < 1e-9, "{column}: {ours} {theirs}");
        }
    };
    close(&entropies(&codes, clusters, &own), "own");
    for dimensions in [50, 2] {
        let mapped = twenty(&integrated.slice(s![.., ..dimensions]).to_owned());
        close(&entropies(&codes, clusters, &mapped), &format!("integrated_{dimensions}"));
        let found = compare(&codes, clusters, &own, &mapped);
        let (score, loss) = (value(&format!("score_{dimensions}")), value(&format!("loss_{dimensions}")));
        assert!((found.score - score).abs() < 1e-6 && (found.loss - loss).abs() < 1e-9, "{found:?} {score} {loss}");
    }

    let poor = Preservation { score: 1.204, loss: 0.43, clusters: 9, cells: 5000 };
    assert_eq!((poor.grade(), poor.rounded()), (Grade::Poor, 1.2));
    let messages: Vec<String> = poor.warnings().into_iter().map(|warning| warning.message).collect();
    assert_eq!(
        messages,
        [
            "The cluster preservation score is 1.20 of 5 (below 2): cells that are apart by themselves lie together after the \
             mapping. The file may hold types or states that the reference lacks, several batches, or many cells of low \
             quality: look at the query's own clusters beside the labels, and try a reference of the same tissue."
        ]
    );
    assert_eq!(Preservation { score: 2.0, ..poor }.warnings(), []);

    // The whole way, with clusters of our own.
    let (reference, input) = &*GIVEN;
    let found = with_query(input, |query, _| {
        let mapping = map::map(query, reference, &map::Options::default(), &silent()).expect("a mapping");
        preservation(query, reference, &mapping, &preservation::Options::default(), &silent())
    });
    println!("{found:?}");
    assert_eq!((found.score, found.clusters, found.cells), (value("score_50"), clusters, 400));
    assert!((found.loss - value("loss_50")).abs() < 0.01, "{found:?}");
}

#[test]
fn the_order_of_the_cells_does_not_matter() {
    let input = &GIVEN.1;
    let order: Vec<usize> = (0..input.names.len()).map(|row| row * 7 % input.names.len()).collect();
    let shuffled = part_of(input, &order);
    let (before, after) = (find(input, &Options::default()), find(&shuffled, &Options::default()));
    assert_eq!(before.clusters.sizes, after.clusters.sizes);
    let map = |clustering: &Clustering, input: &Input| own_map(clustering, &input.names, 42, &silent());
    let (map_before, map_after) = (map(&before, input), map(&after, &shuffled));
    for (row, &cell) in order.iter().enumerate() {
        assert_eq!(after.components.row(row), before.components.row(cell));
        assert_eq!(after.clusters.codes[row], before.clusters.codes[cell]);
        assert_eq!(map_after.row(row), map_before.row(cell));
    }
    assert!(map_before.iter().all(|place| place.is_finite()));
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let input = &GIVEN.1;
    let run = |threads: usize, method: Method| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| find(input, &Options { method, ..Default::default() }))
    };
    for method in [Method::Louvain, Method::Leiden] {
        assert!(run(1, method) == run(3, method));
    }
}

#[test]
fn few_cells_and_equal_cells_are_clusters_too() {
    let (reference, input) = &*GIVEN;
    for cells in [vec![0], vec![0, 1], (0..21).collect(), vec![5; 100], [vec![5; 60], vec![9; 40]].concat()] {
        let mut some = part_of(input, &cells);
        some.names = (0..cells.len()).map(|cell| format!("cell{cell}")).collect();
        for method in [Method::Louvain, Method::Leiden] {
            let found = find(&some, &Options { method, ..Default::default() });
            assert_eq!(found.clusters.codes.len(), cells.len());
            assert_eq!(found.clusters.sizes.iter().sum::<usize>(), cells.len());
            assert!(found.components.iter().all(|value| value.is_finite()) && found.clusters.modularity.is_finite());
            if cells == vec![5; 100] {
                assert_eq!(found.clusters.sizes, [100], "equal cells are one cluster");
            }
            let places = own_map(&found, &some.names, 42, &silent());
            assert!(places.iter().all(|place| place.is_finite()), "{} cells", cells.len());
        }
    }
    // Cells that the reference knows nothing of: no feature is counted.
    let mut counts = Counts::with_genes(input.counts.genes());
    (0..30).for_each(|_| counts.push_row([]));
    let names: Vec<String> = (0..30).map(|cell| cell.to_string()).collect();
    let silent_cells = Input { counts, totals: vec![1.0; 30], names, genes: input.genes.clone() };
    let found = with_query(&silent_cells, |query, _| find_clusters(query, reference, &Options::default(), &silent()));
    assert_eq!(found.clusters.codes.len(), 30);
}

#[test]
fn graphs_without_edges_and_cells_that_are_alone() {
    // Two far pairs of groups of 30, and one cell between that is in nobody's list.
    let places = Dense::from_shape_fn((61, 1), |(cell, _)| match cell {
        60 => 40.0,
        cell => (cell / 30 * 100) as f32 + cell as f32 * 0.01,
    });
    let found = cluster(&twenty(&places), &Options::default(), "", &silent());
    assert_eq!(found.sizes.len(), 2, "{:?}", found.sizes);
    assert_eq!(found.codes[60], found.codes[0], "the nearest cells are there");
    let empty = Graph::from_lists([]);
    assert_eq!(Network::new(empty).modularity(&Vec::new(), 1.0), 0.0);
}

/// What Leiden's search is for: every cluster hangs together.
#[test]
fn clusters_of_leiden_are_connected() {
    let neighbors = twenty(&table("both_pcs.tsv.gz").dense());
    let graph = shared_neighbors(&neighbors, "", &silent());
    for resolution in [0.2, 1.0, 5.0] {
        let options = Options { resolution, method: Method::Leiden, ..Default::default() };
        let found = cluster(&neighbors, &options, "", &silent());
        for code in 0..found.sizes.len() as u32 {
            let first = found.codes.iter().position(|&other| other == code).expect("a cell");
            let mut seen = vec![false; found.codes.len()];
            let (mut reached, mut next) = (0, vec![first]);
            seen[first] = true;
            while let Some(cell) = next.pop() {
                reached += 1;
                for (other, _) in graph.of(cell).filter(|&(other, _)| found.codes[other] == code) {
                    if !std::mem::replace(&mut seen[other], true) {
                        next.push(other);
                    }
                }
            }
            assert_eq!(reached, found.sizes[code as usize], "cluster {code} at {resolution}");
        }
    }
}
