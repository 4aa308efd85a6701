//! Negative binomial regression of one gene on the depth of the cells.

use super::root::brent;

/// What the regression of every gene shares: the log10 of each cell's total count.
pub struct Depths {
    log10_total: Vec<f64>,
    mean: f64,
}

/// A gene's fit under a given overdispersion.
pub struct Fit {
    pub intercept: f64,
    pub slope: f64,
    /// Expected counts, one a cell.
    pub mu: Vec<f64>,
}

/// Weight of the Cox-Reid term: not the whole of it, as in the numbers of glmGamPoi 1.10.
pub const COX_REID: f64 = 0.99;

impl Depths {
    pub fn new(log10_total: Vec<f64>) -> Self {
        let mean = log10_total.iter().sum::<f64>() / log10_total.len() as f64;
        Depths { log10_total, mean }
    }

    pub fn cells(&self) -> usize {
        self.log10_total.len()
    }

    /// Where a fit may begin: a mean that is proportional to the depth.
    pub fn start(&self, counts: &[f64]) -> (f64, f64) {
        let slope = std::f64::consts::LN_10;
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        (libm::log(mean.max(1e-12)) - slope * self.mean, slope)
    }

    /// Maximises the likelihood of `log(mu) = intercept + slope * log10(total)` at a fixed overdispersion.
    ///
    /// Newton's method on the centred design, the step halved until the likelihood does not fall: with a log link it
    /// is concave, so the maximum is the only one.
    pub fn fit(&self, counts: &[f64], overdispersion: f64, start: (f64, f64)) -> Fit {
        // Intercept at the mean depth: makes the two coefficients nearly uncorrelated.
        let mut current = (start.0 + start.1 * self.mean, start.1);
        let mut state = self.derivatives(counts, overdispersion, current);
        for _ in 0..100 {
            let [h00, h01, h11] = state.information;
            let determinant = h00 * h11 - h01 * h01;
            let [g0, g1] = state.gradient;
            let step = if determinant > 1e-12 * h00 * h11 {
                ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
            } else {
                // All cells equally deep: only the level can be learned.
                (g0 / h00.max(f64::MIN_POSITIVE), 0.0)
            };
            // No step changes a mean by more than a factor of e³: far off, the quadratic model means nothing.
            let mut scale = (3.0 / (step.0.abs() + step.1.abs())).min(1.0);
            let mut moved = false;
            for _ in 0..40 {
                let next = (current.0 + scale * step.0, current.1 + scale * step.1);
                let tried = self.derivatives(counts, overdispersion, next);
                if tried.log_likelihood >= state.log_likelihood {
                    (current, state, moved) = (next, tried, true);
                    break;
                }
                scale *= 0.5;
            }
            if !moved || scale * (step.0.abs() + step.1.abs()) < 1e-10 {
                break;
            }
        }
        let mu =
            (self.log10_total.iter()).map(|depth| libm::exp(current.0 + current.1 * (depth - self.mean))).collect();
        Fit { intercept: current.0 - current.1 * self.mean, slope: current.1, mu }
    }

    fn derivatives(&self, counts: &[f64], overdispersion: f64, at: (f64, f64)) -> Derivatives {
        let mut sums = Derivatives { log_likelihood: 0.0, gradient: [0.0; 2], information: [0.0; 3] };
        for (depth, &count) in self.log10_total.iter().zip(counts) {
            let x = depth - self.mean;
            let eta = at.0 + at.1 * x;
            let mu = libm::exp(eta);
            let scaled = 1.0 + overdispersion * mu;
            sums.log_likelihood += count * eta
                - if overdispersion == 0.0 {
                    mu
                } else {
                    (count + 1.0 / overdispersion) * libm::log1p(overdispersion * mu)
                };
            let residual = (count - mu) / scaled;
            sums.gradient[0] += residual;
            sums.gradient[1] += residual * x;
            let weight = mu * (1.0 + overdispersion * count) / (scaled * scaled);
            sums.information[0] += weight;
            sums.information[1] += weight * x;
            sums.information[2] += weight * x * x;
        }
        sums
    }

    /// The overdispersion that maximises the Cox-Reid adjusted profile likelihood at fixed means; 0 where the
    /// likelihood rises towards the Poisson limit.
    ///
    /// `cox_reid` is the weight of the adjustment, [`COX_REID`] but in tests. Of some genes with few counts (18 in 1,000
    /// of TEA-seq) glmGamPoi 1.10 returns the maximum without the adjustment, depending on the scale and order of its
    /// input; here it is always the maximum with it.
    ///
    /// # Source
    /// McCarthy, Chen and Smyth 2012 (10.1093/nar/gks042), and Ahlmann-Eltze and Huber 2020
    /// (10.1093/bioinformatics/btaa1009); agrees with `glmGamPoi::overdispersion_mle` 1.10.
    pub fn overdispersion(&self, counts: &[f64], mu: &[f64], start: f64, cox_reid: f64) -> f64 {
        const LOWEST: f64 = -18.420_680_743_952_367; // ln 1e-8
        const HIGHEST: f64 = 18.420_680_743_952_367;
        let tail = tail_counts(counts);
        let score = |log_alpha: f64| self.score(counts, mu, &tail, libm::exp(log_alpha), cox_reid);
        let mut low = if start > 0.0 { libm::log(start).clamp(-5.0, 5.0) } else { -5.0 };
        let mut high = low;
        if score(low) > 0.0 {
            while score(high) > 0.0 {
                low = high;
                high += 1.0;
                if high > HIGHEST {
                    return libm::exp(HIGHEST);
                }
            }
        } else {
            while score(low) <= 0.0 {
                high = low;
                low -= 1.0;
                if low < LOWEST {
                    return 0.0;
                }
            }
        }
        libm::exp(brent(score, low, high, 1e-10))
    }

    /// Derivative of the adjusted log-likelihood with respect to the logarithm of the overdispersion.
    ///
    /// `tail[k]` counts the cells with more than `k` counts: `ln Γ(y + 1/α) - ln Γ(1/α) + y ln α` is the sum of
    /// `ln(1 + k α)` over `k < y`, which needs no Γ and is exact for small α too.
    fn score(&self, counts: &[f64], mu: &[f64], tail: &[u32], alpha: f64, cox_reid: f64) -> f64 {
        let mut sum = 0.0;
        for (k, &cells) in tail.iter().enumerate() {
            let k = k as f64;
            sum += f64::from(cells) * k / (1.0 + k * alpha);
        }
        let (mut s, mut t) = ([0.0; 3], [0.0; 3]);
        for ((depth, &count), &mean) in self.log10_total.iter().zip(counts).zip(mu) {
            let scaled = 1.0 + alpha * mean;
            sum += mean * mean * curvature(alpha * mean) - count * mean / scaled;
            // Weights of the design's information matrix and their derivative.
            let x = depth - self.mean;
            let weight = mean / scaled;
            let change = -weight * weight;
            s[0] += weight;
            s[1] += weight * x;
            s[2] += weight * x * x;
            t[0] += change;
            t[1] += change * x;
            t[2] += change * x * x;
        }
        let determinant = s[0] * s[2] - s[1] * s[1];
        if determinant > 1e-12 * s[0] * s[2] {
            let change = t[0] * s[2] + s[0] * t[2] - 2.0 * s[1] * t[1];
            sum -= cox_reid * 0.5 * change / determinant;
        }
        alpha * sum
    }
}

struct Derivatives {
    /// Up to a constant.
    log_likelihood: f64,
    gradient: [f64; 2],
    /// Negative second derivatives: level, mixed, slope.
    information: [f64; 3],
}

/// `(ln(1 + x) - x / (1 + x)) / x²`, by its series where the difference would cancel.
fn curvature(x: f64) -> f64 {
    if x > 0.03 {
        return (libm::log1p(x) - x / (1.0 + x)) / (x * x);
    }
    // Σ (-1)^m (m - 1) / m x^(m - 2) from m = 2: the eleventh term is below 1e-16 here.
    let mut sum = 0.0;
    for m in (2..=12).rev() {
        let term = f64::from(m - 1) / f64::from(m);
        sum = term - x * sum;
    }
    sum
}

/// `tail[k]` = cells with more than `k` counts.
fn tail_counts(counts: &[f64]) -> Vec<u32> {
    let largest = counts.iter().copied().fold(0.0, f64::max) as usize;
    let mut tail = vec![0u32; largest + 1];
    for &count in counts {
        tail[count as usize] += 1;
    }
    // From "exactly k" to "more than k".
    let mut above = 0;
    for cells in tail.iter_mut().rev() {
        let exact = *cells;
        *cells = above;
        above += exact;
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn example() -> (Depths, Vec<f64>) {
        let mut random = Random::new(3);
        let depths: Vec<f64> = (0..400).map(|_| 2.5 + 1.5 * random.uniform()).collect();
        // A crude mixture of Poisson variables of different means: overdispersed.
        let counts = (depths.iter())
            .map(|depth| {
                let mean = libm::exp(-6.0 + 2.1 * depth) * if random.uniform() < 0.3 { 3.0 } else { 0.5 };
                let (mut count, mut product) = (0.0, random.uniform());
                let limit = libm::exp(-mean);
                while product > limit {
                    count += 1.0;
                    product *= random.uniform();
                }
                count
            })
            .collect();
        (Depths::new(depths), counts)
    }

    /// The likelihood as it is written in the paper, by the gamma function.
    fn likelihood(depths: &Depths, counts: &[f64], mu: &[f64], alpha: f64) -> f64 {
        let (mut sum, mut s) = (0.0, [0.0; 3]);
        for i in 0..counts.len() {
            let (y, m, x) = (counts[i], mu[i], depths.log10_total[i]);
            sum += libm::lgamma(y + 1.0 / alpha) - libm::lgamma(1.0 / alpha) + y * libm::log(alpha * m)
                - (y + 1.0 / alpha) * libm::log(1.0 + alpha * m);
            let w = m / (1.0 + alpha * m);
            s[0] += w;
            s[1] += w * x;
            s[2] += w * x * x;
        }
        sum - COX_REID * 0.5 * libm::log(s[0] * s[2] - s[1] * s[1])
    }

    #[test]
    fn the_fit_is_where_the_likelihood_is_greatest() {
        let (depths, counts) = example();
        let fit = depths.fit(&counts, 0.5, depths.start(&counts));
        let best = depths.derivatives(&counts, 0.5, (fit.intercept + fit.slope * depths.mean, fit.slope));
        assert!(best.gradient.iter().all(|g| g.abs() < 1e-7), "{:?}", best.gradient);
        assert!((fit.slope - 2.1).abs() < 0.4, "{}", fit.slope);
        let alpha = depths.overdispersion(&counts, &fit.mu, 1.0, COX_REID);
        let at = |alpha| likelihood(&depths, &counts, &fit.mu, alpha);
        assert!(at(alpha) > at(alpha * 1.001) && at(alpha) > at(alpha / 1.001), "{alpha}");
        // Where the search begins does not matter.
        assert!((depths.overdispersion(&counts, &fit.mu, 0.0, COX_REID) / alpha - 1.0).abs() < 1e-8);
    }

    #[test]
    fn counts_that_vary_less_than_poisson_have_no_overdispersion() {
        let (depths, _) = example();
        let counts = vec![2.0; depths.cells()];
        let fit = depths.fit(&counts, 0.0, depths.start(&counts));
        assert!((fit.intercept - libm::log(2.0)).abs() < 1e-6 && fit.slope.abs() < 1e-6);
        assert_eq!(depths.overdispersion(&counts, &fit.mu, 0.1, COX_REID), 0.0);
    }

    #[test]
    fn the_series_meets_the_closed_form() {
        let closed = |x: f64| (libm::log1p(x) - x / (1.0 + x)) / (x * x);
        assert!((curvature(0.03) - closed(0.03)).abs() < 1e-12);
        assert!((curvature(0.0) - 0.5).abs() < 1e-16);
        assert_eq!(tail_counts(&[0.0, 3.0, 1.0]), [2, 1, 1, 0]);
    }
}
