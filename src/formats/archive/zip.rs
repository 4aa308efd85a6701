//! The table of contents of a ZIP archive, also of the large kind (ZIP64).
//!
//! # Source
//! APPNOTE.TXT of PKWARE, version 6.3.10: sections 4.3.6 to 4.3.16 and 4.5.3.

use super::super::content::{Content, Zipped};
use super::super::hdf5::damaged;
use super::{Member, number, tidy};
use crate::error::{Error, Result};

const LOCAL: u64 = 0x0403_4b50;
const CENTRAL: u64 = 0x0201_4b50;
const END: u64 = 0x0605_4b50;
const END_64: u64 = 0x0606_4b50;
const LOCATOR_64: u64 = 0x0706_4b50;
const LOCAL_LENGTH: u64 = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
/// A comment of up to 65,535 bytes may follow the end record; the locator of ZIP64 stands before it.
const TAIL: u64 = 65_535 + END_LENGTH as u64 + 20;
/// In a field of four bytes: the number stands in the ZIP64 extra field.
const IN_EXTRA: u64 = 0xffff_ffff;
/// Deflate cannot do better than 1,032 to 1; a larger claim is a lie.
const MAX_RATIO: u64 = 1040;

/// Whether bytes begin as an archive with members does.
pub fn begins(first: &[u8]) -> bool {
    number::<4>(first, 0) == Some(LOCAL)
}

/// Whether bytes begin as an archive without members does.
pub fn is_empty(first: &[u8]) -> bool {
    number::<4>(first, 0) == Some(END)
}

/// The members, folders left out.
///
/// # Errors
/// When the table of contents is cut off or contradicts itself, or a member is encrypted or packed in
/// a way that we do not read.
pub fn members(archive: &Content) -> Result<Vec<Member>> {
    let broken = |what: &str| damaged(archive.name(), what);
    let Some((_, _, length)) = archive.window() else {
        return Err(Error::input(format!(
            "\"{}\" is a ZIP archive inside a compressed archive. Unpack the outer one first.",
            archive.name()
        )));
    };
    let tail_length = TAIL.min(length);
    let tail = read(archive, length - tail_length, tail_length)?;
    let end = (0..=tail.len().saturating_sub(END_LENGTH))
        .rev()
        .find(|&at| number::<4>(&tail, at) == Some(END))
        .ok_or_else(|| broken("the table of contents at its end is missing"))?;
    let (count, size, offset) =
        end_record(archive, &tail, end, length).ok_or_else(|| broken("the table of contents at its end is cut off"))?;
    if offset.checked_add(size).is_none_or(|end| end > length) {
        return Err(broken("its table of contents lies outside the file"));
    }
    let directory = read(archive, offset, size)?;
    let mut members = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let (entry, next) = entry(&directory, at).ok_or_else(|| broken("its table of contents is cut off"))?;
        at = next;
        if !entry.path.ends_with(['/', '\\']) {
            members.push(entry.member(archive, length)?);
        }
    }
    Ok(members)
}

fn read(archive: &Content, start: u64, length: u64) -> Result<Vec<u8>> {
    // The caller has compared the length with that of the file.
    let mut bytes = vec![0; length as usize];
    let mut reader = archive.reader()?;
    reader.skip(start)?;
    match reader.fill(&mut bytes)? == bytes.len() {
        true => Ok(bytes),
        false => Err(damaged(archive.name(), "it ends before its data does")),
    }
}

/// Number of entries, and size and position of the table of contents.
fn end_record(archive: &Content, tail: &[u8], end: usize, length: u64) -> Option<(u64, u64, u64)> {
    let plain = (number::<2>(tail, end + 10)?, number::<4>(tail, end + 12)?, number::<4>(tail, end + 16)?);
    let locator = end.checked_sub(20).filter(|&at| number::<4>(tail, at) == Some(LOCATOR_64));
    let Some(locator) = locator else {
        return Some(plain);
    };
    let position = number::<8>(tail, locator + 8)?;
    let record = read(archive, position, 56.min(length.checked_sub(position)?)).ok()?;
    (number::<4>(&record, 0)? == END_64).then_some(())?;
    Some((number::<8>(&record, 32)?, number::<8>(&record, 40)?, number::<8>(&record, 48)?))
}

/// One line of the table of contents.
#[derive(Clone)]
pub struct Entry {
    pub path: String,
    flags: u64,
    pub method: u64,
    pub crc: u32,
    /// Packed bytes, and bytes.
    pub packed: u64,
    pub size: u64,
    /// Where the member's own header begins.
    pub header: u64,
}

/// The line that begins at a place of the table of contents, and where the next begins.
pub fn entry(directory: &[u8], at: usize) -> Option<(Entry, usize)> {
    (number::<4>(directory, at)? == CENTRAL).then_some(())?;
    let [name, extra, comment] = [28, 30, 32].map(|field| number::<2>(directory, at + field).map(|n| n as usize));
    let start = at + CENTRAL_LENGTH;
    let (name, extra, comment) = (name?, extra?, comment?);
    let path = directory.get(start..start + name)?;
    let mut entry = Entry {
        path: String::from_utf8_lossy(path).into_owned(),
        flags: number::<2>(directory, at + 8)?,
        method: number::<2>(directory, at + 10)?,
        crc: number::<4>(directory, at + 16)? as u32,
        packed: number::<4>(directory, at + 20)?,
        size: number::<4>(directory, at + 24)?,
        header: number::<4>(directory, at + 42)?,
    };
    entry.complete(directory.get(start + name..start + name + extra)?)?;
    Some((entry, start + name + extra + comment))
}

impl Entry {
    /// Takes the numbers that do not fit four bytes from the extra field, where they stand in this order.
    fn complete(&mut self, extra: &[u8]) -> Option<()> {
        let mut wanted: Vec<&mut u64> = [&mut self.size, &mut self.packed, &mut self.header]
            .into_iter()
            .filter(|field| **field == IN_EXTRA)
            .collect();
        if wanted.is_empty() {
            return Some(());
        }
        let mut at = 0;
        while let (Some(kind), Some(length)) = (number::<2>(extra, at), number::<2>(extra, at + 2)) {
            if kind == 1 {
                for (place, field) in wanted.iter_mut().enumerate() {
                    **field = number::<8>(extra, at + 4 + 8 * place)?;
                }
                return Some(());
            }
            at += 4 + length as usize;
        }
        // 4 GiB less one byte is a length like any other.
        Some(())
    }

    /// `length`: of the archive.
    fn member(self, archive: &Content, length: u64) -> Result<Member> {
        let path = tidy(&self.path);
        if self.flags & 1 != 0 {
            return Err(Error::input(format!(
                "\"{path}\" in the archive is encrypted. Unpack the archive with its password and load what is in it."
            )));
        }
        let deflated = match self.method {
            0 => false,
            8 => true,
            method => {
                return Err(Error::input(format!(
                    "\"{path}\" in the archive is packed by method {method}{}, which Sextant does not read; it reads \
                     stored and deflated members. Unpack the archive and load what is in it.",
                    method_name(method)
                )));
            }
        };
        if !deflated && self.packed != self.size {
            return Err(damaged(&path, "the archive gives it two different lengths"));
        }
        if self.header.saturating_add(self.packed) > length {
            return Err(damaged(&path, "the archive ends before this member does"));
        }
        if deflated && self.size > self.packed.saturating_mul(MAX_RATIO) {
            return Err(damaged(&path, "the archive gives it a length that its compressed bytes cannot have"));
        }
        let zipped = Zipped {
            archive: archive.clone(),
            header: self.header,
            packed: self.packed,
            size: self.size,
            crc: self.crc,
            deflated,
        };
        Ok(Member { content: Content::zipped(&path, zipped), path })
    }
}

fn method_name(method: u64) -> &'static str {
    match method {
        9 => " (Deflate64)",
        12 => " (bzip2)",
        14 => " (LZMA)",
        20 | 93 => " (Zstandard)",
        95 => " (xz)",
        _ => "",
    }
}

/// Where the bytes of a member begin: behind its own header, whose length only it tells.
///
/// # Errors
/// When there is no such header where the table of contents says.
pub fn data_start(name: &str, member: &Zipped) -> Result<u64> {
    let mut header = [0; LOCAL_LENGTH as usize];
    let mut reader = member.archive.reader()?;
    reader.skip(member.header)?;
    let read = reader.fill(&mut header)?;
    let lengths = [26, 28].map(|field| number::<2>(&header, field).unwrap_or(0));
    if read < header.len() || number::<4>(&header, 0) != Some(LOCAL) {
        return Err(damaged(name, "it does not begin where its archive says"));
    }
    Ok(member.header + LOCAL_LENGTH + lengths[0] + lengths[1])
}
