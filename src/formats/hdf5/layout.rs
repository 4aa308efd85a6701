//! Where the bytes of an HDF5 dataset are; the HDF5 crate tells the list of chunks.

use super::{damaged, explain, re_save};
use crate::error::{Error, Result};
use crate::formats::chunks::{Chunks, Grid, LARGEST_CHUNK, PIECE, Place, Storage, Stored};
use crate::formats::filters::supported;
use hdf5rs::Dataset;
use hdf5rs::format::UNDEFINED_ADDRESS;
use hdf5rs::format::messages::layout::{ChunkedLayout, DONT_FILTER_PARTIAL_BOUND_CHUNKS, DataLayout};
use std::sync::Arc;

/// The one file of an HDF5 dataset.
struct OneFile(hdf5rs::File);

impl Stored for OneFile {
    fn size(&self, _file: u32, path: &str) -> Result<u64> {
        self.0.store().size().map_err(|error| explain(path, error))
    }

    fn read(&self, _file: u32, address: u64, bytes: &mut [u8], path: &str) -> Result<()> {
        self.0.store().read_exact_at(address, bytes).map_err(|error| explain(path, error))
    }
}

/// Looks at how a dataset of one or two dimensions is stored (a single value is one of one dimension);
/// `largest` bounds a chunk's size.
///
/// # Errors
/// When it has more dimensions, is stored in another file or in a way we do not read, or is damaged.
pub fn chunks(dataset: &Dataset, path: &str, largest: u64) -> Result<Chunks> {
    let width = dataset.datatype().size as usize;
    let (rows, columns) = match *dataset.shape() {
        [] => (dataset.element_count().unwrap_or(0), 1),
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        ref shape => {
            return Err(Error::input(format!("\"{path}\" should have one or two dimensions and has {}.", shape.len())));
        }
    };
    let row_bytes = columns.max(1).saturating_mul(width as u64);
    // Checked against the file's size by the caller, so these products do not overflow.
    let chunk_rows = (PIECE / row_bytes.max(1)).clamp(1, rows.max(1));
    let mut chunks = Chunks {
        path: path.to_owned(),
        grid: Grid { rows, columns, chunk_rows, chunk_columns: columns.max(1), width },
        filters: Vec::new(),
        plain_edges: false,
        fill: dataset.fill_value_bytes().unwrap_or_default().to_vec(),
        any_length: false,
        storage: Storage::Nowhere,
        stored: Arc::new(OneFile(dataset.file().clone())),
    };
    let elsewhere = || Error::input(format!("\"{path}\" keeps its data in another file. {}", re_save()));
    chunks.storage = match dataset.layout() {
        DataLayout::Compact { data, .. } => {
            if (data.len() as u64) < chunks.grid.bytes() {
                return Err(damaged(path, "it is shorter than its shape"));
            }
            Storage::Compact(data.clone())
        }
        DataLayout::Contiguous { .. } if dataset.external_files().is_some() => return Err(elsewhere()),
        DataLayout::Contiguous { address, .. } if *address == UNDEFINED_ADDRESS => Storage::Nowhere,
        DataLayout::Contiguous { address, .. } => Storage::Contiguous(*address),
        DataLayout::Virtual { .. } => return Err(elsewhere()),
        DataLayout::Chunked(chunked) => {
            set_chunks(&mut chunks, chunked, largest)?;
            chunks.filters = supported(dataset.filters(), path, width)?;
            Storage::Chunks(places(dataset, &chunks)?)
        }
    };
    Ok(chunks)
}

fn set_chunks(chunks: &mut Chunks, chunked: &ChunkedLayout, largest: u64) -> Result<()> {
    let (rows, columns) = match *chunked.dims.as_slice() {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => return Err(damaged(&chunks.path, "its chunks have another rank")),
    };
    let bytes = rows
        .checked_mul(columns)
        .and_then(|elements| elements.checked_mul(chunks.grid.width as u64))
        .filter(|&bytes| bytes > 0 && bytes <= largest);
    match bytes {
        None => return Err(damaged(&chunks.path, "its chunks have an impossible size")),
        Some(bytes) if bytes > LARGEST_CHUNK => {
            return Err(Error::input(format!(
                "\"{}\" is stored in chunks of {bytes} bytes, more than Sextant can decode. {}",
                chunks.path,
                re_save()
            )));
        }
        Some(_) => {}
    }
    chunks.grid.chunk_rows = rows;
    chunks.grid.chunk_columns = columns;
    chunks.plain_edges = chunked.flags & DONT_FILTER_PARTIAL_BOUND_CHUNKS != 0;
    Ok(())
}

fn places(dataset: &Dataset, chunks: &Chunks) -> Result<Vec<Place>> {
    let listed = dataset.chunks().map_err(|error| explain(&chunks.path, error))?;
    let (bands, across) = (chunks.grid.bands(), chunks.grid.across());
    let mut places = Vec::with_capacity(listed.len());
    for chunk in listed {
        let row = chunk.scaled.first().copied().unwrap_or(0);
        let column = chunk.scaled.get(1).copied().unwrap_or(0);
        if row >= bands || column >= across {
            continue; // left over from a larger shape
        }
        places.push(Place {
            number: row * across + column,
            file: 0,
            address: chunk.address,
            size: chunk.size,
            mask: chunk.filter_mask,
        });
    }
    places.sort_by_key(|place| place.number);
    Ok(places)
}
