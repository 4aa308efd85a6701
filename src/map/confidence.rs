//! Labels of cells by where they stand, and how probable they are.
//!
//! The labels are those of the mean of the discriminant's probabilities and of the votes of the nearest reference cells, after
//! integration. That integration moves cells onto the reference, also where it should not: by their place there alone
//! cells are called with more confidence than they deserve the more query and reference differ. The place of the projection,
//! before integration, tells: so it has a share in the confidence. And where the votes as a whole say little of what
//! the discriminant says, the few anchors of a query that differs much have mixed the neighbourhoods up: the votes then have
//! less of a say, since they would only make right labels look doubtful.
//!
//! Both were chosen on the development pairs of `tests/bench/accuracy` and on shifts made of them, as its README says. What
//! did not help there, or not on every pair: a temperature fitted on held-out cells of the reference, a discount by
//! `unknown.score`, a share of the prediction score, and weights of all views that are fitted together.

use super::discriminant::Discriminant;
use super::neighbors::{Neighbors, row};
use crate::matrix::Dense;
use crate::reference::Level;
use crate::reference::hierarchy::Family;
use rayon::prelude::*;

/// Share of the place in the projection in the confidence; from 0.1 to 0.3 it is better than none on each of the pairs.
const OF_PROJECTION: f64 = 0.2;
/// Votes that give the chosen labels up to this share of what the discriminant gives them have no say in the confidence.
/// Development pairs have 0.8 and more, shifts made of them 0.64 and more, but for the two onto a reference of nuclei: 0.3.
const NO_SAY: f64 = 0.3;
/// Those with more than this share have as much of it as in the choice of the label.
const FULL_SAY: f64 = 0.7;
/// The votes' share where they have their full say.
const OF_VOTES: f64 = 0.5;
/// Probabilities are summed over cells as multiples of its inverse, which gives the same sum in any order.
const ONE: f64 = 4_294_967_296.0;

/// Where the cells stand in the reference's embedding.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Cells × d, whitened by the discriminant.
    pub white: &'a Dense,
    /// The nearest reference cells of each cell; the first of them vote.
    pub near: &'a Neighbors,
}

/// Who judges the cells: the classes of the finest level of a family.
pub struct Judges<'a> {
    pub family: &'a Family,
    pub levels: &'a [Level],
    pub discriminant: &'a Discriminant,
    /// Of each reference cell, at the finest level.
    pub codes: &'a [u16],
}

impl Judges<'_> {
    /// For each cell a class of each level of the family with its probability, from the coarsest on.
    ///
    /// `integrated` decides on the class, both on its probability.
    pub fn label(&self, integrated: View<'_>, projected: View<'_>) -> Vec<Vec<(u16, f32)>> {
        let cells = integrated.white.nrows();
        let voters = integrated.near.k();
        let chosen: Vec<(Vec<u16>, [u64; 2])> = (0..cells)
            .into_par_iter()
            .map(|cell| {
                let (likely, votes) = self.opinions(integrated, cell, voters);
                let both: Vec<f64> = likely.iter().zip(&votes).map(|(likely, vote)| likely + vote).collect();
                let classes = self.choose(&both);
                let finest = classes.last().map_or(0, |&class| usize::from(class));
                (classes, [votes[finest], likely[finest]].map(|value| (value * ONE) as u64))
            })
            .collect();
        let sum = |which: usize| chosen.iter().map(|(_, given)| u128::from(given[which])).sum::<u128>() as f64;
        let say = say_of_votes(sum(0), sum(1));
        let confident = |cell: usize| {
            let opinion = |view| {
                let (likely, votes) = self.opinions(view, cell, voters);
                likely.into_iter().zip(votes).map(move |(likely, vote)| (1.0 - say) * likely + say * vote)
            };
            let both: Vec<f64> = opinion(integrated)
                .zip(opinion(projected))
                .map(|(integrated, projected)| (1.0 - OF_PROJECTION) * integrated + OF_PROJECTION * projected)
                .collect();
            let classes = &chosen[cell].0;
            let levels = self.family.levels.iter().zip(classes);
            levels
                .map(|(nested, &class)| {
                    let inside = both.iter().zip(&nested.class_of).filter(|(_, of)| **of == class);
                    (class, (inside.fold(0.0, |sum, (probability, _)| sum + probability) as f32).min(1.0))
                })
                .collect()
        };
        (0..cells).into_par_iter().map(confident).collect()
    }

    /// What the discriminant and the nearest reference cells say of each class; either sums to one.
    fn opinions(&self, view: View<'_>, cell: usize, voters: usize) -> (Vec<f64>, Vec<f64>) {
        let likely = self.discriminant.probabilities(row(view.white, cell));
        let near = view.near.of(cell);
        let near = &near[..voters.min(near.len())];
        let vote = 1.0 / near.len().max(1) as f64;
        let mut votes = vec![0.0; likely.len()];
        near.iter().for_each(|&other| votes[usize::from(self.codes[other as usize])] += vote);
        (likely, votes)
    }

    /// A class of each level, from the coarsest on, each among the classes that the one before leaves. Of equally probable
    /// classes the first one.
    fn choose(&self, probabilities: &[f64]) -> Vec<u16> {
        let mut left = vec![true; probabilities.len()];
        let choose = |nested: &crate::reference::hierarchy::Nested| {
            let mut sums = vec![0.0; self.levels[nested.level].classes.len()];
            for ((&probability, &class), &left) in probabilities.iter().zip(&nested.class_of).zip(&left) {
                sums[usize::from(class)] += if left { probability } else { 0.0 };
            }
            let best = (1..sums.len()).fold(0, |best, class| if sums[class] > sums[best] { class } else { best });
            left.iter_mut().zip(&nested.class_of).for_each(|(left, &class)| *left &= usize::from(class) == best);
            best as u16
        };
        self.family.levels.iter().map(choose).collect()
    }
}

/// The votes' share in the confidence, by what they and the discriminant give the chosen labels of all cells.
fn say_of_votes(votes: f64, likely: f64) -> f64 {
    let share = if likely > 0.0 { votes / likely } else { 1.0 };
    OF_VOTES * ((share - NO_SAY) / (FULL_SAY - NO_SAY)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::random::Random;
    use crate::reference::Class;
    use crate::reference::hierarchy::families;

    fn level(name: &str, codes: Vec<u16>) -> Level {
        let classes = codes.iter().max().map_or(0, |&last| last + 1);
        let class = |code| Class { name: format!("{name}{code}"), color: "#000000".into(), ontology: None };
        Level { name: name.into(), classes: (0..classes).map(class).collect(), codes }
    }

    /// Four classes in two, on a line at some distance from each other.
    fn reference() -> (Dense, Vec<Level>) {
        let mut random = Random::new(5);
        let fine: Vec<u16> = (0..200).map(|cell| cell % 4).collect();
        let place = |(cell, axis): (usize, usize)| {
            let apart = [1.5 * f64::from(fine[cell]), 4.0, 0.0][axis];
            (apart + random.uniform() + random.uniform() - 1.0) as f32
        };
        let places = Dense::from_shape_fn((200, 3), place);
        (places, vec![level("coarse", fine.iter().map(|code| code / 2).collect()), level("fine", fine)])
    }

    /// Labels of cells at `integrated` and `projected` places, and the discriminant's and the votes' probabilities there.
    type Found = (Vec<Vec<(u16, f32)>>, [Vec<(Vec<f64>, Vec<f64>)>; 2]);

    fn found(integrated: &Dense, projected: &Dense) -> Found {
        let (places, levels) = reference();
        let families = families(&levels);
        let discriminant = Discriminant::fit(&places, &levels[1].codes, 4);
        let judges =
            Judges { family: &families[0], levels: &levels, discriminant: &discriminant, codes: &levels[1].codes };
        let near = |cells: &Dense| super::super::neighbors::nearest(cells, &places, 10, "", &Progress::silent());
        let (white, near) =
            ([integrated, projected].map(|cells| discriminant.whiten_rows(cells)), [near(integrated), near(projected)]);
        let views = [0, 1].map(|which| View { white: &white[which], near: &near[which] });
        let opinions = views.map(|view| (0..integrated.nrows()).map(|cell| judges.opinions(view, cell, 10)).collect());
        (judges.label(views[0], views[1]), opinions)
    }

    fn cells(shift: f32) -> Dense {
        Dense::from_shape_fn((40, 3), |(cell, axis)| [0.12 * cell as f32 + shift, 4.0, 0.3][axis])
    }

    #[test]
    fn the_projection_has_a_share_in_the_confidence_and_none_in_the_label() {
        let (alone, _) = found(&cells(0.0), &cells(0.0));
        let (labelled, [integrated, projected]) = found(&cells(0.0), &cells(0.7));
        for (cell, levels) in labelled.iter().enumerate() {
            assert_eq!([levels[0].0, levels[1].0], [alone[cell][0].0, alone[cell][1].0]);
            let mean = |(likely, votes): &(Vec<f64>, Vec<f64>), class: usize| 0.5 * likely[class] + 0.5 * votes[class];
            let of = |class: usize| 0.8 * mean(&integrated[cell], class) + 0.2 * mean(&projected[cell], class);
            let (coarse, fine) = (usize::from(levels[0].0), usize::from(levels[1].0));
            assert!((f64::from(levels[1].1) - of(fine)).abs() < 1e-6, "{cell}");
            assert!((f64::from(levels[0].1) - of(2 * coarse) - of(2 * coarse + 1)).abs() < 1e-6, "{cell}");
            assert!(levels[1].1 <= levels[0].1);
        }
        assert!(labelled.iter().zip(&alone).any(|(shifted, alone)| shifted[1].1 < alone[1].1 - 0.1));
    }

    #[test]
    fn votes_that_say_nothing_have_no_say() {
        assert_eq!([0.0, 0.3, 0.7, 0.9, 2.0].map(|votes| say_of_votes(votes, 1.0)), [0.0, 0.0, 0.5, 0.5, 0.5]);
        assert!((say_of_votes(0.5, 1.0) - 0.25).abs() < 1e-12);
        assert_eq!(say_of_votes(0.0, 0.0), 0.5);
    }
}
