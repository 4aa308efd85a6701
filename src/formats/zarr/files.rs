//! The files of a Zarr hierarchy: those of a folder that was handed over, or members of an archive.

use crate::error::{Error, Result};
use crate::formats::archive::Member;
use crate::formats::chunks::Stored;
use crate::formats::content::Content;
use crate::formats::hdf5::damaged;
use crate::formats::source::BlockCache;
use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;

/// A metadata file beyond this is none.
const LARGEST_METADATA: u64 = 64 << 20;

/// The bytes of one file. They are read where they stand and not kept: a folder has thousands of files.
pub trait Piece: Send + Sync {
    fn len(&self) -> u64;
    /// Fills the buffer from a position on.
    ///
    /// # Errors
    /// When the file ends before or fails.
    fn read_at(&self, position: u64, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// A file of its own, or a member of an archive that was not compressed.
pub struct Window {
    pub cache: Arc<BlockCache>,
    pub start: u64,
    pub length: u64,
}

impl Piece for Window {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, position: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let end = position.checked_add(bytes.len() as u64).filter(|&end| end <= self.length);
        end.ok_or(ErrorKind::UnexpectedEof)?;
        let start = self.start.saturating_add(position);
        // A file of its own is read once and not kept; what an archive has around it is likely asked for next.
        match self.length == self.cache.len() {
            true => self.cache.read_past(start, bytes),
            false => self.cache.read_exact_at(start, bytes),
        }
    }
}

/// A compressed member of an archive.
struct Packed {
    content: Content,
    length: u64,
}

impl Piece for Packed {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, position: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let mut reader = self.content.reader().map_err(std::io::Error::other)?;
        reader.skip(position).map_err(std::io::Error::other)?;
        match reader.fill(bytes).map_err(std::io::Error::other)? {
            read if read == bytes.len() => Ok(()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[cfg(test)]
impl Piece for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, position: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let start = usize::try_from(position).map_err(|_| ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(bytes.len()).ok_or(ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(self.get(start..end).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Files by their paths below the root of the hierarchy, '/'-separated.
pub struct Files {
    /// Ascending.
    paths: Vec<String>,
    pieces: Vec<Box<dyn Piece>>,
}

impl Files {
    /// Of two files with the same path the first counts.
    pub fn new(files: Vec<(String, Box<dyn Piece>)>) -> Files {
        let mut files = files;
        files.sort_by(|one, other| one.0.cmp(&other.0));
        files.dedup_by(|one, other| one.0 == other.0);
        let (paths, pieces) = files.into_iter().unzip();
        Files { paths, pieces }
    }

    /// The files of a folder, or of an archive. What is compressed there is unpacked whenever it is read.
    ///
    /// # Errors
    /// When an archive is damaged.
    pub fn of_members(members: &[Member], root: &str) -> Result<Files> {
        let mut files: Vec<(String, Box<dyn Piece>)> = Vec::with_capacity(members.len());
        for Member { path, content } in members {
            let path = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned();
            files.push(match (content.window(), content.unpacked_length()) {
                (Some((cache, start, length)), _) => (path, Box::new(Window { cache, start, length })),
                (None, Some(length)) => (path, Box::new(Packed { content: content.clone(), length })),
                (None, None) => {
                    return Err(Error::input(
                        "it is a Zarr hierarchy in an archive that is compressed as a whole, in which nothing can be looked up. \
                         Unpack it first, or pack it as ZIP.",
                    ));
                }
            });
        }
        Ok(Files::new(files))
    }

    /// Bytes of all files.
    pub fn total(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len()).fold(0, u64::saturating_add)
    }

    /// The numbers of the files whose paths begin so.
    pub fn below(&self, prefix: &str) -> Range<usize> {
        let start = self.paths.partition_point(|path| path.as_str() < prefix);
        let length = self.paths[start..].partition_point(|path| path.starts_with(prefix));
        start..start + length
    }

    pub fn path(&self, number: usize) -> &str {
        self.paths.get(number).map_or("", String::as_str)
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn find(&self, path: &str) -> Option<usize> {
        self.paths.binary_search_by(|known| known.as_str().cmp(path)).ok()
    }

    /// All bytes of a small file.
    ///
    /// # Errors
    /// When it cannot be read or is far too large to describe anything.
    pub fn small(&self, number: usize) -> Result<Vec<u8>> {
        let path = self.path(number);
        let piece = self.pieces.get(number).ok_or_else(|| damaged(path, "it is not there"))?;
        if piece.len() > LARGEST_METADATA {
            return Err(damaged(path, "it is too large for a description"));
        }
        let mut bytes = vec![0; piece.len() as usize];
        piece.read_at(0, &mut bytes).map_err(|cause| unreadable(path, cause))?;
        Ok(bytes)
    }
}

impl Stored for Files {
    fn size(&self, file: u32, path: &str) -> Result<u64> {
        let piece = self.pieces.get(file as usize);
        piece.map(|piece| piece.len()).ok_or_else(|| damaged(path, "it is not there"))
    }

    fn read(&self, file: u32, address: u64, bytes: &mut [u8], path: &str) -> Result<()> {
        let piece = self.pieces.get(file as usize).ok_or_else(|| damaged(path, "it is not there"))?;
        piece.read_at(address, bytes).map_err(|cause| match cause.kind() {
            ErrorKind::UnexpectedEof => damaged(path, "the file ends before its data does"),
            _ => unreadable(self.path(file as usize), cause),
        })
    }
}

fn unreadable(path: &str, cause: std::io::Error) -> Error {
    let sentence =
        format!("\"{path}\" cannot be read: {cause}. Check that the file is still where it was and may be read.");
    Error::input(sentence).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_path_and_prefix() {
        let piece = |bytes: &[u8]| Box::new(bytes.to_vec()) as Box<dyn Piece>;
        let files = Files::new(vec![
            (String::from("X/1"), piece(b"one")),
            (String::from("X/0"), piece(b"zero")),
            (String::from("Y/0"), piece(b"")),
        ]);
        assert_eq!((files.below("X/"), files.find("X/1"), files.find("X/2"), files.total()), (0..2, Some(1), None, 7));
        assert_eq!(files.small(0).unwrap(), b"zero");
        let mut bytes = [0; 4];
        assert!(files.read(1, 0, &mut bytes, "X").unwrap_err().message.contains("the file ends before its data does"));
        assert!(files.read(9, 0, &mut bytes, "X").is_err());
    }
}
