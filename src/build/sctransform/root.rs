//! The root of a function of one variable.

/// A root of `f` between `a` and `b`, where its signs differ, within `tolerance`.
///
/// # Source
/// Brent 1973, Algorithms for Minimization without Derivatives, chapter 4.
pub fn brent(mut f: impl FnMut(f64) -> f64, mut a: f64, mut b: f64, tolerance: f64) -> f64 {
    let (mut fa, mut fb) = (f(a), f(b));
    let (mut c, mut fc) = (a, fa);
    for _ in 0..200 {
        let previous_step = b - a;
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let smallest = 2.0 * f64::EPSILON * b.abs() + tolerance / 2.0;
        let mut step = (c - b) / 2.0;
        if step.abs() <= smallest || fb == 0.0 {
            break;
        }
        if previous_step.abs() >= smallest && fa.abs() > fb.abs() {
            let bracket = c - b;
            let (mut p, mut q) = if a == c {
                let ratio = fb / fa;
                (bracket * ratio, 1.0 - ratio)
            } else {
                let (q, r, s) = (fa / fc, fb / fc, fb / fa);
                (s * (bracket * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
            };
            if p > 0.0 {
                q = -q;
            } else {
                p = -p;
            }
            let bound = 0.75 * bracket * q - (smallest * q).abs() / 2.0;
            if p < bound && p < (previous_step * q / 2.0).abs() {
                step = p / q;
            }
        }
        if step.abs() < smallest {
            step = if step > 0.0 { smallest } else { -smallest };
        }
        (a, fa) = (b, fb);
        b += step;
        fb = f(b);
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_from_either_side() {
        let cubic = |x: f64| x * x * x - 2.0;
        for (low, high) in [(0.0, 3.0), (3.0, 0.0), (-50.0, 1.5)] {
            assert!((brent(cubic, low, high, 1e-12) - libm::cbrt(2.0)).abs() < 1e-11);
        }
        // Flat, then steep: interpolation alone would crawl.
        let steep = |x: f64| libm::exp(20.0 * x) - 1e3;
        let root = brent(steep, -5.0, 5.0, 1e-12);
        assert!((root - libm::log(1e3) / 20.0).abs() < 1e-11);
    }
}
