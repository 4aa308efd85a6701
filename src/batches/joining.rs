//! What is kept of each batch, in the order of all cells.

use crate::map::Mapping;
use crate::map::anchors::Anchor;
use crate::map::annotate::{Annotation, Call};
use crate::map::labels::Labels;
use crate::map::proteins::Imputed;
use crate::map::umap::Placement;
use crate::map::weights::Weights;
use crate::matrix::Dense;
use crate::reference::Reference;

/// The mapping of several batches while they come.
pub struct Joining {
    batches: usize,
    dimensions: usize,
    features_used: usize,
    labels: Vec<Labels>,
    anchors: Vec<Anchor>,
    layout: Dense,
    mapping_scores: Vec<f32>,
    annotation: Option<Annotation>,
    /// Cells × proteins, where they are kept.
    proteins: Option<Dense>,
}

impl Joining {
    pub fn new(cells: usize, batches: usize, dimensions: usize, features_used: usize) -> Self {
        // One batch is taken as it is.
        let cells = if batches > 1 { cells } else { 0 };
        Joining {
            batches,
            dimensions,
            features_used,
            labels: Vec::new(),
            anchors: Vec::new(),
            layout: Dense::zeros((cells, 2)),
            mapping_scores: vec![0.0; cells],
            annotation: None,
            proteins: None,
        }
    }

    /// Takes the imputed proteins of a batch: what they come from [`Self::add`] drops.
    pub fn add_proteins(&mut self, cells: &[usize], found: &Mapping, reference: &Reference) {
        let Some(imputed) = Imputed::of(found, reference) else { return };
        let (all, proteins) = (self.mapping_scores.len(), imputed.names().len());
        let kept = self.proteins.get_or_insert_with(|| Dense::zeros((all, proteins)));
        for (&cell, row) in cells.iter().zip(imputed.block(0..cells.len(), 0..proteins).rows()) {
            kept.row_mut(cell).assign(&row);
        }
    }

    /// `cells`: of the batch, among all.
    pub fn add(&mut self, cells: &[usize], found: Mapping) {
        let all = self.mapping_scores.len();
        if self.labels.is_empty() {
            let empty = |labels: &Labels| Labels {
                level: labels.level.clone(),
                classes: labels.classes,
                codes: vec![0; all],
                scores: Dense::zeros((all, 1)),
            };
            self.labels = found.labels.iter().map(empty).collect();
        }
        if let Some(found) = &found.annotation {
            let annotation = self.annotation.get_or_insert_with(|| Annotation {
                confidences: vec![vec![0.0; all]; found.confidences.len()],
                unknown_scores: vec![0.0; all],
                calls: vec![Call::Unresolved; all],
            });
            annotation.take(cells, found);
        }
        for (to, from) in self.labels.iter_mut().zip(&found.labels) {
            for (row, &cell) in cells.iter().enumerate() {
                to.codes[cell] = from.codes[row];
                to.scores[(cell, 0)] = from.score(row);
            }
        }
        for (row, &cell) in cells.iter().enumerate() {
            self.mapping_scores[cell] = found.mapping_scores[row];
            for axis in 0..2 {
                self.layout[(cell, axis)] = found.umap.layout[(row, axis)];
            }
        }
        let of_all = |anchor: Anchor| Anchor { query: cells[anchor.query as usize] as u32, ..anchor };
        self.anchors.extend(found.anchors.into_iter().map(of_all));
    }

    pub fn finish(self) -> Mapping {
        Mapping {
            batches: self.batches,
            projected: Dense::zeros((0, self.dimensions)),
            anchors: self.anchors,
            weights: Weights::of_none(),
            labels: self.labels,
            integrated: Dense::zeros((0, self.dimensions)),
            umap: Placement { start: Dense::zeros((0, 2)), layout: self.layout },
            mapping_scores: self.mapping_scores,
            nearest: None,
            proteins: self.proteins,
            annotation: self.annotation,
            features_used: self.features_used,
        }
    }
}
