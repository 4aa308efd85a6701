//! The routes on which a gene of the query comes to a feature of the reference, the surest first.

use super::names::{Name, Species, species_of};
use super::table::{GeneTable, Standing};
use super::{Fate, Route};
use crate::formats::Feature;
use rustc_hash::FxHashMap;

/// Where every gene of the query arrives, in their order.
///
/// A route is walked by all genes before the next, so a gene never takes a feature from one that came by a better
/// route; among genes of one route the first takes it.
pub fn walk(query: &[Feature], reference: &[Feature], table: Option<&GeneTable>) -> Vec<Fate> {
    let (from, to) = (species_of(query), species_of(reference));
    let mut walk = Walk {
        names: query.iter().map(Name::of).collect(),
        fates: vec![Fate::NotFound; query.len()],
        taken: vec![false; reference.len()],
        to,
    };
    let index = Index::of(reference, table);
    if let (Some(from), Some(to), Some(table)) = (from, to, table)
        && from != to
    {
        // Equal names of two species are not always one gene's, old names even less.
        let features = features_of_genes(reference, table, to);
        for standing in [Standing::Symbol, Standing::Previous, Standing::Alias] {
            walk.across(to, |name| {
                let (gene, found_by) = gene_of(name, table, from)?;
                let &(row, _) = features.get(&table.orthologue(from, gene)?)?;
                (found_by == standing).then_some(row)
            });
        }
        return walk.finish(Some(from));
    }
    walk.route(Route::Id, |name| index.by_id(name).filter(|_| !name.stripped));
    walk.route(Route::Symbol, |name| index.by_symbol(name).filter(|_| !name.stripped));
    walk.route(Route::Genome, |name| index.by_id(name).or_else(|| index.by_symbol(name)).filter(|_| name.stripped));
    if from == to {
        let spellings = spellings(reference);
        walk.route(Route::Spelling, |name| {
            let row = *spellings.get(&spelling(name.symbol.as_deref()?))?;
            row.filter(|&row| !index.contradicts(name, row))
        });
    }
    if let (Some(table), Some(species)) = (table, to) {
        let features = features_of_genes(reference, table, species);
        for (route, standing) in
            [(Route::Table, Standing::Symbol), (Route::Previous, Standing::Previous), (Route::Alias, Standing::Alias)]
        {
            walk.route(route, |name| {
                let (gene, found_by) = gene_of(name, table, species)?;
                let &(row, known_by) = features.get(&gene)?;
                (found_by.max(known_by) == standing).then_some(row)
            });
        }
    }
    walk.finish(from)
}

struct Walk<'a> {
    names: Vec<Name<'a>>,
    fates: Vec<Fate>,
    taken: Vec<bool>,
    /// Of the reference.
    to: Option<Species>,
}

impl Walk<'_> {
    /// A route for the genes that are not known to be of another species.
    fn route(&mut self, route: Route, find: impl Fn(&Name<'_>) -> Option<u32>) {
        let to = self.to;
        self.each(route, |name| if is_foreign(name, to) { None } else { find(name) });
    }

    /// The route from the other species.
    fn across(&mut self, to: Species, find: impl Fn(&Name<'_>) -> Option<u32>) {
        self.each(Route::Orthologue, |name| if name.species == Some(to) { None } else { find(name) });
    }

    fn each(&mut self, route: Route, find: impl Fn(&Name<'_>) -> Option<u32>) {
        for (name, fate) in self.names.iter().zip(&mut self.fates) {
            if *fate != Fate::NotFound {
                continue;
            }
            let Some((row, taken)) = find(name).and_then(|row| Some((row, self.taken.get_mut(row as usize)?))) else {
                continue;
            };
            *fate = if std::mem::replace(taken, true) { Fate::Duplicate(row) } else { Fate::Matched(row, route) };
        }
    }

    /// In a mixture of species, the genes of the other one are set apart from those that were not found.
    fn finish(mut self, from: Option<Species>) -> Vec<Fate> {
        if from.is_none() || from == self.to {
            for (name, fate) in self.names.iter().zip(&mut self.fates) {
                if *fate == Fate::NotFound && is_foreign(name, self.to) {
                    *fate = Fate::OtherSpecies;
                }
            }
        }
        self.fates
    }
}

fn is_foreign(name: &Name<'_>, to: Option<Species>) -> bool {
    matches!((name.species, to), (Some(species), Some(to)) if species != to)
}

/// The features of the reference by their names.
struct Index<'a> {
    names: Vec<Name<'a>>,
    ids: FxHashMap<&'a str, u32>,
    symbols: FxHashMap<String, u32>,
    table: Option<&'a GeneTable>,
}

impl<'a> Index<'a> {
    fn of(reference: &'a [Feature], table: Option<&'a GeneTable>) -> Self {
        let names: Vec<Name<'a>> = reference.iter().map(Name::of).collect();
        let (mut ids, mut symbols) = (FxHashMap::default(), FxHashMap::default());
        for (row, name) in (0..).zip(&names) {
            if let Some(id) = name.id {
                ids.entry(id).or_insert(row);
            }
            if let Some(symbol) = &name.symbol {
                symbols.entry(symbol.to_string()).or_insert(row);
            }
        }
        Index { names, ids, symbols, table }
    }

    fn by_id(&self, name: &Name<'_>) -> Option<u32> {
        self.ids.get(name.id?).copied()
    }

    fn by_symbol(&self, name: &Name<'_>) -> Option<u32> {
        let row = *self.symbols.get(name.symbol.as_deref()?)?;
        (!self.contradicts(name, row)).then_some(row)
    }

    /// Two ids that differ name two genes, whatever their symbols; unless the table knows them as loci of one gene,
    /// or does not know one of them, which then is retired.
    fn contradicts(&self, name: &Name<'_>, row: u32) -> bool {
        let (Some(a), Some(b)) = (name.id, self.names.get(row as usize).and_then(|name| name.id)) else {
            return false;
        };
        let gene = |id: &str| self.table.and_then(|table| table.gene_of_id(Species::of_id(id)?, id));
        match (gene(a), gene(b)) {
            _ if a == b => false,
            _ if letters(a) != letters(b) => true,
            (Some(a), Some(b)) => a != b,
            _ => self.table.is_none(),
        }
    }
}

/// What of an Ensembl id tells the species.
fn letters(id: &str) -> &str {
    id.trim_end_matches(|digit: char| digit.is_ascii_digit())
}

/// The gene of the table, by id before symbol. An id that the table does not know is retired, or of no named gene; an id
/// of another species leads nowhere.
fn gene_of(name: &Name<'_>, table: &GeneTable, species: Species) -> Option<(u32, Standing)> {
    if name.id.is_some_and(|id| Species::of_id(id) != Some(species)) {
        return None;
    }
    let by_id = name.id.and_then(|id| table.gene_of_id(species, id));
    by_id.map(|gene| (gene, Standing::Symbol)).or_else(|| table.gene_of_name(species, name.symbol.as_deref()?))
}

/// The best-known and first feature of each gene of the table.
fn features_of_genes(reference: &[Feature], table: &GeneTable, species: Species) -> FxHashMap<u32, (u32, Standing)> {
    let mut features = FxHashMap::default();
    for (row, feature) in (0..).zip(reference) {
        if let Some((gene, standing)) = gene_of(&Name::of(feature), table, species) {
            let known = features.entry(gene).or_insert((row, standing));
            if standing < known.1 {
                *known = (row, standing);
            }
        }
    }
    features
}

/// A symbol as it is left after R's `make.names` (`HLA.A`) or writing in capitals (`C1ORF112`).
fn spelling(symbol: &str) -> String {
    symbol.replace('.', "-").to_ascii_uppercase()
}

/// Features by spelling; `None` where two share it.
fn spellings(reference: &[Feature]) -> FxHashMap<String, Option<u32>> {
    let mut rows: FxHashMap<String, Option<u32>> = FxHashMap::default();
    for (row, feature) in (0..).zip(reference) {
        if let Some(symbol) = Name::of(feature).symbol {
            rows.entry(spelling(&symbol)).and_modify(|row| *row = None).or_insert(Some(row));
        }
    }
    rows
}
