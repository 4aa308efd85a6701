//! Robust statistics along the expression axis: the running weighted median and the outlier test.

use super::smoothing::{quantile, sheather_jones, sorted};

/// Trend of `y` along `x`: at each point the weighted median of `y` over the `points` points nearest in rank, with the weights of a normal density that reaches three standard deviations at the ends of the window.
///
/// At the ends of the axis the window stays whole and is no longer centred.
///
/// # Source
/// The dispersion trend of Ahlmann-Eltze and Huber 2020 (10.1093/bioinformatics/btaa1009); agrees with
/// `glmGamPoi::loc_median_fit` 1.10.
pub fn running_median(x: &[f64], y: &[f64], points: usize) -> Vec<f64> {
    let n = x.len();
    let half = points / 2;
    let window = (2 * half + 1).min(n);
    let weights: Vec<f64> = (0..window)
        .map(|position| {
            let z = if window == 1 { 0.0 } else { -3.0 + 6.0 * position as f64 / (window - 1) as f64 };
            libm::exp(-0.5 * z * z)
        })
        .collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    let mut trend = vec![0.0; n];
    for (rank, &at) in order.iter().enumerate() {
        let first = rank.saturating_sub(half).min(n - window);
        let mut members: Vec<(f64, f64)> = (order[first..first + window].iter().zip(&weights))
            .map(|(&position, &weight)| (y[position], weight))
            .collect();
        members.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = members.iter().map(|member| member.1).sum();
        let mut passed = 0.0;
        trend[at] = members[window - 1].0;
        for (value, weight) in members {
            passed += weight;
            if passed >= 0.5 * total {
                trend[at] = value;
                break;
            }
        }
    }
    trend
}

/// Marks values that lie more than ten robust standard deviations off the other values at about the same `x`.
///
/// The `x` axis is cut into bins of `range(x) * bandwidth / 2`, twice, the second time shifted by half a bin; a value
/// is an outlier where both z-scores (by median and median absolute deviation) exceed the threshold.
///
/// # Source
/// Hafemeister and Satija 2019, methods ("outlier genes"); agrees with `sctransform` 0.3.5.
pub fn outliers(x: &[f64], y: &[f64]) -> Vec<bool> {
    const THRESHOLD: f64 = 10.0;
    let Some(bandwidth) = sheather_jones(x) else {
        return vec![false; x.len()];
    };
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) * bandwidth / 2.0;
    // Just below the smallest value, as bins are open on the left.
    let start = low - 10.0 * f64::EPSILON;
    let plain = binned_scores(x, y, start, width);
    let shifted = binned_scores(x, y, start - width / 2.0, width);
    plain.iter().zip(&shifted).map(|(a, b)| a.abs().min(b.abs()) > THRESHOLD).collect()
}

/// Robust z-scores within bins `(start + k width, start + (k + 1) width]`.
fn binned_scores(x: &[f64], y: &[f64], start: f64, width: f64) -> Vec<f64> {
    let mut members: Vec<(usize, usize)> = x
        .iter()
        .enumerate()
        .map(|(position, value)| {
            let mut bin = ((value - start) / width) as usize;
            if value <= &(start + bin as f64 * width) {
                bin = bin.saturating_sub(1);
            }
            (bin, position)
        })
        .collect();
    members.sort_unstable();
    let mut scores = vec![0.0; x.len()];
    for bin in members.chunk_by(|a, b| a.0 == b.0) {
        let values: Vec<f64> = bin.iter().map(|&(_, position)| y[position]).collect();
        let median = quantile(&sorted(&values), 0.5);
        let deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        // 1.4826 makes the median absolute deviation that of a normal distribution.
        let deviation = 1.4826 * quantile(&sorted(&deviations), 0.5);
        for (&(_, position), value) in bin.iter().zip(&values) {
            scores[position] = (value - median) / (deviation + f64::EPSILON);
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_value_is_an_outlier() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 50.0).collect();
        let mut y: Vec<f64> = (0..200).map(|i| f64::from((i * 37) % 11)).collect();
        assert!(outliers(&x, &y).iter().all(|outlier| !outlier));
        y[120] = 500.0;
        let found: Vec<usize> = (0..200).filter(|&i| outliers(&x, &y)[i]).collect();
        assert_eq!(found, [120]);
    }

    #[test]
    fn the_running_median_ignores_spikes() {
        let x: Vec<f64> = (0..100).rev().map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|&v| if v == 50.0 { 1e6 } else { 2.0 * v }).collect();
        let trend = running_median(&x, &y, 10);
        // x = 50 sits in the middle of the window 45..=55, whose weighted median lies one step above.
        assert_eq!(trend[49], 2.0 * 51.0);
        assert_eq!(running_median(&[1.0], &[3.0], 100), [3.0]);
    }
}
