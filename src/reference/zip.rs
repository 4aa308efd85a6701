//! The part of the ZIP format that bundles need: whole entries, stored or deflated, no ZIP64.
//!
//! Written entries carry no time and stand in the order they were given: the same content is the same bytes.

use crate::error::{Error, Result};
use crate::formats::number;
use crate::formats::zip::{Entry, entry};
use std::io::{Read, Seek, SeekFrom};
use zlib_rs::{DeflateConfig, InflateConfig, ReturnCode, compress_bound, compress_slice, decompress_slice};

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of the end of the table of contents, without a comment.
const END_LENGTH: u64 = 22;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// 1 January 1980, the earliest date that the format knows.
const DATE: u16 = 0x21;
/// A bundle that would inflate to more is refused, whatever it claims: a million cells take a third of it.
const MAX_TOTAL: u64 = 1 << 30;
/// Deflate cannot do better than this; a larger claim is a lie.
const MAX_RATIO: u64 = 1040;

/// Collects entries into an archive.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl Writer {
    /// Adds an entry: deflated where that makes it at least a tenth smaller, else stored.
    pub fn add(&mut self, name: &str, content: &[u8]) {
        let config = DeflateConfig { level: 6, window_bits: -15, ..Default::default() };
        let mut buffer = vec![0; compress_bound(content.len())];
        let (deflated, code) = compress_slice(&mut buffer, content, config);
        let worth_it = code == ReturnCode::Ok && deflated.len() < content.len() / 10 * 9;
        let (method, data) = if worth_it { (DEFLATED, &*deflated) } else { (STORED, content) };
        let offset = self.bytes.len() as u32;
        let mut common = Vec::new();
        // Version needed, flags (bit 11: the name is UTF-8), method, time, date.
        [20, 1 << 11, method, 0, DATE].iter().for_each(|&field| put16(&mut common, field));
        [crc32fast::hash(content), data.len() as u32, content.len() as u32]
            .iter()
            .for_each(|&field| put32(&mut common, field));
        put16(&mut common, name.len() as u16);
        put16(&mut common, 0);
        put32(&mut self.bytes, LOCAL);
        self.bytes.extend_from_slice(&common);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(data);
        put32(&mut self.directory, CENTRAL);
        put16(&mut self.directory, 20);
        self.directory.extend_from_slice(&common);
        // Comment length, disk, internal attributes; external attributes.
        [0, 0, 0].iter().for_each(|&field| put16(&mut self.directory, field));
        put32(&mut self.directory, 0);
        put32(&mut self.directory, offset);
        self.directory.extend_from_slice(name.as_bytes());
        self.entries += 1;
    }

    pub fn finish(mut self) -> Vec<u8> {
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&self.directory);
        put32(&mut self.bytes, END);
        [0, 0, self.entries, self.entries].iter().for_each(|&field| put16(&mut self.bytes, field));
        put32(&mut self.bytes, self.directory.len() as u32);
        put32(&mut self.bytes, offset);
        put16(&mut self.bytes, 0);
        self.bytes
    }
}

fn put16(bytes: &mut Vec<u8>, value: u16) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

/// An archive whose entries are read when they are asked for: it may lie in memory or in a file.
pub struct Archive<S> {
    source: S,
    length: u64,
    entries: Vec<Entry>,
}

fn damaged(what: &str) -> Error {
    Error::reference(format!(
        "The reference bundle is damaged ({what}). Download it again; a bundle is a ZIP file whose name ends in .sextant.zip."
    ))
}

impl<S: Read + Seek> Archive<S> {
    /// # Errors
    /// Not a ZIP file, cut short, or of a kind that bundles do not use (ZIP64, several disks).
    pub fn open(mut source: S) -> Result<Self> {
        let length = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let mut archive = Archive { source, length, entries: Vec::new() };
        let incomplete = || damaged("it is no complete ZIP file");
        let from = length.saturating_sub(END_LENGTH + (1 << 16));
        let tail = archive.part(from, length - from)?.ok_or_else(incomplete)?;
        let end = (0..=tail.len().checked_sub(END_LENGTH as usize).ok_or_else(incomplete)?)
            .rev()
            .find(|&at| number::<4>(&tail, at) == Some(u64::from(END)))
            .ok_or_else(incomplete)?;
        let [count, size, start] =
            [number::<2>(&tail, end + 10), number::<4>(&tail, end + 12), number::<4>(&tail, end + 16)];
        let (Some(count), Some(size), Some(start)) = (count, size, start) else {
            return Err(incomplete());
        };
        let cut_off = || damaged("its table of contents is cut off");
        let directory = archive.part(start, size)?.ok_or_else(cut_off)?;
        let mut at = 0;
        for _ in 0..count {
            let (entry, next) = entry(&directory, at).ok_or_else(cut_off)?;
            archive.entries.push(entry);
            at = next;
        }
        let total = archive.entries.iter().try_fold(0u64, |total, entry| total.checked_add(entry.size));
        match total.filter(|&total| total <= MAX_TOTAL) {
            Some(_) => Ok(archive),
            None => Err(damaged(&format!(
                "it claims to hold {} MB, and a reference has at most 1,073",
                total.unwrap_or(u64::MAX) / 1_000_000
            ))),
        }
    }

    /// The content of the entry of that name, its CRC checked.
    ///
    /// # Errors
    /// No such entry; an entry that lies about its size, or whose content was changed.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let found = self.entries.iter().find(|entry| entry.path == name);
        let entry = found.ok_or_else(|| damaged(&format!("'{name}' is missing")))?.clone();
        if entry.size > entry.packed.saturating_mul(MAX_RATIO) + 64 {
            return Err(damaged(&format!("'{name}' claims to hold {} bytes", entry.size)));
        }
        let data = self.data(&entry)?.ok_or_else(|| damaged(&format!("'{name}' is cut off")))?;
        let content = match entry.method {
            method if method == u64::from(STORED) => data,
            method if method == u64::from(DEFLATED) => {
                let mut content = vec![0; entry.size as usize];
                let (inflated, code) = decompress_slice(&mut content, &data, InflateConfig { window_bits: -15 });
                if code != ReturnCode::Ok || inflated.len() as u64 != entry.size {
                    return Err(damaged(&format!("'{name}' cannot be inflated")));
                }
                content
            }
            _ => return Err(damaged(&format!("'{name}' is packed in an unknown way"))),
        };
        if content.len() as u64 != entry.size || crc32fast::hash(&content) != entry.crc {
            return Err(damaged(&format!("the checksum of '{name}' does not fit")));
        }
        Ok(content)
    }

    /// The packed bytes of an entry; nothing where they are not there.
    fn data(&mut self, entry: &Entry) -> Result<Option<Vec<u8>>> {
        let Some(head) = self.part(entry.header, 30)? else { return Ok(None) };
        let lengths = number::<2>(&head, 26).zip(number::<2>(&head, 28)).map(|(name, extra)| name + extra);
        match lengths.filter(|_| number::<4>(&head, 0) == Some(u64::from(LOCAL))) {
            Some(lengths) => self.part(entry.header.saturating_add(30 + lengths), entry.packed),
            None => Ok(None),
        }
    }

    /// So many bytes from there on; nothing where the file is shorter.
    fn part(&mut self, start: u64, length: u64) -> Result<Option<Vec<u8>>> {
        if start.checked_add(length).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        self.source.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        self.source.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(Some(bytes))
    }
}

fn unreadable(cause: std::io::Error) -> Error {
    Error::reference(format!("The reference bundle cannot be read: {cause}. Check that it is still where it was."))
        .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn archive() -> Vec<u8> {
        let mut writer = Writer::default();
        writer.add("a.txt", b"hello");
        writer.add("b/zeros", &[0; 10_000]);
        writer.finish()
    }

    #[test]
    fn round_trip() {
        let bytes = archive();
        assert!(bytes.len() < 400, "zeros are deflated: {}", bytes.len());
        let mut archive = Archive::open(Cursor::new(&bytes)).expect("an archive");
        assert_eq!(archive.read("a.txt").expect("an entry"), b"hello");
        assert_eq!(archive.read("b/zeros").expect("an entry"), [0; 10_000]);
        assert!(archive.read("c").unwrap_err().to_string().contains("'c' is missing"));
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let whole = archive();
        for length in 0..whole.len() {
            let read = Archive::open(Cursor::new(&whole[..length])).and_then(|mut archive| archive.read("a.txt"));
            assert!(read.is_err());
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            if let Ok(content) = Archive::open(Cursor::new(&changed)).and_then(|mut archive| archive.read("a.txt")) {
                assert_eq!(content, b"hello");
            }
        }
    }
}
