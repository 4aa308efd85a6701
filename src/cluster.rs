//! Clusters of the query by itself: what the reference does not know of shows here.
//!
//! | step | module | in → out |
//! |---|---|---|
//! | components | [`own`] | residuals of the query → its own principal components |
//! | graph | [`graph`] | the 20 nearest cells of each → edges between cells that share neighbours |
//! | clusters | [`search`], [`network`] | graph → the partition of the highest modularity that was found |
//! | preservation | [`mod@preservation`] | clusters, integrated embedding → what of them the mapping kept |
//!
//! The residuals are those of the reference's features under its model, as in the mapping; nothing of the reference's
//! embedding enters. Cells are taken in an order drawn from their names, so that the order of the file changes nothing.

pub mod graph;
pub mod network;
pub mod own;
pub mod preservation;
pub mod search;

use crate::layout;
use crate::map::Query;
use crate::map::cosine::nearest_by_cosine;
use crate::map::neighbors::{Neighbors, nearest};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::Reference;
use graph::{Graph, shared_neighbors};
use network::{Partition, renumber};
use rustc_hash::FxHashMap;

/// How the clusters of highest modularity are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As `FindClusters` by default.
    Louvain,
    /// Every cluster hangs together.
    Leiden,
}

/// How cells are clustered, with the defaults of `FindNeighbors` and `FindClusters`.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Higher ones give more clusters.
    pub resolution: f64,
    pub method: Method,
    /// Neighbours of each cell in the graph, itself among them.
    pub neighbors: usize,
    /// Principal components (`Azimuth.map.ndims`).
    pub dimensions: usize,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { resolution: 0.8, method: Method::Louvain, neighbors: 20, dimensions: 50, seed: 42 }
    }
}

/// Clusters, numbered by their size, the largest first; of equal ones, the one with the earlier cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The cluster of each cell.
    pub codes: Vec<u32>,
    /// Cells of each cluster.
    pub sizes: Vec<usize>,
    /// Before cells that were alone joined others.
    pub modularity: f64,
}

/// The query by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// m × up to 50: the query's own principal components.
    pub components: Dense,
    pub clusters: Clusters,
    pub resolution: f64,
}

const COMPONENTS: &str = "Own components";
const CLUSTERS: &str = "Clustering";
const MAP: &str = "Own map";

/// Clusters the cells of a query.
pub fn find_clusters(
    query: &Query<'_>,
    reference: &Reference,
    options: &Options,
    progress: &Progress<'_>,
) -> Clustering {
    let order = order_of_names(query.names, options.seed);
    let components =
        own::components(query, reference, &order, &own::Options::of(options.dimensions), COMPONENTS, progress);
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(CLUSTERS, from + (to - from) * share);
    let neighbors = nearest(&components, &components, options.neighbors, CLUSTERS, &Progress::new(&part(0.0, 0.4)));
    let mut clusters = cluster(&neighbors, options, CLUSTERS, &Progress::new(&part(0.4, 1.0)));
    let mut codes = vec![0; order.len()];
    order.iter().zip(&clusters.codes).for_each(|(&cell, &code)| codes[cell] = code);
    clusters.codes = codes;
    Clustering { components: in_file_order(&components, &order), clusters, resolution: options.resolution }
}

/// A map of the query's own: UMAP fitted on its own principal components, with Seurat's parameters.
///
/// One thread; about 2 ms a cell up to 10,000 cells, 1 ms above.
///
/// # Shapes
/// `names` m → m × 2.
pub fn own_map(clustering: &Clustering, names: &[String], seed: u64, progress: &Progress<'_>) -> Dense {
    let order = order_of_names(names, seed);
    let components = clustering.components.select(ndarray::Axis(0), &order);
    let parameters = layout::seurat_parameters(names.len());
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(MAP, from + (to - from) * share);
    let nearest_cells = parameters.neighbors as usize;
    let (neighbors, distances) = nearest_by_cosine(&components, nearest_cells, &Progress::new(&part(0.0, 0.1)));
    let tell = part(0.1, 1.0);
    let places = layout::layout(&neighbors, &distances, &components, &parameters, seed, &Progress::new(&tell));
    in_file_order(&places, &order)
}

/// Clusters cells by their nearest neighbours: the graph, its clusters, and cells that are alone joined to others.
///
/// # Shapes
/// `neighbors`: cells × k, each among its own.
///
/// # Source
/// Seurat 4.3's `FindNeighbors` and `FindClusters`; the graph is the same, the search draws other random numbers.
pub fn cluster(neighbors: &Neighbors, options: &Options, stage: &str, progress: &Progress<'_>) -> Clusters {
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(stage, from + (to - from) * share);
    let graph = shared_neighbors(neighbors, stage, &Progress::new(&part(0.0, 0.3)));
    let (partition, modularity) = search::best_partition(
        graph.clone(),
        options.resolution,
        options.method,
        options.seed,
        stage,
        &Progress::new(&part(0.3, 1.0)),
    );
    let (codes, sizes) = by_size(join_single_cells(partition, &graph, neighbors));
    Clusters { codes, sizes, modularity }
}

/// Rows by a number drawn from each name; cells of equal names stay in the order of the file.
fn order_of_names(names: &[String], seed: u64) -> Vec<usize> {
    let keys: Vec<u64> = names.iter().map(|name| Random::for_name(name, seed).bits()).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| keys[a].cmp(&keys[b]).then_with(|| names[a].cmp(&names[b])).then(a.cmp(&b)));
    order
}

fn in_file_order(rows: &Dense, order: &[usize]) -> Dense {
    let mut sorted = Dense::zeros(rows.dim());
    order.iter().zip(rows.rows()).for_each(|(&cell, row)| sorted.row_mut(cell).assign(&row));
    sorted
}

/// A cell that is a cluster by itself joins the one that it has the highest mean weight to, as `GroupSingletons`. Where it
/// has no edge Seurat draws a cluster at random; here it joins that of its nearest neighbour.
fn join_single_cells(mut partition: Partition, graph: &Graph, neighbors: &Neighbors) -> Partition {
    let clusters = renumber(&mut partition);
    let mut sizes = vec![0u32; clusters];
    partition.iter().for_each(|&cluster| sizes[cluster as usize] += 1);
    let before = partition.clone();
    let is_single = |cell: usize| sizes[before[cell] as usize] == 1;
    for cell in (0..before.len()).filter(|&cell| is_single(cell)) {
        let mut weights: FxHashMap<u32, f64> = FxHashMap::default();
        for (other, weight) in graph.of(cell).filter(|&(other, _)| !is_single(other)) {
            *weights.entry(before[other]).or_default() += weight;
        }
        let mut means: Vec<(u32, f64)> = weights
            .into_iter()
            .map(|(cluster, weight)| (cluster, weight / f64::from(sizes[cluster as usize])))
            .collect();
        means.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let near = || {
            neighbors.of(cell).iter().find(|&&other| !is_single(other as usize)).map(|&other| before[other as usize])
        };
        if let Some(cluster) = means.first().map(|best| best.0).or_else(near) {
            partition[cell] = cluster;
        }
    }
    partition
}

/// Clusters numbered by their size, and their sizes.
fn by_size(mut partition: Partition) -> (Partition, Vec<usize>) {
    let clusters = renumber(&mut partition);
    let mut sizes = vec![0usize; clusters];
    partition.iter().for_each(|&cluster| sizes[cluster as usize] += 1);
    let mut order: Vec<usize> = (0..clusters).collect();
    order.sort_by(|&a, &b| sizes[b].cmp(&sizes[a]).then(a.cmp(&b)));
    let mut number = vec![0; clusters];
    order.iter().zip(0..).for_each(|(&cluster, rank)| number[cluster] = rank);
    partition.iter_mut().for_each(|cluster| *cluster = number[*cluster as usize]);
    (partition, order.into_iter().map(|cluster| sizes[cluster]).collect())
}
