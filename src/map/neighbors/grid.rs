//! Rows on a grid of whole numbers, so that most of a search is dot products of 16 bits.

use super::row;
use crate::kernel::products::{NEVER, Packed, Pair, pairs};
use crate::matrix::Dense;
use rayon::prelude::*;

/// Length of the longest row on the grid: the sums of squares of two such rows stay below 2^31.
const LONGEST: f64 = 32_000.0;
/// So many of the longest rows may be left off the grid, where they would make it coarse for all the others.
const LEFT_OFF: usize = 16;

/// References whose places are found at once, before they are packed: together they stay small.
const PLACED_AT_ONCE: usize = 8_192;

/// Where the grid lies and how fine it is.
pub struct Grid {
    center: Vec<f64>,
    /// Steps of the grid in one unit.
    scale: f64,
}

impl Grid {
    /// A grid for both: around the middle of the references, as fine as their lengths allow.
    pub fn of(queries: &Dense, references: &Dense) -> Self {
        let mut center = vec![0.0; references.ncols()];
        for reference in 0..references.nrows() {
            center.iter_mut().zip(row(references, reference)).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        center.iter_mut().for_each(|sum| *sum /= references.nrows().max(1) as f64);
        let length = longest(queries, &center).max(longest(references, &center));
        let scale = LONGEST / length;
        Grid { center, scale: if scale.is_finite() { scale } else { 1.0 } }
    }

    /// The row in steps of the grid, with the square of the length of what rounding took. `None` where it is off the grid.
    fn place(&self, values: &[f32]) -> Option<(Vec<i16>, f64)> {
        let (mut squares, mut lost) = (0.0, 0.0);
        let mut place = Vec::with_capacity(values.len());
        for (&value, center) in values.iter().zip(&self.center) {
            let exact = (f64::from(value) - center) * self.scale;
            let rounded = exact.round_ties_even();
            squares += exact * exact;
            lost += (exact - rounded) * (exact - rounded);
            place.push(rounded as i16);
        }
        (squares <= LONGEST * LONGEST * 1.000_001).then_some((place, lost))
    }
}

/// Length of the longest row, or, where the few longest are more than twice as long as the others, of the longest other.
fn longest(rows: &Dense, center: &[f64]) -> f64 {
    let length = |at: usize| {
        let squares = row(rows, at).iter().zip(center).fold(0.0, |sum, (&value, center)| {
            let apart = f64::from(value) - center;
            sum + apart * apart
        });
        squares.sqrt()
    };
    let mut lengths: Vec<f64> = (0..rows.nrows()).into_par_iter().map(length).collect();
    if lengths.len() <= LEFT_OFF {
        return lengths.into_iter().fold(0.0, f64::max);
    }
    let (longer, &mut other, _) = lengths.select_nth_unstable_by(LEFT_OFF, |a, b| b.total_cmp(a));
    let longest = longer.iter().copied().fold(other, f64::max);
    if longest > 2.0 * other { other } else { longest }
}

/// The references of a search, on the grid.
///
/// The sum of a query `q` with a row `r` is `q·r - ⌊r·r / 2⌋`, which is the larger the nearer they are:
/// their squared distance is `q·q` less twice that sum, or one more.
pub struct Placed {
    pub packed: Packed,
    /// Rows off the grid, which no sum speaks of.
    pub off: Vec<u32>,
    /// What rounding moved a reference at most, in steps of the grid.
    pub moved: f64,
}

impl Placed {
    pub fn new(grid: &Grid, references: &Dense) -> Self {
        let mut placed =
            Placed { packed: Packed::new(references.nrows(), references.ncols()), off: Vec::new(), moved: 0.0 };
        let mut lost_most = 0.0f64;
        for first in (0..references.nrows()).step_by(PLACED_AT_ONCE) {
            let some = first..(first + PLACED_AT_ONCE).min(references.nrows());
            let places: Vec<_> = some.into_par_iter().map(|at| grid.place(row(references, at))).collect();
            for (at, place) in (first..).zip(places) {
                match place {
                    Some((values, lost)) => {
                        lost_most = lost_most.max(lost);
                        placed.packed.set(at, &values, -(squares(&values) / 2));
                    }
                    None => placed.off.push(at as u32),
                }
            }
        }
        placed.moved = lost_most.sqrt();
        placed
    }
}

fn squares(values: &[i16]) -> i32 {
    values.iter().fold(0, |sum, &value| sum + i32::from(value) * i32::from(value))
}

/// A query on the grid.
pub struct Seeker {
    pub pairs: Vec<Pair>,
    squares: i32,
    /// What rounding moved it, in steps of the grid; infinite for a query off the grid, of which nothing is known.
    moved: f64,
}

impl Seeker {
    pub fn new(grid: &Grid, query: &[f32]) -> Self {
        match grid.place(query) {
            Some((values, lost)) => {
                Seeker { pairs: pairs(&values).collect(), squares: squares(&values), moved: lost.sqrt() }
            }
            None => Seeker { pairs: vec![0; query.len().div_ceil(2)], squares: 0, moved: f64::INFINITY },
        }
    }

    /// No reference whose sum with the query is `sum` or smaller is nearer than this: a squared distance.
    pub fn no_nearer(&self, sum: i32, grid: &Grid, placed: &Placed) -> f64 {
        if sum == NEVER {
            return f64::INFINITY;
        }
        let on_grid = (f64::from(self.squares) - 2.0 * f64::from(sum)).max(0.0);
        let apart = (on_grid.sqrt() - self.moved - placed.moved).max(0.0) / grid.scale;
        // The exact distances are sums of rounded numbers as well, off by far less than this.
        apart * apart * (1.0 - 1e-9)
    }
}
