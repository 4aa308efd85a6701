//! The first bytes of R data: what wrote them, and how.

use super::container::Container;
use super::faults::broken;
use super::stream::{Encoding, Stream};
use crate::error::{Error, Result};
use crate::formats::source::BlockCache;
use crate::formats::unpacking::Packing;
use std::sync::Arc;

/// How the file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub container: Container,
    pub encoding: Encoding,
    /// Whether it is of `save()`, with several named objects, and not of `saveRDS()`.
    pub named: bool,
    /// Whether strings without a mark are Latin-1.
    pub latin1: bool,
}

/// Reads the header and gives the stream behind it; `None` when the file is not R's.
///
/// # Errors
/// When it is R's but of a version that we do not know, or the source fails.
pub fn open(source: &Arc<BlockCache>) -> Result<Option<(Header, Stream)>> {
    let mut first = [0; 6];
    let count = first.len().min(usize::try_from(source.len()).unwrap_or(usize::MAX));
    source.read_exact_at(0, &mut first[..count]).map_err(super::faults::unreadable)?;
    let container = Container::of(&first[..count]);
    let mut stream = Stream::open(source, container, Encoding::Xdr, 0)?;
    let start = match stream.peek(7) {
        Ok(start) => start,
        // Short or damaged files of other kinds say so themselves.
        Err(_) if matches!(container, Container::Plain | Container::Packed(Packing::Gzip)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let named = matches!(start.as_slice(), [b'R', b'D', b'X' | b'A' | b'B', b'2' | b'3', b'\n', ..]);
    let letters = if named { start.get(5..7) } else { start.get(..2) };
    let mut encoding = match letters {
        Some(b"X\n") => Encoding::Xdr,
        Some(b"A\n") => Encoding::Ascii,
        Some(b"B\n") => Encoding::Native,
        _ => return Ok(None),
    };
    stream.skip(if named { 7 } else { 2 })?;
    if encoding == Encoding::Native && stream.peek(4)?.first() == Some(&0) {
        encoding = Encoding::Xdr;
    }
    stream.encoding = encoding;
    let mut header = Header { container, encoding, named, latin1: false };
    // A table of two columns may begin as an ASCII file of R does.
    let (Ok(version), Ok(_), Ok(_)) = (stream.integer(), stream.integer(), stream.integer()) else {
        return Ok(None);
    };
    match version {
        2 => {}
        3 => {
            let length = stream.length()?;
            if length > 255 {
                return Err(broken("the name of its text encoding is impossibly long"));
            }
            let mut name = Vec::new();
            stream.text(length as usize, &mut name)?;
            header.latin1 = matches!(name.to_ascii_uppercase().as_slice(), b"LATIN1" | b"ISO-8859-1" | b"CP1252");
        }
        version => {
            return Err(Error::input(format!(
                "it is R data of version {version}, and Sextant reads versions 2 and 3. Save it again in R with \
                 `saveRDS(object, \"file.rds\", version = 3)`."
            )));
        }
    }
    Ok(Some((header, stream)))
}
