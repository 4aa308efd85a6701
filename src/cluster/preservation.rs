//! The cluster preservation score: whether cells that are apart in the query are still apart in the reference's space.

use super::{Method, Options as ClusterOptions, cluster, order_of_names, own};
use crate::error::Warning;
use crate::map::grade::{self, Grade};
use crate::map::neighbors::{Neighbors, nearest};
use crate::map::{Mapping, Query};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::Reference;
use ndarray::Axis;

/// Azimuth's parameters.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of more cells than this so many are drawn (`Azimuth.map.postmapqcds`), by their names.
    pub most_cells: usize,
    pub resolution: f64,
    pub neighbors: usize,
    pub dimensions: usize,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { most_cells: 5000, resolution: 0.6, neighbors: 20, dimensions: 50, seed: 42 }
    }
}

/// How well the mapping preserves the query's own clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preservation {
    /// 0 to 5; 5 where nothing is lost.
    pub score: f64,
    /// Entropy that neighbourhoods gain through the mapping, in nats: the median of the clusters' means.
    pub loss: f64,
    /// The query's own clusters, and the cells that they are of.
    pub clusters: usize,
    pub cells: usize,
}

impl Preservation {
    pub fn grade(&self) -> Grade {
        Grade::of_preservation(self.score)
    }

    /// The score with the two digits that Azimuth shows.
    pub fn rounded(&self) -> f64 {
        libm::round(100.0 * self.score) / 100.0
    }

    /// What the person should do where the score is poor.
    pub fn warnings(&self) -> Vec<Warning> {
        if self.grade() != Grade::Poor {
            return Vec::new();
        }
        let (few, _) = grade::PRESERVATION;
        vec![Warning::new(
            "poor_preservation",
            format!(
                "The cluster preservation score is {:.2} of 5 (below {few}): cells that are apart by themselves lie together \
                 after the mapping. The file may hold types or states that the reference lacks, several batches, or many \
                 cells of low quality: look at the query's own clusters beside the labels, and try a reference of the same \
                 tissue.",
                self.score
            ),
        )]
    }
}

const STAGE: &str = "Cluster preservation";

/// Clusters the query by itself and compares how mixed the neighbourhoods of its cells are there and after the mapping.
///
/// # Source
/// Azimuth's score (Hao et al. 2021, 10.1016/j.cell.2021.04.048), which is of 5,000 cells drawn without a seed.
pub fn preservation(
    query: &Query<'_>,
    reference: &Reference,
    mapping: &Mapping,
    options: &Options,
    progress: &Progress<'_>,
) -> Preservation {
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(STAGE, from + (to - from) * share);
    let mut cells = order_of_names(query.names, options.seed);
    cells.truncate(options.most_cells);
    let tell = part(0.0, 0.7);
    let components =
        own::components(query, reference, &cells, &own::Options::of(options.dimensions), STAGE, &Progress::new(&tell));
    let own = nearest(&components, &components, options.neighbors, STAGE, &Progress::new(&part(0.7, 0.8)));
    let clustering = ClusterOptions {
        resolution: options.resolution,
        method: Method::Louvain,
        neighbors: options.neighbors,
        dimensions: options.dimensions,
        seed: options.seed,
    };
    let clusters = cluster(&own, &clustering, STAGE, &Progress::new(&part(0.8, 0.9)));
    let integrated: Dense = mapping.integrated.select(Axis(0), &cells);
    let mapped = nearest(&integrated, &integrated, options.neighbors, STAGE, &Progress::new(&part(0.9, 1.0)));
    compare(&clusters.codes, clusters.sizes.len(), &own, &mapped)
}

/// The score of clusters whose cells have these neighbours in the query's own space and after the mapping.
pub fn compare(codes: &[u32], clusters: usize, own: &Neighbors, mapped: &Neighbors) -> Preservation {
    let (before, after) = (entropies(codes, clusters, own), entropies(codes, clusters, mapped));
    let mut gained = vec![(0.0, 0usize); clusters];
    for (cell, &cluster) in codes.iter().enumerate() {
        let (sum, size) = &mut gained[cluster as usize];
        *sum += after[cell] - before[cell];
        *size += 1;
    }
    let mut means: Vec<f64> =
        gained.into_iter().filter(|(_, size)| *size > 0).map(|(sum, size)| sum / size as f64).collect();
    means.sort_by(f64::total_cmp);
    let loss = match means.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => means[odd / 2],
        even => (means[even / 2 - 1] + means[even / 2]) / 2.0,
    };
    let score = if loss > 0.0 { (-libm::log2(loss)).clamp(0.0, 5.0) } else { 5.0 };
    Preservation { score, loss, clusters, cells: codes.len() }
}

/// For each cell, the entropy of the clusters of its neighbours, in nats: 0 where all are of one.
pub fn entropies(codes: &[u32], clusters: usize, neighbors: &Neighbors) -> Vec<f64> {
    let mut counts = vec![0u32; clusters];
    let entropy = |cell: usize| {
        let near = neighbors.of(cell);
        near.iter().for_each(|&other| counts[codes[other as usize] as usize] += 1);
        near.iter().fold(0.0, |sum, &other| {
            let count = std::mem::take(&mut counts[codes[other as usize] as usize]);
            let share = f64::from(count) / near.len() as f64;
            if count > 0 { sum - share * libm::log(share) } else { sum }
        })
    };
    (0..codes.len()).map(entropy).collect()
}
