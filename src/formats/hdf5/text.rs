//! Strings of fixed and of variable length.

use hdf5rs::format::global_heap::GlobalHeapId;
use hdf5rs::format::messages::datatype::{DatatypeClass, VariableLengthKind};
use hdf5rs::types::{DecodeContext, GlobalHeapResolver, H5Type, StringBytes, VlenResolver};
use hdf5rs::{Datatype, File, ReadAt};
use std::cell::Cell;

/// The most bytes of text that are read of one dataset.
const LARGEST_TEXT: usize = 1 << 30;

/// Whether values are strings.
pub fn is_text(datatype: &Datatype) -> bool {
    matches!(
        datatype.class,
        DatatypeClass::String(_) | DatatypeClass::VariableLength { kind: VariableLengthKind::String { .. }, .. }
    )
}

/// Bytes that are not UTF-8 are replaced.
pub fn text(bytes: StringBytes) -> String {
    String::from_utf8(bytes.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Finds strings of variable length, and stops when many names of the same long string would fill the
/// memory.
struct Bounded<'a> {
    heap: GlobalHeapResolver<&'a (dyn ReadAt + Send + Sync)>,
    left: Cell<usize>,
}

impl VlenResolver for Bounded<'_> {
    fn global_heap_object(&self, id: &GlobalHeapId) -> hdf5rs::Result<Vec<u8>> {
        let bytes = self.heap.global_heap_object(id)?;
        let left = self.left.get().checked_sub(bytes.len());
        self.left.set(left.ok_or(hdf5rs::Error::LimitExceeded("text"))?);
        Ok(bytes)
    }
}

/// Decodes values that stand one behind the other.
///
/// # Errors
/// When they are of another type, or damaged.
pub fn decode<T: H5Type>(file: &File, datatype: &Datatype, bytes: &[u8]) -> hdf5rs::Result<Vec<T>> {
    let heap = GlobalHeapResolver::new(file.store().as_ref(), file.sizes());
    let resolver = Bounded { heap, left: Cell::new(LARGEST_TEXT) };
    let context = DecodeContext::with_resolver(file.sizes(), &resolver);
    T::check(datatype)?;
    hdf5rs::types::decode_all(datatype, bytes, &context)
}
