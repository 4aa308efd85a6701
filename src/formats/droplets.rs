//! Unfiltered files of droplets: millions of barcodes, most of them of droplets without a cell.

use serde::Serialize;

/// Barcodes with fewer counts are never cells: they are counted while a file is read, and not kept. (The limit below
/// which EmptyDrops takes a droplet for empty; Lun et al. 2019, doi:10.1186/s13059-019-1662-y.)
pub const LOWER: f64 = 100.0;
/// Files with fewer barcodes are kept whole.
const MANY_BARCODES: usize = 20_000;
/// A panel of few genes has few counts in a cell as well.
const MANY_GENES: usize = 1_000;
/// Entries of a barcode, in the mean over the file, below which most of them are thought to be empty.
const FEW_ENTRIES: f64 = 100.0;
/// Points of the curve of ranked barcodes.
const POINTS: usize = 200;

/// The barcodes of an unfiltered file, by their total counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Droplets {
    /// All barcodes of the file.
    pub barcodes: usize,
    /// Those with at least `LOWER` counts, which were read.
    pub read: usize,
    /// The total from which on a barcode is taken for a cell unless the person says otherwise.
    pub suggested: f64,
    /// Barcodes with at least that total.
    pub cells: usize,
    /// Rank and total at ranks that are evenly spread on a logarithmic scale, for the plot.
    pub curve: Vec<[f64; 2]>,
}

/// Whether a matrix looks unfiltered before it is read. Whether it is, [`Droplets::of`] tells.
pub fn suspected(shape: [usize; 2], nonzeros: Option<u64>) -> bool {
    let [cells, genes] = shape;
    cells >= MANY_BARCODES
        && genes >= MANY_GENES
        && nonzeros.is_some_and(|nonzeros| (nonzeros as f64) < FEW_ENTRIES * cells as f64)
}

impl Droplets {
    /// Ranks the barcodes; `None` when most of them have the counts of cells, so that the file is only shallow.
    pub fn of(mut totals: Vec<f32>) -> Option<Droplets> {
        totals.sort_unstable_by(|a, b| b.total_cmp(a));
        let read = totals.partition_point(|&total| f64::from(total) >= LOWER);
        if read * 2 > totals.len() || read == 0 {
            return None;
        }
        let suggested = threshold(&totals[..read]);
        Some(Droplets {
            barcodes: totals.len(),
            read,
            suggested,
            cells: totals.partition_point(|&total| f64::from(total) >= suggested),
            curve: curve(&totals),
        })
    }
}

/// A tenth of the 99th percentile of the largest N totals, N being the number of cells that this rule itself finds:
/// the N with the least (found - N)² / N.
///
/// # Source
/// The first step of Cell Ranger's cell calling ("OrdMag", 10x Genomics' description of the algorithm), without its
/// resampling. Its second step, which finds cells of little RNA by their profile, is not done.
fn threshold(descending: &[f32]) -> f64 {
    let at = |cells: usize| {
        let baseline = descending[(cells / 100).min(descending.len() - 1)];
        libm::round(f64::from(baseline) / 10.0).max(LOWER)
    };
    let mut best = (f64::INFINITY, LOWER);
    let mut cells = 10.0_f64;
    while cells <= descending.len() as f64 {
        let expected = cells as usize;
        let cut = at(expected);
        let found = descending.partition_point(|&total| f64::from(total) >= cut) as f64;
        let loss = (found - expected as f64) * (found - expected as f64) / expected as f64;
        if loss < best.0 {
            best = (loss, cut);
        }
        cells = (cells * 1.02).max(cells + 1.0);
    }
    best.1
}

fn curve(descending: &[f32]) -> Vec<[f64; 2]> {
    let most = libm::log(descending.len() as f64);
    let mut ranks: Vec<usize> =
        (0..POINTS).map(|point| libm::exp(most * point as f64 / (POINTS - 1) as f64) as usize).collect();
    ranks.dedup();
    let value = |rank: usize| descending.get(rank.max(1) - 1).map(|&total| [rank.max(1) as f64, f64::from(total)]);
    ranks.into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_from_empty_droplets() {
        // 3,000 cells of 2,000 to 20,000 counts, 4,000 droplets of 100 to 300, 40,000 of 0 to 20.
        let cells = (0..3_000).map(|cell| 2_000.0 + (cell * 6) as f32);
        let ambient = (0..4_000).map(|droplet| 100.0 + (droplet % 200) as f32);
        let empty = (0..40_000).map(|droplet| (droplet % 21) as f32);
        let droplets = Droplets::of(cells.chain(ambient).chain(empty).collect()).expect("droplets");
        assert_eq!((droplets.barcodes, droplets.read, droplets.cells), (47_000, 7_000, 3_000));
        assert!((300.0..=2_000.0).contains(&droplets.suggested), "{}", droplets.suggested);
        assert_eq!(droplets.curve[0], [1.0, 19_994.0]);
        assert!(droplets.curve.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] >= pair[1][1]));
    }

    #[test]
    fn a_shallow_file_is_not_a_file_of_droplets() {
        assert_eq!(Droplets::of((0..30_000).map(|cell| 90.0 + (cell % 100) as f32).collect()), None);
        assert_eq!(Droplets::of(vec![3.0; 30_000]), None);
        assert!(suspected([737_280, 33_538], Some(5_000_000)));
        assert!(!suspected([737_280, 300], Some(5_000_000)));
        assert!(!suspected([2_700, 33_538], Some(100_000)));
        assert!(!suspected([737_280, 33_538], None));
    }
}
