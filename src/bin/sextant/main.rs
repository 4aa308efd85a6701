//! The native command: builds references, looks at files, maps queries.

// The command tells how long it took; the engine below it knows no clock.
#![allow(clippy::disallowed_methods)]

mod arguments;
mod clusters;
mod inputs;
mod inspect;
mod map;
mod markers;
mod proteins;
mod quality;
mod rank;
mod reference;
mod report;

use sextant::error::{Error, Kind};
use std::process::ExitCode;

const HELP: &str = "\
sextant - which cells are these?

Usage:
  sextant map QUERY… --reference BUNDLE --out DIR [--levels LEVEL,…] [--method sextant|seurat]
              [--matrix PATH] [--gene-column NAME] [--min-counts N] [--filter LIMITS] [--samples COLUMN]
              [--reference-genes-only] [--genes TABLE] [--markers LEVEL,…|all|none]
              [--markers-method normalised|azimuth] [--markers-top N|all] [--markers-group TYPE [--markers-against TYPE]]
              [--all-scores] [--doublets] [--per-sample] [--proteins]
              [--batch CELLS] [--no-preservation] [--clusters[=RESOLUTION]] [--clusters-method louvain|leiden]
              [--no-own-umap] [--threads N]
      Maps the cells of QUERY onto a reference. Writes predictions.tsv, umap.tsv, qc.tsv, genes.tsv, markers.tsv and
      summary.json into DIR, and metadata.tsv where the file has a table of cells: its columns, for the cells of qc.tsv.
      QUERY is a file or a folder with raw counts; several are read as samples of one dataset. --min-counts leaves
      cells with fewer counts out; so does --filter beyond limits on their quality, such as
      'min_features=200,max_percent_mt=10', or 'suggested' for those that summary.json suggests for each sample; qc.tsv
      names what was left out. COLUMN of the table of cells tells samples apart, of several files the file does.
      --reference-genes-only saves memory: the labels stay the same.
      --batch takes files of any size: cells are projected as they are read, their counts dropped, and mapped in batches of
      at most so many cells (20000 is a good number). Cell i of B batches is in batch i mod B. For marker genes the file
      is read again, once or several times.
      --method seurat labels as Seurat and Azimuth do, each level by itself; the usual labels never contradict each other,
      and come with a calibrated confidence, unknown.score (0 known, 1 not in the reference) and the call that is certain.
      TABLE has other names of genes and orthologues; by default genes.sextant.table beside the references is taken,
      with 'none' none.
      markers.tsv has the marker genes of each type of the levels that are mapped, or of those of --markers: the 100 most
      significant ones on depth-normalised values, or all genes. 'azimuth' ranks raw counts as Azimuth does: its top 10.
      --markers-group has those of one type of the one level that --markers names, against all others or one other type.
      --clusters also clusters QUERY by itself (0.8 unless another resolution is given) and writes clusters.tsv, and
      umap_own.tsv, a map of its own (20 s for 10,000 cells; --no-own-umap leaves it out). --no-preservation leaves out
      the cluster preservation score.
      --proteins writes proteins.tsv, the surface proteins of a reference that has some (measured there, imputed here from
      the nearest cells or, with --method seurat, by the weights of the anchors: no measurement of QUERY), and
      protein_markers.tsv, all of them for each type of --markers.
      --all-scores writes scores.tsv: the score of every class of every level in every cell. --doublets writes doublets.tsv:
      how much each cell looks like two. --per-sample maps each sample by itself; summary.json compares that with all of
      them together.
  sextant markers QUERY… --group-by COLUMN --out DIR [--groups TABLE] [--group NAME [--against NAME]]
                  [--method normalised|azimuth] [--top N|all] [--matrix PATH] [--gene-column NAME] [--min-counts N]
                  [--filter LIMITS] [--samples COLUMN] [--threads N]
      Writes markers.tsv of groups of cells that are known already: each against all others, one of them, or two against
      each other. COLUMN is one of the file's table of cells, or of TABLE, whose first column names the cells
      (predictions.tsv is such a table).
  sextant inspect QUERY… [--matrix PATH] [--gene-column NAME] [--min-counts N] [--samples COLUMN] [--json]
      Says what a file holds, also in its table of cells, and which matrix would be used.
  sextant reference build LABELLED --labels LEVEL,… --out NAME.sextant.zip [--about ABOUT.json]
                          [--max-cells N] [--max-per-class N] [--min-cells N] [--filter LIMITS] [--doublets SCORE]
                          [--samples COLUMN] [--batch COLUMN|none] [--dimensions N] [--features N]
                          [--ontology IDS.json] [--held-out-by COLUMN|none] [--proteins KEY|TABLE|none]
                          [--matrix PATH] [--gene-column NAME] [--threads N]
      Builds a reference from labelled raw counts: any file that 'map' reads, as an H5AD of CELLxGENE or an RDS of Seurat.
      LEVEL names a column of the file's table of cells, coarse before fine; without --labels it says which look like labels.
      To see how right its labels are, the cells of each value of COLUMN (by default of a column of donors, studies or
      samples, else five random parts) are held out in turn and labelled by the rest; the bundle keeps the figures,
      'reference show' tells.
      Nothing is left out unless asked for, and what is stands in the bundle. --min-cells leaves out the cells of classes that
      have fewer at the finest level; those that are all of a coarser class are kept under its name. --max-per-class keeps at
      most N cells of each class of the finest level, --max-cells at most N in all: the largest classes lose cells, rare ones
      stay whole. --filter leaves out cells beyond LIMITS on their quality, as of 'map', --doublets those with a doublet score
      above SCORE (0 to 1), both for each sample by itself where --samples tells them apart.
      --batch integrates the embedding over the values of COLUMN, such as donors or studies (references/README.md has what it
      is measured to do). --dimensions has 50 principal components in place, --features 3000 genes.
      IDS.json gives classes their ids in the Cell Ontology: of each level an object, of each class its id, such as CL:0000236.
      They are taken from the column LEVEL_ontology_term_id where the file has it, as CELLxGENE's do.
      --proteins names the entry of obsm with the counts of surface proteins ('proteins' or 'protein_expression' where there
      is one), or a table of them (TSV or CSV) with the cells' names in its first column or line.
  sextant reference validate LABELLED --labels LEVEL,… --out FILE.tsv|FILE.json [--by COLUMN]
                          [options of 'build' but --about, --ontology, --held-out-by, --proteins]
      Full cross-validation: for each value of COLUMN (by default as above) the reference is built anew from all other cells,
      and the cells held out are mapped onto it as a query. Writes accuracy, macro-F1 and calibration error of each level and
      part, and accuracy and F1 of each class. It takes as many builds as there are parts.
  sextant reference import ref.Rds --out NAME.sextant.zip [--about ABOUT.json] [--levels LEVEL,…] [--threads N]
      Makes a bundle of a reference that Azimuth publishes: the file ref.Rds (idx.annoy is not needed). LEVEL names columns of its
      meta.data; without, those that it has colours for are taken. references/azimuth lists the published ones. Or of a
      reference of Symphony, which the file's content tells: LEVEL names columns of its meta_data; without, those that are
      named as labels are taken.
  sextant reference export BUNDLE --azimuth --out DIR
      Writes the reference as what Seurat and Azimuth load: ref.Rds, and make_annoy_index.R, an R script that makes the index
      of neighbours that Azimuth wants beside it.
  sextant reference rank QUERY --references BUNDLE,… [--genes TABLE] [--matrix PATH] [--threads N]
      Says which of these references a file is like: how well what their classes express explains its mean, 1 at best.
  sextant reference show BUNDLE
      Says what a reference holds.
  sextant --help | --version

Exit codes: 0 done, 1 something else went wrong, 2 the call, 3 the query file, 4 the reference, 5 the mapping.
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            eprintln!("sextant: {message}");
            ExitCode::from(code)
        }
    }
}

/// What ends the command, for people and for scripts.
pub struct Failure {
    code: u8,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind {
            Kind::Usage => 2,
            Kind::Input | Kind::Memory => 3,
            Kind::Reference => 4,
            Kind::Mapping => 5,
        };
        let cause = error.source.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        Failure { code, message: format!("{}{cause}", error.message) }
    }
}

impl Failure {
    /// A file that cannot be opened, read or written.
    pub fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Failure { code: 1, message: format!("{what} '{}': {error}.", path.display()) }
    }

    /// What is nobody's fault.
    pub fn other(message: impl Into<String>) -> Self {
        Failure { code: 1, message: message.into() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Failure { code: 2, message: format!("{} See 'sextant --help'.", message.into()) }
    }
}

fn run() -> Result<(), Failure> {
    let mut words: Vec<String> = Vec::new();
    for word in std::env::args_os().skip(1) {
        match word.into_string() {
            Ok(word) => words.push(word),
            Err(word) => {
                return Err(Failure::usage(format!("The argument '{}' is not UTF-8.", word.to_string_lossy())));
            }
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["--help" | "-h" | "help", ..] => print!("{HELP}"),
        [.., "--help" | "-h"] => print!("{HELP}"),
        ["--version" | "-V", ..] => println!("sextant {}", env!("CARGO_PKG_VERSION")),
        ["map", rest @ ..] => map::run(rest)?,
        ["markers", rest @ ..] => markers::run(rest)?,
        ["inspect", rest @ ..] => inspect::run(rest)?,
        ["reference", "build", rest @ ..] => reference::build(rest)?,
        ["reference", "validate", rest @ ..] => reference::validate(rest)?,
        ["reference", "import", rest @ ..] => reference::import(rest)?,
        ["reference", "export", rest @ ..] => reference::export(rest)?,
        ["reference", "show", rest @ ..] => reference::show(rest)?,
        ["reference", "rank", rest @ ..] => rank::rank(rest)?,
        ["reference", ..] => {
            return Err(Failure::usage(
                "'sextant reference' takes 'build', 'validate', 'import', 'export', 'rank' or 'show'.",
            ));
        }
        [other, ..] => return Err(Failure::usage(format!("There is no command '{other}'."))),
    }
    Ok(())
}
