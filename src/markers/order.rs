//! In which order marker genes are shown.

use super::Marker;
use crate::formats::Feature;

/// The order of a table of marker genes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By falling z-score: first the genes that are higher in the group beyond doubt, last those that are lower. Among many
    /// cells the p-values of hundreds of genes are 0, z-scores still tell them apart. The AUC would put genes first that
    /// all cells have much of, such as those of ribosomes: what only the group has, and not each cell of it was seen to
    /// have, comes late there. A table that is cut short has genes above 0 only.
    ///
    /// # Source
    /// The order of scanpy's `rank_genes_groups`.
    Significance,
    /// By rising adjusted p-value, then by falling AUC, then as in the file; only genes with a higher mean in the group.
    ///
    /// # Source
    /// Azimuth's table of biomarkers (`RenderDiffExp`).
    Azimuth,
}

impl Order {
    /// Rows of the genes that are shown, in order; equal ones of ours by AUC and then by symbol. `most`: no more than so
    /// many.
    ///
    /// # Shapes
    /// `genes` and `features` have the same order.
    pub fn rank(self, genes: &[Marker], features: &[Feature], most: Option<usize>) -> Vec<u32> {
        let is_shown = |marker: &Marker| match self {
            Order::Significance => most.is_none() || marker.z > 0.0,
            Order::Azimuth => marker.difference() > 0.0,
        };
        let named = (0..).zip(genes.iter().zip(features)).filter(|(_, (marker, _))| is_shown(marker));
        let mut rows: Vec<(u32, &Marker, &str)> =
            named.map(|(row, (marker, feature))| (row, marker, feature.symbol.as_str())).collect();
        rows.sort_unstable_by(|a, b| {
            let by_auc = b.1.auc.total_cmp(&a.1.auc);
            let by_figures = match self {
                Order::Significance => b.1.z.total_cmp(&a.1.z).then(by_auc).then_with(|| a.2.cmp(b.2)),
                Order::Azimuth => a.1.p_adjusted.total_cmp(&b.1.p_adjusted).then(by_auc),
            };
            by_figures.then(a.0.cmp(&b.0))
        });
        rows.truncate(most.unwrap_or(rows.len()));
        rows.into_iter().map(|row| row.0).collect()
    }
}
