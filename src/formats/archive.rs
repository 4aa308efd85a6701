//! Archives that people drop: ZIP and tar, packed as a whole or not. Their members are listed with their paths and read where they stand.
//!
//! Nothing is written anywhere, so a path in an archive is a name and no more.

mod tar;
pub mod zip;

use super::content::Content;
use crate::error::{Error, Result};

pub use zip::data_start;

/// Archives in archives are opened to this depth: GEO delivers a tar of a tar.gz for each sample.
const DEPTH: usize = 3;

/// How archives are called.
const ENDINGS: [&str; 10] =
    [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.zstd"];

/// A file that was dropped, or a member of an archive that was.
#[derive(Clone)]
pub struct Member {
    /// Where it stands, '/'-separated; members of archives begin with the path in the archive.
    pub path: String,
    pub content: Content,
}

/// Whether the file is an archive, by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    /// Packed as a whole or not.
    Tar,
}

/// The members of an archive, and those of archives in it; `None` when the content is no archive.
///
/// What macOS and Windows leave behind (`__MACOSX`, `._*`, `.DS_Store`, `Thumbs.db`) is left out.
///
/// # Errors
/// When the archive is damaged, encrypted, or holds no files.
pub fn open(content: &Content) -> Result<Option<Vec<Member>>> {
    let mut members = Vec::new();
    if !list(content, DEPTH, &mut members)? {
        return Ok(None);
    }
    if members.is_empty() {
        return Err(Error::input("it is an archive without files in it. Check the step that packed it."));
    }
    Ok(Some(members))
}

fn list(content: &Content, depth: usize, members: &mut Vec<Member>) -> Result<bool> {
    let unpacked = content.clone().unpacked()?;
    let found = match detect(content, &unpacked)? {
        Some(Kind::Zip) => zip::members(content)?,
        Some(Kind::Tar) => tar::members(&unpacked)?,
        None => return Ok(false),
    };
    for member in found {
        if is_litter(&member.path) {
            continue;
        }
        let start = members.len();
        if depth > 1 && named_archive(&member.path) && list(&member.content, depth - 1, members)? {
            let folder = stem(&member.path);
            for inner in members.iter_mut().skip(start) {
                inner.path = format!("{folder}/{}", inner.path);
            }
        } else {
            members.push(member);
        }
    }
    Ok(true)
}

fn detect(content: &Content, unpacked: &Content) -> Result<Option<Kind>> {
    let mut first = [0; 4];
    let read = content.reader()?.fill(&mut first)?;
    if read == 4 && (zip::begins(&first) || zip::is_empty(&first)) {
        return Ok(Some(Kind::Zip));
    }
    let mut header = [0; tar::BLOCK];
    // A file that only looks like gzip is for others to explain.
    let read = unpacked.reader().and_then(|mut reader| reader.fill(&mut header)).unwrap_or(0);
    Ok((read == tar::BLOCK && tar::is_header(&header)).then_some(Kind::Tar))
}

/// Whether a member is worth a look inside.
fn named_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// The path without the endings of an archive.
pub fn stem(path: &str) -> &str {
    let lower = path.to_ascii_lowercase();
    let ending = ENDINGS.into_iter().find(|ending| lower.ends_with(ending));
    &path[..path.len() - ending.map_or(0, str::len)]
}

/// What operating systems leave in folders and archives.
pub fn is_litter(path: &str) -> bool {
    path.split('/').any(|part| {
        part.starts_with("._") || ["__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "PaxHeader"].contains(&part)
    })
}

/// A path as other members write theirs: '/'-separated, without "./" in front.
fn tidy(path: &str) -> String {
    let slashes = path.replace('\\', "/");
    slashes.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// A little-endian number of two, four or eight bytes.
pub fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field: [u8; BYTES] = bytes.get(at..at.checked_add(BYTES)?)?.try_into().ok()?;
    Some(field.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_tidied_and_litter_is_known() {
        assert_eq!(tidy("./a//b\\c.txt"), "a/b/c.txt");
        assert_eq!(tidy("../../etc/passwd"), "../../etc/passwd", "a name and no more");
        for path in ["__MACOSX/a/._x", "a/.DS_Store", "a/._matrix.mtx.gz", "Thumbs.db"] {
            assert!(is_litter(path), "{path}");
        }
        assert!(!is_litter("a/.zgroup"));
        assert_eq!(stem("GSM1_a.tar.gz"), "GSM1_a");
        assert_eq!(stem("folder/B.ZIP"), "folder/B");
    }
}
