//! Undoing what HDF5 and Zarr do to a chunk on its way to the file: compression, shuffles, checksums.

mod bitshuffle;
mod blosc;
mod blosclz;
mod blocks;
mod shuffle;
mod streams;

use super::hdf5::{damaged, re_save};
use crate::error::{Error, Result};
use hdf5rs::filters::{Filter as _, FilterContext, nbit::NBit, scaleoffset::ScaleOffset};
use hdf5rs::format::messages::filter_pipeline::{FilterInfo, FilterPipeline};
pub use shuffle::unshuffle;
pub use streams::Streams;

/// Why a chunk cannot be decoded: a few words that follow "cannot be read: ".
pub type Decoded<T> = std::result::Result<T, &'static str>;

/// A byte of gzip makes at most 1,032 bytes; the headers of a stream take their share.
const EXPANSION: u64 = 1_040;
/// Zstandard and Blosc describe long runs in a few bytes, and scale-offset a constant chunk in 21.
const EXPANSION_OF_RUNS: u64 = 64 << 10;

/// One step of a dataset's filter pipeline that we can undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// A zlib stream, which HDF5 calls gzip.
    Deflate,
    /// A gzip member with its own header.
    Gzip,
    Zstandard,
    Bzip2,
    Lzf,
    /// LZ4 blocks behind HDF5's own header.
    Lz4Hdf5,
    /// One LZ4 block behind its length, as numcodecs writes it.
    Lz4Sized,
    Blosc,
    /// Bits of equal significance stand together.
    Bitshuffle(bitshuffle::Bitshuffle),
    /// Bytes of equal significance stand together; holds the element size.
    Shuffle(usize),
    /// A checksum of four bytes behind the chunk, which is dropped unchecked: the compressed streams carry
    /// their own, and the values are judged anyway.
    Checksum,
    /// HDF5's integers packed to the bits that their range needs.
    ScaleOffset(Vec<u32>),
    /// HDF5's numbers without their padding bits.
    NBit(Vec<u32>),
    /// The chunk holds its columns one behind the other.
    Transpose {
        rows: usize,
        columns: usize,
        width: usize,
    },
}

/// The filters of an HDF5 dataset, in the order in which they were applied. `size`: bytes of an element.
///
/// # Errors
/// A sentence that names the filter when it is one that we do not read.
pub fn supported(pipeline: Option<&FilterPipeline>, path: &str, size: usize) -> Result<Vec<Filter>> {
    let Some(pipeline) = pipeline else {
        return Ok(Vec::new());
    };
    pipeline.filters.iter().map(|filter| of_hdf5(filter, path, size)).collect()
}

/// # Source
/// The HDF Group's list of registered filters,
/// <https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md>.
fn of_hdf5(filter: &FilterInfo, path: &str, size: usize) -> Result<Filter> {
    let client = &filter.client_data;
    Ok(match filter.id {
        1 => Filter::Deflate,
        2 => {
            let width = client.first().map_or(size, |&w| w as usize);
            if width == 0 {
                return Err(damaged(path, "its shuffle filter has no width"));
            }
            Filter::Shuffle(width)
        }
        3 => Filter::Checksum,
        5 => Filter::NBit(client.clone()),
        6 => Filter::ScaleOffset(client.clone()),
        307 => Filter::Bzip2,
        32000 => Filter::Lzf,
        // The seventh value is Blosc's number of the compressor.
        32001 if client.get(6) == Some(&3) => return Err(unsupported("Blosc with Snappy", path, re_save())),
        32001 => Filter::Blosc,
        32004 => Filter::Lz4Hdf5,
        32008 => match bitshuffle::Bitshuffle::of_hdf5(client, size) {
            Some(shuffle) => Filter::Bitshuffle(shuffle),
            None => return Err(damaged(path, "its bitshuffle filter has impossible settings")),
        },
        32015 => Filter::Zstandard,
        id => {
            let known = match id {
                4 => Some("szip"),
                32013 => Some("ZFP"),
                32026 => Some("Blosc2"),
                _ => None,
            };
            let name = match known.or(filter.name.as_deref()) {
                Some(name) => format!("{name} (filter {id})"),
                None => format!("filter {id}"),
            };
            return Err(unsupported(&name, path, re_save()));
        }
    })
}

/// The error for a compression that we do not read, and what to do about it.
pub fn unsupported(name: &str, path: &str, advice: &str) -> Error {
    Error::input(format!(
        "\"{path}\" is compressed with {name}, which Sextant does not read; it reads gzip, lzf, Zstandard, \
         LZ4, Blosc, bitshuffle, bzip2 and uncompressed data. {advice}"
    ))
}

/// How many times larger than the file its decoded data can honestly be.
pub fn expansion(filters: &[Filter]) -> u64 {
    let runs = |filter: &Filter| {
        matches!(
            filter,
            Filter::Zstandard | Filter::Bzip2 | Filter::Blosc | Filter::ScaleOffset(_) | Filter::Bitshuffle(_)
        )
    };
    if filters.iter().any(runs) { EXPANSION_OF_RUNS } else { EXPANSION }
}

/// How many bytes a decoded chunk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Exactly(usize),
    /// Strings of any length.
    AtMost(usize),
}

impl Length {
    /// The most bytes that a step may make: a checksum may have been added before compression, and
    /// bitshuffle, scale-offset and others keep a header.
    fn limit(self) -> usize {
        let (Length::Exactly(bytes) | Length::AtMost(bytes)) = self;
        bytes.saturating_add(64).saturating_add(bytes / 128)
    }

    /// Bytes to begin with, of which the stored ones can make so many.
    fn expected(self, stored: usize) -> usize {
        match self {
            Length::Exactly(bytes) => bytes.saturating_add(4),
            Length::AtMost(bytes) => stored.saturating_mul(4).saturating_add(1 << 12).min(bytes),
        }
    }
}

/// Buffers of one thread, kept from chunk to chunk.
pub struct Scratch {
    streams: Streams,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Scratch {
    pub fn new() -> Self {
        Scratch { streams: Streams::new(), first: Vec::new(), second: Vec::new() }
    }

    /// Undoes the filters whose bit in `mask` is not set; the result has the `length` that was asked for. Where the first
    /// filter is a shuffle of elements with as many bytes as `shuffled` says, it is not undone, and the result says so.
    ///
    /// # Errors
    /// A short reason when the chunk is damaged.
    pub fn decode<'a>(
        &'a mut self,
        stored: &'a [u8],
        filters: &[Filter],
        mask: u32,
        length: Length,
        shuffled: Option<usize>,
    ) -> Decoded<(&'a [u8], bool)> {
        let mut is_shuffled = false;
        // `first` holds the newest result unless nothing has been written yet.
        let mut written = false;
        let mut stored = stored;
        for (number, filter) in filters.iter().enumerate().rev() {
            if mask.checked_shr(number as u32).unwrap_or(0) & 1 == 1 {
                continue;
            }
            let input: &[u8] = if written { &self.first } else { stored };
            if *filter == Filter::Checksum {
                let end = input.len().checked_sub(4).ok_or("a chunk is too short")?;
                if written {
                    self.first.truncate(end);
                } else {
                    stored = &stored[..end];
                }
                continue;
            }
            let stays = |width: &usize| *filter == Filter::Shuffle(*width) && input.len().is_multiple_of(*width);
            if number == 0 && shuffled.as_ref().is_some_and(stays) {
                is_shuffled = true;
                continue;
            }
            undo(filter, input, &mut self.second, &mut self.streams, length)?;
            std::mem::swap(&mut self.first, &mut self.second);
            written = true;
        }
        let result: &[u8] = if written { &self.first } else { stored };
        let fits = match length {
            Length::Exactly(bytes) => result.len() == bytes,
            Length::AtMost(bytes) => result.len() <= bytes,
        };
        if fits { Ok((result, is_shuffled)) } else { Err("a chunk has not the size that was announced") }
    }
}

/// Undoes one filter. Every branch bounds what it writes by `length`.
fn undo(filter: &Filter, input: &[u8], output: &mut Vec<u8>, streams: &mut Streams, length: Length) -> Decoded<()> {
    let limit = length.limit();
    match filter {
        Filter::Deflate => streams.zlib(input, output, length.expected(input.len()), limit),
        Filter::Gzip => streams.gzip(input, output, length.expected(input.len()), limit),
        Filter::Zstandard => streams.zstandard(input, output, length.expected(input.len()), limit),
        Filter::Bzip2 => streams::bzip2(input, output, limit),
        Filter::Lzf => {
            let hint = length.expected(input.len());
            *output =
                hdf5rs::filters::lzf::decompress(input, hint, limit).map_err(|_| "an lzf chunk does not decompress")?;
            Ok(())
        }
        Filter::Lz4Hdf5 => blocks::lz4_of_hdf5(input, output, limit),
        Filter::Lz4Sized => blocks::lz4_sized(input, output, limit),
        Filter::Blosc => blosc::decode(input, output, streams, limit),
        Filter::Bitshuffle(settings) => settings.decode(input, output, streams, limit),
        Filter::Shuffle(width) => {
            shuffle::unshuffle(input, *width, output);
            Ok(())
        }
        Filter::Transpose { rows, columns, width } => shuffle::transpose(input, *rows, *columns, *width, output),
        Filter::ScaleOffset(client) => {
            let context = FilterContext::new(1).with_max_output(limit);
            *output = ScaleOffset
                .decode(client, input.to_vec(), &context)
                .map_err(|_| "a chunk packed by scale-offset does not unpack")?;
            Ok(())
        }
        Filter::NBit(client) => {
            let context = FilterContext::new(1).with_max_output(limit);
            *output =
                NBit.decode(client, input.to_vec(), &context).map_err(|_| "a chunk packed by n-bit does not unpack")?;
            Ok(())
        }
        Filter::Checksum => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_checksums() {
        let mut scratch = Scratch::new();
        let filters = [Filter::Shuffle(2), Filter::Checksum];
        let stored = [1, 3, 2, 4, 9, 9, 9, 9];
        let four = Length::Exactly(4);
        assert_eq!(scratch.decode(&stored, &filters, 0, four, None), Ok((&[1, 2, 3, 4][..], false)));
        assert_eq!(scratch.decode(&stored, &filters, 0, four, Some(4)), Ok((&[1, 2, 3, 4][..], false)));
        assert_eq!(scratch.decode(&stored, &filters, 0, four, Some(2)), Ok((&[1, 3, 2, 4][..], true)));
        assert_eq!(scratch.decode(&stored[..4], &filters, 0b11, four, Some(2)), Ok((&[1, 3, 2, 4][..], false)));
        assert_eq!(scratch.decode(&stored[..3], &filters, 0, four, None), Err("a chunk is too short"));
        let bitshuffle = bitshuffle::Bitshuffle::of_hdf5(&[0, 2, 2, 0, 2], 2).unwrap();
        for (filter, reason) in [
            (Filter::Deflate, "a gzip chunk does not decompress"),
            (Filter::Gzip, "a gzip chunk does not decompress"),
            (Filter::Zstandard, "a Zstandard chunk does not decompress"),
            (Filter::Bzip2, "a bzip2 chunk does not decompress"),
            (Filter::Lzf, "an lzf chunk does not decompress"),
            (Filter::Lz4Hdf5, "an LZ4 chunk does not decompress"),
            (Filter::Lz4Sized, "an LZ4 chunk does not decompress"),
            (Filter::Blosc, "a Blosc chunk does not decompress"),
            (Filter::Bitshuffle(bitshuffle), "a bitshuffle chunk does not decode"),
            (Filter::ScaleOffset(vec![2, 0, 4, 0, 1, 0, 0, 0]), "a chunk packed by scale-offset does not unpack"),
            (Filter::NBit(vec![8, 0, 3, 1, 4, 0, 32, 0]), "a chunk packed by n-bit does not unpack"),
        ] {
            let undone = scratch.decode(&[0xe0, 0xff, 0xff], std::slice::from_ref(&filter), 0, four, None);
            assert_eq!(undone, Err(reason), "{filter:?}");
            assert!(scratch.decode(&stored, std::slice::from_ref(&filter), 0, four, None).is_err(), "{filter:?}");
            assert!(scratch.decode(&[], &[filter], 0, four, None).is_err());
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let refused = |id: u16, client_data: &[u32]| {
            let filter = FilterInfo { id, name: None, optional: false, client_data: client_data.to_vec() };
            let pipeline = FilterPipeline { filters: vec![filter] };
            supported(Some(&pipeline), "X", 2).err().map(|error| error.message).unwrap_or_default()
        };
        let damaged = |what: &str| {
            format!(
                "\"X\" cannot be read: {what}. The file is damaged or was not written completely; copy or download it \
                 again, or write it again from its source."
            )
        };
        assert_eq!(refused(2, &[0]), damaged("its shuffle filter has no width"));
        assert_eq!(refused(32008, &[0, 2, 2, 0, 9]), damaged("its bitshuffle filter has impossible settings"));
        let advice = "which Sextant does not read; it reads gzip, lzf, Zstandard, LZ4, Blosc, bitshuffle, bzip2 and \
                      uncompressed data. Re-save the file with gzip, for example in Python with \
                      `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with \
                      `h5repack -f GZIP=4 in.h5 out.h5`.";
        assert_eq!(
            refused(32001, &[2, 2, 4, 0, 5, 1, 3]),
            format!("\"X\" is compressed with Blosc with Snappy, {advice}")
        );
        assert_eq!(refused(9_999, &[]), format!("\"X\" is compressed with filter 9999, {advice}"));
    }

    #[test]
    fn no_step_writes_more_than_the_chunk_may_have() {
        // A gzip stream of a megabyte of zeros, for a chunk of four bytes.
        let mut zeros = vec![0x78, 0x9c];
        let stored: Vec<u8> = vec![0; 60_000];
        zeros.extend([1, 0x60, 0xea, 0x9f, 0x15]);
        zeros.extend(stored);
        let mut scratch = Scratch::new();
        let undone = scratch.decode(&zeros, &[Filter::Deflate], 0, Length::Exactly(4), None);
        assert_eq!(undone, Err("a gzip chunk does not decompress"));
        assert!(scratch.second.capacity() < 4096);
        assert!(scratch.decode(&zeros, &[Filter::Deflate], 0, Length::AtMost(16), None).is_err());
    }
}
