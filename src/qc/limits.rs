//! Limits beyond which a cell's quality is unusual among the cells of its sample. They are suggested, never applied unasked.

use super::{GeneSet, Metrics, median};
use crate::error::{Error, Result};
use crate::formats::Column;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// A figure of quality that limits can be set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Counts,
    Features,
    Percent(GeneSet),
}

/// A lower or an upper limit on a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub metric: Metric,
    /// Else it is a lower one.
    pub upper: bool,
}

/// Median absolute deviations between the median and a limit.
pub const DEVIATIONS: f64 = 3.0;
/// Turns the median absolute deviation of a normal distribution into its standard deviation (R's `mad`).
const CONSISTENCY: f64 = 1.4826;

impl Bound {
    /// Those that are suggested: too few counts or genes, too large a share of a set of genes.
    const SUGGESTED: [Bound; 5] = [
        Bound { metric: Metric::Counts, upper: false },
        Bound { metric: Metric::Features, upper: false },
        Bound { metric: Metric::Percent(GeneSet::Mitochondrial), upper: true },
        Bound { metric: Metric::Percent(GeneSet::Ribosomal), upper: true },
        Bound { metric: Metric::Percent(GeneSet::Haemoglobin), upper: true },
    ];

    /// `min_counts`, `max_percent_mt`: as the option and the tables call it.
    pub fn name(self) -> String {
        let metric = match self.metric {
            Metric::Counts => "counts",
            Metric::Features => "features",
            Metric::Percent(set) => set.column(),
        };
        format!("{}_{metric}", if self.upper { "max" } else { "min" })
    }

    /// Every bound that can be set.
    pub fn all() -> impl Iterator<Item = Bound> {
        Bound::SUGGESTED.into_iter().flat_map(|Bound { metric, .. }| [false, true].map(|upper| Bound { metric, upper }))
    }

    /// The metric of each cell; `None` where the file has no gene of its set.
    fn values(self, metrics: &Metrics) -> Option<Vec<f64>> {
        match self.metric {
            Metric::Counts => Some(metrics.counts.clone()),
            Metric::Features => Some(metrics.features.iter().copied().map(f64::from).collect()),
            Metric::Percent(set) => metrics.percent(set).map(<[f64]>::to_vec),
        }
    }

    /// Whether a value lies beyond the limit. One that is not known does not.
    fn excludes(self, value: f64, limit: f64) -> bool {
        if self.upper { value > limit } else { value < limit }
    }

    /// The limit three deviations from the median of the values, of counts and genes on the scale of logarithms. None
    /// where more than half of the cells have the same value: then there is no deviation to measure by.
    ///
    /// # Source
    /// McCarthy et al. 2017 (10.1093/bioinformatics/btw777); equals scater's `isOutlier(nmads = 3)`, with `log = TRUE` and
    /// `type = "lower"` for counts and genes, `type = "higher"` for percentages.
    fn suggest(self, values: &[f64]) -> Option<f64> {
        let logarithmic = !matches!(self.metric, Metric::Percent(_));
        let scaled = |&value: &f64| if logarithmic { libm::log(value) } else { value };
        let values: Vec<f64> = values.iter().map(scaled).collect();
        let middle = median(&values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let deviation = CONSISTENCY * median(&distances).filter(|&distance| distance > 0.0)?;
        let limit = if self.upper { middle + DEVIATIONS * deviation } else { middle - DEVIATIONS * deviation };
        Some(if logarithmic { libm::exp(limit) } else { limit })
    }
}

/// Which sample each cell is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// `None`: all cells whose sample is not known, or all cells.
    pub names: Vec<Option<String>>,
    /// One for each cell, into `names`.
    pub of_cell: Vec<u32>,
}

impl Samples {
    /// All cells are of one.
    pub fn one(cells: usize) -> Self {
        Samples { names: vec![None], of_cell: vec![0; cells] }
    }

    /// Those that a column of the table of cells tells apart, in the order in which they appear.
    pub fn by(column: &Column, cells: usize) -> Self {
        let mut numbers: FxHashMap<Option<String>, u32> = FxHashMap::default();
        let mut names = Vec::new();
        let number = |row: usize| {
            let name = column.text(row).filter(|name| !name.is_empty());
            *numbers.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() as u32 - 1
            })
        };
        let of_cell = (0..cells).map(number).collect();
        Samples { names, of_cell }
    }

    /// The cells of each sample, ascending.
    pub fn cells(&self) -> Vec<Vec<usize>> {
        let mut cells = vec![Vec::new(); self.names.len()];
        for (cell, &sample) in self.of_cell.iter().enumerate() {
            cells[sample as usize].push(cell);
        }
        cells
    }
}

/// A suggested limit of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// As [`Bound::name`].
    pub name: String,
    pub value: f64,
    /// Cells of the sample beyond it.
    pub cells_beyond: usize,
    #[serde(skip)]
    pub bound: Bound,
}

/// The suggested limits of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleLimits {
    /// `None` where the samples are not told apart.
    pub sample: Option<String>,
    pub cells: usize,
    pub limits: Vec<Limit>,
    /// Cells of the sample beyond any of them.
    pub cells_beyond: usize,
}

/// What limits are suggested, and how many cells they would leave out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limits {
    pub samples: Vec<SampleLimits>,
    /// Cells of all samples beyond any limit of theirs.
    pub cells_beyond: usize,
}

impl Limits {
    /// For each sample by itself, since samples differ in depth and in what the tissue went through.
    pub fn suggest(metrics: &Metrics, samples: &Samples) -> Limits {
        let of_sample = |(name, cells): (&Option<String>, Vec<usize>)| {
            let metrics = metrics.select(&cells);
            let limit = |bound: Bound| {
                let values = bound.values(&metrics)?;
                let value = bound.suggest(&values)?;
                let cells_beyond = values.iter().filter(|&&found| bound.excludes(found, value)).count();
                Some(Limit { name: bound.name(), value, cells_beyond, bound })
            };
            let limits: Vec<Limit> = Bound::SUGGESTED.into_par_iter().filter_map(limit).collect();
            let bounds: Vec<(Bound, f64)> = limits.iter().map(|limit| (limit.bound, limit.value)).collect();
            let cells_beyond = beyond(&metrics, &bounds).into_iter().filter(|&beyond| beyond).count();
            SampleLimits { sample: name.clone(), cells: cells.len(), limits, cells_beyond }
        };
        let samples: Vec<SampleLimits> = samples.names.iter().zip(samples.cells()).map(of_sample).collect();
        let cells_beyond = samples.iter().map(|sample| sample.cells_beyond).sum();
        Limits { samples, cells_beyond }
    }
}

/// For each cell, whether any bound excludes it.
fn beyond(metrics: &Metrics, bounds: &[(Bound, f64)]) -> Vec<bool> {
    let mut beyond = vec![false; metrics.counts.len()];
    for &(bound, limit) in bounds {
        for (beyond, value) in beyond.iter_mut().zip(bound.values(metrics).unwrap_or_default()) {
            *beyond |= bound.excludes(value, limit);
        }
    }
    beyond
}

/// Which cells the person wants left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// The suggested limits, where no other is given.
    pub suggested: bool,
    pub bounds: Vec<(Bound, f64)>,
}

impl Filter {
    /// Reads `suggested`, `min_counts=500,max_percent_mt=10`, or both together.
    ///
    /// # Errors
    /// A limit that is not known, or no number.
    pub fn parse(text: &str) -> Result<Filter> {
        let mut filter = Filter::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == "suggested" {
                filter.suggested = true;
                continue;
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(bound) = Bound::all().find(|bound| bound.name() == name.trim()) else {
                let known: Vec<String> = Bound::all().map(Bound::name).collect();
                return Err(Error::usage(format!(
                    "There is no limit '{}'. The limits are: suggested, {}.",
                    name.trim(),
                    known.join(", ")
                )));
            };
            let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
            let Some(number) = number else {
                return Err(Error::usage(format!(
                    "The limit {name} takes a number of 0 or more, as in '{name}=10', not '{value}'."
                )));
            };
            filter.bounds.retain(|(known, _)| *known != bound);
            filter.bounds.push((bound, number));
        }
        Ok(filter)
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        !self.suggested && self.bounds.is_empty()
    }

    /// For each cell whether it is left out, and how many cells each bound excludes.
    pub fn apply(&self, metrics: &Metrics, samples: &Samples, limits: &Limits) -> (Vec<bool>, Vec<(String, usize)>) {
        let mut left_out = vec![false; metrics.counts.len()];
        let mut reasons: Vec<(String, usize)> = Vec::new();
        for (suggested, cells) in limits.samples.iter().zip(samples.cells()) {
            let metrics = metrics.select(&cells);
            for (bound, limit) in self.bounds_of(suggested) {
                let excluded = beyond(&metrics, &[(bound, limit)]);
                cells.iter().zip(&excluded).for_each(|(&cell, excluded)| left_out[cell] |= excluded);
                let count = excluded.into_iter().filter(|&excluded| excluded).count();
                let name = bound.name();
                match reasons.iter_mut().find(|reason| reason.0 == name) {
                    Some(reason) => reason.1 += count,
                    None => reasons.push((name, count)),
                }
            }
        }
        (left_out, reasons)
    }

    fn bounds_of(&self, suggested: &SampleLimits) -> Vec<(Bound, f64)> {
        let mut bounds = self.bounds.clone();
        if self.suggested {
            let others = suggested.limits.iter().filter(|limit| !self.bounds.iter().any(|own| own.0 == limit.bound));
            bounds.extend(others.map(|limit| (limit.bound, limit.value)));
        }
        bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics {
            counts: vec![900.0, 1000.0, 1100.0, 1250.0, 800.0, 1050.0, 950.0, 90.0],
            features: vec![400, 500, 600, 550, 450, 520, 480, 40],
            percent_mt: Some(vec![2.0, 3.0, 4.0, 3.5, 2.5, 3.2, 2.8, 60.0]),
            percent_ribo: None,
            percent_hb: Some(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, f64::NAN]),
        }
    }

    #[test]
    fn limits_as_in_r() {
        let limits = Limits::suggest(&metrics(), &Samples::one(8));
        let [all] = limits.samples.as_slice() else { panic!("one sample") };
        let found: Vec<(&str, f64, usize)> =
            all.limits.iter().map(|limit| (limit.name.as_str(), limit.value, limit.cells_beyond)).collect();
        // In R: x <- log(counts); exp(median(x) - 3 * mad(x)), and median(x) + 3 * mad(x) of the percentages.
        let expected = [
            ("min_counts", 623.804_533_780_143, 1),
            ("min_features", 313.539_560_380_670, 1),
            ("max_percent_mt", 5.323_9, 1),
        ];
        assert_eq!(found.len(), expected.len(), "of haemoglobin most cells have none: {found:?}");
        for ((name, value, beyond), (expected_name, expected, expected_beyond)) in found.into_iter().zip(expected) {
            assert_eq!((name, beyond), (expected_name, expected_beyond));
            assert!((value - expected).abs() < 1e-9 * expected, "{name}: {value}");
        }
        assert_eq!((all.cells, all.cells_beyond, limits.cells_beyond), (8, 1, 1));
    }

    #[test]
    fn each_sample_has_its_own_limits() {
        let twice = |values: Vec<f64>, factor: f64| {
            values.iter().copied().chain(values.iter().map(|value| value * factor)).collect::<Vec<f64>>()
        };
        let one = metrics();
        let both = Metrics {
            counts: twice(one.counts.clone(), 100.0),
            features: one.features.iter().chain(&one.features).copied().collect(),
            percent_mt: None,
            percent_ribo: None,
            percent_hb: None,
        };
        let names = vec![Some("a".to_owned()), Some("b".to_owned())];
        let samples = Samples { names, of_cell: (0..16).map(|cell| u32::from(cell >= 8)).collect() };
        let limits = Limits::suggest(&both, &samples);
        let [a, b] = limits.samples.as_slice() else { panic!("two samples") };
        assert!((b.limits[0].value / a.limits[0].value - 100.0).abs() < 1e-9);
        assert_eq!((a.cells_beyond, b.cells_beyond, limits.cells_beyond), (1, 1, 2));
        let filter = Filter::parse("suggested, min_counts=1000").expect("a filter");
        let (left_out, reasons) = filter.apply(&both, &samples, &limits);
        let left_out: Vec<usize> = (0..16).filter(|&cell| left_out[cell]).collect();
        assert_eq!(left_out, [0, 4, 6, 7, 15]);
        assert_eq!(reasons, [("min_counts".to_owned(), 4), ("min_features".to_owned(), 2)]);
    }

    #[test]
    fn filters_are_read_and_values_that_are_not_known_stay() {
        let filter = Filter::parse("max_percent_hb=5,min_features=41,min_features=40").expect("a filter");
        let limits = Limits::suggest(&metrics(), &Samples::one(8));
        let (left_out, reasons) = filter.apply(&metrics(), &Samples::one(8), &limits);
        assert_eq!(left_out, [false, false, false, false, false, false, true, false]);
        assert_eq!(reasons, [("max_percent_hb".to_owned(), 1), ("min_features".to_owned(), 0)]);
        assert!(Filter::parse(" , ").expect("none").is_empty());
        let said = |text: &str| Filter::parse(text).err().map(|error| error.message).unwrap_or_default();
        assert_eq!(
            said("max_mt=5"),
            "There is no limit 'max_mt'. The limits are: suggested, min_counts, max_counts, min_features, max_features, \
             min_percent_mt, max_percent_mt, min_percent_ribo, max_percent_ribo, min_percent_hb, max_percent_hb."
        );
        assert_eq!(
            said("max_percent_mt=a few"),
            "The limit max_percent_mt takes a number of 0 or more, as in 'max_percent_mt=10', not 'a few'."
        );
        assert!(said("min_counts").ends_with("not ''."));
    }
}
