//! Exact nearest neighbours by Euclidean distance.

mod grid;

use crate::kernel::products::{LANES, NEVER, QUERIES, Sums, for_each_above};
use crate::kernel::squared_distances;
use crate::matrix::Dense;
use crate::progress::Progress;
use grid::{Grid, Placed, Seeker};
use ndarray::Array2;
use rayon::prelude::*;
use std::ops::Range;

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

/// The rows of a row-major matrix, for loops in which [`row`] would ask anew each time how the matrix lies.
#[derive(Clone, Copy)]
pub struct Rows<'a, T> {
    values: &'a [T],
    columns: usize,
}

impl<'a, T> Rows<'a, T> {
    pub fn of(matrix: &'a Array2<T>) -> Self {
        match matrix.as_slice() {
            Some(values) => Rows { values, columns: matrix.ncols() },
            None => unreachable!("matrices of the mapping are row-major"),
        }
    }

    /// All of them, one row after the other.
    pub fn values(&self) -> &'a [T] {
        self.values
    }

    #[inline]
    pub fn row(&self, index: usize) -> &'a [T] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }
}

impl Rows<'_, f32> {
    /// Squared distance in f64 of a place to each of the rows of `indices`.
    pub fn squared_distances(&self, place: &[f64], indices: &[u32]) -> Vec<f64> {
        squared_distances(place, self.values, indices)
    }
}

/// A row of a row-major matrix. Every matrix of the mapping is made row-major here.
pub fn row<T>(matrix: &Array2<T>, index: usize) -> &[T] {
    Rows::of(matrix).row(index)
}

/// Candidates beyond k that the search on the grid keeps for the exact decision.
const MARGIN: usize = 8;
/// References that are compared with a group of queries before the next ones: they stay in the cache.
const PANEL_BLOCKS: usize = 16;
/// Queries that one task takes through all panels.
const GROUP: usize = 64;
/// Distances between two reports of progress: about 0.1 s on one slow core.
const SLICE_PAIRS: usize = 80_000_000;

/// The `k` nearest rows of `references` for each row of `queries` (all of them where there are fewer).
///
/// Every pair is compared on a grid of whole numbers (`src/map/neighbors/grid.rs`); the best `k` and a margin are decided in f64. Where
/// rounding to the grid could hide a neighbour beyond the margin, that query is searched anew in f64: the result is exact.
///
/// # Shapes
/// Both have the same number of columns. Both must be row-major.
pub fn nearest(queries: &Dense, references: &Dense, k: usize, stage: &str, progress: &Progress<'_>) -> Neighbors {
    let k = k.min(references.nrows());
    let search = Search::new(queries, references, k);
    let slice = (SLICE_PAIRS / references.nrows().max(1)).div_ceil(GROUP).max(1) * GROUP;
    let mut indices = Vec::with_capacity(queries.nrows() * k);
    let mut distances = Vec::with_capacity(queries.nrows() * k);
    for start in (0..queries.nrows()).step_by(slice) {
        progress.report(stage, start as f64 / queries.nrows() as f64);
        let end = (start + slice).min(queries.nrows());
        let groups: Vec<usize> = (start..end).step_by(GROUP).collect();
        let found: Vec<Vec<Vec<(f32, u32)>>> =
            groups.par_iter().map(|&first| search.group(queries, first..(first + GROUP).min(end))).collect();
        for (distance, index) in found.into_iter().flatten().flatten() {
            indices.push(index);
            distances.push(distance);
        }
    }
    let shape = (queries.nrows(), k);
    match (Array2::from_shape_vec(shape, indices), Array2::from_shape_vec(shape, distances)) {
        (Ok(indices), Ok(distances)) => Neighbors { indices, distances },
        _ => unreachable!("every query has k neighbours"),
    }
}

/// The references, ready to be searched.
struct Search<'a> {
    references: &'a Dense,
    grid: Grid,
    placed: Placed,
    k: usize,
}

impl<'a> Search<'a> {
    fn new(queries: &Dense, references: &'a Dense, k: usize) -> Self {
        let grid = Grid::of(queries, references);
        let placed = Placed::new(&grid, references);
        Search { references, grid, placed, k }
    }

    /// Distance and index of the `k` nearest, for each query of the range.
    fn group(&self, queries: &Dense, range: Range<usize>) -> Vec<Vec<(f32, u32)>> {
        let seekers: Vec<Seeker> = range.clone().map(|query| Seeker::new(&self.grid, row(queries, query))).collect();
        let mut chosen: Vec<Selector> = seekers.iter().map(|_| Selector::new(self.k + MARGIN)).collect();
        let packed = &self.placed.packed;
        for panel in (0..packed.block_count()).step_by(PANEL_BLOCKS) {
            let panel = panel..(panel + PANEL_BLOCKS).min(packed.block_count());
            for (selectors, seekers) in chosen.chunks_mut(QUERIES).zip(seekers.chunks(QUERIES)) {
                // A group that is not full repeats its last query, of which then nothing is taken.
                let four = [0, 1, 2, 3].map(|at: usize| &seekers[at.min(seekers.len() - 1)].pairs[..]);
                let limits = [0, 1, 2, 3].map(|at| selectors.get(at).map_or(i32::MAX, |selector| selector.limit));
                for_each_above(four, packed, panel.clone(), limits, |query, block, lanes, sums| {
                    selectors[query].take(block * LANES, lanes, sums)
                });
            }
        }
        let exact = |((selector, seeker), query): ((Selector, &Seeker), usize)| {
            let query = wide(row(queries, query));
            let decided = self.decide(selector, seeker, &query);
            let nearest = decided.unwrap_or_else(|| search_exactly(&query, self.references, self.k));
            nearest.into_iter().map(|(square, index)| (square.sqrt() as f32, index)).collect()
        };
        chosen.into_iter().zip(&seekers).zip(range).map(exact).collect()
    }

    /// The `k` nearest by f64, or `None` where the selection on the grid may have missed one.
    fn decide(&self, mut selector: Selector, seeker: &Seeker, query: &[f64]) -> Option<Vec<(f64, u32)>> {
        selector.thin();
        let on_grid = selector.kept.iter().map(|&entry| entry as u32);
        let decided = ranked(query, self.references, on_grid.chain(self.placed.off.iter().copied()), self.k);
        let farthest = decided.last().map_or(0.0, |last| last.0);
        (seeker.no_nearer(selector.limit, &self.grid, &self.placed) > farthest).then_some(decided)
    }
}

/// Keeps the largest sums seen: twice as many as asked for, thinned when full.
struct Selector {
    /// The sum, turned so that larger ones come first, and below it the index.
    kept: Vec<u64>,
    size: usize,
    /// No sum at or below this can be among the largest `size`; those that are gone are none larger.
    limit: i32,
}

impl Selector {
    fn new(size: usize) -> Self {
        Selector { kept: Vec::with_capacity(2 * size + LANES), size, limit: NEVER }
    }

    /// Takes the lanes whose bits are set, and returns the limit.
    #[inline(never)]
    fn take(&mut self, first: usize, mut lanes: u32, sums: &Sums) -> i32 {
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            self.kept.push((u64::from(turned(sums[lane])) << 32) | (first + lane) as u64);
            lanes &= lanes - 1;
        }
        if self.kept.len() >= 2 * self.size {
            self.thin();
        }
        self.limit
    }

    /// Indices come in ascending order, so of equal sums the earlier index is kept.
    fn thin(&mut self) {
        if self.kept.len() > self.size {
            let (_, last, _) = self.kept.select_nth_unstable(self.size - 1);
            self.limit = turned((*last >> 32) as u32 as i32) as i32;
            self.kept.truncate(self.size);
        }
    }
}

/// Unsigned, and in the opposite order; its own inverse.
fn turned(sum: i32) -> u32 {
    sum as u32 ^ 0x7fff_ffff
}

/// The nearest `k` of some rows, by squared distance in f64, then by index.
fn ranked(query: &[f64], references: &Dense, candidates: impl Iterator<Item = u32>, k: usize) -> Vec<(f64, u32)> {
    let indices: Vec<u32> = candidates.collect();
    let distances = Rows::of(references).squared_distances(query, &indices);
    let mut all: Vec<(f64, u32)> = distances.into_iter().zip(indices).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.truncate(k);
    all
}

/// A row in f64.
pub fn wide(row: &[f32]) -> Vec<f64> {
    row.iter().copied().map(f64::from).collect()
}

/// Every distance in f64.
fn search_exactly(query: &[f64], references: &Dense, k: usize) -> Vec<(f64, u32)> {
    ranked(query, references, 0..references.nrows() as u32, k)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::kernel::squared_distance;
    use crate::random::Random;

    fn cloud(rows: usize, columns: usize, seed: u64, steps: f32) -> Dense {
        let mut random = Random::new(seed);
        // Rounded to few steps, so that ties and duplicates abound.
        Dense::from_shape_fn((rows, columns), |_| ((random.uniform() as f32) * steps).floor() / steps)
    }

    fn naive(query: &[f32], references: &Dense, k: usize) -> Vec<(f64, u32)> {
        let distance = |index| squared_distance(&wide(query), row(references, index));
        let mut all: Vec<(f64, u32)> = (0..references.nrows()).map(|index| (distance(index), index as u32)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }

    fn assert_equals_the_naive_search(queries: &Dense, references: &Dense, k: usize) {
        let found = nearest(queries, references, k, "", &Progress::silent());
        assert_eq!(found.k(), k.min(references.nrows()));
        for query in 0..queries.nrows() {
            let expected = naive(row(queries, query), references, k);
            let indices: Vec<u32> = expected.iter().map(|found| found.1).collect();
            assert_eq!(found.of(query), indices, "query {query} of {:?} in {:?}, {k}", queries.dim(), references.dim());
            for (found, expected) in found.distances_of(query).iter().zip(expected) {
                assert_eq!(*found, expected.0.sqrt() as f32);
            }
        }
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
            assert_equals_the_naive_search(&cloud(n, columns, 1, steps), &cloud(m, columns, 2, steps), k);
        }
    }

    #[test]
    fn equals_the_naive_search_where_a_grid_is_coarse() {
        let (mut queries, mut references) = (cloud(70, 11, 5, 1e6), cloud(500, 11, 6, 1e6));
        // A few rows far out would make the grid coarse: of the references, then of the queries.
        for (at, far) in [(3, 1e3), (77, -1e6), (499, 1e9)] {
            references.row_mut(at).fill(far);
        }
        assert_equals_the_naive_search(&queries, &references, 20);
        queries.row_mut(9).fill(1e8);
        queries.row_mut(10).fill(1e3);
        assert_equals_the_naive_search(&queries, &references, 20);
        // So many that they are on the grid, and the others meet in few of its places.
        (100..200).for_each(|at| references.row_mut(at).fill(1e5));
        assert_equals_the_naive_search(&queries, &references, 20);
        assert_equals_the_naive_search(&Dense::zeros((5, 11)), &Dense::zeros((40, 11)), 3);
        assert_equals_the_naive_search(&Dense::zeros((5, 11)), &Dense::ones((40, 11)), 50);
        assert_equals_the_naive_search(&cloud(5, 0, 1, 1.0), &Dense::zeros((40, 0)), 3);
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
