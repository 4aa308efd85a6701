//! `sextant reference rank`: which of some references a file is like.

use crate::Failure;
use crate::arguments::Arguments;
use crate::inputs;
use crate::map::read_genes;
use sextant::likeness::{Likeness, Profile};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use sextant::reference::bundle::Bundle;
use std::path::Path;

/// Prints the references, the most alike first.
pub fn rank(words: &[&str]) -> Result<(), Failure> {
    let arguments = Arguments::parse(words, "QUERY", &["references", "genes", "matrix", "threads"], &[])?;
    let paths = arguments
        .list("references")
        .ok_or_else(|| Failure::usage("--references is missing: name bundles, with commas between them."))?;
    arguments.start_threads()?;
    let table = read_genes(arguments.value("genes"), Path::new(&paths[0]))?.map(|(table, _)| table);
    let mut file = inputs::open(&arguments)?;
    let options = QueryOptions { matrix: arguments.value("matrix"), ..Default::default() };
    let query = Query::read(&mut file, &options, &Progress::silent())?;
    let profile = Profile::of(&query).ok_or_else(|| Failure::usage("The counts of the file were not kept."))?;
    let mut all: Vec<Likeness> = Vec::new();
    for path in paths.iter().map(Path::new) {
        let source = std::fs::File::open(path).map_err(|error| Failure::io("Cannot open", path, &error))?;
        let mut bundle = Bundle::open(std::io::BufReader::new(source))?;
        let Some(expression) = bundle.expression()? else {
            println!("'{}' does not tell what its classes express, and cannot be compared.", path.display());
            continue;
        };
        match profile.likeness(bundle.about(), &expression, table.as_ref()) {
            Some(likeness) => all.push(likeness),
            None => println!("'{}' has too few genes in common with the file to be compared.", path.display()),
        }
    }
    all.sort_by(|a, b| b.fit.total_cmp(&a.fit).then(a.name.cmp(&b.name)));
    println!("fit\tgenes\treference\torgan\tspecies");
    for Likeness { name, organ, species, fit, genes, .. } in &all {
        println!("{fit:.3}\t{genes}\t{name}\t{organ}\t{species}");
    }
    Ok(())
}
