//! `sextant inspect`: what a file holds, and which matrix would be used.

use crate::Failure;
use crate::arguments::Arguments;
use crate::report::thousands;
use serde::Serialize;
use sextant::error::Warning;
use sextant::formats::{self, Candidate, OpenFile};
use sextant::genes;
use sextant::progress::Progress;
use sextant::qc::median;
use sextant::query::Query;
use std::path::Path;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    format: &'a str,
    matrix: &'a str,
    matrices: &'a [Candidate],
    /// All cells of the file, also those without counts.
    cells: usize,
    empty_cells: usize,
    genes: usize,
    nonzeros: usize,
    total_counts: f64,
    median_counts: Option<f64>,
    median_features: Option<f64>,
    median_percent_mt: Option<f64>,
    feature_types: &'a [(String, usize)],
    species: Option<&'a str>,
    metadata: Vec<&'a str>,
    warnings: &'a [Warning],
}

/// Opens a query file.
pub fn open(path: &Path) -> Result<OpenFile, Failure> {
    let file = std::fs::File::open(path).map_err(|error| Failure::io("Cannot open", path, &error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(formats::open(Box::new(file), &name)?)
}

pub fn run(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "FILE", &["matrix", "threads"], &["json"])?;
    arguments.start_threads()?;
    let mut file = open(&arguments.file)?;
    let inspection = file.inspect()?;
    let query = Query::new(file.read(arguments.value("matrix"), &Progress::silent())?)?;
    let features: Vec<f64> = query.metrics.features.iter().copied().map(f64::from).collect();
    let report = Report {
        format: &query.format,
        matrix: &query.matrix,
        matrices: &inspection.matrices,
        cells: query.cells.len() + query.empty_cells.len(),
        empty_cells: query.empty_cells.len(),
        genes: query.features.len(),
        nonzeros: query.counts.nonzeros(),
        total_counts: query.total_counts(),
        median_counts: median(&query.metrics.counts),
        median_features: median(&features),
        median_percent_mt: query.metrics.percent_mt.as_deref().and_then(median),
        feature_types: &query.feature_types,
        species: genes::species(&query.features),
        metadata: query.metadata.iter().map(|column| column.0.as_str()).collect(),
        warnings: &query.warnings,
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
    let or_unknown = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.1}"));
    println!("format            {}", report.format);
    println!("cells             {} ({} without counts)", thousands(report.cells), thousands(report.empty_cells));
    println!("genes             {}", thousands(report.genes));
    println!("non-zero counts   {}", thousands(report.nonzeros));
    println!("species           {}", report.species.unwrap_or("unknown"));
    println!("median per cell   {} counts", or_unknown(report.median_counts));
    println!("                  {} features", or_unknown(report.median_features));
    println!("                  {} percent_mt", or_unknown(report.median_percent_mt));
    for (name, count) in report.feature_types {
        println!("feature type      {name}: {}", thousands(*count));
    }
    for matrix in report.matrices {
        let mark = if matrix.path == report.matrix { "used" } else { "    " };
        println!("matrix     {mark}   {}: {}", matrix.path, matrix.verdict);
    }
    if !report.metadata.is_empty() {
        println!("cell columns      {}", report.metadata.join(", "));
    }
    for warning in report.warnings {
        println!("warning           {}", warning.message);
    }
}
