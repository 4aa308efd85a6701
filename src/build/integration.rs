//! An embedding in which the batches of a reference lie together, type by type.
//!
//! A type is to be one cloud in the embedding and not one for each donor, or a query would be divided by the reference's
//! batches. Since the labels are known, what a batch does can be told from what a type is: the difference between the means
//! of a class in two batches is the batch's. Cells are moved by that much in the space of the components, and the loadings
//! stay as they are: a query is projected into the same space, and its own difference is what the anchors are for.

use super::held_out::column;
use crate::error::{Error, Result};
use crate::formats::{Column, grouped, is_no_name};
use crate::map::neighbors::nearest;
use crate::map::project::normalize_rows;
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::reference::Level;
use ndarray::Axis;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// So many cells of a class in a batch are believed half of what they say, beyond what all classes of the batch say.
const HALF_BELIEVED: f64 = 10.0;
/// And a batch's offset is that of all its cells and of so many without any.
const CELLS_WITHOUT_OFFSET: f64 = 10.0;
/// Of fewer cells than this on average, batches are not told from types.
const FEWEST_OF_BATCH: usize = 10;
/// Nearest cells of the same class whose batches are counted.
const NEIGHBORS: usize = 30;

/// Which batch and which class each cell is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Batches {
    pub column: String,
    /// One a batch; cells without a name are a batch of their own.
    pub names: Vec<String>,
    of_cell: Vec<u32>,
    /// Of each cell among `groups`.
    group_of_cell: Vec<u32>,
    groups: Vec<Group>,
    classes: usize,
}

/// The cells of one class in one batch.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    class: usize,
    batch: usize,
    cells: Vec<usize>,
}

impl Batches {
    /// The batches that a column tells apart, and the classes of the finest level; nothing where there is one batch only.
    ///
    /// # Errors
    /// There is no such column, or it names cells rather than batches.
    pub fn of(metadata: &[(String, Column)], name: &str, levels: &[Level]) -> Result<Option<Self>> {
        let column = column(metadata, name, "tell batches apart by")?;
        let Some(finest) = levels.iter().reduce(|a, b| if b.classes.len() >= a.classes.len() { b } else { a }) else {
            return Ok(None);
        };
        let cells = finest.codes.len();
        let values: Vec<String> =
            (0..cells).map(|cell| column.text(cell).filter(|value| !is_no_name(value)).unwrap_or_default()).collect();
        let mut number: BTreeMap<&str, u32> = values.iter().map(|value| (value.as_str(), 0)).collect();
        number.values_mut().zip(0..).for_each(|(number, next)| *number = next);
        if number.len() * FEWEST_OF_BATCH > cells {
            return Err(Error::usage(format!(
                "The cell column '{name}' has {} values in {} cells: batches of fewer than {FEWEST_OF_BATCH} cells on average \
                 cannot be told from types. Name a column of donors, samples or studies.",
                grouped(number.len() as f64),
                grouped(cells as f64)
            )));
        }
        if number.len() < 2 {
            return Ok(None);
        }
        let of_cell: Vec<u32> = values.iter().map(|value| number[value.as_str()]).collect();
        let mut members: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for (cell, (&class, &batch)) in finest.codes.iter().zip(&of_cell).enumerate() {
            members.entry((usize::from(class), batch as usize)).or_default().push(cell);
        }
        let groups: Vec<Group> =
            members.into_iter().map(|((class, batch), cells)| Group { class, batch, cells }).collect();
        let mut group_of_cell = vec![0; cells];
        for (group, number) in groups.iter().zip(0u32..) {
            group.cells.iter().for_each(|&cell| group_of_cell[cell] = number);
        }
        let names = number.into_keys().map(str::to_owned).collect();
        Ok(Some(Batches {
            column: name.to_owned(),
            names,
            of_cell,
            group_of_cell,
            groups,
            classes: finest.classes.len(),
        }))
    }

    /// Takes the differences between batches off, in every column.
    ///
    /// The mean of a class in a batch is that of the class, an offset of the batch that is the same for all classes, and a rest.
    /// The first two are fitted by least squares over the cells, and what classes of several batches say moves those of one
    /// batch too. Of the rest, `n / (n + 10)` is the batch's, where `n` cells say so.
    ///
    /// # Shapes
    /// `matrix`: a row for each cell.
    ///
    /// # Source
    /// The two-way model without interaction, and its rest shrunk towards none as in Stein's estimator; with the labels as the
    /// known part, as `design` is in limma's removeBatchEffect (Ritchie et al. 2015, 10.1093/nar/gkv007).
    pub fn take_off(&self, matrix: &mut Dense) {
        let offsets = self.offsets(matrix);
        let columns = matrix.ncols().max(1);
        if let Some(values) = matrix.as_slice_mut() {
            values.par_chunks_mut(columns).zip(&self.group_of_cell).for_each(|(row, &group)| {
                for (value, offset) in row.iter_mut().zip(&offsets[group as usize]) {
                    *value = (f64::from(*value) - offset) as f32;
                }
            });
        }
    }

    /// For each group what is the batch's in it.
    fn offsets(&self, matrix: &Dense) -> Vec<Vec<f64>> {
        let means: Vec<Vec<f64>> = self.groups.par_iter().map(|group| mean_of_rows(matrix, &group.cells)).collect();
        let of_batches = self.offsets_of_batches(&means, matrix.ncols());
        let less =
            |group: usize| means[group].iter().zip(&of_batches[self.groups[group].batch]).map(|(mean, of)| mean - of);
        // The class's own mean, once the offsets of the batches are off.
        let mut classes = vec![(0.0, vec![0.0; matrix.ncols()]); self.classes];
        for (number, group) in self.groups.iter().enumerate() {
            let (cells, sum) = &mut classes[group.class];
            *cells += group.cells.len() as f64;
            sum.iter_mut().zip(less(number)).for_each(|(sum, value)| *sum += group.cells.len() as f64 * value);
        }
        (0..self.groups.len())
            .into_par_iter()
            .map(|number| {
                let group = &self.groups[number];
                let (cells, sum) = &classes[group.class];
                let believed = group.cells.len() as f64 / (group.cells.len() as f64 + HALF_BELIEVED);
                let rest = less(number).zip(sum).map(|(value, sum)| believed * (value - sum / cells));
                rest.zip(&of_batches[group.batch]).map(|(rest, of)| of + rest).collect()
            })
            .collect()
    }

    /// The offset of each batch that is the same for all classes.
    fn offsets_of_batches(&self, means: &[Vec<f64>], columns: usize) -> Vec<Vec<f64>> {
        let batches = self.names.len();
        // The equations of the offsets, once the means of the classes are solved for.
        let mut left = vec![vec![0.0; batches]; batches];
        let mut right = vec![vec![0.0; columns]; batches];
        for of_class in self.groups.chunk_by(|a, b| a.class == b.class).scan(0, |first, groups| {
            *first += groups.len();
            Some((*first - groups.len(), groups))
        }) {
            let (first, groups) = of_class;
            let cells: f64 = groups.iter().map(|group| group.cells.len() as f64).sum();
            let mut mean = vec![0.0; columns];
            for (group, of_group) in groups.iter().zip(&means[first..]) {
                let share = group.cells.len() as f64 / cells;
                mean.iter_mut().zip(of_group).for_each(|(mean, value)| *mean += share * value);
            }
            for (group, of_group) in groups.iter().zip(&means[first..]) {
                let size = group.cells.len() as f64;
                left[group.batch][group.batch] += size;
                groups
                    .iter()
                    .for_each(|other| left[group.batch][other.batch] -= size * other.cells.len() as f64 / cells);
                let apart = of_group.iter().zip(&mean).map(|(value, mean)| size * (value - mean));
                right[group.batch].iter_mut().zip(apart).for_each(|(sum, value)| *sum += value);
            }
        }
        (0..batches).for_each(|batch| left[batch][batch] += CELLS_WITHOUT_OFFSET);
        solve(left, right)
    }

    /// How well the batches are mixed: the share of other batches among a cell's 30 nearest cells of its class, divided by
    /// their share of that class; the mean over the cells of classes of two batches and more than 30 cells. 1 is as if batches
    /// did not matter, 0 is that each lies by itself.
    ///
    /// # Shapes
    /// `embedding`: a row for each cell.
    pub fn mixing(&self, embedding: &Dense) -> Option<f64> {
        let unit = normalize_rows(embedding);
        let (mut sum, mut cells) = (0.0, 0);
        for groups in self.groups.chunk_by(|a, b| a.class == b.class) {
            let rows: Vec<usize> = groups.iter().flat_map(|group| group.cells.iter().copied()).collect();
            if groups.len() < 2 || rows.len() <= NEIGHBORS {
                continue;
            }
            let places = unit.select(Axis(0), &rows);
            let near = nearest(&places, &places, NEIGHBORS + 1, "", &Progress::silent());
            for (at, &cell) in rows.iter().enumerate() {
                let batch = self.of_cell[cell];
                let others = near.of(at).iter().filter(|&&other| other as usize != at).take(NEIGHBORS);
                let apart = others.filter(|&&other| self.of_cell[rows[other as usize]] != batch).count();
                let own =
                    groups.iter().find(|group| group.batch == batch as usize).map_or(0, |group| group.cells.len());
                let expected = (rows.len() - own) as f64 / (rows.len() - 1) as f64;
                sum += apart as f64 / NEIGHBORS as f64 / expected;
                cells += 1;
            }
        }
        (cells > 0).then(|| sum / f64::from(cells))
    }
}

fn mean_of_rows(matrix: &Dense, rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; matrix.ncols()];
    for &row in rows {
        mean.iter_mut().zip(matrix.row(row)).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    mean.iter_mut().for_each(|sum| *sum /= rows.len().max(1) as f64);
    mean
}

/// Solves `left · x = right` by Gauss and Jordan. `left` is positive definite, so no pivot is sought.
fn solve(mut left: Vec<Vec<f64>>, mut right: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for at in 0..left.len() {
        let pivot = left[at][at];
        left[at].iter_mut().for_each(|value| *value /= pivot);
        right[at].iter_mut().for_each(|value| *value /= pivot);
        let (of_left, of_right) = (left[at].clone(), right[at].clone());
        for other in (0..left.len()).filter(|&other| other != at) {
            let factor = left[other][at];
            left[other].iter_mut().zip(&of_left).for_each(|(value, of)| *value -= factor * of);
            right[other].iter_mut().zip(&of_right).for_each(|(value, of)| *value -= factor * of);
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::reference::Class;

    const CELLS: usize = 240;

    fn level(codes: Vec<u16>) -> Level {
        let class = |name: &str| Class { name: name.into(), color: "#000000".into(), ontology: None };
        Level { name: "type".into(), classes: ["a", "b", "c"].map(class).to_vec(), codes }
    }

    /// Three classes in three batches, which move all classes alike; the third class is in the last batch alone.
    fn file() -> (Dense, Vec<Level>, Vec<(String, Column)>) {
        let mut random = Random::new(3);
        let batch_of: Vec<usize> = (0..CELLS).map(|cell| cell % 3).collect();
        let codes: Vec<u16> = (0..CELLS)
            .map(|cell| if batch_of[cell] == 2 && cell % 4 == 0 { 2 } else { (cell / 3 % 2) as u16 })
            .collect();
        let moved = [[0.0, 4.0, -3.0], [2.0, 0.0, 1.0]];
        let place = |(cell, axis): (usize, usize)| {
            let class = 8.0 * f64::from(codes[cell]) * f64::from(u8::from(axis == 2));
            let batch = if axis < 2 { moved[axis][batch_of[cell]] } else { 0.0 };
            (class + batch + random.uniform() - 0.5) as f32
        };
        let places = Dense::from_shape_fn((CELLS, 3), place);
        let names = batch_of.iter().map(|batch| format!("batch {batch}")).collect();
        (places, vec![level(codes)], vec![("batch".into(), Column::Text(names))])
    }

    #[test]
    fn batches_come_together_and_classes_stay_apart() {
        let (mut places, levels, metadata) = file();
        let batches = Batches::of(&metadata, "batch", &levels).expect("a column").expect("three batches");
        assert!(batches.mixing(&places).expect("mixed or not") < 0.05);
        batches.take_off(&mut places);
        let means: Vec<Vec<f64>> = batches.groups.iter().map(|group| mean_of_rows(&places, &group.cells)).collect();
        for (a, of_a) in batches.groups.iter().zip(&means) {
            for (b, of_b) in batches.groups.iter().zip(&means) {
                let apart = |axis: usize| (of_a[axis] - of_b[axis]).abs();
                // The third class came along with its batch, by what the others say of it.
                assert!(apart(0) < 0.6 && apart(1) < 0.6, "{of_a:?} {of_b:?}");
                let expected = 8.0 * (a.class as f64 - b.class as f64).abs();
                assert!((apart(2) - expected).abs() < 0.6, "{of_a:?} {of_b:?}");
            }
        }
        assert!(batches.mixing(&places).expect("mixed or not") > 0.9);
    }

    #[test]
    fn the_order_of_the_cells_and_the_number_of_threads_do_not_matter() {
        let (places, levels, metadata) = file();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let mut places = places.clone();
            let batches = Batches::of(&metadata, "batch", &levels).expect("a column").expect("batches");
            pool.install(|| batches.take_off(&mut places));
            places
        };
        let one = run(1);
        assert_eq!(one, run(3));
        let turned: Vec<usize> = (0..CELLS).rev().collect();
        let mut other = places.select(Axis(0), &turned);
        let rows: Vec<u32> = turned.iter().map(|&row| row as u32).collect();
        let metadata = [("batch".to_owned(), metadata[0].1.select(&rows))];
        let levels = [level(turned.iter().map(|&row| levels[0].codes[row]).collect())];
        Batches::of(&metadata, "batch", &levels).expect("a column").expect("batches").take_off(&mut other);
        let largest =
            one.iter().zip(other.select(Axis(0), &turned).iter()).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(largest < 1e-5, "{largest}");
    }

    #[test]
    fn what_is_no_batch_is_told() {
        let (_, levels, mut metadata) = file();
        metadata.push(("same".into(), Column::Text(vec!["x".into(); CELLS])));
        metadata.push(("cell".into(), Column::Number((0..CELLS).map(|cell| cell as f64).collect())));
        assert_eq!(Batches::of(&metadata, "same", &levels).expect("a column"), None);
        let refusal = |name: &str| Batches::of(&metadata, name, &levels).unwrap_err().message;
        assert!(refusal("cell").contains("has 240 values in 240 cells"));
        assert_eq!(
            refusal("lane"),
            "The file has no cell column 'lane' to tell batches apart by. Its columns are: batch, same, cell."
        );
    }
}
