//! Which column of a table of genes names them, and what it names: symbols or accessions.

use super::stored::FeatureTable;
use super::{Feature, GENE_EXPRESSION};
use crate::error::{Error, Result};
use rustc_hash::FxHashSet;

/// Columns with gene symbols when the index has Ensembl ids, as CELLxGENE, scanpy, Loom and others call them; compared
/// without regard to case.
pub const SYMBOL_COLUMNS: [&str; 14] = [
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "symbol",
    "symbols",
    "hgnc_symbol",
    "gene_short_name",
    "name",
    "gene",
    "genes",
    "var_names",
    "features",
];
/// Columns with Ensembl ids when its index has symbols.
pub const ID_COLUMNS: [&str; 10] = [
    "accession",
    "gene_ids",
    "gene_id",
    "ensembl",
    "ensemblid",
    "ensembl_id",
    "ensembl_ids",
    "ensembl_gene_id",
    "feature_id",
    "id",
];

/// Names of an index that says which column it is not worth a name of its own.
const NAMELESS: [&str; 2] = ["_index", "index"];

/// The values of a column; none when it is no text.
pub type ReadColumn<'a> = dyn Fn(&str) -> Option<Vec<String>> + 'a;

/// What a table offers as names of its genes.
pub struct GeneNames<'a> {
    /// Where the table stands, for messages.
    pub path: &'a str,
    pub index_name: String,
    pub index: Vec<String>,
    /// The other columns.
    pub columns: Vec<String>,
    pub read: Box<ReadColumn<'a>>,
}

/// Symbols and ids of the genes, and the columns they could be taken from, the one in use first. `column` is what the
/// person chose.
///
/// # Errors
/// When there is no such column.
pub fn name_genes(table: &GeneNames<'_>, column: Option<&str>) -> Result<FeatureTable> {
    let index_name = if NAMELESS.contains(&table.index_name.as_str()) { "index" } else { &table.index_name };
    let mut offered: Vec<(String, Vec<String>)> = vec![(index_name.to_owned(), table.index.clone())];
    for name in &table.columns {
        let values = (table.read)(name).filter(|values| values.len() == table.index.len());
        offered.extend(values.filter(|values| distinct(values)).map(|values| (name.clone(), values)));
    }
    let place = |wanted: &str| offered.iter().position(|(name, _)| name == wanted);
    let chosen = match column {
        Some(wanted) => Some(place(wanted).ok_or_else(|| no_column(table.path, wanted, &offered))?),
        None => None,
    };
    // Numbers from 0 on, or sentences, are no names: the most gene-like column is taken instead.
    let first = chosen.unwrap_or_else(|| if likeness(&table.index) < 0.5 { most_alike(&offered) } else { 0 });
    let (symbols, ids) = complement(&offered, first, chosen.is_some());
    let features = (0..table.index.len()).map(|row| feature(&offered, row, symbols, ids)).collect();
    let mut columns: Vec<String> = offered.iter().map(|(name, _)| name.clone()).collect();
    let in_use = columns.remove(if chosen.is_some() { first } else { symbols });
    columns.insert(0, in_use);
    if columns.len() < 2 {
        columns.clear();
    }
    Ok(FeatureTable { features, types: None, columns })
}

/// The columns of the symbols and of the ids, when the first names are taken from `first`.
fn complement(offered: &[(String, Vec<String>)], first: usize, chosen: bool) -> (usize, Option<usize>) {
    let find = |names: &[&str], accept: &dyn Fn(&[String]) -> bool| {
        let known =
            names.iter().filter_map(|name| offered.iter().position(|(column, _)| column.eq_ignore_ascii_case(name)));
        known.filter(|&place| place != first).find(|&place| accept(&offered[place].1))
    };
    if mostly_accessions(&offered[first].1) {
        // Who chose a column with accessions wants to see them.
        let symbols = if chosen { None } else { find(&SYMBOL_COLUMNS, &|values| !mostly_accessions(values)) };
        return (symbols.unwrap_or(first), Some(first));
    }
    let index = (first != 0 && mostly_accessions(&offered[0].1)).then_some(0);
    (first, index.or_else(|| find(&ID_COLUMNS, &mostly_accessions)))
}

fn feature(offered: &[(String, Vec<String>)], row: usize, symbols: usize, ids: Option<usize>) -> Feature {
    let value = |place: usize| offered.get(place).and_then(|(_, values)| values.get(row)).filter(|text| !empty(text));
    let id = ids.and_then(value).cloned();
    let symbol = value(symbols).or(id.as_ref()).or_else(|| offered[0].1.get(row)).cloned().unwrap_or_default();
    Feature { id, symbol }
}

fn empty(text: &str) -> bool {
    text.is_empty() || text == "nan" || text == "NA"
}

fn no_column(path: &str, wanted: &str, offered: &[(String, Vec<String>)]) -> Error {
    let names: Vec<String> = offered.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    Error::usage(format!(
        "there is no column \"{wanted}\" with names of genes in \"{path}\". It has: {}.",
        names.join(", ")
    ))
}

/// The column that looks most like names of genes; the first of several, the index when none does.
fn most_alike(offered: &[(String, Vec<String>)]) -> usize {
    let mut best = (0, 0.5);
    for (place, (name, values)) in offered.iter().enumerate() {
        let known = SYMBOL_COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name));
        let score = likeness(values) + if known { 0.25 } else { 0.0 };
        if score > best.1 {
            best = (place, score);
        }
    }
    best.0
}

/// Up to a thousand names, spread evenly.
fn sample(names: &[String]) -> impl ExactSizeIterator<Item = &String> {
    names.iter().step_by((names.len() / 1000).max(1))
}

/// Whether a column tells genes apart: most of its values occur once.
fn distinct(names: &[String]) -> bool {
    let unique: FxHashSet<&String> = sample(names).collect();
    unique.len() * 2 > sample(names).len()
}

/// The share of names that could be genes' symbols or accessions.
fn likeness(names: &[String]) -> f64 {
    let alike = sample(names).filter(|name| is_accession(name) || is_symbol(name)).count();
    alike as f64 / sample(names).len().max(1) as f64
}

/// Symbols begin with a letter (RIKEN's and a few others with a digit) and have no blanks.
fn is_symbol(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._/:@|()'".contains(c);
    name.len() <= 40 && name.chars().all(allowed) && name.chars().any(|c| c.is_ascii_alphabetic())
}

/// Whether most of up to a thousand names are accessions (Ensembl, FlyBase, WormBase) and not symbols.
pub fn mostly_accessions(names: &[String]) -> bool {
    let accessions = sample(names).filter(|name| is_accession(name)).count();
    accessions * 2 > sample(names).len()
}

/// Whether a name is an accession of Ensembl, FlyBase or WormBase.
pub fn is_accession(name: &str) -> bool {
    let digits = |rest: &str| rest.len() >= 6 && rest.as_bytes()[..6].iter().all(u8::is_ascii_digit);
    if let Some(rest) = name.strip_prefix("FBgn").or(name.strip_prefix("WBGene")) {
        return digits(rest);
    }
    let Some(rest) = name.strip_prefix("ENS") else {
        return false;
    };
    let species = rest.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = &rest[..rest.len() - species.len()];
    letters.ends_with('G') && digits(species)
}

/// Whether a type of features means genes. Converters write "Gene", "gene_expression" or "RNA" for what 10x calls "Gene
/// Expression".
pub fn is_gene_type(kind: &str) -> bool {
    let letters = kind.to_ascii_lowercase().replace([' ', '_', '-'], "");
    ["geneexpression", "gene", "genes", "gex", "rna", "mrna"].contains(&letters.as_str())
}

/// The types of features, that of genes as 10x writes it.
pub fn usual_types(types: Vec<String>) -> Vec<String> {
    let usual = |kind: String| if is_gene_type(&kind) { GENE_EXPRESSION.to_owned() } else { kind };
    types.into_iter().map(usual).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_genes_have_several_names() {
        for name in ["Gene Expression", "gene_expression", "Gene", "GEX", "rna"] {
            assert!(is_gene_type(name), "{name}");
        }
        for name in ["Antibody Capture", "GENE1", "Custom", "Peaks", ""] {
            assert!(!is_gene_type(name), "{name}");
        }
    }

    #[test]
    fn accessions_are_told_from_symbols() {
        for name in ["ENSG00000141510", "ENSG00000141510.17", "ENSMUSG00000059552", "FBgn0000008"] {
            assert!(is_accession(name), "{name}");
        }
        for name in ["TP53", "ENSA", "ENSG", "ENSAP1", "GENSG00000141510", "ENST00000141510", ""] {
            assert!(!is_accession(name), "{name}");
        }
    }

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn named(index: &[&str], columns: &[(&str, &[&str])], column: Option<&str>) -> Result<FeatureTable> {
        let table = GeneNames {
            path: "var",
            index_name: String::from("_index"),
            index: texts(index),
            columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            read: Box::new(|name| columns.iter().find(|known| known.0 == name).map(|known| texts(known.1))),
        };
        name_genes(&table, column)
    }

    fn pairs(table: &FeatureTable) -> Vec<(Option<&str>, &str)> {
        table.features.iter().map(|feature| (feature.id.as_deref(), feature.symbol.as_str())).collect()
    }

    const IDS: [&str; 3] = ["ENSG00000141510", "ENSG00000012048", "ENSG00000139618"];
    const SYMBOLS: [&str; 3] = ["TP53", "BRCA1", "BRCA2"];

    #[test]
    fn an_index_of_numbers_gives_way_to_a_column_of_genes() {
        let notes = ["a tumour suppressor", "a repair gene", "another one"];
        let table =
            named(&["0", "1", "2"], &[("notes", &notes), ("locus", &SYMBOLS), ("gene_ids", &IDS)], None).unwrap();
        assert_eq!(pairs(&table)[0], (Some(IDS[0]), "TP53"));
        assert_eq!(table.columns, ["locus", "index", "notes", "gene_ids"]);
        let numbers = named(&["0", "1", "2"], &[("notes", &notes)], None).unwrap();
        assert_eq!(pairs(&numbers)[2], (None, "2"));
        assert!(named(&SYMBOLS, &[], None).unwrap().columns.is_empty());
    }

    #[test]
    fn a_chosen_column_prevails() {
        let odd = ["x1", "x2", "x3"];
        let columns: [(&str, &[&str]); 4] =
            [("feature_name", &SYMBOLS), ("probe", &odd), ("length", &[]), ("chromosome", &["17", "17", "17"])];
        let guessed = named(&IDS, &columns, None).unwrap();
        assert_eq!(pairs(&guessed)[1], (Some(IDS[1]), "BRCA1"));
        assert_eq!(guessed.columns, ["feature_name", "index", "probe"]);
        let probes = named(&IDS, &columns, Some("probe")).unwrap();
        assert_eq!((pairs(&probes)[1], probes.columns[0].as_str()), ((Some(IDS[1]), "x2"), "probe"));
        let index = named(&IDS, &columns, Some("index")).unwrap();
        assert_eq!(pairs(&index)[1], (Some(IDS[1]), IDS[1]));
        let error = named(&IDS, &columns, Some("symbol")).err().unwrap();
        assert_eq!(
            error.message,
            "there is no column \"symbol\" with names of genes in \"var\". It has: \"index\", \"feature_name\", \"probe\"."
        );
    }
}
