//! The query's own principal components, without ever making the query dense.

use crate::map::Query;
use crate::map::neighbors::row;
use crate::matrix::Dense;
use crate::normalize::{Residuals, Total};
use crate::pca::{Matrix, add_up, leading};
use crate::progress::Progress;
use crate::reference::Reference;
use ndarray::Array2;
use rayon::prelude::*;

/// Depths at which the residuals of zero counts are computed; between two of them they are taken to lie on a line.
const KNOTS: usize = 256;
/// What is left of a component, relative to the first eigenvalue: the 50th has about a hundredth of it.
const TOLERANCE: f64 = 1e-6;
/// Cells whose sums are one; cells between two reports of progress.
const BLOCK: usize = 256;
const SLICE: usize = 2048;
/// Columns that one task sums over the knots.
const COLUMNS: usize = 128;
/// Components shorter than this share of the first are rounding.
const SHORTEST: f64 = 1e-7;

/// How the components are found.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub dimensions: usize,
    /// They are fitted on the first so many cells; the others are placed by them. 20,000 cells take 100 MB.
    pub fitted: usize,
}

impl Options {
    pub fn of(dimensions: usize) -> Self {
        Options { dimensions, fitted: 20_000 }
    }
}

/// The leading principal components of the residuals of `cells`, which are not centred, weighted by their singular values.
///
/// # Shapes
/// `cells`: rows of the query, in any order. → cells × dimensions, or fewer columns where
/// the cells differ in fewer directions.
///
/// # Source
/// As `RunPCA` of Seurat 4.3 in Azimuth's cluster preservation score, up to signs: the residuals of the reference's
/// features under the reference's model.
pub fn components(
    query: &Query<'_>,
    reference: &Reference,
    cells: &[usize],
    options: &Options,
    stage: &str,
    progress: &Progress<'_>,
) -> Dense {
    let part = |from: f64, to: f64| move |_: &str, share: f64| progress.report(stage, from + (to - from) * share);
    let residuals = Residuals::new(reference, query.counts, &query.genes.feature_of_gene);
    let fitted = &cells[..cells.len().min(options.fitted)];
    let knots = Knots::new(&residuals, cells.iter().map(|&cell| query.totals[cell]));
    let matrix = Implicit::new(&residuals, &knots, query, fitted, &Progress::new(&part(0.0, 0.2)));
    let found = leading(&matrix, options.dimensions, TOLERANCE, stage, &Progress::new(&part(0.2, 0.9)));
    let columns = found.right.len();
    let mut values: Vec<f32> = Vec::with_capacity(cells.len() * columns);
    let mut keep = |rows: Vec<Vec<f64>>| values.extend(rows.into_iter().flatten().map(|value| value as f32));
    keep(matrix.times(&found.right));
    drop(matrix);
    let others = &cells[fitted.len()..];
    for (slice, some) in others.chunks(SLICE).enumerate() {
        progress.report(stage, 0.9 + 0.1 * (slice * SLICE) as f64 / others.len() as f64);
        keep(Implicit::new(&residuals, &knots, query, some, &Progress::silent()).times(&found.right));
    }
    let square = |value: &f32| f64::from(*value) * f64::from(*value);
    let length =
        |column: usize| values.iter().skip(column).step_by(columns).map(square).fold(0.0, |sum, each| sum + each);
    let lengths: Vec<f64> = (0..columns).map(|column| length(column).sqrt()).collect();
    let kept = lengths.iter().take_while(|&&length| length > SHORTEST * lengths[0]).count();
    // Cells that do not differ at all stand on one spot.
    let value = |cell: usize, column: usize| if kept > 0 { values[cell * columns + column] } else { 0.0 };
    Array2::from_shape_fn((cells.len(), kept.max(1)), |(cell, column)| value(cell, column))
}

/// The residuals of zero counts at depths that are evenly spaced in log10.
///
/// They are smooth in it but for the kinks of clips and floors, so lines between 256 depths are right to about 1e-3;
/// residuals are of the size of 1, and those of counts are exact. Where a file has fewer depths, these are the knots.
struct Knots {
    depths: Vec<f64>,
    /// Knots × features.
    zeros: Dense,
}

impl Knots {
    fn new(residuals: &Residuals<'_>, totals: impl Iterator<Item = f64>) -> Self {
        let mut depths: Vec<f64> = totals.map(libm::log10).collect();
        depths.sort_by(f64::total_cmp);
        depths.dedup();
        if depths.len() > KNOTS {
            let (low, high) = (depths[0], depths[depths.len() - 1]);
            depths = (0..KNOTS).map(|knot| low + (high - low) * knot as f64 / (KNOTS - 1) as f64).collect();
        }
        let features = residuals.features.len();
        let mut zeros = Array2::zeros((depths.len(), features));
        let values = zeros.as_slice_mut().unwrap_or_default();
        values.par_chunks_mut(features.max(1)).zip(&depths).for_each(|(row, &depth)| {
            for (place, zero) in row.iter_mut().enumerate() {
                *zero = residuals.residual_alone(Total::of_log(depth), place, 0.0) as f32;
            }
        });
        Knots { depths, zeros }
    }

    /// The knot below a depth, and how far on the way to the next one it lies.
    fn at(&self, depth: f64) -> (usize, f64) {
        let last = self.depths.len().saturating_sub(2);
        let below = self.depths.partition_point(|&knot| knot <= depth).saturating_sub(1).min(last);
        match self.depths.get(below + 1) {
            Some(&next) => (below, ((depth - self.depths[below]) / (next - self.depths[below])).clamp(0.0, 1.0)),
            None => (below, 0.0),
        }
    }

    fn above(&self, below: usize) -> usize {
        (below + 1).min(self.depths.len() - 1)
    }
}

/// Residuals as lines between knots and corrections of the counts that are not zero.
struct Implicit<'a> {
    knots: &'a Knots,
    /// For each cell, the knot below its depth and its share of the way to the next.
    depths: Vec<(usize, f64)>,
    offsets: Vec<usize>,
    places: Vec<u32>,
    corrections: Vec<f32>,
}

impl<'a> Implicit<'a> {
    fn new(
        residuals: &Residuals<'_>,
        knots: &'a Knots,
        query: &Query<'_>,
        cells: &[usize],
        progress: &Progress<'_>,
    ) -> Self {
        let mut matrix =
            Implicit { knots, depths: Vec::new(), offsets: vec![0], places: Vec::new(), corrections: Vec::new() };
        for (slice, some) in cells.chunks(SLICE).enumerate() {
            progress.report("", (slice * SLICE) as f64 / cells.len() as f64);
            let rows: Vec<_> = some
                .par_iter()
                .map(|&cell| {
                    let total = Total::of(query.totals[cell]);
                    let (below, share) = knots.at(total.log());
                    let (low, high) = (row(&knots.zeros, below), row(&knots.zeros, knots.above(below)));
                    let correction = |(gene, count): (u32, f32)| {
                        let place = residuals.place_of_gene[gene as usize]?;
                        let at = place as usize;
                        let zero = (1.0 - share) * f64::from(low[at]) + share * f64::from(high[at]);
                        Some((place, (residuals.residual_alone(total, at, f64::from(count)) - zero) as f32))
                    };
                    let entries: Vec<(u32, f32)> = query.counts.row(cell).filter_map(correction).collect();
                    ((below, share), entries)
                })
                .collect();
            for (depth, entries) in rows {
                matrix.depths.push(depth);
                matrix.places.extend(entries.iter().map(|entry| entry.0));
                matrix.corrections.extend(entries.iter().map(|entry| entry.1));
                matrix.offsets.push(matrix.places.len());
            }
        }
        matrix
    }

    fn entries(&self, cell: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[cell]..self.offsets[cell + 1];
        let corrections = self.corrections[range.clone()].iter();
        self.places[range].iter().zip(corrections).map(|(&place, &value)| (place as usize, f64::from(value)))
    }

    /// What the zeros alone give with each vector, at each knot: knots × vectors.
    fn of_zeros(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let knots = self.knots.depths.len();
        (0..knots)
            .into_par_iter()
            .map(|knot| vectors.iter().map(|vector| dot(row(&self.knots.zeros, knot), vector)).collect())
            .collect()
    }
}

impl Matrix for Implicit<'_> {
    fn dim(&self) -> (usize, usize) {
        (self.depths.len(), self.knots.zeros.ncols())
    }

    fn gram_product(&self, vector: &[f64]) -> Vec<f64> {
        let (cells, features) = self.dim();
        let knots = self.knots.depths.len();
        let zeros: Vec<f64> =
            (0..knots).into_par_iter().map(|knot| dot(row(&self.knots.zeros, knot), vector)).collect();
        let starts: Vec<usize> = (0..cells).step_by(BLOCK).collect();
        // The features' sums, and behind them what the zeros at each knot are to be multiplied by.
        let partial: Vec<Vec<f64>> = starts
            .into_par_iter()
            .map(|start| {
                let mut sums = vec![0.0; features + knots];
                for cell in start..cells.min(start + BLOCK) {
                    let (below, share) = self.depths[cell];
                    let above = self.knots.above(below);
                    let base = (1.0 - share) * zeros[below] + share * zeros[above];
                    let scale = self.entries(cell).fold(base, |sum, (place, value)| sum + value * vector[place]);
                    self.entries(cell).for_each(|(place, value)| sums[place] += scale * value);
                    sums[features + below] += (1.0 - share) * scale;
                    sums[features + above] += share * scale;
                }
                sums
            })
            .collect();
        let mut sums = add_up(partial, features + knots);
        let of_knots = sums.split_off(features);
        sums.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, sums)| {
            for (knot, &scale) in of_knots.iter().enumerate().filter(|(_, scale)| **scale != 0.0) {
                let zeros = &row(&self.knots.zeros, knot)[chunk * COLUMNS..];
                sums.iter_mut().zip(zeros).for_each(|(sum, &zero)| *sum += scale * f64::from(zero));
            }
        });
        sums
    }

    fn times(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let of_zeros = self.of_zeros(vectors);
        let columns = vectors.len();
        let by_feature: Vec<f64> = (0..self.knots.zeros.ncols())
            .flat_map(|feature| vectors.iter().map(move |vector| vector[feature]))
            .collect();
        (0..self.depths.len())
            .into_par_iter()
            .map(|cell| {
                let (below, share) = self.depths[cell];
                let ends = of_zeros[below].iter().zip(&of_zeros[self.knots.above(below)]);
                let mut sums: Vec<f64> = ends.map(|(low, high)| (1.0 - share) * low + share * high).collect();
                for (place, value) in self.entries(cell) {
                    let shares = &by_feature[place * columns..(place + 1) * columns];
                    sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += value * share);
                }
                sums
            })
            .collect()
    }
}

/// In four lanes that are added at the end.
fn dot(row: &[f32], vector: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a, b) = (row.chunks_exact(4), vector.chunks_exact(4));
    let rest = a.remainder().iter().zip(b.remainder()).fold(0.0, |sum, (&x, y)| sum + f64::from(x) * y);
    for (a, b) in a.zip(b) {
        for lane in 0..4 {
            lanes[lane] += f64::from(a[lane]) * b[lane];
        }
    }
    rest + ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3]))
}
