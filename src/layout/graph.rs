//! The fuzzy neighbour graph of UMAP.

use crate::map::umap::bisect;
use ndarray::Array2;
use rayon::prelude::*;

/// A directed edge of the symmetric graph: every pair stands in it both ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    pub from: u32,
    pub to: u32,
    /// Membership strength, 0 to 1.
    pub weight: f64,
}

/// The symmetric graph of membership strengths, by ascending `from` and `to`.
///
/// # Shapes
/// `neighbors`, `distances`: cells × k, itself first.
///
/// # Source
/// McInnes, Healy and Melville 2018 (arXiv:1802.03426), algorithms 2 and 3, and the probabilistic t-conorm
/// `w + w' - w w'`.
pub fn fuzzy_union(neighbors: &Array2<u32>, distances: &Array2<f32>) -> Vec<Edge> {
    let cells = neighbors.nrows();
    let mean = distances.iter().map(|&distance| f64::from(distance)).sum::<f64>() / distances.len().max(1) as f64;
    let directed: Vec<Vec<(u32, f64)>> = (0..cells)
        .into_par_iter()
        .map(|cell| {
            let row: Vec<f64> = distances.row(cell).iter().map(|&distance| f64::from(distance)).collect();
            let strengths = memberships(&row[1..], row.len(), mean);
            let mut list: Vec<(u32, f64)> = neighbors.row(cell).iter().copied().skip(1).zip(strengths).collect();
            list.sort_unstable_by_key(|entry| entry.0);
            list
        })
        .collect();
    let mut reverse: Vec<Vec<(u32, f64)>> = vec![Vec::new(); cells];
    for (cell, list) in directed.iter().enumerate() {
        for &(other, weight) in list {
            reverse[other as usize].push((cell as u32, weight));
        }
    }
    let mut edges = Vec::new();
    for cell in 0..cells {
        merge(cell as u32, &directed[cell], &reverse[cell], &mut edges);
    }
    edges
}

/// Joins two ascending lists of one cell by the t-conorm.
fn merge(from: u32, ahead: &[(u32, f64)], back: &[(u32, f64)], edges: &mut Vec<Edge>) {
    let (mut i, mut j) = (0, 0);
    while i < ahead.len() || j < back.len() {
        let next_ahead = ahead.get(i).map_or(u32::MAX, |entry| entry.0);
        let next_back = back.get(j).map_or(u32::MAX, |entry| entry.0);
        let to = next_ahead.min(next_back);
        let mut weight = 0.0;
        if next_ahead == to {
            weight = ahead[i].1;
            i += 1;
        }
        if next_back == to {
            weight = weight + back[j].1 - weight * back[j].1;
            j += 1;
        }
        if weight > 0.0 {
            edges.push(Edge { from, to, weight });
        }
    }
}

/// Strengths `exp(-(d - rho) / sigma)` of a cell's neighbours, `rho` the smallest distance above 0 and `sigma` such
/// that they add up to log2 of the number of neighbours (the cell itself counted).
fn memberships(distances: &[f64], neighbors: usize, mean_of_all: f64) -> Vec<f64> {
    let target = libm::log2(neighbors as f64);
    let rho = distances.iter().copied().filter(|&distance| distance > 0.0).fold(f64::INFINITY, f64::min);
    let rho = if rho.is_finite() { rho } else { 0.0 };
    let strength = |distance: f64, sigma: f64| {
        if distance <= rho { 1.0 } else { libm::exp(-(distance - rho) / sigma) }
    };
    let sigma = bisect(target, |sigma| distances.iter().fold(0.0, |sum, &distance| sum + strength(distance, sigma)));
    let mean = distances.iter().sum::<f64>() / neighbors as f64;
    let floor = 1e-3 * if rho > 0.0 { mean } else { mean_of_all };
    let sigma = sigma.max(floor).max(f64::MIN_POSITIVE);
    distances.iter().map(|&distance| strength(distance, sigma)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_add_up_to_the_logarithm() {
        let distances: Vec<f64> = (1..30).map(|rank| 0.05 + 0.01 * f64::from(rank)).collect();
        let strengths = memberships(&distances, 30, 0.2);
        assert_eq!(strengths[0], 1.0);
        assert!((strengths.iter().sum::<f64>() - libm::log2(30.0)).abs() < 1e-5);
    }

    #[test]
    fn the_graph_is_symmetric() {
        let neighbors = Array2::from_shape_vec((3, 2), vec![0, 1, 1, 2, 2, 1]).unwrap();
        let distances = Array2::from_shape_vec((3, 2), vec![0.0, 0.3, 0.0, 0.1, 0.0, 0.1]).unwrap();
        let edges = fuzzy_union(&neighbors, &distances);
        let pairs: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(pairs, [(0, 1), (1, 0), (1, 2), (2, 1)]);
        // Each is the other's nearest: 1 + w - w = 1.
        assert_eq!((edges[2].weight, edges[3].weight), (1.0, 1.0));
        assert_eq!(edges[0].weight, edges[1].weight);
    }
}
