//! Marker genes: `--markers` of `sextant map`, and `sextant markers` for labels that the person brings.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::report::{Stopwatch, thousands};
use serde::Serialize;
use sextant::batches::{self, Again};
use sextant::error::Warning;
use sextant::export::{self, MarkerTable};
use sextant::formats::Column;
use sextant::map::Mapping;
use sextant::markers::{Grouping, Markers, Options, Order, find_markers};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use sextant::reference::Reference;
use std::path::{Path, PathBuf};

/// Genes of each type that Azimuth's page shows.
const MOST_OF_AZIMUTH: usize = 10;
/// Bytes of counts that are held at a time where a file is mapped in batches.
const BATCHES_MEMORY: u64 = 2_000_000_000;

/// How marker genes are sought and written.
struct Wish {
    options: Options,
    table: MarkerTable,
    method: &'static str,
}

impl Wish {
    /// `method` and `top` are what the two options are called.
    fn of(arguments: &Arguments, method: &str, top: &str) -> Result<Self, Failure> {
        let (name, options, order, most) = match arguments.value(method) {
            None | Some("normalised") => ("normalised", Options::default(), Order::Significance, MarkerTable::MOST),
            Some("azimuth") => ("azimuth", Options::azimuth(), Order::Azimuth, MOST_OF_AZIMUTH),
            Some(other) => {
                return Err(Failure::usage(format!("--{method} takes 'normalised' or 'azimuth', not '{other}'.")));
            }
        };
        let most = match arguments.value(top) {
            None => Some(most),
            Some("all") => None,
            Some(text) => match text.parse::<usize>() {
                Ok(number @ 1..) => Some(number),
                _ => return Err(Failure::usage(format!("--{top} takes a number from 1, or 'all', not '{text}'."))),
            },
        };
        Ok(Wish { options, table: MarkerTable { order, most }, method: name })
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
}

/// What stands in `summary.json`.
#[derive(Serialize)]
pub struct Summary {
    method: &'static str,
    /// `all` of the file, or those of the `reference`.
    genes: &'static str,
    genes_compared: usize,
    genes_shown_of_each_type: Option<usize>,
    levels: Vec<String>,
}

impl OfMapping {
    pub const OPTIONS: [&str; 3] = ["markers", "markers-method", "markers-top"];

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
        Ok(OfMapping { wish, levels })
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
        let is_wanted = |name: &String| self.levels.as_ref().is_none_or(|levels| levels.contains(name));
        let mut groupings = Grouping::of_mapping(mapping, reference);
        groupings.retain(|grouping| is_wanted(&grouping.name));
        if groupings.is_empty() {
            return Ok(None);
        }
        let Wish { table, method, .. } = &self.wish;
        let found = match again {
            Some(again) => batches::find_markers(again, &groupings, &self.wish.options, BATCHES_MEMORY, progress)?,
            None => self.wish.find(query, &groupings, progress),
        };
        let summary = Summary {
            method,
            genes: if query.reference_genes_only { "reference" } else { "all" },
            genes_compared: query.features.len(),
            genes_shown_of_each_type: table.most,
            levels: groupings.into_iter().map(|grouping| grouping.name).collect(),
        };
        let warnings = found.iter().flat_map(Markers::warnings).collect();
        Ok(Some((export::markers(&found, query, table), warnings, summary)))
    }
}

/// `sextant markers`: groups of cells that a table or the file itself names.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let options = [
        "group-by",
        "groups",
        "group",
        "against",
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
    if arguments.value("against").is_some() && arguments.value("group").is_none() {
        return Err(Failure::usage("--against needs --group: the group to compare with it."));
    }
    let threads = arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);
    let options = QueryOptions {
        matrix: arguments.value("matrix"),
        gene_column: arguments.value("gene-column"),
        min_counts: arguments.number("min-counts")?,
        ..Default::default()
    };
    let query = Query::read(&mut inputs::open(&arguments)?, &options, &progress)?;
    let (mut grouping, more) = match arguments.value("groups") {
        Some(path) => of_table(Path::new(path), column, &query.cells)?,
        None => (of_metadata(&query, column)?, None),
    };
    let one = arguments.value("group");
    match (one, arguments.value("against")) {
        (Some(group), Some(against)) => grouping = grouping.between(group, against)?,
        (Some(group), None) => grouping.place(group).map(|_| ())?,
        (None, _) => {}
    }
    let mut found = wish.find(&query, std::slice::from_ref(&grouping), &progress);
    if let (Some(group), None) = (one, arguments.value("against")) {
        found.iter_mut().for_each(|level| level.groups.retain(|found| found.group == group));
    }
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
    let is_measured = |value: &f64| value.is_finite() && value.fract() != 0.0;
    if matches!(column, Column::Number(values) if values.iter().any(is_measured)) {
        return Err(Failure::usage(format!("The cell column '{wanted}' holds numbers, not groups.")));
    }
    let names: Vec<Option<String>> = (0..query.cells.len()).map(|cell| column.text(cell)).collect();
    Ok(Grouping::of_names(wanted, names.iter().map(Option::as_deref))?)
}

/// A column of a table whose first column names the cells.
fn of_table(path: &Path, wanted: &str, cells: &[String]) -> Result<(Grouping, Option<Warning>), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
    Ok(Grouping::of_table(&text, &path.display().to_string(), wanted, cells)?)
}
