//! `proteins.tsv` and `protein_markers.tsv`: what was imputed from the reference, not measured.

use super::{clean, put};
use crate::map::proteins::Imputed;
use crate::markers::{Marker, Markers};
use crate::query::Query;

/// The table is handed over in pieces of about so many bytes.
const PIECE: usize = 1 << 20;
/// Cells whose proteins are imputed at a time.
const CELLS: usize = 4096;

/// `cell`, then a column for each protein of the reference, in its order: the normalised values that reference cells like this
/// one have of it. The rows are those of `predictions.tsv`. It is handed to `write` in pieces, each of whole lines.
///
/// # Errors
/// Those of `write`.
///
/// # Source
/// Azimuth's `impADT`.
pub fn proteins<E>(
    query: &Query,
    imputed: &Imputed<'_>,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut piece = String::from("cell");
    imputed.names().iter().for_each(|name| put(&mut piece, format_args!("\t{}", clean(name))));
    piece.push('\n');
    let (cells, proteins) = (imputed.cells(), imputed.names().len());
    for start in (0..cells).step_by(CELLS) {
        let some = imputed.block(start..(start + CELLS).min(cells), 0..proteins);
        for (name, row) in query.cells[start..].iter().zip(some.rows()) {
            piece.push_str(&clean(name));
            row.iter().for_each(|value| put(&mut piece, format_args!("\t{value}")));
            piece.push('\n');
            if piece.len() >= PIECE {
                write(&piece)?;
                piece.clear();
            }
        }
    }
    write(&piece)
}

/// A line a protein of each group, in the order of the levels, the groups and falling `difference`: `level`, `type`,
/// `protein`, `auc`, `z`, `p`, `padj`, `difference` of the means, `mean_in`, `mean_out` (of normalised values), `cells` of the
/// group, `others` that they were compared with, and in `values` the word `imputed`. Imputed values are so smooth that ranks
/// tell types apart in proteins that hardly differ; so here, other than among genes, the difference orders. The share of cells
/// with some of a protein is left out: imputed values are hardly ever 0.
pub fn protein_markers(found: &[Markers], names: &[String]) -> String {
    let mut text =
        String::from("level\ttype\tprotein\tauc\tz\tp\tpadj\tdifference\tmean_in\tmean_out\tcells\tothers\tvalues\n");
    for (level, group) in found.iter().flat_map(|level| level.groups.iter().map(move |group| (level, group))) {
        let Ok(proteins) = &group.genes else { continue };
        let mut rows: Vec<(&String, &Marker)> = names.iter().zip(proteins).collect();
        // Names are different, so no two are equal.
        rows.sort_unstable_by(|a, b| b.1.difference().total_cmp(&a.1.difference()).then_with(|| a.0.cmp(b.0)));
        for (name, marker) in rows {
            let [auc, z, difference, mean_in, mean_out] =
                [marker.auc, marker.z, marker.difference(), marker.mean_in, marker.mean_out].map(|value| value as f32);
            put(
                &mut text,
                format_args!(
                    "{}\t{}\t{}\t{auc}\t{z}\t{:.6e}\t{:.6e}\t{difference}\t{mean_in}\t{mean_out}\t{}\t{}\timputed\n",
                    clean(&level.level),
                    clean(&group.group),
                    clean(name),
                    marker.p,
                    marker.p_adjusted,
                    group.cells,
                    group.others
                ),
            );
        }
    }
    text
}
