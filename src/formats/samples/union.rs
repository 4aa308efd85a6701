//! Which genes of several samples are one gene.

use crate::formats::Feature;
use crate::genes::{Name, Species, species_of};
use rustc_hash::FxHashMap;

/// The genes of a sample.
#[derive(Default)]
pub struct Genes {
    /// All of them.
    pub features: Vec<Feature>,
    /// The feature of the reference that each is, where a reference is known.
    pub of_genes: Option<Vec<Option<u32>>>,
}

impl Genes {
    fn feature(&self, gene: usize) -> Option<u32> {
        *self.of_genes.as_ref()?.get(gene)?
    }
}

/// The genes of all samples.
pub struct Union {
    /// As the first sample that has the gene names it.
    pub features: Vec<Feature>,
    /// For each gene that sample, and the gene's number there.
    pub origins: Vec<(usize, usize)>,
    /// For each sample, for each of its genes, its number here.
    pub places: Vec<Vec<u32>>,
    /// Whether each gene is a feature of the reference.
    pub known: Vec<bool>,
}

impl Union {
    /// Leaves out the genes that are no feature of the reference, in the samples as well. The origins stay.
    pub fn keep_known(&mut self) {
        let mut next = 0;
        let number = |&known: &bool| {
            next += u32::from(known);
            known.then(|| next - 1)
        };
        let numbers: Vec<Option<u32>> = self.known.iter().map(number).collect();
        let new = |place: &u32| numbers.get(*place as usize).copied().flatten();
        self.places.iter_mut().for_each(|places| *places = places.iter().filter_map(new).collect());
        let mut known = self.known.iter();
        self.features.retain(|_| known.next() == Some(&true));
        self.known.retain(|&known| known);
    }
}

/// What makes two genes of different samples one.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// They are the same feature of the reference: what each sample is matched to by itself stays as it is.
    Feature(u32),
    /// They have one name; of several genes of one name in a sample, the first goes with the first, the second with
    /// the second.
    Name(Option<Species>, String, u32),
}

/// Genes are the same when they are the same feature of the reference. Of the others those are that have the same id, in
/// samples that all have ids, or else the same symbol; the version of an id and a genome in front of a name do not
/// matter, unless the samples hold genes of two species.
pub fn unite(samples: &[Genes]) -> Union {
    let features = || samples.iter().flat_map(|genes| &genes.features);
    let by_id = features().all(|feature| feature.id.is_some());
    let mut told = features().filter_map(|feature| Name::of(feature).species);
    let several_species = told.next().is_some_and(|first| told.any(|species| species != first));
    let mut union = Union { features: Vec::new(), origins: Vec::new(), places: Vec::new(), known: Vec::new() };
    let mut numbers: FxHashMap<Key, u32> = FxHashMap::default();
    for (sample, genes) in samples.iter().enumerate() {
        let species = if several_species { species_of(&genes.features) } else { None };
        let mut seen: FxHashMap<(Option<Species>, String), u32> = FxHashMap::default();
        let mut places = Vec::with_capacity(genes.features.len());
        for (gene, feature) in genes.features.iter().enumerate() {
            let name = Name::of(feature);
            let told = if several_species { name.species.or(species) } else { None };
            let name = match &feature.id {
                Some(id) if by_id => name.id.unwrap_or(id).to_owned(),
                _ => name.symbol.map_or_else(|| feature.symbol.clone(), |symbol| symbol.into_owned()),
            };
            let occurrence = seen.entry((told, name.clone())).and_modify(|count| *count += 1).or_insert(0);
            let known = genes.feature(gene);
            let key = known.map_or(Key::Name(told, name, *occurrence), Key::Feature);
            let next = union.features.len() as u32;
            places.push(*numbers.entry(key).or_insert_with(|| {
                union.features.push(feature.clone());
                union.origins.push((sample, gene));
                union.known.push(known.is_some());
                next
            }));
        }
        union.places.push(places);
    }
    union
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genes(names: &[&str], of_genes: Option<&[Option<u32>]>) -> Genes {
        let feature = |name: &&str| match name.split_once('=') {
            Some((id, symbol)) => Feature { id: Some(id.into()), symbol: symbol.into() },
            None => Feature { id: None, symbol: (*name).into() },
        };
        Genes { features: names.iter().map(feature).collect(), of_genes: of_genes.map(<[_]>::to_vec) }
    }

    #[test]
    fn genes_of_one_name_are_one_gene() {
        let union =
            unite(&[genes(&["CD3E", "CD4", "CD4"], None), genes(&["MS4A1", "CD4", "GRCh38_CD3E", "HLA_A"], None)]);
        assert_eq!(union.places, [vec![0, 1, 2], vec![3, 1, 0, 4]]);
        assert_eq!(union.origins, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 3)]);
        let names: Vec<&str> = union.features.iter().map(|feature| feature.symbol.as_str()).collect();
        assert_eq!(names, ["CD3E", "CD4", "CD4", "MS4A1", "HLA_A"]);
    }

    #[test]
    fn ids_come_before_symbols_where_all_have_them() {
        let first = || genes(&["ENSG00000000001.3=A", "ENSG00000000002=B"], None);
        assert_eq!(
            unite(&[first(), genes(&["ENSG00000000002=A", "ENSG00000000001.7=C"], None)]).places,
            [[0, 1], [1, 0]]
        );
        assert_eq!(unite(&[first(), genes(&["A", "ENSG00000000001=C"], None)]).places, [[0, 1], [0, 2]]);
    }

    #[test]
    fn species_stay_apart() {
        let both = genes(&["GRCh38_ACTB", "mm10___ACTB"], None);
        assert_eq!(unite(&[both, genes(&["ACTB", "CD3E"], None)]).places, [[0, 1], [0, 2]]);
    }

    #[test]
    fn features_of_the_reference_come_before_names() {
        // An alias in the first sample; in the second the alias is another gene's symbol, which took the feature before.
        let first = genes(&["OLD", "X"], Some(&[Some(7), None]));
        let second = genes(&["NEW", "OLD", "X"], Some(&[Some(7), None, None]));
        let union = unite(&[first, second]);
        assert_eq!(union.places, [vec![0, 1], vec![0, 2, 1]]);
        assert_eq!(union.known, [true, false, false]);
        let mut union = union;
        union.keep_known();
        assert_eq!(union.places, [[0], [0]]);
        assert_eq!(union.features.len(), 1);
    }
}
