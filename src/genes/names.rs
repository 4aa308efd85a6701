//! What a gene's name tells by itself: its Ensembl id, its genome, its species.

use crate::formats::Feature;
use std::borrow::Cow;

/// The species that gene tables and references know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Species {
    Human,
    Mouse,
}

impl Species {
    /// "human" or "mouse".
    pub fn name(self) -> &'static str {
        match self {
            Species::Human => "human",
            Species::Mouse => "mouse",
        }
    }

    /// How its Ensembl gene ids begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Species::Human => "ENSG",
            Species::Mouse => "ENSMUSG",
        }
    }

    /// The number in an Ensembl gene id of this species, which is without version.
    pub fn number(self, id: &str) -> Option<u32> {
        let digits = id.strip_prefix(self.prefix())?;
        if digits.len() == 11 && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            digits.parse().ok()
        } else {
            None
        }
    }

    /// The species of an Ensembl gene id; `None` for others than these two.
    pub fn of_id(id: &str) -> Option<Self> {
        // By its letters: the digits may pass what a number holds.
        [Species::Human, Species::Mouse].into_iter().find(|species| {
            id.strip_prefix(species.prefix()).is_some_and(|rest| rest.bytes().all(|digit| digit.is_ascii_digit()))
        })
    }
}

/// Genomes by which genes of several species in one file are told apart.
const GENOMES: [(&str, Species); 9] = [
    ("GRCh38", Species::Human),
    ("GRCh37", Species::Human),
    ("GRCm39", Species::Mouse),
    ("GRCm38", Species::Mouse),
    ("hg38", Species::Human),
    ("hg19", Species::Human),
    ("mm39", Species::Mouse),
    ("mm10", Species::Mouse),
    ("mm9", Species::Mouse),
];

/// Takes the genome off a name, as in `GRCh38_CD3E`, `mm10___Cd3e`, `GRCh38-2020-A_CD3E`, `hg19-CD3E` (Seurat writes
/// `-` for `_`); `None` for a name without one.
pub fn strip_genome(name: &str) -> Option<(Species, &str)> {
    let (rest, species) = GENOMES.iter().find_map(|(genome, species)| Some((name.strip_prefix(genome)?, *species)))?;
    let separator = |letter: char| letter == '_' || letter == '-';
    let rest = rest.strip_prefix(separator)?;
    // A release such as 2020-A
    let release = rest.get(..6).filter(|release| {
        let bytes = release.as_bytes();
        release.starts_with("20")
            && bytes[2..4].iter().all(u8::is_ascii_digit)
            && bytes[4] == b'-'
            && bytes[5].is_ascii_uppercase()
    });
    let rest = match release.and_then(|_| rest.get(6..)) {
        Some(rest) if rest.starts_with(separator) => rest,
        _ => rest,
    };
    let gene = rest.trim_start_matches(separator);
    (!gene.is_empty()).then_some((species, gene))
}

/// The Ensembl gene id in a name, without its version: in `ENSG00000156738.18`, `ENSG00000156738_MS4A1`,
/// `MS4A1|ENSG00000156738`.
pub fn ensembl_id(name: &str) -> Option<&str> {
    leading_id(name).or_else(|| {
        let last = name.rfind(['_', '|', ';', ':', '-', ' '])?;
        leading_id(name.get(last + 1..)?)
    })
}

/// The id at the beginning of a name, when no further letter or digit follows it.
fn leading_id(name: &str) -> Option<&str> {
    let bytes = name.as_bytes();
    let letters = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let end = letters + 11;
    let is_id = name.starts_with("ENS")
        && bytes.get(letters.checked_sub(1)?) == Some(&b'G')
        && bytes.get(letters..end)?.iter().all(u8::is_ascii_digit)
        && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    if is_id { name.get(..end) } else { None }
}

/// A gene as its names tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    /// Ensembl id of any species, without version.
    pub id: Option<&'a str>,
    /// Symbol, with `-` for `_`; `None` where the file has the id only.
    pub symbol: Option<Cow<'a, str>>,
    /// Of the genome in front of the name, or of the id.
    pub species: Option<Species>,
    /// Whether a genome was taken off.
    pub stripped: bool,
}

impl<'a> Name<'a> {
    pub fn of(feature: &'a Feature) -> Self {
        let genome = strip_genome(&feature.symbol);
        let bare = genome.map_or(feature.symbol.as_str(), |(_, rest)| rest);
        let bare_id = feature.id.as_deref().map(|id| strip_genome(id).map_or(id, |(_, rest)| rest));
        let in_symbol = ensembl_id(bare);
        let id = bare_id.and_then(ensembl_id).or(in_symbol);
        let genome = genome.or_else(|| feature.id.as_deref().and_then(strip_genome));
        let symbol = match in_symbol {
            None => Some(bare),
            Some(id) => beside_id(bare, id),
        };
        let symbol =
            symbol.map(
                |symbol| {
                    if symbol.contains('_') { Cow::Owned(symbol.replace('_', "-")) } else { Cow::Borrowed(symbol) }
                },
            );
        let species = genome.map(|(species, _)| species).or_else(|| id.and_then(Species::of_id));
        Name { id, symbol, species, stripped: genome.is_some() }
    }
}

/// The symbol in `MS4A1_ENSG00000156738`, `MS4A1|ENSG00000156738` or the reverse; `None` where the id stands alone.
fn beside_id<'a>(name: &'a str, id: &str) -> Option<&'a str> {
    let separator = ['_', '|', ';', ':', ' '];
    if let Some(rest) = name.strip_prefix(id) {
        let (_version, symbol) = rest.split_once(separator)?;
        // GENCODE's marks of lifted genes and of the second copy on Y are no symbols: ENSG00000182378.15_PAR_Y
        return (symbol.len() > 1 && symbol != "PAR_Y").then_some(symbol);
    }
    let symbol = name.split(id).next()?.trim_end_matches(separator).trim_end_matches('-');
    (!symbol.is_empty()).then_some(symbol)
}

/// The species of most genes, by Ensembl ids, genomes in front of names, mitochondrial genes, or the case of the
/// symbols; `None` where neither is clear, as in a mixture of both.
pub fn species_of(features: &[Feature]) -> Option<Species> {
    let (mut human, mut mouse) = (0usize, 0usize);
    for feature in features {
        let name = Name::of(feature);
        let told = match (name.species, name.id) {
            (Some(species), _) => Some(species),
            // An id of another species tells that it is neither.
            (None, Some(_)) => None,
            (None, None) => name.symbol.as_deref().and_then(by_case),
        };
        human += usize::from(told == Some(Species::Human));
        mouse += usize::from(told == Some(Species::Mouse));
    }
    let named = human + mouse;
    if named * 2 < features.len() || named == 0 {
        None
    } else if human * 5 > named * 4 {
        Some(Species::Human)
    } else if mouse * 5 > named * 4 {
        Some(Species::Mouse)
    } else {
        None
    }
}

/// CD3E and MT-CO1 are human, Cd3e and mt-Co1 are of mouse.
fn by_case(symbol: &str) -> Option<Species> {
    if symbol.starts_with("mt-") {
        return Some(Species::Mouse);
    }
    // Human open reading frames are the exception with small letters: C1orf112.
    if symbol.starts_with('C')
        && symbol[1..].starts_with(|letter: char| letter.is_ascii_digit())
        && symbol.contains("orf")
    {
        return Some(Species::Human);
    }
    let mut letters = symbol.chars().filter(|letter| letter.is_ascii_alphabetic());
    match (letters.next()?.is_ascii_uppercase(), letters.next()?.is_ascii_uppercase()) {
        (true, true) => Some(Species::Human),
        (true, false) => Some(Species::Mouse),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genomes_in_front_of_names() {
        let human = |gene| Some((Species::Human, gene));
        let mouse = |gene| Some((Species::Mouse, gene));
        for (name, expected) in [
            ("GRCh38_CD3E", human("CD3E")),
            ("GRCh38_______CD3E", human("CD3E")),
            ("hg19_ENSG00000198851", human("ENSG00000198851")),
            ("mm10___Cd3e", mouse("Cd3e")),
            ("mm10---Cd3e", mouse("Cd3e")),
            ("GRCh38-2020-A_CD3E", human("CD3E")),
            ("GRCm39-2024-A___Cd3e", mouse("Cd3e")),
            ("hg19-HLA-A", human("HLA-A")),
            ("GRCh38_2", human("2")),
            ("CD3E", None),
            ("hg19", None),
            ("hg19_", None),
            ("mm10orf", None),
            ("GRCh38-20é", human("20é")),
        ] {
            assert_eq!(strip_genome(name), expected, "{name}");
        }
    }

    #[test]
    fn ids_in_names() {
        let id = Some("ENSG00000156738");
        for (name, expected) in [
            ("ENSG00000156738", id),
            ("ENSG00000156738.18", id),
            ("ENSG00000156738.18_2", id),
            ("ENSG00000156738-1", id),
            ("ENSG00000156738_MS4A1", id),
            ("MS4A1_ENSG00000156738", id),
            ("MS4A1|ENSG00000156738.18", id),
            ("ENSMUSG00000024673", Some("ENSMUSG00000024673")),
            ("ENSDARG00000000001", Some("ENSDARG00000000001")),
            ("ENST00000156738", None),
            ("ENSG0000015673", None),
            ("ENSG000001567380", None),
            ("MS4A1", None),
            ("", None),
            ("ENSGä", None),
        ] {
            assert_eq!(ensembl_id(name), expected, "{name}");
        }
    }

    #[test]
    fn both_names_in_one() {
        let name = |id: Option<&str>, symbol: &str| {
            let feature = Feature { id: id.map(str::to_owned), symbol: symbol.to_owned() };
            let name = Name::of(&feature);
            (name.id.map(str::to_owned), name.symbol.map(Cow::into_owned), name.species, name.stripped)
        };
        let id = || Some("ENSG00000156738".to_owned());
        let symbol = || Some("MS4A1".to_owned());
        let human = Some(Species::Human);
        assert_eq!(name(None, "ENSG00000156738_MS4A1"), (id(), symbol(), human, false));
        assert_eq!(name(None, "MS4A1|ENSG00000156738"), (id(), symbol(), human, false));
        assert_eq!(name(None, "ENSG00000156738.18_2"), (id(), None, human, false));
        assert_eq!(name(None, "ENSG00000156738.18_PAR_Y"), (id(), None, human, false));
        assert_eq!(name(Some("GRCh38_ENSG00000156738"), "GRCh38_MS4A1"), (id(), symbol(), human, true));
        assert_eq!(name(Some("g1"), "HLA_A"), (None, Some("HLA-A".to_owned()), None, false));
    }
}
