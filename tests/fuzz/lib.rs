//! What the targets share: a file is opened, looked at and read as a person's would be.

use sextant::formats::{self, Input, ReadOptions};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use std::io::Cursor;

/// Counts may take this much; more is refused by the reader itself.
const BUDGET: u64 = 64 << 20;

/// Opens, inspects and reads files as the page does. Every outcome but a panic, a hang or too much memory is right.
pub fn read(files: Vec<(String, Vec<u8>)>) {
    let input = |(path, bytes): (String, Vec<u8>)| Input::new(path, Box::new(Cursor::new(bytes)) as Box<dyn formats::Source>);
    let Ok(mut file) = formats::open(files.into_iter().map(input).collect()) else {
        return;
    };
    let options = ReadOptions { budget: Some(BUDGET), ..Default::default() };
    let paths: Vec<String> = match file.inspect(&options) {
        Ok(inspection) => inspection.matrices.into_iter().map(|matrix| matrix.path).collect(),
        Err(error) => return assert_sentence(&error.message),
    };
    let options = QueryOptions { budget: Some(BUDGET), ..Default::default() };
    if let Err(error) = Query::read(&mut file, &options, &Progress::silent()) {
        assert_sentence(&error.message);
    }
    // The other matrices are a person's to choose.
    for path in paths.iter().take(3) {
        let options = QueryOptions { matrix: Some(path), budget: Some(BUDGET), ..Default::default() };
        if let Err(error) = Query::read(&mut file, &options, &Progress::silent()) {
            assert_sentence(&error.message);
        }
    }
}

/// A folder, as the members of a tar archive: content without checksums, so that changed bytes reach the parsers.
pub fn folder(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + BLOCK) {
        let text = |range: std::ops::Range<usize>| {
            let field = header[range].split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let length = usize::from_str_radix(&text(124..136), 8).unwrap_or(0).min(tar.len());
        at += BLOCK;
        let content = tar.get(at..tar.len().min(at + length)).unwrap_or_default();
        if matches!(header[156], b'0' | 0) && !text(0..100).is_empty() {
            files.push((text(0..100), content.to_vec()));
        }
        at += length.div_ceil(BLOCK) * BLOCK;
    }
    files
}

/// What a person is told ends like a sentence.
fn assert_sentence(message: &str) {
    assert!(message.trim_end().ends_with(['.', '?', ')']), "no sentence: {message:?}");
}
