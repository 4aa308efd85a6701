//! Is it HDF5? The first bytes tell.

use super::explain;
use crate::error::{Error, Result};
use crate::formats::source::BlockCache;

/// HDF5's signature stands at the start, or behind a user block of 512 bytes, 1 KiB, 2 KiB and so on.
///
/// # Errors
/// When it stands at none of them; the sentence says what the file looks like instead.
pub fn check_signature(cache: &BlockCache) -> Result<()> {
    let mut at = 0;
    let mut head = [0; 8];
    while at + 8 <= cache.len() {
        cache.read_exact_at(at, &mut head).map_err(|error| explain("superblock", error.into()))?;
        if head == hdf5rs::SIGNATURE {
            return Ok(());
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    let mut head = vec![0; cache.len().min(64) as usize];
    cache.read_exact_at(0, &mut head).map_err(|error| explain("superblock", error.into()))?;
    if let Some(kind) = other_kind(&head) {
        return Err(Error::input(format!(
            "it is {kind}. Sextant reads files with counts: 10x HDF5 and MEX, H5AD, R objects, Zarr, and tables as CSV or \
             TSV."
        )));
    }
    if head.is_empty() {
        return Err(Error::input("it is empty: it has no bytes. Copy or download it again, or write it again."));
    }
    Err(Error::input(format!(
        "it is not an HDF5 file: {}. Expected a 10x Genomics HDF5 file (.h5) or an H5AD file (.h5ad).",
        describe_start(&head)
    )))
}

/// Files that people drop by mistake.
fn other_kind(head: &[u8]) -> Option<&'static str> {
    match head {
        _ if head.starts_with(b"%PDF") => Some("a PDF document"),
        _ if head.starts_with(b"\x89PNG") || head.starts_with(b"\xff\xd8\xff") => Some("an image"),
        _ if head.starts_with(b"GIF8") || head.starts_with(b"II*\0") || head.starts_with(b"MM\0*") => Some("an image"),
        _ if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => {
            Some("a document of an old Microsoft Office (save a workbook's sheet with the counts as CSV)")
        }
        _ => None,
    }
}

/// Says what a file is that is not HDF5, as far as its first bytes tell; those of other kinds that are read were looked
/// for before.
fn describe_start(head: &[u8]) -> &'static str {
    match head {
        _ if head.starts_with(b"<") => "it looks like a web page; the download may have failed",
        _ => "its first bytes are not those of HDF5",
    }
}
