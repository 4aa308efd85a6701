//! Turning normalised values back into the counts that they were made of.
//!
//! Normalisation divides a cell's counts by one number and mostly takes a logarithm. With the logarithm undone, the
//! values of a cell are whole multiples of one number: its smallest value, or a small fraction of that. That they are
//! is the proof that the counts are back; corrected, smoothed or imputed values fail it.

mod recovering;

use super::{Content, Sample, Verdict, grouped, target};
pub use recovering::Recovering;

/// The smallest count of a cell is looked for up to this number.
const LARGEST_LEAST: u32 = 8;
/// Of the cells, so many must give whole numbers.
const MOST: f64 = 0.95;
/// Values beside the smallest of their cell that must be whole numbers in a sample.
const EVIDENCE: usize = 10;
/// A value whose error may be larger than this tells nothing about whole numbers.
const TELLING: f64 = 0.15;

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

#[cfg(test)]
mod tests;
