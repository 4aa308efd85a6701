//! The table of gene names: ids, current symbols, previous symbols, aliases, and orthologues.
//!
//! Text with tabs between columns, packed with gzip or not; `references/genes/recipe.py` writes it and says what
//! stands where.

use super::names::Species;
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::ops::Range;
use zlib_rs::{InflateConfig, ReturnCode, decompress_slice};

/// Raised when an older reader could misread a newer table.
const SCHEMA: &str = "1";
/// Deflate cannot do better than this; a larger claim is a lie.
const MAX_RATIO: usize = 1040;
/// A table takes less than three megabytes; a much longer text is none.
const MAX_SIZE: usize = 1 << 24;

/// Where the names in a table come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    pub name: String,
    pub version: String,
    pub license: String,
}

/// How a name stands to its gene; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Symbol,
    Previous,
    Alias,
}

/// Names of human and mouse genes, and which of them are orthologues.
pub struct GeneTable {
    pub version: String,
    pub sources: Vec<Source>,
    human: Genes,
    mouse: Genes,
    /// Human gene and mouse gene, one to one, ascending by the human gene.
    of_human: Vec<(u32, u32)>,
    /// The same pairs, mouse first and ascending by it.
    of_mouse: Vec<(u32, u32)>,
}

/// The genes of a species, numbered by their symbols in the order of the table.
#[derive(Default)]
struct Genes {
    text: String,
    /// Numbers in Ensembl ids, ascending, each with its gene.
    ids: Vec<(u32, u32)>,
    /// Every name with its standing and gene, ascending by name; a name once, with its best standing.
    names: Vec<(Range<u32>, Standing, u32)>,
}

impl GeneTable {
    /// # Errors
    /// Not a table of gene names, of a newer layout, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let text = unpacked(bytes)?;
        let mut lines = text.lines().enumerate().map(|(number, line)| (number + 1, line)).peekable();
        let head: Vec<&str> = lines.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
        let version = match head.as_slice() {
            ["#sextant-genes", SCHEMA, version, ..] => (*version).to_owned(),
            ["#sextant-genes", schema, ..] => {
                return Err(Error::reference(format!(
                    "The table of gene names has layout {schema}, this version of Sextant reads layout {SCHEMA}. Update \
                     Sextant, or take the table that came with it."
                )));
            }
            _ => return Err(damaged("its first line does not say what it is")),
        };
        let mut sources = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('#')) {
            if let ["#source", name, version, license] = line.split('\t').collect::<Vec<_>>().as_slice() {
                let [name, version, license] = [name, version, license].map(|&text| text.to_owned());
                sources.push(Source { name, version, license });
            }
        }
        let mut parts = [Part::new(Species::Human), Part::new(Species::Mouse)];
        let mut current = None;
        for (number, line) in lines {
            if let Some(head) = line.strip_prefix('>') {
                let name = head.split('\t').next().unwrap_or_default();
                current = parts.iter_mut().find(|part| part.species.name() == name);
            } else if let Some(part) = &mut current {
                part.add(line).ok_or_else(|| damaged(&format!("line {number} cannot be read")))?;
            }
        }
        let [human, mouse] = parts;
        if human.genes.ids.is_empty() && mouse.genes.ids.is_empty() {
            return Err(damaged("there are no genes in it"));
        }
        let partners = human.partners.clone();
        let (human, mouse) = (human.finish(), mouse.finish());
        let of_human = orthologues(&partners, &mouse);
        let mut of_mouse: Vec<(u32, u32)> = of_human.iter().map(|&(human, mouse)| (mouse, human)).collect();
        of_mouse.sort_unstable();
        Ok(GeneTable { version, sources, human, mouse, of_human, of_mouse })
    }

    fn genes(&self, species: Species) -> &Genes {
        match species {
            Species::Human => &self.human,
            Species::Mouse => &self.mouse,
        }
    }

    /// The gene with that Ensembl id (without version).
    pub fn gene_of_id(&self, species: Species, id: &str) -> Option<u32> {
        let ids = &self.genes(species).ids;
        let wanted = species.number(id)?;
        ids.binary_search_by_key(&wanted, |(id, _)| *id).ok().and_then(|place| ids.get(place)).map(|(_, gene)| *gene)
    }

    /// The one gene that a name leads to, and how; `_` must be written as `-`.
    pub fn gene_of_name(&self, species: Species, name: &str) -> Option<(u32, Standing)> {
        let genes = self.genes(species);
        let place = genes.names.binary_search_by(|(range, ..)| genes.name(range).cmp(name)).ok()?;
        genes.names.get(place).map(|(_, standing, gene)| (*gene, *standing))
    }

    /// The only orthologue of a gene in the other species.
    pub fn orthologue(&self, from: Species, gene: u32) -> Option<u32> {
        let pairs = match from {
            Species::Human => &self.of_human,
            Species::Mouse => &self.of_mouse,
        };
        let place = pairs.binary_search_by_key(&gene, |pair| pair.0).ok()?;
        pairs.get(place).map(|pair| pair.1)
    }

    /// Pairs of one-to-one orthologues.
    pub fn orthologues(&self) -> usize {
        self.of_human.len()
    }
}

impl Genes {
    fn name(&self, range: &Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

/// A species while its lines are read.
struct Part {
    species: Species,
    genes: Genes,
    gene_of_symbol: FxHashMap<String, u32>,
    /// Gene, number in the id of the other species.
    partners: Vec<(u32, u32)>,
}

impl Part {
    fn new(species: Species) -> Self {
        Part { species, genes: Genes::default(), gene_of_symbol: FxHashMap::default(), partners: Vec::new() }
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut columns = line.split('\t');
        let id = columns.next().filter(|id| !id.is_empty());
        let symbol = columns.next().filter(|symbol| !symbol.is_empty())?.replace('_', "-");
        let gene = match self.gene_of_symbol.get(&symbol) {
            Some(&gene) => gene,
            None => {
                let gene = u32::try_from(self.gene_of_symbol.len()).ok()?;
                self.push(&symbol, Standing::Symbol, gene)?;
                self.gene_of_symbol.insert(symbol, gene);
                gene
            }
        };
        if let Some(id) = id {
            self.genes.ids.push((id.parse().ok()?, gene));
        }
        for standing in [Standing::Previous, Standing::Alias] {
            for name in columns.next().unwrap_or_default().split(' ').filter(|name| !name.is_empty()) {
                self.push(&name.replace('_', "-"), standing, gene)?;
            }
        }
        if let Some(partner) = columns.next().filter(|partner| !partner.is_empty()) {
            self.partners.push((gene, partner.parse().ok()?));
        }
        Some(())
    }

    fn push(&mut self, name: &str, standing: Standing, gene: u32) -> Option<()> {
        let start = u32::try_from(self.genes.text.len()).ok()?;
        self.genes.text.push_str(name);
        let end = u32::try_from(self.genes.text.len()).ok()?;
        self.genes.names.push((start..end, standing, gene));
        Some(())
    }

    /// Sorts; of a name that several genes have with the same standing none is kept.
    fn finish(self) -> Genes {
        let mut genes = self.genes;
        genes.ids.sort_unstable();
        genes.ids.dedup_by_key(|(id, _)| *id);
        let text = &genes.text;
        let name = |range: &Range<u32>| text.get(range.start as usize..range.end as usize).unwrap_or_default();
        let mut names = std::mem::take(&mut genes.names);
        names.sort_unstable_by(|a, b| (name(&a.0), a.1, a.2).cmp(&(name(&b.0), b.1, b.2)));
        let groups = names.chunk_by(|a, b| name(&a.0) == name(&b.0));
        let single = groups.filter_map(|group| match group {
            [first, second, ..] if first.1 == second.1 && first.2 != second.2 => None,
            [first, ..] => Some(first.clone()),
            [] => None,
        });
        genes.names = single.collect();
        genes
    }
}

/// Pairs where neither gene stands in another pair.
fn orthologues(partners: &[(u32, u32)], mouse: &Genes) -> Vec<(u32, u32)> {
    let gene_of_id = |id: u32| {
        let place = mouse.ids.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        mouse.ids.get(place).map(|(_, gene)| *gene)
    };
    let mut pairs: Vec<(u32, u32)> = partners.iter().filter_map(|&(gene, id)| Some((gene, gene_of_id(id)?))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let (mut of_human, mut of_mouse) = (FxHashMap::<u32, u32>::default(), FxHashMap::<u32, u32>::default());
    for &(human, mouse) in &pairs {
        *of_human.entry(human).or_default() += 1;
        *of_mouse.entry(mouse).or_default() += 1;
    }
    pairs.retain(|(human, mouse)| of_human.get(human) == Some(&1) && of_mouse.get(mouse) == Some(&1));
    pairs
}

fn damaged(what: &str) -> Error {
    Error::reference(format!(
        "The table of gene names is damaged ({what}). Download it again; its name ends in .sextant.table."
    ))
}

/// The text, whether it is packed or a server has already unpacked it.
fn unpacked(bytes: &[u8]) -> Result<String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(bytes.to_vec()).map_err(|_| damaged("it is no text"));
    }
    let cut = || damaged("it is cut off");
    let size = bytes.last_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize).ok_or_else(cut)?;
    if size > MAX_SIZE || size > bytes.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("its size cannot be true"));
    }
    let mut text = vec![0; size];
    // 15 bits of window, 16 for the head and the checksum of gzip
    let (inflated, code) = decompress_slice(&mut text, bytes, InflateConfig { window_bits: 31 });
    if code != ReturnCode::Ok || inflated.len() != size {
        return Err(damaged("it cannot be unpacked"));
    }
    String::from_utf8(text).map_err(|_| damaged("it is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "#sextant-genes\t1\t7\n#source\tHGNC\tJuly 2024\tCC0\n>human\tENSG\n\
        156738\tMS4A1\tCD20\tBp35\t24673\n168385\tSEPTIN2\tSEPT2\tB1\t26276\n283871\tMS4A1\n\tHLA_X\tHLAX\tB1 Bp35x\n\
        >mouse\tENSMUSG\n24673\tMs4a1\t\tCd20 Ly-44\n26276\tSeptin2\t\tSept2\n";

    #[test]
    fn names_lead_to_genes() {
        let table = GeneTable::read(TABLE.as_bytes()).expect("a table");
        let (human, mouse) = (Species::Human, Species::Mouse);
        assert_eq!((table.version.as_str(), table.sources.len()), ("7", 1));
        assert_eq!(table.gene_of_id(human, "ENSG00000168385"), Some(1));
        assert_eq!(table.gene_of_id(human, "ENSG00000283871"), Some(0), "another locus of the same gene");
        assert_eq!(table.gene_of_id(human, "ENSMUSG00000024673"), None);
        assert_eq!(table.gene_of_id(mouse, "ENSMUSG00000024673"), Some(0));
        assert_eq!(table.gene_of_name(human, "CD20"), Some((0, Standing::Previous)));
        assert_eq!(table.gene_of_name(human, "Bp35"), Some((0, Standing::Alias)));
        assert_eq!(table.gene_of_name(human, "HLA-X"), Some((2, Standing::Symbol)));
        assert_eq!(table.gene_of_name(human, "B1"), None, "two genes have it");
        assert_eq!(table.gene_of_name(mouse, "Sept2"), Some((1, Standing::Alias)));
        assert_eq!(table.orthologue(human, 1), Some(1));
        assert_eq!(table.orthologue(mouse, 0), Some(0));
        assert_eq!(table.orthologue(human, 2), None);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let said = |bytes: &[u8]| GeneTable::read(bytes).err().map(|error| error.message).unwrap_or_default();
        let damaged = |what: &str| {
            format!("The table of gene names is damaged ({what}). Download it again; its name ends in .sextant.table.")
        };
        assert_eq!(said(b""), damaged("its first line does not say what it is"));
        assert_eq!(said(b"\xff\xfe"), damaged("it is no text"));
        assert_eq!(said(b"#sextant-genes\t1\t1\n"), damaged("there are no genes in it"));
        assert_eq!(said(b"#sextant-genes\t1\t1\n>human\tENSG\nx\tCD4\n"), damaged("line 3 cannot be read"));
        assert_eq!(said(b"\x1f\x8b\x08"), damaged("it is cut off"));
        assert_eq!(said(b"\x1f\x8b\x08\xff\xff\xff\xff"), damaged("its size cannot be true"));
        assert_eq!(said(b"\x1f\x8b\x08\x00\x01\x00\x00\x00"), damaged("it cannot be unpacked"));
        assert_eq!(
            said(b"#sextant-genes\t2\t1\n"),
            "The table of gene names has layout 2, this version of Sextant reads layout 1. Update Sextant, or take the table \
             that came with it."
        );
    }

    #[test]
    fn no_length_makes_it_panic() {
        for length in 0..TABLE.len() {
            let _ = GeneTable::read(&TABLE.as_bytes()[..length]);
        }
    }
}
