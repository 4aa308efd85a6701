//! Doublets: how much each cell looks like two cells in one droplet.

use crate::map::Query;
use crate::map::neighbors::nearest;
use crate::map::project::{normalize_rows, project};
use crate::matrix::{Counts, Dense, merge};
use crate::normalize::Residuals;
use crate::progress::Progress;
use crate::qc::Samples;
use crate::random::Random;
use crate::reference::Reference;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

/// Defaults of Scrublet.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Doublets that are simulated for each cell.
    pub per_cell: f64,
    /// At most so many, since the search for neighbours grows with them.
    pub most: usize,
    /// Share of doublets that is expected.
    pub expected: f64,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { per_cell: 2.0, most: 50_000, expected: 0.1, seed: 42 }
    }
}

/// What a natural logarithm of counts weighs beside directions of length one. Between 0.2 and 1 it hardly matters; without
/// it far fewer doublets are found (`tests/bench/README.md`).
const DEPTH_WEIGHT: f64 = 0.3;
const STAGE: &str = "Looking for doublets";
/// Doublets that are made and projected at once.
const SLICE: usize = 2048;

/// Doublet score of each cell, 0 to 1: how likely a cell is a doublet whose neighbours are, to that share, doublets made of
/// two cells of the same sample drawn at random. No cell is removed.
///
/// A doublet of two cells of one type is a cell of that type with more counts; no method of this kind finds those.
/// Cells are drawn in the order of their names, so their order in the file does not matter.
///
/// # Source
/// Wolock et al. 2019 (10.1016/j.cels.2018.11.005), Scrublet, in the space of the reference's loadings, where simulated
/// doublets are projected as the query is, with the depth beside it, as Germain et al. 2021 (10.12688/f1000research.73600.2)
/// take it into account.
pub fn doublet_scores(
    query: &Query<'_>,
    reference: &Reference,
    samples: &Samples,
    options: &Options,
    progress: &Progress<'_>,
) -> Vec<f32> {
    let mut scores = vec![0.0; query.names.len()];
    let mut done = 0;
    for cells in samples.cells() {
        let all = query.names.len() as f64;
        let (from, share) = (done as f64 / all, cells.len() as f64 / all);
        let report = |_: &str, part: f64| progress.report(STAGE, from + share * part);
        let progress = Progress::new(&report);
        let of_sample = if cells.len() == query.names.len() {
            scores_of_sample(query, reference, options, &progress)
        } else {
            let counts = query.counts.select_cells(&cells);
            let totals: Vec<f64> = cells.iter().map(|&cell| query.totals[cell]).collect();
            let names: Vec<String> = cells.iter().map(|&cell| query.names[cell].clone()).collect();
            let sample = Query { counts: &counts, totals: &totals, names: &names, genes: query.genes };
            scores_of_sample(&sample, reference, options, &progress)
        };
        cells.iter().zip(of_sample).for_each(|(&cell, score)| scores[cell] = score);
        done += cells.len();
    }
    scores
}

fn scores_of_sample(query: &Query<'_>, reference: &Reference, options: &Options, progress: &Progress<'_>) -> Vec<f32> {
    let cells = query.names.len();
    if cells < 2 {
        return vec![0.0; cells];
    }
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(STAGE, from + (to - from) * share);
    let residuals = Residuals::new(reference, query.counts, &query.genes.feature_of_gene);
    let observed = project(&residuals, reference, query.counts, query.totals, &Progress::new(&part(0.0, 0.15)));
    let pairs = pairs(query.names, options);
    let simulated = simulate(query, &residuals, reference, &pairs, &Progress::new(&part(0.15, 0.45)));
    let totals_of_pairs: Vec<f64> = pairs.iter().map(|&(a, b)| query.totals[a] + query.totals[b]).collect();
    let observed = places(&observed, query.totals);
    let both = match concatenate(Axis(0), &[observed.view(), places(&simulated, &totals_of_pairs).view()]) {
        Ok(both) => both,
        Err(_) => unreachable!("both have the dimensions of the reference"),
    };
    let ratio = pairs.len() as f64 / cells as f64;
    let k = (libm::round(0.5 * (cells as f64).sqrt()) * (1.0 + ratio)).max(1.0) as usize;
    let near = nearest(&observed, &both, k + 1, STAGE, &Progress::new(&part(0.45, 1.0)));
    (0..cells)
        .map(|cell| {
            let others = near.of(cell).iter().filter(|&&other| other as usize != cell).take(k);
            let (found, doublets) = others
                .fold((0, 0), |(found, doublets), &other| (found + 1, doublets + usize::from(other as usize >= cells)));
            likelihood(doublets, found, ratio, options.expected) as f32
        })
        .collect()
}

/// Where cells stand: the direction of their projection, and their depth beside it, since the projection has none left and
/// a doublet has about twice the counts of a cell.
fn places(projected: &Dense, totals: &[f64]) -> Dense {
    let directions = normalize_rows(projected);
    let depth: Dense =
        Array2::from_shape_fn((totals.len(), 1), |(cell, _)| (DEPTH_WEIGHT * libm::log(totals[cell].max(1.0))) as f32);
    match concatenate(Axis(1), &[directions.view(), depth.view()]) {
        Ok(places) => places.as_standard_layout().into_owned(),
        Err(_) => unreachable!("a projection has a row for each cell"),
    }
}

/// Scrublet's likelihood that a cell is a doublet, by how many of its neighbours are simulated ones.
fn likelihood(doublets: usize, neighbors: usize, ratio: f64, expected: f64) -> f64 {
    let share = (doublets + 1) as f64 / (neighbors + 2) as f64;
    let score = share * expected / ratio / (1.0 - expected - share * (1.0 - expected - expected / ratio));
    score.clamp(0.0, 1.0)
}

/// Two cells for each doublet: never a cell with itself.
fn pairs(names: &[String], options: &Options) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| names[a].cmp(&names[b]));
    let count = (libm::round(options.per_cell * names.len() as f64) as usize).clamp(1, options.most.max(1));
    let mut random = Random::new(options.seed);
    let pair = |_: usize| {
        let one = random.below(order.len());
        // Of all others
        let step = 1 + random.below(order.len() - 1);
        (order[one], order[(one + step) % order.len()])
    };
    (0..count).map(pair).collect()
}

/// The projections of doublets, whose counts are the sums of their two cells'.
fn simulate(
    query: &Query<'_>,
    residuals: &Residuals<'_>,
    reference: &Reference,
    pairs: &[(usize, usize)],
    progress: &Progress<'_>,
) -> Dense {
    let mut simulated = Array2::zeros((pairs.len(), reference.loadings.ncols()));
    for (slice, pairs_of_slice) in pairs.chunks(SLICE).enumerate() {
        progress.report(STAGE, (slice * SLICE) as f64 / pairs.len() as f64);
        let rows: Vec<Vec<(u32, f32)>> =
            pairs_of_slice.par_iter().map(|&(a, b)| sum_of_rows(query.counts, a, b)).collect();
        let mut counts = Counts::with_genes(query.counts.genes());
        rows.into_iter().for_each(|row| counts.push_row(row));
        let totals: Vec<f64> = pairs_of_slice.iter().map(|&(a, b)| query.totals[a] + query.totals[b]).collect();
        let projected = project(residuals, reference, &counts, &totals, &Progress::silent());
        for (offset, row) in projected.rows().into_iter().enumerate() {
            simulated.row_mut(slice * SLICE + offset).assign(&row);
        }
    }
    simulated
}

fn sum_of_rows(counts: &Counts, a: usize, b: usize) -> Vec<(u32, f32)> {
    let mut row: Vec<(u32, f32)> = counts.row(a).chain(counts.row(b)).collect();
    merge(&mut row);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likelihood_is_that_of_scrublet() {
        // In Python: q = (n + 1) / (k + 2); q * rho / r / (1 - rho - q * (1 - rho - rho / r))
        for (doublets, neighbors, expected) in
            [(0, 60, 0.000_909_918), (40, 60, 0.097_852_030), (60, 60, 0.772_151_899)]
        {
            let found = likelihood(doublets, neighbors, 2.0, 0.1);
            assert!((found - expected).abs() < 1e-6, "{doublets} of {neighbors}: {found}");
        }
    }

    #[test]
    fn pairs_depend_on_names_and_not_on_their_order() {
        let names: Vec<String> = (0..50).map(|cell| format!("cell{cell}")).collect();
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        let options = Options::default();
        let (one, other) = (pairs(&names, &options), pairs(&reversed, &options));
        assert_eq!(one.len(), 100);
        assert!(one.iter().all(|(a, b)| a != b));
        let back: Vec<(usize, usize)> = other.into_iter().map(|(a, b)| (49 - a, 49 - b)).collect();
        assert_eq!(one, back);
    }

    #[test]
    fn a_doublet_has_the_counts_of_both() {
        let mut counts = Counts::with_genes(5);
        counts.push_row([(0, 1.0), (3, 2.0)]);
        counts.push_row([(1, 4.0), (3, 5.0), (4, 1.0)]);
        assert_eq!(sum_of_rows(&counts, 0, 1), [(0, 1.0), (1, 4.0), (3, 7.0), (4, 1.0)]);
    }
}
