//! Which gene of the query is which feature of the reference.

mod names;
mod routes;
mod table;

pub use names::{Name, Species};
pub use table::{GeneTable, Source, Standing};

use crate::error::{Error, Result, Warning};
use crate::formats::Feature;
pub(crate) use names::{species_of, strip_genome};
use serde::Serialize;
use std::collections::BTreeMap;

/// Fewer features in common than this cannot be mapped (Azimuth's limit, `Azimuth.map.ngenes`).
pub const MIN_FEATURES_IN_COMMON: usize = 250;

/// How a gene came to its feature, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// The same Ensembl id, whatever its version.
    Id,
    /// The same symbol; `_` is as good as `-`, since Seurat writes every `_` of a gene name as `-`.
    Symbol,
    /// The same id or symbol, once a genome such as `GRCh38_` was taken off.
    Genome,
    /// The same symbol but for capitals, and for `.` where there was `-`.
    Spelling,
    /// An id on one side, the symbol that the table gives it on the other; or two ids of one gene.
    Table,
    /// A previous symbol of the same gene.
    Previous,
    /// An alias of the same gene.
    Alias,
    /// The only orthologue, between human and mouse.
    Orthologue,
}

impl Route {
    pub const ALL: [Route; 8] = [
        Route::Id,
        Route::Symbol,
        Route::Genome,
        Route::Spelling,
        Route::Table,
        Route::Previous,
        Route::Alias,
        Route::Orthologue,
    ];

    /// The word for it in tables.
    pub fn name(self) -> &'static str {
        match self {
            Route::Id => "id",
            Route::Symbol => "symbol",
            Route::Genome => "genome",
            Route::Spelling => "spelling",
            Route::Table => "table",
            Route::Previous => "previous",
            Route::Alias => "alias",
            Route::Orthologue => "orthologue",
        }
    }
}

/// What became of a gene of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is this feature of the reference.
    Matched(u32, Route),
    /// It would be this feature, which another gene took.
    Duplicate(u32),
    /// In a file of several species, it is not of the reference's.
    OtherSpecies,
    /// The reference has no such feature.
    NotFound,
}

/// How the genes of a query were matched to the features of a reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeneMatch {
    /// For each gene of the query, the row of the reference's features, if it is one.
    #[serde(skip)]
    pub feature_of_gene: Vec<Option<u32>>,
    /// For each gene of the query.
    #[serde(skip)]
    pub fates: Vec<Fate>,
    /// Features found in the query.
    pub matched: usize,
    /// Of them, found by each route: its name, and how many.
    pub routes: BTreeMap<&'static str, usize>,
    /// Genes whose feature another gene took.
    pub duplicates: usize,
    /// Genes left out since they are of another species than the reference.
    pub other_species: usize,
    /// Genes that are no feature of the reference.
    pub not_found: usize,
    /// Features of the reference.
    pub features: usize,
}

/// Matches along the routes of [`Route`], with the table of gene names where there is one; without it the routes
/// are exact ids and symbols.
pub fn match_genes(query: &[Feature], reference: &[Feature], table: Option<&GeneTable>) -> GeneMatch {
    GeneMatch::of(routes::walk(query, reference, table), reference.len())
}

impl GeneMatch {
    /// Counts what became of the genes of a query. `features`: of the reference.
    pub(crate) fn of(fates: Vec<Fate>, features: usize) -> Self {
        let count = |wanted: &dyn Fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
        let by = |route: Route| count(&|fate| matches!(fate, Fate::Matched(_, taken) if *taken == route));
        let feature = |fate: &Fate| match fate {
            Fate::Matched(row, _) => Some(*row),
            _ => None,
        };
        GeneMatch {
            feature_of_gene: fates.iter().map(feature).collect(),
            matched: count(&|fate| matches!(fate, Fate::Matched(..))),
            routes: Route::ALL.into_iter().map(|route| (route.name(), by(route))).collect(),
            duplicates: count(&|fate| matches!(fate, Fate::Duplicate(_))),
            other_species: count(&|fate| *fate == Fate::OtherSpecies),
            not_found: count(&|fate| *fate == Fate::NotFound),
            features,
            fates,
        }
    }

    /// The genes of several samples that were matched each by itself, once they are one dataset. `origins`: for each of its
    /// genes a sample that has it, and its number there.
    pub fn joined(samples: &[GeneMatch], origins: &[(usize, usize)]) -> Self {
        let fate =
            |&(sample, gene): &(usize, usize)| samples.get(sample).and_then(|sample| sample.fates.get(gene).copied());
        let fates = origins.iter().map(|origin| fate(origin).unwrap_or(Fate::NotFound)).collect();
        GeneMatch::of(fates, samples.first().map_or(0, |sample| sample.features))
    }

    /// Leaves out the genes that are no feature of the reference; what is said of all genes stays.
    pub fn keep_matched(&mut self) {
        self.feature_of_gene.retain(Option::is_some);
        self.fates.retain(|fate| matches!(fate, Fate::Matched(..)));
    }

    /// Features that were found by a route.
    pub fn by(&self, route: Route) -> usize {
        self.routes.get(route.name()).copied().unwrap_or(0)
    }

    /// # Errors
    /// Fewer than [`MIN_FEATURES_IN_COMMON`] features: the sentence names ids that were found and expected.
    pub fn check(&self, query: &[Feature], reference: &[Feature], reference_name: &str) -> Result<Vec<Warning>> {
        let both = (species_of(query), species_of(reference));
        if self.matched < MIN_FEATURES_IN_COMMON {
            let found = examples(query.iter().map(|feature| feature.symbol.as_str()));
            let expected = examples(reference.iter().map(|feature| feature.symbol.as_str()));
            let hint = match both {
                (Some(query), Some(reference)) if query != reference => {
                    let (query, reference) = (query.name(), reference.name());
                    format!(" The file looks {query}, the reference is {reference}: choose a reference of that species.")
                }
                (None, Some(reference)) if foreign_id(query).is_some() => format!(
                    " The file's Ensembl ids, such as {}, are of another species; the reference is {}.",
                    foreign_id(query).unwrap_or_default(),
                    reference.name()
                ),
                _ => " Gene symbols or Ensembl ids are needed; if the file has them in another column, make it the index.".into(),
            };
            return Err(Error::mapping(format!(
                "Only {} of the {} features of the reference '{reference_name}' are in this file; at least \
                 {MIN_FEATURES_IN_COMMON} are needed. The file's genes are named like {found}; the reference expects names \
                 like {expected}.{hint}",
                self.matched, self.features
            )));
        }
        let mut warnings = Vec::new();
        if let (Some(from), Some(to)) = both
            && self.by(Route::Orthologue) > 0
        {
            warnings.push(Warning::new(
                "orthologues",
                format!(
                    "The file looks {}, the reference is {}: {} features were matched by one-to-one orthologues. Cell types \
                     differ between species; a reference of the same species is better where there is one.",
                    from.name(),
                    to.name(),
                    self.by(Route::Orthologue)
                ),
            ));
        }
        if let Some(to) = both.1
            && self.other_species > 0
        {
            warnings.push(Warning::new(
                "other_species",
                format!(
                    "The file has genes of several species: {} that are not {} were left out. Cells of another species get \
                     labels that mean nothing; take them out before.",
                    self.other_species,
                    to.name()
                ),
            ));
        }
        if let Some(id) = foreign_id(query) {
            warnings.push(Warning::new(
                "unknown_species",
                format!(
                    "The file's Ensembl ids, such as {id}, are neither human nor mouse. Genes were matched by equal symbols; \
                     that these are the same genes is not known, and cell types differ between species."
                ),
            ));
        }
        let share = self.matched as f64 / self.features as f64;
        if share < 0.7 {
            warnings.push(Warning::new(
                "few_features_in_common",
                format!(
                    "Only {} of the {} features of the reference ({:.0} %) are in this file: labels are less certain. \
                     Was the gene list filtered?",
                    self.matched,
                    self.features,
                    100.0 * share
                ),
            ));
        }
        Ok(warnings)
    }
}

/// The first Ensembl id, where most are neither of human nor of mouse.
fn foreign_id(query: &[Feature]) -> Option<&str> {
    let mut foreign = query.iter().filter_map(|feature| Name::of(feature).id).filter(|id| Species::of_id(id).is_none());
    let first = foreign.next()?;
    ((foreign.count() + 1) * 2 > query.len()).then_some(first)
}

fn examples<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let shown: Vec<&str> = names.by_ref().take(3).collect();
    if shown.is_empty() { "(none)".into() } else { shown.join(", ") }
}

/// "human" or "mouse", by Ensembl ids, genomes in front of names, or the case of the symbols; `None` where neither
/// is clear.
pub fn species(features: &[Feature]) -> Option<&'static str> {
    species_of(features).map(Species::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str) -> Feature {
        Feature { id: None, symbol: name.into() }
    }

    fn with_id(id: &str, name: &str) -> Feature {
        Feature { id: Some(id.into()), symbol: name.into() }
    }

    #[test]
    fn ids_win_over_symbols_and_versions_do_not_matter() {
        let reference =
            [with_id("ENSG00000156738", "MS4A1"), symbol("CD3E"), symbol("HLA-A"), with_id("ENSG00000010610", "CD4")];
        let query = [
            symbol("ENSG00000156738.18"),
            symbol("CD3E"),
            symbol("CD3E"),
            symbol("HLA_A"),
            with_id("ENSG99999999999", "CD4"),
        ];
        let matching = match_genes(&query, &reference, None);
        assert_eq!(matching.feature_of_gene, [Some(0), Some(1), None, Some(2), None]);
        assert_eq!((matching.matched, matching.by(Route::Id), matching.by(Route::Symbol)), (3, 1, 2));
        assert_eq!((matching.duplicates, matching.not_found), (1, 1));
    }

    #[test]
    fn too_few_features_are_told_with_examples() {
        let query = ["Actb", "Gapdh", "Cd3e", "Cd4"].map(symbol);
        let reference = ["ACTB", "GAPDH", "CD3E", "CD4"].map(symbol);
        let matching = match_genes(&query, &reference, None);
        let error = matching.check(&query, &reference, "pbmc").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Only 0 of the 4 features of the reference 'pbmc' are in this file; at least 250 are needed. The file's genes are \
             named like Actb, Gapdh, Cd3e; the reference expects names like ACTB, GAPDH, CD3E. The file looks mouse, the \
             reference is human: choose a reference of that species."
        );
    }

    #[test]
    fn species_by_ids_and_by_case() {
        assert_eq!(species(&["CD3E", "CD4", "7SK", "MS4A1"].map(symbol)), Some("human"));
        assert_eq!(species(&["Cd3e", "Cd4", "Ms4a1"].map(symbol)), Some("mouse"));
        assert_eq!(species(&["ENSMUSG00000064341"].map(symbol)), Some("mouse"));
        assert_eq!(species(&["mm10___ACTB", "mm10___Actb"].map(symbol)), Some("mouse"));
        assert_eq!(species(&["GRCh38_ACTB", "mm10___Actb"].map(symbol)), None);
        assert_eq!(species(&["ENSDARG00000000001", "ENSDARG00000000002"].map(symbol)), None);
        assert_eq!(species(&["gene1", "gene2"].map(symbol)), None);
        assert_eq!(species(&[]), None);
    }
}
