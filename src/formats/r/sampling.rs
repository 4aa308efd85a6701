//! A sample of a matrix, to judge what its values are.

use super::keeper::places;
use super::layout::{Layout, Part, RMatrix};
use super::numbers::{Held, Numbers};
use crate::error::Result;
use crate::formats::raw_counts::Sample;
use crate::formats::stored::Meter;
use crate::progress::Progress;

/// Cells, and loose values at each of some places, that make a sample.
const CELLS: usize = 64;
const PLACES: u64 = 8;
const LOOSE: u64 = 4096;
/// Layers that are looked at.
const PARTS: usize = 4;

/// The values of some whole cells; of a matrix that is not stored by cell only when loose values do not suffice.
///
/// # Errors
/// When they cannot be read.
pub fn sample(matrix: &RMatrix) -> Result<Sample> {
    match &matrix.layout {
        Layout::ByCell(parts) => {
            let mut cells = Vec::new();
            for part in parts.iter().take(PARTS) {
                cells.extend(sample_part(matrix, part)?);
            }
            Ok(Sample::of_whole_cells(cells))
        }
        Layout::Dense { columns, by_cell: true } => {
            let step = (matrix.cells / CELLS).max(1);
            let wanted = (0..matrix.cells).step_by(step).take(CELLS);
            let genes = matrix.genes as u64;
            if let [one] = columns.as_slice() {
                let ranges: Vec<_> = wanted.map(|cell| (cell as u64 * genes, (cell as u64 + 1) * genes)).collect();
                return Ok(Sample::of_whole_cells(matrix.file.ranges(one, &ranges)?));
            }
            let mut cells = Vec::new();
            let mut stream = None;
            for column in wanted.filter_map(|cell| columns.get(cell)) {
                let mut cursor = matrix.file.cursor(column, stream.take())?;
                let mut values = Vec::new();
                while cursor.rest() > 0 {
                    values.extend(cursor.take(usize::MAX)?.iter().filter(|&&value| value != 0.0));
                }
                cells.push(values);
                stream = cursor.release();
            }
            Ok(Sample::of_whole_cells(cells))
        }
        Layout::Scattered { values, .. } => loose_or_whole(matrix, &[values.as_ref()]),
        Layout::Dense { columns, .. } => {
            let columns: Vec<&Numbers> = columns.iter().map(AsRef::as_ref).collect();
            loose_or_whole(matrix, &columns)
        }
    }
}

fn sample_part(matrix: &RMatrix, part: &Part) -> Result<Vec<Vec<f64>>> {
    if let Held::Stored { sample: Some(sample), .. } = &part.values.held {
        return Ok(sample.to_vec());
    }
    let offsets: Vec<f64> = part.offsets.iter().map(|&offset| offset as f64).collect();
    let mut ranges = Vec::new();
    let mut next = 0;
    for (first, last) in places(&offsets, part.values.length) {
        let bounds = part.offsets.get(first.max(next)..=last).unwrap_or_default();
        ranges.extend(bounds.windows(2).map(|pair| (pair[0], pair[1])));
        next = next.max(last);
    }
    matrix.file.ranges(&part.values, &ranges)
}

/// Loose values are cheap; when they are not whole numbers the matrix is read once to see the sums of some cells.
fn loose_or_whole(matrix: &RMatrix, vectors: &[&Numbers]) -> Result<Sample> {
    let mut pieces = Vec::new();
    let step = (vectors.len() / PLACES as usize).max(1);
    let places = if vectors.len() == 1 { PLACES } else { 1 };
    for vector in vectors.iter().step_by(step) {
        let starts = (0..places).map(|place| vector.length / places * place);
        let ranges: Vec<_> = starts.map(|start| (start, start + LOOSE.min(vector.length / places + 1))).collect();
        pieces.extend(matrix.file.ranges(vector, &ranges)?);
    }
    let values = || pieces.iter().flatten().copied();
    if values().any(|value| value != value.trunc()) {
        return whole(matrix);
    }
    let length: u64 = vectors.iter().map(|vector| vector.length).sum();
    let mean = values().sum::<f64>() / values().count().max(1) as f64;
    Ok(Sample::of_loose_values(pieces, mean * length as f64 / matrix.cells.max(1) as f64))
}

fn whole(matrix: &RMatrix) -> Result<Sample> {
    let step = (matrix.cells / CELLS).max(1);
    let mut cells = vec![Vec::new(); CELLS];
    let progress = Progress::silent();
    matrix.entries(true, &mut Meter::new(&progress, 1), &mut |_, cell, value| {
        let cell = cell as usize;
        if cell.is_multiple_of(step)
            && let Some(values) = cells.get_mut(cell / step)
        {
            values.push(value);
        }
        Ok(())
    })?;
    Ok(Sample::of_whole_cells(cells))
}
