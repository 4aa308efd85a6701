//! Sentences of functions that no file leads to, since others look at it first.

use super::hdf5::{Hdf5, explain};
use super::source::BlockCache;
use std::io::Cursor;
use std::sync::Arc;

#[test]
fn what_is_no_hdf5_is_described() {
    for (content, what) in [
        (&b"PK\x03\x04...."[..], "it is a ZIP archive; unpack it first"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "it is compressed with gzip; unpack it first if it is a .h5 or .h5ad file"),
        (b"BZh91AY&", "it is compressed with bzip2; unpack it first"),
        (b"\xfd7zXZ\0\0\x04", "it is compressed with xz; unpack it first"),
        (b"\x28\xb5\x2f\xfd\0\0\0\0", "it is compressed with Zstandard; unpack it first"),
        (b"%%MatrixMarket matrix", "it is a MatrixMarket file"),
        (b"RDX3\nX\n\0", "it is an R data file"),
        (b"gene,cell\n", "it looks like a text file"),
    ] {
        let cache = BlockCache::new(Box::new(Cursor::new(content.to_vec()))).unwrap();
        assert_eq!(
            Hdf5::open(Arc::new(cache)).err().map(|error| error.message).unwrap_or_default(),
            format!("it is not an HDF5 file: {what}. Expected a 10x Genomics HDF5 file (.h5) or an H5AD file (.h5ad).")
        );
    }
}

#[test]
fn what_the_library_does_not_read_is_explained() {
    assert_eq!(
        explain("X", hdf5rs::Error::Unsupported("time".into())).message,
        "\"X\" is stored in a way that Sextant does not read (time). Re-save the file with gzip, for example in Python with \
         `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with `h5repack -f \
         GZIP=4 in.h5 out.h5`."
    );
    assert_eq!(
        explain("X", hdf5rs::Error::Io(std::io::Error::other("the stick was pulled out"))).message,
        "\"X\" cannot be read: the stick was pulled out. Check that the file is still where it was and may be read."
    );
}
