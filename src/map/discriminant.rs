//! Linear discriminant analysis on the reference's embedding: how probable each class is for a cell at a place in it.

use super::neighbors::{row, wide};
use crate::matrix::Dense;
use rayon::prelude::*;

/// Share of the covariance that is replaced by its mean variance in all directions, so that small references have an inverse.
const SHRINKAGE: f64 = 0.05;
/// The logarithms of the densities are divided by it: cells of a class are not quite Gaussian, and a query is shifted.
/// Chosen on the development pairs of `tests/bench/accuracy`.
const TEMPERATURE: f64 = 2.0;
/// Cells whose sums one task takes. It fixes the order of summation.
const CHUNK: usize = 1024;

/// Gaussian classes with one covariance.
///
/// # Source
/// Fisher 1936; the shrinkage as in Friedman 1989 (10.1080/01621459.1989.10478752). The mean of a class of `c` cells is
/// itself uncertain, so its covariance is taken (1 + 1/c) times.
#[derive(Debug, Clone)]
pub struct Discriminant {
    dimensions: usize,
    /// Lower triangle of the Cholesky factor of the covariance, row by row.
    factor: Vec<f64>,
    /// Classes × dimensions, whitened.
    means: Vec<f64>,
    /// For each class the logarithm of its share and of its density's height; -∞ for a class without cells.
    heights: Vec<f64>,
    /// 1 + 1/c of each class.
    inflation: Vec<f64>,
}

impl Discriminant {
    /// # Shapes
    /// `embedding` n × d, `codes` n indices below `classes`.
    pub fn fit(embedding: &Dense, codes: &[u16], classes: usize) -> Self {
        let dimensions = embedding.ncols();
        let (sizes, means) = class_means(embedding, codes, classes);
        let mut factor = covariance(embedding, codes, &means);
        shrink(&mut factor, dimensions);
        decompose(&mut factor, dimensions);
        let total = codes.len().max(1) as f64;
        let inflation: Vec<f64> = sizes.iter().map(|&size| 1.0 + 1.0 / size.max(1.0)).collect();
        let heights = sizes
            .iter()
            .zip(&inflation)
            .map(|(&size, &inflation)| libm::log(size / total) - 0.5 * dimensions as f64 * libm::log(inflation))
            .collect();
        let mut fitted = Discriminant { dimensions, factor, means: Vec::new(), heights, inflation };
        fitted.means = means.chunks_exact(dimensions).flat_map(|mean| fitted.whiten(mean)).collect();
        fitted
    }

    /// A place in coordinates in which the classes have unit covariance.
    pub fn whiten(&self, place: &[f64]) -> Vec<f64> {
        let mut white = vec![0.0; self.dimensions];
        let mut start = 0;
        for at in 0..self.dimensions {
            let factors = &self.factor[start..=start + at];
            let known = factors[..at].iter().zip(&white).fold(0.0, |sum, (factor, value)| sum + factor * value);
            white[at] = (place[at] - known) / factors[at];
            start += at + 1;
        }
        white
    }

    /// All rows whitened. Rows × d → rows × d.
    pub fn whiten_rows(&self, rows: &Dense) -> Dense {
        let whitened: Vec<f32> = (0..rows.nrows())
            .into_par_iter()
            .flat_map_iter(|cell| self.whiten(&wide(row(rows, cell))).into_iter().map(|value| value as f32))
            .collect();
        Dense::from_shape_vec(rows.dim(), whitened).unwrap_or_else(|_| unreachable!("a row for each row"))
    }

    /// The probability of each class at a whitened place; they sum to one.
    pub fn probabilities(&self, white: &[f32]) -> Vec<f64> {
        let classes = self.means.chunks_exact(self.dimensions).zip(&self.heights).zip(&self.inflation);
        let mut values: Vec<f64> = classes
            .map(|((mean, height), inflation)| {
                let squared = mean.iter().zip(white).fold(0.0, |sum, (&mean, &value)| {
                    let apart = f64::from(value) - mean;
                    sum + apart * apart
                });
                (height - 0.5 * squared / inflation) / TEMPERATURE
            })
            .collect();
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        values.iter_mut().for_each(|value| *value = libm::exp(*value - largest));
        let sum = values.iter().fold(0.0, |sum, value| sum + value);
        values.iter_mut().for_each(|value| *value /= sum);
        values
    }
}

/// Sizes of the classes, and their means, classes × dimensions.
fn class_means(embedding: &Dense, codes: &[u16], classes: usize) -> (Vec<f64>, Vec<f64>) {
    let dimensions = embedding.ncols();
    let (mut sizes, mut means) = (vec![0.0; classes], vec![0.0; classes * dimensions]);
    for (cell, &code) in codes.iter().enumerate() {
        let class = usize::from(code);
        sizes[class] += 1.0;
        let mean = &mut means[class * dimensions..(class + 1) * dimensions];
        mean.iter_mut().zip(row(embedding, cell)).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    for (mean, size) in means.chunks_exact_mut(dimensions).zip(&sizes).filter(|(_, size)| **size > 0.0) {
        mean.iter_mut().for_each(|value| *value /= size);
    }
    (sizes, means)
}

/// Lower triangle of the covariance within the classes, row by row.
fn covariance(embedding: &Dense, codes: &[u16], means: &[f64]) -> Vec<f64> {
    let dimensions = embedding.ncols();
    let triangle = dimensions * (dimensions + 1) / 2;
    let chunks: Vec<usize> = (0..codes.len()).step_by(CHUNK).collect();
    let of_chunk = |&first: &usize| {
        let mut sums = vec![0.0; triangle];
        for cell in first..(first + CHUNK).min(codes.len()) {
            let mean = &means[usize::from(codes[cell]) * dimensions..];
            let apart: Vec<f64> =
                row(embedding, cell).iter().zip(mean).map(|(&value, mean)| f64::from(value) - mean).collect();
            let mut start = 0;
            for at in 0..dimensions {
                let sums = &mut sums[start..=start + at];
                sums.iter_mut().zip(&apart).for_each(|(sum, other)| *sum += apart[at] * other);
                start += at + 1;
            }
        }
        sums
    };
    let parts: Vec<Vec<f64>> = chunks.par_iter().map(of_chunk).collect();
    let mut sums = vec![0.0; triangle];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sums.iter_mut().for_each(|sum| *sum /= codes.len().max(1) as f64);
    sums
}

/// Place of the diagonal in row `at` of a lower triangle.
fn diagonal(at: usize) -> usize {
    at * (at + 1) / 2 + at
}

fn shrink(triangle: &mut [f64], dimensions: usize) {
    let trace = (0..dimensions).fold(0.0, |sum, at| sum + triangle[diagonal(at)]);
    // Where all cells of each class are copies, every direction is as good as another.
    let mean = if trace > 0.0 { trace / dimensions as f64 } else { 1.0 / SHRINKAGE };
    triangle.iter_mut().for_each(|value| *value *= 1.0 - SHRINKAGE);
    (0..dimensions).for_each(|at| triangle[diagonal(at)] += SHRINKAGE * mean);
}

/// Cholesky's decomposition in place; the matrix is positive definite, being shrunken.
fn decompose(triangle: &mut [f64], dimensions: usize) {
    for at in 0..dimensions {
        let start = diagonal(at) - at;
        for column in 0..=at {
            let other = diagonal(column) - column;
            let known = (0..column).fold(0.0, |sum, k| sum + triangle[start + k] * triangle[other + k]);
            let left = triangle[start + column] - known;
            triangle[start + column] =
                if column == at { left.max(f64::MIN_POSITIVE).sqrt() } else { left / triangle[diagonal(column)] };
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Three classes with unlike spreads in three directions, the last class of one cell.
    fn cells() -> (Dense, Vec<u16>) {
        let mut random = Random::new(3);
        let codes: Vec<u16> = (0..301).map(|cell| if cell == 300 { 2 } else { u16::from(cell % 3 == 0) }).collect();
        let noise: Vec<[f64; 3]> = codes.iter().map(|_| [0; 3].map(|_| random.uniform() - 0.5)).collect();
        let place = |(cell, axis): (usize, usize)| {
            let [a, b, c] = noise[cell];
            let code = f64::from(codes[cell]);
            [4.0 * a + code, a + 0.5 * b, 2.0 * c - 3.0 * code][axis] as f32
        };
        (Dense::from_shape_fn((codes.len(), 3), place), codes)
    }

    #[test]
    fn equals_the_formula_with_an_explicit_inverse() {
        let (places, codes) = cells();
        let fitted = Discriminant::fit(&places, &codes, 4);
        let mean = |class: u16| {
            let mut sums = [0.0; 3];
            let mut size = 0.0;
            for (cell, _) in codes.iter().enumerate().filter(|(_, code)| **code == class) {
                size += 1.0;
                (0..3).for_each(|axis| sums[axis] += f64::from(places[(cell, axis)]));
            }
            (size, sums.map(|sum| sum / size))
        };
        let means = [mean(0), mean(1), mean(2)];
        let mut covariance = [[0.0; 3]; 3];
        for (cell, &code) in codes.iter().enumerate() {
            let apart = [0, 1, 2].map(|axis| f64::from(places[(cell, axis)]) - means[code as usize].1[axis]);
            (0..9).for_each(|at| covariance[at / 3][at % 3] += apart[at / 3] * apart[at % 3] / codes.len() as f64);
        }
        let trace = covariance[0][0] + covariance[1][1] + covariance[2][2];
        for (a, row) in covariance.iter_mut().enumerate() {
            row.iter_mut().for_each(|value| *value *= 0.95);
            row[a] += 0.05 * trace / 3.0;
        }
        let m = covariance;
        let minor = |a: usize, b: usize| {
            let (r, c) = ([(a + 1) % 3, (a + 2) % 3], [(b + 1) % 3, (b + 2) % 3]);
            m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]]
        };
        let determinant: f64 = (0..3).map(|b| m[0][b] * minor(0, b)).sum();
        let place = [0.3, 0.1, -1.7];
        let densities = means.map(|(size, mean)| {
            let apart = [0, 1, 2].map(|axis| place[axis] - mean[axis]);
            let inflation: f64 = 1.0 + 1.0 / size;
            let squared: f64 =
                (0..9).map(|at| apart[at / 3] * minor(at % 3, at / 3) * apart[at % 3] / determinant).sum();
            ((size / 301.0) * inflation.powf(-1.5) * (-0.5 * squared / inflation).exp()).sqrt()
        });
        let sum: f64 = densities.iter().sum();
        let white: Vec<f32> = fitted.whiten(&place).into_iter().map(|value| value as f32).collect();
        let found = fitted.probabilities(&white);
        for (found, expected) in found.iter().zip(densities) {
            assert!((found - expected / sum).abs() < 1e-6, "{found} {}", expected / sum);
        }
        assert_eq!(found[3], 0.0, "no cells");
    }

    #[test]
    fn copies_and_any_number_of_threads() {
        let same = Discriminant::fit(&Dense::ones((6, 4)), &[0, 0, 0, 1, 1, 1], 2);
        assert_eq!(same.probabilities(&[1.0; 4]), [0.5, 0.5]);
        let (places, codes) = cells();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| Discriminant::fit(&places, &codes, 3).whiten_rows(&places))
        };
        assert_eq!(run(1), run(3));
    }
}
