//! What the fuzz targets and the ordinary tests share: bytes are opened, looked at and read as a person's file would be.

use sextant::Warning;
use sextant::formats::{self, Input, ReadOptions};
use sextant::genes::GeneTable;
use sextant::progress::Progress;
use sextant::published;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{About, Reference, bundle};
use std::io::Cursor;
use std::ops::Range;

/// Every target. Those that take a folder take it as a tar archive, whose members have no checksums.
pub const TARGETS: [&str; 10] =
    ["hdf5", "zarr", "mex", "table", "archive", "r", "bundle", "genes", "azimuth", "symphony"];

/// Counts may take this much; more is refused by the reader itself.
const BUDGET: u64 = 64 << 20;

/// Reads bytes as a target does. Every outcome but a panic, a hang or too much memory is right; whether they could be read.
pub fn run(target: &str, bytes: &[u8]) -> bool {
    match target {
        "zarr" | "mex" => read(folder(bytes)),
        "bundle" => said(bundle::read(&sealed(bytes)).map(drop)),
        "azimuth" | "symphony" => said(import(bytes).map(drop)),
        "genes" => said(GeneTable::read(bytes).map(drop)),
        _ => read(vec![("file".to_owned(), bytes.to_vec())]),
    }
}

fn import(bytes: &[u8]) -> sextant::Result<(Reference, Vec<Warning>)> {
    let source = Box::new(Cursor::new(bytes.to_vec()));
    published::import(source, &published::Options::default(), About::default(), &Progress::silent())
}

/// Opens, inspects and reads files as the page does: the counts that it takes by itself, and three that a person may choose.
fn read(files: Vec<(String, Vec<u8>)>) -> bool {
    let input = |(path, bytes): (String, Vec<u8>)| Input::new(path, Box::new(Cursor::new(bytes)));
    let mut file = match formats::open(files.into_iter().map(input).collect()) {
        Ok(file) => file,
        Err(error) => return said(Err(error)),
    };
    let options = ReadOptions { budget: Some(BUDGET), ..Default::default() };
    let paths: Vec<String> = match file.inspect(&options) {
        Ok(inspection) => inspection.matrices.into_iter().map(|matrix| matrix.path).collect(),
        Err(error) => return said(Err(error)),
    };
    let chosen = paths.iter().take(3).map(|path| Some(path.as_str()));
    let outcomes = std::iter::once(None).chain(chosen).map(|matrix| {
        let options = QueryOptions { matrix, budget: Some(BUDGET), ..Default::default() };
        said(Query::read(&mut file, &options, &Progress::silent()).map(|query| {
            assert_eq!(query.counts.cells(), query.cells.len(), "every cell has a name");
            assert_eq!(query.counts.genes(), query.features.len(), "every gene has a name");
        }))
    });
    outcomes.fold(false, |any, one| any | one)
}

/// Whether it went well. What a person is told otherwise ends like a sentence.
fn said(outcome: sextant::Result<()>) -> bool {
    if let Err(error) = &outcome {
        assert!(error.message.trim_end().ends_with(['.', '?', ')', '!']), "no sentence: {:?}", error.message);
    }
    outcome.is_ok()
}

/// The members of a tar archive: content without checksums, so that changed bytes reach the parsers.
fn folder(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + BLOCK) {
        let text = |range: Range<usize>| {
            let field = header[range].split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let length = usize::from_str_radix(&text(124..136), 8).unwrap_or(0).min(tar.len());
        at += BLOCK;
        let content = tar.get(at.min(tar.len())..tar.len().min(at + length)).unwrap_or_default();
        if matches!(header[156], b'0' | 0) && !text(0..100).is_empty() {
            files.push((text(0..100), content.to_vec()));
        }
        at += length.div_ceil(BLOCK) * BLOCK;
    }
    files
}

/// A bundle of the members of a tar archive with the checksums that they have now; what is a ZIP archive stays what it is.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"PK") {
        return bytes.to_vec();
    }
    let mut members = folder(bytes);
    let sums: serde_json::Map<String, serde_json::Value> =
        members.iter().map(|(name, content)| (name.clone(), bundle::sha256(content).into())).collect();
    for (_, content) in members.iter_mut().filter(|(name, _)| name == "manifest.json") {
        if let Ok(mut manifest) = serde_json::from_slice::<serde_json::Value>(content)
            && let Some(known) = manifest.get_mut("sha256")
        {
            *known = sums.clone().into();
            *content = manifest.to_string().into_bytes();
        }
    }
    zip(&members)
}

/// A ZIP archive of members as they are.
fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let size = (content.len() as u32).to_le_bytes();
        let names = [(name.len() as u16).to_le_bytes(), [0; 2]].concat();
        let fields =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &crc32fast::hash(content).to_le_bytes()[..], &size, &size, &names]
                .concat();
        let offset = (archive.len() as u32).to_le_bytes();
        directory.extend([b"PK\x01\x02\x14\x00", &fields[..], &[0; 10], &offset, name.as_bytes()].concat());
        archive.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), content].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let sizes = [(directory.len() as u32).to_le_bytes(), (archive.len() as u32).to_le_bytes()].concat();
    [&archive[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &sizes, &[0; 2]].concat()
}
