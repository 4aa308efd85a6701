//! Text by blocks of whole lines: the calling thread reads and unpacks the next block while all threads parse this one.

use super::content::{Content, Reader};
use super::hdf5::damaged;
use crate::error::Result;

/// Text that is parsed at once by all threads.
const BLOCK: usize = 4 << 20;
/// Text that one thread parses at once.
const PIECE: usize = 256 << 10;
/// The longest line that is believed. A line of a table has an entry for each cell or gene.
const LONGEST_LINE: usize = 64 << 20;

/// Parses pieces of whole lines in parallel, and hands the results over in order.
///
/// `skip` bytes at the beginning are left out. `advance` hears how many bytes of [`Content::work`] were
/// passed; `take` ends the reading by `false`. Text is read ahead by a block at most.
///
/// # Errors
/// Those of `take`; when the content cannot be read, or has a line longer than 64 MiB.
pub fn parse<T: Send>(
    content: &Content,
    skip: u64,
    parse: &(dyn Fn(&[u8]) -> T + Sync),
    advance: &mut dyn FnMut(u64),
    take: &mut dyn FnMut(T) -> Result<bool>,
) -> Result<()> {
    let mut reader = content.reader()?;
    reader.skip(skip)?;
    let mut feed = Feed { reader, carried: Vec::new(), ended: false };
    let mut passed = 0;
    let (mut block, mut spare) = (Vec::new(), Vec::new());
    feed.next(&mut block, content.name())?;
    while !block.is_empty() {
        let pieces = pieces(&block);
        let mut parsed: Vec<Option<T>> = pieces.iter().map(|_| None).collect();
        // Only the calling thread may read, so it does that while the others parse.
        let next = rayon::in_place_scope(|scope| {
            for (piece, slot) in pieces.iter().zip(&mut parsed) {
                scope.spawn(move |_| *slot = Some(parse(piece)));
            }
            feed.next(&mut spare, content.name())
        });
        for parsed in parsed.into_iter().flatten() {
            if !take(parsed)? {
                return Ok(());
            }
        }
        // Lines before the damage had their say.
        next?;
        std::mem::swap(&mut block, &mut spare);
        let now = feed.reader.passed();
        advance(now - passed);
        passed = now;
    }
    Ok(())
}

struct Feed {
    reader: Reader,
    /// The beginning of a line whose end was not read yet.
    carried: Vec<u8>,
    ended: bool,
}

impl Feed {
    /// Fills the block with whole lines; leaves it empty at the end.
    fn next(&mut self, block: &mut Vec<u8>, name: &str) -> Result<()> {
        block.clear();
        block.append(&mut self.carried);
        while !self.ended {
            let start = block.len();
            block.resize(start + BLOCK, 0);
            let read = self.reader.fill(&mut block[start..])?;
            block.truncate(start + read);
            self.ended = read < BLOCK;
            if let Some(newline) = block[start..].iter().rposition(|&byte| byte == b'\n') {
                if !self.ended {
                    self.carried.extend_from_slice(&block[start + newline + 1..]);
                    block.truncate(start + newline + 1);
                }
                return Ok(());
            }
            if block.len() > LONGEST_LINE {
                return Err(damaged(name, "it has a line of more than 64 MB, so it is no table of counts"));
            }
        }
        Ok(())
    }
}

/// Cuts a block behind newlines.
fn pieces(block: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = block;
    while rest.len() > PIECE {
        let Some(newline) = rest[PIECE..].iter().position(|&byte| byte == b'\n') else {
            break;
        };
        let (piece, behind) = rest.split_at(PIECE + newline + 1);
        pieces.push(piece);
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The lines of a piece without their ends, `\n` or `\r\n`.
pub fn of(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The first `limit` bytes of the content, or fewer where it is shorter or damaged behind them; and whether
/// this is all of it.
///
/// # Errors
/// When nothing can be read.
pub fn beginning(content: &Content, limit: usize) -> Result<(Vec<u8>, bool)> {
    const STEP: usize = 64 << 10;
    let mut reader = content.reader()?;
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        if start >= limit {
            return Ok((bytes, false));
        }
        bytes.resize((start + STEP).min(limit), 0);
        match reader.fill(&mut bytes[start..]) {
            Ok(read) => {
                let all = start + read < bytes.len();
                bytes.truncate(start + read);
                if all {
                    return Ok((bytes, true));
                }
            }
            // The damage is reported by who reads on.
            Err(error) if start == 0 => return Err(error),
            Err(_) => {
                bytes.truncate(start);
                return Ok((bytes, false));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::BlockCache;
    use super::*;
    use std::io::Cursor;
    use std::sync::Arc;

    fn content(bytes: &[u8]) -> Content {
        Content::of_source("f", Arc::new(BlockCache::new(Box::new(Cursor::new(bytes.to_vec()))).unwrap()))
    }

    fn parsed(text: &[u8], skip: u64) -> Result<Vec<u8>> {
        let mut joined = Vec::new();
        let mut passed = 0;
        parse(&content(text), skip, &|piece| piece.to_vec(), &mut |bytes| passed += bytes, &mut |piece| {
            assert!(piece.ends_with(b"\n") || text.ends_with(&piece));
            joined.extend(piece);
            Ok(true)
        })?;
        assert_eq!(passed, text.len() as u64);
        Ok(joined)
    }

    #[test]
    fn pieces_are_whole_lines_in_order() {
        let text: Vec<u8> = (0..900_000u32).flat_map(|i| format!("{}\n", i * 31).into_bytes()).collect();
        assert!(text.len() > BLOCK + PIECE);
        assert_eq!(parsed(&text, 0).unwrap(), text);
        assert_eq!(parsed(&text[..text.len() - 1], 7).unwrap(), text[7..text.len() - 1]);
        assert_eq!(parsed(&vec![b'x'; 9 << 20], 0).unwrap().len(), 9 << 20, "one line");
        assert_eq!(parsed(b"", 0).unwrap(), b"");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let message = parsed(&vec![b'x'; 70 << 20], 0).unwrap_err().message;
        assert_eq!(
            message,
            "\"f\" cannot be read: it has a line of more than 64 MB, so it is no table of counts. The file is \
             damaged or was not written completely; copy or download it again, or write it again from its source."
        );
    }

    #[test]
    fn ends_of_lines() {
        let lines: Vec<&[u8]> = of(b"a\r\n\nb\r\rc\nd").collect();
        assert_eq!(lines, [&b"a"[..], b"", b"b\r\rc", b"d"]);
        assert_eq!(of(b"a\n").count(), 1);
        assert_eq!(beginning(&content(b"abcdef"), 4).unwrap(), (b"abcd".to_vec(), false));
        assert_eq!(beginning(&content(b"abcdef"), 100).unwrap(), (b"abcdef".to_vec(), true));
    }
}
