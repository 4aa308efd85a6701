//! What of an object is kept in memory, and how much of it at most.

use super::faults::broken;
use super::numbers::{Held, Numbers};
use super::stream::{Element, PIECE, Stream};
use super::texts::Texts;
use crate::error::{Error, Result};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Vectors of more numbers stay in the file, unless they are wanted for what they are called.
const SHORT: u64 = 1 << 18;
/// Numbers that are kept altogether; short ones get half of it.
const NUMBERS: u64 = 8 << 20;
/// Bytes of strings that are kept altogether; ten million barcodes.
const TEXTS: usize = 256 << 20;
/// Parts of an object, of about 10 bytes each; a node counts as four.
const PARTS: u64 = 8 << 20;
/// Vectors of strings from this size on are looked up: an object names its cells many times over.
const LARGE_TEXTS: usize = 4096;
/// Places in a matrix that are looked at, neighbouring cells at each, and the most values.
const PLACES: u64 = 8;
const CELLS: usize = 8;
const SAMPLED: u64 = 1 << 20;

/// Counts what is kept.
#[derive(Default)]
pub struct Keeper {
    numbers: u64,
    texts: usize,
    parts: u64,
    shared: FxHashMap<u64, Vec<Arc<Texts>>>,
    /// Room for one string.
    pub letters: Vec<u8>,
}

fn too_much(what: &str) -> Error {
    Error::input(format!(
        "the object has {what}, more than Sextant keeps. Save the matrix of counts alone, in R with \
         `saveRDS(counts, \"counts.rds\")`."
    ))
}

impl Keeper {
    pub fn count_node(&mut self) -> Result<()> {
        self.count_items(4)
    }

    pub fn count_items(&mut self, count: u64) -> Result<()> {
        self.parts += count;
        if self.parts > PARTS { Err(too_much("millions of parts")) } else { Ok(()) }
    }

    pub fn check_string(&self, length: usize) -> Result<()> {
        if length > TEXTS / 4 { Err(broken("a string is impossibly long")) } else { Ok(()) }
    }

    pub fn check_texts(&self, size: usize) -> Result<()> {
        if self.texts + size > TEXTS { Err(too_much("more than 256 MB of names and text")) } else { Ok(()) }
    }

    /// The vector itself, or an equal one that is there already.
    pub fn share(&mut self, texts: Texts) -> Arc<Texts> {
        let size = texts.size();
        if size < LARGE_TEXTS {
            self.texts += size;
            return Arc::new(texts);
        }
        let mut hasher = FxHasher::default();
        texts.hash(&mut hasher);
        let known = self.shared.entry(hasher.finish()).or_default();
        if let Some(equal) = known.iter().find(|known| ***known == texts) {
            return Arc::clone(equal);
        }
        self.texts += size;
        let texts = Arc::new(texts);
        known.push(Arc::clone(&texts));
        texts
    }

    /// Reads a vector or passes over it. `offsets`: where cells begin in it, when that is known.
    ///
    /// # Errors
    /// When the data end before it.
    pub fn vector(
        &mut self,
        stream: &mut Stream,
        element: Element,
        length: u64,
        wanted: bool,
        offsets: Option<&[f64]>,
    ) -> Result<Numbers> {
        let limit = if wanted { NUMBERS } else { NUMBERS / 2 };
        if (wanted || length <= SHORT) && self.numbers + length <= limit {
            self.numbers += length;
            let mut numbers = Vec::new();
            let mut piece = Vec::new();
            while (numbers.len() as u64) < length {
                let rest = (length - numbers.len() as u64).min(PIECE as u64) as usize;
                stream.numbers(element, rest, &mut piece)?;
                numbers.extend_from_slice(&piece);
            }
            return Ok(Numbers::new(element, numbers));
        }
        let position = stream.position();
        let sample = match offsets {
            Some(offsets) if offsets.last() == Some(&(length as f64)) => Some(self.sample(stream, element, offsets)?),
            _ => {
                stream.skip_numbers(element, length)?;
                None
            }
        };
        Ok(Numbers { element, length, held: Held::Stored { position, sample } })
    }

    /// Passes over a vector and takes the values of some whole cells from it.
    fn sample(&mut self, stream: &mut Stream, element: Element, offsets: &[f64]) -> Result<Arc<Vec<Vec<f64>>>> {
        let mut cells = Vec::new();
        let mut at = 0u64;
        let length = offsets.last().map_or(0, |&end| end as u64);
        let (mut piece, mut next) = (Vec::new(), 0);
        for (first, last) in places(offsets, length) {
            for cell in first.max(next)..last {
                let (start, end) = (offsets[cell] as u64, offsets[cell + 1] as u64);
                // A cell cannot have more entries than the sample may hold.
                if start < at || end < start || end > length || self.numbers + (end - start) > NUMBERS + SAMPLED {
                    continue;
                }
                stream.skip_numbers(element, start - at)?;
                let mut values = Vec::new();
                let mut rest = end - start;
                while rest > 0 {
                    let step = rest.min(PIECE as u64);
                    stream.numbers(element, step as usize, &mut piece)?;
                    values.extend_from_slice(&piece);
                    rest -= step;
                }
                self.numbers += end - start;
                cells.push(values);
                at = end;
                next = cell + 1;
            }
        }
        stream.skip_numbers(element, length - at)?;
        Ok(Arc::new(cells))
    }
}

/// Runs of neighbouring cells at places that are evenly spread over the entries, so that empty droplets do not fill
/// the sample: first cell and the one behind the last. `offsets` are where cells begin.
pub fn places(offsets: &[f64], length: u64) -> impl Iterator<Item = (usize, usize)> + '_ {
    let cells = offsets.len().saturating_sub(1);
    (0..PLACES).map(move |place| {
        let entry = (u128::from(length) * u128::from(place) / u128::from(PLACES)) as f64;
        let first = offsets.partition_point(|&start| start <= entry).saturating_sub(1).min(cells);
        (first, (first + CELLS).min(cells))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut keeper = Keeper::default();
        keeper.check_texts(TEXTS).unwrap();
        let more =
            "more than Sextant keeps. Save the matrix of counts alone, in R with `saveRDS(counts, \"counts.rds\")`.";
        assert_eq!(
            keeper.check_texts(TEXTS + 1).unwrap_err().message,
            format!("the object has more than 256 MB of names and text, {more}")
        );
        assert_eq!(
            keeper.count_items(PARTS + 1).unwrap_err().message,
            format!("the object has millions of parts, {more}")
        );
    }
}
