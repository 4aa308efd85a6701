//! How long a file takes to read, beside inflating the chunks of its matrix alone.
//!
//!     cargo run --release --example read_times -- FILE [ARRAY ARRAY] [--threads N]
//!
//! ARRAY are the two arrays of the matrix: /matrix/data and /matrix/indices unless others are named (X/data X/indices).
//! Everything is done five times and the fastest counts; inflating is done on one thread.

// The engine knows no clock; what measures it does.
#![allow(clippy::disallowed_methods)]

mod timing;

use sextant::formats::{self, Input, ReadOptions};
use sextant::progress::Progress;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use timing::{Outcome, arguments, fastest};

fn main() -> Outcome<()> {
    let (words, threads) = arguments()?;
    let (file, arrays) = words.split_first().ok_or("name a file")?;
    let usual = [String::from("/matrix/data"), String::from("/matrix/indices")];
    let arrays = if arrays.is_empty() { &usual[..] } else { arrays };

    let (inflating, bytes) = fastest(|| inflate(file, arrays))?;
    let (reading, nonzeros) = fastest(|| read(file))?;
    println!("{nonzeros} entries");
    println!("inflating {bytes} bytes, 1 thread: {inflating:.3} s");
    println!("opening and reading, {threads} threads: {reading:.3} s, {:.2} times that", reading / inflating);
    Ok(())
}

fn read(path: &str) -> Outcome<usize> {
    let mut opened = formats::open(vec![Input::new(path, Box::new(File::open(path)?))])?;
    let dataset = opened.read(&ReadOptions::default(), &mut (), &Progress::silent())?;
    Ok(dataset.counts.nonzeros())
}

/// Reads each chunk of the arrays and inflates it into one buffer; nothing else.
fn inflate(path: &str, arrays: &[String]) -> Outcome<u64> {
    let hdf5 = hdf5rs::File::from_reader(Bytes(std::fs::read(path)?))?;
    let mut file = File::open(path)?;
    let (mut packed, mut total) = (Vec::new(), 0);
    for name in arrays {
        let dataset = hdf5.dataset(name)?;
        let elements: u64 = dataset.chunk_shape().ok_or("the array has no chunks")?.iter().product();
        let mut out = vec![0; elements as usize * dataset.datatype().size as usize];
        for chunk in dataset.chunks()? {
            packed.resize(chunk.size as usize, 0);
            file.seek(SeekFrom::Start(chunk.address))?;
            file.read_exact(&mut packed)?;
            let mut inflate = zlib_rs::Inflate::new(true, 15);
            inflate
                .decompress(&packed, &mut out, zlib_rs::InflateFlush::Finish)
                .map_err(|error| format!("{error:?}"))?;
            total += inflate.total_out();
        }
    }
    Ok(total)
}

struct Bytes(Vec<u8>);

impl hdf5rs::ReadAt for Bytes {
    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> hdf5rs::Result<()> {
        let start = position as usize;
        let bytes = self.0.get(start..start + buffer.len()).ok_or(hdf5rs::Error::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> hdf5rs::Result<u64> {
        Ok(self.0.len() as u64)
    }
}
