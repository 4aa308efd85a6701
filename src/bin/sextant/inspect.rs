//! `sextant inspect`: what a file holds, and which matrix would be used.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::report::thousands;
use serde::Serialize;
use sextant::formats::{Candidate, ReadOptions};
use sextant::metadata::{ColumnSummary, Kind, Shortest, ValueCount};
use sextant::progress::Progress;
use sextant::qc::Limit;
use sextant::query::{Query, QueryOptions, Summary};

/// Columns of the table of cells, and values of each, that are printed for people.
const COLUMNS: usize = 40;
const VALUES: usize = 4;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    query: Summary<'a>,
    matrices: &'a [Candidate],
    /// Columns that gene names can be taken from, the one in use first.
    gene_columns: &'a [String],
    samples: &'a [String],
}

pub fn run(words: &[&str]) -> Result<(), Failure> {
    let names = ["matrix", "gene-column", "min-counts", "samples", "threads"];
    let arguments = Arguments::parse(words, "QUERY", &names, &["json"])?;
    arguments.start_threads()?;
    let mut file = inputs::open(&arguments)?;
    let (matrix, gene_column) = (arguments.value("matrix"), arguments.value("gene-column"));
    let inspection = file.inspect(&ReadOptions { matrix, gene_column, ..Default::default() })?;
    let options = QueryOptions {
        matrix,
        gene_column,
        min_counts: arguments.number("min-counts")?,
        samples: arguments.value("samples"),
        ..Default::default()
    };
    let query = Query::read(&mut file, &options, &Progress::silent())?;
    let report = Report {
        query: query.summary(),
        matrices: &inspection.matrices,
        gene_columns: &inspection.gene_columns,
        samples: &inspection.samples,
    };
    if arguments.flag("json") {
        let text = serde_json::to_string_pretty(&report);
        println!("{}", text.map_err(|error| Failure { code: 1, message: error.to_string() })?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report<'_>) {
    let query = &report.query;
    let or_unknown = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.1}"));
    println!("format            {}", query.format);
    println!("cells             {} ({} without counts)", thousands(query.cells), thousands(query.empty_cells));
    println!("genes             {}", thousands(query.genes));
    println!("non-zero counts   {}", thousands(query.nonzeros));
    println!("species           {}", query.species.unwrap_or("unknown"));
    println!("median per cell   {} counts", or_unknown(query.median_counts));
    println!("                  {} features", or_unknown(query.median_features));
    println!("                  {} percent_mt", or_unknown(query.median_percent_mt));
    println!("                  {} percent_ribo", or_unknown(query.median_percent_ribo));
    println!("                  {} percent_hb", or_unknown(query.median_percent_hb));
    for sample in &query.limits.samples {
        let limit =
            |limit: &Limit| format!("{} {:.1} ({} cells)", limit.name, limit.value, thousands(limit.cells_beyond));
        let limits: Vec<String> = sample.limits.iter().map(limit).collect();
        let name = sample.sample.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let [beyond, all] = [sample.cells_beyond, sample.cells].map(thousands);
        println!("suggested limits  {name}{}; {beyond} of {all} cells beyond any", limits.join(", "));
    }
    for (name, count) in query.feature_types {
        println!("feature type      {name}: {}", thousands(*count));
    }
    for matrix in report.matrices {
        let mark = if matrix.path == query.matrix { "used" } else { "    " };
        println!("matrix     {mark}   {}: {}", matrix.path, matrix.verdict);
    }
    if let [used, others @ ..] = report.gene_columns {
        println!("gene names        from {used} (others: {})", others.join(", "));
    }
    if !report.samples.is_empty() {
        println!("samples           {}", report.samples.join(", "));
    }
    for column in query.metadata.iter().take(COLUMNS) {
        println!("cell column       {}: {}", column.name, described(column));
    }
    if let Some(more @ 1..) = query.metadata.len().checked_sub(COLUMNS) {
        println!("cell columns      and {} more", thousands(more));
    }
    for warning in &query.warnings {
        println!("warning           {}", warning.message);
    }
}

/// A column of the table of cells in a line.
fn described(column: &ColumnSummary) -> String {
    let mut parts: Vec<String> = Vec::new();
    let value = |value: &ValueCount| format!("{} {}", value.value, thousands(value.cells));
    if column.unique && column.kind != Kind::Number {
        parts.push("another for each cell".to_owned());
    } else if column.kind != Kind::Number {
        parts.extend(column.values.iter().take(VALUES).map(value));
        if let Some(more @ 1..) = column.distinct.checked_sub(VALUES) {
            parts.push(format!("and {} more value{}", thousands(more), if more == 1 { "" } else { "s" }));
        }
    } else if let (Some(min), Some(median), Some(max)) = (column.min, column.median, column.max) {
        parts.push(format!("{} to {}, median {}", Shortest(min), Shortest(max), Shortest(median)));
    }
    if column.infinite > 0 {
        parts.push(format!("{} infinite", thousands(column.infinite)));
    }
    if column.missing > 0 {
        parts.push(format!("{} missing", thousands(column.missing)));
    }
    parts.join(", ")
}
