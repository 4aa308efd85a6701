//! `sextant inspect`: what a file holds, and which matrix would be used.

use crate::Failure;
use crate::arguments::Arguments;
use crate::report::thousands;
use serde::Serialize;
use sextant::formats::{self, Candidate, OpenFile};
use sextant::progress::Progress;
use sextant::query::{Query, Summary};
use std::path::Path;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    query: Summary<'a>,
    matrices: &'a [Candidate],
    /// Columns of the file's table of cells.
    metadata: Vec<&'a str>,
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
    let report = Report {
        query: query.summary(),
        matrices: &inspection.matrices,
        metadata: query.metadata.iter().map(|column| column.0.as_str()).collect(),
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
    for (name, count) in query.feature_types {
        println!("feature type      {name}: {}", thousands(*count));
    }
    for matrix in report.matrices {
        let mark = if matrix.path == query.matrix { "used" } else { "    " };
        println!("matrix     {mark}   {}: {}", matrix.path, matrix.verdict);
    }
    if !report.metadata.is_empty() {
        println!("cell columns      {}", report.metadata.join(", "));
    }
    for warning in &query.warnings {
        println!("warning           {}", warning.message);
    }
}
