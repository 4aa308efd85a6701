//! The features of a reference: which genes, and their names.

use super::by_gene::ByGene;
use super::residuals;
use super::sctransform::{Model, Parameters};
use crate::error::{Error, Result};
use crate::formats::Feature;
use crate::matrix::Counts;
use std::collections::HashSet;

/// A query must have this many features in common with its reference.
const FEWEST_FEATURES: usize = 250;

/// log10 of each cell's total count.
///
/// # Errors
/// Counts that are no whole numbers; cells without counts.
pub fn depths(counts: &Counts) -> Result<Vec<f64>> {
    let mut empty = 0;
    let mut depths = Vec::with_capacity(counts.cells());
    for cell in 0..counts.cells() {
        let mut total = 0.0;
        for (_, count) in counts.row(cell) {
            if count < 0.0 || count.floor() != count {
                return Err(Error::input(format!(
                    "a reference is built from raw counts, which are whole numbers, but a value of {count} was found; name \
                     the matrix that holds the counts (such as layers/counts), or round estimated counts first"
                )));
            }
            total += f64::from(count);
        }
        empty += usize::from(total == 0.0);
        depths.push(libm::log10(total));
    }
    if empty > 0 {
        return Err(Error::input(format!(
            "{empty} of {} cells have no counts at all: take them out of the file",
            counts.cells()
        )));
    }
    Ok(depths)
}

/// A feature of the reference, before it has a name.
pub struct Selected {
    /// Row of the file's table of features.
    pub gene: usize,
    pub parameters: Parameters,
    pub residual_mean: f64,
}

/// The genes of the largest residual variance, in descending order of it.
///
/// # Errors
/// Too few genes for a query to be mapped by.
///
/// # Source
/// `variable.features.n` of `Seurat::SCTransform` 4.3.
pub fn select(counts: &ByGene, model: &Model, depths: &[f64], most: usize) -> Result<Vec<Selected>> {
    let moments = residuals::moments(counts, &model.genes, &model.parameters, depths);
    let mut order: Vec<usize> = (0..moments.len()).collect();
    order.sort_by(|&a, &b| moments[b].variance.total_cmp(&moments[a].variance).then(a.cmp(&b)));
    order.truncate(most);
    if order.len() < FEWEST_FEATURES {
        return Err(Error::input(format!(
            "only {} genes can be features; at least {FEWEST_FEATURES} are needed to map a query: was the matrix cut down \
             to some genes, or are the counts very few?",
            order.len()
        )));
    }
    Ok(order
        .into_iter()
        .map(|row| Selected {
            gene: model.genes[row],
            parameters: model.parameters[row],
            residual_mean: moments[row].mean,
        })
        .collect())
}

/// The features' names; a symbol that occurs again in the file gets `.1`, `.2`…, as Seurat does.
///
/// # Errors
/// Fewer names than genes.
pub fn names(all: &[Feature], genes: &[usize]) -> Result<Vec<Feature>> {
    let mut taken: HashSet<String> = all.iter().map(|feature| feature.symbol.clone()).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    let unique: Vec<String> = all
        .iter()
        .map(|feature| {
            if seen.insert(&feature.symbol) {
                return feature.symbol.clone();
            }
            let mut number = 1;
            loop {
                let name = format!("{}.{number}", feature.symbol);
                if taken.insert(name.clone()) {
                    return name;
                }
                number += 1;
            }
        })
        .collect();
    (genes.iter())
        .map(|&gene| match (all.get(gene), unique.get(gene)) {
            (Some(feature), Some(symbol)) => Ok(Feature { id: feature.id.clone(), symbol: symbol.clone() }),
            _ => Err(Error::input(format!("the matrix has more genes than the {} names of the file", all.len()))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_symbols_are_numbered() {
        let feature = |id: &str, symbol: &str| Feature { id: Some(id.into()), symbol: symbol.into() };
        let all = [feature("E1", "A"), feature("E2", "A"), feature("E3", "A.1"), feature("E4", "A")];
        let named = names(&all, &[3, 1, 0]).unwrap();
        let symbols: Vec<&str> = named.iter().map(|feature| feature.symbol.as_str()).collect();
        // As R's make.unique: the name A.1 is taken by the third gene.
        assert_eq!(symbols, ["A.3", "A.2", "A"]);
        assert_eq!(named[0].id.as_deref(), Some("E4"));
        assert!(names(&all, &[4]).is_err());
    }
}
