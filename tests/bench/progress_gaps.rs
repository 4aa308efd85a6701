//! How long the engine says nothing: of each stage the longest time between two reports of progress.
//!
//!     cargo run --release --example progress_gaps -- QUERY BUNDLE [--threads N]
//!
//! Everything that the page offers is done once: reading, mapping, cluster preservation, clusters, own map, doublets,
//! marker genes; then the same file in batches.

// The engine knows no clock; what measures it does.
#![allow(clippy::disallowed_methods)]

#[allow(dead_code)]
mod timing;

use sextant::batches;
use sextant::cluster::{self, find_clusters, own_map, preservation};
use sextant::doublets::{self, doublet_scores};
use sextant::formats::{self, Input, OpenFile};
use sextant::map::{self, map};
use sextant::markers::{self, Grouping, find_markers};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use sextant::reference::bundle;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::time::Instant;
use timing::{Outcome, arguments};

/// The target, in seconds.
const LONGEST: f64 = 0.5;

/// When something was reported last, and the longest and the whole time of each stage.
struct Watch {
    last: (Instant, String),
    stages: BTreeMap<String, (f64, f64)>,
}

impl Watch {
    fn note(&mut self, stage: &str) {
        let now = Instant::now();
        let (longest, whole) = self.stages.entry(std::mem::take(&mut self.last.1)).or_default();
        let seconds = (now - self.last.0).as_secs_f64();
        (*longest, *whole) = (longest.max(seconds), *whole + seconds);
        self.last = (now, stage.to_owned());
    }
}

fn open(path: &str) -> Outcome<OpenFile> {
    Ok(formats::open(vec![Input::new(path, Box::new(File::open(path)?))])?)
}

fn main() -> Outcome<()> {
    let (words, threads) = arguments()?;
    let [path, reference] = words.as_slice() else { return Err("name a query and a bundle".into()) };
    let reference = bundle::read(&std::fs::read(reference)?)?;
    let watch = RefCell::new(Watch { last: (Instant::now(), "(opening)".into()), stages: BTreeMap::new() });
    let report = |stage: &str, _: f64| watch.borrow_mut().note(stage);
    let progress = Progress::new(&report);
    let mut file = open(path)?;
    let options = QueryOptions { reference: Some(&reference), ..Default::default() };
    let query = Query::read(&mut file, &options, &progress)?;
    let (genes, _) = query.match_to(&reference, None)?;
    let cells = map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes: &genes };
    println!("{} cells onto {}, {threads} threads", query.cells.len(), reference.cells.len());
    let mapping = map(&cells, &reference, &map::Options::default(), &progress)?;
    preservation::preservation(&cells, &reference, &mapping, &preservation::Options::default(), &progress);
    let clustering = find_clusters(&cells, &reference, &cluster::Options::default(), &progress);
    own_map(&clustering, &query.cells, 42, &progress);
    doublet_scores(&cells, &reference, &query.samples(), &doublets::Options::default(), &progress);
    let groupings = Grouping::of_mapping(&mapping, &reference);
    find_markers(&query.counts, &query.metrics.counts, &groupings, &markers::Options::default(), &progress);
    report("(batches: opening)", 0.0);
    let mut file = open(path)?;
    let (query, projection) = batches::read(&mut file, &reference, &options, batches::USUAL_SIZE, &progress)?;
    batches::map(&projection, &query.cells, &reference, &map::Options::default(), &progress)?;
    report("", 0.0);
    for (stage, (longest, whole)) in &watch.borrow().stages {
        let word = if *longest > LONGEST { "too long" } else { "" };
        println!("{stage:28} {longest:8.3} s of {whole:8.3} s  {word}");
    }
    Ok(())
}
