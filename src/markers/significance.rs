//! From a rank sum to a p-value, and from many p-values to adjusted ones.

use rayon::prelude::*;

/// How far the rank sum of a group lies above what chance would give, in standard deviations; below it where negative. The
/// normal approximation of the Wilcoxon rank-sum test, with continuity correction.
///
/// With n₁ cells in the group and n₂ outside, N = n₁ + n₂, U = R₁ − n₁(n₁ + 1)/2 from the rank sum R₁, and T the sum of
/// t³ − t over groups of t tied cells:
///
/// ```text
/// σ² = n₁n₂ / (12 (N² − N)) · (N³ − N − T)
/// d  = U − n₁n₂/2
/// z  = (d − ½ sign(d)) / σ
/// ```
///
/// 0 where no rank differs.
///
/// # Shapes
/// `twice_rank_sum` is 2 R₁, a whole number since tied cells share a mean of whole numbers.
///
/// # Source
/// Mann and Whitney 1947 (10.1214/aoms/1177730491), with the variance for ties of Lehmann 1975.
pub fn z_score(twice_rank_sum: u64, inside: u64, outside: u64, ties: u128) -> f64 {
    let all = u128::from(inside) + u128::from(outside);
    let spread = (all * all * all - all).saturating_sub(ties);
    if spread == 0 || inside == 0 || outside == 0 {
        return 0.0;
    }
    // Twice U − n₁n₂/2: whole numbers, so that nothing cancels.
    let twice_u = i128::from(twice_rank_sum) - i128::from(inside) * (i128::from(inside) + 1);
    let twice_distance = twice_u - i128::from(inside) * i128::from(outside);
    let distance = (twice_distance - twice_distance.signum()) as f64 / 2.0;
    let cells = all as f64;
    let variance = inside as f64 * outside as f64 / (12.0 * (cells * cells - cells)) * spread as f64;
    distance / variance.sqrt()
}

/// From this |z| on, where p is 9e-308 and double precision ends, p-values are 0, as in R.
const LARGEST_Z: f64 = 37.5193;

/// The two-sided p-value of a z-score: 2 Φ(−|z|) = erfc(|z| / √2); 0 from |z| = 37.5193 on.
///
/// # Source
/// With [`z_score`] it agrees with `scipy.stats.mannwhitneyu` (`method="asymptotic"`) and, given its T, with presto's
/// `wilcoxauc`. Where it becomes 0 is as in R's `pnorm`.
pub fn p_value(z: f64) -> f64 {
    if z.abs() < LARGEST_Z { libm::erfc(z.abs() / std::f64::consts::SQRT_2) } else { 0.0 }
}

/// The area under the ROC curve: the probability that a cell of the group has the higher value of the gene than one
/// outside, ties counted by half. U / (n₁n₂); one half where one side has no cell.
pub fn area_under_curve(twice_rank_sum: u64, inside: u64, outside: u64) -> f64 {
    if inside == 0 || outside == 0 {
        return 0.5;
    }
    let twice_u = i128::from(twice_rank_sum) - i128::from(inside) * (i128::from(inside) + 1);
    twice_u as f64 / 2.0 / (inside as f64 * outside as f64)
}

/// Adjusts p-values by Benjamini and Hochberg: of the i-th smallest of n, the least of pⱼ n / j over all j ≥ i, at most 1.
///
/// # Source
/// Benjamini and Hochberg 1995 (10.1111/j.2517-6161.1995.tb02031.x); agrees with R's `p.adjust(method = "BH")`.
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<u32> = (0..p_values.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| p_values[b as usize].total_cmp(&p_values[a as usize]).then(a.cmp(&b)));
    let number = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0f64;
    for (place, &test) in order.iter().enumerate() {
        let rank = (p_values.len() - place) as f64;
        least = least.min(number / rank * p_values[test as usize]);
        adjusted[test as usize] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_sum_by_hand() {
        // 1 2 2 | 2 3: ranks 1 3 3 | 3 5
        let (inside, outside) = (3, 2);
        let twice_rank_sum = 2 * (1 + 3 + 3);
        assert_eq!(area_under_curve(twice_rank_sum, inside, outside), 1.0 / 6.0);
        let variance: f64 = 6.0 / (12.0 * 20.0) * (125.0 - 5.0 - 24.0);
        // U is 1 where chance would give 3.
        let z = z_score(twice_rank_sum, inside, outside, 24);
        assert_eq!(z, -1.5 / variance.sqrt());
        assert_eq!(p_value(z), libm::erfc(1.5 / variance.sqrt() / 2.0f64.sqrt()));
        assert_eq!(z_score(2 * 8, outside, inside, 24), -z, "the other side");
        assert_eq!((z_score(2 * 9, 3, 2, 120), p_value(0.0)), (0.0, 1.0), "all tied");
        assert_eq!((z_score(12, 3, 0, 0), area_under_curve(12, 3, 0)), (0.0, 0.5), "nothing outside");
    }

    #[test]
    fn very_small_p_values_are_kept() {
        // scipy.special.erfc(z / sqrt(2))
        for (z, expected) in
            [(1.0, 0.31731050786291404), (-10.0, 1.5239706048321166e-23), (37.0, 1.1451142445050454e-299)]
        {
            assert!((p_value(z) / expected - 1.0).abs() < 1e-12, "{z}: {:e}", p_value(z));
        }
        assert!(p_value(37.5192) > f64::MIN_POSITIVE);
        assert_eq!(p_value(37.5193), 0.0);
        // The group of 1,000 cells stands above all 1,000 others.
        assert!((z_score((1_001..=2_000).sum::<u64>() * 2, 1_000, 1_000, 0) - 38.7).abs() < 0.1);
    }

    #[test]
    fn adjusted_as_r_does() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH")
        let adjusted = adjust(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (found, expected) in adjusted.iter().zip([0.025, 0.05, 0.05, 0.025, 0.5]) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert!(adjust(&[]).is_empty());
        assert_eq!(adjust(&[0.9, 1.0]), [1.0, 1.0]);
    }
}
