//! The command as a person calls it: files in, tables out, sentences and exit codes where something is wrong.
#![cfg(feature = "cli")]

#[path = "../common/command.rs"]
mod command;
#[path = "../golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod azimuth;
mod symphony;
mod clusters;
mod markers;
mod proteins;
mod quality;
mod references;
#[path = "../golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use command::{failure, golden_bundle, query, scratch, sextant, text};
use fixture::table;
use std::path::PathBuf;

#[test]
fn maps_a_10x_file_to_the_labels_and_scores_of_seurat() {
    let folder = scratch("map");
    let bundle = golden_bundle(&folder);
    let outputs: Vec<PathBuf> = ["1", "2"]
        .iter()
        .map(|threads| {
            let out = folder.join(threads);
            let words = [
                "map",
                &query(),
                "--reference",
                &bundle,
                "--out",
                &out.to_string_lossy(),
                "--threads",
                threads,
                "--method",
                "seurat",
            ];
            let output = sextant(&words);
            assert!(output.status.success(), "{}", text(&output.stderr));
            assert!(
                text(&output.stdout).contains("400 cells mapped onto golden (500 cells)"),
                "{}",
                text(&output.stdout)
            );
            out
        })
        .collect();
    for name in ["predictions.tsv", "umap.tsv", "qc.tsv"] {
        let read = |out: &PathBuf| std::fs::read(out.join(name)).expect(name);
        assert!(read(&outputs[0]) == read(&outputs[1]), "{name} depends on the number of threads");
    }
    let found = tables::Table::read(&outputs[0].join("predictions.tsv"));
    let expected = table("predictions.tsv.gz");
    let columns = [
        "cell",
        "predicted.cell_type",
        "predicted.coarse",
        "predicted.cell_type.score",
        "predicted.coarse.score",
        "mapping.score",
    ];
    assert_eq!(found.columns, columns);
    for column in &columns[..3] {
        assert_eq!(found.column(column), expected.column(column), "{column}");
    }
    for column in &columns[3..] {
        for (ours, theirs) in found.numbers(column).into_iter().zip(expected.numbers(column)) {
            assert!((ours - theirs).abs() < 1e-5, "{column}: {ours} {theirs}");
        }
    }
    let quality = tables::Table::read(&outputs[0].join("qc.tsv"));
    assert_eq!(quality.numbers("counts"), table("query_totals.tsv.gz").numbers("nCount_RNA"));
    assert_eq!(quality.numbers("features"), table("query_totals.tsv.gz").numbers("nFeature_RNA"));
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(outputs[0].join("summary.json")).expect("a summary")).expect("JSON");
    assert_eq!(summary["cells"], 400);
    assert_eq!(summary["anchors"], 441);
    assert_eq!(summary["percent_cells_with_anchors"], 48.0);
    assert_eq!(summary["features_used"], 1945);
    assert_eq!(summary["genes_in_common"], 1948);
    assert_eq!(summary["query"]["sha256"].as_str().map(str::len), Some(64));
    assert!(summary["stages"].as_array().is_some_and(|stages| stages.len() > 5));
}

#[test]
fn maps_only_the_levels_asked_for() {
    let folder = scratch("levels");
    let bundle = golden_bundle(&folder);
    let out = folder.join("out").to_string_lossy().into_owned();
    let output = sextant(&["map", &query(), "--reference", &bundle, "--out", &out, "--levels", "coarse"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found = tables::Table::read(&folder.join("out/predictions.tsv"));
    let columns = "cell predicted.coarse predicted.coarse.score mapping.score predicted.coarse.confidence unknown.score call call.level";
    assert_eq!(found.columns, columns.split(' ').collect::<Vec<_>>());
    for row in &found.rows {
        let (call, level) = (row[6].as_str(), row[7].as_str());
        assert!(call == row[1] && level == "coarse" || ["unresolved", "unknown"].contains(&call) && level.is_empty());
    }
    let (code, said) = failure(&["map", &query(), "--reference", &bundle, "--out", &out, "--method", "azimuth"]);
    assert_eq!(
        (code, said.as_str()),
        (2, "sextant: There is no method 'azimuth'; the methods are 'sextant' and 'seurat'.\n")
    );
    let (code, said) = failure(&["map", &query(), "--reference", &bundle, "--out", &out, "--levels", "fine"]);
    assert_eq!(
        (code, said.as_str()),
        (2, "sextant: The reference has no level 'fine'. Its levels are: cell_type, coarse.\n")
    );
}

#[test]
fn maps_in_batches() {
    let folder = scratch("batches");
    let bundle = golden_bundle(&folder);
    let run = |name: &str, more: &[&str]| {
        let out = folder.join(name);
        let (query, written) = (query(), out.to_string_lossy().into_owned());
        let words = [&["map", query.as_str(), "--reference", &bundle, "--out", &written], more].concat();
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        out
    };
    let (usual, one, several) =
        (run("usual", &[]), run("one", &["--batch", "400"]), run("several", &["--batch", "150", "--levels", "coarse"]));
    for name in ["predictions.tsv", "umap.tsv", "qc.tsv", "genes.tsv", "markers.tsv"] {
        let read = |out: &PathBuf| std::fs::read(out.join(name)).expect(name);
        assert!(read(&one) == read(&usual), "{name}");
        let same_size = name == "qc.tsv" || name == "genes.tsv";
        assert!(!same_size || read(&several) == read(&usual), "{name}");
    }
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(several.join("summary.json")).expect("a summary")).expect("JSON");
    assert_eq!(summary["batches"], serde_json::json!({ "batches": 3, "cells_at_most": 150 }));
    assert_eq!((&summary["nonzeros"], &summary["cells"]), (&serde_json::json!(237_246), &serde_json::json!(400)));
    assert_eq!(tables::Table::read(&several.join("predictions.tsv")).rows.len(), 400);
    for size in ["99", "many", "-5"] {
        let (code, said) = failure(&["map", &query(), "--reference", &bundle, "--out", "out", "--batch", size]);
        let expected = format!("sextant: --batch takes a whole number from 100, not '{size}'. See 'sextant --help'.\n");
        assert_eq!((code, said), (2, expected));
    }
}

#[test]
fn inspects_as_json_and_as_text() {
    let output = sextant(&["inspect", &query(), "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["cells"], 400);
    assert_eq!(report["genes"], 3913);
    assert_eq!(report["nonzeros"], 237_246);
    assert_eq!(report["species"], "human");
    assert_eq!(report["feature_types"][0][0], "Gene Expression");
    let total: f64 = table("query_totals.tsv.gz").numbers("nCount_RNA").iter().sum();
    assert_eq!(report["total_counts"], total);
    for field in ["format", "matrix", "median_counts", "warnings"] {
        assert!(!report[field].is_null(), "{field}");
    }
    let shown = text(&sextant(&["inspect", &query()]).stdout);
    assert!(shown.contains("cells             400 (0 without counts)"), "{shown}");
    assert!(shown.contains("non-zero counts   237,246"), "{shown}");
}

#[test]
fn shows_a_reference() {
    let folder = scratch("show");
    let shown = text(&sextant(&["reference", "show", &golden_bundle(&folder)]).stdout);
    assert!(shown.contains("level      coarse: myeloid"), "{shown}");
    assert!(shown.contains("features   2,000"), "{shown}");
}

#[test]
fn mistakes_are_sentences_with_exit_codes() {
    let folder = scratch("mistakes");
    let bundle = golden_bundle(&folder);
    let missing = folder.join("none.h5").to_string_lossy().into_owned();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["mapp"], 2, "There is no command 'mapp'. See 'sextant --help'."),
        (&["map", "--out", "x"], 2, "QUERY is missing."),
        (&["map", "x.h5", "--out", "x"], 2, "--reference is missing."),
        (
            &["map", "x.h5", "--out", "x", "--reference", "r", "--threads", "none"],
            2,
            "--threads takes a number from 1 to 1024, not 'none'.",
        ),
        (&["inspect", &missing], 1, "Cannot open '"),
        (&["inspect", &bundle], 3, "golden.sextant.zip"),
        (
            &["map", &query(), "--reference", &query(), "--out", "x"],
            4,
            "The reference bundle is damaged (it is no complete ZIP file).",
        ),
    ];
    for (words, code, sentence) in cases {
        let (found, said) = failure(words);
        assert_eq!(found, code, "{words:?}: {said}");
        assert!(said.starts_with("sextant: ") && said.contains(sentence), "{words:?}: {said}");
    }
}

#[test]
fn a_changed_bundle_is_refused() {
    let folder = scratch("changed");
    let path = golden_bundle(&folder);
    let mut bytes = std::fs::read(&path).expect("a bundle");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let (code, said) = failure(&["reference", "show", &path]);
    assert_eq!(code, 4);
    assert!(said.contains("The reference bundle is damaged (the checksum of '"), "{said}");
}

#[test]
fn help_and_version() {
    assert!(text(&sextant(&["--help"]).stdout).starts_with("sextant - which cells are these?"));
    assert!(text(&sextant(&["map", "--help"]).stdout).contains("--reference BUNDLE"));
    assert_eq!(text(&sextant(&["--version"]).stdout), concat!("sextant ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn labels_and_quality_are_the_same_from_the_genes_of_the_reference_only() {
    let folder = scratch("reference_genes_only");
    let bundle = golden_bundle(&folder);
    let map = |name: &str, more: &[&str]| {
        let out = folder.join(name);
        let (query, written) = (query(), out.to_string_lossy().into_owned());
        let words = [&["map", query.as_str(), "--reference", &bundle, "--out", &written], more].concat();
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let summary = std::fs::read(out.join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
        let tables = ["predictions.tsv", "umap.tsv", "qc.tsv"].map(|name| std::fs::read(out.join(name)).expect(name));
        (tables, summary)
    };
    let (whole, about_whole) = map("whole", &[]);
    let (part, about_part) = map("part", &["--reference-genes-only"]);
    assert!(whole == part, "the tables differ");
    for field in
        ["genes", "genes_in_common", "genes_matched", "features_used", "anchors", "total_counts", "warnings", "labels"]
    {
        assert_eq!(about_whole[field], about_part[field], "{field}");
    }
    assert!(about_part["nonzeros"].as_u64() < about_whole["nonzeros"].as_u64());
}

#[test]
fn genes_that_do_not_fit_are_named_however_many_are_read() {
    let folder = scratch("foreign_genes");
    let bundle = golden_bundle(&folder);
    let table = folder.join("mouse.csv");
    let rows: String = ["Actb", "Gapdh", "Cd3e", "Cd4", "Rpl7"].map(|gene| format!("{gene},1,2,3\n")).concat();
    std::fs::write(&table, format!("gene,c1,c2,c3\n{rows}")).expect("written");
    let table = table.to_string_lossy().into_owned();
    let words = ["map", &table, "--reference", &bundle, "--out", "x", "--genes", "none"];
    let (code, said) = failure(&words);
    assert_eq!(code, 5);
    assert!(said.contains("The file's genes are named like Actb, Gapdh, Cd3e; "), "{said}");
    assert_eq!(failure(&[&words[..], &["--reference-genes-only"]].concat()), (code, said));
}

#[test]
fn the_table_of_cells_is_written_beside_the_others_where_there_is_one() {
    let folder = scratch("metadata");
    let bundle = golden_bundle(&folder);
    let out = folder.join("one").to_string_lossy().into_owned();
    assert!(sextant(&["map", &query(), "--reference", &bundle, "--out", &out]).status.success());
    assert!(!folder.join("one/metadata.tsv").exists(), "a 10x file has no table of cells");

    let again = folder.join("again.h5");
    std::fs::copy(query(), &again).expect("copied");
    let (again, out) = (again.to_string_lossy().into_owned(), folder.join("two").to_string_lossy().into_owned());
    let output = sextant(&["map", &query(), &again, "--reference", &bundle, "--out", &out]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = tables::Table::read(&folder.join("two/metadata.tsv"));
    assert_eq!(table.columns, ["cell", "sample"]);
    let quality = tables::Table::read(&folder.join("two/qc.tsv"));
    assert_eq!(table.column("cell"), quality.column("cell"));
    let samples = table.column("sample");
    assert!(
        samples[..400].iter().all(|sample| sample == "query") && samples[400..].iter().all(|sample| sample == "again")
    );
}

#[test]
fn inspects_the_table_of_cells() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/formats/metadata/metadata.h5ad");
    let output = sextant(&["inspect", file, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let kind = &report["metadata"][2];
    assert_eq!((kind["name"].as_str(), kind["kind"].as_str()), (Some("type"), Some("categorical")));
    assert_eq!(kind["values"][0], serde_json::json!({ "value": "B", "cells": 12 }));
    assert_eq!((kind["missing"].as_u64(), kind["distinct"].as_u64()), (Some(4), Some(3)));
    let shown = text(&sextant(&["inspect", file]).stdout);
    for line in [
        "cell column       type: B 12, NK 12, T cell 12, 4 missing\n",
        "cell column       thousands: another for each cell\n",
        "cell column       double: -2.857142857142857 to 2.7142857142857144, median ",
        "cell column       nothing: 40 missing\n",
        "cell column       constant: the same 40\n",
        "cell column       tab and line: 0 to 39, median 19.5\n",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
}
