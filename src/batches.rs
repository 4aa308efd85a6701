//! Mapping in batches: cells are projected while their file is read, and mapped some at a time.
//!
//! The counts of a million cells do not fit a browser, but the mapping needs them for the projection only, which for each
//! cell depends on its own counts, and on little else (see `projecting`). So the file is read once, each slab of cells is
//! projected and dropped, and what is kept of a cell is `d` numbers. Then each batch is mapped as if it were the query, and
//! of its cells the labels, scores, places on the map and mapping scores are kept.
//!
//! Of `m` cells with counts and a batch size, there are B = ceil(m / size) batches, and cell `i` is in batch `i mod B`: files
//! are often sorted by donor or by type, and so every batch has some of all. The first clip of the residuals is the square
//! root of the size of the largest batch; the median count that version-2 models need is that of all cells. So the result
//! depends on the file and on the batch size alone, and where one batch holds all cells it is that of [`map::map`], bit
//! for bit.

mod joining;
mod markers;
mod projecting;

use crate::error::{Error, Result};
use crate::formats::OpenFile;
use crate::map::{self, Mapping, Projected};
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::query::{Query, QueryOptions};
use crate::reference::{About, Reference};
use joining::Joining;
pub use markers::{Again, find_markers};
use projecting::Projecting;
use std::cell::{Cell, RefCell};

/// Cells of a batch, unless another size is asked for.
pub const USUAL_SIZE: usize = 20_000;
/// Fewer cells can hardly have enough anchors.
pub const SMALLEST_SIZE: usize = 100;

const STAGE: &str = "Mapping in batches";
/// Stages of the mapping of one batch, about.
const STAGES: f64 = 6.0;

/// The cells of a query on the reference's loadings, which is all that is kept of their counts.
pub struct Projection {
    reference: About,
    dimensions: usize,
    /// The rows of consecutive cells, `dimensions` each.
    blocks: Vec<Vec<f32>>,
    /// The first cell of each block, and behind the last one the number of cells.
    firsts: Vec<usize>,
    /// Features of the reference that some cell expresses.
    features_used: usize,
    size: usize,
    /// Counts of each gene of the file that are not zero, also in cells that are not mapped.
    entries: Vec<u64>,
}

impl Projection {
    pub fn cells(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0)
    }

    /// Batches that the cells are divided into.
    pub fn batches(&self) -> usize {
        batches(self.cells(), self.size)
    }

    /// Cells of a batch, as was asked for.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        4 * self.dimensions * self.cells()
    }

    /// The rows of some cells, in their order.
    fn rows(&self, cells: &[usize]) -> Dense {
        let mut rows = Dense::zeros((cells.len(), self.dimensions));
        for (mut row, &cell) in rows.rows_mut().into_iter().zip(cells) {
            let block = self.firsts.partition_point(|&first| first <= cell).max(1) - 1;
            let start = (cell - self.firsts[block]) * self.dimensions;
            let values = &self.blocks[block][start..start + self.dimensions];
            row.iter_mut().zip(values).for_each(|(to, &from)| *to = from);
        }
        rows
    }
}

/// Batches of at most `size` cells that `cells` cells are divided into.
pub fn batches(cells: usize, size: usize) -> usize {
    cells.div_ceil(size.max(1)).max(1)
}

/// The cells of a batch, of all.
fn cells_of(batch: usize, batches: usize, cells: usize) -> Vec<usize> {
    (batch..cells).step_by(batches).collect()
}

/// Reads a query for mapping in batches of at most `size` cells. No counts are kept; what the options say of the genes that
/// are kept does not matter. Their budget is for the projected cells.
///
/// The file is read a second time where the residuals depend on the median count (version-2 models) and that is not 1 or some
/// cells with counts are left out; where cells are left out by something else than a least number of counts; or where the
/// batches are so small for the reference that the first clip matters.
///
/// # Errors
/// As [`Query::read`]; or too few genes are features of the reference.
pub fn read(
    file: &mut OpenFile,
    reference: &Reference,
    options: &QueryOptions<'_>,
    size: usize,
    progress: &Progress<'_>,
) -> Result<(Query, Projection)> {
    if size < SMALLEST_SIZE {
        return Err(Error::usage(format!("A batch has at least {SMALLEST_SIZE} cells, not {size}.")));
    }
    let options = QueryOptions { reference: Some(reference), reference_genes_only: false, ..*options };
    let mut projecting = Projecting::new(reference);
    loop {
        let query = Query::read_past(file, &options, &mut projecting, progress)?;
        match projecting.wrong_guess(size) {
            Some(guess) => projecting = Projecting::with_guess(reference, guess),
            None => {
                let projection = projecting.finish(size, &query.places_of_samples, progress);
                return Ok((query, projection));
            }
        }
    }
}

/// Maps the cells, batch by batch. Of several batches [`Mapping::batches`] says what is kept.
///
/// # Shapes
/// `names`: of the projected cells.
///
/// # Errors
/// As [`map::map`]; of several batches, with the number of the batch.
pub fn map(
    projection: &Projection,
    names: &[String],
    reference: &Reference,
    options: &map::Options,
    progress: &Progress<'_>,
) -> Result<Mapping> {
    if projection.reference != reference.about {
        return Err(Error::usage("The cells were projected onto another reference: read the file again."));
    }
    let (cells, batches) = (projection.cells(), projection.batches());
    let mut joining = Joining::new(cells, batches, projection.dimensions, projection.features_used);
    for batch in 0..batches {
        let chosen = cells_of(batch, batches, cells);
        let own_names: Vec<String> = chosen.iter().map(|&cell| names[cell].clone()).collect();
        let rows = projection.rows(&chosen);
        let projected = Projected { rows, names: &own_names, features_used: projection.features_used };
        if batches == 1 {
            return map::map_projected(projected, reference, options, progress);
        }
        let stage = RefCell::new(String::new());
        let begun = Cell::new(0.0);
        let report = |name: &str, share: f64| {
            if *stage.borrow() != name {
                stage.replace(name.to_owned());
                begun.set(begun.get() + 1.0);
            }
            let done = ((begun.get() - 1.0 + share) / STAGES).clamp(0.0, 1.0);
            progress.report(STAGE, (batch as f64 + done) / batches as f64);
        };
        let found = map::map_projected(projected, reference, options, &Progress::new(&report));
        let found = found.map_err(|mut error| {
            error.message = format!("Batch {} of {batches}: {}", batch + 1, error.message);
            error
        })?;
        if options.proteins {
            joining.add_proteins(&chosen, &found, reference);
        }
        joining.add(&chosen, found);
    }
    progress.report(STAGE, 1.0);
    Ok(joining.finish())
}
