//! Files and folders of the command line as what the engine reads.

use crate::Failure;
use crate::arguments::Arguments;
use crate::report::checksum;
use sextant::formats::{self, Column, Input, OpenFile};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file that is open only while bytes are read, since a folder may hold more files than a process may have open.
struct OnDemand {
    path: PathBuf,
    length: u64,
    position: u64,
}

impl Read for OnDemand {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }
}

impl Seek for OnDemand {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| std::io::Error::other("a position before the start of the file"))?;
        Ok(self.position)
    }
}

/// The files that were named, and those in folders that were named, by path.
fn files(arguments: &Arguments) -> std::result::Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    for named in &arguments.files {
        let name = named.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        collect(named, name, &mut files)?;
    }
    Ok(files)
}

fn collect(path: &Path, name: String, files: &mut Vec<(String, PathBuf)>) -> std::result::Result<(), Failure> {
    if !path.is_dir() {
        files.push((name, path.to_owned()));
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::io("Cannot read the folder", path, &error);
    let mut members: Vec<PathBuf> = Vec::new();
    for member in std::fs::read_dir(path).map_err(failed)? {
        members.push(member.map_err(failed)?.path());
    }
    members.sort();
    for member in members {
        let last = member.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        collect(&member, format!("{name}/{last}"), files)?;
    }
    Ok(())
}

/// Opens the query: one file, a folder, or several that belong together or are samples.
pub fn open(arguments: &Arguments) -> std::result::Result<OpenFile, Failure> {
    let mut inputs = Vec::new();
    for (name, path) in files(arguments)? {
        let failed = |error: std::io::Error| Failure::io("Cannot open", &path, &error);
        let length = File::open(&path).and_then(|file| file.metadata()).map_err(failed)?.len();
        inputs.push(Input::new(name, Box::new(OnDemand { path, length, position: 0 })));
    }
    Ok(formats::open(inputs)?)
}

/// The names of the files and their SHA-256; of several, that of the lines that `sha256sum` would print.
pub fn fingerprint(arguments: &Arguments) -> std::result::Result<(String, String), Failure> {
    let files = files(arguments)?;
    if let [(name, path)] = files.as_slice() {
        return Ok((name.clone(), checksum(path)?));
    }
    let mut all = Sha256::new();
    for (name, path) in &files {
        all.update(format!("{}  {name}\n", checksum(path)?));
    }
    let names: Vec<&str> = files.iter().map(|file| file.0.as_str()).collect();
    Ok((names.join(", "), all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// A column of the file's table of cells, by its name.
pub fn column<'a>(metadata: &'a [(String, Column)], name: &str) -> std::result::Result<&'a Column, Failure> {
    let columns: Vec<&str> = metadata.iter().map(|column| column.0.as_str()).collect();
    metadata.iter().find(|column| column.0 == name).map(|column| &column.1).ok_or_else(|| {
        Failure::usage(format!("The file has no cell column '{name}'. Its columns are: {}.", columns.join(", ")))
    })
}
