//! Which references a query is like: whether it is of their tissue, before it is mapped.
//!
//! The mean of a query's log-normalised counts is the mean of its types', weighed by their shares. So it is explained as well as
//! can be by what the classes of a reference express, each with a weight of 0 or more; how well that succeeds says whether the
//! classes are of the query's tissue, whatever its composition.

mod weights;

use crate::error::Warning;
use crate::formats::Feature;
use crate::genes::{GeneTable, match_genes, species};
use crate::qc::GeneSet;
use crate::query::Query;
use crate::reference::About;
use crate::reference::expression::{Expression, SCALE};
use rayon::prelude::*;
use serde::Serialize;

/// Cells that the mean is taken of: more change nothing that counts here.
const MOST_CELLS: usize = 5_000;
/// Genes that differ most between the classes of the reference.
const GENES: usize = 1_000;
/// Fewer tell nothing.
const FEWEST_GENES: usize = 250;
/// Added to a mean before the variance is divided by it, so that genes that are hardly expressed do not come first.
const FLOOR: f64 = 0.1;
/// Another tissue is spoken of if it explains the query so much better. Chosen on the pairs in `references/README.md`.
const MARGIN: f64 = 0.15;

/// What a query expresses on average.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub features: Vec<Feature>,
    /// Of each gene the mean of log1p(10,000 × count / total) over some of the cells.
    pub mean: Vec<f64>,
}

/// How like a reference a query is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Likeness {
    /// The reference's.
    pub name: String,
    pub title: String,
    pub organ: String,
    pub species: String,
    /// Rank correlation of the query's mean with the best explanation by the reference's classes, over `genes`.
    pub fit: f64,
    pub genes: usize,
}

impl Profile {
    /// Nothing where the counts of the query were not kept.
    ///
    /// At most 5,000 cells, evenly spaced in the file.
    pub fn of(query: &Query) -> Option<Profile> {
        let cells = query.counts.cells();
        if query.consumed || cells == 0 {
            return None;
        }
        let step = cells.div_ceil(MOST_CELLS);
        let mut sums = vec![0.0; query.features.len()];
        let mut taken = 0;
        for cell in (0..cells).step_by(step) {
            let scale = SCALE / query.metrics.counts[cell];
            for (gene, count) in query.counts.row(cell) {
                sums[gene as usize] += libm::log1p(scale * f64::from(count));
            }
            taken += 1;
        }
        let mean = sums.into_iter().map(|sum| sum / f64::from(taken)).collect();
        Some(Profile { features: query.features.clone(), mean })
    }

    /// How like a reference it is; nothing where they have too few genes in common.
    ///
    /// Genes of mitochondria and ribosomes are left out, since they tell technologies apart rather than tissues.
    pub fn likeness(&self, about: &About, expression: &Expression, table: Option<&GeneTable>) -> Option<Likeness> {
        let finest = expression.levels.iter().max_by_key(|level| level.mean.nrows())?;
        let classes = finest.mean.nrows();
        let matched = match_genes(&self.features, &expression.genes, table);
        let pairs: Vec<(usize, usize)> = (matched.feature_of_gene.iter().enumerate())
            .filter_map(|(gene, feature)| feature.map(|feature| (gene, feature as usize)))
            .filter(|&(_, of)| {
                ![GeneSet::Mitochondrial, GeneSet::Ribosomal].iter().any(|set| set.has(&expression.genes[of]))
            })
            .collect();
        let spread = |of: usize| {
            let values = || (0..classes).map(|class| f64::from(finest.mean(class, of)));
            let mean = values().sum::<f64>() / classes as f64;
            values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / classes as f64 / (mean + FLOOR)
        };
        let mut told: Vec<(f64, (usize, usize))> = pairs.into_par_iter().map(|pair| (spread(pair.1), pair)).collect();
        told.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        told.truncate(GENES);
        if told.len() < FEWEST_GENES {
            return None;
        }
        let wanted: Vec<f64> = told.iter().map(|&(_, (gene, _))| self.mean[gene]).collect();
        let of_classes: Vec<Vec<f64>> = (0..classes)
            .map(|class| told.iter().map(|&(_, (_, of))| f64::from(finest.mean(class, of))).collect())
            .collect();
        let weights = weights::explain(&of_classes, &wanted);
        let explained: Vec<f64> = (0..wanted.len())
            .map(|gene| of_classes.iter().zip(&weights).map(|(class, weight)| class[gene] * weight).sum())
            .collect();
        Some(Likeness {
            name: about.name.clone(),
            title: about.title.clone(),
            organ: about.organ.clone(),
            species: about.species.clone(),
            fit: weights::rank_correlation(&explained, &wanted),
            genes: told.len(),
        })
    }
}

/// What to say before a query is mapped onto the reference that was chosen, and the place of the one that would fit better.
///
/// `all` in any order; the chosen one among them. `features`: of the query.
pub fn advice(all: &[Likeness], chosen: &str, features: &[Feature]) -> Option<(Warning, usize)> {
    let own = all.iter().find(|likeness| likeness.name == chosen)?;
    let of_query = species(features);
    let right_species = |likeness: &Likeness| of_query.is_none_or(|species| likeness.species == species);
    let (at, best) = (all.iter().enumerate().filter(|(_, likeness)| right_species(likeness)))
        .max_by(|(_, a), (_, b)| a.fit.total_cmp(&b.fit).then(b.name.cmp(&a.name)))?;
    if let Some(species) = of_query.filter(|species| own.species != *species && !own.species.is_empty()) {
        let said = format!(
            "The genes of your file are those of {species}, and the reference is of {}: genes are matched by orthologues, and \
             fewer of them. “{}” is of {species}.",
            own.species, best.title
        );
        return Some((Warning::new("other_species", said), at));
    }
    if best.fit < own.fit + MARGIN {
        return None;
    }
    if best.organ == own.organ || best.organ.is_empty() || own.organ.is_empty() {
        let said = format!(
            "What the classes of “{}” express explains your cells better ({:.2}) than what those of this reference do ({:.2}): it is \
             closer to them in tissue or technology.",
            best.title, best.fit, own.fit
        );
        return Some((Warning::new("better_reference", said), at));
    }
    let said = format!(
        "Your cells look like {}, and the reference is of {}: what its classes express explains yours less well ({:.2}) than what \
         those of “{}” do ({:.2}). Cells of another tissue are given names of this one.",
        best.organ, own.organ, own.fit, best.title, best.fit
    );
    Some((Warning::new("other_tissue", said), at))
}
