//! Which names the genes of a matrix have: those of its rows, or those of a column of its table of genes.

use super::columns::{self, Columns};
use super::numbers::File;
use super::offer::Offer;
use super::tree::Tree;
use crate::error::{Error, Kind, Result};
use crate::formats::gene_names::{ID_COLUMNS, SYMBOL_COLUMNS, is_gene_type, mostly_accessions, usual_types};
use crate::formats::stored::FeatureTable;
use crate::formats::{Column, Feature};

/// The names of the rows as people choose them.
const ROW_NAMES: &str = "row names";
/// Columns with types of features, as DropletUtils and anndata call them.
const TYPE_COLUMNS: [&str; 3] = ["Type", "feature_types", "feature_type"];

/// The genes of a matrix.
///
/// # Errors
/// When there is no column of the name that was chosen.
pub fn table(tree: &Tree, file: &File, offer: &Offer, chosen: Option<&str>) -> Result<FeatureTable> {
    let count = offer.genes.len();
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    if !offer.genes.missing() {
        named.push((ROW_NAMES.to_owned(), offer.genes.picked(None)));
    }
    let mut types = None;
    if let Some(table) = &offer.gene_table {
        let rows = columns::rows(table, &offer.genes);
        let mut columns = Columns { tree, file, stream: None };
        for (name, id) in &table.columns {
            let Some(values) = columns.read(*id, &rows, count).ok().and_then(texts) else {
                continue;
            };
            if TYPE_COLUMNS.contains(&name.as_str()) && values.iter().any(|kind| is_gene_type(kind)) {
                types = Some(usual_types(values));
            } else if is_named_like_names(name) || mostly_accessions(&values) {
                named.push((name.clone(), values));
            }
        }
    }
    let used = match chosen {
        Some(chosen) => named.iter().position(|(name, _)| name == chosen).ok_or_else(|| {
            let names: Vec<_> = named.iter().map(|(name, _)| name.as_str()).collect();
            Error::new(Kind::Usage, format!("the genes have no column \"{chosen}\". They have: {}.", names.join(", ")))
        })?,
        None => 0,
    };
    let Some((_, names)) = named.get(used) else {
        return match offer.matrix {
            Ok(_) => Err(missing(&offer.path)),
            // It says itself why it cannot be used.
            Err(_) => Ok(FeatureTable::default()),
        };
    };
    let features = features(names, &named, chosen.is_some());
    let mut columns: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    columns[..=used].rotate_right(1);
    if columns.len() < 2 {
        columns.clear();
    }
    Ok(FeatureTable { features, types, columns })
}

/// The error for genes without names.
pub fn missing(path: &str) -> Error {
    Error::input(format!(
        "\"{path}\" has no names of genes. In R, give them with `rownames(x) <- …` and save the object again."
    ))
}

/// Ids and symbols: one of them are the names in use, the other may stand in a column.
fn features(names: &[String], named: &[(String, Vec<String>)], chosen: bool) -> Vec<Feature> {
    let find = |known: &[&str], accept: &dyn Fn(&[String]) -> bool| {
        let columns = known.iter().filter_map(|known| named.iter().find(|(name, _)| name.eq_ignore_ascii_case(known)));
        columns.map(|(_, values)| values).find(|values| accept(values))
    };
    let empty = |text: &str| text.is_empty() || text == "NA";
    let pairs = names.iter().enumerate();
    if mostly_accessions(names) {
        let symbols = if chosen { None } else { find(&SYMBOL_COLUMNS, &|values| !mostly_accessions(values)) };
        let symbol = |row: usize| symbols.and_then(|symbols| symbols.get(row)).filter(|symbol| !empty(symbol));
        return pairs
            .map(|(row, id)| Feature { id: Some(id.clone()), symbol: symbol(row).unwrap_or(id).clone() })
            .collect();
    }
    let ids = find(&ID_COLUMNS, &mostly_accessions);
    let id = |row: usize| ids.and_then(|ids| ids.get(row)).filter(|id| !empty(id));
    pairs.map(|(row, symbol)| Feature { id: id(row).cloned(), symbol: symbol.clone() }).collect()
}

fn is_named_like_names(name: &str) -> bool {
    SYMBOL_COLUMNS.iter().chain(&ID_COLUMNS).any(|known| known.eq_ignore_ascii_case(name))
}

fn texts(column: Column) -> Option<Vec<String>> {
    match column {
        Column::Text(values) => Some(values),
        Column::Categorical { categories, codes } => {
            Some(codes.iter().map(|&code| categories.get(code as usize).cloned().unwrap_or_default()).collect())
        }
        Column::Number(_) => None,
    }
}
