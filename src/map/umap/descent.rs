//! The refinement: stochastic gradient descent of each query cell against the reference's points.
//!
//! Every step of a cell waits for the one before it, and most of a processor with it. So the steps of an epoch are listed
//! first, which waits for nothing, and then those of several cells are taken side by side, four to a vector.

use super::point;
use crate::kernel::four::Four;
use crate::map::neighbors::Rows;
use crate::random::Random;
use crate::reference::{UmapModel, UmapParameters};

/// uwot's bounds: a gradient step, and the term that keeps the repulsion finite.
const MAX_STEP: f32 = 4.0;
const REPULSION_EPSILON: f64 = 0.001;
/// Vectors of cells whose steps are taken side by side: while one waits, the other is computed.
const VECTORS: usize = 2;
const ABREAST: usize = 4 * VECTORS;
/// Steps that are listed at least, where so many are left: the lists of several cells stay in the fastest cache.
const LISTED: usize = 256;

/// The two gradients as functions of the squared distance.
///
/// A step waits for the one before it, and the power in its gradient would take most of the time: a table with
/// straight lines between 64 places an octave is several times as fast, and right to 3e-4.
struct Curves(Vec<[f32; 2]>);

/// The first bits of an `f32` are the number of its piece, of which value and rise are kept.
const SHIFT: u32 = 17;
/// Squared distances below and above are taken for these.
const LOW: f32 = 1.0 / 1_048_576.0;
const HIGH: f32 = 1_048_575.0;
/// What one of the bits below is of a piece.
const SHARE: f32 = 1.0 / (1u32 << SHIFT) as f32;
const FIRST: u32 = LOW.to_bits() >> SHIFT;
const PIECES: u32 = (HIGH.to_bits() >> SHIFT) + 1 - FIRST;
/// Where the pieces of each gradient begin.
const ATTRACTION: u32 = 0;
const REPULSION: u32 = PIECES;

impl Curves {
    fn new(parameters: &UmapParameters) -> Self {
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
    fn at(&self, curve: u32, square: f32) -> f32 {
        let bits = square.clamp(LOW, HIGH).to_bits();
        let share = (bits & ((1 << SHIFT) - 1)) as f32 * SHARE;
        let [value, rise] = self.piece(bits >> SHIFT, curve);
        value + share * rise
    }

    #[inline(always)]
    fn piece(&self, number: u32, curve: u32) -> &[f32; 2] {
        &self.0[(number - FIRST + curve) as usize]
    }

    /// Moves `current` along the line to the step's place; no move where both are the same spot.
    #[inline]
    fn step(&self, current: &mut [f32; 2], step: &Step) {
        let [x, y, rate, curve] = step.0;
        let difference = [current[0] - x, current[1] - y];
        let factor = self.at(curve.to_bits(), difference[0] * difference[0] + difference[1] * difference[1]);
        for axis in 0..2 {
            current[axis] += rate * (factor * difference[axis]).clamp(-MAX_STEP, MAX_STEP);
        }
    }

    /// [`Self::step`] of four cells.
    #[inline(always)]
    fn step_of_four(&self, current: &mut [Four; 2], steps: [&Step; 4]) {
        let [x, y, rate, _] = Four::columns(steps.map(|step| &step.0));
        let difference = [current[0].minus(x), current[1].minus(y)];
        let square = difference[0].times(difference[0]).plus(difference[1].times(difference[1]));
        let (numbers, rest) = square.clamp(Four::splat(LOW), Four::splat(HIGH)).split::<SHIFT>();
        let piece = |at: usize| self.piece(numbers[at], steps[at].0[3].to_bits());
        let [value, rise] = Four::pairs([piece(0), piece(1), piece(2), piece(3)]);
        let factor = value.plus(rest.times(Four::splat(SHARE)).times(rise));
        for axis in 0..2 {
            let step = factor.times(difference[axis]).clamp(Four::splat(-MAX_STEP), Four::splat(MAX_STEP));
            current[axis] = current[axis].plus(rate.times(step));
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

/// One move of a cell towards a place or away from it: the place's x and y, the rate, and the bits of the curve.
struct Step([f32; 4]);

impl Step {
    #[inline(always)]
    fn new([x, y]: [f32; 2], rate: f32, curve: u32) -> Self {
        Step([x, y, rate, f32::from_bits(curve)])
    }
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
    model: &'a UmapModel,
    places: &'a [[f32; 2]],
    curves: Curves,
    /// The largest weight of an edge of any cell.
    largest: f64,
    epochs: u32,
}

impl<'a> Descent<'a> {
    pub fn new(model: &'a UmapModel, largest: f64) -> Self {
        let (places, _) = Rows::of(&model.layout).values().as_chunks();
        let epochs = libm::round(f64::from(model.parameters.epochs) / 3.0).max(2.0) as u32;
        Descent { model, places, curves: Curves::new(&model.parameters), largest, epochs }
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
            match walkers.len() {
                0 => return places,
                ABREAST => self.walk_abreast(&mut walkers),
                _ => walkers.iter_mut().for_each(|walker| self.walk(walker)),
            }
        }
    }

    fn walker(&self, number: usize, cell: Cell<'_>) -> Walker {
        let parameters = &self.model.parameters;
        let epochs = f64::from(self.epochs);
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
            while walker.steps.len() < LISTED && walker.epoch < self.epochs {
                self.list_steps(walker);
            }
        }
        !walker.steps.is_empty()
    }

    /// The steps of an epoch do not depend on where the cell stands.
    fn list_steps(&self, walker: &mut Walker) {
        let parameters = &self.model.parameters;
        let now = walker.epoch as f32;
        let rate = (parameters.learning_rate / 4.0 * (1.0 - f64::from(walker.epoch) / f64::from(self.epochs))) as f32;
        let mut random = walker.random.clone();
        for edge in walker.edges.iter_mut().filter(|edge| edge.next <= now) {
            walker.steps.push(Step::new(edge.place, rate, ATTRACTION));
            edge.next += edge.epochs_per_sample;
            let negatives = ((now - edge.next_negative) / edge.epochs_per_negative).max(0.0) as u32;
            walker.steps.extend(
                (0..negatives).map(|_| Step::new(self.places[random.below(self.places.len())], rate, REPULSION)),
            );
            edge.next_negative += negatives as f32 * edge.epochs_per_negative;
        }
        walker.random = random;
        walker.epoch += 1;
    }

    /// Takes the steps that are listed, as many as each of the cells has.
    fn walk_abreast(&self, walkers: &mut [Walker]) {
        let left = walkers.iter().map(|walker| walker.steps.len() - walker.taken).min().unwrap_or(0);
        let steps: [&[Step]; ABREAST] = std::array::from_fn(|at| &walkers[at].steps[walkers[at].taken..][..left]);
        let place =
            |vector: usize, axis: usize| Four::new([0, 1, 2, 3].map(|at| walkers[4 * vector + at].current[axis]));
        let mut current: [[Four; 2]; VECTORS] = std::array::from_fn(|vector| [place(vector, 0), place(vector, 1)]);
        // By number, not by iterator: eight of them side by side would be asked for their ends each.
        #[allow(clippy::needless_range_loop)]
        for number in 0..left {
            for (vector, current) in current.iter_mut().enumerate() {
                let step = |at: usize| &steps[4 * vector + at][number];
                self.curves.step_of_four(current, [step(0), step(1), step(2), step(3)]);
            }
        }
        let [x, y] = [0, 1].map(|axis| current.map(|current| current[axis].values()));
        for (at, walker) in walkers.iter_mut().enumerate() {
            walker.current = [x[at / 4][at % 4], y[at / 4][at % 4]];
            walker.taken += left;
        }
    }

    /// Takes all steps of one cell that are listed.
    fn walk(&self, walker: &mut Walker) {
        for step in &walker.steps[walker.taken..] {
            self.curves.step(&mut walker.current, step);
        }
        walker.taken = walker.steps.len();
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
        while walker.epoch < descent.epochs {
            descent.list_steps(&mut walker);
            let steps = std::mem::take(&mut walker.steps);
            for step in steps {
                let [x, y, rate, curve] = step.0;
                let difference = [walker.current[0] - x, walker.current[1] - y];
                let square = difference[0] * difference[0] + difference[1] * difference[1];
                for (place, difference) in walker.current.iter_mut().zip(difference) {
                    *place += rate * (descent.curves.at(curve.to_bits(), square) * difference).clamp(-4.0, 4.0);
                }
            }
        }
        walker.current
    }

    #[test]
    fn cells_abreast_walk_as_each_alone() {
        let layout = Dense::from_shape_fn((50, 2), |(cell, axis)| ((cell * (7 + 5 * axis)) % 31) as f32 * 0.3);
        let model = UmapModel { layout, rows: (0..50).collect(), parameters: parameters() };
        let descent = Descent::new(&model, 1.0);
        for count in [0, 1, 3, 4, 8, 11, 29] {
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
