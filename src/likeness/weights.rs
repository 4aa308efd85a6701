//! Explaining values by a sum of others with weights of 0 or more, and how well that succeeds.

/// Passes over all weights, should they not settle before.
const PASSES: usize = 2_000;
/// No weight changes by more in the last pass, as a share of the largest.
const PRECISE: f64 = 1e-9;

/// Weights of 0 or more with the least squared error.
///
/// # Shapes
/// `parts`: k rows of n values; `wanted`: n values; → k weights.
///
/// # Source
/// Coordinate descent for non-negative least squares (Franc, Hlaváč and Navara 2005, 10.1007/11556121_50).
pub fn explain(parts: &[Vec<f64>], wanted: &[f64]) -> Vec<f64> {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let products: Vec<Vec<f64>> =
        parts.iter().map(|one| parts.iter().map(|other| product(one, other)).collect()).collect();
    let aims: Vec<f64> = parts.iter().map(|part| product(part, wanted)).collect();
    let mut weights = vec![0.0; parts.len()];
    for _ in 0..PASSES {
        let mut change = 0.0f64;
        for at in 0..parts.len() {
            if products[at][at] <= 0.0 {
                continue;
            }
            let slope = product(&products[at], &weights) - aims[at];
            let weight = (weights[at] - slope / products[at][at]).max(0.0);
            change = change.max((weight - weights[at]).abs());
            weights[at] = weight;
        }
        if change <= PRECISE * weights.iter().fold(0.0f64, |largest, &weight| largest.max(weight)) {
            break;
        }
    }
    weights
}

/// Spearman's, with the mean rank of what is equal; 0 where all values of one side are.
pub fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (centred_ranks(a), centred_ranks(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    if size > 0.0 { product(&a, &b) / size } else { 0.0 }
}

fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let equal = order[first..].iter().take_while(|&&at| values[at] == values[order[first]]).count();
        let rank = first as f64 + (equal as f64 - 1.0) / 2.0 - (values.len() as f64 - 1.0) / 2.0;
        order[first..first + equal].iter().for_each(|&at| ranks[at] = rank);
        first += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_is_explained_by_its_parts() {
        let parts = [vec![1.0, 0.0, 2.0, 0.0], vec![0.0, 3.0, 1.0, 0.0], vec![1.0, 1.0, 1.0, 5.0]];
        let mixed: Vec<f64> = (0..4).map(|gene| 0.7 * parts[0][gene] + 0.2 * parts[1][gene]).collect();
        let weights = explain(&parts, &mixed);
        for (weight, wanted) in weights.iter().zip([0.7, 0.2, 0.0]) {
            assert!((weight - wanted).abs() < 1e-6, "{weights:?}");
        }
        // What only a negative weight would explain is left.
        assert_eq!(explain(&[vec![1.0, 1.0]], &[-1.0, -1.0]), [0.0]);
        assert_eq!(explain(&[vec![0.0, 0.0]], &[1.0, 1.0]), [0.0]);
    }

    #[test]
    fn ranks_are_compared() {
        assert!((rank_correlation(&[1.0, 2.0, 30.0], &[0.1, 0.2, 0.3]) - 1.0).abs() < 1e-12);
        assert!((rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert_eq!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        // scipy.stats.spearmanr([1, 2, 2, 4, 0], [2, 1, 1, 5, 3]) is 0.052631578947368425.
        assert!(
            (rank_correlation(&[1.0, 2.0, 2.0, 4.0, 0.0], &[2.0, 1.0, 1.0, 5.0, 3.0]) - 0.052_631_578_947_368_4).abs()
                < 1e-12
        );
    }
}
