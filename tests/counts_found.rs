//! Finding the counts where a file holds normalised values, and what is said of files that look wrong.
//!
//! The files in `tests/data/formats/counts_found` are written by `generate.py` beside them.

use sextant::Warning;
use sextant::formats::{Dataset, Input, ReadOptions};
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use std::io::Cursor;

fn open(name: &str) -> sextant::formats::OpenFile {
    let path = format!("{}/tests/data/formats/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let file = name.rsplit('/').next().unwrap_or(name);
    sextant::formats::open(vec![Input::new(file, Box::new(Cursor::new(bytes)))]).expect("a file")
}

fn read(name: &str) -> sextant::Result<Dataset> {
    open(name).read(&ReadOptions::default(), &mut (), &Progress::silent())
}

fn found(name: &str) -> Dataset {
    read(&format!("counts_found/{name}.h5ad")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn said(warnings: &[Warning]) -> Vec<(&str, &str)> {
    warnings.iter().map(|warning| (warning.code, warning.message.as_str())).collect()
}

/// Cells × genes.
fn counts() -> Vec<Vec<f32>> {
    let path = format!("{}/tests/data/formats/counts_found/counts.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the counts");
    text.lines().map(|line| line.split('\t').map(|count| count.parse().expect("a count")).collect()).collect()
}

fn dense(dataset: &Dataset) -> Vec<Vec<f32>> {
    let row = |cell| {
        let mut row = vec![0.0; dataset.counts.genes()];
        dataset.counts.row(cell).for_each(|(gene, count)| row[gene as usize] = count);
        row
    };
    (0..dataset.counts.cells()).map(row).collect()
}

const OPEN: &str = "Two things stay open: a cell whose counts are all multiples of a number comes out with counts that many \
                    times too small, and genes that were removed before are missing. If you have a file with the raw \
                    counts, load that.";
const COARSE: &str = " The values have few digits: counts above about 30 may be off by some per cent.";
const DIVIDED: &str = "the values of each cell divided by what one count is worth in it.";

#[test]
fn normalised_values_become_the_counts_again() {
    let undone = "The counts were recovered from them: the logarithm undone, and the values of each cell divided by what one \
                  count is worth in it.";
    let cases = [
        (
            "log1p",
            "log1p of counts scaled to 10,000 per cell",
            format!(
                "{undone} They add up to the column \"n_counts\" in 100 % of the cells, and to 100.0 % of it in all. {OPEN}"
            ),
        ),
        ("log2", "log2(x + 1) of counts scaled to 10,000 per cell", format!("{undone} {OPEN}")),
        ("log10_median", "log10(x + 1) of counts scaled to 458 per cell", format!("{undone} {OPEN}")),
        (
            "log1p_no_scale",
            "log1p of raw counts",
            String::from(
                "The counts were recovered from them: the logarithm undone. If you have a file with the raw counts, load that.",
            ),
        ),
        (
            "no_logarithm",
            "counts scaled to 10,000 per cell (normalised, no logarithm)",
            format!("The counts were recovered from them: {DIVIDED} {OPEN}"),
        ),
        ("log1p_half", "log1p of counts scaled to 10,000 per cell", format!("{undone}{COARSE} {OPEN}")),
    ];
    for (name, what, how) in cases {
        let dataset = found(name);
        let message = format!("The values of \"X\" look like {what}. {how}");
        assert_eq!(said(&dataset.warnings), [("recovered", message.as_str())], "{name}");
        if name != "log1p_half" {
            assert_eq!(dense(&dataset), counts(), "{name}");
            continue;
        }
        // Half precision leaves three digits: small counts are exact, large ones off by a few in a hundred at most.
        for (cell, expected) in dense(&dataset).iter().zip(counts()) {
            for (&count, expected) in cell.iter().zip(expected) {
                assert!((count - expected).abs() <= if expected < 30.0 { 0.0 } else { 0.02 * expected });
            }
        }
    }
}

#[test]
fn files_of_every_encoding_become_the_counts_again() {
    let expected = dense(&read("csr_latest.h5ad").expect("counts"));
    for name in ["bad_log.h5ad", "bad_log_csc.h5ad", "bad_log_dense.h5ad", "bad_normalised.h5ad"] {
        let dataset = read(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(dense(&dataset), expected, "{name}");
        assert_eq!(dataset.warnings[0].code, "recovered");
    }
}

#[test]
fn genes_that_were_removed_before_do_not_matter() {
    let dataset = found("log1p_some_genes");
    let expected: Vec<Vec<f32>> = counts().into_iter().map(|cell| cell[..40].to_vec()).collect();
    assert_eq!(dense(&dataset), expected);
    let message = &dataset.warnings[0].message;
    assert!(message.contains("look like log1p of counts scaled by cell. "), "{message}");
    assert!(message.contains(" They add up to the column \"total_counts\" in 0 % of the cells, and to "), "{message}");
}

#[test]
fn a_stated_total_tells_a_factor_that_all_counts_share() {
    let dataset = found("log1p_even");
    let expected: Vec<Vec<f32>> = (0..)
        .zip(counts())
        .map(|(cell, row)| row.into_iter().map(|count| if cell % 3 == 0 { 2.0 * count } else { count }).collect())
        .collect();
    assert_eq!(dense(&dataset), expected);
    assert!(dataset.warnings[0].message.contains(" They add up to the column \"nCount_RNA\" in 100 % of the cells, "));
}

#[test]
fn a_few_cells_that_were_changed_are_told() {
    let dataset = found("log1p_one_spoilt");
    let message = &dataset.warnings[0].message;
    assert!(message.contains(" In 1 of 60 cells they were not whole numbers and were rounded."), "{message}");
    let same = dense(&dataset).iter().zip(counts()).filter(|(row, expected)| *row == expected).count();
    assert_eq!(same, 59);
}

#[test]
fn rounding_errors_are_rounded_away() {
    let dataset = found("dust");
    assert_eq!(dense(&dataset), counts());
    assert_eq!(
        said(&dataset.warnings),
        [(
            "rounded",
            "The values of \"X\" are whole numbers but for rounding errors. They were rounded to whole numbers."
        )]
    );
}

#[test]
fn what_proves_to_be_counts_comes_before_estimates() {
    let dataset = found("estimates_in_layer");
    assert_eq!((dataset.matrix.as_str(), dense(&dataset)), ("X", counts()));
    let dataset = found("dust_in_layer");
    assert_eq!((dataset.matrix.as_str(), dense(&dataset)), ("layers/rounded", counts()));
    // Unless the estimates are of more genes.
    let dataset = found("estimates_of_more_genes");
    assert_eq!((dataset.matrix.as_str(), dataset.warnings[0].code), ("raw/X", "fractions"));
    assert_eq!(dataset.features.len(), 80);
}

#[test]
fn the_chosen_matrix_is_recovered_too() {
    let options = ReadOptions { matrix: Some("X"), ..Default::default() };
    let dataset = open("counts_found/dust_in_layer.h5ad").read(&options, &mut (), &Progress::silent()).expect("counts");
    assert_eq!((dataset.matrix.as_str(), dense(&dataset)), ("X", counts()));
}

#[test]
fn what_leads_back_to_no_counts_is_refused() {
    const ADVICE: &str = "Sextant needs the counts as they were before normalisation (whole numbers); save them in \
                          \"layers/counts\" or \"raw/X\", or load the file of the step before.";
    let error = |name: &str| read(&format!("counts_found/{name}.h5ad")).expect_err(name).message;
    assert_eq!(
        error("not_corrected"),
        format!(
            "not_corrected.h5ad: no raw counts were found: the values of \"X\" look like log1p of counts scaled to 10,000 \
             per cell and do not lead back to counts (no factor makes the values of a cell whole numbers). {ADVICE}"
        )
    );
    let truncated = error("not_truncated_log2");
    assert!(truncated.contains("\"X\" are whole numbers but look like rounded logarithms (a cell has "), "{truncated}");
    assert_eq!(
        error("not_square_root"),
        format!(
            "not_square_root.h5ad: no raw counts were found: the values of \"X\" look like square roots of counts. {ADVICE}"
        )
    );
}

#[test]
fn files_that_look_wrong_are_told() {
    let warnings = |name: &str| {
        let mut file = open(&format!("counts_found/{name}.h5ad"));
        Query::read(&mut file, &QueryOptions::default(), &Progress::silent()).expect(name).warnings
    };
    assert_eq!(
        said(&warnings("repeated_cells")),
        [(
            "repeated_cells",
            "5 of the 60 cells have exactly the counts of another cell under another name (\"CELL010-1\" and \"CELL040-1\" \
             are a pair): the file seems to hold cells twice. They are mapped all the same, and counted twice."
        )]
    );
    let slide = warnings("visium_hd");
    assert_eq!(slide[0].code, "visium_hd_bins");
    assert!(
        slide[0]
            .message
            .starts_with("The barcodes are those of Visium HD: each is a bin of 16 µm on a slide, not a cell")
    );
    let filtered = warnings("gene_filtered");
    assert_eq!(filtered[0].code, "gene_filtered");
    assert!(
        filtered[0].message.starts_with("The file has 120 genes, none of them mitochondrial and none that nearly ")
    );
}
