//! The search for the clusters of highest modularity: Louvain's, and Leiden's which keeps every cluster connected.

use super::Method;
use super::graph::Graph;
use super::network::{Network, Partition, renumber, shuffled};
use crate::progress::Progress;
use crate::random::Random;
use rayon::prelude::*;

/// How often the search begins anew, and how often each goes on from what it found (`n.start`, `n.iter`).
const STARTS: u64 = 10;
const ITERATIONS: usize = 10;
/// Levels of clusters of clusters; a dozen is much.
const LEVELS: usize = 64;
/// Ends of edges that some starts may have together to run side by side, between two reports of progress.
const SLICE: usize = 1 << 20;

/// The best partition of all starts with its modularity; of equal ones, that of the earlier start.
pub fn best_partition(
    graph: Graph,
    resolution: f64,
    method: Method,
    seed: u64,
    stage: &str,
    progress: &Progress<'_>,
) -> (Partition, f64) {
    let network = Network::new(graph);
    let side_by_side = (SLICE / network.graph().ends().max(1)).clamp(1, STARTS as usize);
    let run = |start: u64, tell: &Progress<'_>| {
        let mut random = Random::new(seed.wrapping_add(start));
        let mut partition: Partition = (0..network.nodes() as u32).collect();
        for _ in 0..ITERATIONS {
            if !improve(&network, &mut partition, (resolution, method), LEVELS, &mut random, tell) {
                break;
            }
        }
        let modularity = network.modularity(&partition, resolution);
        (partition, modularity)
    };
    let mut best: Option<(Partition, f64)> = None;
    let starts: Vec<u64> = (0..STARTS).collect();
    for some in starts.chunks(side_by_side) {
        let done = some[0] as f64 / STARTS as f64;
        progress.report(stage, done);
        let found: Vec<(Partition, f64)> = match some {
            [start] => {
                let report = |_: &str, share: f64| progress.report(stage, done + share / STARTS as f64);
                vec![run(*start, &Progress::new(&report))]
            }
            several => several.par_iter().map(|&start| run(start, &Progress::silent())).collect(),
        };
        for (partition, modularity) in found {
            if best.as_ref().is_none_or(|best| modularity > best.1) {
                best = Some((partition, modularity));
            }
        }
    }
    best.unwrap_or_default()
}

/// One pass of the search through so many levels, from a partition that it may change; whether it did.
///
/// # Source
/// Blondel et al. 2008 (10.1088/1742-5468/2008/10/P10008) for Louvain; Traag, Waltman and van Eck 2019
/// (10.1038/s41598-019-41695-z) for Leiden.
fn improve(
    network: &Network,
    partition: &mut Partition,
    (resolution, method): (f64, Method),
    levels: usize,
    random: &mut Random,
    tell: &Progress<'_>,
) -> bool {
    let mut changed = network.move_nodes(partition, resolution, random, tell);
    let clusters = renumber(partition);
    if clusters == network.nodes() || levels == 0 {
        return changed;
    }
    // Nodes that the next level takes together, and the clusters in which it finds them.
    let mut parts = match method {
        Method::Louvain => partition.clone(),
        Method::Leiden => refine(network, partition, clusters, resolution, random),
    };
    let count = renumber(&mut parts);
    if count == network.nodes() {
        return changed;
    }
    let mut above: Partition = vec![0; count];
    for (&part, &cluster) in parts.iter().zip(partition.iter()) {
        above[part as usize] = cluster;
    }
    changed |= improve(&network.merged(&parts, count), &mut above, (resolution, method), levels - 1, random, tell);
    for (cluster, &part) in partition.iter_mut().zip(&parts) {
        *cluster = above[part as usize];
    }
    changed
}

/// Divides each cluster into parts that hang together: single nodes join the part of their cluster that gains most from
/// them, in a random order, and only while both are tied well to the rest of the cluster.
///
/// # Source
/// Traag, Waltman and van Eck 2019, algorithm A.2, `MergeNodesSubset`, where the best part is taken and none is drawn at
/// random, as its authors' package does.
fn refine(
    network: &Network,
    partition: &Partition,
    clusters: usize,
    resolution: f64,
    random: &mut Random,
) -> Partition {
    let nodes = network.nodes();
    let mut of_cluster = vec![0.0; clusters];
    (0..nodes).for_each(|node| of_cluster[partition[node] as usize] += network.strength(node));
    let mut parts: Partition = (0..nodes as u32).collect();
    let mut strength: Vec<f64> = (0..nodes).map(|node| network.strength(node)).collect();
    let mut alone = vec![true; nodes];
    // Weights from each part to the rest of its cluster.
    let inside = |node: usize| network.graph().of(node).filter(move |&(other, _)| partition[other] == partition[node]);
    let mut outward: Vec<f64> =
        (0..nodes).map(|node| inside(node).fold(0.0, |sum, (_, weight)| sum + weight)).collect();
    let mut weight = vec![0.0; nodes];
    let mut met: Vec<u32> = Vec::new();
    let chance = |part: f64, node: usize, whole: f64| {
        let own = network.strength(node);
        if own > 0.0 { network.cost(resolution, node, whole - part) * (part / own) } else { 0.0 }
    };
    for node in shuffled(nodes, random) {
        let node = node as usize;
        let whole = of_cluster[partition[node] as usize];
        if !alone[node] || outward[node] < network.cost(resolution, node, whole - network.strength(node)) {
            continue;
        }
        for (other, value) in inside(node) {
            let part = parts[other];
            if weight[part as usize] == 0.0 {
                met.push(part);
            }
            weight[part as usize] += value;
        }
        let mut best = (0.0, node as u32);
        for &part in &met {
            let at = part as usize;
            let gain = weight[at] - network.cost(resolution, node, strength[at]);
            let tied = outward[at] >= chance(strength[at], node, whole);
            if tied && (gain > best.0 || (gain == best.0 && best.1 != node as u32 && part < best.1)) {
                best = (gain, part);
            }
        }
        let to = best.1 as usize;
        if to != node {
            parts[node] = best.1;
            // What was between the two points inwards now, seen from either.
            outward[to] += outward[node] - 2.0 * weight[to];
            strength[to] += network.strength(node);
            alone[to] = false;
            alone[node] = false;
        }
        met.drain(..).for_each(|part| weight[part as usize] = 0.0);
    }
    parts
}
