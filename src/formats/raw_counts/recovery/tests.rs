//! Every normalisation is undone, and nothing else is taken for one.

use super::*;
use crate::matrix::Counts;

/// Cells of different depths, most with a gene of one count.
fn cells(number: u32) -> Vec<Vec<f64>> {
    let count = |cell: u32, gene: u32| {
        let mixed = gene.wrapping_mul(2_654_435_761).wrapping_mul(2 * cell + 1) >> 7;
        f64::from(1 + (mixed % 97) * (mixed % 5) * (1 + cell % 4) / 9)
    };
    (0..number).map(|cell| (0..120 + cell * 7).map(|gene| count(cell, gene)).collect()).collect()
}

fn changed(cells: &[Vec<f64>], change: impl Fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
    let of_cell = |cell: &Vec<f64>| {
        let total: f64 = cell.iter().sum();
        cell.iter().map(|&value| change(value, total)).collect()
    };
    cells.iter().map(of_cell).collect()
}

fn matrix(cells: &[Vec<f64>]) -> Counts {
    let genes = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut matrix = Counts::with_genes(genes);
    for cell in cells {
        matrix.push_row((0..).zip(cell.iter().map(|&value| value as f32)));
    }
    matrix
}

fn recovered(counts: &[Vec<f64>], change: impl Fn(f64, f64) -> f64) -> (Option<Recovery>, bool) {
    let values = changed(counts, change);
    let recovery = Recovery::of(&Sample::of_whole_cells(values.clone()));
    let equal = recovery.is_some_and(|recovery| {
        Recovering::new(recovery, String::new(), None).slab(&matrix(&values)) == matrix(counts)
    });
    (recovery, equal)
}

#[test]
fn every_normalisation_is_undone() {
    let counts = cells(30);
    let scaled = |count: f64, total: f64| count / total * 1e4;
    let half = |value: f64| half::f16::from_f64(value).to_f64();
    type Change<'a> = &'a dyn Fn(f64, f64) -> f64;
    let changes: [(&str, Undo, bool, Change<'_>); 9] = [
        ("log1p", Undo::NaturalLogarithm, true, &|count, total| libm::log1p(scaled(count, total))),
        ("single", Undo::NaturalLogarithm, true, &|count, total| f64::from(libm::log1p(scaled(count, total)) as f32)),
        ("log2", Undo::BinaryLogarithm, true, &|count, total| libm::log2(scaled(count, total) + 1.0)),
        ("log10", Undo::DecimalLogarithm, true, &|count, total| libm::log10(scaled(count, total) + 1.0)),
        ("no logarithm", Undo::Nothing, true, &scaled),
        ("no scale", Undo::NaturalLogarithm, false, &|count, _| libm::log1p(count)),
        ("dust", Undo::Nothing, false, &|count, total| count + 1e-3 * libm::sin(total + count)),
        ("three decimals", Undo::NaturalLogarithm, true, &|count, total| {
            libm::round(libm::log1p(scaled(count, total)) * 1e3) / 1e3
        }),
        ("half, small counts", Undo::NaturalLogarithm, true, &|count, total| half(libm::log1p(scaled(count, total)))),
    ];
    for (name, undo, scaled, change) in changes {
        let (recovery, equal) = recovered(&counts, change);
        assert_eq!(recovery.map(|way| (way.undo, way.scaled)), Some((undo, scaled)), "{name}");
        assert!(equal || name.starts_with("half") || name.starts_with("three"), "{name}");
    }
}

#[test]
fn what_is_not_made_of_counts_stays() {
    let counts = cells(30);
    let by_gene = |count: f64| count * (0.9 + 0.1 * libm::sin(count));
    for change in [
        &(|count: f64, _: f64| by_gene(count)) as &dyn Fn(f64, f64) -> f64,
        &|count, total| libm::log1p(by_gene(count) / total * 1e4),
        &|count, _| count * 0.93,
        &|count, _| if count == 7.0 { 7.25 } else { count },
        &|count, _| count.sqrt(),
    ] {
        assert_eq!(recovered(&counts, change), (None, false));
    }
}

#[test]
fn a_matrix_whose_sample_misled_is_refused() {
    let values = changed(&cells(30), |count, total| libm::log1p(count / total * 1e4));
    let recovery = Recovery::of(&Sample::of_whole_cells(values.clone())).expect("a way back");
    let corrected = changed(&values, |value, _| value * (1.0 + 0.1 * libm::sin(value * 100.0)));
    let mut recovering = Recovering::new(recovery, "look like logarithms".into(), None);
    recovering.slab(&matrix(&values));
    recovering.slab(&matrix(&corrected));
    assert_eq!(
        recovering.finish("X").err().map(|error| error.message).as_deref(),
        Some(
            "the values of \"X\" look like logarithms, but in 30 of 60 cells no factor makes them whole numbers, so the \
             counts cannot be recovered. Save the counts as they were before normalisation in \"layers/counts\" or \
             \"raw/X\", or load the file of the step before."
        )
    );
}

#[test]
fn a_stated_total_tells_the_common_factor() {
    let even = changed(&cells(10), |count, _| 2.0 * count);
    let values = changed(&even, |count, total| libm::log1p(count / total * 1e4));
    let recovery = Recovery::of(&Sample::of_whole_cells(values.clone())).expect("a way back");
    let totals: Vec<f64> = even.iter().map(|cell| cell.iter().sum()).collect();
    let mut told = Recovering::new(recovery, String::new(), Some(("n_counts".into(), totals)));
    assert_eq!(told.slab(&matrix(&values)), matrix(&even));
    assert_eq!(told.agree, 10);
    let mut untold = Recovering::new(recovery, String::new(), None);
    assert_ne!(untold.slab(&matrix(&values)), matrix(&even));
}

#[test]
fn the_smallest_count_need_not_be_one() {
    let counts: Vec<Vec<f64>> =
        (0..10).map(|cell| (0..40).map(|gene| f64::from(3 + (gene * 7 + cell) % 11)).collect()).collect();
    assert!(recovered(&counts, |count, total| libm::log1p(count / total * 1e4)).1);
}
