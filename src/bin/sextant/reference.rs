//! `sextant reference`: building references and looking at them.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::map::read_reference;
use crate::report::{Stopwatch, thousands};
use sextant::build;
use sextant::formats::{Column, Dataset, ReadOptions};
use sextant::progress::Progress;
use sextant::reference::{About, bundle};
use std::path::{Path, PathBuf};

pub fn build(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "LABELLED", &["labels", "out", "about", "matrix", "threads"], &[])?;
    let out = PathBuf::from(arguments.required("out")?);
    let names = arguments.list("labels").ok_or_else(|| Failure::usage("--labels is missing."))?;
    arguments.start_threads()?;
    let watch = Stopwatch::start();
    let report = |stage: &str, _: f64| watch.note(stage);
    let progress = Progress::new(&report);
    watch.note("Reading");
    let options = ReadOptions { matrix: arguments.value("matrix"), ..Default::default() };
    let dataset = inputs::open(&arguments)?.read(&options, &mut (), &progress)?;
    let levels: Vec<(String, Vec<String>)> =
        names.iter().map(|name| Ok((name.clone(), labels(&dataset, name)?))).collect::<Result<_, Failure>>()?;
    let about = match arguments.value("about") {
        Some(path) => read_about(Path::new(path))?,
        None => About { name: stem(&out), title: stem(&out), ..About::default() },
    };
    let (reference, warnings) = build::build(&dataset, &levels, &build::Options::default(), about, &progress)?;
    let bytes = bundle::write(&reference)?;
    std::fs::write(&out, &bytes).map_err(|error| Failure::io("Cannot write", &out, &error))?;
    for warning in dataset.warnings.iter().chain(&warnings) {
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

/// A column of the file's table of cells as labels.
fn labels(dataset: &Dataset, name: &str) -> Result<Vec<String>, Failure> {
    match inputs::column(&dataset.metadata, name)? {
        Column::Text(labels) => Ok(labels.clone()),
        Column::Categorical { categories, codes } => {
            Ok(codes.iter().map(|&code| categories.get(code as usize).cloned().unwrap_or_default()).collect())
        }
        Column::Number(_) => Err(Failure::usage(format!("The cell column '{name}' holds numbers, not labels."))),
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_end_matches(".zip").trim_end_matches(".sextant").to_owned()
}

/// What the reference's card says, as a JSON object with the fields of [`About`].
fn read_about(path: &Path) -> Result<About, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("'{}' does not describe a reference: {error}.", path.display())))
}

pub fn show(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "BUNDLE", &[], &[])?;
    let (reference, checksum) = read_reference(arguments.file()?)?;
    let about = &reference.about;
    println!("{} - {} (version {})", about.name, about.title, about.version);
    for (name, text) in [
        ("species", &about.species),
        ("tissue", &about.tissue),
        ("source", &about.source),
        ("licence", &about.license),
        ("citation", &about.citation),
        ("sha256", &checksum),
    ] {
        println!("{name:10} {text}");
    }
    println!("{:10} {}", "cells", thousands(reference.embedding.nrows()));
    println!("{:10} {}", "features", thousands(reference.features.len()));
    for level in &reference.levels {
        let mut cells = vec![0; level.classes.len()];
        level.codes.iter().for_each(|&code| cells[usize::from(code)] += 1);
        let classes =
            level.classes.iter().zip(cells).map(|(class, cells)| format!("{} {}", class.name, thousands(cells)));
        println!("{:10} {}: {}", "level", level.name, classes.collect::<Vec<_>>().join(", "));
    }
    for line in &about.provenance {
        println!("{:10} {line}", "made by");
    }
    Ok(())
}
