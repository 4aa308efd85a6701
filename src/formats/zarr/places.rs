//! Where the chunks of a Zarr array are: each in a file, or several in a shard.

use super::codecs::Shards;
use super::description::Array;
use super::files::Files;
use crate::error::Result;
use crate::formats::chunks::{Chunks, Grid, LARGEST_CHUNK, Place, Storage, Stored};
use crate::formats::filters::expansion;
use crate::formats::hdf5::damaged;
use std::sync::Arc;

/// What small arrays may have beyond what their files can hold: chunks that were never written.
const SLACK: u64 = 1 << 20;

/// Looks where the chunks of an array of one or two dimensions are (a single value is one of one dimension).
///
/// # Errors
/// When it has more dimensions, claims more than its files can hold, or a shard is damaged.
pub fn chunks(files: &Arc<Files>, path: &str, array: &Array) -> Result<Chunks> {
    let chunk = array.codecs.shards.as_ref().map_or(&array.chunk, |shards| &shards.chunk);
    let grid = grid(&array.shape, chunk, array.kind.width(), path)?;
    let bytes = grid.rows.checked_mul(grid.columns).and_then(|values| values.checked_mul(grid.width as u64));
    let chunk_bytes =
        grid.chunk_rows.checked_mul(grid.chunk_columns).and_then(|values| values.checked_mul(grid.width as u64));
    let largest = files.total().saturating_mul(expansion(&array.codecs.filters)).saturating_add(SLACK);
    if bytes.is_none_or(|bytes| bytes > largest) {
        return Err(damaged(path, "it announces more data than the files can hold"));
    }
    if chunk_bytes.is_none_or(|bytes| bytes > largest.clamp(SLACK << 6, LARGEST_CHUNK)) {
        return Err(damaged(path, "its chunks have an impossible size"));
    }
    let outer = self::grid(&array.shape, &array.chunk, array.kind.width(), path)?;
    let mut places = Vec::new();
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    for file in files.below(&prefix) {
        let name = files.path(file).get(prefix.len()..).unwrap_or_default();
        let Some((band, block)) = coordinates(name, array, &outer) else {
            continue;
        };
        let file = file as u32;
        match &array.codecs.shards {
            None => {
                let size = files.size(file, path)?;
                places.push(Place { number: band * outer.across() + block, file, address: 0, size, mask: 0 });
            }
            Some(shards) => in_shard(files, file, shards, [band, block], &outer, &grid, path, &mut places)?,
        }
    }
    places.sort_by_key(|place| place.number);
    Ok(Chunks {
        path: path.to_owned(),
        grid,
        filters: array.codecs.filters.clone(),
        plain_edges: false,
        fill: array.kind.fill(&array.fill),
        any_length: array.kind == super::types::Type::Text,
        storage: Storage::Chunks(places),
        stored: files.clone(),
    })
}

fn grid(shape: &[u64], chunk: &[u64], width: usize, path: &str) -> Result<Grid> {
    let (rows, columns, chunk_rows, chunk_columns) = match (shape, chunk) {
        ([], _) => (1, 1, 1, 1),
        (&[rows], &[chunk]) => (rows, 1, chunk, 1),
        (&[rows, columns], &[chunk_rows, chunk_columns]) => (rows, columns, chunk_rows, chunk_columns),
        _ => {
            return Err(crate::error::Error::input(format!(
                "\"{path}\" should have one or two dimensions and has {}.",
                shape.len()
            )));
        }
    };
    if chunk_rows == 0 || chunk_columns == 0 {
        return Err(damaged(path, "its chunks have an impossible size"));
    }
    Ok(Grid { rows, columns, chunk_rows, chunk_columns, width })
}

/// The band and the block that a file's name says: "1.0", "c/1/0", "c.1.0"; "0" and "c" for a single value.
fn coordinates(name: &str, array: &Array, outer: &Grid) -> Option<(u64, u64)> {
    let rest = name.strip_prefix(array.prefix)?;
    let rest = match array.prefix {
        "" => rest,
        _ if array.shape.is_empty() => return rest.is_empty().then_some((0, 0)),
        _ => rest.strip_prefix(array.separator)?,
    };
    let mut numbers = rest.split(array.separator).map(|number| number.parse::<u64>().ok());
    let band = numbers.next()??;
    let block = if array.shape.len() == 2 { numbers.next()?? } else { 0 };
    let inside = band < outer.bands() && block < outer.across() && numbers.next().is_none();
    inside.then_some((band, block))
}

/// Adds the chunks of a shard. Its index has, for each chunk row by row, where it begins and how many bytes it has;
/// both are all ones for one that was never written.
#[expect(clippy::too_many_arguments, reason = "all of them are needed to place a chunk")]
fn in_shard(
    files: &Files,
    file: u32,
    shards: &Shards,
    [band, block]: [u64; 2],
    outer: &Grid,
    grid: &Grid,
    path: &str,
    places: &mut Vec<Place>,
) -> Result<()> {
    let broken = || damaged(path, "the index of a shard is damaged");
    let (down, across) = (outer.chunk_rows / grid.chunk_rows, outer.chunk_columns / grid.chunk_columns);
    if !outer.chunk_rows.is_multiple_of(grid.chunk_rows) || !outer.chunk_columns.is_multiple_of(grid.chunk_columns) {
        return Err(damaged(path, "its shards do not consist of whole chunks"));
    }
    let size = files.size(file, path)?;
    let trailer = if shards.checksum { 4 } else { 0 };
    let length = down.checked_mul(across).and_then(|count| count.checked_mul(16)).filter(|&length| length <= size);
    let length = length.ok_or_else(broken)?;
    let start = if shards.first { 0 } else { size.checked_sub(length + trailer).ok_or_else(broken)? };
    let mut index = vec![0; length as usize];
    files.read(file, start, &mut index, path)?;
    for (number, entry) in index.as_chunks::<16>().0.iter().enumerate() {
        let (address, size) = entry.split_at(8);
        let read = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or([0xff; 8]));
        let (address, size) = (read(address), read(size));
        let row = band * down + number as u64 / across;
        let column = block * across + number as u64 % across;
        let written = address != u64::MAX || size != u64::MAX;
        if written && row < grid.bands() && column < grid.across() {
            places.push(Place { number: row * grid.across() + column, file, address, size, mask: 0 });
        }
    }
    Ok(())
}
