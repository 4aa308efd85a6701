//! Quality of cells from the command: limits, scores of all classes.

use crate::command::{failure, golden_bundle, query, scratch, sextant, text};
use crate::tables::Table;

#[test]
fn cells_beyond_limits_are_left_out_on_request() {
    let folder = scratch("filter");
    let bundle = golden_bundle(&folder);
    let map = |name: &str, more: &[&str]| {
        let out = folder.join(name);
        let (query, written) = (query(), out.to_string_lossy().into_owned());
        let words =
            [&["map", query.as_str(), "--reference", &bundle, "--markers", "none", "--out", &written], more].concat();
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let summary = std::fs::read(out.join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
        (Table::read(&out.join("qc.tsv")), Table::read(&out.join("predictions.tsv")), summary)
    };
    let (all, _, about) = map("all", &[]);
    assert_eq!(all.columns, ["cell", "counts", "features", "percent_mt", "percent_ribo", "percent_hb", "kept"]);
    assert!(all.column("kept").iter().all(|kept| kept == "True"));
    let limits = &about["suggested_limits"]["samples"][0]["limits"];
    assert_eq!(limits[0]["name"], "min_counts");
    assert_eq!(
        (about["suggested_limits"]["cells_beyond"].as_u64(), about["cells_left_out"].as_u64()),
        (Some(0), Some(0))
    );
    let mut counts = all.numbers("counts");
    counts.sort_by(f64::total_cmp);
    let beyond = counts.iter().filter(|&&count| count < counts[100]).count();
    let words = format!("suggested,min_counts={}", counts[100]);
    let (quality, predictions, about) = map("filtered", &["--filter", &words]);
    assert_eq!(
        (about["cells"].as_u64(), about["cells_left_out"].as_u64()),
        (Some(400 - beyond as u64), Some(beyond as u64))
    );
    assert!(beyond > 90 && predictions.rows.len() == 400 - beyond);
    let kept: Vec<String> = quality.rows.iter().filter(|row| row[6] == "True").map(|row| row[0].clone()).collect();
    assert_eq!(kept, predictions.column("cell"));
    assert_eq!(quality.rows.len(), 400);

    let (code, said) = failure(&["map", "x.h5", "--reference", &bundle, "--out", "x", "--filter", "max_mt=5"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.starts_with("sextant: There is no limit 'max_mt'. The limits are: suggested, min_counts, "), "{said}");
    let shown = text(&sextant(&["inspect", &query()]).stdout);
    assert!(shown.contains("suggested limits  min_counts ") && shown.contains(" of 400 cells beyond any"), "{shown}");
}

#[test]
fn every_class_is_scored_on_request() {
    let folder = scratch("all_scores");
    let bundle = golden_bundle(&folder);
    let out = folder.join("out").to_string_lossy().into_owned();
    let words = ["map", &query(), "--reference", &bundle, "--markers", "none", "--out", &out, "--all-scores"];
    assert!(sextant(&words).status.success());
    let scores = Table::read(&folder.join("out/scores.tsv"));
    let predictions = Table::read(&folder.join("out/predictions.tsv"));
    assert_eq!(scores.column("cell"), predictions.column("cell"));
    for level in ["cell_type", "coarse"] {
        let start = format!("prediction.score.{level}.");
        let classes: Vec<&String> = scores.columns.iter().filter(|column| column.starts_with(&start)).collect();
        assert!(classes.len() > 1, "{level}");
        let columns: Vec<Vec<f64>> = classes.iter().map(|column| scores.numbers(column)).collect();
        let best = predictions.numbers(&format!("predicted.{level}.score"));
        for (cell, label) in predictions.column(&format!("predicted.{level}")).iter().enumerate() {
            let sum: f64 = columns.iter().map(|column| column[cell]).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{cell}: {sum}");
            let class = classes.iter().position(|class| class[start.len()..] == **label).expect("a class");
            assert_eq!(columns[class][cell], best[cell]);
        }
    }
    // Of another mapping
    assert!(sextant(&words[..words.len() - 1]).status.success());
    assert!(!folder.join("out/scores.tsv").exists());
}

#[test]
fn samples_are_mapped_by_themselves_and_doublets_scored_on_request() {
    let folder = scratch("per_sample");
    let bundle = golden_bundle(&folder);
    let again = folder.join("again.h5");
    std::fs::copy(query(), &again).expect("copied");
    let again = again.to_string_lossy().into_owned();
    let map = |name: &str, words: &[&str]| {
        let out = folder.join(name).to_string_lossy().into_owned();
        let output = sextant(&[&["map", "--reference", &bundle, "--markers", "none", "--out", &out], words].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let summary = std::fs::read(folder.join(name).join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
        (Table::read(&folder.join(name).join("predictions.tsv")), summary)
    };
    let (alone, _) = map("alone", &[&query()]);
    let (both, about) = map("both", &[&query(), &again, "--per-sample", "--doublets"]);
    // The same cells twice: each sample is mapped as the file alone, whatever the other holds.
    for column in &alone.columns[1..] {
        let (found, expected) = (both.column(column), alone.column(column));
        assert!(found[..400] == expected[..] && found[400..] == expected[..], "{column}");
    }
    let samples = about["samples"].as_array().expect("samples");
    assert_eq!((samples.len(), samples[1]["sample"].as_str()), (2, Some("again")));
    for figure in ["median_mapping_score", "median_mapping_score_together", "percent_cells_with_anchors"] {
        assert!(samples[0][figure].as_f64().is_some_and(|value| value > 0.0), "{figure}");
    }
    let doublets = Table::read(&folder.join("both/doublets.tsv"));
    assert_eq!(doublets.columns, ["cell", "doublet.score"]);
    assert_eq!(doublets.column("cell"), both.column("cell"));
    assert!(about["doublets"]["median_score"].as_f64().is_some_and(|score| score > 0.0 && score < 0.5));
    let (_, about) = map("both", &[&query(), &again]);
    assert!(about["doublets"].is_null() && !folder.join("both/doublets.tsv").exists());
    let (code, said) = failure(&["map", &query(), "--reference", &bundle, "--out", "x", "--per-sample"]);
    assert_eq!(
        (code, said.as_str()),
        (
            2,
            "sextant: --per-sample needs two samples: name the column of the table of cells that tells them apart with --samples \
             COLUMN, or give a file for each. See 'sextant --help'.\n"
        )
    );
}
