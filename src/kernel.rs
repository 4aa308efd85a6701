//! The hot loops: dot products of whole numbers, distances, scaled sums.
//!
//! The only module that looks at the processor. Every variant gives the same bits: whole numbers do in any order; of the others
//! every lane does the same operations in the same order, without fused multiply-add.

pub mod four;
pub mod products;

/// Partial sums of a distance.
const PARTS: usize = 4;

/// Squared distance in f64: what decides between near neighbours. Every fourth dimension is summed in order, then the
/// four sums, then what dimensions are left.
#[inline(always)]
pub fn squared_distance(a: &[f64], b: &[f32]) -> f64 {
    let ((wholes_a, rest_a), (wholes_b, rest_b)) = (a.as_chunks::<PARTS>(), b.as_chunks::<PARTS>());
    let wholes_b = &wholes_b[..wholes_a.len()];
    let mut sums = [0.0; PARTS];
    // By number, not by iterator: then the sums stay in registers.
    for at in 0..wholes_a.len() {
        add_squares(&mut sums, &wholes_a[at], &wholes_b[at]);
    }
    let mut last = 0.0;
    for at in 0..rest_a.len().min(rest_b.len()) {
        let difference = rest_a[at] - f64::from(rest_b[at]);
        last += difference * difference;
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + last
}

#[inline(always)]
fn add_squares(sums: &mut [f64; PARTS], a: &[f64; PARTS], b: &[f32; PARTS]) {
    for part in 0..PARTS {
        let difference = a[part] - f64::from(b[part]);
        sums[part] += difference * difference;
    }
}

/// [`squared_distance`] of a place to some rows of a matrix with as many columns.
pub fn squared_distances(place: &[f64], matrix: &[f32], rows: &[u32]) -> Vec<f64> {
    let columns = place.len();
    let mut distances = vec![0.0; rows.len()];
    widest(
        #[inline(always)]
        || {
            for at in 0..rows.len() {
                let start = rows[at] as usize * columns;
                distances[at] = squared_distance(place, &matrix[start..start + columns]);
            }
        },
    );
    distances
}

/// Does what `work` does, a loop over slices by number, compiled for the widest vectors that the processor has and this module knows.
#[inline]
pub fn widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just asked.
        return unsafe { with_avx2(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// `sums[i] += factor * values[i]`.
#[inline]
pub fn add_scaled(sums: &mut [f64], factor: f64, values: &[f64]) {
    widest(
        #[inline(always)]
        || sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value),
    );
}

/// Lists of factors that rows are scaled by at once.
pub const LISTS: usize = 4;

/// For each list of factors the sum of the rows, scaled by them, in their order.
///
/// # Shapes
/// Each list has a factor for each row of `rows`, which has `columns` values a row. Returns lists × columns.
pub fn scaled_sums(factors: [&[f64]; LISTS], rows: &[f64], columns: usize) -> [Vec<f64>; LISTS] {
    let mut sums = [(); LISTS].map(|()| vec![0.0; columns]);
    let mut first = 0;
    while first < columns {
        // Two vectors a list: few enough to stay in registers.
        first += match columns - first {
            8.. if cfg!(not(target_arch = "wasm32")) => scaled_columns::<8>(&mut sums, factors, rows, columns, first),
            4.. => scaled_columns::<4>(&mut sums, factors, rows, columns, first),
            2.. => scaled_columns::<2>(&mut sums, factors, rows, columns, first),
            _ => scaled_columns::<1>(&mut sums, factors, rows, columns, first),
        };
    }
    sums
}

/// `N` columns of them, from the first on; returns how many.
fn scaled_columns<const N: usize>(
    sums: &mut [Vec<f64>; LISTS],
    factors: [&[f64]; LISTS],
    rows: &[f64],
    columns: usize,
    first: usize,
) -> usize {
    let [a, b, c, d] = factors;
    let found = widest(
        #[inline(always)]
        || {
            let mut found = [[0.0; N]; LISTS];
            for ((((row, a), b), c), d) in rows.chunks_exact(columns).zip(a).zip(b).zip(c).zip(d) {
                let Some(row) = row[first..].first_chunk::<N>() else { break };
                for (sums, factor) in found.iter_mut().zip([a, b, c, d]) {
                    // By number, not by iterator: then the length is known, and the sums stay in registers.
                    (0..N).for_each(|at| sums[at] += factor * row[at]);
                }
            }
            found
        },
    );
    for (sums, found) in sums.iter_mut().zip(found) {
        sums[first..first + N].copy_from_slice(&found);
    }
    N
}

/// The smallest and the largest argument of [`exp`]: beyond, its result is that of these.
const EXP_RANGE: (f64, f64) = (-708.0, 709.0);
/// Added to a number below 2^51 and taken away again, it leaves the nearest whole number, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; products of the first with whole numbers below 2^11 are exact.
const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);

/// e to the power of `x`, to 2 units in the last place.
///
/// Nothing but sums, products and moved bits, so that a loop of it becomes vectors.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(EXP_RANGE.0, EXP_RANGE.1);
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let rest = (x - power * LN_2.0) - power * LN_2.1;
    // Taylor's series, whose next term is below 2^-57 where |rest| ≤ ln 2 / 2; the small terms first.
    let mut sum = 1.0 / 6_227_020_800.0;
    for divisor in
        [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0]
    {
        sum = sum * rest + 1.0 / divisor;
    }
    // 1 is added last: all that comes before is small beside it.
    let small = rest * rest * sum + rest;
    (1.0 + small) * f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_sums_are_those_of_one_row_after_the_other() {
        for (rows, columns) in [(0, 3), (1, 1), (7, 50), (30, 15)] {
            let value = |at: usize| (at * 7919 % 1013) as f64 / 31.0 - 9.0;
            let matrix: Vec<f64> = (0..rows * columns).map(value).collect();
            let lists: Vec<Vec<f64>> =
                (1..=LISTS).map(|list| (0..rows).map(|row| value(row * list + 5)).collect()).collect();
            let found = scaled_sums([0, 1, 2, 3].map(|list| &lists[list][..]), &matrix, columns);
            for (factors, found) in lists.iter().zip(found) {
                let mut sums = vec![0.0; columns];
                factors
                    .iter()
                    .zip(matrix.chunks_exact(columns))
                    .for_each(|(factor, row)| add_scaled(&mut sums, *factor, row));
                assert_eq!(found, sums);
            }
        }
    }

    #[test]
    fn the_exponential_is_right_to_the_last_places() {
        let mut worst = 0.0f64;
        for step in 0..400_000 {
            let x = -708.0 + f64::from(step) * 0.003_541_7;
            let right = libm::exp(x);
            worst = worst.max(((exp(x) - right) / right).abs() / f64::EPSILON);
        }
        assert!(worst <= 2.0, "{worst}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1e9), exp(-708.0));
        assert_eq!(exp(f64::INFINITY), exp(709.0));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn distances_of_many_are_those_of_each_bit_for_bit() {
        let value = |at: usize| (at as f32 * 0.37) % 1.9 - 0.8;
        for columns in [0, 1, 3, 4, 7, 51] {
            let matrix: Vec<f32> = (0..9 * columns).map(value).collect();
            let place: Vec<f64> = (0..columns).map(|at| f64::from(value(at + 3 * columns))).collect();
            let found = squared_distances(&place, &matrix, &[8, 3, 0, 3]);
            for (row, found) in [8, 3, 0, 3].into_iter().zip(&found) {
                let row = &matrix[row * columns..(row + 1) * columns];
                assert_eq!(*found, squared_distance(&place, row));
                let naive: f64 = place.iter().zip(row).map(|(a, &b)| (a - f64::from(b)) * (a - f64::from(b))).sum();
                assert!((found - naive).abs() <= 1e-14 * naive);
            }
            assert_eq!((found[1], found[3]), (0.0, 0.0));
            assert!(columns == 0 || found[0] > 0.0);
        }
    }
}
