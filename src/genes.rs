//! Which gene of the query is which feature of the reference.

use crate::error::{Error, Result, Warning};
use crate::formats::Feature;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Fewer features in common than this cannot be mapped (Azimuth's limit, `Azimuth.map.ngenes`).
pub const MIN_FEATURES_IN_COMMON: usize = 250;

/// How the genes of a query were matched to the features of a reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeneMatch {
    /// For each gene of the query, the row of the reference's features, if it is one.
    #[serde(skip)]
    pub feature_of_gene: Vec<Option<u32>>,
    /// Features found in the query.
    pub matched: usize,
    /// Of them, found by Ensembl id.
    pub by_id: usize,
    /// Of them, found by symbol.
    pub by_symbol: usize,
    /// Features of the reference.
    pub features: usize,
}

/// Matches by Ensembl id without its version first, then by symbol; the first gene of a name wins.
///
/// A symbol also matches with `_` for `-`, since Seurat writes every `_` of a gene name as `-`.
pub fn match_genes(query: &[Feature], reference: &[Feature]) -> GeneMatch {
    let mut by_id: FxHashMap<&str, u32> = FxHashMap::default();
    let mut by_symbol: FxHashMap<String, u32> = FxHashMap::default();
    for (row, feature) in reference.iter().enumerate() {
        if let Some(id) = ensembl_id(feature) {
            by_id.entry(id).or_insert(row as u32);
        }
        by_symbol.entry(feature.symbol.replace('_', "-")).or_insert(row as u32);
    }
    let mut matching = GeneMatch {
        feature_of_gene: vec![None; query.len()],
        matched: 0,
        by_id: 0,
        by_symbol: 0,
        features: reference.len(),
    };
    let mut taken = vec![false; reference.len()];
    for (gene, feature) in query.iter().enumerate() {
        let Some(&row) = ensembl_id(feature).and_then(|id| by_id.get(id)) else {
            continue;
        };
        if !std::mem::replace(&mut taken[row as usize], true) {
            matching.feature_of_gene[gene] = Some(row);
            matching.by_id += 1;
        }
    }
    for (gene, feature) in query.iter().enumerate() {
        if matching.feature_of_gene[gene].is_some() {
            continue;
        }
        let Some(&row) = by_symbol.get(&feature.symbol.replace('_', "-")) else {
            continue;
        };
        // Two ids that differ name two genes, whatever their symbols.
        if let (Some(a), Some(b)) = (ensembl_id(feature), ensembl_id(&reference[row as usize]))
            && a != b
        {
            continue;
        }
        if !std::mem::replace(&mut taken[row as usize], true) {
            matching.feature_of_gene[gene] = Some(row);
            matching.by_symbol += 1;
        }
    }
    matching.matched = matching.by_id + matching.by_symbol;
    matching
}

impl GeneMatch {
    /// # Errors
    /// Fewer than [`MIN_FEATURES_IN_COMMON`] features: the sentence names ids that were found and expected.
    pub fn check(&self, query: &[Feature], reference: &[Feature], reference_name: &str) -> Result<Vec<Warning>> {
        if self.matched < MIN_FEATURES_IN_COMMON {
            let found = examples(query.iter().map(|feature| feature.symbol.as_str()));
            let expected = examples(reference.iter().map(|feature| feature.symbol.as_str()));
            let hint = match (species(query), species(reference)) {
                (Some(query), Some(reference)) if query != reference => {
                    format!(" The file looks {query}, the reference is {reference}: choose a reference of that species.")
                }
                _ => " Gene symbols or Ensembl ids are needed; if the file has them in another column, make it the index.".into(),
            };
            return Err(Error::mapping(format!(
                "Only {} of the {} features of the reference '{reference_name}' are in this file; at least \
                 {MIN_FEATURES_IN_COMMON} are needed. The file's genes are named like {found}; the reference expects names \
                 like {expected}.{hint}",
                self.matched, self.features
            )));
        }
        let share = self.matched as f64 / self.features as f64;
        if share < 0.7 {
            return Ok(vec![Warning::new(
                "few_features_in_common",
                format!(
                    "Only {} of the {} features of the reference ({:.0} %) are in this file: labels are less certain. \
                     Was the gene list filtered?",
                    self.matched,
                    self.features,
                    100.0 * share
                ),
            )]);
        }
        Ok(Vec::new())
    }
}

fn examples<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let shown: Vec<&str> = names.by_ref().take(3).collect();
    if shown.is_empty() { "(none)".into() } else { shown.join(", ") }
}

/// The id, or the symbol where that is an Ensembl id, without its version.
fn ensembl_id(feature: &Feature) -> Option<&str> {
    let candidates = [feature.id.as_deref(), Some(feature.symbol.as_str())];
    candidates.into_iter().flatten().find_map(|name| {
        let name = name.split('.').next().unwrap_or(name);
        let digits = name.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
        let is_gene = name.starts_with("ENS") && name[..name.len() - digits.len()].ends_with('G');
        (is_gene && digits.len() == 11 && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(name)
    })
}

/// "human" or "mouse", by Ensembl ids or by the case of the symbols; `None` where neither is clear.
pub fn species(features: &[Feature]) -> Option<&'static str> {
    let (mut human, mut mouse) = (0usize, 0usize);
    for feature in features {
        if let Some(id) = ensembl_id(feature) {
            human += usize::from(id.starts_with("ENSG"));
            mouse += usize::from(id.starts_with("ENSMUSG"));
            continue;
        }
        let mut letters = feature.symbol.chars().filter(|letter| letter.is_ascii_alphabetic());
        let (Some(first), Some(second)) = (letters.next(), letters.next()) else {
            continue;
        };
        human += usize::from(first.is_ascii_uppercase() && second.is_ascii_uppercase());
        mouse += usize::from(first.is_ascii_uppercase() && second.is_ascii_lowercase());
    }
    let named = human + mouse;
    if named * 2 < features.len() || named == 0 {
        None
    } else if human * 5 > named * 4 {
        Some("human")
    } else if mouse * 5 > named * 4 {
        Some("mouse")
    } else {
        None
    }
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
        let matching = match_genes(&query, &reference);
        assert_eq!(matching.feature_of_gene, [Some(0), Some(1), None, Some(2), None]);
        assert_eq!((matching.matched, matching.by_id, matching.by_symbol), (3, 1, 2));
    }

    #[test]
    fn too_few_features_are_told_with_examples() {
        let query = ["Actb", "Gapdh", "Cd3e", "Cd4"].map(symbol);
        let reference = ["ACTB", "GAPDH", "CD3E", "CD4"].map(symbol);
        let matching = match_genes(&query, &reference);
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
        assert_eq!(species(&["gene1", "gene2"].map(symbol)), None);
        assert_eq!(species(&[]), None);
    }
}
