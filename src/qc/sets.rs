//! Sets of genes that tell of a cell's quality, by symbol and by Ensembl id.

use crate::formats::Feature;
use crate::genes::{Name, Species};

/// A set of genes whose share of a cell's counts is a figure of quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneSet {
    /// Genes of the mitochondrion: a cell that leaks keeps them longest.
    Mitochondrial,
    /// Proteins of the ribosome, with their paralogues. Kinases (RPS6K), pseudogenes, antisense and readthrough
    /// transcripts are none.
    Ribosomal,
    /// Haemoglobin: red blood cells, and what leaked from them.
    Haemoglobin,
}

impl GeneSet {
    /// In the order of the columns of the quality table.
    pub const ALL: [GeneSet; 3] = [GeneSet::Mitochondrial, GeneSet::Ribosomal, GeneSet::Haemoglobin];

    /// The column with its share of each cell's counts.
    pub fn column(self) -> &'static str {
        match self {
            GeneSet::Mitochondrial => "percent_mt",
            GeneSet::Ribosomal => "percent_ribo",
            GeneSet::Haemoglobin => "percent_hb",
        }
    }

    /// By symbol or by Ensembl id, whichever tells; a genome in front of either does not matter.
    pub fn has(self, feature: &Feature) -> bool {
        self.has_name(&Name::of(feature))
    }

    pub(super) fn has_name(self, name: &Name<'_>) -> bool {
        name.symbol.as_deref().is_some_and(|symbol| self.has_symbol(symbol))
            || name.id.is_some_and(|id| self.has_id(id))
    }

    /// Symbols are written with `-` for `_`.
    fn has_symbol(self, symbol: &str) -> bool {
        match self {
            GeneSet::Mitochondrial => symbol.starts_with("MT-") || symbol.starts_with("mt-"),
            GeneSet::Ribosomal => is_ribosomal_symbol(symbol),
            GeneSet::Haemoglobin => is_haemoglobin_symbol(symbol),
        }
    }

    fn has_id(self, id: &str) -> bool {
        let Some(species) = Species::of_id(id) else { return false };
        let Some(number) = species.number(id) else { return false };
        match (self, species) {
            (GeneSet::Mitochondrial, Species::Human) => MITOCHONDRIAL_HUMAN.binary_search(&number).is_ok(),
            (GeneSet::Mitochondrial, Species::Mouse) => {
                number == 65_947 || (number != 64_362 && MITOCHONDRIAL_MOUSE.contains(&number))
            }
            (GeneSet::Ribosomal, Species::Human) => RIBOSOMAL_HUMAN.binary_search(&number).is_ok(),
            (GeneSet::Ribosomal, Species::Mouse) => RIBOSOMAL_MOUSE.binary_search(&number).is_ok(),
            (GeneSet::Haemoglobin, Species::Human) => HAEMOGLOBIN_HUMAN.binary_search(&number).is_ok(),
            (GeneSet::Haemoglobin, Species::Mouse) => HAEMOGLOBIN_MOUSE.binary_search(&number).is_ok(),
        }
    }
}

/// What follows the number of a ribosomal protein in the symbols of its paralogues; `RT` is a retrogene of mouse.
const PARALOGUES: [&str; 12] = ["", "A", "X", "L", "L1", "Y", "Y1", "Y2", "AL", "A1", "A2", "A3"];

/// RPS2, RPL36AL, RPSA, RPLP0, Rps3a1; not RPS6KA1, RPS19BP1, RPL13AP5, RPS10-NUDT3, Rps4l-ps.
fn is_ribosomal_symbol(symbol: &str) -> bool {
    // Longer ones are none, and most symbols end here without being copied.
    if symbol.len() > 8 || !symbol.is_ascii() || !symbol.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("RP"))
    {
        return false;
    }
    let upper = symbol.to_ascii_uppercase();
    let upper = upper.strip_suffix("RT").unwrap_or(&upper);
    let (rest, others): (&str, &[&str]) = match (upper.strip_prefix("RPS"), upper.strip_prefix("RPL")) {
        (Some(rest), _) => (rest, &["A", "A2"]),
        (_, Some(rest)) => (rest, &["P0", "P1", "P2"]),
        _ => return false,
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    others.contains(&rest) || ((1..=2).contains(&digits) && PARALOGUES.contains(&&rest[digits..]))
}

/// In human as they are, in mouse the loci `Hba-` and `Hbb-` and the theta chains; not HBP1, HBEGF, HBS1L, nor
/// pseudogenes.
fn is_haemoglobin_symbol(symbol: &str) -> bool {
    const HUMAN: [&str; 12] =
        ["HBA1", "HBA2", "HBB", "HBD", "HBE1", "HBG1", "HBG2", "HBM", "HBQ1", "HBQ1A", "HBQ1B", "HBZ"];
    let of_mouse = (symbol.starts_with("Hba-") || symbol.starts_with("Hbb-")) && !symbol.contains("-ps");
    of_mouse || HUMAN.iter().any(|known| symbol.eq_ignore_ascii_case(known))
}

/// The 37 genes of the mitochondrion by the numbers in their Ensembl ids, human (ENSG) and mouse (ENSMUSG): where a
/// file has ids only, these are the genes whose symbols begin with `MT-` and `mt-`.
///
/// # Source
/// Ensembl, genes of the chromosome MT in GRCh38 and GRCm39.
const MITOCHONDRIAL_HUMAN: [u32; 37] = [
    198695, 198712, 198727, 198763, 198786, 198804, 198840, 198886, 198888, 198899, 198938, 209082, 210049, 210077,
    210082, 210100, 210107, 210112, 210117, 210127, 210135, 210140, 210144, 210151, 210154, 210156, 210164, 210174,
    210176, 210184, 210191, 210194, 210195, 210196, 211459, 212907, 228253,
];
/// All from 64336 to 64372 but 64362, which is 65947.
const MITOCHONDRIAL_MOUSE: std::ops::RangeInclusive<u32> = 64_336..=64_372;

/// The genes whose symbols tell that they are of the set, by the numbers in their Ensembl ids, also of alternate loci.
///
/// # Source
/// Version 1 of the table of gene names (`references/genes`), which a test compares.
const RIBOSOMAL_HUMAN: [u32; 108] = [
    8988, 37241, 63177, 71082, 83845, 89009, 89157, 96150, 100316, 105193, 105372, 105640, 108107, 108298, 109475,
    110700, 112306, 114391, 115268, 116251, 118181, 122026, 122406, 124614, 125691, 129824, 130255, 131469, 134419,
    136942, 137154, 137818, 138326, 140986, 140988, 142534, 142541, 142676, 142937, 143947, 144713, 145425, 145592,
    146223, 147403, 147604, 148303, 149273, 156482, 161016, 161970, 162244, 163584, 163682, 163923, 164587, 165496,
    165502, 166441, 167526, 168028, 170889, 171858, 171863, 172809, 174444, 174748, 177600, 177954, 182774, 182899,
    185088, 186468, 188846, 197728, 197756, 197958, 198034, 198242, 198755, 198918, 213741, 223367, 226225, 227794,
    229117, 231500, 233927, 235650, 241343, 265681, 274005, 274626, 274646, 274950, 275323, 277079, 277359, 278081,
    278229, 278270, 280831, 280858, 280969, 288920, 291929, 291931, 292158,
];
/// As [`RIBOSOMAL_HUMAN`].
const RIBOSOMAL_MOUSE: [u32; 96] = [
    740, 2500, 3429, 3970, 6333, 7892, 8668, 8682, 8683, 9927, 12405, 12848, 17404, 20460, 24608, 25290, 25362, 25508,
    25794, 28081, 28234, 28495, 28936, 29614, 30432, 30744, 31320, 32399, 32518, 34892, 36781, 37563, 37805, 38900,
    39001, 39209, 39221, 40952, 41453, 41841, 43716, 44533, 45128, 46330, 46364, 47215, 47675, 48758, 49517, 49751,
    50621, 52146, 57322, 57841, 57863, 58546, 58558, 58600, 59070, 59291, 59751, 60036, 60499, 60636, 60938, 61477,
    61787, 61983, 62006, 62328, 62611, 62647, 62997, 63171, 63316, 63457, 63888, 67274, 67288, 71415, 72692, 73702,
    74129, 78087, 78193, 78240, 79435, 79641, 90733, 90862, 91014, 91086, 93674, 98274, 111356, 121818,
];
/// As [`RIBOSOMAL_HUMAN`].
const HAEMOGLOBIN_HUMAN: [u32; 10] = [86506, 130656, 188536, 196565, 206172, 206177, 213931, 213934, 223609, 244734];
/// As [`RIBOSOMAL_HUMAN`].
const HAEMOGLOBIN_MOUSE: [u32; 12] =
    [20295, 52187, 52217, 52305, 55609, 69917, 69919, 73063, 73940, 78621, 83216, 85700];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mitochondrial_genes_by_every_name() {
        let feature =
            |id: &str, symbol: &str| Feature { id: (!id.is_empty()).then(|| id.into()), symbol: symbol.into() };
        for (id, symbol) in [
            ("", "MT-ND1"),
            ("", "mt-Nd1"),
            ("", "MT_ND1"),
            ("ENSG00000198888", "NADH1"),
            ("ENSG00000198888.2", "ENSG00000198888.2"),
            ("", "ENSMUSG00000064341.3"),
            ("", "ENSMUSG00000065947"),
            ("", "GRCh38_MT-CO1"),
            ("", "mm10___mt-Co1"),
            ("hg19_ENSG00000198804", "hg19_COX1"),
            ("", "mm10---mt-Co1"),
            ("", "MT-ND1_ENSG00000198888"),
        ] {
            assert!(GeneSet::Mitochondrial.has(&feature(id, symbol)), "{id} {symbol}");
        }
        for (id, symbol) in [("", "MTOR"), ("", "MT1X"), ("ENSG00000198793", "MTOR"), ("", "ENSMUSG00000064362")] {
            assert!(!GeneSet::Mitochondrial.has(&feature(id, symbol)), "{id} {symbol}");
        }
    }

    #[test]
    fn symbols_that_look_alike_are_told_apart() {
        let ribosomal = "RPS2 RPS4X RPS4Y1 RPS27A RPS27L RPSA RPSA2 RPL3 RPL13A RPL36AL RPL7L1 RPLP0 RPLP1 RPLP2 RPL41 \
                         Rps3a1 Rplp0 Rpsa Rpl37rt Rplp1rt";
        let others = "RPS6KA1 RPS6KL1 RPS19BP1 RPL13AP5 RPL13AP RPSAP58 RPLP0P6 RPS10-NUDT3 RPL36A-HNRNPH2 RPS21-DT RPL3P4 \
                      Rps4l-ps Rpl9-ps6 Rps6ka3 Rps23rg1 RPRD1A RP11-34P13.7 RPS RPL RPE MRPL3 RPS100 RPSé";
        let haemoglobin = "HBA1 HBA2 HBB HBD HBE1 HBG1 HBG2 HBM HBQ1 HBZ Hba-a1 Hba-x Hbb-bs Hbb-b1 Hbq1a Hbb";
        let no_haemoglobin = "HBP1 HBEGF HBS1L HBBP1 HBZP1 HBAP1 Hba-ps3 Hbp1 HBQ1P SHBG";
        for (set, names, expected) in [
            (GeneSet::Ribosomal, ribosomal, true),
            (GeneSet::Ribosomal, others, false),
            (GeneSet::Haemoglobin, haemoglobin, true),
            (GeneSet::Haemoglobin, no_haemoglobin, false),
        ] {
            for name in names.split_whitespace() {
                let feature = Feature { id: None, symbol: name.to_owned() };
                assert_eq!(set.has(&feature), expected, "{name}");
            }
        }
    }
}
