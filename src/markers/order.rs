//! In which order marker genes are shown.

use super::Marker;
use crate::formats::Feature;

/// The order of a table of marker genes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By falling AUC: first the genes that tell the group best by being higher in it. p-values do not order: among many
    /// cells they are 0 for hundreds of genes. A table that is cut short has genes with an AUC above 0.5 only.
    Auc,
    /// By rising adjusted p-value, then by falling AUC; only genes with a higher mean in the group.
    ///
    /// # Source
    /// Azimuth's table of biomarkers (`RenderDiffExp`).
    Azimuth,
}

impl Order {
    /// Rows of the genes that are shown, in order; equal ones by symbol. `most`: no more than so many.
    ///
    /// # Shapes
    /// `genes` and `features` have the same order.
    pub fn rank(self, genes: &[Marker], features: &[Feature], most: Option<usize>) -> Vec<u32> {
        let is_shown = |marker: &Marker| match self {
            Order::Auc => most.is_none() || marker.auc > 0.5,
            Order::Azimuth => marker.difference() > 0.0,
        };
        let named = (0..).zip(genes.iter().zip(features)).filter(|(_, (marker, _))| is_shown(marker));
        let mut rows: Vec<(u32, &Marker, &str)> =
            named.map(|(row, (marker, feature))| (row, marker, feature.symbol.as_str())).collect();
        rows.sort_unstable_by(|a, b| {
            let by_auc = b.1.auc.total_cmp(&a.1.auc);
            let first = match self {
                Order::Auc => by_auc,
                Order::Azimuth => a.1.p_adjusted.total_cmp(&b.1.p_adjusted).then(by_auc),
            };
            first.then_with(|| a.2.cmp(b.2)).then(a.0.cmp(&b.0))
        });
        rows.truncate(most.unwrap_or(rows.len()));
        rows.into_iter().map(|row| row.0).collect()
    }
}
