//! A sample of whole cells, spread over a stored matrix.

use super::super::elements::{Number, Visit};
use super::super::raw_counts::Sample;
use super::{Encoding, Parts, StoredMatrix};
use crate::error::Result;

/// Places in the file that are looked at, and neighbouring cells at each.
const PLACES: u64 = 8;
const CELLS: usize = 8;

/// Looks at some cells of the matrix.
///
/// Of a matrix stored by gene only loose values are cheap to come by; when these are not whole numbers
/// the matrix is read once to see the sums of some cells.
///
/// # Errors
/// When the sample cannot be read.
pub fn sample(matrix: &StoredMatrix) -> Result<Sample> {
    match (&matrix.parts, matrix.encoding) {
        (Parts::Dense(_), _) => sample_dense(matrix),
        (Parts::Sparse { .. }, Encoding::Csc) => {
            let loose = sample_by_gene(matrix)?;
            let fractions = loose.values().any(|value| value != value.trunc());
            if fractions { sample_by_gene_whole(matrix) } else { Ok(loose) }
        }
        (Parts::Sparse { .. }, _) => sample_by_cell(matrix),
    }
}

/// Entry numbers spread evenly over `length`.
fn spread(length: u64) -> impl Iterator<Item = u64> {
    (0..PLACES).map(move |place| (u128::from(length) * u128::from(place) / u128::from(PLACES)) as u64)
}

/// Neighbouring cells at places that are evenly spread over the entries, so that empty droplets, of
/// which unfiltered files have millions, do not fill the sample.
fn sample_by_cell(matrix: &StoredMatrix) -> Result<Sample> {
    let Parts::Sparse { data, offsets, .. } = &matrix.parts else {
        return Ok(Sample::default());
    };
    let mut cells = Vec::new();
    let mut next = 0;
    for entry in spread(data.len()) {
        let cell = offsets.partition_point(|&start| start <= entry);
        let start = cell.saturating_sub(1).max(next);
        let end = (start + CELLS).min(matrix.cells);
        let Some(bounds) = offsets.get(start..end + 1).filter(|b| b.len() > 1) else {
            continue;
        };
        next = end;
        let (first, last) = (bounds[0], bounds[bounds.len() - 1]);
        // A cell has at most one entry for each gene, unless the file is odd.
        let last = last.min(first + (CELLS * matrix.genes) as u64);
        let values = data.read_range(first..last)?;
        for pair in bounds.windows(2) {
            let row = (pair[0] - first) as usize..(pair[1].min(last).max(first) - first) as usize;
            cells.push(values.get(row).unwrap_or_default().to_vec());
        }
    }
    Ok(Sample::of_whole_cells(cells))
}

fn sample_by_gene(matrix: &StoredMatrix) -> Result<Sample> {
    let Parts::Sparse { data, .. } = &matrix.parts else {
        return Ok(Sample::default());
    };
    let mut pieces = Vec::new();
    for entry in spread(data.len()) {
        pieces.push(data.read_range(entry..(entry + 4096).min(data.len()))?);
    }
    let count: usize = pieces.iter().map(Vec::len).sum();
    let sum: f64 = pieces.iter().flatten().sum();
    let mean = sum / count.max(1) as f64;
    Ok(Sample::of_loose_values(pieces, mean * data.len() as f64 / matrix.cells.max(1) as f64))
}

fn sample_by_gene_whole(matrix: &StoredMatrix) -> Result<Sample> {
    let step = (matrix.cells / (PLACES as usize * CELLS)).max(1);
    let wanted: Vec<usize> = (0..matrix.cells).step_by(step).take(PLACES as usize * CELLS).collect();
    Ok(Sample::of_whole_cells(matrix.gather_cells(&wanted)?))
}

fn sample_dense(matrix: &StoredMatrix) -> Result<Sample> {
    let Parts::Dense(array) = &matrix.parts else {
        return Ok(Sample::default());
    };
    let mut bands: Vec<u64> = spread(array.bands()).collect();
    bands.dedup();
    let mut cells = Vec::new();
    for band in bands {
        let rows = (array.band_rows(band).end - array.band_rows(band).start) as usize;
        // Where there are few bands, more cells are taken from each.
        let rows = rows.min(CELLS * (PLACES / array.bands().clamp(1, PLACES)) as usize);
        let blocks = array.decode_bands(band..band + 1, &mut |_| {}, |block| {
            (0..rows).map(|row| block.element.visit(block.row(row), NonZeros)).collect::<Vec<_>>()
        })?;
        for row in 0..rows {
            let parts = blocks.iter().filter_map(|block| block.get(row));
            cells.push(parts.flatten().copied().collect());
        }
    }
    Ok(Sample::of_whole_cells(cells))
}

struct NonZeros;

impl Visit for NonZeros {
    type Output = Vec<f64>;
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) -> Vec<f64> {
        values.map(Number::f64).filter(|&v| v != 0.0).collect()
    }
}
