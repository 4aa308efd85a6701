//! Proteins of the query, imputed from those that were measured in the reference's cells.
//!
//! They are no measurement: a cell gets the mean of what reference cells have that are like it in its RNA.

use super::Mapping;
use crate::matrix::Dense;
use crate::reference::Reference;
use crate::reference::proteins::Proteins;
use rayon::prelude::*;
use std::ops::Range;

/// Imputes some proteins in some query cells: of each cell the sum over its donors of their weight times their value.
///
/// # Shapes
/// `donors` gives the reference cells of a query cell with weights that sum to one. The result is `cells` × `proteins`.
pub fn impute<D: IntoIterator<Item = (usize, f64)>>(
    donors: impl Fn(usize) -> D + Sync,
    measured: &Proteins,
    cells: Range<usize>,
    proteins: Range<usize>,
) -> Dense {
    let mut imputed = Dense::zeros((cells.len(), proteins.len()));
    let width = proteins.len();
    let Some(values) = imputed.as_slice_mut().filter(|_| width > 0) else { return imputed };
    values.par_chunks_mut(width).zip(cells).for_each(|(to, cell)| {
        let mut sums = vec![0.0; width];
        for (donor, weight) in donors(cell) {
            let from = measured.values.row(donor);
            let from = from.iter().skip(proteins.start);
            sums.iter_mut().zip(from).for_each(|(sum, &value)| *sum += weight * f64::from(value));
        }
        to.iter_mut().zip(sums).for_each(|(to, sum): (&mut f32, f64)| *to = sum as f32);
    });
    imputed
}

/// The imputed proteins of a mapping: with [`super::Method::Sextant`] those of the reference cells that are nearest after
/// integration, which vote on the label too; with [`super::Method::Seurat`] those of the anchors, by the weights of the label
/// transfer. Unless they were kept they are imputed when asked for, some at a time, with the same
/// bits however many at once: of 100,000 cells and 228 proteins they would take 91 MB, what they come from is there anyway.
///
/// # Source
/// The latter equals Seurat 4.3's `TransferData` with a matrix of values as `refdata`.
pub struct Imputed<'a> {
    mapping: &'a Mapping,
    measured: &'a Proteins,
}

impl<'a> Imputed<'a> {
    /// `None` where the reference has no proteins, or several batches were mapped and [`super::Options::proteins`] was not
    /// asked for.
    pub fn of(mapping: &'a Mapping, reference: &'a Reference) -> Option<Self> {
        let measured = reference.proteins.as_ref()?;
        (mapping.batches == 1 || mapping.proteins.is_some()).then_some(Imputed { mapping, measured })
    }

    pub fn names(&self) -> &'a [String] {
        &self.measured.names
    }

    pub fn cells(&self) -> usize {
        self.mapping.mapping_scores.len()
    }

    /// Some proteins in some cells, cells × proteins.
    pub fn block(&self, cells: Range<usize>, proteins: Range<usize>) -> Dense {
        match &self.mapping.proteins {
            Some(kept) => kept.slice(ndarray::s![cells, proteins]).to_owned(),
            None => self.impute(cells, proteins),
        }
    }

    fn impute(&self, cells: Range<usize>, proteins: Range<usize>) -> Dense {
        let Mapping { anchors, weights, nearest, .. } = self.mapping;
        match nearest {
            Some(nearest) => {
                let share = 1.0 / nearest.ncols().max(1) as f64;
                let donors = |cell: usize| nearest.row(cell).into_iter().map(move |&donor| (donor as usize, share));
                impute(donors, self.measured, cells, proteins)
            }
            None => {
                let donor = |(anchor, weight): (usize, f64)| (anchors[anchor].reference as usize, weight);
                impute(|cell| weights.of(cell).map(donor), self.measured, cells, proteins)
            }
        }
    }
}
