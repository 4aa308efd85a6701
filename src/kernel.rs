//! The hot loops: dot products of whole numbers, distances, scaled sums.
//!
//! The only module that looks at the processor. Every variant gives the same bits: whole numbers do in any order; of the others
//! every lane does the same operations in the same order, without fused multiply-add.

pub mod products;

/// Squared distance in f64, the dimensions in order: what decides between near neighbours.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        sum + difference * difference
    })
}

/// [`squared_distance`] of one row to four: their sums do not wait for each other.
pub fn squared_distances(a: &[f64], rows: [&[f32]; 4]) -> [f64; 4] {
    let [b, c, d, e] = rows;
    let mut sums = [0.0; 4];
    for ((((&a, b), c), d), e) in a.iter().zip(b).zip(c).zip(d).zip(e) {
        for (sum, &value) in sums.iter_mut().zip([b, c, d, e]) {
            let difference = a - f64::from(value);
            *sum += difference * difference;
        }
    }
    sums
}

/// `sums[i] += factor * values[i]`.
#[inline]
pub fn add_scaled(sums: &mut [f64], factor: f64, values: &[f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just asked.
        return unsafe { add_scaled_avx2(sums, factor, values) };
    }
    add_scaled_portable(sums, factor, values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn add_scaled_avx2(sums: &mut [f64], factor: f64, values: &[f64]) {
    add_scaled_portable(sums, factor, values);
}

#[inline(always)]
fn add_scaled_portable(sums: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_distances_are_those_of_one_bit_for_bit() {
        let value = |at: usize| (at as f32 * 0.37) % 1.9 - 0.8;
        let row = |from: usize| (from..from + 51).map(value).collect::<Vec<f32>>();
        let (a, rows) = (row(3), [row(7), row(100), row(3), row(56)]);
        let wide: Vec<f64> = a.iter().copied().map(f64::from).collect();
        let four = squared_distances(&wide, [0, 1, 2, 3].map(|at| &rows[at][..]));
        assert_eq!(four, [0, 1, 2, 3].map(|at| squared_distance(&a, &rows[at])));
        assert_eq!(four[2], 0.0);
        assert!(four[0] > 1.0);
    }
}
