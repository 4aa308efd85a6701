//! Marker genes: a naive twin, scipy, presto's formulas, real presto, and what must not change the result.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use fixture::{input, table};
use sextant::formats::Feature;
use sextant::markers::{Grouping, Marker, Markers, Options, Order, Ties, Values, adjust, find_markers};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use std::path::Path;
use tables::Table;

fn find(counts: &Counts, totals: &[f64], groupings: &[Grouping], options: &Options) -> Vec<Markers> {
    find_markers(counts, totals, groupings, options, &Progress::silent())
}

fn totals(counts: &Counts) -> Vec<f64> {
    (0..counts.cells()).map(|cell| counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect()
}

/// Results of a group that was compared.
fn of<'a>(markers: &'a Markers, group: &str) -> &'a [Marker] {
    let group = markers.groups.iter().find(|found| found.group == group).expect("the group");
    group.genes.as_ref().unwrap_or_else(|warning| panic!("{}", warning.message))
}

/// Numbers that look random: xorshift.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Rows of counts with many ties; some genes have no counts, some a count in every cell, some the same in every cell.
fn noisy_rows(cells: usize, genes: u32, noise: &mut Noise) -> Vec<Vec<(u32, f32)>> {
    let count_of = |gene: u32, noise: &mut Noise| match gene % 7 {
        0 => 0,
        1 => 3,
        2 => 1 + noise.below(20),
        3 => noise.below(40).saturating_sub(38) * 70_000,
        _ => noise.below(12).saturating_sub(8),
    };
    let row = |noise: &mut Noise| {
        let all: Vec<_> = (0..genes).map(|gene| (gene, count_of(gene, noise) as f32)).collect();
        all.into_iter().filter(|entry| entry.1 > 0.0).collect()
    };
    (0..cells).map(|_| row(noise)).collect()
}

fn matrix(genes: u32, rows: &[Vec<(u32, f32)>]) -> Counts {
    let mut counts = Counts::with_genes(genes as usize);
    rows.iter().for_each(|row| counts.push_row(row.iter().copied()));
    counts
}

fn grouping(name: &str, groups: u32, codes: Vec<u32>) -> Grouping {
    Grouping { name: name.into(), groups: (0..groups).map(|group| format!("group {group}")).collect(), codes }
}

/// Two levels, in one of which some cells are in no group.
fn noisy_groupings(cells: usize, noise: &mut Noise) -> Vec<Grouping> {
    let whole = (0..cells).map(|_| noise.below(3) as u32).collect();
    let partly = (0..cells).map(|_| [0, 1, 4, 2, Grouping::NONE, 3][noise.below(6) as usize]).collect();
    vec![grouping("whole", 3, whole), grouping("partly", 4, partly)]
}

/// The same by comparing every cell of the group with every other, and counting ties value by value.
fn naive(counts: &Counts, totals: &[f64], codes: &[u32], groups: u32, group: u32, options: &Options) -> Vec<Marker> {
    let compared: Vec<usize> = (0..counts.cells()).filter(|&cell| codes[cell] < groups).collect();
    let of_gene = |gene: u32| -> Marker {
        let mut sides = [Vec::new(), Vec::new()];
        for &cell in &compared {
            let count = counts.row(cell).find(|entry| entry.0 == gene).map_or(0.0, |entry| entry.1);
            let amount = match options.values {
                Values::Counts => f64::from(count),
                Values::DepthNormalised => f64::from(count) / totals[cell] * 1e4,
            };
            let value = match options.values {
                Values::Counts => count,
                Values::DepthNormalised => libm::log1p(amount) as f32,
            };
            sides[usize::from(codes[cell] != group)].push((value, amount));
        }
        let [inside, outside] = &sides;
        let score = |a: f32, b: f32| if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
        let u: f64 = inside.iter().map(|a| outside.iter().map(|b| score(a.0, b.0)).sum::<f64>()).sum();
        let all: Vec<f32> = inside.iter().chain(outside).map(|entry| entry.0).collect();
        let largest = all.iter().copied().fold(0.0, f32::max);
        // Each of t tied cells sees t others with its value, itself included: t (t² − 1) in all.
        let ties: f64 = all
            .iter()
            .filter(|&&value| options.ties == Ties::All || value < largest)
            .map(|value| all.iter().filter(|other| *other == value).count() as f64)
            .map(|tied| tied * tied - 1.0)
            .sum();
        let (n1, n2, n) = (inside.len() as f64, outside.len() as f64, all.len() as f64);
        let sigma = libm::sqrt(n1 * n2 / (12.0 * (n * n - n)) * (n * n * n - n - ties));
        let distance = u - n1 * n2 / 2.0;
        let z = if distance == 0.0 { 0.0 } else { (distance - 0.5 * distance.signum()) / sigma };
        let mean = |side: &[(f32, f64)]| side.iter().map(|entry| entry.1).sum::<f64>() / side.len() as f64;
        let percent =
            |side: &[(f32, f64)]| 100.0 * side.iter().filter(|entry| entry.0 > 0.0).count() as f64 / side.len() as f64;
        Marker {
            auc: u / (n1 * n2),
            z,
            p: libm::erfc(z.abs() / libm::sqrt(2.0)),
            p_adjusted: 0.0,
            mean_in: mean(inside),
            mean_out: mean(outside),
            percent_in: percent(inside),
            percent_out: percent(outside),
        }
    };
    let mut markers: Vec<Marker> = (0..counts.genes() as u32).map(of_gene).collect();
    let expressed = |gene: usize| (0..counts.cells()).any(|cell| counts.row(cell).any(|e| e.0 as usize == gene));
    let is_test = |gene: &usize| options.tests == sextant::markers::Tests::AllGenes || expressed(*gene);
    let tests: Vec<usize> = (0..markers.len()).filter(is_test).collect();
    for gene in 0..markers.len() {
        // The least of p n / rank over all p that are not smaller.
        let own = markers[gene].p;
        let adjusted = tests.iter().map(|&other| markers[other].p).filter(|&p| p >= own).map(|p| {
            let rank = tests.iter().filter(|&&test| markers[test].p <= p).count();
            p * tests.len() as f64 / rank as f64
        });
        markers[gene].p_adjusted = if tests.contains(&gene) { adjusted.fold(1.0, f64::min) } else { 1.0 };
    }
    markers
}

fn relative(found: f64, expected: f64) -> f64 {
    if found == expected { 0.0 } else { (found - expected).abs() / expected.abs().max(1e-300) }
}

/// The largest relative difference of any figure.
fn difference(a: &Marker, b: &Marker) -> f64 {
    let numbers = |m: &Marker| [m.auc, m.z, m.p, m.p_adjusted, m.mean_in, m.mean_out, m.percent_in, m.percent_out];
    numbers(a).into_iter().zip(numbers(b)).map(|(a, b)| relative(a, b)).fold(0.0, f64::max)
}

#[test]
fn equals_its_naive_twin() {
    let mut noise = Noise(7);
    for (cells, genes) in [(90, 60), (41, 8), (300, 21)] {
        let counts = matrix(genes, &noisy_rows(cells, genes, &mut noise));
        let totals = totals(&counts);
        let groupings = noisy_groupings(cells, &mut noise);
        for options in [Options::default(), Options::azimuth()] {
            let options = Options { fewest_cells: 1, ..options };
            let found = find(&counts, &totals, &groupings, &options);
            for (grouping, found) in groupings.iter().zip(&found) {
                let groups = grouping.groups.len() as u32;
                for (group, found) in (0..).zip(&found.groups) {
                    let expected = naive(&counts, &totals, &grouping.codes, groups, group, &options);
                    let genes = found.genes.as_ref().expect("results");
                    assert_eq!(genes.len(), expected.len());
                    for (gene, (found, expected)) in genes.iter().zip(&expected).enumerate() {
                        let most = difference(found, expected);
                        assert!(most < 1e-8, "{cells} cells, gene {gene}: {found:?} {expected:?}");
                    }
                }
            }
        }
    }
}

fn percentile(row: &[String], column: usize) -> f64 {
    tables::number(&row[column])
}

#[test]
fn equals_scipy_and_the_formulas_of_presto() {
    let input = input("query");
    let types = table("predictions.tsv.gz").column("predicted.cell_type");
    let whole = Grouping::of_names("cell_type", types.iter().map(|name| Some(name.as_str()))).expect("few");
    let expected = Table::read(&folder().join("expected.tsv.gz"));
    let pair = expected.rows.iter().find(|row| !row[2].is_empty()).expect("two types against each other");
    let groupings = [whole.clone(), whole.between(&pair[1], &pair[2]).expect("two types")];
    let found = [("normalised", Options::default()), ("azimuth", Options::azimuth())]
        .map(|(method, options)| (method, find(&input.counts, &input.totals, &groupings, &options)));
    let (mut checked, mut largest) = (0, 0.0f64);
    for row in &expected.rows {
        let (method, levels) = found.iter().find(|found| found.0 == row[0]).expect("a method");
        let gene = input.genes.iter().position(|gene| gene.symbol == row[3]).expect("a gene");
        let marker = &of(&levels[usize::from(!row[2].is_empty())], &row[1])[gene];
        let change = if *method == "azimuth" { marker.difference() } else { marker.log2_fold_change() };
        let numbers = [
            marker.auc,
            marker.p,
            marker.p_adjusted,
            marker.mean_in,
            marker.mean_out,
            change,
            marker.percent_in,
            marker.percent_out,
        ];
        for (column, found) in (4..).zip(numbers) {
            let expected = percentile(row, column);
            let apart = relative(found, expected).min((found - expected).abs() / 1e-6);
            largest = largest.max(apart);
            assert!(apart < 1e-7, "{row:?}, column {column}: {found:e}, not {expected:e}");
        }
        checked += 1;
    }
    println!("{checked} rows, largest difference {largest:.1e}");
    assert_eq!(checked, 2 * 6 * 183);
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/markers")
}

#[test]
fn equals_real_presto() {
    let table = Table::read(&folder().join("presto_counts.tsv.gz"));
    let genes = &table.columns[1..];
    let mut counts = Counts::with_genes(genes.len());
    for row in &table.rows {
        counts.push_row((0..).zip(row[1..].iter().map(|count| count.parse::<f32>().expect("a count"))));
    }
    let types = table.column("type");
    let grouping = Grouping::of_names("type", types.iter().map(|name| Some(name.as_str()))).expect("few");
    let found = find(&counts, &vec![1.0; counts.cells()], &[grouping], &Options::azimuth());
    let expected = Table::read(&folder().join("presto_expected.tsv.gz"));
    let digits = |found: f64, row: &[String], column: &str, allowed: f64| {
        let place = expected.columns.iter().position(|name| name == column).expect("a column");
        let apart = relative(found, percentile(row, place));
        assert!(apart < allowed, "{row:?}, {column}: {found:e}");
    };
    for row in &expected.rows {
        let gene = genes.iter().position(|gene| *gene == row[0]).expect("a gene");
        let group = found[0].groups.iter().find(|group| group.group == row[1]).expect("a group");
        let marker = &of(&found[0], &row[1])[gene];
        let statistic = marker.auc * group.cells as f64 * group.others as f64;
        // presto's figures have 9 or 10 digits.
        digits(marker.mean_in, row, "avgExpr", 1e-8);
        digits(marker.difference(), row, "logFC", 1e-8);
        digits(statistic, row, "statistic", 1e-8);
        digits(marker.auc, row, "auc", 1e-8);
        digits(marker.p, row, "pval", 1e-7);
        digits(marker.percent_in, row, "pct_in", 1e-8);
        digits(marker.percent_out, row, "pct_out", 1e-8);
    }
    assert_eq!(expected.rows.len(), 24);
}

#[test]
fn neither_the_order_of_the_cells_nor_threads_change_a_bit() {
    let mut noise = Noise(11);
    let (cells, genes) = (500, 70);
    let rows = noisy_rows(cells, genes, &mut noise);
    let groupings = noisy_groupings(cells, &mut noise);
    let mut order: Vec<usize> = (0..cells).collect();
    (1..cells).rev().for_each(|last| order.swap(last, noise.below(last as u64 + 1) as usize));
    let shuffled: Vec<_> = order.iter().map(|&cell| rows[cell].clone()).collect();
    let regrouped: Vec<Grouping> = groupings
        .iter()
        .map(|grouping| Grouping {
            codes: order.iter().map(|&cell| grouping.codes[cell]).collect(),
            ..grouping.clone()
        })
        .collect();
    for options in [Options::default(), Options::azimuth()] {
        let run = |rows: &[Vec<(u32, f32)>], groupings: &[Grouping], threads: usize| {
            let counts = matrix(genes, rows);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| find(&counts, &totals(&counts), groupings, &options))
        };
        let found = run(&rows, &groupings, 1);
        assert!(found == run(&rows, &groupings, 3), "threads");
        assert!(found == run(&shuffled, &regrouped, 2), "order of the cells");
        assert!(found[1..] == run(&rows, &groupings[1..], 2), "other levels");
    }
}

#[test]
fn a_gene_without_counts_changes_the_adjustment_only() {
    let mut noise = Noise(5);
    let (cells, genes) = (80, 30);
    let rows = noisy_rows(cells, genes, &mut noise);
    let groupings = noisy_groupings(cells, &mut noise);
    let (narrow, wide) = (matrix(genes, &rows), matrix(genes + 1, &rows));
    for options in [Options::default(), Options::azimuth()] {
        let options = Options { fewest_cells: 1, ..options };
        let without = find(&narrow, &totals(&narrow), &groupings, &options);
        let with = find(&wide, &totals(&wide), &groupings, &options);
        for (without, with) in without.iter().zip(&with) {
            for (without, with) in without.groups.iter().zip(&with.groups) {
                let mut genes = with.genes.clone().expect("results");
                let added = genes.pop().expect("a gene");
                let nothing = [added.mean_in, added.mean_out, added.percent_in, added.percent_out];
                assert_eq!((added.auc, added.p, added.p_adjusted, nothing), (0.5, 1.0, 1.0, [0.0; 4]));
                let expected = without.genes.as_ref().expect("results");
                if options == (Options { fewest_cells: 1, ..Options::azimuth() }) {
                    assert!(genes == *expected, "it is no test");
                }
                let p: Vec<f64> = genes.iter().map(|marker| marker.p).chain([1.0]).collect();
                for ((found, expected), adjusted) in genes.iter_mut().zip(expected).zip(adjust(&p)) {
                    if options.values == Values::DepthNormalised {
                        assert_eq!(found.p_adjusted, adjusted);
                    }
                    found.p_adjusted = expected.p_adjusted;
                    assert_eq!(found, expected);
                }
            }
        }
    }
}

#[test]
fn groups_that_cannot_be_compared_get_sentences() {
    let counts = matrix(2, &vec![vec![(0, 2.0)]; 20]);
    let totals = totals(&counts);
    let mut codes = vec![0; 20];
    codes[7] = 1;
    let mut more = codes.clone();
    more[8] = 2;
    more[9] = 2;
    let groupings = [
        grouping("two", 3, codes),
        grouping("one", 1, vec![0; 20]),
        grouping("none", 1, vec![9; 20]),
        grouping("more", 4, more),
    ];
    let found = find(&counts, &totals, &groupings, &Options::default());
    let said: Vec<Vec<String>> =
        found.iter().map(|level| level.warnings().into_iter().map(|warning| warning.message).collect()).collect();
    let few = "\"group 1\" at \"two\" has 1 cell; marker genes are sought for groups of more than 15.";
    let all =
        "All 20 cells are \"group 0\" at \"one\": there are no others to compare them with, so it has no marker genes.";
    let several = "2 groups at \"more\" have too few cells for marker genes, which are sought for groups of more than 15: \
                   group 1 (1), group 2 (2).";
    assert_eq!(said, [vec![few], vec![all], vec![], vec![several]]);
    assert!(found[2].groups[0].genes.is_err(), "no cells");
    // The same count in all cells: nothing to tell them by.
    for marker in of(&found[0], "group 0") {
        assert_eq!((marker.auc, marker.p, marker.p_adjusted), (0.5, 1.0, 1.0));
    }
    let single = find(&counts, &totals, &groupings[..1], &Options { fewest_cells: 1, ..Options::azimuth() });
    let marker = &of(&single[0], "group 1")[0];
    assert_eq!((marker.auc, marker.p, marker.mean_in, marker.percent_out), (0.5, 1.0, 2.0, 100.0));
    assert!(find(&Counts::with_genes(0), &[], &[], &Options::default()).is_empty());
}

#[test]
fn a_gene_that_only_the_group_has_tells_it_for_certain() {
    let rows: Vec<_> = (0..40).map(|cell| if cell < 20 { vec![(0, 1.0), (1, 1.0)] } else { vec![(1, 1.0)] }).collect();
    let counts = matrix(2, &rows);
    let totals = totals(&counts);
    let codes = (0..40).map(|cell| u32::from(cell >= 20)).collect();
    let found = find(&counts, &totals, &[grouping("level", 2, codes)], &Options::default());
    let marker = &of(&found[0], "group 0")[0];
    assert_eq!((marker.auc, marker.percent_in, marker.percent_out), (1.0, 100.0, 0.0));
    assert_eq!((marker.mean_in, marker.mean_out), (5_000.0, 0.0));
    assert_eq!(marker.log2_fold_change(), libm::log2(5_001.0));
    assert!(marker.p < 1e-8);
    assert_eq!(of(&found[0], "group 1")[0].auc, 0.0);
    // Half the depth of the others leaves half of the normalised count.
    assert_eq!(of(&found[0], "group 0")[1].auc, 0.0);
}

#[test]
fn orders_of_a_table() {
    let marker = |z: f64, auc: f64, p_adjusted: f64, mean_in: f64| Marker {
        auc,
        z,
        p: p_adjusted,
        p_adjusted,
        mean_in,
        mean_out: 1.0,
        percent_in: 50.0,
        percent_out: 10.0,
    };
    let markers = [
        marker(3.0, 0.6, 0.2, 2.0),
        marker(50.0, 0.9, 0.0, 3.0),
        marker(-9.0, 0.2, 0.01, 0.5),
        marker(60.0, 0.6, 0.0, 2.0),
        marker(3.0, 0.6, 0.2, 2.0),
        marker(3.0, 0.7, 0.2, 2.0),
        marker(0.0, 0.5, 1.0, 1.0),
    ];
    let features: Vec<Feature> =
        ["b", "x", "down", "c", "a", "z", "flat"].map(|symbol| Feature { id: None, symbol: symbol.into() }).to_vec();
    assert_eq!(Order::Significance.rank(&markers, &features, None), [3, 1, 5, 4, 0, 6, 2]);
    assert_eq!(Order::Significance.rank(&markers, &features, Some(100)), [3, 1, 5, 4, 0]);
    assert_eq!(Order::Significance.rank(&markers, &features, Some(2)), [3, 1]);
    assert_eq!(Order::Azimuth.rank(&markers, &features, None), [1, 3, 5, 0, 4]);
    assert_eq!(Order::Azimuth.rank(&markers, &features, Some(3)), [1, 3, 5]);
}
