//! What the command says of its own work: time of each stage, memory, checksums.

use crate::Failure;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

/// Notes when the work passes from one stage to the next.
pub struct Stopwatch {
    started: Instant,
    stages: RefCell<Vec<(String, f64)>>,
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch { started: Instant::now(), stages: RefCell::new(Vec::new()) }
    }

    /// To be handed to [`sextant::progress::Progress`].
    pub fn note(&self, stage: &str) {
        let now = self.started.elapsed().as_secs_f64();
        let mut stages = self.stages.borrow_mut();
        if stages.last().is_none_or(|last| last.0 != stage) {
            stages.push((stage.to_owned(), now));
        }
    }

    /// Seconds of each stage in their order, and of all.
    pub fn seconds(&self) -> (Vec<(String, f64)>, f64) {
        let total = self.started.elapsed().as_secs_f64();
        let stages = self.stages.borrow();
        let mut seconds: Vec<(String, f64)> = Vec::new();
        for (index, (name, begin)) in stages.iter().enumerate() {
            let end = stages.get(index + 1).map_or(total, |next| next.1);
            match seconds.iter_mut().find(|stage| &stage.0 == name) {
                Some(stage) => stage.1 += end - begin,
                None => seconds.push((name.clone(), end - begin)),
            }
        }
        (seconds, total)
    }
}

/// Largest memory of this process so far in bytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// SHA-256 of a file in hexadecimal, read piece by piece.
pub fn checksum(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::io("Cannot read", path, &error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            length => hash.update(&buffer[..length]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// 12345.678 → "12,345.7" is more than a person needs: whole numbers with separators.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
