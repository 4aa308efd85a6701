//! A graph as the search for clusters sees it: nodes that may stand for many cells, and moves between clusters.

use super::graph::Graph;
use crate::progress::Progress;
use crate::random::Random;
use std::collections::VecDeque;

/// Nodes with edges between them. Edges within a node count in its strength alone.
pub struct Network {
    graph: Graph,
    /// Sum of the weights of a node's edges, those within it counted twice.
    strength: Vec<f64>,
    /// Sum of all strengths.
    total: f64,
}

/// The cluster of each node.
pub type Partition = Vec<u32>;

/// A gain has to be larger than this share of a node's strength, or rounding could move nodes for ever.
const LEAST_GAIN: f64 = 1e-10;
/// No node is visited more often than so many times, on average.
const MOST_VISITS: usize = 200;
/// Visits between two reports of progress.
const REPORT: usize = 1 << 15;

impl Network {
    pub fn new(graph: Graph) -> Self {
        let strength: Vec<f64> =
            (0..graph.nodes()).map(|node| graph.of(node).fold(0.0, |sum, (_, weight)| sum + weight)).collect();
        let total = strength.iter().fold(0.0, |sum, strength| sum + strength);
        Network { graph, strength, total }
    }

    pub fn nodes(&self) -> usize {
        self.graph.nodes()
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub fn strength(&self, node: usize) -> f64 {
        self.strength[node]
    }

    /// What a node loses by the strength of a cluster that it is in: `resolution · k · K / 2m`.
    pub fn cost(&self, resolution: f64, node: usize, cluster: f64) -> f64 {
        if self.total > 0.0 { resolution * self.strength[node] * cluster / self.total } else { 0.0 }
    }

    /// Share of the weights within clusters, less `resolution` times the share that chance would put there.
    ///
    /// # Source
    /// Reichardt and Bornholdt 2006 (10.1103/PhysRevE.74.016110), the modularity of Newman and Girvan where `resolution`
    /// is 1; on a graph of cells it equals what Seurat's `FindClusters` maximises.
    pub fn modularity(&self, partition: &Partition, resolution: f64) -> f64 {
        if self.total == 0.0 {
            return 0.0;
        }
        let mut strength = vec![0.0; partition.iter().max().map_or(0, |&last| last as usize + 1)];
        let mut within = 0.0;
        for (node, &cluster) in partition.iter().enumerate() {
            strength[cluster as usize] += self.strength[node];
            for (other, weight) in self.graph.of(node) {
                within += if partition[other] == cluster { weight } else { 0.0 };
            }
        }
        let chance = strength.iter().fold(0.0, |sum, strength| sum + (strength / self.total) * (strength / self.total));
        within / self.total - resolution * chance
    }

    /// Moves single nodes to where modularity grows most until none gains, in a random order to begin with; whether any
    /// was moved. The clusters of `partition` are numbered below the number of nodes.
    ///
    /// # Source
    /// The fast local moving of Traag, Waltman and van Eck 2019 (10.1038/s41598-019-41695-z), algorithm A.2.
    pub fn move_nodes(
        &self,
        partition: &mut Partition,
        resolution: f64,
        random: &mut Random,
        tell: &Progress<'_>,
    ) -> bool {
        let nodes = self.nodes();
        let mut clusters = Clusters::new(self, partition);
        let mut queue: VecDeque<u32> = shuffled(nodes, random).into();
        let mut waits = vec![true; nodes];
        let mut moved = false;
        for visit in 0..MOST_VISITS * nodes {
            if visit % REPORT == REPORT - 1 {
                tell.report("", 1.0 - queue.len() as f64 / nodes as f64);
            }
            let Some(node) = queue.pop_front().map(|node| node as usize) else { break };
            waits[node] = false;
            let from = partition[node];
            let to = clusters.best_for(self, partition, node, resolution);
            clusters.change(from, to, self.strength[node]);
            if to == from {
                continue;
            }
            moved = true;
            partition[node] = to;
            for (other, _) in self.graph.of(node) {
                if partition[other] != to && !waits[other] {
                    waits[other] = true;
                    queue.push_back(other as u32);
                }
            }
        }
        moved
    }

    /// The network whose nodes are the clusters of a partition that is numbered without gaps.
    pub fn merged(&self, partition: &Partition, clusters: usize) -> Network {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); clusters];
        let mut strength = vec![0.0; clusters];
        for (node, &cluster) in partition.iter().enumerate() {
            members[cluster as usize].push(node as u32);
            strength[cluster as usize] += self.strength[node];
        }
        let mut sums = vec![0.0; clusters];
        let lists = members.iter().enumerate().map(|(cluster, members)| {
            let mut met: Vec<u32> = Vec::new();
            for (other, weight) in members.iter().flat_map(|&node| self.graph.of(node as usize)) {
                let other = partition[other];
                if other as usize != cluster {
                    if sums[other as usize] == 0.0 {
                        met.push(other);
                    }
                    sums[other as usize] += weight;
                }
            }
            met.sort_unstable();
            met.into_iter().map(|other| (other, std::mem::take(&mut sums[other as usize]))).collect()
        });
        Network { graph: Graph::from_lists(lists.collect::<Vec<_>>()), strength, total: self.total }
    }
}

/// Strengths and sizes of clusters while nodes are moved.
struct Clusters {
    strength: Vec<f64>,
    size: Vec<u32>,
    empty: Vec<u32>,
    /// Weights from one node to each cluster, zero between two visits.
    weight: Vec<f64>,
    met: Vec<u32>,
}

impl Clusters {
    fn new(network: &Network, partition: &Partition) -> Self {
        let nodes = network.nodes();
        let mut clusters = Clusters {
            strength: vec![0.0; nodes],
            size: vec![0; nodes],
            empty: Vec::new(),
            weight: vec![0.0; nodes],
            met: Vec::new(),
        };
        for (node, &cluster) in partition.iter().enumerate() {
            clusters.strength[cluster as usize] += network.strength[node];
            clusters.size[cluster as usize] += 1;
        }
        clusters.empty = (0..nodes as u32).rev().filter(|&cluster| clusters.size[cluster as usize] == 0).collect();
        clusters
    }

    /// The cluster that gains most from a node. It stays where it is as well; of others that are as good, the first number
    /// is taken. A cluster of its own gains nothing and costs nothing.
    fn best_for(&mut self, network: &Network, partition: &Partition, node: usize, resolution: f64) -> u32 {
        let own = partition[node];
        for (other, weight) in network.graph.of(node) {
            let cluster = partition[other];
            if self.weight[cluster as usize] == 0.0 {
                self.met.push(cluster);
            }
            self.weight[cluster as usize] += weight;
        }
        let gain = |strength: f64, weight: f64| weight - network.cost(resolution, node, strength);
        let stay = gain(self.strength[own as usize] - network.strength[node], self.weight[own as usize]);
        let mut best = (stay + LEAST_GAIN * network.strength[node], own);
        for &cluster in &self.met {
            if cluster == own {
                continue;
            }
            let gained = gain(self.strength[cluster as usize], self.weight[cluster as usize]);
            if gained > best.0 || (gained == best.0 && best.1 != own && cluster < best.1) {
                best = (gained, cluster);
            }
        }
        if best.0 < 0.0
            && self.size[own as usize] > 1
            && let Some(&empty) = self.empty.last()
        {
            best.1 = empty;
        }
        self.met.drain(..).for_each(|cluster| self.weight[cluster as usize] = 0.0);
        best.1
    }

    fn change(&mut self, from: u32, to: u32, strength: f64) {
        if from == to {
            return;
        }
        if self.size[to as usize] == 0 {
            self.empty.pop();
        }
        self.size[to as usize] += 1;
        self.strength[to as usize] += strength;
        self.size[from as usize] -= 1;
        self.strength[from as usize] -= strength;
        if self.size[from as usize] == 0 {
            self.strength[from as usize] = 0.0;
            self.empty.push(from);
        }
    }
}

/// The numbers below `count` in a random order.
pub fn shuffled(count: usize, random: &mut Random) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}

/// Numbers clusters without gaps, in the order of their first nodes; gives how many there are.
pub fn renumber(partition: &mut Partition) -> usize {
    let mut numbers = vec![u32::MAX; partition.iter().max().map_or(0, |&last| last as usize + 1)];
    let mut next = 0;
    for cluster in partition.iter_mut() {
        let number = &mut numbers[*cluster as usize];
        if *number == u32::MAX {
            *number = next;
            next += 1;
        }
        *cluster = *number;
    }
    next as usize
}
