//! Marker proteins: which imputed proteins tell the cells of a group from other cells.

use super::blocks::ENTRIES;
use super::{Finding, Grouping, Markers, Options, Values};
use crate::map::proteins::Imputed;
use crate::matrix::Counts;
use crate::progress::Progress;

/// Compares each group of each grouping with the rest of it in every imputed protein: [`super::find_markers`] on values that
/// are 0 or more, as they are. Means, and their differences, are of the imputed values.
///
/// The values are means over reference cells that the labels came from too: markers are ranked by it, but a p-value is no
/// evidence.
///
/// # Shapes
/// The codes of each grouping have one entry for each cell. The proteins are imputed some at a time.
///
/// # Source
/// What Azimuth calls imputed protein biomarkers: presto's `wilcoxauc` on the imputed values.
pub fn find_protein_markers(
    imputed: &Imputed<'_>,
    groupings: &[Grouping],
    options: &Options,
    progress: &Progress<'_>,
) -> Vec<Markers> {
    let options = Options { values: Values::Counts, ..*options };
    let cells = imputed.cells();
    // Totals divide counts; these values are compared as they are.
    let totals = vec![1.0; cells];
    let mut finding = Finding::new(&totals, groupings, &options);
    let proteins = imputed.names().len();
    // An entry that is no whole number takes five times the bytes of a count.
    let at_once = (ENTRIES / 4 / cells.max(1)).max(1);
    for start in (0..proteins).step_by(at_once) {
        let some = imputed.block(0..cells, start..(start + at_once).min(proteins));
        let mut values = Counts::with_genes(some.ncols());
        for row in some.rows() {
            values.push_row((0u32..).zip(row.iter().copied()));
        }
        let report = |stage: &str, share: f64| {
            progress.report(stage, (start as f64 + share * some.ncols() as f64) / proteins as f64);
        };
        finding.add(&values, &Progress::new(&report));
    }
    finding.finish()
}
