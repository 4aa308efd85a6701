//! The codecs of Zarr arrays, as the filters that undo them.

use super::types::Type;
use crate::error::{Error, Result};
use crate::formats::filters::{Filter, unsupported};
use crate::formats::hdf5::damaged;
use serde_json::Value;

/// What to do about an array that is stored in a way we do not read.
const RE_SAVE: &str = "Re-save it as H5AD, for example in Python with \
    `anndata.read_zarr(\"in.zarr\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`.";

/// How chunks are stored.
pub struct Codecs {
    /// In the order in which they were applied.
    pub filters: Vec<Filter>,
    /// The chunks are themselves cut into smaller ones.
    pub shards: Option<Shards>,
}

/// Chunks within a chunk, with an index of where each stands.
pub struct Shards {
    /// The shape of the chunks within.
    pub chunk: Vec<u64>,
    /// A checksum of four bytes stands behind the index.
    pub checksum: bool,
    /// The index stands at the start and not at the end.
    pub first: bool,
}

/// A codec's name and settings.
fn codec(value: &Value, path: &str) -> Result<Option<Filter>> {
    let name = value.get("id").or_else(|| value.get("name")).and_then(Value::as_str);
    let name = name.ok_or_else(|| damaged(path, "its description has a codec without a name"))?;
    let setting = |name: &str| value.get(name).or_else(|| value.get("configuration")?.get(name));
    let name = name.strip_prefix("numcodecs.").unwrap_or(name);
    Ok(Some(match name {
        "zlib" => Filter::Deflate,
        "gzip" => Filter::Gzip,
        "zstd" => Filter::Zstandard,
        "lz4" => Filter::Lz4Sized,
        "bz2" => Filter::Bzip2,
        "blosc" if setting("cname").and_then(Value::as_str) == Some("snappy") => {
            return Err(unsupported("Blosc with Snappy", path, RE_SAVE));
        }
        "blosc" => Filter::Blosc,
        "crc32c" => Filter::Checksum,
        "shuffle" => match setting("elementsize").map_or(Some(4), Value::as_u64) {
            Some(width @ 1..=256) => Filter::Shuffle(width as usize),
            _ => return Err(damaged(path, "its shuffle filter has no width")),
        },
        // How strings become bytes; the type says so too.
        "vlen-utf8" | "vlen-bytes" => return Ok(None),
        "delta" | "fixedscaleoffset" | "quantize" | "packbits" | "astype" | "categorize" | "bitround" | "pcodec" => {
            return Err(Error::input(format!(
                "\"{path}\" is stored with the filter \"{name}\", which Sextant does not undo. {RE_SAVE}"
            )));
        }
        other => return Err(unsupported(&format!("\"{other}\""), path, RE_SAVE)),
    }))
}

/// Columns one behind the other, where there are both.
fn transposed(chunk: &[u64], kind: &Type) -> Option<Filter> {
    let &[rows, columns] = chunk else { return None };
    let size = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
    Some(Filter::Transpose { rows: size(rows), columns: size(columns), width: kind.width() })
}

/// The filters and the compressor of an array of version 2.
///
/// # Errors
/// A sentence that names the codec when it is one that we do not read.
pub fn of_version_2(text: &Value, chunk: &[u64], kind: &Type, columns_first: bool, path: &str) -> Result<Codecs> {
    let mut filters: Vec<Filter> = transposed(chunk, kind).filter(|_| columns_first).into_iter().collect();
    let listed = text.get("filters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let compressor = text.get("compressor").filter(|compressor| !compressor.is_null());
    for value in listed.iter().chain(compressor) {
        filters.extend(codec(value, path)?);
    }
    Ok(Codecs { filters, shards: None })
}

/// The codecs of an array of version 3, and its type with the order of bytes that they say.
///
/// # Errors
/// As [`of_version_2`].
pub fn of_version_3(list: &[Value], chunk: &[u64], kind: Type, path: &str) -> Result<(Codecs, Type)> {
    let (mut filters, mut kind) = (Vec::new(), kind);
    for value in list {
        match value.get("name").and_then(Value::as_str) {
            Some("sharding_indexed") if list.len() == 1 => return sharded(value, kind, path),
            Some("sharding_indexed") => return Err(odd_shards(path)),
            Some("transpose") => {
                let order = value.pointer("/configuration/order").and_then(Value::as_array);
                let order: Option<Vec<u64>> = order.and_then(|order| order.iter().map(Value::as_u64).collect());
                match order.as_deref() {
                    Some([1, 0]) => filters.extend(transposed(chunk, &kind)),
                    Some([0] | [0, 1] | []) => {}
                    _ => return Err(damaged(path, "its transposition is impossible")),
                }
            }
            Some("bytes") => {
                if value.pointer("/configuration/endian").and_then(Value::as_str) == Some("big") {
                    kind = kind.big_endian();
                }
            }
            _ => filters.extend(codec(value, path)?),
        }
    }
    Ok((Codecs { filters, shards: None }, kind))
}

/// # Source
/// <https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html>
fn sharded(value: &Value, kind: Type, path: &str) -> Result<(Codecs, Type)> {
    let incomplete = || damaged(path, "its description of shards is incomplete");
    let settings = value.get("configuration").ok_or_else(incomplete)?;
    let chunk = settings.get("chunk_shape").and_then(Value::as_array).ok_or_else(incomplete)?;
    let chunk: Vec<u64> = chunk.iter().map(Value::as_u64).collect::<Option<_>>().ok_or_else(incomplete)?;
    let inner = settings.get("codecs").and_then(Value::as_array).ok_or_else(incomplete)?;
    if inner.iter().any(|codec| codec.get("name").and_then(Value::as_str) == Some("sharding_indexed")) {
        return Err(odd_shards(path));
    }
    let mut checksum = false;
    for codec in settings.get("index_codecs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        let big = codec.pointer("/configuration/endian").and_then(Value::as_str) == Some("big");
        match codec.get("name").and_then(Value::as_str) {
            Some("bytes") if !big => {}
            Some("crc32c") => checksum = true,
            _ => return Err(odd_shards(path)),
        }
    }
    let first = settings.get("index_location").and_then(Value::as_str) == Some("start");
    let (mut codecs, kind) = of_version_3(inner, &chunk, kind, path)?;
    codecs.shards = Some(Shards { chunk, checksum, first });
    Ok((codecs, kind))
}

fn odd_shards(path: &str) -> Error {
    Error::input(format!(
        "\"{path}\" has shards that are themselves filtered or nested, which Sextant does not read. {RE_SAVE}"
    ))
}
