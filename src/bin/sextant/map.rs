//! `sextant map`: a query onto a reference, as tables.

use crate::Failure;
use crate::arguments::Arguments;
use crate::clusters::{self, OfQuery};
use crate::inputs;
use crate::markers::{self, OfMapping};
use crate::proteins;
use crate::quality::{DoubletSummary, Wish};
use crate::report::{Stopwatch, peak_memory, thousands};
use serde::Serialize;
use sextant::batches::{self, Again};
use sextant::genes::{GeneMatch, GeneTable};
use sextant::map::grade::Grade;
use sextant::map::samples::{self, SampleOutcome};
use sextant::map::{self, Mapping, Method};
use sextant::progress::Progress;
use sextant::qc::{Ambient, Filter, Limits};
use sextant::query::{Query, QueryOptions};
use sextant::reference::{MissingType, Reference, bundle};
use sextant::{Warning, export};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the table of gene names is called.
const GENE_TABLE: &str = "genes.sextant.table";

#[derive(Serialize)]
struct Stage {
    stage: String,
    seconds: f64,
}

#[derive(Serialize)]
struct Summary<'a> {
    sextant: &'static str,
    method: &'static str,
    query: FileSummary,
    reference: ReferenceSummary<'a>,
    format: &'a str,
    matrix: &'a str,
    cells: usize,
    cells_without_counts: usize,
    cells_left_out: usize,
    /// On the quality of cells, suggested and not applied.
    suggested_limits: &'a Limits,
    /// What looks like ambient RNA.
    ambient: &'a [Ambient],
    genes: usize,
    nonzeros: usize,
    total_counts: f64,
    genes_in_common: usize,
    /// How many of them by each route, and what was not matched.
    genes_matched: &'a GeneMatch,
    gene_table: Option<GeneTableSummary<'a>>,
    features_used: usize,
    /// Where it was mapped in batches.
    batches: Option<BatchesSummary>,
    anchors: usize,
    percent_cells_with_anchors: f64,
    percent_cells_with_anchors_grade: Grade,
    cluster_preservation: Option<clusters::PreservationSummary>,
    clusters: Option<clusters::Summary>,
    /// For each level, how many cells of each class.
    labels: BTreeMap<&'a str, BTreeMap<&'a str, usize>>,
    /// Where each was mapped by itself.
    samples: Vec<SampleOutcome>,
    doublets: Option<DoubletSummary>,
    markers: Option<markers::Summary>,
    proteins: Option<proteins::Summary>,
    warnings: Vec<Warning>,
    threads: usize,
    stages: Vec<Stage>,
    seconds: f64,
    peak_memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct FileSummary {
    file: String,
    sha256: String,
}

#[derive(Serialize)]
struct ReferenceSummary<'a> {
    name: &'a str,
    version: &'a str,
    sha256: String,
    cells: usize,
    features: usize,
    /// Types of the tissue that unknown cells may be of.
    does_not_contain: &'a [MissingType],
    /// Whether it is healthy tissue, so that diseased cells are given names of healthy types.
    healthy: Option<bool>,
}

#[derive(Serialize)]
struct BatchesSummary {
    batches: usize,
    cells_at_most: usize,
}

#[derive(Serialize)]
struct GeneTableSummary<'a> {
    version: &'a str,
    sha256: &'a str,
}

/// The table of gene names: the one that was named (`none` for none), or the one that stands beside the references.
pub fn read_genes(named: Option<&str>, bundle: &Path) -> Result<Option<(GeneTable, String)>, Failure> {
    // Beside the bundle or a folder further up, in a folder of its own as in this repository or without one.
    let folders = [bundle.parent(), bundle.parent().and_then(Path::parent)];
    let places = folders.into_iter().flatten().flat_map(|folder| [folder.to_owned(), folder.join("genes")]);
    let path = match named {
        Some("none") => None,
        Some(named) => Some(PathBuf::from(named)),
        None => places.map(|folder| folder.join(GENE_TABLE)).find(|path| path.is_file()),
    };
    let Some(path) = path else { return Ok(None) };
    let bytes =
        std::fs::read(&path).map_err(|error| Failure::io("Cannot read the table of gene names", &path, &error))?;
    Ok(Some((GeneTable::read(&bytes)?, bundle::sha256(&bytes))))
}

/// Reads a bundle, with its checksum.
pub fn read_reference(path: &Path) -> Result<(Reference, String), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::io("Cannot read the reference", path, &error))?;
    Ok((bundle::read(&bytes)?, bundle::sha256(&bytes)))
}

pub fn run(words: &[&str]) -> Result<(), Failure> {
    let options =
        ["reference", "out", "threads", "levels", "matrix", "gene-column", "min-counts", "method", "genes", "batch"];
    let options = [&options[..], &Wish::OPTIONS, &OfMapping::OPTIONS, &OfQuery::OPTIONS].concat();
    let flags = [&["reference-genes-only", "proteins"][..], &Wish::FLAGS, &OfQuery::FLAGS].concat();
    let arguments = Arguments::parse(words, "QUERY", &options, &flags)?;
    let (wish, own) = (Wish::of(&arguments)?, OfQuery::of(&arguments)?);
    let method = arguments.value("method").map_or(Ok(Method::default()), Method::of_name)?;
    let bundle_path = PathBuf::from(arguments.required("reference")?);
    let out = PathBuf::from(arguments.required("out")?);
    let threads = arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);

    watch.note("Loading the reference");
    let (reference, reference_checksum) = read_reference(&bundle_path)?;
    let table = read_genes(arguments.value("genes"), &bundle_path)?;
    let markers = OfMapping::of(&arguments, &reference)?;
    let with_proteins = proteins::wanted(&arguments, &reference)?;
    let filter = arguments.value("filter").map(Filter::parse).transpose()?;
    watch.note("Reading");
    let options = QueryOptions {
        matrix: arguments.value("matrix"),
        gene_column: arguments.value("gene-column"),
        min_counts: arguments.number("min-counts")?,
        filter: filter.as_ref(),
        samples: arguments.value("samples"),
        table: table.as_ref().map(|(table, _)| table),
        reference: Some(&reference),
        reference_genes_only: arguments.flag("reference-genes-only"),
        budget: None,
    };
    let mut file = inputs::open(&arguments)?;
    let (query, projection) = match arguments.whole("batch", batches::SMALLEST_SIZE)? {
        Some(size) => {
            let (query, projection) = batches::read(&mut file, &reference, &options, size, &progress)?;
            (query, Some(projection))
        }
        None => (Query::read(&mut file, &options, &progress)?, None),
    };
    let (genes, mut warnings) = query.match_to(&reference, options.table)?;
    warnings.splice(0..0, query.warnings.iter().cloned());
    let cells = map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes: &genes };
    let how = map::Options { method, levels: arguments.list("levels"), proteins: with_proteins, ..Default::default() };
    let samples = query.samples();
    let (mapping, outcomes) = match &projection {
        Some(projection) => (batches::map(projection, &query.cells, &reference, &how, &progress)?, Vec::new()),
        None => wish.map(&cells, &reference, &how, &samples, &progress)?,
    };

    warnings.extend(mapping.warnings());
    warnings.extend(samples::warnings(&outcomes));
    let doublets = wish.doublets(&cells, &reference, &samples, &progress);
    let own = own.find(&query, &cells, &reference, &mapping, &progress);
    warnings.extend(own.warnings());
    let again = projection.as_ref().map(|projection| Again {
        file: &mut file,
        options: &options,
        reference: &reference,
        query: &query,
        projection,
    });
    let gene_markers = markers.table(&query, &mapping, &reference, &progress, again)?;
    drop(file);
    watch.note("Writing");
    std::fs::create_dir_all(&out).map_err(|error| Failure::io("Cannot make the folder", &out, &error))?;
    write(&out, "predictions.tsv", export::predictions(&query, &mapping, &reference))?;
    write(&out, "umap.tsv", export::umap(&query, &mapping))?;
    write(&out, "qc.tsv", export::qc(&query))?;
    write(&out, "genes.tsv", export::genes(&query, &reference, &genes))?;
    write_pieces(&out, "metadata.tsv", !query.metadata.is_empty(), |write| export::metadata(&query, write))?;
    let (scores, doublets) = doublets.unzip();
    write_pieces(&out, "doublets.tsv", scores.is_some(), |write| {
        write(&export::doublets(&query, &scores.unwrap_or_default()))
    })?;
    let all_scores = arguments.flag("all-scores");
    write_pieces(&out, "scores.tsv", all_scores, |write| export::scores(&query, &mapping, &reference, write))?;
    own.write(&out, &query)?;
    let proteins = proteins::write_tables(&out, with_proteins, &query, (&mapping, &reference), &markers, &progress)?;
    let markers = write_markers(&out, gene_markers, &mut warnings)?;
    let (query_file, query_checksum) = inputs::fingerprint(&arguments)?;
    let (stages, seconds) = watch.seconds();
    let summary = Summary {
        sextant: env!("CARGO_PKG_VERSION"),
        method: method.name(),
        query: FileSummary { file: query_file, sha256: query_checksum },
        reference: ReferenceSummary {
            name: &reference.about.name,
            version: &reference.about.version,
            sha256: reference_checksum,
            cells: reference.embedding.nrows(),
            features: reference.features.len(),
            does_not_contain: &reference.about.does_not_contain,
            healthy: reference.about.healthy,
        },
        format: &query.format,
        matrix: &query.matrix,
        cells: query.cells.len(),
        cells_without_counts: query.empty_cells.len(),
        cells_left_out: query.left_out.cells.len(),
        suggested_limits: &query.limits,
        ambient: &query.ambient,
        genes: query.genes_in_file,
        nonzeros: query.nonzeros(),
        total_counts: query.total_counts(),
        genes_in_common: genes.matched,
        genes_matched: &genes,
        gene_table: table.as_ref().map(|(table, sha256)| GeneTableSummary { version: &table.version, sha256 }),
        features_used: mapping.features_used,
        batches: projection
            .as_ref()
            .map(|projection| BatchesSummary { batches: mapping.batches, cells_at_most: projection.size() }),
        anchors: mapping.anchors.len(),
        percent_cells_with_anchors: mapping.percent_with_anchors(),
        percent_cells_with_anchors_grade: Grade::of_percent_with_anchors(mapping.percent_with_anchors()),
        cluster_preservation: own.preservation(),
        clusters: own.clusters(),
        labels: composition(&mapping, &reference),
        samples: outcomes,
        doublets,
        markers,
        proteins,
        warnings,
        threads,
        stages: stages.into_iter().map(|(stage, seconds)| Stage { stage, seconds }).collect(),
        seconds,
        peak_memory_bytes: peak_memory(),
    };
    let text = serde_json::to_string_pretty(&summary);
    write(&out, "summary.json", text.map_err(|error| Failure { code: 1, message: error.to_string() })? + "\n")?;
    say(&summary, &out);
    Ok(())
}

/// Writes the table of marker genes and adds what is said of it; gives its figures.
fn write_markers(
    out: &Path,
    markers: Option<(String, Vec<Warning>, markers::Summary)>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<markers::Summary>, Failure> {
    let (table, rest) = markers.map(|(table, said, summary)| (table, (said, summary))).unzip();
    write_or_remove(out, "markers.tsv", table)?;
    Ok(rest.map(|(said, summary)| {
        warnings.extend(said);
        summary
    }))
}

fn composition<'a>(mapping: &Mapping, reference: &'a Reference) -> BTreeMap<&'a str, BTreeMap<&'a str, usize>> {
    let mut levels = BTreeMap::new();
    for labels in &mapping.labels {
        let Some(level) = reference.level(&labels.level) else { continue };
        let classes: &mut BTreeMap<&str, usize> = levels.entry(level.name.as_str()).or_default();
        for &code in &labels.codes {
            *classes.entry(level.classes[usize::from(code)].name.as_str()).or_default() += 1;
        }
    }
    levels
}

pub fn write(folder: &Path, name: &str, text: String) -> Result<(), Failure> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| Failure::io("Cannot write", &path, &error))
}

/// A table that is not there is taken away where its file is: that of another mapping would be taken for this one's.
pub fn write_or_remove(folder: &Path, name: &str, table: Option<String>) -> Result<(), Failure> {
    match table {
        Some(table) => write(folder, name, table),
        None => {
            let _ = std::fs::remove_file(folder.join(name));
            Ok(())
        }
    }
}

/// Piece by piece: of a million cells a table may be larger than all else that is in memory. One that is not wanted is taken
/// away, as by [`write_or_remove`].
pub fn write_pieces(
    folder: &Path,
    name: &str,
    wanted: bool,
    table: impl FnOnce(&mut dyn FnMut(&str) -> std::io::Result<()>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    if !wanted {
        return write_or_remove(folder, name, None);
    }
    let path = folder.join(name);
    let failed = |error: std::io::Error| Failure::io("Cannot write", &path, &error);
    let mut file = std::fs::File::create(&path).map_err(failed)?;
    table(&mut |piece| file.write_all(piece.as_bytes())).map_err(failed)
}

fn say(summary: &Summary<'_>, out: &Path) {
    println!(
        "{} cells mapped onto {} ({} cells): {} of {} features in common, {} anchors, {:.2} % of the cells with anchors.",
        thousands(summary.cells),
        summary.reference.name,
        thousands(summary.reference.cells),
        thousands(summary.genes_in_common),
        thousands(summary.reference.features),
        thousands(summary.anchors),
        summary.percent_cells_with_anchors
    );
    if let Some(preservation) = &summary.cluster_preservation {
        println!("Cluster preservation score: {:.2} of 5 ({:?}).", preservation.score, preservation.grade);
    }
    if let Some(clusters) = &summary.clusters {
        let sizes: Vec<String> = clusters.sizes.iter().map(|&size| thousands(size)).collect();
        println!("{} clusters of the query by itself: {} cells.", sizes.len(), sizes.join(", "));
    }
    for (level, classes) in &summary.labels {
        let mut classes: Vec<_> = classes.iter().collect();
        classes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let listed: Vec<String> =
            classes.iter().map(|(class, cells)| format!("{class} {}", thousands(**cells))).collect();
        println!("{level}: {}", listed.join(", "));
    }
    for warning in &summary.warnings {
        println!("warning: {}", warning.message);
    }
    println!("{:.2} s on {} threads; results are in '{}'.", summary.seconds, summary.threads, out.display());
}
