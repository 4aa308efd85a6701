//! Fixtures, and files that a test makes, opened and read as any other.

#![allow(dead_code, reason = "each test takes what it needs")]

use sextant::Warning;
use sextant::formats::{Column, Dataset, Input, OpenFile, ReadOptions};
use sextant::progress::Progress;
use std::collections::HashMap;
use std::io::Cursor;

/// Names and bytes of files that are handed over together.
pub type Files = Vec<(String, Vec<u8>)>;

/// What is said of a part that contradicts itself.
pub const DAMAGED: &str = "The file is damaged or was not written completely; copy or download it again, or write it \
                           again from its source.";

/// A file of `tests/data/formats`.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/formats/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn open(files: Files) -> sextant::Result<OpenFile> {
    let inputs = files.into_iter().map(|(name, bytes)| Input::new(name, Box::new(Cursor::new(bytes)))).collect();
    sextant::formats::open(inputs)
}

pub fn read_with(files: Files, options: &ReadOptions<'_>) -> sextant::Result<Dataset> {
    open(files)?.read(options, &mut (), &Progress::silent())
}

pub fn read(files: Files) -> Dataset {
    read_with(files, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Why files cannot be read.
pub fn error(files: Files) -> String {
    match read_with(files, &ReadOptions::default()) {
        Ok(dataset) => panic!("it was read, from {}", dataset.matrix),
        Err(error) => error.message,
    }
}

/// A file alone.
pub fn file(name: &str, bytes: impl Into<Vec<u8>>) -> Files {
    vec![(name.to_owned(), bytes.into())]
}

pub fn codes(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.code).collect()
}

pub fn messages(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.message.as_str()).collect()
}

/// The counts that every good file of `tests/data/formats` holds: cell and gene → count.
pub fn expected() -> HashMap<(String, String), f32> {
    let text = String::from_utf8(bytes("expected.tsv")).expect("text");
    let entries = text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        ((fields[0].to_owned(), fields[1].to_owned()), fields[2].parse().expect("a count"))
    });
    entries.collect()
}

/// The counts of a dataset, whose genes have to ascend in each cell.
pub fn entries(dataset: &Dataset) -> HashMap<(String, String), f32> {
    let mut entries = HashMap::new();
    for (cell, barcode) in dataset.cells.iter().enumerate() {
        let mut last = None;
        for (gene, count) in dataset.counts.row(cell) {
            assert!(last < Some(gene), "genes ascend");
            last = Some(gene);
            let symbol = dataset.features[gene as usize].symbol.clone();
            assert!(entries.insert((barcode.clone(), symbol), count).is_none());
        }
    }
    entries
}

pub fn column(dataset: &Dataset, name: &str) -> Option<Column> {
    dataset.metadata.iter().find(|(known, _)| known == name).map(|(_, column)| column.clone())
}

/// A small generator of our own, so that changed files are the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
