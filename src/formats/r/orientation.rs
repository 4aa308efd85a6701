//! Which side of a matrix the cells are on, by the look of the names.

use super::texts::Texts;
use crate::formats::h5ad::mostly_accessions;
use std::sync::Arc;

/// Names that are looked at on each side.
const SAMPLE: usize = 1000;
/// A barcode has at least so many bases in a row.
const BARCODE: usize = 10;
/// Names of genes that every cell has, in whatever case.
const USUAL: [&str; 12] =
    ["ACTB", "B2M", "GAPDH", "MALAT1", "EEF1A1", "FTL", "FTH1", "TMSB4X", "UBC", "HSPA8", "TUBA1B", "YWHAZ"];

/// Whether the rows are cells, and not the columns as is the custom in R.
pub fn rows_are_cells([rows, columns]: &[Option<Arc<Texts>>; 2]) -> bool {
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return false;
    };
    match (share_of_barcodes(rows) > 0.5, share_of_barcodes(columns) > 0.5) {
        (true, false) => true,
        (false, true) => false,
        _ => evidence_of_genes(columns) > evidence_of_genes(rows),
    }
}

fn sample(names: &Texts) -> impl Iterator<Item = &str> {
    let step = (names.len() / SAMPLE).max(1);
    (0..names.len()).step_by(step).filter_map(|place| names.get(place))
}

fn share_of_barcodes(names: &Texts) -> f64 {
    let is_barcode =
        |name: &&str| name.split(|letter| !matches!(letter, 'A' | 'C' | 'G' | 'T')).any(|run| run.len() >= BARCODE);
    let count = sample(names).count();
    sample(names).filter(is_barcode).count() as f64 / count.max(1) as f64
}

fn evidence_of_genes(names: &Texts) -> usize {
    let accessions: Vec<String> = sample(names).map(str::to_owned).collect();
    if mostly_accessions(&accessions) {
        return usize::MAX;
    }
    let is_usual = |name: &&str| {
        let upper = name.to_ascii_uppercase();
        USUAL.contains(&upper.as_str()) || ["RPL", "RPS", "MT-"].iter().any(|start| upper.starts_with(start))
    };
    names.iter().flatten().filter(is_usual).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Option<Arc<Texts>> {
        let mut texts = Texts::default();
        names.iter().for_each(|name| texts.push(name));
        Some(Arc::new(texts))
    }

    #[test]
    fn names_tell_the_side_of_the_cells() {
        let barcodes = || texts(&["AAACATACAACCAC-1", "s2_AAACATTGAGCTACGG"]);
        let genes = || texts(&["Cd3e", "Actb", "Rpl13"]);
        let cells = || texts(&["cell1", "cell2"]);
        assert!(!rows_are_cells(&[genes(), barcodes()]));
        assert!(rows_are_cells(&[barcodes(), genes()]));
        assert!(rows_are_cells(&[cells(), genes()]));
        assert!(!rows_are_cells(&[genes(), cells()]));
        assert!(!rows_are_cells(&[cells(), cells()]));
        assert!(rows_are_cells(&[cells(), texts(&["ENSG00000141510", "ENSG00000141511"])]));
        assert!(!rows_are_cells(&[None, genes()]));
    }
}
