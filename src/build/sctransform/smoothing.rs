//! Nonparametric statistics along the expression axis: bandwidth, kernel regression, running median, outliers.

use super::root::brent;
use std::f64::consts::PI;

/// Quantile of ascending values by linear interpolation (R's type 7).
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// The values in ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Standard deviation with `n - 1`.
pub fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (n - 1.0)).sqrt()
}

/// Estimates of the density's functionals, from pairwise distances in bins.
struct PairwiseDistances {
    n: f64,
    bin_width: f64,
    counts: Vec<f64>,
}

impl PairwiseDistances {
    /// Distances between the bin numbers of the values, each bin a `bins`-th of 1.01 times their range.
    fn new(values: &[f64], bins: usize) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let bin_width = (high - low) * 1.01 / bins as f64;
        let numbers: Vec<i64> = values.iter().map(|value| (value / bin_width) as i64).collect();
        // Truncation towards zero can put two values one bin further apart than their distance.
        let mut counts = vec![0.0; bins + 2];
        for (position, number) in numbers.iter().enumerate() {
            for other in &numbers[..position] {
                counts[number.abs_diff(*other) as usize] += 1.0;
            }
        }
        PairwiseDistances { n: values.len() as f64, bin_width, counts }
    }

    /// Mean of the kernel's derivative `polynomial(delta) * phi` over all pairs, at bandwidth `h`.
    fn functional(&self, h: f64, power: f64, at_zero: f64, polynomial: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        for (bins, count) in self.counts.iter().enumerate() {
            let distance = bins as f64 * self.bin_width / h;
            let delta = distance * distance;
            if delta >= 1_000.0 {
                break;
            }
            sum += libm::exp(-0.5 * delta) * polynomial(delta) * count;
        }
        (2.0 * sum + self.n * at_zero) / (self.n * (self.n - 1.0) * libm::pow(h, power) * (2.0 * PI).sqrt())
    }

    fn fourth(&self, h: f64) -> f64 {
        self.functional(h, 5.0, 3.0, |d| d * d - 6.0 * d + 3.0)
    }

    fn sixth(&self, h: f64) -> f64 {
        self.functional(h, 7.0, -15.0, |d| d * d * d - 15.0 * d * d + 45.0 * d - 15.0)
    }
}

/// The Sheather-Jones bandwidth of a Gaussian kernel density, by solving the plug-in equation.
///
/// `None` where the values are too few or too alike for it.
///
/// # Source
/// Sheather and Jones 1991 (10.1111/j.2517-6161.1991.tb01857.x), distances in 1,000 bins; agrees with R's
/// `bw.SJ(method = "ste")`, also in the tolerance of its root (a hundredth of the largest bandwidth considered).
pub fn sheather_jones(values: &[f64]) -> Option<f64> {
    if values.len() < 3 {
        return None;
    }
    let n = values.len() as f64;
    let ascending = sorted(values);
    let spread = (quantile(&ascending, 0.75) - quantile(&ascending, 0.25)) / 1.349;
    let scale = standard_deviation(values).min(spread);
    if scale.is_nan() || scale <= 0.0 {
        return None;
    }
    let pairs = PairwiseDistances::new(values, 1_000);
    let sixth = -pairs.sixth(1.23 * scale * libm::pow(n, -1.0 / 9.0));
    if !sixth.is_finite() || sixth <= 0.0 {
        return None;
    }
    let fourth = pairs.fourth(1.24 * scale * libm::pow(n, -1.0 / 7.0));
    let alpha = 1.357 * libm::pow(fourth / sixth, 1.0 / 7.0);
    let constant = 1.0 / (2.0 * PI.sqrt() * n);
    let equation = |h: f64| libm::pow(constant / pairs.fourth(alpha * libm::pow(h, 5.0 / 7.0)), 0.2) - h;
    let largest = 1.144 * scale * libm::pow(n, -0.2);
    let (mut low, mut high) = (0.1 * largest, largest);
    let tolerance = 0.1 * low;
    for _ in 0..99 {
        if equation(low) * equation(high) <= 0.0 {
            return Some(brent(equation, low, high, tolerance));
        }
        low *= 0.9;
        high *= 1.1;
    }
    None
}

/// Nadaraya-Watson regression of `y` on `x` at the given points, with a Gaussian kernel whose quartiles lie at a
/// quarter of the bandwidth on either side, cut off at four standard deviations.
///
/// NaN where no `x` lies within the cut-off.
///
/// # Source
/// Agrees with R's `ksmooth(kernel = "normal")`.
pub fn kernel_regression(x: &[f64], y: &[f64], bandwidth: f64, points: &[f64]) -> Vec<f64> {
    // 0.25 / qnorm(0.75)
    let deviation = 0.370_650_6 * bandwidth;
    let reach = 4.0 * deviation;
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    let ascending: Vec<f64> = order.iter().map(|&position| x[position]).collect();
    points
        .iter()
        .map(|&point| {
            let first = ascending.partition_point(|&value| value < point - reach);
            let (mut weighted, mut weights) = (0.0, 0.0);
            for (value, &position) in ascending[first..].iter().zip(&order[first..]) {
                if *value > point + reach {
                    break;
                }
                let distance = (value - point).abs() / deviation;
                let weight = libm::exp(-0.5 * distance * distance);
                weighted += weight * y[position];
                weights += weight;
            }
            weighted / weights
        })
        .collect()
}

/// Kernel density at each of the values, by Gaussian kernel with the normal reference bandwidth.
///
/// # Source
/// Scott 1992, Multivariate Density Estimation: `1.06 min(sd, IQR / 1.34) n^(-1/5)`; evaluated on 512 grid points
/// over the range and three bandwidths beyond (linear binning), interpolated linearly between them.
pub fn density(values: &[f64]) -> Vec<f64> {
    const GRID: usize = 512;
    let n = values.len() as f64;
    let ascending = sorted(values);
    let spread = (quantile(&ascending, 0.75) - quantile(&ascending, 0.25)) / 1.34;
    let mut scale = standard_deviation(values).min(spread);
    if scale.is_nan() || scale <= 0.0 {
        scale = standard_deviation(values).max(1e-3);
    }
    let bandwidth = 1.06 * scale * libm::pow(n, -0.2);
    let low = ascending[0] - 3.0 * bandwidth;
    let step = (ascending[values.len() - 1] + 3.0 * bandwidth - low) / (GRID - 1) as f64;
    let locate = |value: f64| {
        let position = (value - low) / step;
        let bin = (position as usize).min(GRID - 2);
        (bin, position - bin as f64)
    };
    let mut mass = [0.0; GRID];
    for &value in values {
        let (bin, share) = locate(value);
        mass[bin] += (1.0 - share) / n;
        mass[bin + 1] += share / n;
    }
    let kernel: Vec<f64> = (0..GRID)
        .map(|bins| {
            let distance = bins as f64 * step / bandwidth;
            libm::exp(-0.5 * distance * distance) / (bandwidth * (2.0 * PI).sqrt())
        })
        .collect();
    let smooth: Vec<f64> =
        (0..GRID).map(|at| (0..GRID).map(|from| mass[from] * kernel[at.abs_diff(from)]).sum()).collect();
    values
        .iter()
        .map(|&value| {
            let (bin, share) = locate(value);
            smooth[bin] + share * (smooth[bin + 1] - smooth[bin])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 20 numbers of R's `set.seed(1); rnorm(20)`.
    const NORMAL: [f64; 20] = [
        -0.6264538107423324,
        0.1836433242220822,
        -0.8356286124100472,
        1.5952808021377916,
        0.3295077718153605,
        -0.8204683841180153,
        0.4874290524284853,
        0.7383247051292173,
        0.5757813516534923,
        -0.305_388_387_156_356,
        1.51178116845085,
        0.3898432364114311,
        -0.6212405805418038,
        -2.2146998871775,
        1.1249309181431082,
        -0.0449336090152309,
        -0.0161902630989461,
        0.9438362106852992,
        0.8212211950980886,
        0.5939013212175088,
    ];

    #[test]
    fn the_bandwidth_is_that_of_r() {
        let bandwidth = sheather_jones(&NORMAL).unwrap();
        assert!((bandwidth - 0.496_075_959_337_935).abs() < 1e-12, "{bandwidth}");
        assert_eq!(sheather_jones(&[1.0; 10]), None);
    }

    #[test]
    fn the_kernel_has_its_quartiles_at_a_quarter_of_the_bandwidth() {
        // Two points, one at distance 0 and one at a quarter of the bandwidth: weights 1 and exp(-z²/2), z = 0.6745.
        let fitted = kernel_regression(&[0.25, 0.0], &[1.0, 0.0], 1.0, &[0.0, 9.0]);
        let weight = libm::exp(-0.5 * 0.674_489_75 * 0.674_489_75);
        assert!((fitted[0] - weight / (1.0 + weight)).abs() < 1e-6);
        assert!(fitted[1].is_nan());
    }

    #[test]
    fn the_density_agrees_with_the_naive_sum() {
        let binned = density(&NORMAL);
        let ascending = sorted(&NORMAL);
        let spread = (quantile(&ascending, 0.75) - quantile(&ascending, 0.25)) / 1.34;
        let h = 1.06 * standard_deviation(&NORMAL).min(spread) * libm::pow(20.0, -0.2);
        for (at, found) in NORMAL.iter().zip(binned) {
            let naive: f64 = NORMAL
                .iter()
                .map(|x| libm::exp(-0.5 * ((x - at) / h) * ((x - at) / h)) / (20.0 * h * (2.0 * PI).sqrt()))
                .sum();
            assert!((naive - found).abs() < 1e-4, "{naive} {found}");
        }
    }
}
