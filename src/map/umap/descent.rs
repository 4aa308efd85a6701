//! The refinement: stochastic gradient descent of each query cell against the reference's points.
//!
//! Every step of a cell waits for the one before it, and most of a processor with it. So the steps of an epoch are listed
//! first, which waits for nothing, and then those of several cells are taken side by side.

use super::point;
use crate::map::neighbors::Rows;
use crate::random::Random;
use crate::reference::{UmapModel, UmapParameters};

/// uwot's bounds: a gradient step, and the term that keeps the repulsion finite.
const MAX_STEP: f32 = 4.0;
const REPULSION_EPSILON: f64 = 0.001;
/// Cells whose steps are taken side by side.
const ABREAST: usize = 4;
/// Steps that are listed at least, where so many are left: the lists of several cells stay in the fastest cache.
const LISTED: usize = 256;

/// The two gradients as functions of the squared distance.
///
/// A step waits for the one before it, and the power in its gradient would take most of the time: a table with
/// straight lines between 64 places an octave is several times as fast, and right to 3e-4.
pub struct Curves(Vec<[f32; 2]>);

/// Which of the two gradients: where its pieces begin.
#[derive(Clone, Copy)]
struct Curve(u32);

/// The first bits of an `f32` are the number of its piece, of which value and rise are kept.
const SHIFT: u32 = 17;
/// Squared distances below and above are taken for these.
const LOW: f32 = 1.0 / 1_048_576.0;
const HIGH: f32 = 1_048_575.0;
const FIRST: u32 = LOW.to_bits() >> SHIFT;
const PIECES: u32 = (HIGH.to_bits() >> SHIFT) + 1 - FIRST;
const ATTRACTION: Curve = Curve(0);
const REPULSION: Curve = Curve(PIECES);

impl Curves {
    pub fn new(parameters: &UmapParameters) -> Self {
        let UmapParameters { a, b, repulsion, .. } = *parameters;
        let attraction = |square: f64| {
            let raised = libm::pow(square, b);
            -2.0 * a * b * raised / (square * (a * raised + 1.0))
        };
        let repulsion =
            |square: f64| 2.0 * repulsion * b / ((REPULSION_EPSILON + square) * (a * libm::pow(square, b) + 1.0));
        Curves([pieces(attraction), pieces(repulsion)].concat())
    }

    #[inline]
    fn at(&self, curve: Curve, square: f32) -> f32 {
        let bits = square.clamp(LOW, HIGH).to_bits();
        let share = (bits & ((1 << SHIFT) - 1)) as f32 * (1.0 / (1u32 << SHIFT) as f32);
        let [value, rise] = self.0[((bits >> SHIFT) - FIRST + curve.0) as usize];
        value + share * rise
    }

    /// Moves `current` along the line to the step's place; no move where both are the same spot.
    #[inline]
    fn step(&self, current: &mut [f32; 2], step: Step) {
        let difference = [current[0] - step.place[0], current[1] - step.place[1]];
        let factor = self.at(step.curve, difference[0] * difference[0] + difference[1] * difference[1]);
        for axis in 0..2 {
            current[axis] += step.rate * (factor * difference[axis]).clamp(-MAX_STEP, MAX_STEP);
        }
    }
}

fn pieces(function: impl Fn(f64) -> f64) -> Vec<[f32; 2]> {
    let value = |piece: u32| function(f64::from(f32::from_bits((FIRST + piece) << SHIFT)));
    (0..PIECES).map(|piece| [value(piece) as f32, (value(piece + 1) - value(piece)) as f32]).collect()
}

/// An edge to a neighbour, with the epochs at which it is drawn next.
struct Edge {
    place: [f32; 2],
    epochs_per_sample: f32,
    next: f32,
    epochs_per_negative: f32,
    next_negative: f32,
}

/// One move of a cell: towards a place or away from it.
#[derive(Clone, Copy)]
struct Step {
    place: [f32; 2],
    rate: f32,
    curve: Curve,
}

/// A cell to refine.
pub struct Cell<'a> {
    pub start: [f32; 2],
    /// Reference cells with the weights of the edges to them.
    pub neighbors: &'a [u32],
    pub weights: &'a [f64],
    pub random: Random,
}

/// A cell on its way.
struct Walker {
    /// Which of the cells.
    number: usize,
    current: [f32; 2],
    edges: Vec<Edge>,
    random: Random,
    epoch: u32,
    /// The steps of some epochs, and how many are taken.
    steps: Vec<Step>,
    taken: usize,
}

/// What all cells have in common.
pub struct Descent<'a> {
    pub model: &'a UmapModel,
    pub curves: &'a Curves,
    /// The largest weight of an edge of any cell.
    pub largest: f64,
}

impl Descent<'_> {
    fn epochs(&self) -> f64 {
        libm::round(f64::from(self.model.parameters.epochs) / 3.0).max(2.0)
    }

    /// Where each of the cells comes to stand.
    pub fn refine<'c>(&self, cells: impl ExactSizeIterator<Item = Cell<'c>>) -> Vec<[f32; 2]> {
        let mut places = vec![[0.0; 2]; cells.len()];
        let mut waiting = cells.enumerate();
        let mut walkers: Vec<Walker> = Vec::with_capacity(ABREAST);
        loop {
            for at in (0..walkers.len()).rev() {
                if !self.has_steps(&mut walkers[at]) {
                    let arrived = walkers.swap_remove(at);
                    places[arrived.number] = arrived.current;
                }
            }
            while walkers.len() < ABREAST {
                let Some((number, cell)) = waiting.next() else { break };
                let mut walker = self.walker(number, cell);
                if self.has_steps(&mut walker) {
                    walkers.push(walker);
                } else {
                    places[number] = walker.current;
                }
            }
            match &mut walkers[..] {
                [] => return places,
                [a, b, c, d] => self.walk_abreast([a, b, c, d]),
                few => few.iter_mut().for_each(|walker| self.walk_abreast([walker])),
            }
        }
    }

    fn walker(&self, number: usize, cell: Cell<'_>) -> Walker {
        let parameters = &self.model.parameters;
        let epochs = self.epochs();
        let edges = cell
            .neighbors
            .iter()
            .zip(cell.weights)
            .filter(|&(_, &weight)| weight >= self.largest / epochs)
            .map(|(&neighbor, &weight)| {
                let epochs_per_sample = (self.largest / weight) as f32;
                let epochs_per_negative = epochs_per_sample / parameters.negative_samples as f32;
                Edge {
                    place: point(self.model, neighbor),
                    epochs_per_sample,
                    next: epochs_per_sample,
                    epochs_per_negative,
                    next_negative: epochs_per_negative,
                }
            })
            .collect();
        Walker { number, current: cell.start, edges, random: cell.random, epoch: 0, steps: Vec::new(), taken: 0 }
    }

    /// Whether there is a step left; lists those of the next epochs where all are taken.
    fn has_steps(&self, walker: &mut Walker) -> bool {
        if walker.taken == walker.steps.len() {
            walker.steps.clear();
            walker.taken = 0;
            while walker.steps.len() < LISTED && walker.epoch < self.epochs() as u32 {
                self.list_steps(walker);
            }
        }
        !walker.steps.is_empty()
    }

    /// The steps of an epoch do not depend on where the cell stands.
    fn list_steps(&self, walker: &mut Walker) {
        let parameters = &self.model.parameters;
        let layout = Rows::of(&self.model.layout);
        let places = self.model.layout.nrows();
        let now = walker.epoch as f32;
        let rate = (parameters.learning_rate / 4.0 * (1.0 - f64::from(walker.epoch) / self.epochs())) as f32;
        for edge in walker.edges.iter_mut().filter(|edge| edge.next <= now) {
            walker.steps.push(Step { place: edge.place, rate, curve: ATTRACTION });
            edge.next += edge.epochs_per_sample;
            let negatives = ((now - edge.next_negative) / edge.epochs_per_negative).max(0.0) as u32;
            let random = &mut walker.random;
            walker.steps.extend((0..negatives).map(|_| {
                let other = layout.row(random.below(places));
                Step { place: [other[0], other[1]], rate, curve: REPULSION }
            }));
            edge.next_negative += negatives as f32 * edge.epochs_per_negative;
        }
        walker.epoch += 1;
    }

    /// Takes the steps that are listed, as many as each of the cells has.
    #[inline]
    fn walk_abreast<const N: usize>(&self, mut walkers: [&mut Walker; N]) {
        let left = walkers.iter().map(|walker| walker.steps.len() - walker.taken).min().unwrap_or(0);
        let mut current = [[0.0; 2]; N];
        let steps: [&[Step]; N] = std::array::from_fn(|at| &walkers[at].steps[walkers[at].taken..][..left]);
        (0..N).for_each(|at| current[at] = walkers[at].current);
        for number in 0..left {
            for (current, steps) in current.iter_mut().zip(steps) {
                self.curves.step(current, steps[number]);
            }
        }
        for (walker, current) in walkers.iter_mut().zip(current) {
            walker.current = current;
            walker.taken += left;
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::matrix::Dense;

    #[test]
    fn curves_follow_their_functions() {
        let parameters = parameters();
        let curves = Curves::new(&parameters);
        let raised = |square: f64| parameters.a * square.powf(parameters.b);
        let attraction = |square: f64| -2.0 * parameters.b * raised(square) / (square * (raised(square) + 1.0));
        let repulsion = |square: f64| 2.0 * parameters.b / ((0.001 + square) * (raised(square) + 1.0));
        for step in 0..4000 {
            let square = (-13.0 + f64::from(step) * 0.006).exp();
            let (found, exact) = (f64::from(curves.at(ATTRACTION, square as f32)), attraction(square));
            assert!((found / exact - 1.0).abs() < 3e-4, "{square}");
            let (found, exact) = (f64::from(curves.at(REPULSION, square as f32)), repulsion(square));
            assert!((found / exact - 1.0).abs() < 3e-4, "{square}");
        }
        for curve in [ATTRACTION, REPULSION] {
            assert_eq!(curves.at(curve, 0.0), curves.at(curve, LOW));
            assert_eq!(curves.at(curve, f32::INFINITY), curves.at(curve, HIGH));
        }
    }

    fn parameters() -> UmapParameters {
        UmapParameters {
            a: 0.99,
            b: 1.11,
            epochs: 60,
            neighbors: 20,
            negative_samples: 5,
            learning_rate: 1.0,
            repulsion: 1.0,
        }
    }

    /// One cell after the other, each step as soon as it is drawn.
    fn naive(cell: Cell<'_>, descent: &Descent<'_>) -> [f32; 2] {
        let mut walker = descent.walker(0, cell);
        while walker.epoch < descent.epochs() as u32 {
            descent.list_steps(&mut walker);
            let steps = std::mem::take(&mut walker.steps);
            for step in steps {
                let difference = [0, 1].map(|axis| walker.current[axis] - step.place[axis]);
                let square = difference[0] * difference[0] + difference[1] * difference[1];
                for (place, difference) in walker.current.iter_mut().zip(difference) {
                    *place += step.rate * (descent.curves.at(step.curve, square) * difference).clamp(-4.0, 4.0);
                }
            }
        }
        walker.current
    }

    #[test]
    fn cells_abreast_walk_as_each_alone() {
        let layout = Dense::from_shape_fn((50, 2), |(cell, axis)| ((cell * (7 + 5 * axis)) % 31) as f32 * 0.3);
        let model = UmapModel { layout, rows: (0..50).collect(), parameters: parameters() };
        let curves = Curves::new(&model.parameters);
        let descent = Descent { model: &model, curves: &curves, largest: 1.0 };
        for count in [0, 1, 3, 4, 11] {
            let neighbors: Vec<Vec<u32>> = (0..count).map(|cell| (cell..cell + 1 + cell % 6).collect()).collect();
            // Cell 2 has no edge that is ever drawn.
            let weight = |cell: u32, other: u32| if cell == 2 { 1e-9 } else { 1.0 / f64::from(1 + other - cell) };
            let weights: Vec<Vec<f64>> = (0..count)
                .map(|cell| neighbors[cell as usize].iter().map(|&other| weight(cell, other)).collect())
                .collect();
            let cell = |at: usize| Cell {
                start: [at as f32, 0.5],
                neighbors: &neighbors[at],
                weights: &weights[at],
                random: Random::new(at as u64),
            };
            let found = descent.refine((0..count as usize).map(cell));
            let expected: Vec<[f32; 2]> = (0..count as usize).map(|at| naive(cell(at), &descent)).collect();
            assert_eq!(found, expected);
            assert!(found.iter().enumerate().all(|(at, place)| (place == &[at as f32, 0.5]) == (at == 2)));
        }
    }
}
