//! Maps a full-size dataset with the reference that Seurat fitted, and counts how far the outcome agrees.
//!
//!     cargo run --release --example compare_with_seurat -- FOLDER [QUERY]
//!
//! QUERY (`FOLDER/query` if it is not named) holds the counts: `matrix.mtx`, genes × cells, with `genes.txt` and
//! `cells.txt`. FOLDER holds the outcome, `predictions.tsv`, and in `golden/` what Seurat computed on the way:
//! `ref_sct_model.tsv`, `ref_sct_args.json`, `ref_loadings.tsv.gz`, `ref_pcs.tsv.gz`, `ref_umap_labels.tsv`,
//! `umap_model.json`, `query_projected_pcs.tsv.gz`, `anchors.tsv`, `prediction_scores_<level>.tsv`,
//! `query_integrated_pcs.tsv.gz`, `umap_init_before_sgd.tsv`, and `cluster_preservation_cells.tsv`, the cells that Azimuth's
//! cluster preservation score drew, with their clusters and negative entropies.

#![allow(clippy::disallowed_methods)]

#[path = "../golden/tables.rs"]
mod tables;

use ndarray::Array2;
use sextant::cluster::graph::shared_neighbors;
use sextant::cluster::network::Network;
use sextant::cluster::preservation::{self, preservation};
use sextant::cluster::{self, Method, cluster, own};
use sextant::formats::Feature;
use sextant::genes::match_genes;
use sextant::map::{self as mapping, Mapping, Options, Query, map, neighbors, project};
use sextant::progress::Progress;
use sextant::reference::{About, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tables::{Table, counts, text};

fn main() {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("Usage: compare_with_seurat FOLDER [QUERY]");
        std::process::exit(2);
    };
    let query = std::env::args().nth(2).map_or_else(|| folder.join("query"), PathBuf::from);
    let golden = |name: &str| Table::read(&folder.join("golden").join(name));
    let reference = read_reference(&folder.join("golden"));
    let (cells, genes) = (names(&query.join("cells.txt")), names(&query.join("genes.txt")));
    let genes: Vec<Feature> = genes.into_iter().map(|symbol| Feature { id: None, symbol }).collect();
    let all = counts(&text(&query.join("matrix.mtx")));
    let totals: Vec<f64> =
        (0..all.cells()).map(|cell| all.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
    let matched = match_genes(&genes, &reference.features, None);
    let query = Query { counts: &all, totals: &totals, names: &cells, genes: &matched };
    let started = Instant::now();
    let stages = RefCell::new(Vec::<(String, f64)>::new());
    let note = |stage: &str, _: f64| {
        let mut stages = stages.borrow_mut();
        if stages.last().is_none_or(|last| last.0 != stage) {
            stages.push((stage.into(), started.elapsed().as_secs_f64()));
        }
    };
    let mapping = map(
        &query,
        &reference,
        &Options { method: mapping::Method::Seurat, ..Options::default() },
        &Progress::new(&note),
    )
    .expect("a mapping");
    note("end", 1.0);
    for pair in stages.borrow().windows(2) {
        println!("{}: {:.2} s", pair[0].0, pair[1].1 - pair[0].1);
    }
    println!("{} cells onto {} in {:.2} s", cells.len(), reference.cells.len(), started.elapsed().as_secs_f64());

    difference("projected PCs", &mapping.projected, &golden("query_projected_pcs.tsv.gz"), 1e-4);
    let expected = golden("anchors.tsv");
    let pairs = |a: Vec<f64>, b: Vec<f64>| a.into_iter().zip(b).map(|(a, b)| (a as u32, b as u32)).collect::<Vec<_>>();
    let theirs = pairs(expected.numbers("ref_index0"), expected.numbers("query_index0"));
    let ours: Vec<(u32, u32)> = mapping.anchors.iter().map(|anchor| (anchor.reference, anchor.query)).collect();
    let common = ours.iter().collect::<HashSet<_>>().intersection(&theirs.iter().collect()).count();
    println!("anchors: ours {}, Seurat's {}, common {common}, same order {}", ours.len(), theirs.len(), ours == theirs);
    let predictions = Table::read(&folder.join("predictions.tsv"));
    for (labels, level) in mapping.labels.iter().zip(&reference.levels) {
        let scores = golden(&format!("prediction_scores_{}.tsv", level.name));
        difference(&format!("prediction scores of {}", level.name), &labels.scores, &scores, 1e-4);
        let theirs = predictions.column("predicted.id");
        let same =
            labels.codes.iter().zip(&theirs).filter(|&(&code, id)| &level.classes[code as usize].name == id).count();
        println!("labels of {}: {:.3} % equal", level.name, 100.0 * same as f64 / theirs.len() as f64);
    }
    difference("integrated PCs", &mapping.integrated, &golden("query_integrated_pcs.tsv.gz"), 1e-4);
    difference("UMAP start", &mapping.umap.start, &golden("umap_init_before_sgd.tsv"), 1e-3);
    let scores = Array2::from_shape_vec((cells.len(), 1), mapping.mapping_scores.clone()).expect("a column");
    let theirs = Table {
        columns: vec!["cell".into(), "mapping.score".into()],
        rows: predictions.column("mapping.score").into_iter().map(|score| vec![String::new(), score]).collect(),
    };
    difference("mapping scores", &scores, &theirs, 1e-4);
    compare_preservation(&query, &reference, &mapping, &golden("cluster_preservation_cells.tsv"));
}

/// The score of the cells that Seurat drew, with its clusters and with ours; and of the cells that we draw.
fn compare_preservation(query: &Query<'_>, reference: &Reference, mapping: &Mapping, golden: &Table) {
    let row_of: HashMap<&str, usize> = query.names.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
    let drawn: Vec<usize> = golden.column("cell").iter().map(|cell| row_of[cell.as_str()]).collect();
    let silent = Progress::silent();
    let twenty = |places: &Array2<f32>| neighbors::nearest(places, places, 20, "", &silent);
    let own = twenty(&own::components(query, reference, &drawn, &own::Options::of(50), "", &silent));
    let mapped = twenty(&mapping.integrated.select(ndarray::Axis(0), &drawn));
    let codes: Vec<u32> = golden.numbers("cluster").into_iter().map(|code| code as u32).collect();
    let clusters = codes.iter().max().map_or(0, |&last| last as usize + 1);
    for (name, column, found) in [("own", "orig_neg_entropy", &own), ("mapped", "proj_neg_entropy", &mapped)] {
        let ours = preservation::entropies(&codes, clusters, found);
        let near =
            ours.iter().zip(golden.numbers(column)).filter(|(ours, theirs)| (*ours + theirs).abs() < 1e-8).count();
        println!("entropies, {name}: {:.3} % of cells within 1e-8", 100.0 * near as f64 / ours.len() as f64);
    }
    println!("Seurat's cells and clusters: {:?}", preservation::compare(&codes, clusters, &own, &mapped));
    let network = Network::new(shared_neighbors(&own, "", &silent));
    for method in [Method::Louvain, Method::Leiden] {
        let started = Instant::now();
        let found = cluster(&own, &cluster::Options { resolution: 0.6, method, ..Default::default() }, "", &silent);
        let together = |a: &[u32], b: &[u32]| {
            let mut pairs: HashMap<(u32, u32), usize> = HashMap::new();
            a.iter().zip(b).for_each(|pair| *pairs.entry((*pair.0, *pair.1)).or_default() += 1);
            pairs.into_values().map(|cells| (cells * (cells - 1)) as f64).sum::<f64>()
        };
        let (of_both, of_ours, of_theirs) =
            (together(&found.codes, &codes), together(&found.codes, &found.codes), together(&codes, &codes));
        let chance = of_ours * of_theirs / (codes.len() * (codes.len() - 1)) as f64;
        println!(
            "{method:?} of Seurat's cells: {} clusters ({clusters} Seurat's), modularity {:.5} ({:.5}), adjusted Rand index \
             {:.4}, {:.2} s",
            found.sizes.len(),
            found.modularity,
            network.modularity(&codes, 0.6),
            (of_both - chance) / ((of_ours + of_theirs) / 2.0 - chance),
            started.elapsed().as_secs_f64()
        );
    }
    let started = Instant::now();
    let found = preservation(query, reference, mapping, &preservation::Options::default(), &silent);
    println!("cells of our drawing: {found:?}, {:.2} s", started.elapsed().as_secs_f64());
}

/// Largest difference, and the share of rows whose every value is within the tolerance.
fn difference(what: &str, found: &Array2<f32>, expected: &Table, tolerance: f64) {
    let expected = expected.matrix();
    assert_eq!(found.dim(), expected.dim(), "{what}");
    let (mut largest, mut near) = (0.0f64, 0);
    for (found, expected) in found.rows().into_iter().zip(expected.rows()) {
        let row = found.iter().zip(expected).fold(0.0f64, |row, (&a, &b)| row.max((f64::from(a) - b).abs()));
        near += usize::from(row <= tolerance);
        largest = largest.max(row);
    }
    let share = 100.0 * near as f64 / found.nrows() as f64;
    println!("{what}: {share:.3} % of cells within {tolerance:e}, largest difference {largest:.1e}");
}

fn names(path: &Path) -> Vec<String> {
    text(path).lines().map(str::to_owned).collect()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&text(path)).expect("JSON")
}

fn read_reference(golden: &Path) -> Reference {
    let model = Table::read(&golden.join("ref_sct_model.tsv"));
    let loadings = Table::read(&golden.join("ref_loadings.tsv.gz"));
    let features = loadings.column("gene");
    let row_of: HashMap<String, usize> =
        model.column("gene").into_iter().enumerate().map(|(row, gene)| (gene, row)).collect();
    let pick = |name: &str| {
        let values = model.numbers(name);
        features.iter().map(|gene| values[row_of[gene]]).collect::<Vec<f64>>()
    };
    let arguments = json(&golden.join("ref_sct_args.json"));
    let clip = |index: usize| arguments["sct.clip.range"][index].as_f64().expect("a clip");
    let embedding = Table::read(&golden.join("ref_pcs.tsv.gz"));
    let places = Table::read(&golden.join("ref_umap_labels.tsv"));
    let labelled: Vec<_> = places.columns[3..].iter().map(|name| (name.clone(), places.column(name))).collect();
    let (levels, _) = sextant::build::labels::levels(&labelled, places.rows.len()).expect("levels");
    let xy: Vec<f32> = places
        .numbers("UMAP_1")
        .into_iter()
        .zip(places.numbers("UMAP_2"))
        .flat_map(|(x, y)| [x as f32, y as f32])
        .collect();
    let umap = json(&golden.join("umap_model.json"));
    let number = |name: &str| umap[name].as_f64().expect("a number");
    let embedding_values = embedding.dense();
    let unit = project::normalize_rows(&embedding_values);
    let cells = embedding.rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    Reference {
        about: About { name: "seurat".into(), ..About::default() },
        features: features.iter().map(|symbol| Feature { id: None, symbol: symbol.clone() }).collect(),
        model: ResidualModel {
            theta: pick("theta"),
            intercept: pick("(Intercept)"),
            slope: pick("log_umi"),
            residual_mean: pick("residual_mean"),
            clip: (clip(0), clip(1)),
            variance_floor: VarianceFloor::None,
        }
        .into(),
        loadings: loadings.dense(),
        neighbors: neighbors::nearest(&unit, &unit, 31, "", &Progress::silent()).indices,
        embedding: embedding_values,
        levels,
        umap: UmapModel {
            layout: Array2::from_shape_vec((cells.len(), 2), xy).expect("a place for each cell"),
            rows: (0..cells.len() as u32).collect(),
            parameters: UmapParameters {
                a: number("a"),
                b: number("b"),
                epochs: number("n_epochs") as u32,
                neighbors: number("n_neighbors") as u32,
                negative_samples: number("negative_sample_rate") as u32,
                learning_rate: number("alpha"),
                repulsion: number("gamma"),
            },
        },
        cells,
        columns: Vec::new(),
        proteins: None,
        expression: None,
    }
}
