//! The building of references: the model against real sctransform, and a whole small build.

use sextant::build::by_gene::ByGene;
use sextant::build::sctransform::{self, ModelOptions};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use std::path::PathBuf;

/// Text of a gzip file of `tests/data/sctransform` (made by `generate.R` there).
fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sctransform").join(name);
    let bytes = std::fs::read(&path).expect("the fixture is committed");
    assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0], "a gzip file without a name in its header");
    let size = u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) as usize;
    let mut text = vec![0; size];
    zlib_rs::Inflate::new(false, 15)
        .decompress(&bytes[10..bytes.len() - 8], &mut text, zlib_rs::InflateFlush::Finish)
        .expect("the fixture inflates");
    String::from_utf8(text).expect("the fixture is text")
}

/// Rows of numbers of a table with a header line.
fn table(name: &str) -> Vec<Vec<f64>> {
    fixture(name)
        .lines()
        .skip(1)
        .map(|line| line.split('\t').map(|field| field.trim().parse().unwrap()).collect())
        .collect()
}

/// 600 cells × 1,700 genes of pbmc3k.
fn counts() -> Counts {
    let text = fixture("counts.mtx.gz");
    let mut lines = text.lines().skip_while(|line| line.starts_with('%'));
    let numbers = |line: &str| -> Vec<usize> { line.split(' ').map(|field| field.parse().unwrap()).collect() };
    let shape = numbers(lines.next().unwrap());
    let mut rows = vec![Vec::new(); shape[1]];
    for line in lines {
        let entry = numbers(line);
        rows[entry[1] - 1].push((entry[0] as u32 - 1, entry[2] as f32));
    }
    let mut counts = Counts::with_genes(shape[0]);
    for mut row in rows {
        row.sort_by_key(|entry| entry.0);
        counts.push_row(row);
    }
    counts
}

fn log10_totals(counts: &Counts) -> Vec<f64> {
    (0..counts.cells()).map(|cell| libm::log10(counts.row(cell).map(|entry| f64::from(entry.1)).sum())).collect()
}

/// Largest and 99th percentile of the relative differences.
fn relative(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let mut differences: Vec<f64> = pairs.map(|(ours, theirs)| (ours / theirs - 1.0).abs()).collect();
    differences.sort_by(f64::total_cmp);
    (differences[differences.len() - 1], differences[differences.len() * 99 / 100])
}

#[test]
fn the_model_is_that_of_sctransform() {
    let counts = counts();
    let expected_step1 = table("step1_genes.tsv.gz");
    let cells = table("step1_cells.tsv.gz").iter().map(|row| row[0] as usize).collect::<Vec<_>>();
    let mut ascending = cells.clone();
    ascending.sort_unstable();
    let options = ModelOptions {
        step1: Some((ascending, expected_step1.iter().map(|row| row[0] as usize).collect())),
        ..ModelOptions::default()
    };
    let model = sctransform::fit(&ByGene::new(&counts), &log10_totals(&counts), &options, &Progress::silent()).unwrap();

    let step1 =
        |column: usize| {
            relative(
                model.step1.iter().zip(&expected_step1).map(|((_, ours, _), theirs)| {
                    ([ours.theta, ours.intercept, ours.slope][column], theirs[column + 1])
                }),
            )
        };
    println!("step 1: theta {:?} intercept {:?} slope {:?}", step1(0), step1(1), step1(2));
    let outliers =
        (model.step1.iter().zip(&expected_step1)).filter(|((_, _, ours), theirs)| *ours != (theirs[4] == 1.0)).count();
    println!("outliers that differ {outliers}");
    let expected = table("model.tsv.gz");
    assert_eq!(model.genes, expected.iter().map(|row| row[0] as usize).collect::<Vec<_>>());
    let regularised = |column: usize| {
        relative(
            model
                .parameters
                .iter()
                .zip(&expected)
                .map(|(ours, theirs)| ([ours.theta, ours.intercept, ours.slope][column], theirs[column + 1])),
        )
    };
    println!("regularised: theta {:?} intercept {:?} slope {:?}", regularised(0), regularised(1), regularised(2));
    let theirs: Vec<_> = expected_step1
        .iter()
        .map(|row| sctransform::Parameters { theta: row[1], intercept: row[2], slope: row[3] })
        .collect();
    let by_gene = ByGene::new(&counts);
    let (_, genes) = options.step1.as_ref().unwrap();
    let (smooth, outliers, _) = sctransform::regularise(
        &theirs,
        &sctransform::log10_means(&by_gene, genes),
        &sctransform::log10_means(&by_gene, &model.genes),
        3.0,
    )
    .unwrap();
    let of = |column: usize| {
        relative(
            smooth
                .iter()
                .zip(&expected)
                .map(|(ours, theirs)| ([ours.theta, ours.intercept, ours.slope][column], theirs[column + 1])),
        )
    };
    println!(
        "their step 1: {:?} {:?} {:?} outliers {}",
        of(0),
        of(1),
        of(2),
        outliers.iter().zip(&expected_step1).filter(|(a, b)| **a != (b[4] == 1.0)).count()
    );
    for share in [50, 75, 90, 95] {
        let mut d: Vec<f64> =
            model.parameters.iter().zip(&expected).map(|(a, b)| (a.theta / b[1] - 1.0).abs()).collect();
        d.sort_by(f64::total_cmp);
        println!("{share} {}", d[d.len() * share / 100]);
        let mut d: Vec<f64> =
            model.parameters.iter().zip(&expected).map(|(a, b)| (a.slope / b[3] - 1.0).abs()).collect();
        d.sort_by(f64::total_cmp);
        println!("   slope {share} {}", d[d.len() * share / 100]);
    }
}
