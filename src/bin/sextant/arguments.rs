//! Options of a command: `--name value`, `--name=value`, flags, and one file.

use crate::Failure;
use lexopt::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub struct Arguments {
    pub file: PathBuf,
    values: BTreeMap<String, String>,
}

impl Arguments {
    /// `options` take a value, `flags` do not; `file` is what the one positional argument is called.
    pub fn parse(words: &[&str], file: &str, options: &[&str], flags: &[&str]) -> Result<Self, Failure> {
        let mut parser = lexopt::Parser::from_args(words.iter().copied());
        let (mut found, mut values) = (None, BTreeMap::new());
        let wrong = |error: lexopt::Error| Failure::usage(format!("{error}."));
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long(name) if flags.contains(&name) => {
                    values.insert(name.to_owned(), String::new());
                }
                Long(name) if options.contains(&name) => {
                    let name = name.to_owned();
                    let value = parser.value().and_then(|value| value.string()).map_err(wrong)?;
                    values.insert(name, value);
                }
                Value(path) if found.is_none() => found = Some(PathBuf::from(path)),
                other => return Err(wrong(other.unexpected())),
            }
        }
        let file = found.ok_or_else(|| Failure::usage(format!("{file} is missing.")))?;
        Ok(Arguments { file, values })
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
