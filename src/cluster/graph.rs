//! The graph of shared nearest neighbours.

use crate::map::neighbors::Neighbors;
use crate::progress::Progress;
use rayon::prelude::*;

/// An undirected graph without loops: of each node the others that it has an edge to, ascending, with weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    offsets: Vec<usize>,
    others: Vec<u32>,
    weights: Vec<f64>,
}

impl Graph {
    /// From one list a node, in which every edge stands at both of its ends.
    pub fn from_lists(lists: impl IntoIterator<Item = Vec<(u32, f64)>>) -> Self {
        let mut graph = Graph { offsets: vec![0], others: Vec::new(), weights: Vec::new() };
        for list in lists {
            graph.push(list);
        }
        graph
    }

    fn push(&mut self, list: Vec<(u32, f64)>) {
        for (other, weight) in list {
            self.others.push(other);
            self.weights.push(weight);
        }
        self.offsets.push(self.others.len());
    }

    pub fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Edges, each counted at both of its ends.
    pub fn ends(&self) -> usize {
        self.others.len()
    }

    pub fn of(&self, node: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[node]..self.offsets[node + 1];
        self.others[range.clone()].iter().zip(&self.weights[range]).map(|(&other, &weight)| (other as usize, weight))
    }
}

/// Pairs with a smaller weight are no edges (`prune.SNN` of `FindNeighbors`).
const LEAST_WEIGHT: f64 = 1.0 / 15.0;
/// Cells of one task, and tasks between two reports of progress.
const CELLS: usize = 512;
const TASKS: usize = 16;

/// Joins cells that have neighbours in common, by the share of the common ones among all of both (Jaccard's index).
///
/// # Shapes
/// `neighbors`: cells × k, each cell among its own.
///
/// # Source
/// Equals the graph of Seurat 4.3's `FindNeighbors` (`prune.SNN = 1/15`), whose diagonal no clustering looks at.
pub fn shared_neighbors(neighbors: &Neighbors, stage: &str, progress: &Progress<'_>) -> Graph {
    let cells = neighbors.indices.nrows();
    let k = neighbors.k();
    let holders = Holders::new(neighbors);
    let mut graph = Graph::from_lists([]);
    for first in (0..cells).step_by(CELLS * TASKS) {
        progress.report(stage, first as f64 / cells as f64);
        let starts: Vec<usize> = (first..cells.min(first + CELLS * TASKS)).step_by(CELLS).collect();
        let lists: Vec<Vec<Vec<(u32, f64)>>> = starts
            .into_par_iter()
            .map(|start| {
                let mut shared = vec![0u16; cells];
                let mut met: Vec<u32> = Vec::new();
                (start..cells.min(start + CELLS))
                    .map(|cell| {
                        for &neighbor in neighbors.of(cell) {
                            for &other in holders.of(neighbor) {
                                if shared[other as usize] == 0 {
                                    met.push(other);
                                }
                                shared[other as usize] += 1;
                            }
                        }
                        met.sort_unstable();
                        let weigh = |other: u32| {
                            let shared = f64::from(std::mem::take(&mut shared[other as usize]));
                            let weight = shared / (k as f64 + (k as f64 - shared));
                            (other as usize != cell && weight >= LEAST_WEIGHT).then_some((other, weight))
                        };
                        met.drain(..).filter_map(weigh).collect()
                    })
                    .collect()
            })
            .collect();
        lists.into_iter().flatten().for_each(|list| graph.push(list));
    }
    graph
}

/// For each cell, those that have it among their neighbours.
struct Holders {
    offsets: Vec<usize>,
    cells: Vec<u32>,
}

impl Holders {
    fn new(neighbors: &Neighbors) -> Self {
        let cells = neighbors.indices.nrows();
        let mut offsets = vec![0; cells + 1];
        neighbors.indices.iter().for_each(|&neighbor| offsets[neighbor as usize + 1] += 1);
        for cell in 0..cells {
            offsets[cell + 1] += offsets[cell];
        }
        let mut next = offsets.clone();
        let mut holders = vec![0; neighbors.indices.len()];
        for cell in 0..cells {
            for &neighbor in neighbors.of(cell) {
                holders[next[neighbor as usize]] = cell as u32;
                next[neighbor as usize] += 1;
            }
        }
        Holders { offsets, cells: holders }
    }

    fn of(&self, cell: u32) -> &[u32] {
        &self.cells[self.offsets[cell as usize]..self.offsets[cell as usize + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::neighbors::nearest;
    use crate::matrix::Dense;
    use crate::random::Random;

    #[test]
    fn weights_are_those_of_all_pairs_of_lists() {
        let mut random = Random::new(3);
        let places = Dense::from_shape_fn((1200, 3), |_| (random.uniform() * 20.0).floor() as f32);
        for (cells, k) in [(1200, 20), (37, 20), (12, 20), (2, 20), (1, 20)] {
            let places = places.slice(ndarray::s![..cells, ..]).to_owned();
            let neighbors = nearest(&places, &places, k, "", &Progress::silent());
            let graph = shared_neighbors(&neighbors, "", &Progress::silent());
            assert_eq!(graph.nodes(), cells);
            let k = neighbors.k();
            for a in 0..cells.min(60) {
                let naive: Vec<(usize, f64)> = (0..cells)
                    .filter(|&b| b != a)
                    .map(|b| {
                        let shared = neighbors.of(a).iter().filter(|cell| neighbors.of(b).contains(cell)).count();
                        (b, shared as f64 / (2 * k - shared) as f64)
                    })
                    .filter(|&(_, weight)| weight >= LEAST_WEIGHT)
                    .collect();
                assert_eq!(graph.of(a).collect::<Vec<_>>(), naive, "{cells} {a}");
            }
        }
    }
}
