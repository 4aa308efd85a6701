//! Undoing what HDF5 does to a chunk on its way to the file: gzip, shuffle, lzf, fletcher32.

use super::hdf5::{damaged, re_save};
use crate::error::{Error, Result};
use hdf5rs::format::messages::filter_pipeline::FilterPipeline;
use zlib_rs::{Inflate, InflateFlush, Status};

/// One step of a dataset's filter pipeline that we can undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Deflate,
    /// Bytes of equal significance stand together; holds the element size.
    Shuffle(usize),
    /// A checksum of four bytes behind the chunk, which is dropped unchecked: gzip carries its own, and
    /// the values are judged anyway.
    Fletcher32,
    Lzf,
}

/// The filters of a dataset, in the order in which they were applied.
///
/// # Errors
/// A sentence that names the filter when it is one that we do not read.
pub fn supported(pipeline: Option<&FilterPipeline>, path: &str, size: usize) -> Result<Vec<Filter>> {
    let Some(pipeline) = pipeline else {
        return Ok(Vec::new());
    };
    let supported = pipeline.filters.iter().map(|filter| match filter.id {
        1 => Ok(Filter::Deflate),
        2 => {
            let width = filter.client_data.first().map_or(size, |&w| w as usize);
            if width == 0 {
                return Err(damaged(path, "its shuffle filter has no width"));
            }
            Ok(Filter::Shuffle(width))
        }
        3 => Ok(Filter::Fletcher32),
        32000 => Ok(Filter::Lzf),
        id => Err(unsupported(id, filter.name.as_deref(), path)),
    });
    supported.collect()
}

fn unsupported(id: u16, name: Option<&str>, path: &str) -> Error {
    let known = match id {
        4 => Some("szip"),
        5 => Some("nbit"),
        6 => Some("scaleoffset"),
        307 => Some("bzip2"),
        32001 => Some("Blosc"),
        32004 => Some("LZ4"),
        32008 => Some("bitshuffle"),
        32013 => Some("ZFP"),
        32015 => Some("Zstandard"),
        32026 => Some("Blosc2"),
        _ => None,
    };
    let name = match known.or(name) {
        Some(name) => format!("{name} (filter {id})"),
        None => format!("filter {id}"),
    };
    Error::input(format!(
        "\"{path}\" is compressed with {name}, which Sextant does not read; it reads gzip, lzf and \
         uncompressed data. {}",
        re_save()
    ))
}

/// Buffers of one thread, kept from chunk to chunk.
pub struct Scratch {
    inflate: Inflate,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Scratch {
    pub fn new() -> Self {
        Scratch { inflate: Inflate::new(true, 15), first: Vec::new(), second: Vec::new() }
    }

    /// Undoes the filters whose bit in `mask` is not set; the result has exactly `length` bytes.
    ///
    /// # Errors
    /// A short reason when the chunk is damaged.
    pub fn decode<'a>(
        &'a mut self,
        stored: &'a [u8],
        filters: &[Filter],
        mask: u32,
        length: usize,
    ) -> std::result::Result<&'a [u8], &'static str> {
        // `first` holds the newest result unless nothing has been written yet.
        let mut written = false;
        let mut stored = stored;
        for (number, filter) in filters.iter().enumerate().rev() {
            if mask >> number & 1 == 1 {
                continue;
            }
            let input: &[u8] = if written { &self.first } else { stored };
            match *filter {
                Filter::Fletcher32 => {
                    let end = input.len().checked_sub(4).ok_or("a chunk is too short")?;
                    if written {
                        self.first.truncate(end);
                    } else {
                        stored = &stored[..end];
                    }
                    continue;
                }
                Filter::Deflate => {
                    // A checksum may have been added before compression.
                    self.second.resize(length + 4, 0);
                    self.inflate.reset(true);
                    let status = self.inflate.decompress(input, &mut self.second, InflateFlush::Finish);
                    if !matches!(status, Ok(Status::StreamEnd)) {
                        return Err("a gzip chunk does not decompress");
                    }
                    self.second.truncate(self.inflate.total_out() as usize);
                }
                Filter::Lzf => {
                    self.second = hdf5rs::filters::lzf::decompress(input, length, length + 4)
                        .map_err(|_| "an lzf chunk does not decompress")?;
                }
                Filter::Shuffle(width) => unshuffle(input, width, &mut self.second),
            }
            std::mem::swap(&mut self.first, &mut self.second);
            written = true;
        }
        let result: &[u8] = if written { &self.first } else { stored };
        if result.len() != length {
            return Err("a chunk has not the size that was announced");
        }
        Ok(result)
    }
}

/// Puts the bytes of each element together again; bytes beyond the last whole element stay as they are.
fn unshuffle(input: &[u8], width: usize, output: &mut Vec<u8>) {
    output.resize(input.len(), 0);
    let elements = input.len() / width;
    let whole = elements * width;
    match width {
        2 => interleave::<2>(&input[..whole], output),
        4 => interleave::<4>(&input[..whole], output),
        8 => interleave::<8>(&input[..whole], output),
        _ => {
            for (plane, bytes) in input[..whole].chunks_exact(elements.max(1)).enumerate() {
                for (element, &byte) in bytes.iter().enumerate() {
                    output[element * width + plane] = byte;
                }
            }
        }
    }
    output[whole..].copy_from_slice(&input[whole..]);
}

/// [`unshuffle`] for a width that the compiler knows.
fn interleave<const WIDTH: usize>(input: &[u8], output: &mut [u8]) {
    let elements = input.len() / WIDTH;
    let planes: [&[u8]; WIDTH] = std::array::from_fn(|plane| &input[plane * elements..(plane + 1) * elements]);
    let (slots, _) = output.as_chunks_mut::<WIDTH>();
    for (element, slot) in slots.iter_mut().take(elements).enumerate() {
        *slot = std::array::from_fn(|plane| planes[plane][element]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffle(input: &[u8], width: usize) -> Vec<u8> {
        let elements = input.len() / width;
        let mut output: Vec<u8> =
            (0..width).flat_map(|plane| (0..elements).map(move |element| input[element * width + plane])).collect();
        output.extend_from_slice(&input[elements * width..]);
        output
    }

    #[test]
    fn unshuffle_undoes_shuffle() {
        let bytes: Vec<u8> = (0..203u32).map(|i| (i * 37 % 256) as u8).collect();
        for width in [1, 2, 3, 4, 8, 16, 300] {
            let mut output = Vec::new();
            unshuffle(&shuffle(&bytes, width), width, &mut output);
            assert_eq!(output, bytes, "width {width}");
        }
    }

    #[test]
    fn masks_and_checksums() {
        let mut scratch = Scratch::new();
        let filters = [Filter::Shuffle(2), Filter::Fletcher32];
        let stored = [1, 3, 2, 4, 9, 9, 9, 9];
        assert_eq!(scratch.decode(&stored, &filters, 0, 4), Ok(&[1, 2, 3, 4][..]));
        assert_eq!(scratch.decode(&stored[..4], &filters, 0b11, 4), Ok(&[1, 3, 2, 4][..]));
        assert!(scratch.decode(&stored[..3], &filters, 0, 4).is_err());
        assert!(scratch.decode(&stored, &[Filter::Deflate], 0, 4).is_err());
        assert!(scratch.decode(&stored, &[Filter::Lzf], 0, 4).is_err());
    }
}
