//! Cells of low quality and doublets: what should not stand in a reference. None is left out unasked.

use super::{Embedded, Options, features, held_out::column};
use crate::doublets::{self, doublet_scores};
use crate::error::{Error, Result, Warning};
use crate::formats::{Column, Dataset, grouped};
use crate::genes::{Fate, GeneMatch, Route};
use crate::map::Query;
use crate::progress::Progress;
use crate::qc::{Filter, Limits, Samples, metrics};

/// Which sample each cell is of: as a column says, or all of one.
///
/// # Errors
/// There is no such column.
pub fn samples(metadata: &[(String, Column)], wanted: Option<&str>, cells: usize) -> Result<Samples> {
    match wanted {
        Some(name) => Ok(Samples::by(column(metadata, name, "tell samples apart by")?, cells)),
        None => Ok(Samples::one(cells)),
    }
}

/// The cells within the limits, and what is to be said of the others.
///
/// # Errors
/// No cell is left.
pub fn within_limits(dataset: &Dataset, samples: &Samples, filter: &Filter) -> Result<(Vec<usize>, Option<Warning>)> {
    let all = dataset.cells.len();
    let metrics = metrics(&dataset.counts, &dataset.features);
    let (excluded, reasons) = filter.apply(&metrics, samples, &Limits::suggest(&metrics, samples));
    let kept: Vec<usize> = (0..all).filter(|&cell| !excluded[cell]).collect();
    let reasons: Vec<String> =
        reasons.into_iter().map(|(name, cells)| format!("{} by {name}", grouped(cells as f64))).collect();
    let reasons = reasons.join(", ");
    if kept.is_empty() {
        return Err(Error::input(format!(
            "None of the {} cells lies within the limits ({reasons}). Choose wider limits.",
            grouped(all as f64)
        )));
    }
    let warning = (kept.len() < all).then(|| {
        Warning::new(
            "filtered",
            format!(
                "{} of the {} cells lie beyond the limits on quality{} and are left out, as asked for: {reasons}.",
                grouped((all - kept.len()) as f64),
                grouped(all as f64),
                of_samples(samples)
            ),
        )
    });
    Ok((kept, warning))
}

/// The cells whose doublet score is not above `most`, and what is to be said of the others.
///
/// The reference is embedded once with all its cells, and doublets are simulated there as they are for a query
/// ([`doublet_scores`]); the reference itself is then made without those that are left out.
///
/// # Errors
/// Those of the embedding; no cell is left.
pub fn no_doublets(
    dataset: &Dataset,
    samples: &Samples,
    most: f64,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<(Vec<usize>, Option<Warning>)> {
    let scores = scores(dataset, samples, options, progress)?;
    let all = scores.len();
    let kept: Vec<usize> = (0..all).filter(|&cell| f64::from(scores[cell]) <= most).collect();
    if kept.is_empty() {
        return Err(Error::input(format!(
            "All {} cells have a doublet score above {most}. Choose a higher one.",
            grouped(all as f64)
        )));
    }
    let warning = (kept.len() < all).then(|| {
        Warning::new(
            "doublets_left_out",
            format!(
                "{} of the {} cells have a doublet score above {most}{} and are left out, as asked for (simulated doublets among \
                 the neighbours in {} principal components, as Scrublet).",
                grouped((all - kept.len()) as f64),
                grouped(all as f64),
                of_samples(samples),
                options.dimensions
            ),
        )
    });
    Ok((kept, warning))
}

/// The doublet score of each cell in the embedding of all of them.
fn scores(dataset: &Dataset, samples: &Samples, options: &Options, progress: &Progress<'_>) -> Result<Vec<f32>> {
    let depths = features::depths(&dataset.counts)?;
    let embedded = Embedded::of(dataset, &depths, None, options, progress)?;
    let mut fates = vec![Fate::NotFound; dataset.features.len()];
    for (feature, &gene) in embedded.genes.iter().enumerate() {
        fates[gene] = Fate::Matched(feature as u32, Route::Id);
    }
    let genes = GeneMatch::of(fates, embedded.genes.len());
    let totals: Vec<f64> = (0..dataset.counts.cells())
        .map(|cell| dataset.counts.row(cell).fold(0.0, |sum, (_, count)| sum + f64::from(count)))
        .collect();
    let query = Query { counts: &dataset.counts, totals: &totals, names: &dataset.cells, genes: &genes };
    let reference = embedded.without_cells(dataset)?;
    Ok(doublet_scores(&query, &reference, samples, &doublets::Options::default(), progress))
}

fn of_samples(samples: &Samples) -> String {
    match samples.names.len() {
        0 | 1 => String::new(),
        several => format!(" ({several} samples, each by itself)"),
    }
}
