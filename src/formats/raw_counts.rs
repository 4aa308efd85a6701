//! Are these raw counts? A sample of whole cells, spread over the file, decides.

mod recovery;

pub use recovery::{Recovering, Recovery};

use super::stored::Matrix;
use crate::error::Result;

/// Sums of a cell that vary less than this (between the 10th and the 90th percentile, of the median) were made equal.
/// Half-precision logarithms miss their sum by 1 %.
const EQUAL: f64 = 0.02;
/// The natural logarithm of 10,000 is 9.2; no single-cell logarithm passes this.
const LARGEST_LOGARITHM: f64 = 16.0;
/// Rounded logarithms stay below 10, while of so many counts in a cell some gene has more.
const LARGEST_ROUNDED_LOGARITHM: f64 = 9.0;
const MANY_IN_A_CELL: f64 = 500.0;
/// The same of logarithms to base 2 of scaled counts, which reach higher.
const LARGEST_ROUNDED_BINARY_LOGARITHM: f64 = 16.0;
const VERY_MANY_IN_A_CELL: f64 = 2000.0;
/// Fewer values than this may all be 1 by chance.
const ENOUGH_ONES: usize = 200;

/// Why normalised values are not taken.
const LOST: &str = " and do not lead back to counts (no factor makes the values of a cell whole numbers)";

/// What a matrix holds, as far as a sample tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub content: Content,
    /// What the values are, to follow "values …": "are whole numbers …", "look like log1p of …".
    pub text: String,
}

/// The classes that decide whether a matrix is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Whole numbers, plausible as counts.
    Counts,
    /// Whole numbers once a logarithm, a factor of each cell, or rounding errors are taken away.
    Recoverable(Recovery),
    /// Of the size of counts, with fractions, as SoupX, RSEM or alevin write them.
    Estimates,
    /// Anything else.
    Other,
}

impl Verdict {
    fn new(content: Content, text: impl Into<String>) -> Self {
        Verdict { content, text: text.into() }
    }

    fn other(text: impl Into<String>) -> Self {
        Self::new(Content::Other, text)
    }

    pub fn is_counts(&self) -> bool {
        self.content != Content::Other
    }
}

/// The values of some cells; zeros left out.
#[derive(Debug, Default)]
pub struct Sample {
    cells: Vec<Vec<f64>>,
    /// Whether `cells` are whole cells, so that their sums mean something.
    whole: bool,
    /// The mean sum of a cell, estimated for the whole matrix.
    mean_total: f64,
}

/// Looks at a sample of the matrix and says what it holds.
///
/// # Errors
/// When the sample cannot be read.
pub fn judge(matrix: &dyn Matrix) -> Result<Verdict> {
    Ok(verdict(&matrix.sample()?))
}

impl Sample {
    /// The values of whole cells; zeros may be among them.
    pub fn of_whole_cells(mut cells: Vec<Vec<f64>>) -> Self {
        for cell in &mut cells {
            cell.retain(|&value| value != 0.0);
        }
        let sum: f64 = cells.iter().flatten().sum();
        Sample { mean_total: sum / cells.len().max(1) as f64, whole: true, cells }
    }

    /// Loose values from all over a matrix whose cells are costly to come by; `mean_total` is an estimate of the mean sum
    /// of a cell.
    pub fn of_loose_values(mut pieces: Vec<Vec<f64>>, mean_total: f64) -> Self {
        for piece in &mut pieces {
            piece.retain(|&value| value != 0.0);
        }
        Sample { cells: pieces, whole: false, mean_total }
    }

    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.cells.iter().flatten().copied()
    }

    /// The sum of `change`d values in each cell that has any, ascending.
    fn sums(&self, change: impl Fn(f64) -> f64) -> Vec<f64> {
        let cells = self.cells.iter().filter(|cell| !cell.is_empty());
        let mut sums: Vec<f64> = cells.map(|cell| cell.iter().map(|&value| change(value)).sum()).collect();
        sums.sort_by(f64::total_cmp);
        sums
    }

    /// The common sum of all cells, if they have one.
    fn common_sum(&self, change: impl Fn(f64) -> f64) -> Option<f64> {
        if !self.whole {
            return None;
        }
        let sums = self.sums(change);
        let at = |share: usize| sums.get((sums.len().saturating_sub(1)) * share / 10).copied();
        let (low, median, high) = (at(1)?, at(5)?, at(9)?);
        let equal = sums.len() >= 5 && median.is_finite() && high - low <= EQUAL * median;
        equal.then_some(median)
    }

    fn median_total(&self) -> f64 {
        if !self.whole {
            return self.mean_total;
        }
        let sums = self.sums(|value| value);
        sums.get(sums.len() / 2).copied().unwrap_or(0.0)
    }
}

fn verdict(sample: &Sample) -> Verdict {
    let count = sample.values().count();
    if count == 0 {
        return Verdict::other("are all zero, as far as a sample tells");
    }
    if sample.values().any(|value| !value.is_finite()) {
        return Verdict::other("contain NaN or infinite numbers");
    }
    let lowest = sample.values().fold(f64::INFINITY, f64::min);
    let largest = sample.values().fold(f64::NEG_INFINITY, f64::max);
    if lowest < 0.0 {
        return Verdict::other(format!("look like scaled values (negative numbers, down to {lowest:.2})"));
    }
    let whole = sample.values().filter(|v| *v == v.trunc()).count();
    if whole == count {
        return whole_numbers(sample, count, largest);
    }
    match Recovery::of(sample) {
        Some(recovery) => recovery.verdict(sample),
        None => fractions(sample, whole as f64 / count as f64, largest),
    }
}

fn whole_numbers(sample: &Sample, count: usize, largest: f64) -> Verdict {
    if largest == 1.0 && count >= ENOUGH_ONES {
        return Verdict::other("are only 0 and 1 (whether a gene was seen, not how often)");
    }
    let total = sample.median_total();
    if (largest <= LARGEST_ROUNDED_LOGARITHM && total >= MANY_IN_A_CELL)
        || (largest <= LARGEST_ROUNDED_BINARY_LOGARITHM && total >= VERY_MANY_IN_A_CELL)
    {
        return Verdict::other(format!(
            "are whole numbers but look like rounded logarithms (a cell has {} in total and no gene more than {largest})",
            grouped(total)
        ));
    }
    Verdict::new(
        Content::Counts,
        format!(
            "are whole numbers (in the sample about {} in a cell, at most {} of a gene)",
            grouped(total),
            grouped(largest)
        ),
    )
}

fn fractions(sample: &Sample, whole: f64, largest: f64) -> Verdict {
    if largest <= LARGEST_LOGARITHM * std::f64::consts::LOG2_E
        && let Some(text) = logarithms(sample)
    {
        return Verdict::other(format!("{text}{LOST}"));
    }
    if let Some(sum) = sample.common_sum(|value| value) {
        return Verdict::other(format!(
            "look like counts scaled to {} per cell (normalised, no logarithm){LOST}",
            grouped(target(sum))
        ));
    }
    if sample.values().all(|value| (value * value - libm::round(value * value)).abs() <= 1e-5 * (1.0 + value * value)) {
        return Verdict::other("look like square roots of counts");
    }
    // Estimated counts keep many whole numbers, or at least the range of counts.
    if largest > LARGEST_LOGARITHM || whole >= 0.5 {
        return Verdict::new(
            Content::Estimates,
            format!(
                "are of the size of counts but {:.0} % have fractions (in the sample about {} in a cell, at most {} of a gene)",
                (100.0 * (1.0 - whole)).max(1.0),
                grouped(sample.median_total()),
                grouped(largest)
            ),
        );
    }
    Verdict::other(format!("look like logarithms or another transformation (fractions, none above {largest:.2})"))
}

/// Names the logarithm whose undoing gives every cell the same sum.
fn logarithms(sample: &Sample) -> Option<String> {
    let natural: fn(f64) -> f64 = libm::expm1;
    let binary: fn(f64) -> f64 = |value| libm::exp2(value) - 1.0;
    let decimal: fn(f64) -> f64 = |value| libm::exp10(value) - 1.0;
    let bases = [("log1p", natural), ("log2(x + 1)", binary), ("log10(x + 1)", decimal)];
    for (name, undo) in bases {
        if let Some(sum) = sample.common_sum(undo) {
            return Some(format!("look like {name} of counts scaled to {} per cell", grouped(target(sum))));
        }
    }
    None
}

/// The power of ten that a sum was meant to be; few precise digits and left-out genes make it miss by a little.
fn target(sum: f64) -> f64 {
    let power = libm::exp10(libm::round(libm::log10(sum)));
    if (sum - power).abs() <= EQUAL * power { power } else { sum }
}

/// The first names of a list, and how many follow.
pub fn some(names: &[String]) -> String {
    match names.get(..5) {
        Some(first) if names.len() > 5 => {
            format!("{} and {} more", first.join(", "), names.len() - 5)
        }
        _ => names.join(", "),
    }
}

/// A rounded number with commas between thousands.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", libm::round(value));
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits.as_str()),
    };
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty cells of different depths, with counts from 1 to some hundreds.
    fn counts() -> Vec<Vec<f64>> {
        let cell = |cell: u32| {
            (0..60u32)
                .map(|gene| f64::from((gene * gene * 7 + cell * 31) % 23 * (1 + cell % 5) / 3))
                .chain([f64::from(100 + cell * 13)])
                .collect()
        };
        (0..20).map(cell).collect()
    }

    fn changed(change: impl Fn(f64, f64) -> f64) -> Verdict {
        let mut cells = counts();
        for cell in &mut cells {
            let total: f64 = cell.iter().sum();
            for value in cell {
                *value = change(*value, total);
            }
        }
        verdict(&Sample::of_whole_cells(cells))
    }

    #[test]
    fn counts_are_counts() {
        assert_eq!(changed(|count, _| count).content, Content::Counts);
    }

    #[test]
    fn what_is_not_counts_is_named() {
        let cp10k = |count: f64, total: f64| count / total * 1e4;
        let cases: [(&str, Verdict); 9] = [
            (
                "look like log1p of counts scaled to 10,000 per cell",
                changed(|count, total| libm::log1p(cp10k(count, total))),
            ),
            (
                "look like log2(x + 1) of counts scaled to 10,000 per cell",
                changed(|count, total| libm::log2(cp10k(count, total) + 1.0)),
            ),
            (
                "look like log10(x + 1) of counts scaled to 10,000 per cell",
                changed(|count, total| libm::log10(cp10k(count, total) + 1.0)),
            ),
            ("look like log1p of raw counts", changed(|count, _| libm::log1p(count))),
            ("look like counts scaled to 10,000 per cell (normalised, no logarithm)", changed(cp10k)),
            ("look like scaled values (negative numbers, down to -1.00)", changed(|count, _| (count - 10.0) / 10.0)),
            ("are only 0 and 1 (whether a gene was seen, not how often)", changed(|count, _| f64::from(count > 0.0))),
            ("contain NaN or infinite numbers", changed(|count, _| if count == 0.0 { f64::NAN } else { count })),
            ("are all zero, as far as a sample tells", changed(|_, _| 0.0)),
        ];
        for (number, (text, verdict)) in cases.into_iter().enumerate() {
            assert_eq!(verdict.text, text);
            // From the first five the counts come back.
            assert_eq!(matches!(verdict.content, Content::Recoverable(_)), number < 5, "{text}");
            assert_eq!(verdict.content == Content::Other, number >= 5, "{text}");
        }
        let subset = changed(|count, total| {
            let kept = f64::from(count as u32 % 3 != total as u32 % 3);
            libm::log1p(cp10k(count, total)) * kept
        });
        assert_eq!(subset.text, "look like log1p of counts scaled by cell");
        let subset = changed(|count, total| {
            let kept = f64::from(count as u32 % 3 != total as u32 % 3);
            cp10k(count, total) * kept
        });
        assert_eq!(subset.text, "look like counts scaled by cell (normalised, no logarithm)");
        let corrected = changed(|count, total| libm::log1p(cp10k(count * (0.8 + 0.2 * libm::sin(count)), total)));
        assert_eq!(corrected.content, Content::Other);
        assert_eq!(corrected.text, "look like logarithms or another transformation (fractions, none above 8.43)");
        let corrected = |cell: Vec<f64>| {
            let values: Vec<f64> = cell.into_iter().map(|count| count * (0.8 + 0.2 * libm::sin(count))).collect();
            let total: f64 = values.iter().sum();
            values.into_iter().map(|value| libm::log1p(cp10k(value, total))).collect()
        };
        let corrected = verdict(&Sample::of_whole_cells(counts().into_iter().map(corrected).collect()));
        assert_eq!(
            (corrected.text.as_str(), corrected.content),
            (
                "look like log1p of counts scaled to 10,000 per cell and do not lead back to counts (no factor makes the \
                 values of a cell whole numbers)",
                Content::Other
            )
        );
    }

    #[test]
    fn rounded_logarithms_are_not_counts() {
        let mut cells = counts();
        for cell in &mut cells {
            let more: Vec<f64> = (0..300).map(|gene| 1.0 + f64::from(gene % 7)).collect();
            cell.truncate(0);
            cell.extend(more);
        }
        let verdict = verdict(&Sample::of_whole_cells(cells));
        assert_eq!(verdict.content, Content::Other);
        assert!(verdict.text.contains("rounded logarithms"), "{}", verdict.text);
    }

    #[test]
    fn estimates_are_taken_with_care() {
        assert_eq!(changed(|count, _| count * 0.93).content, Content::Estimates);
        let alevin = changed(|count, _| if count == 7.0 { 7.25 } else { count });
        assert_eq!(alevin.content, Content::Estimates);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0.0), "0");
        assert_eq!(grouped(999.6), "1,000");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(grouped(-12_345.0), "-12,345");
    }
}
