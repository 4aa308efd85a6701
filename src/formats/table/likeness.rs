//! Whether names are those of genes or of cells.

use super::super::gene_names::is_accession;
use crate::genes::strip_genome;

/// Genes that nearly every matrix has, in capitals: human, and mouse without regard to case.
const KNOWN: [&str; 60] = [
    "ACTB", "ACTG1", "B2M", "GAPDH", "MALAT1", "NEAT1", "EEF1A1", "EEF2", "TPT1", "UBC", "UBB", "UBA52", "FTL", "FTH1",
    "TMSB4X", "TMSB10", "PTMA", "HSP90AA1", "HSP90AB1", "HSPA8", "HSPA1A", "VIM", "LDHA", "LDHB", "ENO1", "PKM",
    "TUBA1B", "TUBB", "CFL1", "PFN1", "MYL6", "MYL12B", "S100A4", "S100A6", "LGALS1", "ANXA1", "ANXA2", "JUN", "FOS",
    "JUNB", "MKI67", "TOP2A", "PCNA", "EPCAM", "PTPRC", "PECAM1", "COL1A1", "COL1A2", "DCN", "LYZ", "NKG7", "GNLY",
    "MS4A1", "TP53", "MYC", "EGFR", "SOX2", "GFAP", "XIST", "INS",
];
/// Beginnings of families of genes, in capitals, which a digit follows; many genes have them.
const FAMILIES: [&str; 16] =
    ["RPL", "RPS", "ZNF", "LINC", "CD", "IGHV", "IGKV", "IGLV", "KRT", "OR", "SLC", "TMEM", "FAM", "GM", "CCL", "CXCL"];
/// Names that are looked at.
const LOOKED_AT: usize = 20_000;
/// So many known names are no chance.
const ENOUGH: usize = 3;

/// Whether names are those of genes: mostly accessions, or several of them well known.
pub fn are_genes(names: &[String]) -> bool {
    let step = (names.len() / LOOKED_AT).max(1);
    let sample: Vec<&String> = names.iter().step_by(step).collect();
    let known = sample.iter().filter(|name| is_gene(name)).count();
    known >= ENOUGH.max(sample.len() / 200) || (known > 0 && known * 4 >= sample.len())
}

/// Whether most names have a barcode in them.
pub fn are_barcodes(names: &[String]) -> bool {
    let step = (names.len() / LOOKED_AT).max(1);
    let sample: Vec<&String> = names.iter().step_by(step).collect();
    sample.iter().filter(|name| has_barcode(name)).count() * 2 > sample.len()
}

fn is_gene(name: &str) -> bool {
    let name = strip_genome(name).map_or(name, |(_, gene)| gene);
    let capitals = name.to_ascii_uppercase();
    let family =
        |start: &&str| capitals.strip_prefix(*start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_accession(name)
        || composite(name).is_some()
        || KNOWN.contains(&capitals.as_str())
        || capitals.starts_with("MT-")
        || capitals.starts_with("HLA-")
        || FAMILIES.iter().any(family)
}

/// Twelve bases or more, as barcodes of droplets have.
fn has_barcode(name: &str) -> bool {
    let bases = |run: &str| run.len() >= 12 && run.bytes().all(|base| b"ACGTN".contains(&base));
    name.split(|c: char| !c.is_ascii_alphabetic()).any(bases)
}

/// Id and symbol of a name that holds both: "TP53_ENSG00000141510", "ENSG00000141510|TP53".
pub fn composite(name: &str) -> Option<(String, String)> {
    for separator in ['|', ';', '_', ' ', ':'] {
        for (first, second) in [name.split_once(separator), name.rsplit_once(separator)].into_iter().flatten() {
            if first.is_empty() || second.is_empty() {
                continue;
            }
            if is_accession(first) && !is_accession(second) {
                return Some((first.to_owned(), second.to_owned()));
            }
            if is_accession(second) && !is_accession(first) {
                return Some((second.to_owned(), first.to_owned()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn genes_and_barcodes_are_known() {
        assert!(are_genes(&owned(&["ENSG00000141510", "ENSG00000111640"])));
        assert!(are_genes(&owned(&["Actb", "mt-Co1", "Xkr4", "Rpl7", "Sox17"])));
        assert!(are_genes(&owned(&["GRCh38_Xyz", "GRCh38_ACTB", "GRCh38_MT-CO1", "GRCh38_RPL7"])));
        assert!(!are_genes(&owned(&["cell_1", "cell_2", "S1_AAACCC"])));
        assert!(are_barcodes(&owned(&["AAACCCAAGGAGAGTA-1", "S1_AAACGCTTCAGC"])));
        assert!(!are_barcodes(&owned(&["ACTB", "GATTACA", "x"])));
        let pair = Some(("ENSG00000141510".to_owned(), "TP53".to_owned()));
        for name in ["TP53_ENSG00000141510", "ENSG00000141510|TP53", "ENSG00000141510_TP53"] {
            assert_eq!(composite(name), pair, "{name}");
        }
        assert_eq!(composite("HLA_A"), None);
    }
}
