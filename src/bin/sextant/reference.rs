//! `sextant reference`: building references, validating them, importing published ones, and looking at them.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::map::read_reference;
use crate::proteins;
use crate::report::{Stopwatch, thousands};
use sextant::Warning;
use sextant::build::downsample::Most;
use sextant::build::held_out::By;
use sextant::build::ontology::Ids;
use sextant::build::validate::cross_validate;
use sextant::build::{self, Choices};
use sextant::formats::{Dataset, OpenFile, ReadOptions};
use sextant::progress::Progress;
use sextant::published;
use sextant::qc::Filter;
use sextant::reference::held_out::HeldOutLevel;
use sextant::reference::{About, Reference, bundle};
use std::path::{Path, PathBuf};

/// Options of what is chosen about a reference, also of `validate`.
const CHOICES: [&str; 13] = [
    "labels",
    "min-cells",
    "max-cells",
    "max-per-class",
    "filter",
    "samples",
    "doublets",
    "dimensions",
    "features",
    "matrix",
    "gene-column",
    "batch",
    "threads",
];

pub fn build(words: &[&str]) -> Result<(), Failure> {
    let options = [&CHOICES[..], &["out", "about", "ontology", "held-out-by", "proteins"]].concat();
    let arguments = Arguments::parse(words, "LABELLED", &options, &[])?;
    let out = PathBuf::from(arguments.required("out")?);
    let ids = arguments.value("ontology").map(|path| read_ids(Path::new(path))).transpose()?;
    let held_out_by = arguments.value("held-out-by").map_or(By::Usual, by_of_name);
    let choices = Choices { ids: ids.unwrap_or_default(), held_out_by, ..choices(&arguments)? };
    let about = about(&arguments, &out)?;
    arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);
    let (file, dataset) = read(&arguments, &watch, &progress)?;
    let proteins = proteins::of_build(&arguments, &file, &dataset.cells)?;
    drop(file);
    let (reference, warnings) = build::from_dataset(dataset, proteins.as_ref(), &choices, about, &progress)?;
    finish(&reference, &out, warnings.iter(), &watch)?;
    if let Some(held_out) = &reference.about.held_out {
        println!("{}", held_out.sentence());
    }
    Ok(())
}

/// Full cross-validation of the reference that `build` would make of the same file with the same choices.
pub fn validate(words: &[&str]) -> Result<(), Failure> {
    let options = [&CHOICES[..], &["out", "by"]].concat();
    let arguments = Arguments::parse(words, "LABELLED", &options, &[])?;
    let out = PathBuf::from(arguments.required("out")?);
    let is_table = match out.extension().and_then(|ending| ending.to_str()) {
        Some("tsv") => true,
        Some("json") => false,
        _ => return Err(Failure::usage(format!("--out takes a .tsv or a .json file, not '{}'.", out.display()))),
    };
    let choices = choices(&arguments)?;
    let by = arguments.value("by").map_or(By::Usual, by_of_name);
    arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);
    let (file, dataset) = read(&arguments, &watch, &progress)?;
    drop(file);
    let found = cross_validate(dataset, &choices, &by, &progress)?;
    let text = match is_table {
        true => found.table(),
        false => serde_json::to_string_pretty(&found).map_err(|error| Failure::other(error.to_string()))? + "\n",
    };
    std::fs::write(&out, text).map_err(|error| Failure::io("Cannot write", &out, &error))?;
    found.warnings.iter().for_each(|warning| println!("warning: {}", warning.message));
    found.sentences().iter().for_each(|sentence| println!("{sentence}"));
    println!("'{}', in {:.1} s.", out.display(), watch.seconds().1);
    Ok(())
}

fn read(arguments: &Arguments, watch: &Stopwatch, progress: &Progress<'_>) -> Result<(OpenFile, Dataset), Failure> {
    watch.note("Reading");
    let (matrix, gene_column) = (arguments.value("matrix"), arguments.value("gene-column"));
    let mut file = inputs::open(arguments)?;
    let dataset = file.read(&ReadOptions { matrix, gene_column, ..Default::default() }, &mut (), progress)?;
    Ok((file, dataset))
}

fn by_of_name(name: &str) -> By {
    match name {
        "none" => By::Nothing,
        name => By::Column(name.to_owned()),
    }
}

/// What `build` and `validate` are asked for alike.
fn choices(arguments: &Arguments) -> Result<Choices, Failure> {
    let choices = Choices {
        labels: arguments.list("labels").unwrap_or_default(),
        min_cells: arguments.whole("min-cells", 1)?.unwrap_or(0),
        most: Most { in_all: arguments.whole("max-cells", 1)?, of_class: arguments.whole("max-per-class", 1)? },
        filter: arguments.value("filter").map(Filter::parse).transpose()?.unwrap_or_default(),
        doublets: arguments.number("doublets")?,
        samples: arguments.value("samples").map(str::to_owned),
        batch: arguments.value("batch").filter(|&name| name != "none").map(str::to_owned),
        dimensions: arguments.whole("dimensions", 1)?,
        features: arguments.whole("features", 1)?,
        ..Choices::default()
    };
    choices.check()?;
    Ok(choices)
}

/// Writes the bundle and says what it holds and what there was to say.
fn finish<'a>(
    reference: &Reference,
    out: &Path,
    warnings: impl Iterator<Item = &'a Warning>,
    watch: &Stopwatch,
) -> Result<(), Failure> {
    let bytes = bundle::write(reference)?;
    std::fs::write(out, &bytes).map_err(|error| Failure::io("Cannot write", out, &error))?;
    for warning in warnings {
        println!("warning: {}", warning.message);
    }
    let (stages, seconds) = watch.seconds();
    for (stage, seconds) in stages {
        println!("{stage}: {seconds:.2} s");
    }
    println!(
        "'{}': {} cells, {} features, {} bytes, SHA-256 {}, in {seconds:.1} s.",
        out.display(),
        thousands(reference.embedding.nrows()),
        thousands(reference.features.len()),
        thousands(bytes.len()),
        bundle::sha256(&bytes)
    );
    Ok(())
}

/// A published reference as a bundle.
pub fn import(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "REFERENCE", &["out", "about", "levels", "threads"], &[])?;
    let out = PathBuf::from(arguments.required("out")?);
    let path = arguments.file()?;
    let about = about(&arguments, &out)?;
    arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let file = std::fs::File::open(path).map_err(|error| Failure::io("Cannot open", path, &error))?;
    let options = published::Options { levels: arguments.list("levels") };
    let imported = published::import(Box::new(file), &options, about, &Progress::new(&report));
    let (reference, warnings) = imported.map_err(|mut error| {
        error.message = format!("{}: {}", path.display(), error.message);
        error
    })?;
    watch.note("Writing");
    finish(&reference, &out, warnings.iter(), &watch)
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_end_matches(".zip").trim_end_matches(".sextant").to_owned()
}

/// A bundle as what other programs load.
pub fn export(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "BUNDLE", &["out"], &["azimuth"])?;
    let out = PathBuf::from(arguments.required("out")?);
    if !arguments.flag("azimuth") {
        return Err(Failure::usage("--azimuth is missing: it is the one form that a reference is exported in."));
    }
    let (reference, _) = read_reference(arguments.file()?)?;
    let object = sextant::export::azimuth(&reference)?;
    std::fs::create_dir_all(&out).map_err(|error| Failure::io("Cannot make the folder", &out, &error))?;
    for (name, content) in
        [("ref.Rds", object.as_slice()), ("make_annoy_index.R", sextant::export::INDEX_SCRIPT.as_bytes())]
    {
        let path = out.join(name);
        std::fs::write(&path, content).map_err(|error| Failure::io("Cannot write", &path, &error))?;
    }
    println!(
        "'{}': ref.Rds with {} cells and {} features. For Azimuth, run make_annoy_index.R there with R and Seurat.",
        out.display(),
        thousands(reference.embedding.nrows()),
        thousands(reference.features.len())
    );
    Ok(())
}

/// What `--about` says, or the name of the bundle.
fn about(arguments: &Arguments, out: &Path) -> Result<About, Failure> {
    match arguments.value("about") {
        Some(path) => read_about(Path::new(path)),
        None => Ok(About { name: stem(out), title: stem(out), ..About::default() }),
    }
}

/// What the reference's card says, as a JSON object with the fields of [`About`].
fn read_about(path: &Path) -> Result<About, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("'{}' does not describe a reference: {error}.", path.display())))
}

/// Ids of the Cell Ontology, as a JSON object with an object for each level: class to id.
fn read_ids(path: &Path) -> Result<Ids, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("'{}' does not give ids of classes: {error}.", path.display())))
}

pub fn show(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "BUNDLE", &[], &[])?;
    let (reference, checksum) = read_reference(arguments.file()?)?;
    let about = &reference.about;
    println!("{} - {} (version {})", about.name, about.title, about.version);
    for (name, text) in [
        ("species", &about.species),
        ("tissue", &about.tissue),
        ("organ", &about.organ),
        ("donors", &about.donors),
        ("studies", &about.studies),
        ("technology", &about.technology),
        ("source", &about.source),
        ("licence", &about.license),
        ("citation", &about.citation),
        ("sha256", &checksum),
    ] {
        if !text.is_empty() {
            println!("{name:10} {text}");
        }
    }
    let card = reference.card();
    for (name, said) in [
        ("card", &card.summary),
        ("parts", &card.parts),
        ("undivided", &card.undivided),
        ("small", &card.not_validated),
        ("healthy", &card.healthy),
    ] {
        said.iter().for_each(|said| println!("{name:10} {said}"));
    }
    about.caveats.iter().for_each(|caveat| println!("{:10} {caveat}", "caveat"));
    println!("{:10} {}", "cells", thousands(reference.embedding.nrows()));
    println!("{:10} {}", "features", thousands(reference.features.len()));
    for level in &reference.levels {
        let mut cells = vec![0; level.classes.len()];
        level.codes.iter().for_each(|&code| cells[usize::from(code)] += 1);
        let classes =
            level.classes.iter().zip(cells).map(|(class, cells)| format!("{} {}", class.name, thousands(cells)));
        println!("{:10} {}: {}", "level", level.name, classes.collect::<Vec<_>>().join(", "));
    }
    if let Some(held_out) = &about.held_out {
        println!("{:10} {}", "held out", held_out.sentence());
        for level in &held_out.levels {
            say_held_out(level);
        }
    }
    if let Some(proteins) = &reference.proteins {
        println!("{:10} {}: {}", "proteins", proteins.names.len(), proteins.names.join(", "));
    }
    if let Some(expression) = &reference.expression {
        println!(
            "{:10} mean and share of cells of {} genes in each class",
            "expression",
            thousands(expression.genes.len())
        );
    }
    for column in &reference.columns {
        println!("{:10} {}: {}", "cells from", column.name, sextant::formats::some(&column.values));
    }
    for line in &about.provenance {
        println!("{:10} {line}", "made by");
    }
    Ok(())
}

/// What was found of one level where cells were held out: in all, by confidence, and of each class.
fn say_held_out(level: &HeldOutLevel) {
    let macro_f1 = level.macro_f1.map_or("none".into(), |f1| format!("{f1:.3}"));
    println!(
        "{:10} {}: accuracy {:.3}, macro-F1 {macro_f1}, calibration error {:.3}; {} cells, and {} of classes that the rest has not",
        "held out",
        level.name,
        level.accuracy,
        level.calibration_error,
        thousands(level.cells),
        thousands(level.cells_of_missing_classes)
    );
    let bins = level.reliability.iter().filter(|bin| bin.cells > 0);
    let bins = bins.map(|bin| format!("{:.2} {:.2} ({})", bin.confidence, bin.right, thousands(bin.cells)));
    println!("{:10}   confidence, share right (cells): {}", "", bins.collect::<Vec<_>>().join(", "));
    let classes = level.classes.iter().filter(|class| class.cells > 0);
    let classes = classes.map(|class| format!("{} {:.3} {:.3}", class.name, class.accuracy, class.f1));
    println!("{:10}   class, share right, F1: {}", "", classes.collect::<Vec<_>>().join(", "));
}
