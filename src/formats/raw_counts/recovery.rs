//! Turning normalised values back into the counts that they were made of.
//!
//! Normalisation divides a cell's counts by one number and mostly takes a logarithm. With the logarithm undone, the
//! values of a cell are whole multiples of one number: its smallest value, or a small fraction of that. That they are
//! is the proof that the counts are back; corrected, smoothed or imputed values fail it.

use super::{Content, Sample, Verdict, grouped, target};
use crate::error::{Error, Result, Warning};
use crate::matrix::Counts;
use rayon::prelude::*;

/// The smallest count of a cell is looked for up to this number.
const LARGEST_LEAST: u32 = 8;
/// Of the cells, so many must give whole numbers.
const MOST: f64 = 0.95;
/// Values beside the smallest of their cell that must be whole numbers in a sample.
const EVIDENCE: usize = 10;
/// A value whose error may be larger than this tells nothing about whole numbers.
const TELLING: f64 = 0.15;
/// Cells that are worked on together, so that few entries are held twice.
const BLOCK: usize = 2048;

/// What is undone before values are compared with whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    Nothing,
    NaturalLogarithm,
    BinaryLogarithm,
    DecimalLogarithm,
}

/// How counts are recovered from the values of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    undo: Undo,
    /// Whether every cell has a factor of its own; otherwise the values are whole numbers but for rounding errors.
    scaled: bool,
    /// Whether the values have few digits: half precision, or three decimals.
    coarse: bool,
}

/// The factor of a cell.
struct Fit {
    factor: f64,
    /// Whether it makes the values whole numbers.
    fits: bool,
    /// Values beside the smallest that show it.
    evidence: usize,
}

impl Undo {
    const LOGARITHMS: [Undo; 3] = [Undo::NaturalLogarithm, Undo::BinaryLogarithm, Undo::DecimalLogarithm];

    pub fn apply(self, value: f64) -> f64 {
        match self {
            Undo::Nothing => value,
            Undo::NaturalLogarithm => libm::expm1(value),
            Undo::BinaryLogarithm => libm::exp2(value) - 1.0,
            Undo::DecimalLogarithm => libm::exp10(value) - 1.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Undo::Nothing => "no logarithm",
            Undo::NaturalLogarithm => "log1p",
            Undo::BinaryLogarithm => "log2(x + 1)",
            Undo::DecimalLogarithm => "log10(x + 1)",
        }
    }
}

impl Recovery {
    /// The way back that makes whole numbers of the sample, if there is one.
    pub fn of(sample: &Sample) -> Option<Recovery> {
        let half = sample.values().all(|value| half::f16::from_f64(value).to_f64() == value);
        let coarse = half || sample.values().all(|value| is_whole(value * 1000.0));
        let rounded = Recovery { undo: Undo::Nothing, scaled: false, coarse: false };
        if sample.values().all(|value| (value - libm::round(value)).abs() <= rounded.tolerance(value)) {
            return Some(rounded);
        }
        let largest = sample.values().fold(0.0, f64::max);
        let logarithmic = largest <= super::LARGEST_LOGARITHM * std::f64::consts::LOG2_E;
        let logarithms = Undo::LOGARITHMS.into_iter().filter(|_| logarithmic);
        let ways = logarithms.clone().map(|undo| Recovery { undo, scaled: false, coarse });
        let mut ways = ways.chain(logarithms.map(|undo| Recovery { undo, scaled: true, coarse }));
        let found = ways.find(|way| way.explains(sample).is_some());
        found.or_else(|| {
            let way = Recovery { undo: Undo::Nothing, scaled: true, coarse };
            let mut factors = way.explains(sample)?;
            let cells = factors.len();
            factors.sort_by(f64::total_cmp);
            factors.dedup_by(|a, b| (*a - *b).abs() <= 1e-3 * *b);
            // Estimates in halves or quarters share few factors; depths of cells differ.
            (factors.len() * 2 > cells).then_some(way)
        })
    }

    /// The factor of every cell of the sample, if nearly all of them become whole numbers.
    fn explains(&self, sample: &Sample) -> Option<Vec<f64>> {
        if self.scaled && !sample.whole {
            return None;
        }
        let (mut factors, mut cells, mut evidence) = (Vec::new(), 0, 0);
        let mut values = Vec::new();
        for cell in sample.cells.iter().filter(|cell| !cell.is_empty()) {
            values.clear();
            values.extend(cell.iter().map(|&value| self.undo.apply(value)));
            let fit = self.fit(&values, None);
            cells += 1;
            if fit.fits {
                factors.push(fit.factor);
                evidence += fit.evidence;
            }
        }
        (factors.len() as f64 >= MOST * f64::from(cells) && evidence >= EVIDENCE).then_some(factors)
    }

    /// Rounded to `Counts` or recovered: their rank among the choices differs.
    pub fn is_rounding(&self) -> bool {
        self.undo == Undo::Nothing && !self.scaled
    }

    pub fn verdict(self, sample: &Sample) -> Verdict {
        let name = self.undo.name();
        let sum = sample.common_sum(|value| self.undo.apply(value)).map(|sum| grouped(target(sum)));
        let text = match (self.undo, self.scaled, sum) {
            (Undo::Nothing, false, _) => "are whole numbers but for rounding errors".to_owned(),
            (Undo::Nothing, true, Some(sum)) => {
                format!("look like counts scaled to {sum} per cell (normalised, {name})")
            }
            (Undo::Nothing, true, None) => format!("look like counts scaled by cell (normalised, {name})"),
            (_, false, _) => format!("look like {name} of raw counts"),
            (_, true, Some(sum)) => format!("look like {name} of counts scaled to {sum} per cell"),
            (_, true, None) => format!("look like {name} of counts scaled by cell"),
        };
        Verdict::new(Content::Recoverable(self), text)
    }

    /// How far a count may be from a whole number: what single precision, or few digits, leave of a scaled logarithm.
    fn tolerance(&self, count: f64) -> f64 {
        let (absolute, relative) = if self.coarse { (0.02, 3e-3) } else { (2e-3, 2e-6) };
        absolute + relative * count
    }

    /// The factor that makes whole numbers of a cell's values. `total`: the counts of the cell as the file states them.
    fn fit(&self, values: &[f64], total: Option<f64>) -> Fit {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        if !(least.is_normal() && least > 0.0) {
            return Fit { factor: 1.0, fits: least.is_infinite(), evidence: 0 };
        }
        if !self.scaled {
            return self.check(values, 1.0, 0.0);
        }
        let tried = (1..=LARGEST_LEAST).map(|count| {
            let factor = self.refined(values, f64::from(count) / least);
            self.check(values, factor, f64::from(count))
        });
        let mut fit = match tried.into_iter().find(|fit| fit.fits) {
            Some(fit) => fit,
            None => {
                let sum: f64 = values.iter().sum();
                let factor = total.map_or(1.0 / least, |total| total / sum);
                return Fit { factor, fits: false, evidence: 0 };
            }
        };
        if let Some(total) = total {
            let sum: f64 = values.iter().map(|value| libm::round(value * fit.factor)).sum();
            let multiple = libm::round(total / sum);
            let exact = if self.coarse { 0.01 } else { 1e-4 };
            // The stated total tells the factor that all counts of the cell have in common.
            if multiple >= 2.0 && (total - multiple * sum).abs() <= (exact * total).max(0.5) {
                fit.factor *= multiple;
            }
        }
        fit
    }

    /// A factor from many small counts instead of one: with few digits one value is too rough.
    fn refined(&self, values: &[f64], factor: f64) -> f64 {
        let (mut counts, mut sum) = (0.0, 0.0);
        for &value in values.iter().filter(|&&value| value * factor <= 20.0) {
            counts += libm::round(value * factor);
            sum += value;
        }
        if sum > 0.0 { counts / sum } else { factor }
    }

    fn check(&self, values: &[f64], factor: f64, least: f64) -> Fit {
        let (mut fits, mut evidence) = (true, 0);
        for value in values {
            let count = value * factor;
            let whole = libm::round(count);
            let tolerance = self.tolerance(count);
            if tolerance > TELLING {
                continue;
            }
            // Dust that vanishes is allowed where values are only rounded.
            fits &= (count - whole).abs() <= tolerance && (whole >= 1.0 || self.is_rounding());
            evidence += usize::from(whole != least);
        }
        Fit { factor, fits, evidence }
    }
}

/// As single precision tells.
fn is_whole(value: f64) -> bool {
    (value - libm::round(value)).abs() <= 1e-6 * value.abs().max(1.0)
}

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
    agree: usize,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of different depths, most with a gene of one count.
    fn cells(number: u32) -> Vec<Vec<f64>> {
        let count = |cell: u32, gene: u32| {
            let mixed = gene.wrapping_mul(2_654_435_761).wrapping_mul(2 * cell + 1) >> 7;
            f64::from(1 + (mixed % 97) * (mixed % 5) * (1 + cell % 4) / 9)
        };
        (0..number).map(|cell| (0..120 + cell * 7).map(|gene| count(cell, gene)).collect()).collect()
    }

    fn changed(cells: &[Vec<f64>], change: impl Fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
        let of_cell = |cell: &Vec<f64>| {
            let total: f64 = cell.iter().sum();
            cell.iter().map(|&value| change(value, total)).collect()
        };
        cells.iter().map(of_cell).collect()
    }

    fn matrix(cells: &[Vec<f64>]) -> Counts {
        let genes = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut matrix = Counts::with_genes(genes);
        for cell in cells {
            matrix.push_row((0..).zip(cell.iter().map(|&value| value as f32)));
        }
        matrix
    }

    fn recovered(counts: &[Vec<f64>], change: impl Fn(f64, f64) -> f64) -> (Option<Recovery>, bool) {
        let values = changed(counts, change);
        let recovery = Recovery::of(&Sample::of_whole_cells(values.clone()));
        let equal = recovery.is_some_and(|recovery| {
            Recovering::new(recovery, String::new(), None).slab(&matrix(&values)) == matrix(counts)
        });
        (recovery, equal)
    }

    #[test]
    fn every_normalisation_is_undone() {
        let counts = cells(30);
        let scaled = |count: f64, total: f64| count / total * 1e4;
        let half = |value: f64| half::f16::from_f64(value).to_f64();
        type Change<'a> = &'a dyn Fn(f64, f64) -> f64;
        let changes: [(&str, Undo, bool, Change<'_>); 9] = [
            ("log1p", Undo::NaturalLogarithm, true, &|count, total| libm::log1p(scaled(count, total))),
            ("single", Undo::NaturalLogarithm, true, &|count, total| {
                f64::from(libm::log1p(scaled(count, total)) as f32)
            }),
            ("log2", Undo::BinaryLogarithm, true, &|count, total| libm::log2(scaled(count, total) + 1.0)),
            ("log10", Undo::DecimalLogarithm, true, &|count, total| libm::log10(scaled(count, total) + 1.0)),
            ("no logarithm", Undo::Nothing, true, &scaled),
            ("no scale", Undo::NaturalLogarithm, false, &|count, _| libm::log1p(count)),
            ("dust", Undo::Nothing, false, &|count, total| count + 1e-3 * libm::sin(total + count)),
            ("three decimals", Undo::NaturalLogarithm, true, &|count, total| {
                libm::round(libm::log1p(scaled(count, total)) * 1e3) / 1e3
            }),
            ("half, small counts", Undo::NaturalLogarithm, true, &|count, total| {
                half(libm::log1p(scaled(count, total)))
            }),
        ];
        for (name, undo, scaled, change) in changes {
            let (recovery, equal) = recovered(&counts, change);
            assert_eq!(recovery.map(|way| (way.undo, way.scaled)), Some((undo, scaled)), "{name}");
            assert!(equal || name.starts_with("half") || name.starts_with("three"), "{name}");
        }
    }

    #[test]
    fn what_is_not_made_of_counts_stays() {
        let counts = cells(30);
        let by_gene = |count: f64| count * (0.9 + 0.1 * libm::sin(count));
        for change in [
            &(|count: f64, _: f64| by_gene(count)) as &dyn Fn(f64, f64) -> f64,
            &|count, total| libm::log1p(by_gene(count) / total * 1e4),
            &|count, _| count * 0.93,
            &|count, _| if count == 7.0 { 7.25 } else { count },
            &|count, _| libm::sqrt(count),
        ] {
            assert_eq!(recovered(&counts, change), (None, false));
        }
    }

    #[test]
    fn a_matrix_whose_sample_misled_is_refused() {
        let values = changed(&cells(30), |count, total| libm::log1p(count / total * 1e4));
        let recovery = Recovery::of(&Sample::of_whole_cells(values.clone())).expect("a way back");
        let corrected = changed(&values, |value, _| value * (1.0 + 0.1 * libm::sin(value * 100.0)));
        let mut recovering = Recovering::new(recovery, "look like logarithms".into(), None);
        recovering.slab(&matrix(&values));
        recovering.slab(&matrix(&corrected));
        assert_eq!(
            recovering.finish("X").err().map(|error| error.message).as_deref(),
            Some(
                "the values of \"X\" look like logarithms, but in 30 of 60 cells no factor makes them whole numbers, so the \
                 counts cannot be recovered. Save the counts as they were before normalisation in \"layers/counts\" or \
                 \"raw/X\", or load the file of the step before."
            )
        );
    }

    #[test]
    fn a_stated_total_tells_the_common_factor() {
        let even = changed(&cells(10), |count, _| 2.0 * count);
        let values = changed(&even, |count, total| libm::log1p(count / total * 1e4));
        let recovery = Recovery::of(&Sample::of_whole_cells(values.clone())).expect("a way back");
        let totals: Vec<f64> = even.iter().map(|cell| cell.iter().sum()).collect();
        let mut told = Recovering::new(recovery, String::new(), Some(("n_counts".into(), totals)));
        assert_eq!(told.slab(&matrix(&values)), matrix(&even));
        assert_eq!(told.agree, 10);
        let mut untold = Recovering::new(recovery, String::new(), None);
        assert_ne!(untold.slab(&matrix(&values)), matrix(&even));
    }

    #[test]
    fn the_smallest_count_need_not_be_one() {
        let counts: Vec<Vec<f64>> =
            (0..10).map(|cell| (0..40).map(|gene| f64::from(3 + (gene * 7 + cell) % 11)).collect()).collect();
        assert!(recovered(&counts, |count, total| libm::log1p(count / total * 1e4)).1);
    }
}
