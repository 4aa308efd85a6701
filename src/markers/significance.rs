//! From a rank sum to a p-value, and from many p-values to adjusted ones.

use rayon::prelude::*;

/// The p-value of the two-sided Wilcoxon rank-sum test by its normal approximation, with continuity correction.
///
/// With n₁ cells in the group and n₂ outside, N = n₁ + n₂, U = R₁ − n₁(n₁ + 1)/2 from the rank sum R₁, and T the sum of
/// t³ − t over groups of t tied cells:
///
/// ```text
/// σ² = n₁n₂ / (12 (N² − N)) · (N³ − N − T)
/// z  = (|U − n₁n₂/2| − ½) / σ,   not below 0
/// p  = 2 Φ(−z) = erfc(z / √2)
/// ```
///
/// 1 where no rank differs. Below about 1e-308 it loses digits, and from 5e-324 down it is 0.
///
/// # Shapes
/// `twice_rank_sum` is 2 R₁, a whole number since tied cells share a mean of whole numbers.
///
/// # Source
/// Mann and Whitney 1947 (10.1214/aoms/1177730491), ties as in Lehmann 1975; agrees with `scipy.stats.mannwhitneyu`
/// (`method="asymptotic"`) and, given its T, with presto's `wilcoxauc`.
pub fn p_value(twice_rank_sum: u64, inside: u64, outside: u64, ties: u128) -> f64 {
    let all = u128::from(inside) + u128::from(outside);
    let spread = (all * all * all - all).saturating_sub(ties);
    if spread == 0 || inside == 0 || outside == 0 {
        return 1.0;
    }
    // Twice U − n₁n₂/2: whole numbers, so that nothing cancels.
    let twice_u = i128::from(twice_rank_sum) - i128::from(inside) * (i128::from(inside) + 1);
    let twice_distance = (twice_u - i128::from(inside) * i128::from(outside)).unsigned_abs();
    let distance = (twice_distance.saturating_sub(1)) as f64 / 2.0;
    let cells = all as f64;
    let variance = inside as f64 * outside as f64 / (12.0 * (cells * cells - cells)) * spread as f64;
    libm::erfc(distance / libm::sqrt(variance) / std::f64::consts::SQRT_2)
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
        let variance = 6.0 / (12.0 * 20.0) * (125.0 - 5.0 - 24.0);
        let expected = libm::erfc(1.5 / libm::sqrt(variance) / libm::sqrt(2.0));
        assert_eq!(p_value(twice_rank_sum, inside, outside, 24), expected);
        assert_eq!(p_value(12, 2, 3, 24), p_value(2 * 9, 3, 2, 24), "both sides count");
        assert_eq!(p_value(2 * 9, 3, 2, 120), 1.0, "all tied");
        assert_eq!((p_value(12, 3, 0, 0), area_under_curve(12, 3, 0)), (1.0, 0.5), "nothing outside");
    }

    #[test]
    fn very_small_p_values_are_kept() {
        // 2,000 cells, the 1,000 of the group above all others.
        let twice_rank_sum = (1_001..=2_000).sum::<u64>() * 2;
        let p = p_value(twice_rank_sum, 1_000, 1_000, 0);
        assert!((p / 3.3e-328 - 1.0).abs() < 1.0 || p == 0.0, "{p:e}");
        let twice_rank_sum = (401..=800).sum::<u64>() * 2;
        let p = p_value(twice_rank_sum, 400, 400, 0);
        assert!(p > 1e-140 && p < 1e-125, "{p:e}");
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
