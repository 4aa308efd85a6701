//! `--per-sample` and `--doublets` of `sextant map`.

use crate::Failure;
use crate::arguments::Arguments;
use serde::Serialize;
use sextant::Result;
use sextant::doublets::doublet_scores;
use sextant::map::samples::{self, SampleOutcome};
use sextant::map::{self, Mapping};
use sextant::progress::Progress;
use sextant::qc::{Samples, median};
use sextant::reference::Reference;

/// What was asked for.
pub struct Wish {
    per_sample: bool,
    doublets: bool,
}

/// The figures of `summary.json`.
#[derive(Serialize)]
pub struct DoubletSummary {
    median_score: Option<f64>,
    highest_score: Option<f64>,
}

impl Wish {
    pub const OPTIONS: [&str; 2] = ["filter", "samples"];
    pub const FLAGS: [&str; 3] = ["all-scores", "per-sample", "doublets"];

    pub fn of(arguments: &Arguments) -> std::result::Result<Self, Failure> {
        let flags = ["per-sample", "doublets", "all-scores"];
        let needs = flags.into_iter().find(|flag| arguments.flag(flag));
        if let (Some(flag), Some(_)) = (needs, arguments.value("batch")) {
            return Err(Failure::usage(format!("--{flag} needs what --batch drops: leave one of them out.")));
        }
        Ok(Wish { per_sample: arguments.flag("per-sample"), doublets: arguments.flag("doublets") })
    }

    /// The mapping, and how each sample came out by itself; none where all were mapped together.
    ///
    /// # Errors
    /// As [`map::map`]; or nothing tells samples apart.
    pub fn map(
        &self,
        query: &map::Query<'_>,
        reference: &Reference,
        options: &map::Options,
        samples: &Samples,
        progress: &Progress<'_>,
    ) -> std::result::Result<(Mapping, Vec<SampleOutcome>), Failure> {
        if !self.per_sample {
            let mapping: Result<Mapping> = map::map(query, reference, options, progress);
            return Ok((mapping?, Vec::new()));
        }
        if samples.names.len() < 2 {
            return Err(Failure::usage(
                "--per-sample needs two samples: name the column of the table of cells that tells them apart with --samples \
                 COLUMN, or give a file for each.",
            ));
        }
        Ok(samples::map_samples(query, reference, options, samples, progress)?)
    }

    /// The doublet scores and their figures.
    pub fn doublets(
        &self,
        query: &map::Query<'_>,
        reference: &Reference,
        samples: &Samples,
        progress: &Progress<'_>,
    ) -> Option<(Vec<f32>, DoubletSummary)> {
        let scores = self.doublets.then(|| doublet_scores(query, reference, samples, &Default::default(), progress))?;
        let all: Vec<f64> = scores.iter().copied().map(f64::from).collect();
        let highest_score = all.iter().copied().reduce(f64::max);
        Some((scores, DoubletSummary { median_score: median(&all), highest_score }))
    }
}
