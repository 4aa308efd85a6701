//! Cells that a person asks to leave out by their quality, sample by sample.

use super::Query;
use crate::error::{Error, Result, Warning};
use crate::formats::grouped;
use crate::qc::{Filter, Limits, Metrics, Samples};

/// Cells with counts that are not mapped, since a filter that was asked for leaves them out.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    pub cells: Vec<String>,
    pub metrics: Metrics,
}

impl Query {
    /// The sample of each of the m cells, in the order in which samples appear; one sample where they are not told apart.
    pub fn samples(&self) -> Samples {
        let column =
            self.sample_column.as_ref().and_then(|wanted| self.metadata.iter().find(|(name, _)| name == wanted));
        let Some((_, column)) = column else {
            return Samples::one(self.cells.len());
        };
        Samples::by(column, self.cells.len())
    }

    /// # Errors
    /// The table of cells has no such column.
    pub(super) fn tell_samples_apart_by(&mut self, wanted: Option<&str>) -> Result<()> {
        let Some(wanted) = wanted else { return Ok(()) };
        if !self.metadata.iter().any(|(name, _)| name == wanted) {
            let columns: Vec<&str> = self.metadata.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::usage(match columns.is_empty() {
                true => format!("The file has no table of cells, so no column '{wanted}' tells samples apart."),
                false => format!("No column '{wanted}' tells samples apart. The columns are: {}.", columns.join(", ")),
            }));
        }
        self.sample_column = Some(wanted.to_owned());
        Ok(())
    }

    /// Suggests limits, and leaves out the cells that the filter excludes. Gives the cells that are kept, of the m before.
    ///
    /// The first clip of the residuals depends on the number of cells, so this comes before the mapping.
    ///
    /// # Errors
    /// When no cell is left.
    pub(super) fn leave_out(&mut self, samples: &Samples, filter: Option<&Filter>) -> Result<Vec<usize>> {
        self.limits = Limits::suggest(&self.metrics, samples);
        let all = self.cells.len();
        let Some(filter) = filter.filter(|filter| !filter.is_empty()) else { return Ok((0..all).collect()) };
        let (excluded, reasons) = filter.apply(&self.metrics, samples, &self.limits);
        let reasons: Vec<String> =
            reasons.into_iter().map(|(name, cells)| format!("{} by {name}", grouped(cells as f64))).collect();
        let reasons = reasons.join(", ");
        let (others, kept): (Vec<usize>, Vec<usize>) = (0..all).partition(|&cell| excluded[cell]);
        if kept.is_empty() {
            return Err(Error::input(format!(
                "None of the {} cells lies within the limits ({reasons}). Choose wider limits.",
                grouped(all as f64)
            )));
        }
        if others.is_empty() {
            return Ok(kept);
        }
        self.warnings.push(Warning::new(
            "filtered",
            format!(
                "{} of the {} cells lie beyond the limits and were left out, as asked for: {reasons}.",
                grouped(others.len() as f64),
                grouped(all as f64)
            ),
        ));
        self.left_out = LeftOut {
            cells: others.iter().map(|&cell| self.cells[cell].clone()).collect(),
            metrics: self.metrics.select(&others),
        };
        let empty = all..all + self.empty_cells.len();
        let rows: Vec<u32> = kept.iter().copied().chain(others).chain(empty).map(|row| row as u32).collect();
        self.metadata.iter_mut().for_each(|(_, column)| *column = column.select(&rows));
        self.keep(&kept.iter().map(|&cell| cell as u32).collect::<Vec<u32>>());
        Ok(kept)
    }

    /// The names of all cells in the rows of the tables of quality and metadata: those that are mapped, those that a
    /// filter left out, those without counts.
    pub fn described_cells(&self) -> impl Iterator<Item = &String> {
        self.cells.iter().chain(&self.left_out.cells).chain(&self.empty_cells)
    }
}
