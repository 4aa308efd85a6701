//! What the examples that time the engine share.

use std::error::Error;
use std::time::Instant;

const TIMES: usize = 5;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The words of the call without `--threads N`, which starts so many threads (one unless it is there), and N.
pub fn arguments() -> Outcome<(Vec<String>, usize)> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut threads = 1;
    if let Some(place) = words.iter().position(|word| word == "--threads") {
        threads = words.get(place + 1).ok_or("--threads takes a number")?.parse()?;
        words.drain(place..place + 2);
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    Ok((words, threads))
}

/// Seconds of the fastest of five times, and what it gave.
pub fn fastest<T>(work: impl Fn() -> Outcome<T>) -> Outcome<(f64, T)> {
    let mut best: Option<(f64, T)> = None;
    for _ in 0..TIMES {
        let start = Instant::now();
        let value = work()?;
        let seconds = start.elapsed().as_secs_f64();
        if best.as_ref().is_none_or(|(least, _)| seconds < *least) {
            best = Some((seconds, value));
        }
    }
    best.ok_or_else(|| "nothing was measured".into())
}
