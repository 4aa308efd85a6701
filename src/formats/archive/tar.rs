//! The members of a tar archive, as GNU tar, BSD tar, Python and R write them.
//!
//! # Source
//! POSIX.1-2024, "pax Interchange Format" and "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".

use super::super::content::{Content, Reader};
use super::super::hdf5::damaged;
use super::{Member, tidy};
use crate::error::Result;

/// Everything in a tar archive comes in blocks of this size.
pub const BLOCK: usize = 512;
/// The longest name or table of pax that is believed.
const LONGEST_NAME: u64 = 1 << 20;

/// Whether the block is the header of a member: its checksum fits.
pub fn is_header(block: &[u8]) -> bool {
    let Some(stored) = block.get(148..156).and_then(octal) else {
        return false;
    };
    let sum: u64 =
        (0..).zip(block).map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u64::from(byte) }).sum();
    sum == stored && block.len() == BLOCK && block[0] != 0
}

/// The members, folders and links left out.
///
/// # Errors
/// When a header is damaged or the archive ends within a member.
pub fn members(archive: &Content) -> Result<Vec<Member>> {
    let mut walk = Walk { archive, reader: archive.reader()?, at: 0 };
    let mut members = Vec::new();
    // What comes before a member and says more of it.
    let (mut long_name, mut size_of_next) = (None, None);
    while let Some(header) = walk.header()? {
        let size = size_of_next.take().unwrap_or(header.size);
        match header.kind {
            b'L' => long_name = Some(text(&walk.small(header.size)?)),
            b'x' => {
                let (path, size) = pax(&walk.small(header.size)?);
                long_name = path.or(long_name);
                size_of_next = size;
            }
            0 | b'0' | b'7' => {
                let path = tidy(&long_name.take().unwrap_or(header.name));
                let content = archive.part(&path, walk.at, size);
                walk.pass(size)?;
                members.push(Member { path, content });
            }
            _ => {
                long_name = None;
                walk.pass(size)?;
            }
        }
    }
    Ok(members)
}

struct Header {
    name: String,
    kind: u8,
    size: u64,
}

struct Walk<'a> {
    archive: &'a Content,
    reader: Reader,
    at: u64,
}

impl Walk<'_> {
    /// The next header; `None` at the end, which is a block of zeros or the end of the file.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut block = [0; BLOCK];
        let read = self.reader.fill(&mut block)?;
        self.at += read as u64;
        if read == 0 || (read == BLOCK && block == [0; BLOCK]) {
            return Ok(None);
        }
        if read < BLOCK || !is_header(&block) {
            return Err(damaged(self.archive.name(), "a header in the archive is damaged"));
        }
        let mut name = text(&block[..100]);
        let prefix = text(&block[345..500]);
        if block[257..262] == *b"ustar" && block[262] == 0 && !prefix.is_empty() {
            name = format!("{prefix}/{name}");
        }
        let size = octal(&block[124..136])
            .ok_or_else(|| damaged(self.archive.name(), "a header in the archive has no length"))?;
        Ok(Some(Header { name, kind: block[156], size }))
    }

    fn small(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LONGEST_NAME {
            return Err(damaged(self.archive.name(), "a name in the archive is too long"));
        }
        let mut bytes = vec![0; size.next_multiple_of(BLOCK as u64) as usize];
        if self.reader.fill(&mut bytes)? < bytes.len() {
            return Err(damaged(self.archive.name(), "the archive ends in the middle"));
        }
        self.at += bytes.len() as u64;
        bytes.truncate(size as usize);
        Ok(bytes)
    }

    fn pass(&mut self, size: u64) -> Result<()> {
        let padded = size.checked_next_multiple_of(BLOCK as u64);
        let end = padded.and_then(|padded| self.at.checked_add(padded));
        let (Some(padded), Some(end)) = (padded, end) else {
            return Err(damaged(self.archive.name(), "a header in the archive has an impossible length"));
        };
        self.reader.skip(padded).map_err(|_| damaged(self.archive.name(), "the archive ends in the middle"))?;
        self.at = end;
        Ok(())
    }
}

/// The text before the first zero.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// An octal number, or a binary one where the first bit is set.
fn octal(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        let (zeros, digits) = rest.split_at(rest.len().saturating_sub(8));
        if first & 0x7f != 0 || zeros.iter().any(|&byte| byte != 0) {
            return None;
        }
        return Some(digits.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)));
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches(|c: char| c == '\0' || c == ' ');
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

/// Path and size in a table of pax: lines of "length keyword=value".
fn pax(table: &[u8]) -> (Option<String>, Option<u64>) {
    let (mut path, mut size) = (None, None);
    let mut rest = table;
    while let Some(space) = rest.iter().position(|&byte| byte == b' ') {
        let length = text(&rest[..space]).parse::<usize>().ok().filter(|length| *length > space + 1);
        let Some(line) = length.and_then(|length| rest.get(space + 1..length)) else {
            break;
        };
        let line = text(line);
        match line.trim_end_matches('\n').split_once('=') {
            Some(("path", value)) => path = Some(value.to_owned()),
            Some(("size", value)) => size = value.parse().ok(),
            _ => {}
        }
        rest = &rest[length.unwrap_or(rest.len())..];
    }
    (path, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_tar() {
        assert_eq!(octal(b"0000644\0"), Some(0o644));
        assert_eq!(octal(b"        "), Some(0));
        assert_eq!(octal(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(0x2_0000_0000));
        assert_eq!(octal(b"\xff\xff\xff\xff"), None);
        assert_eq!(octal(b"99"), None);
    }

    #[test]
    fn tables_of_pax() {
        assert_eq!(pax(b"13 path=a/b\n\n12 size=42\n"), (Some("a/b".into()), None));
        assert_eq!(pax(b"12 path=a/b\n11 size=42\n"), (Some("a/b".into()), Some(42)));
        assert_eq!(pax(b"99 path=a"), (None, None));
        assert_eq!(pax(b"0 path=a"), (None, None));
        assert_eq!(pax(b""), (None, None));
    }
}
