//! Exact nearest neighbours by Euclidean distance.

use crate::kernel::{LANES, Packed, QUERIES, Tile, for_each_tile, squared_distance};
use crate::matrix::Dense;
use crate::progress::Progress;
use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

/// The nearest rows of each query, nearest first; equal distances by ascending index.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    /// Queries × k.
    pub indices: Array2<u32>,
    /// Queries × k, Euclidean.
    pub distances: Array2<f32>,
}

impl Neighbors {
    pub fn k(&self) -> usize {
        self.indices.ncols()
    }

    pub fn of(&self, query: usize) -> &[u32] {
        row(&self.indices, query)
    }

    pub fn distances_of(&self, query: usize) -> &[f32] {
        row(&self.distances, query)
    }
}

/// A row of a row-major matrix. Every matrix of the mapping is made row-major here.
pub fn row<T>(matrix: &Array2<T>, index: usize) -> &[T] {
    let columns = matrix.ncols();
    match matrix.as_slice() {
        Some(values) => &values[index * columns..(index + 1) * columns],
        None => unreachable!("matrices of the mapping are row-major"),
    }
}

/// Candidates beyond k that the f32 search keeps for the f64 decision.
const MARGIN: usize = 12;
/// References that are compared with a group of queries before the next ones: 50 dimensions of them stay in the cache.
const PANEL_BLOCKS: usize = 64;
/// Queries that one task takes through all panels.
const GROUP: usize = 64;
/// Distances between two reports of progress: about 0.2 s on one slow core.
const SLICE_PAIRS: usize = 40_000_000;

/// The `k` nearest rows of `references` for each row of `queries` (all of them where there are fewer).
///
/// Distances are computed in f32 for every pair; the best `k` and a margin are decided again in f64. Where
/// rounding could hide a neighbour beyond the margin, that query is searched anew in f64: the result is exact.
///
/// # Shapes
/// Both have the same number of columns. Both must be row-major.
pub fn nearest(queries: &Dense, references: &Dense, k: usize, stage: &str, progress: &Progress<'_>) -> Neighbors {
    let k = k.min(references.nrows());
    let dimensions = references.ncols();
    let rows = references.as_standard_layout();
    let packed = Packed::new(rows.as_slice().unwrap_or_default(), dimensions);
    let slice = (SLICE_PAIRS / references.nrows().max(1)).div_ceil(GROUP).max(1) * GROUP;
    let mut indices = Vec::with_capacity(queries.nrows() * k);
    let mut distances = Vec::with_capacity(queries.nrows() * k);
    for start in (0..queries.nrows()).step_by(slice) {
        progress.report(stage, start as f64 / queries.nrows() as f64);
        let end = (start + slice).min(queries.nrows());
        let groups: Vec<usize> = (start..end).step_by(GROUP).collect();
        let found: Vec<Vec<Vec<(f64, u32)>>> = groups
            .par_iter()
            .map(|&first| search_group(queries, first..(first + GROUP).min(end), references, &packed, k))
            .collect();
        for (distance, index) in found.into_iter().flatten().flatten() {
            indices.push(index);
            distances.push(libm::sqrt(distance) as f32);
        }
    }
    let shape = (queries.nrows(), k);
    match (Array2::from_shape_vec(shape, indices), Array2::from_shape_vec(shape, distances)) {
        (Ok(indices), Ok(distances)) => Neighbors { indices, distances },
        _ => unreachable!("every query has k neighbours"),
    }
}

/// Squared distance and index of the `k` nearest, for each query of the range.
fn search_group(
    queries: &Dense,
    range: std::ops::Range<usize>,
    references: &Dense,
    packed: &Packed,
    k: usize,
) -> Vec<Vec<(f64, u32)>> {
    let mut nearest: Vec<Selector> = range.clone().map(|_| Selector::new(k + MARGIN)).collect();
    for panel in (0..packed.block_count()).step_by(PANEL_BLOCKS) {
        let panel = panel..(panel + PANEL_BLOCKS).min(packed.block_count());
        for (four, selectors) in nearest.chunks_mut(QUERIES).enumerate() {
            let first = range.start + four * QUERIES;
            // A group that is not full repeats its last query; the copies are not looked at.
            let last = first + selectors.len() - 1;
            let four = [0, 1, 2, 3].map(|query| row(queries, (first + query).min(last)));
            for_each_tile(four, packed, panel.clone(), |block, tile| offer(selectors, block, tile));
        }
    }
    let exact = |(selector, query): (Selector, usize)| {
        let query = queries.row(query);
        selector.decide(query, references, k).unwrap_or_else(|| search_exactly(query, references, k))
    };
    nearest.into_iter().zip(range).map(exact).collect()
}

#[inline(always)]
fn offer(selectors: &mut [Selector], block: usize, tile: &Tile) {
    for (selector, lanes) in selectors.iter_mut().zip(tile) {
        let limit = selector.limit;
        if lanes.iter().fold(false, |any, &distance| any | (distance < limit)) {
            selector.take(block * LANES, lanes);
        }
    }
}

/// Keeps the smallest distances seen: twice as many as asked for, thinned when full.
struct Selector {
    kept: Vec<(f32, u32)>,
    size: usize,
    /// No distance at or above this can be among the smallest `size`.
    limit: f32,
}

impl Selector {
    fn new(size: usize) -> Self {
        Selector { kept: Vec::with_capacity(2 * size + LANES), size, limit: f32::INFINITY }
    }

    #[inline(never)]
    fn take(&mut self, first: usize, lanes: &[f32; LANES]) {
        for (lane, &distance) in lanes.iter().enumerate() {
            if distance < self.limit {
                self.kept.push((distance, (first + lane) as u32));
            }
        }
        if self.kept.len() >= 2 * self.size {
            self.thin();
        }
    }

    /// Indices come in ascending order, so of equal distances the earlier index is kept.
    fn thin(&mut self) {
        if self.kept.len() > self.size {
            self.kept.select_nth_unstable_by(self.size - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            self.limit = self.kept[self.size - 1].0;
            self.kept.truncate(self.size);
        }
    }

    /// The `k` nearest by f64, or `None` where the f32 selection may have missed one.
    fn decide(mut self, query: ArrayView1<'_, f32>, references: &Dense, k: usize) -> Option<Vec<(f64, u32)>> {
        self.thin();
        let query = query.as_slice()?;
        let exact = |&(_, index): &(f32, u32)| (squared_distance(query, row(references, index as usize)), index);
        let mut decided: Vec<(f64, u32)> = self.kept.iter().map(exact).collect();
        decided.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        decided.truncate(k);
        // A sum of D squares in f32 is off by at most (D + 2) roundings of 2^-24.
        let error = (query.len() + 3) as f64 * f64::from(f32::EPSILON);
        let unseen_is_farther = f64::from(self.limit) * (1.0 - error) > decided.last().map_or(0.0, |last| last.0);
        (unseen_is_farther || self.kept.len() == references.nrows()).then_some(decided)
    }
}

/// The naive twin: every distance in f64.
fn search_exactly(query: ArrayView1<'_, f32>, references: &Dense, k: usize) -> Vec<(f64, u32)> {
    let query = query.to_vec();
    let mut all: Vec<(f64, u32)> =
        (0..references.nrows()).map(|index| (squared_distance(&query, row(references, index)), index as u32)).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.truncate(k);
    all
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn cloud(rows: usize, columns: usize, seed: u64, steps: f32) -> Dense {
        let mut random = Random::new(seed);
        // Rounded to few steps, so that ties and duplicates abound.
        Dense::from_shape_fn((rows, columns), |_| ((random.uniform() as f32) * steps).floor() / steps)
    }

    #[test]
    fn equals_the_naive_search_with_ties() {
        for (n, m, columns, k, steps) in [
            (1, 1, 1, 5, 8.0),
            (70, 3, 4, 5, 2.0),
            (130, 700, 3, 20, 3.0),
            (65, 1000, 50, 30, 1e6),
            (9, 600, 2, 100, 2.0),
        ] {
            let (queries, references) = (cloud(n, columns, 1, steps), cloud(m, columns, 2, steps));
            let found = nearest(&queries, &references, k, "", &Progress::silent());
            for query in 0..n {
                let expected = search_exactly(queries.row(query), &references, k.min(m));
                let indices: Vec<u32> = expected.iter().map(|found| found.1).collect();
                assert_eq!(found.of(query), indices, "{n} {m} {columns} {k}");
                for (found, expected) in found.distances_of(query).iter().zip(expected) {
                    assert_eq!(*found, expected.0.sqrt() as f32);
                }
            }
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same() {
        let (queries, references) = (cloud(300, 20, 3, 1e5), cloud(500, 20, 4, 1e5));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| nearest(&queries, &references, 30, "", &Progress::silent()))
        };
        assert_eq!(run(1), run(3));
    }
}
