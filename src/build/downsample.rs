//! Fewer cells of the classes that have many, and all of those that have few.

use super::few::finest;
use crate::formats::grouped;
use crate::random::Random;
use std::collections::BTreeMap;

/// How many cells a reference may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Most {
    /// Of all classes together.
    pub in_all: Option<usize>,
    /// Of each class of the finest level.
    pub of_class: Option<usize>,
}

const SEED: u64 = 42;

/// The cells that are kept, ascending, and a sentence on it where some are not.
///
/// A class has at most [`Most::of_class`] cells. Where there are more than [`Most::in_all`] even so, the largest classes
/// lose cells until all are as large as the next, and so on: a class that is smaller than its fair share stays whole. Which
/// cells of a class stay is drawn by their names, so their order in the file does not matter.
///
/// # Shapes
/// `names`: n, unique; `levels`: the name of each level with n labels.
///
/// # Source
/// Azimuth's references were downsampled by class, rare ones kept (Hao et al. 2021, 10.1016/j.cell.2021.04.048, methods).
pub fn draw(names: &[String], levels: &[(String, Vec<String>)], most: Most) -> (Vec<usize>, Option<String>) {
    let all = || (0..names.len()).collect();
    let Some(level) = finest(levels) else { return (all(), None) };
    let mut of_class: BTreeMap<&str, Vec<(u64, &str, usize)>> = BTreeMap::new();
    for (cell, (label, name)) in levels[level].1.iter().zip(names).enumerate() {
        of_class.entry(label.trim()).or_default().push((Random::for_name(name, SEED).bits(), name, cell));
    }
    let sizes: Vec<usize> =
        of_class.values().map(|cells| cells.len().min(most.of_class.unwrap_or(usize::MAX))).collect();
    let shares = most.in_all.map_or_else(|| sizes.clone(), |total| fair_shares(&sizes, total));
    let mut kept = Vec::new();
    let mut fewer = Vec::new();
    for ((class, mut cells), share) in of_class.into_iter().zip(shares) {
        if share < cells.len() {
            fewer.push(format!("{class} ({} of {})", grouped(share as f64), grouped(cells.len() as f64)));
        }
        cells.sort_unstable();
        kept.extend(cells.into_iter().take(share).map(|(_, _, cell)| cell));
    }
    kept.sort_unstable();
    let limits = [(most.of_class, "of a class"), (most.in_all, "in all")];
    let limits: Vec<String> = (limits.iter())
        .filter_map(|(limit, what)| limit.map(|limit| format!("at most {} {what}", grouped(limit as f64))))
        .collect();
    let said = (!fewer.is_empty()).then(|| {
        format!(
            "Downsampled by class of level `{}`, {}: {} of {} cells are kept, drawn by their names (seed {SEED}); all of the \
             other classes, and of {}.",
            levels[level].0,
            limits.join(", "),
            grouped(kept.len() as f64),
            grouped(names.len() as f64),
            fewer.join(", ")
        )
    });
    (kept, said)
}

/// As much of a total for each as it has, at most the same for all that have more. What is left over when the same is not
/// a whole number goes, one each, to the first of them.
fn fair_shares(sizes: &[usize], total: usize) -> Vec<usize> {
    let mut ascending: Vec<usize> = sizes.to_vec();
    ascending.sort_unstable();
    let (mut left, mut share) = (total, usize::MAX);
    for (place, &size) in ascending.iter().enumerate() {
        let equal = left / (ascending.len() - place);
        if size > equal {
            share = equal;
            break;
        }
        left -= size;
    }
    let mut over = total.saturating_sub(sizes.iter().fold(0, |sum, &size| sum + size.min(share)));
    (sizes.iter())
        .map(|&size| {
            let more = usize::from(size > share && over > 0);
            over -= more;
            size.min(share) + more
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fair() {
        assert_eq!(fair_shares(&[5, 100, 30, 1], 40), [5, 17, 17, 1]);
        assert_eq!(fair_shares(&[5, 100, 30, 1], 41), [5, 18, 17, 1]);
        assert_eq!(fair_shares(&[5, 100, 30, 1], 136), [5, 100, 30, 1]);
        assert_eq!(fair_shares(&[5, 100, 30, 1], 200), [5, 100, 30, 1]);
        assert_eq!(fair_shares(&[10, 10, 10], 5), [2, 2, 1]);
        assert!(fair_shares(&[], 5).is_empty());
        for total in 0..140 {
            assert_eq!(fair_shares(&[5, 100, 30, 1], total).iter().sum::<usize>(), total.min(136));
        }
    }

    fn file() -> (Vec<String>, Vec<(String, Vec<String>)>) {
        let names = (0..200).map(|cell| format!("cell{cell}")).collect();
        let fine: Vec<String> =
            (0..200).map(|cell| ["a", "b", "a", "c"][cell % 4 * usize::from(cell < 20)].into()).collect();
        let coarse = fine.iter().map(|label| if label == "c" { "y" } else { "x" }.to_owned()).collect();
        (names, vec![("coarse".into(), coarse), ("fine".into(), fine)])
    }

    #[test]
    fn rare_classes_stay_whole_and_order_does_not_matter() {
        let (names, levels) = file();
        for most in [Most { in_all: Some(30), of_class: None }, Most { in_all: None, of_class: Some(20) }] {
            let (kept, said) = draw(&names, &levels, most);
            assert_eq!(kept.len(), 30);
            assert!(kept.is_sorted());
            let of = |class: &str| kept.iter().filter(|&&cell| levels[1].1[cell] == class).count();
            assert_eq!([of("a"), of("b"), of("c")], [20, 5, 5]);
            assert!(said.expect("a sentence").contains("30 of 200 cells are kept"));
            let reversed: Vec<String> = names.iter().rev().cloned().collect();
            let turned: Vec<(String, Vec<String>)> =
                levels.iter().map(|(name, labels)| (name.clone(), labels.iter().rev().cloned().collect())).collect();
            let (other, _) = draw(&reversed, &turned, most);
            let mut same: Vec<usize> = other.into_iter().map(|cell| 199 - cell).collect();
            same.sort_unstable();
            assert_eq!(same, kept);
        }
        let (kept, said) = draw(&names, &levels, Most { in_all: Some(100), of_class: Some(20) });
        assert_eq!(kept.len(), 30);
        assert_eq!(
            said.expect("a sentence"),
            "Downsampled by class of level `fine`, at most 20 of a class, at most 100 in all: 30 of 200 cells are kept, drawn by \
             their names (seed 42); all of the other classes, and of a (20 of 190)."
        );
        let (kept, said) = draw(&names, &levels, Most::default());
        assert_eq!((kept.len(), said), (200, None));
    }
}
