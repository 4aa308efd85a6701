//! Options of a command: `--name value`, `--name=value`, flags, and files.

use crate::Failure;
use lexopt::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Flags that may be given a value, as in `--clusters=1.2`.
const WITH_OR_WITHOUT_VALUE: [&str; 1] = ["clusters"];

pub struct Arguments {
    /// At least one.
    pub files: Vec<PathBuf>,
    values: BTreeMap<String, String>,
}

impl Arguments {
    /// `options` take a value, `flags` do not; `file` is what the positional
    /// arguments are called; commands that take one file only call [`Self::file`].
    pub fn parse(words: &[&str], file: &str, options: &[&str], flags: &[&str]) -> Result<Self, Failure> {
        let mut parser = lexopt::Parser::from_args(words.iter().copied());
        let (mut files, mut values) = (Vec::new(), BTreeMap::new());
        let wrong = |error: lexopt::Error| Failure::usage(format!("{error}."));
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long(name) if WITH_OR_WITHOUT_VALUE.contains(&name) && flags.contains(&name) => {
                    let name = name.to_owned();
                    let value = parser.optional_value().map(|value| value.string()).transpose().map_err(wrong)?;
                    values.insert(name, value.unwrap_or_default());
                }
                Long(name) if flags.contains(&name) => {
                    values.insert(name.to_owned(), String::new());
                }
                Long(name) if options.contains(&name) => {
                    let name = name.to_owned();
                    let value = parser.value().and_then(|value| value.string()).map_err(wrong)?;
                    values.insert(name, value);
                }
                Value(path) => files.push(PathBuf::from(path)),
                other => return Err(wrong(other.unexpected())),
            }
        }
        if files.is_empty() {
            return Err(Failure::usage(format!("{file} is missing.")));
        }
        Ok(Arguments { files, values })
    }

    /// The file of a command that takes one.
    pub fn file(&self) -> Result<&Path, Failure> {
        match self.files.as_slice() {
            [file] => Ok(file),
            files => Err(Failure::usage(format!("One file is expected, not {}.", files.len()))),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.value(name).ok_or_else(|| Failure::usage(format!("--{name} is missing.")))
    }

    /// Comma-separated names.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let names = self.value(name)?.split(',').map(str::trim).filter(|name| !name.is_empty());
        Some(names.map(str::to_owned).collect())
    }

    /// A number of 0 or more.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Failure> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(number) if number >= 0.0 && number.is_finite() => Ok(Some(number)),
            _ => Err(Failure::usage(format!("--{name} takes a number of 0 or more, not '{text}'."))),
        }
    }

    /// A whole number, of at least `least`.
    pub fn whole(&self, name: &str, least: usize) -> Result<Option<usize>, Failure> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        match text.parse::<usize>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(Failure::usage(format!("--{name} takes a whole number from {least}, not '{text}'."))),
        }
    }

    /// Starts the pool with `--threads`, or with one thread for each core.
    pub fn start_threads(&self) -> Result<usize, Failure> {
        let mut pool = rayon::ThreadPoolBuilder::new();
        if let Some(text) = self.value("threads") {
            match text.parse::<usize>() {
                Ok(threads @ 1..=1024) => pool = pool.num_threads(threads),
                _ => return Err(Failure::usage(format!("--threads takes a number from 1 to 1024, not '{text}'."))),
            }
        }
        pool.build_global().map_err(|error| Failure::usage(format!("The threads cannot be started: {error}.")))?;
        Ok(rayon::current_num_threads())
    }
}
