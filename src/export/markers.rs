//! The table of marker genes.

use super::{clean, put};
use crate::markers::{GroupMarkers, Marker, Markers, Options, Order};
use crate::query::Query;
use rayon::prelude::*;

/// What a table of marker genes shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkerTable {
    /// The columns follow it: ours, or those of presto.
    pub order: Order,
    /// No more genes than so many of each group; with our order only those higher in it. All of them where it is `None`.
    pub most: Option<usize>,
}

impl MarkerTable {
    /// Genes of each group that are shown unless another number is asked for.
    pub const MOST: usize = 100;
    /// And where the table is Azimuth's, as on its page.
    pub const MOST_OF_AZIMUTH: usize = 10;

    /// How groups are compared, and what is shown of them: `normalised` is ours, `azimuth` what Azimuth shows.
    pub fn of_method(name: &str) -> Option<(Options, MarkerTable)> {
        match name {
            "normalised" => Some((Options::default(), MarkerTable::default())),
            "azimuth" => {
                let table = MarkerTable { order: Order::Azimuth, most: Some(MarkerTable::MOST_OF_AZIMUTH) };
                Some((Options::azimuth(), table))
            }
            _ => None,
        }
    }
}

impl Default for MarkerTable {
    fn default() -> Self {
        MarkerTable { order: Order::Significance, most: Some(MarkerTable::MOST) }
    }
}

/// A line a gene of each group, in the order of the levels, the groups and [`MarkerTable::order`].
///
/// `level`, `type`, `gene`, `id`; then `auc`, `z`, `p`, `padj`, `log2fc`, `mean_in`, `mean_out` (counts per 10,000 of the
/// cell), `pct_in`, `pct_out` (0 to 100), or presto's `avgExpr`, `logFC` (a difference of means), `auc`, `pval`, `padj`,
/// `pct_in`, `pct_out`; then `cells` of the group, `others` that they were compared with, and in `genes` whether `all`
/// genes of the file were compared or those of the `reference` only.
///
/// # Shapes
/// `query` is the one that `found` was found in.
pub fn markers(found: &[Markers], query: &Query, table: &MarkerTable) -> String {
    let figures = match table.order {
        Order::Significance => "auc\tz\tp\tpadj\tlog2fc\tmean_in\tmean_out\tpct_in\tpct_out",
        Order::Azimuth => "avgExpr\tlogFC\tauc\tpval\tpadj\tpct_in\tpct_out",
    };
    let mut text = format!("level\ttype\tgene\tid\t{figures}\tcells\tothers\tgenes\n");
    let groups: Vec<(&str, &GroupMarkers)> =
        found.iter().flat_map(|level| level.groups.iter().map(|group| (level.level.as_str(), group))).collect();
    let parts: Vec<String> = groups.par_iter().map(|(level, group)| of_group(level, group, query, table)).collect();
    parts.iter().for_each(|part| text.push_str(part));
    text
}

fn of_group(level: &str, group: &GroupMarkers, query: &Query, table: &MarkerTable) -> String {
    let mut text = String::new();
    let Ok(genes) = &group.genes else { return text };
    let start = format!("{}\t{}", clean(level), clean(&group.group));
    let features = &query.features;
    let scope = if query.reference_genes_only { "reference" } else { "all" };
    let end = format!("{}\t{}\t{scope}", group.cells, group.others);
    for row in table.order.rank(genes, features, table.most) {
        let (Some(feature), Some(marker)) = (features.get(row as usize), genes.get(row as usize)) else { continue };
        let id = feature.id.as_deref().map(clean).unwrap_or_default();
        put(&mut text, format_args!("{start}\t{}\t{id}\t", clean(&feature.symbol)));
        figures(&mut text, marker, table.order);
        put(&mut text, format_args!("\t{end}\n"));
    }
    text
}

fn figures(text: &mut String, marker: &Marker, order: Order) {
    // Digits of single precision are plenty, but not its range: p-values of many cells are far below it.
    let [auc, percent_in, percent_out] = [marker.auc, marker.percent_in, marker.percent_out].map(|value| value as f32);
    let (p, adjusted) = (marker.p, marker.p_adjusted);
    match order {
        Order::Significance => {
            let [z, change, mean_in, mean_out] =
                [marker.z, marker.log2_fold_change(), marker.mean_in, marker.mean_out].map(|value| value as f32);
            put(text, format_args!("{auc}\t{z}\t{p:.6e}\t{adjusted:.6e}\t{change}\t{mean_in}\t{mean_out}"));
        }
        Order::Azimuth => {
            let [mean, change] = [marker.mean_in, marker.difference()].map(|value| value as f32);
            put(text, format_args!("{mean}\t{change}\t{auc}\t{p:.6e}\t{adjusted:.6e}"));
        }
    }
    put(text, format_args!("\t{percent_in}\t{percent_out}"));
}
