//! How long marker genes take.
//!
//!     cargo run --release --example markers_times -- FILE [LABELS.tsv] [--threads N]
//!
//! LABELS has the cells' names in its first column and a level of labels in each other one; cells without labels, and all
//! where no table is named, are dealt out to 15 and to 30 groups in turn. Everything is done five times and the fastest counts.

// The engine knows no clock; what measures it does.
#![allow(clippy::disallowed_methods)]

mod timing;

use sextant::formats::{self, Input, ReadOptions};
use sextant::markers::{Grouping, Options, find_markers};
use sextant::progress::Progress;
use std::collections::HashMap;
use std::fs::File;
use timing::{Outcome, arguments, fastest};

fn main() -> Outcome<()> {
    let (words, threads) = arguments()?;
    let path = words.first().ok_or("name a file")?;
    let mut opened = formats::open(vec![Input::new(path, Box::new(File::open(path)?))])?;
    let dataset = opened.read(&ReadOptions::default(), &mut (), &Progress::silent())?;
    let counts = &dataset.counts;
    let totals: Vec<f64> =
        (0..counts.cells()).map(|cell| counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
    println!("{} cells, {} genes, {} entries, {threads} threads", counts.cells(), counts.genes(), counts.nonzeros());

    let mut levels = match words.get(1) {
        Some(labels) => read_levels(&std::fs::read_to_string(labels)?, &dataset.cells),
        None => Vec::new(),
    };
    levels.extend([15, 30].map(|groups| dealt_out(counts.cells(), groups)));
    for (name, options) in [("normalised", Options::default()), ("azimuth", Options::azimuth())] {
        let time = |levels: &[Grouping]| -> Outcome<f64> {
            let find = || Ok(find_markers(counts, &totals, levels, &options, &Progress::silent()));
            Ok(fastest(find)?.0)
        };
        for level in &levels {
            let seconds = time(std::slice::from_ref(level))?;
            println!("{name}, {} ({} groups): {seconds:.3} s", level.name, level.groups.len());
        }
        let seconds = time(&levels)?;
        println!("{name}, all {} levels at once: {seconds:.3} s", levels.len());
    }
    Ok(())
}

fn dealt_out(cells: usize, groups: u32) -> Grouping {
    let codes = (0..groups).cycle().take(cells).collect();
    Grouping {
        name: format!("dealt out to {groups}"),
        groups: (0..groups).map(|group| group.to_string()).collect(),
        codes,
    }
}

fn read_levels(text: &str, cells: &[String]) -> Vec<Grouping> {
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().unwrap_or_default();
    let rows: HashMap<&str, Vec<&str>> = lines.filter_map(|row| Some((*row.first()?, row))).collect();
    let level = |(place, name): (usize, &&str)| {
        Grouping::of_names(
            name,
            cells.iter().map(|cell| rows.get(cell.as_str()).and_then(|row| row.get(place).copied())),
        )
        .expect("groups")
    };
    columns.iter().enumerate().skip(1).map(level).collect()
}
