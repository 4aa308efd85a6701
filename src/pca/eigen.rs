//! Eigenvalues and vectors of a symmetric tridiagonal matrix.

/// All eigenpairs of the symmetric tridiagonal matrix with this diagonal and off-diagonal, by descending eigenvalue.
///
/// # Shapes
/// `off_diagonal` has one entry less than `diagonal`. Returns eigenvalues, and eigenvectors one a row.
///
/// # Source
/// Implicit QL with Wilkinson's shift: Bowdler, Martin, Reinsch and Wilkinson 1968 (10.1007/BF02165404).
pub fn tridiagonal(diagonal: &[f64], off_diagonal: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = diagonal.len();
    let mut d = diagonal.to_vec();
    let mut e = off_diagonal.to_vec();
    e.resize(n, 0.0);
    // Row k is the k-th eigenvector: rotations act on whole rows.
    let mut vectors: Vec<Vec<f64>> =
        (0..n).map(|row| (0..n).map(|column| if row == column { 1.0 } else { 0.0 }).collect()).collect();
    for low in 0..n {
        for _ in 0..60 {
            let mut high = low;
            while high + 1 < n && e[high].abs() > f64::EPSILON * (d[high].abs() + d[high + 1].abs()) {
                high += 1;
            }
            if high == low {
                break;
            }
            sweep(&mut d, &mut e, &mut vectors, low, high);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| d[b].total_cmp(&d[a]).then(a.cmp(&b)));
    let values = order.iter().map(|&k| d[k]).collect();
    let mut slots: Vec<Option<Vec<f64>>> = vectors.into_iter().map(Some).collect();
    let vectors = order.iter().filter_map(|&k| slots[k].take()).collect();
    (values, vectors)
}

/// One implicit QL sweep over the unreduced block `low..=high`.
fn sweep(d: &mut [f64], e: &mut [f64], vectors: &mut [Vec<f64>], low: usize, high: usize) {
    let half = (d[low + 1] - d[low]) / (2.0 * e[low]);
    let root = (half * half + 1.0).sqrt();
    let mut g = d[high] - d[low] + e[low] / (half + if half >= 0.0 { root } else { -root });
    let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
    for i in (low..high).rev() {
        let f = sine * e[i];
        let b = cosine * e[i];
        let r = (f * f + g * g).sqrt();
        e[i + 1] = r;
        if r == 0.0 {
            // The block fell apart: start anew on the smaller one.
            d[i + 1] -= p;
            e[high] = 0.0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - p;
        let t = (d[i] - g) * sine + 2.0 * cosine * b;
        p = sine * t;
        d[i + 1] = g + p;
        g = cosine * t - b;
        let (first, second) = vectors.split_at_mut(i + 1);
        for (x, y) in first[i].iter_mut().zip(second[0].iter_mut()) {
            let old = *y;
            *y = sine * *x + cosine * old;
            *x = cosine * *x - sine * old;
        }
    }
    d[low] -= p;
    e[low] = g;
    e[high] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_difference_matrix_has_its_known_spectrum() {
        let n = 40;
        let (values, vectors) = tridiagonal(&vec![2.0; n], &vec![-1.0; n - 1]);
        for (k, value) in values.iter().enumerate() {
            let exact = 2.0 - 2.0 * libm::cos(std::f64::consts::PI * (n - k) as f64 / (n + 1) as f64);
            assert!((value - exact).abs() < 1e-13, "{k}: {value} {exact}");
            let v = &vectors[k];
            for i in 0..n {
                let left = if i > 0 { v[i - 1] } else { 0.0 };
                let right = if i + 1 < n { v[i + 1] } else { 0.0 };
                assert!((2.0 * v[i] - left - right - value * v[i]).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn a_split_matrix_is_solved_in_its_parts() {
        let (values, _) = tridiagonal(&[1.0, 5.0, 3.0], &[0.0, 0.0]);
        assert_eq!(values, [5.0, 3.0, 1.0]);
    }
}
