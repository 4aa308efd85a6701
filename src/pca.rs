//! Principal components of a matrix of residuals: as it is, or as it is known by its products.

pub mod eigen;

use crate::error::{Error, Result};
use crate::matrix::Dense;
use crate::progress::Progress;
use rayon::prelude::*;

/// The leading principal components of a centred matrix `A = U D Vᵀ`.
#[derive(Debug, Clone)]
pub struct Components {
    /// Cells × dimensions: `U D`, as `RunPCA(weight.by.var = TRUE)`.
    pub embedding: Dense,
    /// Features × dimensions: `V`; the largest entry of each column (by its absolute value) is positive.
    pub loadings: Dense,
    pub singular_values: Vec<f64>,
    /// Products with `AᵀA` that it took.
    pub steps: usize,
}

/// A matrix, rows × columns, that is known by its products.
pub trait Matrix: Sync {
    fn dim(&self) -> (usize, usize);

    /// `AᵀA v`, summed in an order that does not depend on the number of threads.
    fn gram_product(&self, vector: &[f64]) -> Vec<f64>;

    /// `A v` for each of the vectors: one list a row.
    fn times(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>>;
}

/// What is left of a component, relative to the first eigenvalue, where it has to be exact.
const EXACT: f64 = 1e-10;
/// Rows that are summed by one task; the sums are added in the order of the blocks, whatever thread made them.
const BLOCK: usize = 256;

/// Computes the leading principal components, to a relative residual of 1e-8 of the largest singular value.
///
/// Lanczos iteration on `AᵀA` with full reorthogonalisation. `A` is read once a step and `AᵀA` never formed; the
/// components that are wanted have singular values within a factor of 10³ of the first, which squaring leaves 10
/// digits.
///
/// # Shapes
/// `matrix`: cells × features, its columns centred.
///
/// # Errors
/// Fewer than `dimensions` independent columns.
///
/// # Source
/// Golub and Van Loan, Matrix Computations, 4th edition, 10.3 and 10.4; agrees with `Seurat::RunPCA` up to signs.
pub fn components(matrix: &Dense, dimensions: usize, progress: &Progress) -> Result<Components> {
    let (cells, features) = matrix.dim();
    let too_few = |rank: usize| {
        Error::input(format!(
            "the data spans only {rank} dimensions ({cells} cells × {features} variable features), but {dimensions} are asked for: \
             add cells or genes, or ask for fewer dimensions"
        ))
    };
    if cells.min(features) < dimensions || dimensions == 0 {
        return Err(too_few(cells.min(features)));
    }
    let vectors = leading(matrix, dimensions, EXACT, "Principal components", progress);
    if vectors.right.len() < dimensions {
        return Err(too_few(vectors.right.len()));
    }
    finish(matrix, vectors).ok_or_else(|| too_few(dimensions - 1))
}

/// Right singular vectors, one a list, with the products that they took.
pub struct Leading {
    pub right: Vec<Vec<f64>>,
    pub steps: usize,
}

/// The leading right singular vectors by Lanczos iteration, until what is left of each is below `tolerance` of the
/// first eigenvalue of `AᵀA`; fewer than `dimensions` where the matrix has a lower rank.
pub fn leading<M: Matrix>(matrix: &M, dimensions: usize, tolerance: f64, stage: &str, progress: &Progress) -> Leading {
    let (rows, columns) = matrix.dim();
    let limit = rows.min(columns);
    let dimensions = dimensions.min(limit);
    let mut found = Leading { right: Vec::new(), steps: 0 };
    if dimensions == 0 {
        return found;
    }
    let mut basis: Vec<Vec<f64>> = vec![start(columns)];
    let (mut diagonal, mut off_diagonal) = (Vec::new(), Vec::new());
    let mut share = 0.0;
    loop {
        let step = diagonal.len();
        progress.report(stage, share);
        let mut next = matrix.gram_product(&basis[step]);
        diagonal.push(dot(&next, &basis[step]));
        // Twice is enough (Kahan): the second pass takes off what rounding left in the first.
        for _ in 0..2 {
            orthogonalise(&mut next, &basis);
        }
        let norm = dot(&next, &next).sqrt();
        let size = diagonal.len();
        found.steps = size;
        let exhausted = size == limit || norm <= 1e-13 * diagonal[0].abs();
        if exhausted || (size >= dimensions && size.is_multiple_of(10)) {
            let (values, ritz) = eigen::tridiagonal(&diagonal, &off_diagonal);
            let settled = (ritz.iter().take(dimensions))
                .filter(|vector| norm * vector[size - 1].abs() <= tolerance * values[0])
                .count();
            share = settled as f64 / dimensions as f64;
            if settled == dimensions || exhausted {
                found.right = combine(&basis, &ritz[..dimensions.min(size)]);
                return found;
            }
        }
        next.iter_mut().for_each(|value| *value /= norm);
        off_diagonal.push(norm);
        basis.push(next);
    }
}

/// A fixed starting vector without symmetries that a component could be orthogonal to.
fn start(features: usize) -> Vec<f64> {
    let mut random = crate::random::Random::new(42);
    let mut vector: Vec<f64> = (0..features).map(|_| random.uniform() - 0.5).collect();
    let norm = dot(&vector, &vector).sqrt();
    vector.iter_mut().for_each(|value| *value /= norm);
    vector
}

impl Matrix for Dense {
    fn dim(&self) -> (usize, usize) {
        Dense::dim(self)
    }

    fn gram_product(&self, vector: &[f64]) -> Vec<f64> {
        let values = self.as_slice().unwrap_or_default();
        let features = vector.len();
        let partial: Vec<Vec<f64>> = (values.par_chunks(BLOCK * features))
            .map(|block| {
                let mut sum = vec![0.0; features];
                for row in block.chunks_exact(features) {
                    let scale = dot_row(row, vector);
                    for (target, &value) in sum.iter_mut().zip(row) {
                        *target += scale * f64::from(value);
                    }
                }
                sum
            })
            .collect();
        add_up(partial, features)
    }

    fn times(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let values = self.as_slice().unwrap_or_default();
        (values.par_chunks_exact(self.ncols().max(1)))
            .map(|row| vectors.iter().map(|vector| dot_row(row, vector)).collect())
            .collect()
    }
}

/// The sums of blocks of rows, added in their order.
pub fn add_up(partial: Vec<Vec<f64>>, columns: usize) -> Vec<f64> {
    let mut total = vec![0.0; columns];
    for sum in partial {
        total.iter_mut().zip(sum).for_each(|(target, value)| *target += value);
    }
    total
}

/// In eight lanes that are added at the end: a fixed order that also runs fast.
fn dot_row(row: &[f32], vector: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a, b) = (row.chunks_exact(8), vector.chunks_exact(8));
    let rest: f64 = (a.remainder().iter().zip(b.remainder())).map(|(x, y)| f64::from(*x) * y).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            lanes[lane] += f64::from(a[lane]) * b[lane];
        }
    }
    rest + ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (x, y) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = x.remainder().iter().zip(y.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in x.zip(y) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    rest + ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

/// Takes the basis out of the vector, by classical Gram-Schmidt.
fn orthogonalise(vector: &mut [f64], basis: &[Vec<f64>]) {
    let shares: Vec<f64> = basis.par_iter().map(|other| dot(vector, other)).collect();
    for (share, other) in shares.iter().zip(basis) {
        for (target, value) in vector.iter_mut().zip(other) {
            *target -= share * value;
        }
    }
}

/// Ritz vectors in the space of the features, signs fixed, one a row.
fn combine(basis: &[Vec<f64>], ritz: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (ritz.par_iter())
        .map(|shares| {
            let mut vector = vec![0.0; basis[0].len()];
            for (share, other) in shares.iter().zip(basis) {
                for (target, value) in vector.iter_mut().zip(other) {
                    *target += share * value;
                }
            }
            let largest = vector.iter().copied().fold(
                0.0,
                |best: f64, value| {
                    if value.abs() > best.abs() { value } else { best }
                },
            );
            let norm = dot(&vector, &vector).sqrt() * if largest < 0.0 { -1.0 } else { 1.0 };
            vector.iter_mut().for_each(|value| *value /= norm);
            vector
        })
        .collect()
}

/// Embeds the cells; `None` where a component has no length.
fn finish(matrix: &Dense, Leading { right: vectors, steps }: Leading) -> Option<Components> {
    let (cells, features) = matrix.dim();
    let dimensions = vectors.len();
    let rows = matrix.times(&vectors);
    let singular_values: Vec<f64> =
        (0..dimensions).map(|k| rows.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt()).collect();
    if singular_values.iter().any(|value| *value <= 1e-7 * singular_values[0]) {
        return None;
    }
    Some(Components {
        embedding: Dense::from_shape_fn((cells, dimensions), |(cell, k)| rows[cell][k] as f32),
        loadings: Dense::from_shape_fn((features, dimensions), |(feature, k)| vectors[k][feature] as f32),
        singular_values,
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Eigenvalues and vectors of a small symmetric matrix by Jacobi's rotations.
    fn jacobi(mut a: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
        let n = a.len();
        let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for _ in 0..50 {
            for p in 0..n {
                for q in p + 1..n {
                    if a[p][q].abs() < 1e-300 {
                        continue;
                    }
                    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                    let c = 1.0 / (t * t + 1.0).sqrt();
                    let s = t * c;
                    for row in a.iter_mut().chain(v.iter_mut()) {
                        let (x, y) = (row[p], row[q]);
                        (row[p], row[q]) = (c * x - s * y, s * x + c * y);
                    }
                    let (above, below) = a.split_at_mut(q);
                    for (x, y) in above[p].iter_mut().zip(below[0].iter_mut()) {
                        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                    }
                }
            }
        }
        let mut pairs: Vec<(f64, Vec<f64>)> = (0..n).map(|k| (a[k][k], v.iter().map(|row| row[k]).collect())).collect();
        pairs.sort_by(|x, y| y.0.total_cmp(&x.0));
        pairs
    }

    fn example(cells: usize, features: usize) -> Dense {
        let mut random = Random::new(11);
        let mut matrix = Dense::from_shape_fn((cells, features), |(_, feature)| {
            ((random.uniform() - 0.5) * 10.0 / (1.0 + feature as f64)) as f32
        });
        let mixture = matrix.column(0).to_owned();
        for feature in 1..features {
            let mut column = matrix.column_mut(feature);
            column.zip_mut_with(&mixture, |value, other| *value += 0.1 * other * (feature % 3) as f32);
        }
        matrix
    }

    #[test]
    fn components_are_those_of_the_covariance() {
        let matrix = example(700, 30);
        let gram: Vec<Vec<f64>> = (0..30)
            .map(|i| {
                (0..30)
                    .map(|j| (0..700).map(|row| f64::from(matrix[[row, i]]) * f64::from(matrix[[row, j]])).sum())
                    .collect()
            })
            .collect();
        let exact = jacobi(gram);
        let found = components(&matrix, 12, &Progress::silent()).unwrap();
        for (k, (value, vector)) in exact.iter().take(12).enumerate() {
            assert!((found.singular_values[k] / value.sqrt() - 1.0).abs() < 1e-8, "{k}");
            let sign = if f64::from(found.loadings[[0, k]]) * vector[0] < 0.0 { -1.0 } else { 1.0 };
            let column = found.loadings.column(k);
            for (ours, exact) in column.iter().zip(vector) {
                assert!((f64::from(*ours) - sign * exact).abs() < 1e-6);
            }
            let largest = column.iter().copied().fold(0f32, |a, b| if b.abs() > a.abs() { b } else { a });
            assert!(largest > 0.0);
        }
        let embedded: f64 = (0..30).map(|f| f64::from(matrix[[5, f]]) * f64::from(found.loadings[[f, 3]])).sum();
        assert!((f64::from(found.embedding[[5, 3]]) - embedded).abs() < 1e-4);
    }

    #[test]
    fn a_matrix_of_low_rank_is_refused() {
        let matrix = Dense::from_shape_fn((50, 20), |(row, column)| (row % 7) as f32 * (column as f32 - 9.5));
        let error = components(&matrix, 5, &Progress::silent()).unwrap_err();
        assert!(error.message.contains("dimensions"), "{error}");
        assert!(components(&matrix, 21, &Progress::silent()).is_err());
    }
}
