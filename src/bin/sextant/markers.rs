//! Marker genes: `--markers` of `sextant map`, and `sextant markers` for labels that the person brings.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::report::{Stopwatch, thousands};
use serde::Serialize;
use sextant::batches::{self, Again};
use sextant::error::Warning;
use sextant::export::{self, MarkerTable};
use sextant::map::Mapping;
use sextant::markers::{Chosen, Grouping, Markers, Options, find_markers};
use sextant::progress::Progress;
use sextant::qc::Filter;
use sextant::query::{Query, QueryOptions};
use sextant::reference::Reference;
use std::path::{Path, PathBuf};

/// Bytes of counts that are held at a time where a file is mapped in batches.
const BATCHES_MEMORY: u64 = 2_000_000_000;

/// How marker genes are sought and written.
struct Wish {
    options: Options,
    table: MarkerTable,
    method: String,
}

impl Wish {
    /// `method` and `top` are what the two options are called.
    fn of(arguments: &Arguments, method: &str, top: &str) -> Result<Self, Failure> {
        let name = arguments.value(method).unwrap_or("normalised");
        let Some((options, table)) = MarkerTable::of_method(name) else {
            return Err(Failure::usage(format!("--{method} takes 'normalised' or 'azimuth', not '{name}'.")));
        };
        let most = match arguments.value(top) {
            None => table.most,
            Some("all") => None,
            Some(text) => match text.parse::<usize>() {
                Ok(number @ 1..) => Some(number),
                _ => return Err(Failure::usage(format!("--{top} takes a number from 1, or 'all', not '{text}'."))),
            },
        };
        Ok(Wish { options, table: MarkerTable { most, ..table }, method: name.to_owned() })
    }

    fn find(&self, query: &Query, groupings: &[Grouping], progress: &Progress<'_>) -> Vec<Markers> {
        find_markers(&query.counts, &query.metrics.counts, groupings, &self.options, progress)
    }
}

/// What `sextant map` was asked for.
pub struct OfMapping {
    wish: Wish,
    /// `None`: all that are mapped.
    levels: Option<Vec<String>>,
    chosen: Chosen,
}

/// What stands in `summary.json`.
#[derive(Serialize)]
pub struct Summary {
    method: String,
    /// `all` of the file, or those of the `reference`.
    genes: &'static str,
    genes_compared: usize,
    genes_shown_of_each_type: Option<usize>,
    levels: Vec<String>,
}

impl OfMapping {
    pub const OPTIONS: [&str; 5] = ["markers", "markers-method", "markers-top", "markers-group", "markers-against"];

    /// # Errors
    /// A level that will not be mapped, of `levels` or all of the reference.
    pub fn of(arguments: &Arguments, reference: &Reference) -> Result<Self, Failure> {
        let wish = Wish::of(arguments, "markers-method", "markers-top")?;
        let levels = match arguments.value("markers") {
            None | Some("all") => None,
            Some("none") => Some(Vec::new()),
            Some(_) => arguments.list("markers"),
        };
        let all = || reference.levels.iter().map(|level| level.name.clone()).collect();
        let mapped: Vec<String> = arguments.list("levels").unwrap_or_else(all);
        if let Some(level) = levels.iter().flatten().find(|&level| !mapped.contains(level)) {
            return Err(Failure::usage(format!(
                "--markers names '{level}', which is not mapped. Mapped are: {}.",
                mapped.join(", ")
            )));
        }
        let chosen = chosen(arguments, "markers-group", "markers-against")?;
        let one = levels.as_ref().unwrap_or(&mapped).len() == 1;
        if chosen.group.is_some() && !one {
            return Err(Failure::usage("--markers-group needs --markers with the one level that the group is of."));
        }
        // Before the mapping, which would have been for nothing: whether the level has such groups.
        for level in reference.levels.iter().filter(|level| levels.as_ref().unwrap_or(&mapped).contains(&level.name)) {
            let groups = level.classes.iter().map(|class| class.name.clone()).collect();
            chosen.of(Grouping { name: level.name.clone(), groups, codes: Vec::new() })?;
        }
        Ok(OfMapping { wish, levels, chosen })
    }

    /// The types of the levels whose markers were asked for.
    pub fn groupings(&self, mapping: &Mapping, reference: &Reference) -> Vec<Grouping> {
        let is_wanted = |name: &String| self.levels.as_ref().is_none_or(|levels| levels.contains(name));
        let mut groupings = Grouping::of_mapping(mapping, reference);
        groupings.retain(|grouping| is_wanted(&grouping.name));
        groupings
    }

    /// The table, what is said of it, and its figures; `None` where no level was asked for. `again`: where the counts were
    /// not kept.
    ///
    /// # Errors
    /// The file cannot be read again.
    pub fn table(
        &self,
        query: &Query,
        mapping: &Mapping,
        reference: &Reference,
        progress: &Progress<'_>,
        again: Option<Again<'_>>,
    ) -> Result<Option<(String, Vec<Warning>, Summary)>, Failure> {
        let groupings = self.groupings(mapping, reference);
        if groupings.is_empty() {
            return Ok(None);
        }
        let groupings =
            groupings.into_iter().map(|grouping| self.chosen.of(grouping)).collect::<Result<Vec<_>, _>>()?;
        let Wish { table, method, .. } = &self.wish;
        let mut found = match again {
            Some(again) => batches::find_markers(again, &groupings, &self.wish.options, BATCHES_MEMORY, progress)?,
            None => self.wish.find(query, &groupings, progress),
        };
        self.chosen.keep(&mut found);
        let summary = Summary {
            method: method.clone(),
            genes: if query.reference_genes_only { "reference" } else { "all" },
            genes_compared: query.features.len(),
            genes_shown_of_each_type: table.most,
            levels: groupings.into_iter().map(|grouping| grouping.name).collect(),
        };
        let warnings = found.iter().flat_map(Markers::warnings).collect();
        Ok(Some((export::markers(&found, query, table), warnings, summary)))
    }
}

/// The groups to compare, by what the two options are called.
fn chosen(arguments: &Arguments, group: &str, against: &str) -> Result<Chosen, Failure> {
    let value = |name: &str| arguments.value(name).map(str::to_owned);
    let chosen = Chosen { group: value(group), against: value(against) };
    match chosen {
        Chosen { group: None, against: Some(_) } => {
            Err(Failure::usage(format!("--{against} needs --{group}: the group to compare with it.")))
        }
        chosen => Ok(chosen),
    }
}

/// `sextant markers`: groups of cells that a table or the file itself names.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let options = [
        "group-by",
        "groups",
        "group",
        "against",
        "filter",
        "samples",
        "out",
        "method",
        "top",
        "matrix",
        "gene-column",
        "min-counts",
        "threads",
    ];
    let arguments = Arguments::parse(words, "QUERY", &options, &[])?;
    let wish = Wish::of(&arguments, "method", "top")?;
    let column = arguments.required("group-by")?;
    let out = PathBuf::from(arguments.required("out")?);
    let chosen = chosen(&arguments, "group", "against")?;
    let filter = arguments.value("filter").map(Filter::parse).transpose()?;
    let threads = arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);
    let options = QueryOptions {
        matrix: arguments.value("matrix"),
        gene_column: arguments.value("gene-column"),
        min_counts: arguments.number("min-counts")?,
        filter: filter.as_ref(),
        samples: arguments.value("samples"),
        ..Default::default()
    };
    let query = Query::read(&mut inputs::open(&arguments)?, &options, &progress)?;
    let (grouping, more) = match arguments.value("groups") {
        Some(path) => of_table(Path::new(path), column, &query.cells)?,
        None => (of_metadata(&query, column)?, None),
    };
    let grouping = chosen.of(grouping)?;
    let mut found = wish.find(&query, std::slice::from_ref(&grouping), &progress);
    chosen.keep(&mut found);
    let text = export::markers(&found, &query, &wish.table);
    std::fs::create_dir_all(&out).map_err(|error| Failure::io("Cannot make the folder", &out, &error))?;
    let path = out.join("markers.tsv");
    std::fs::write(&path, text).map_err(|error| Failure::io("Cannot write", &path, &error))?;
    for warning in
        query.warnings.iter().chain(&more).chain(&found.iter().flat_map(Markers::warnings).collect::<Vec<_>>())
    {
        println!("warning: {}", warning.message);
    }
    for group in found.iter().flat_map(|level| &level.groups).filter(|group| group.genes.is_ok()) {
        println!("{}: {} cells against {}", group.group, thousands(group.cells), thousands(group.others));
    }
    println!("{:.2} s on {threads} threads; the table is '{}'.", watch.seconds().1, path.display());
    Ok(())
}

/// A column of the file's table of cells.
fn of_metadata(query: &Query, wanted: &str) -> Result<Grouping, Failure> {
    if query.metadata.is_empty() {
        return Err(Failure::usage(format!(
            "The file has no table of cells, so no column '{wanted}'. Name a table with --groups TABLE.tsv."
        )));
    }
    let column = inputs::column(&query.metadata, wanted)?;
    Ok(Grouping::of_column(wanted, column, query.cells.len())?)
}

/// A column of a table whose first column names the cells.
fn of_table(path: &Path, wanted: &str, cells: &[String]) -> Result<(Grouping, Option<Warning>), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
    Ok(Grouping::of_table(&text, &path.display().to_string(), wanted, cells)?)
}
