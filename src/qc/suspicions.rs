//! What a file shows while it is read that a person should know before trusting labels.

use super::{GeneSet, MetricsOfSlabs, Signatures};
use crate::error::Warning;
use crate::formats::{Feature, Observer, grouped};
use crate::genes::Name;
use crate::matrix::Counts;
use rayon::prelude::*;

/// A file with more genes was hardly filtered to variable ones.
const FEW_GENES: usize = 10_000;
/// Genes that nearly every cell expresses, human and mouse (the same but for capitals).
const HOUSEKEEPING: [&str; 12] =
    ["ACTB", "GAPDH", "B2M", "EEF1A1", "RPLP0", "RPL13A", "RPS18", "TMSB4X", "MALAT1", "PPIA", "UBC", "TPT1"];
/// The first of them by Ensembl id: human, then mouse.
const HOUSEKEEPING_IDS: [&str; 8] = [
    "ENSG00000075624",
    "ENSG00000111640",
    "ENSG00000166710",
    "ENSG00000156508",
    "ENSMUSG00000029580",
    "ENSMUSG00000057666",
    "ENSMUSG00000060802",
    "ENSMUSG00000037742",
];
/// Cells with fewer genes may be equal by chance.
const TELLING_GENES: usize = 50;

/// The metrics of every cell, and what looks wrong.
#[derive(Default)]
pub struct Look {
    pub metrics: MetricsOfSlabs,
    pub signatures: Signatures,
    /// For each cell a hash of its counts, 0 for cells that are equal easily.
    hashes: Vec<u64>,
    /// Cells of the samples that are complete.
    complete: usize,
    /// Genes of the sample with the most, and whether any sample has genes that all cells express.
    genes: usize,
    everyday_genes: bool,
}

impl Observer for Look {
    fn begin(&mut self, features: &[Feature]) {
        self.metrics.begin(features);
        self.signatures.begin(features);
        self.hashes.truncate(self.complete);
        self.genes = self.genes.max(features.len());
        self.everyday_genes |= features.iter().any(is_everyday);
    }

    fn slab(&mut self, slab: &Counts) {
        self.metrics.slab(slab);
        self.signatures.slab(slab);
        let hashes: Vec<u64> = (0..slab.cells()).into_par_iter().map(|cell| hash(slab, cell)).collect();
        self.hashes.extend(hashes);
    }

    fn end(&mut self) {
        self.metrics.end();
        self.signatures.end();
        self.complete = self.hashes.len();
    }
}

impl Look {
    /// What there is to say; `cells` are the names of all cells that passed by, in their order.
    pub fn warnings(&self, cells: &[String]) -> Vec<Warning> {
        let filtered = (self.genes < FEW_GENES && !self.everyday_genes).then(|| {
            Warning::new(
                "gene_filtered",
                format!(
                    "The file has {} genes, none of them mitochondrial and none that nearly every cell expresses (ACTB, \
                     GAPDH, B2M and others): it looks filtered to some genes. The depth of a cell is then taken too low and \
                     labels are less certain; load the file with all genes where there is one.",
                    grouped(self.genes as f64)
                ),
            )
        });
        let mut warnings = Vec::from_iter(filtered);
        warnings.extend(bins(cells));
        warnings.extend(self.repeated(cells));
        warnings
    }

    /// Cells with the same counts under different names.
    fn repeated(&self, cells: &[String]) -> Option<Warning> {
        let mut order: Vec<(u64, usize)> =
            self.hashes.iter().copied().zip(0..).filter(|(hash, _)| *hash != 0).collect();
        order.par_sort_unstable();
        let groups = order.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
        let (mut repeated, mut first) = (0, None);
        for group in groups {
            repeated += group.len() - 1;
            // The pair that comes first in the file is named.
            let pair = (group[0].1, group[1].1);
            first = first.filter(|&known| known < pair).or(Some(pair));
        }
        let (a, b) = first?;
        let (a, b) = (cells.get(a)?, cells.get(b)?);
        Some(Warning::new(
            "repeated_cells",
            format!(
                "{} of the {} cells have exactly the counts of another cell under another name (\"{a}\" and \"{b}\" are a \
                 pair): the file seems to hold cells twice. They are mapped all the same, and counted twice.",
                grouped(repeated as f64),
                grouped(cells.len() as f64)
            ),
        ))
    }
}

/// In 64 bits on every machine, so that unequal cells hardly ever meet.
fn hash(slab: &Counts, cell: usize) -> u64 {
    let (mut hash, mut genes) = (0u64, 0);
    for (gene, count) in slab.row(cell) {
        let entry = u64::from(gene) << 32 | u64::from(count.to_bits());
        hash = (hash.rotate_left(5) ^ entry).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
        genes += 1;
    }
    if genes < TELLING_GENES { 0 } else { hash.max(1) }
}

fn is_everyday(feature: &Feature) -> bool {
    let name = Name::of(feature);
    let by_symbol = name
        .symbol
        .as_deref()
        .is_some_and(|symbol| HOUSEKEEPING.iter().any(|known| symbol.eq_ignore_ascii_case(known)));
    by_symbol || GeneSet::Mitochondrial.has(feature) || name.id.is_some_and(|id| HOUSEKEEPING_IDS.contains(&id))
}

/// Visium HD names its bins `s_008um_00269_00526-1`; the name of a sample may stand in front.
fn bins(cells: &[String]) -> Option<Warning> {
    let size = |name: &String| -> Option<u32> {
        let (before, place) = name.rsplit_once("um_")?;
        let (sample, size) = before.rsplit_once("s_")?;
        if !sample.is_empty() && !sample.ends_with(['_', '-', '#', ':']) {
            return None;
        }
        let is_place = place.split(['_', '-']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if size.len() == 3 && is_place { size.parse().ok() } else { None }
    };
    let sized = cells.iter().filter(|name| size(name).is_some()).count();
    let size = cells.iter().find_map(size).filter(|_| sized * 2 > cells.len())?;
    Some(Warning::new(
        "visium_hd_bins",
        format!(
            "The barcodes are those of Visium HD: each is a bin of {size} µm on a slide, not a cell, and may hold parts of \
             several cells or of one. Labels say what is most of a bin; bins of segmented cells are better where there are \
             any."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(names: &[&str]) -> Vec<Feature> {
        names.iter().map(|name| Feature { id: None, symbol: (*name).into() }).collect()
    }

    fn names(cells: usize) -> Vec<String> {
        (0..cells).map(|cell| format!("cell{cell}")).collect()
    }

    fn said(look: &Look, cells: &[String]) -> Vec<(&'static str, String)> {
        look.warnings(cells).into_iter().map(|warning| (warning.code, warning.message)).collect()
    }

    #[test]
    fn files_of_variable_genes_are_told() {
        let mut look = Look::default();
        look.begin(&features(&["CD3E", "MS4A1", "LYZ"]));
        look.end();
        assert_eq!(
            said(&look, &[]),
            [(
                "gene_filtered",
                "The file has 3 genes, none of them mitochondrial and none that nearly every cell expresses (ACTB, GAPDH, \
                 B2M and others): it looks filtered to some genes. The depth of a cell is then taken too low and labels \
                 are less certain; load the file with all genes where there is one."
                    .to_owned()
            )]
        );
        for everyday in ["ACTB", "Actb", "mt-Nd1", "GRCh38_GAPDH", "ENSG00000075624.19", "ENSMUSG00000029580"] {
            let mut look = Look::default();
            look.begin(&features(&["CD3E", everyday]));
            assert!(said(&look, &[]).is_empty(), "{everyday}");
        }
    }

    #[test]
    fn equal_cells_are_told() {
        let mut counts = Counts::with_genes(100);
        for cell in [1, 2, 1, 3, 2, 1] {
            counts.push_row((0..60).map(|gene| (gene, (gene % 7 + cell) as f32)));
        }
        // Equal by chance: few genes.
        counts.push_row([(0, 1.0)]);
        counts.push_row([(0, 1.0)]);
        let mut look = Look::default();
        look.begin(&features(&["ACTB"; 100]));
        look.slab(&counts);
        look.begin(&features(&["ACTB"; 100]));
        look.slab(&counts);
        look.end();
        assert_eq!(
            said(&look, &names(8)),
            [(
                "repeated_cells",
                "3 of the 8 cells have exactly the counts of another cell under another name (\"cell0\" and \"cell2\" are a \
                 pair): the file seems to hold cells twice. They are mapped all the same, and counted twice."
                    .to_owned()
            )]
        );
    }

    #[test]
    fn bins_of_a_slide_are_told() {
        let bin = |place: u32| format!("s_008um_00269_{place:05}-1");
        let cells: Vec<String> = (0..5).map(bin).collect();
        assert_eq!(
            bins(&cells).map(|warning| (warning.code, warning.message)),
            Some((
                "visium_hd_bins",
                "The barcodes are those of Visium HD: each is a bin of 8 µm on a slide, not a cell, and may hold parts of \
                 several cells or of one. Labels say what is most of a bin; bins of segmented cells are better where \
                 there are any."
                    .to_owned()
            ))
        );
        assert_eq!(bins(&names(5)), None);
        assert_eq!(bins(&["s_um_".to_owned(), "s_008um_".to_owned(), "s_8um_1".to_owned()]), None);
        assert_eq!(bins(&[]), None);
    }
}
