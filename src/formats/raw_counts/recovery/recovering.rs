//! Undoing a normalisation while a matrix passes by, and what there is to say about it.

use super::super::grouped;
use super::{MOST, Recovery, Undo};
use crate::error::{Error, Result, Warning};
use crate::matrix::Counts;
use rayon::prelude::*;

/// Cells that are worked on together, so that few entries are held twice.
const BLOCK: usize = 2048;

/// Recovers the counts while a matrix is read, slab by slab.
pub struct Recovering {
    recovery: Recovery,
    /// What the values are, as in a [`Verdict`].
    text: String,
    /// The column of the table of cells with the counts of each cell, where there is one.
    totals: Option<(String, Vec<f64>)>,
    cells: usize,
    /// Cells without a factor that makes whole numbers.
    unfit: usize,
    /// Cells whose counts add up to the stated total.
    pub(super) agree: usize,
    /// All counts that were recovered, and that were stated, of cells with a stated total.
    sums: (f64, f64),
}

impl Recovering {
    pub fn new(recovery: Recovery, text: String, totals: Option<(String, Vec<f64>)>) -> Self {
        Recovering { recovery, text, totals, cells: 0, unfit: 0, agree: 0, sums: (0.0, 0.0) }
    }

    /// The counts of the next cells.
    pub fn slab(&mut self, slab: &Counts) -> Counts {
        let mut counts = Counts::with_genes(slab.genes());
        let mut first = 0;
        while first < slab.cells() {
            let block = first..(first + BLOCK).min(slab.cells());
            first = block.end;
            let rows: Vec<Row> = block.into_par_iter().map(|cell| self.row(slab, cell)).collect();
            for row in rows {
                self.unfit += usize::from(!row.fits);
                if let Some(total) = row.total {
                    self.agree += usize::from((total - row.sum).abs() <= 0.5);
                    self.sums = (self.sums.0 + row.sum, self.sums.1 + total);
                }
                counts.push_row(row.entries);
            }
        }
        self.cells += slab.cells();
        counts
    }

    fn row(&self, slab: &Counts, cell: usize) -> Row {
        let mut entries: Vec<(u32, f32)> = slab.row(cell).collect();
        let values: Vec<f64> = entries.iter().map(|entry| self.recovery.undo.apply(f64::from(entry.1))).collect();
        let total = self.totals.as_ref().and_then(|(_, totals)| totals.get(self.cells + cell).copied());
        let total = total.filter(|total| total.is_finite() && *total > 0.0);
        let fit = self.recovery.fit(&values, total);
        let least = if self.recovery.is_rounding() { 0.0 } else { 1.0 };
        let mut sum = 0.0;
        for (entry, value) in entries.iter_mut().zip(values) {
            let count = libm::round(value * fit.factor).max(least);
            sum += count;
            entry.1 = count as f32;
        }
        Row { entries, fits: fit.fits, sum, total }
    }

    /// What there is to say once all cells have passed.
    ///
    /// # Errors
    /// When too many cells gave no whole numbers, although a sample did.
    pub fn finish(self, path: &str) -> Result<Warning> {
        let amount = |count: usize| grouped(count as f64);
        let Recovering { recovery, text, totals, cells, unfit, agree, sums } = self;
        if unfit as f64 > (1.0 - MOST) * cells as f64 {
            return Err(Error::input(format!(
                "the values of \"{path}\" {text}, but in {} of {} cells no factor makes them whole numbers, so the counts \
                 cannot be recovered. Save the counts as they were before normalisation in \"layers/counts\" or \
                 \"raw/X\", or load the file of the step before.",
                amount(unfit),
                amount(cells)
            )));
        }
        let others = if unfit == 0 {
            String::new()
        } else {
            format!(" In {} of {} cells they were not whole numbers and were rounded.", amount(unfit), amount(cells))
        };
        if recovery.is_rounding() {
            return Ok(Warning::new(
                "rounded",
                format!("The values of \"{path}\" {text}. They were rounded to whole numbers.{others}"),
            ));
        }
        let how = match (recovery.undo, recovery.scaled) {
            (Undo::Nothing, _) => "the values of each cell divided by what one count is worth in it",
            (_, false) => "the logarithm undone",
            (_, true) => "the logarithm undone, and the values of each cell divided by what one count is worth in it",
        };
        let agreement = totals.filter(|_| sums.1 > 0.0).map(|(column, _)| {
            let share = 100.0 * agree as f64 / cells.max(1) as f64;
            let whole = 100.0 * sums.0 / sums.1;
            format!(" They add up to the column \"{column}\" in {share:.0} % of the cells, and to {whole:.1} % of it in all.")
        });
        let digits = if recovery.coarse {
            " The values have few digits: counts above about 30 may be off by some per cent."
        } else {
            ""
        };
        let open = if recovery.scaled {
            " Two things stay open: a cell whose counts are all multiples of a number comes out with counts that many times \
             too small, and genes that were removed before are missing."
        } else {
            ""
        };
        Ok(Warning::new(
            "recovered",
            format!(
                "The values of \"{path}\" {text}. The counts were recovered from them: {how}.{others}{}{digits}{open} If you have a \
                 file with the raw counts, load that.",
                agreement.unwrap_or_default()
            ),
        ))
    }
}

/// A cell with its counts.
struct Row {
    entries: Vec<(u32, f32)>,
    fits: bool,
    sum: f64,
    /// As the file states it.
    total: Option<f64>,
}
