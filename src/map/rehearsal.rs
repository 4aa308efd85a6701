//! A mapping of made-up cells, for browsers.
//!
//! A browser runs a function slowly at first and compiles it again, in the background, once it has run for long enough. A
//! person who maps ten thousand cells would wait a tenth longer for that. So the page has this mapping done as soon as the
//! engine runs, while the person looks for their file. It always takes the same time, whatever the reference.

use super::neighbors::nearest;
use super::project::{normalize_rows, project};
use super::{Options, Query, map};
use crate::error::Result;
use crate::formats::Feature;
use crate::genes::{GeneMatch, match_genes};
use crate::matrix::{Counts, Dense};
use crate::normalize::Residuals;
use crate::progress::Progress;
use crate::random::Random;
use crate::reference::{About, Class, Level, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use ndarray::Array2;

const FEATURES: usize = 2_000;
const DIMENSIONS: usize = 50;
const TYPES: usize = 8;
/// What of its features a type expresses strongly, and a cell expresses at all.
const MARKERS: usize = 100;
const EXPRESSED: usize = 400;
const REFERENCE_CELLS: usize = 1_000;
const QUERY_CELLS: usize = 500;
/// As a reference of this program has them.
const NEIGHBORS: usize = 31;

/// Cells of several types, made up.
struct Made {
    counts: Counts,
    totals: Vec<f64>,
    names: Vec<String>,
}

impl Made {
    fn new(cells: usize, random: &mut Random) -> Self {
        let mut made = Made { counts: Counts::with_genes(FEATURES), totals: Vec::new(), names: Vec::new() };
        for cell in 0..cells {
            let mut row = vec![0.0f32; FEATURES];
            for drawn in 0..EXPRESSED {
                // Half of the counts are of the markers of the type.
                let marker = cell % TYPES * MARKERS + random.below(MARKERS);
                row[if drawn % 2 == 0 { marker } else { random.below(FEATURES) }] += 1.0;
            }
            made.totals.push(EXPRESSED as f64);
            made.names.push(format!("cell {cell}"));
            made.counts.push_row((0u32..).zip(row).filter(|(_, count)| *count > 0.0));
        }
        made
    }

    fn project(&self, reference: &Reference, genes: &GeneMatch) -> Dense {
        let residuals = Residuals::new(reference, &self.counts, &genes.feature_of_gene);
        project(&residuals, reference, &self.counts, &self.totals, &Progress::silent())
    }
}

/// Maps made-up cells onto made-up cells and forgets them.
///
/// # Errors
/// None that is known: those of [`map`].
pub fn rehearse(progress: &Progress<'_>) -> Result<()> {
    let mut random = Random::new(1);
    let mut reference = without_cells(&mut random);
    let genes = match_genes(&reference.features, &reference.features, None);
    let [annotated, query] = [REFERENCE_CELLS, QUERY_CELLS].map(|cells| Made::new(cells, &mut random));
    reference.embedding = annotated.project(&reference, &genes);
    let unit = normalize_rows(&reference.embedding);
    reference.neighbors = nearest(&unit, &unit, NEIGHBORS, "", &Progress::silent()).indices;
    reference.cells = annotated.names;
    let query = Query { counts: &query.counts, totals: &query.totals, names: &query.names, genes: &genes };
    map(&query, &reference, &Options::default(), progress).map(drop)
}

/// A reference that lacks only its embedding and what comes from that.
fn without_cells(random: &mut Random) -> Reference {
    let mut noise =
        |rows: usize, columns: usize| Dense::from_shape_fn((rows, columns), |_| (random.uniform() - 0.5) as f32);
    let level = |name: &str, types: usize| Level {
        name: name.to_owned(),
        classes: (0..types)
            .map(|class| Class { name: format!("{name} {class}"), color: "#888888".to_owned(), ontology: None })
            .collect(),
        codes: (0..REFERENCE_CELLS).map(|cell| (cell % types) as u16).collect(),
    };
    let model = ResidualModel {
        theta: vec![10.0; FEATURES],
        intercept: vec![-7.0; FEATURES],
        slope: vec![std::f64::consts::LN_10; FEATURES],
        residual_mean: vec![0.0; FEATURES],
        clip: (-10.0, 10.0),
        variance_floor: VarianceFloor::None,
    };
    Reference {
        about: About::default(),
        features: (0..FEATURES).map(|feature| Feature { id: None, symbol: format!("GENE{feature}") }).collect(),
        model: model.into(),
        loadings: noise(FEATURES, DIMENSIONS),
        embedding: Dense::zeros((0, DIMENSIONS)),
        neighbors: Array2::zeros((0, NEIGHBORS)),
        levels: vec![level("coarse", TYPES / 2), level("fine", TYPES)],
        umap: UmapModel {
            layout: noise(REFERENCE_CELLS, 2),
            rows: (0..REFERENCE_CELLS as u32).collect(),
            parameters: UmapParameters {
                a: 0.99,
                b: 1.11,
                epochs: 500,
                neighbors: 30,
                negative_samples: 5,
                learning_rate: 1.0,
                repulsion: 1.0,
            },
        },
        cells: Vec::new(),
        columns: Vec::new(),
        proteins: None,
        expression: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rehearsal_goes_through_every_stage() {
        let stages = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let report = |stage: &str, _: f64| drop(stages.lock().map(|mut stages| stages.insert(stage.to_owned())));
        rehearse(&Progress::new(&report)).expect("a mapping");
        let last = super::super::score::STAGE.to_owned();
        assert!(stages.lock().is_ok_and(|stages| stages.contains(&last)));
    }
}
