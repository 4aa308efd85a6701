//! RNA that is in every droplet: found at a low, even level in most cells, and at a high one in the few that make it.
//!
//! Cells that break while a tissue is taken apart set their RNA free, and every droplet gets some of it. What a few types
//! make in great amounts shows that best, since no other type makes any of it.

use super::Samples;
use crate::error::Warning;
use crate::formats::{Feature, Observer, grouped};
use crate::genes::{Name, Species};
use crate::matrix::Counts;
use rayon::prelude::*;
use serde::Serialize;

/// What some cells make in great amounts and others not at all.
struct Signature {
    /// For people.
    name: &'static str,
    /// Symbols, human and mouse (the same but for capitals, and for those of mouse behind).
    genes: &'static [&'static str],
    /// Numbers in the Ensembl ids of these genes, human and mouse.
    human: &'static [u32],
    mouse: &'static [u32],
}

const SIGNATURES: usize = 6;

/// # Source
/// Ids: version 1 of the table of gene names (`references/genes`), which a test compares.
const ALL: [Signature; SIGNATURES] = [
    Signature {
        name: "haemoglobin",
        genes: &["HBA1", "HBA2", "HBB", "HBD", "HBG1", "HBG2", "Hba-a1", "Hba-a2", "Hbb-bs", "Hbb-bt"],
        human: &[188536, 196565, 206172, 213934, 223609, 244734],
        mouse: &[52305, 69917, 69919, 73940],
    },
    Signature { name: "insulin", genes: &["INS", "Ins1", "Ins2"], human: &[254647], mouse: &[215, 35804] },
    Signature { name: "glucagon", genes: &["GCG"], human: &[115263], mouse: &[394] },
    Signature { name: "somatostatin", genes: &["SST"], human: &[157005], mouse: &[4366] },
    Signature {
        name: "enzymes of acinar cells",
        genes: &[
            "PRSS1", "PRSS2", "CPA1", "CPA2", "CPB1", "CELA2A", "CELA3A", "CELA3B", "CTRB1", "CTRB2", "CTRC", "CLPS",
            "PNLIP", "PLA2G1B",
        ],
        human: &[
            91704, 137392, 142615, 142789, 153002, 158516, 162438, 168925, 168928, 170890, 175535, 204983, 219073,
            274247, 275896, 282049, 284810, 285346,
        ],
        mouse: &[11463, 23433, 24225, 29522, 31957, 46008, 54446, 57163, 58579, 62478, 62751, 71553, 78520],
    },
    Signature {
        name: "surfactant",
        genes: &["SFTPC", "SFTPA1", "SFTPA2", "SFTPB"],
        human: &[122852, 168484, 168878, 185303],
        mouse: &[21789, 22097, 56370],
    },
];

/// A share below this does not tell from none where cells are parted by the logarithms of their shares.
const FLOOR: f64 = 1e-4;
/// Fewer cells show no pattern.
const FEWEST_CELLS: usize = 50;
/// What ambient RNA looks like: of the cells with little of it at least this share has some,
const FOUND: f64 = 0.5;
/// at least this part of what an even level would give,
const EVEN: f64 = 0.8;
/// and some cells have much, by their number, their median share, and how many times the level of the others that is.
const FEWEST_HIGH: usize = 3;
const HIGH_SHARE: f64 = 0.01;
const HIGH_TIMES: f64 = 10.0;
/// Most cells are others.
const MOST_HIGH: f64 = 0.6;
/// Genes that are named.
const NAMED: usize = 4;

/// Something that looks like ambient RNA in a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ambient {
    pub name: &'static str,
    /// Its genes, as the file calls them.
    pub genes: Vec<String>,
    /// `None` where the samples are not told apart.
    pub sample: Option<String>,
    /// Cells that have little of it.
    pub cells_low: usize,
    /// Share of their counts, in per cent.
    pub percent_low: f64,
    /// How many of them have any, in per cent.
    pub percent_low_found: f64,
    /// Cells that make it.
    pub cells_high: usize,
    /// Median share of their counts, in per cent.
    pub percent_high: f64,
}

/// The counts of each signature in each cell, collected while a file is read.
#[derive(Debug, Clone, Default)]
pub struct Signatures {
    cells: Vec<[f32; SIGNATURES]>,
    /// Cells of the samples that are complete.
    complete: usize,
    /// For each gene of the sample the signature that it is of.
    of_gene: Vec<Option<u8>>,
    /// Of each signature, in any sample.
    genes: [Vec<String>; SIGNATURES],
}

impl Observer for Signatures {
    fn begin(&mut self, features: &[Feature]) {
        self.cells.truncate(self.complete);
        self.of_gene = features.iter().map(signature_of).collect();
        for (feature, signature) in features.iter().zip(&self.of_gene) {
            let Some(genes) = signature.and_then(|signature| self.genes.get_mut(usize::from(signature))) else {
                continue;
            };
            if !genes.contains(&feature.symbol) {
                genes.push(feature.symbol.clone());
            }
        }
    }

    fn slab(&mut self, slab: &Counts) {
        let of_cell = |cell: usize| {
            let mut sums = [0.0; SIGNATURES];
            for (gene, count) in slab.row(cell) {
                if let Some(signature) = self.of_gene[gene as usize] {
                    sums[usize::from(signature)] += count;
                }
            }
            sums
        };
        let cells: Vec<[f32; SIGNATURES]> = (0..slab.cells()).into_par_iter().map(of_cell).collect();
        self.cells.extend(cells);
    }

    fn end(&mut self) {
        self.complete = self.cells.len();
    }
}

impl Signatures {
    /// The signature that a gene is of, by its symbol or Ensembl id.
    pub fn name_of(feature: &Feature) -> Option<&'static str> {
        let signature = signature_of(feature)?;
        ALL.get(usize::from(signature)).map(|signature| signature.name)
    }

    /// Those of some cells, in their order.
    pub fn select(self, cells: &[u32]) -> Self {
        let kept = cells.iter().filter_map(|&cell| self.cells.get(cell as usize).copied()).collect();
        Signatures { cells: kept, ..self }
    }

    /// What looks like ambient RNA, in each sample by itself.
    ///
    /// Cells are parted into those with little and those with much of a signature where that parts the logarithms of
    /// their shares best. Ambient RNA gives the former counts like rain: so many of them have some as a Poisson
    /// distribution of that level tells, where a type that makes a little of it gives many counts to few cells.
    ///
    /// # Shapes
    /// `totals` and `samples` as the cells that are left.
    ///
    /// # Source
    /// Otsu 1979 (10.1109/TSMC.1979.4310076) for the parting.
    pub fn assess(&self, totals: &[f64], samples: &Samples) -> Vec<Ambient> {
        if self.cells.len() != totals.len() {
            return Vec::new();
        }
        let cells_of_samples = samples.cells();
        let of_signature = |signature: usize| {
            let of_sample = |(sample, cells): (&Option<String>, &Vec<usize>)| {
                let counts = |&cell: &usize| (f64::from(self.cells[cell][signature]), totals[cell]);
                let parts = Parts::of(cells.iter().map(counts).collect()).filter(Parts::is_ambient)?;
                Some(Ambient {
                    name: ALL[signature].name,
                    genes: self.genes[signature].clone(),
                    sample: sample.clone(),
                    cells_low: parts.cells_low,
                    percent_low: 100.0 * parts.share_low,
                    percent_low_found: 100.0 * parts.found_low,
                    cells_high: parts.cells_high,
                    percent_high: 100.0 * parts.share_high,
                })
            };
            samples.names.iter().zip(&cells_of_samples).filter_map(of_sample).collect::<Vec<Ambient>>()
        };
        let known = (0..SIGNATURES).into_par_iter().filter(|&signature| !self.genes[signature].is_empty());
        known.flat_map_iter(of_signature).collect()
    }
}

/// The cells of a sample, parted by how much they have of a signature.
struct Parts {
    cells_low: usize,
    /// Of their counts together.
    share_low: f64,
    /// Of these cells, those that have any; and how many would at an even level.
    found_low: f64,
    expected_low: f64,
    cells_high: usize,
    /// Median.
    share_high: f64,
}

impl Parts {
    /// `cells`: counts of the signature and of all genes.
    fn of(mut cells: Vec<(f64, f64)>) -> Option<Parts> {
        if cells.len() < FEWEST_CELLS {
            return None;
        }
        let share = |cell: &(f64, f64)| cell.0 / cell.1;
        cells.sort_by(|a, b| share(a).total_cmp(&share(b)).then(a.1.total_cmp(&b.1)));
        let logarithms: Vec<f64> = cells.iter().map(|cell| libm::log10(share(cell) + FLOOR)).collect();
        let (low, high) = cells.split_at(best_parting(&logarithms)?);
        let sum = |cells: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| cells.iter().fold(0.0, |sum, cell| sum + of(cell));
        let share_low = sum(low, |cell| cell.0) / sum(low, |cell| cell.1);
        let expected = low.iter().fold(0.0, |sum, cell| sum + 1.0 - libm::exp(-share_low * cell.1));
        Some(Parts {
            cells_low: low.len(),
            share_low,
            found_low: low.iter().filter(|cell| cell.0 > 0.0).count() as f64 / low.len() as f64,
            expected_low: expected / low.len() as f64,
            cells_high: high.len(),
            share_high: share(high.get(high.len() / 2)?),
        })
    }

    fn is_ambient(&self) -> bool {
        let cells = (self.cells_low + self.cells_high) as f64;
        self.found_low >= FOUND
            && self.found_low >= EVEN * self.expected_low
            && self.cells_high >= FEWEST_HIGH
            && self.cells_high as f64 <= MOST_HIGH * cells
            && self.share_high >= HIGH_SHARE
            && self.share_high >= HIGH_TIMES * self.share_low
    }
}

/// How many of the ascending values are the lower ones: where the means of both parts lie apart the most, weighed by the
/// sizes. None where all are equal.
fn best_parting(values: &[f64]) -> Option<usize> {
    let sum = |values: &[f64]| values.iter().fold(0.0, |sum, value| sum + value);
    let (all, mut below) = (sum(values), 0.0);
    let mut best = (0.0, None);
    for (place, pair) in values.windows(2).enumerate() {
        below += pair[0];
        let (lower, upper) = ((place + 1) as f64, (values.len() - place - 1) as f64);
        let apart = below / lower - (all - below) / upper;
        let score = lower * upper * apart * apart;
        if pair[0] < pair[1] && score > best.0 {
            best = (score, Some(place + 1));
        }
    }
    best.1
}

fn signature_of(feature: &Feature) -> Option<u8> {
    let name = Name::of(feature);
    let is_of = |signature: &Signature| {
        let symbol = name.symbol.as_deref();
        let by_symbol =
            symbol.is_some_and(|symbol| signature.genes.iter().any(|gene| gene.eq_ignore_ascii_case(symbol)));
        let numbered = |species: Species, numbers: &[u32]| {
            name.id.and_then(|id| species.number(id)).is_some_and(|number| numbers.binary_search(&number).is_ok())
        };
        by_symbol || numbered(Species::Human, signature.human) || numbered(Species::Mouse, signature.mouse)
    };
    ALL.iter().position(is_of).map(|place| place as u8)
}

/// A word on all of it; of several samples on the one with the highest level.
pub fn warnings(found: &[Ambient]) -> Vec<Warning> {
    if found.is_empty() {
        return Vec::new();
    }
    let signatures: Vec<String> = found.chunk_by(|a, b| a.name == b.name).filter_map(described).collect();
    vec![Warning::new(
        "ambient_rna",
        format!(
            "What broken cells leave in every droplet, ambient RNA, is found at a low, even level in most cells: {}. A little of \
             it says nothing about the type of a cell.",
            signatures.join("; ")
        ),
    )]
}

fn described(samples: &[Ambient]) -> Option<String> {
    let most = samples.iter().max_by(|a, b| a.percent_low.total_cmp(&b.percent_low))?;
    let mut genes = most.genes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = most.genes.len().checked_sub(NAMED) {
        genes.push_str(&format!(" and {more} more"));
    }
    let place = match (&most.sample, samples.len() - 1) {
        (None, _) => String::new(),
        (Some(sample), 0) => format!(" in {sample}"),
        (Some(sample), others) => format!(" in {sample} (and in {others} more of the samples)"),
    };
    Some(format!(
        "{} ({genes}){place} in {:.0} % of the cells, as {:.2} % of their counts, beside {} cells with {:.0} %",
        most.name,
        most.percent_low_found,
        most.percent_low,
        grouped(most.cells_high as f64),
        most.percent_high
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Cells of 2,000 counts in two samples; `makers` of the first have much insulin, and the others what `others` gives.
    fn found(makers: usize, others: impl Fn(usize) -> f64) -> Vec<Ambient> {
        let features = ["INS", "HBB", "ACTB"].map(|symbol| Feature { id: None, symbol: symbol.into() });
        let mut random = Random::new(3);
        let mut rain = |mean: f64| {
            let (limit, mut product, mut count) = (libm::exp(-mean), random.uniform(), 0.0);
            while product > limit {
                product *= random.uniform();
                count += 1.0;
            }
            count
        };
        let mut signatures = Signatures::default();
        let (mut totals, mut of_cell) = (Vec::new(), Vec::new());
        for sample in 0..2 {
            let mut counts = Counts::with_genes(3);
            for cell in 0..300 {
                let mean = if sample == 1 {
                    0.0
                } else if cell < makers {
                    300.0
                } else {
                    others(cell)
                };
                let insulin = rain(mean);
                counts.push_row([(0, insulin as f32), (2, 2000.0 - insulin as f32)]);
                totals.push(2000.0);
                of_cell.push(sample);
            }
            signatures.begin(&features);
            signatures.slab(&counts);
            signatures.end();
        }
        let names = vec![Some("islets".to_owned()), Some("blood".to_owned())];
        signatures.assess(&totals, &Samples { names, of_cell })
    }

    #[test]
    fn an_even_low_level_beside_makers_is_ambient() {
        let found = found(40, |_| 3.0);
        let [insulin] = found.as_slice() else { panic!("insulin in one sample: {found:?}") };
        assert_eq!((insulin.sample.as_deref(), insulin.cells_high, insulin.cells_low), (Some("islets"), 40, 260));
        let said = warnings(&found);
        let [warning] = said.as_slice() else { panic!("one warning: {said:?}") };
        assert_eq!(
            warning.message,
            "What broken cells leave in every droplet, ambient RNA, is found at a low, even level in most cells: insulin (INS) in \
             islets in 93 % of the cells, as 0.15 % of their counts, beside 40 cells with 15 %. A little of it says nothing \
             about the type of a cell."
        );
    }

    #[test]
    fn what_few_cells_have_or_most_cells_make_is_not_ambient() {
        assert_eq!(found(40, |_| 0.0), [], "nobody else has any");
        assert_eq!(found(40, |_| 0.2), [], "too few others have any");
        assert_eq!(found(0, |_| 3.0), [], "nobody makes it");
        assert_eq!(found(200, |_| 3.0), [], "most make it");
        assert_eq!(found(40, |cell| if cell % 4 == 0 { 20.0 } else { 0.0 }), [], "a type has a little");
    }

    #[test]
    fn several_samples_and_many_genes_are_summed_up() {
        let of_sample = |sample: &str, percent_low: f64| Ambient {
            name: "enzymes of acinar cells",
            genes: ["PRSS1", "CPA1", "CPA2", "CTRC", "CLPS"].map(str::to_owned).to_vec(),
            sample: Some(sample.to_owned()),
            cells_low: 900,
            percent_low,
            percent_low_found: 99.6,
            cells_high: 1200,
            percent_high: 20.4,
        };
        let insulin = Ambient {
            name: "insulin",
            genes: vec!["INS".to_owned()],
            sample: None,
            cells_high: 900,
            percent_high: 16.0,
            ..of_sample("", 0.3)
        };
        let said = warnings(&[of_sample("a", 0.2), of_sample("b", 0.5), insulin]);
        assert_eq!(
            said.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(),
            [
                "What broken cells leave in every droplet, ambient RNA, is found at a low, even level in most cells: enzymes of \
                 acinar cells (PRSS1, CPA1, CPA2, CTRC and 1 more) in b (and in 1 more of the samples) in 100 % of the cells, \
                 as 0.50 % of their counts, beside 1,200 cells with 20 %; insulin (INS) in 100 % of the cells, as 0.30 % of \
                 their counts, beside 900 cells with 16 %. A little of it says nothing about the type of a cell."
            ]
        );
    }
}
