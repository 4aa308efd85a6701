//! What gzip, bzip2, xz and Zstandard packed as a whole, decoded as it is read. What the packed bytes claim to need is
//! bounded.

mod gzip;

use bzip2::read::MultiBzDecoder;
use gzip::GzipReader;
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

/// gzip makes a byte of at most 1,032. The others can do more, but no experiment compresses so well.
const LARGEST_EXPANSION: u64 = 1_040;
const SLACK: u64 = 64 << 20;
/// The largest dictionary of xz and window of Zstandard; `xz -9` and `zstd -19` need no more.
const LARGEST_WINDOW: u64 = 64 << 20;
/// What the xz decoder takes besides its dictionary, in KiB.
const XZ_BESIDES: u32 = 1 << 10;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
}

impl Packing {
    /// Found by the first six bytes.
    pub fn of(first: &[u8]) -> Option<Packing> {
        match first {
            [0x1f, 0x8b, ..] => Some(Packing::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Packing::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstandard),
            _ => None,
        }
    }

    /// As the command that packs is called.
    pub fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Bzip2 => "bzip2",
            Packing::Xz => "xz",
            Packing::Zstandard => "zstd",
        }
    }

    /// The packed bytes, one stream after the other.
    pub fn decoder<R: Read + 'static>(self, packed: BufReader<R>) -> Box<dyn Read> {
        match self {
            Packing::Gzip => Box::new(GzipReader::new(packed)),
            Packing::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
            Packing::Xz => {
                let memory = (LARGEST_WINDOW >> 10) as u32 + XZ_BESIDES;
                Box::new(XzReader::new_mem_limit(packed, true, memory))
            }
            Packing::Zstandard => Box::new(Frames { packed: Some(packed), frame: None }),
        }
    }

    /// What is too large, when an error of the decoder means that unpacking would take too much memory.
    pub fn excess(self, error: &Error) -> Option<&'static str> {
        let text = error.to_string();
        let too_large = error.kind() == ErrorKind::OutOfMemory || text.contains("mem_limit") || text.contains("indow");
        match self {
            Packing::Xz if too_large => Some("a dictionary of more than 64 MB"),
            Packing::Zstandard if too_large => Some("a window of more than 64 MB"),
            _ => None,
        }
    }
}

/// The most bytes that so many packed ones can honestly become.
pub fn limit(packed: u64) -> u64 {
    packed.saturating_mul(LARGEST_EXPANSION).saturating_add(SLACK)
}

/// Frames of Zstandard, one after the other.
struct Frames<R: Read> {
    packed: Option<BufReader<R>>,
    frame: Option<StreamingDecoder<BufReader<R>, FrameDecoder>>,
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                self.packed = self.frame.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut packed) = self.packed.take() else {
                return Ok(0);
            };
            if packed.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = StreamingDecoder::new_with_max_window_size(packed, LARGEST_WINDOW);
            self.frame = Some(frame.map_err(Error::other)?);
        }
    }
}
