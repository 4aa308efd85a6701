//! Sentences of functions that no file leads to, since others look at it first.

use super::hdf5::explain;

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
