//! Sextant's own labels: probabilities of the finest classes from two views of the integrated embedding, added up along
//! the hierarchy, so that levels never contradict each other.
//!
//! The anchors of the label transfer are few where query and reference differ, and then decide much. The integrated
//! embedding, which they are used for too, is more robust: there each cell is judged by itself, by a linear discriminant (which
//! looks along the directions that tell classes apart) and by the vote of its nearest reference cells (which needs no shape of
//! the classes). The mean of the two is better than either on most pairs of datasets, and better calibrated. How confident it
//! is also depends on the projection: see `src/map/confidence.rs`.

use super::confidence::{Judges, View};
use super::discriminant::Discriminant;
use super::labels::Labels;
use super::neighbors::Neighbors;
use super::unknown::{Signs, unknown_scores};
use crate::error::Warning;
use crate::matrix::Dense;
use crate::reference::Reference;
use crate::reference::hierarchy::families;

/// Two of three calls of this confidence are right: with less, a cell is called by the coarser level.
pub const CERTAIN: f32 = 2.0 / 3.0;
/// From here on a cell is more likely of no type of the reference than of one.
pub const UNKNOWN: f32 = 0.5;

/// From this share on a word is said.
const MANY_UNKNOWN_PERCENT: f64 = 5.0;

/// What is known of the labels beyond the label transfer; one entry a query cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// For each level that was asked for: the probability that the label is right, if the reference has the cell's type.
    pub confidences: Vec<Vec<f32>>,
    /// Doubt that the reference has the cell's type: 0 known, 1 unknown.
    pub unknown_scores: Vec<f32>,
    pub calls: Vec<Call>,
}

impl Annotation {
    /// What is to be said where many cells are called unknown.
    pub fn warning(&self) -> Option<Warning> {
        let unknown = self.calls.iter().filter(|call| **call == Call::Unknown).count();
        let percent = 100.0 * unknown as f64 / self.calls.len().max(1) as f64;
        (percent >= MANY_UNKNOWN_PERCENT).then(|| {
            Warning::new(
                "many_unknown",
                format!(
                    "{percent:.1} % of the cells look as if the reference did not have their type (unknown.score from {UNKNOWN}): \
                     see whether they are clusters of their own before you trust their labels."
                ),
            )
        })
    }

    /// Takes over that of some cells, whose rows here are `cells`.
    pub fn take(&mut self, cells: &[usize], found: &Annotation) {
        for (row, &cell) in cells.iter().enumerate() {
            for (to, from) in self.confidences.iter_mut().zip(&found.confidences) {
                to[cell] = from[row];
            }
            self.unknown_scores[cell] = found.unknown_scores[row];
            self.calls[cell] = found.calls[row];
        }
    }
}

/// How far a cell can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The finest label that is certain enough: place of its level among those that were asked for.
    Level(u16),
    /// Not even the coarsest label is certain enough.
    Unresolved,
    /// The reference does not have the cell's type.
    Unknown,
}

/// What the mapping found so far. `n` reference cells, `m` query cells.
pub struct Evidence<'a> {
    /// n × d, L2-normalised.
    pub reference_unit: &'a Dense,
    /// m × d.
    pub projected: &'a Dense,
    /// m × d.
    pub integrated: &'a Dense,
    /// Nearest reference cells of each query cell in the projection, and after integration.
    pub query_in_reference: &'a Neighbors,
    pub integrated_in_reference: &'a Neighbors,
    /// Each query cell among the query.
    pub query_in_query: &'a Neighbors,
    /// m prediction scores at the coarsest of the levels that nest.
    pub coarsest_scores: &'a [f32],
}

/// The coarsest level of those that nest with the finest one of the reference.
pub fn coarsest_level(reference: &Reference) -> usize {
    families(&reference.levels).first().and_then(|family| family.levels.first()).map_or(0, |nested| nested.level)
}

/// Labels the cells anew: replaces the codes of `labels`, whose prediction scores stay.
pub fn annotate(labels: &mut [Labels], reference: &Reference, evidence: &Evidence<'_>) -> Annotation {
    let mut annotation =
        Annotation { confidences: vec![Vec::new(); labels.len()], unknown_scores: Vec::new(), calls: Vec::new() };
    let mut main_family = None;
    for (number, family) in families(&reference.levels).iter().enumerate() {
        let place = |level: usize| labels.iter().position(|labels| labels.level == reference.levels[level].name);
        let wanted: Vec<Option<usize>> = family.levels.iter().map(|nested| place(nested.level)).collect();
        if number > 0 && wanted.iter().all(Option::is_none) {
            continue;
        }
        let finest = &reference.levels[family.finest];
        let discriminant = Discriminant::fit(&reference.embedding, &finest.codes, finest.classes.len());
        let white = discriminant.whiten_rows(evidence.integrated);
        let judges = Judges { family, levels: &reference.levels, discriminant: &discriminant, codes: &finest.codes };
        let chosen = judges.label(
            View { white: &white, near: evidence.integrated_in_reference },
            View { white: &discriminant.whiten_rows(evidence.projected), near: evidence.query_in_reference },
        );
        if number == 0 {
            annotation.unknown_scores = unknown_scores(&Signs {
                reference: evidence.reference_unit,
                reference_white: &discriminant.whiten_rows(&reference.embedding),
                neighbors: &reference.neighbors,
                projected: evidence.query_in_reference,
                integrated_white: &white,
                integrated: evidence.integrated_in_reference,
                query: evidence.query_in_query,
                scores: evidence.coarsest_scores,
                codes: &chosen.iter().filter_map(|levels| levels.last()).map(|last| last.0).collect::<Vec<u16>>(),
            });
        }
        for (at, place) in wanted.iter().enumerate() {
            let Some(place) = *place else { continue };
            labels[place].codes = chosen.iter().map(|levels| levels[at].0).collect();
            annotation.confidences[place] = chosen.iter().map(|levels| levels[at].1).collect();
        }
        main_family.get_or_insert_with(|| wanted.into_iter().flatten().collect::<Vec<usize>>());
    }
    annotation.calls = calls(&annotation, &main_family.unwrap_or_default());
    annotation
}

/// `levels`: places of the nested levels that were asked for, the coarsest first.
fn calls(annotation: &Annotation, levels: &[usize]) -> Vec<Call> {
    let call = |(cell, &unknown): (usize, &f32)| {
        if unknown >= UNKNOWN {
            return Call::Unknown;
        }
        let certain = levels.iter().take_while(|&&level| annotation.confidences[level][cell] >= CERTAIN);
        certain.last().map_or(Call::Unresolved, |&level| Call::Level(level as u16))
    };
    annotation.unknown_scores.iter().enumerate().map(call).collect()
}
