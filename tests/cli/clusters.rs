//! `sextant map --clusters`, and the cluster preservation score that every mapping gets.

use crate::command::{failure, golden_bundle, query, scratch, sextant, text};
use crate::tables::Table;
use std::path::Path;

fn map(bundle: &str, out: &Path, more: &[&str]) -> (serde_json::Value, String) {
    let (query, written) = (query(), out.to_string_lossy().into_owned());
    let words =
        [&["map", query.as_str(), "--reference", bundle, "--out", &written, "--markers", "none"], more].concat();
    let output = sextant(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary = std::fs::read(out.join("summary.json")).expect("a summary");
    (serde_json::from_slice(&summary).expect("JSON"), text(&output.stdout))
}

#[test]
fn clusters_and_a_map_of_the_querys_own() {
    let folder = scratch("clusters");
    let bundle = golden_bundle(&folder);
    let (one, two) = (folder.join("one"), folder.join("two"));
    let (summary, said) = map(&bundle, &one, &["--clusters", "--threads", "1"]);
    map(&bundle, &two, &["--clusters=0.8", "--threads", "2"]);
    let read = |out: &Path, name: &str| std::fs::read(out.join(name)).expect(name);
    for name in ["clusters.tsv", "umap_own.tsv"] {
        assert!(read(&one, name) == read(&two, name), "{name} depends on the number of threads");
    }
    let clusters = Table::read(&one.join("clusters.tsv"));
    assert_eq!(clusters.columns, ["cell", "cluster"]);
    let places = Table::read(&one.join("umap_own.tsv"));
    assert_eq!(places.columns, ["cell", "umap_own_1", "umap_own_2"]);
    let cells = Table::read(&one.join("predictions.tsv")).column("cell");
    assert!(clusters.column("cell") == cells && places.column("cell") == cells);
    let sizes: Vec<u64> =
        summary["clusters"]["sizes"].as_array().expect("sizes").iter().filter_map(|size| size.as_u64()).collect();
    assert!(sizes.len() > 2 && sizes.windows(2).all(|pair| pair[0] >= pair[1]), "{sizes:?}");
    for (number, &size) in sizes.iter().enumerate() {
        let found = clusters.column("cluster").iter().filter(|name| **name == number.to_string()).count();
        assert_eq!(found as u64, size);
    }
    assert_eq!((&summary["clusters"]["resolution"], &summary["clusters"]["method"]), (&0.8.into(), &"louvain".into()));
    let preservation = &summary["cluster_preservation"];
    assert_eq!((&preservation["score"], &preservation["grade"]), (&5.0.into(), &"good".into()));
    assert_eq!((&preservation["cells"], &preservation["clusters"]), (&400.into(), &3.into()));
    assert_eq!(summary["percent_cells_with_anchors_grade"], "good");
    assert!(said.contains("Cluster preservation score: 5.00 of 5 (Good).\n"), "{said}");
    assert!(said.contains(&format!("{} clusters of the query by itself: ", sizes.len())), "{said}");

    // Into the same folder, without: what was there is of another mapping.
    let (summary, _) = map(&bundle, &one, &["--no-preservation"]);
    assert!(summary["clusters"].is_null() && summary["cluster_preservation"].is_null());
    assert!(!one.join("clusters.tsv").exists() && !one.join("umap_own.tsv").exists());
    let (finer, _) = map(&bundle, &one, &["--clusters=3", "--clusters-method", "leiden", "--no-own-umap"]);
    assert!(finer["clusters"]["sizes"].as_array().is_some_and(|finer| finer.len() > sizes.len()));
    assert!(one.join("clusters.tsv").exists() && !one.join("umap_own.tsv").exists());
}

#[test]
fn mistakes_in_the_options_of_clusters() {
    let said = |more: &[&str]| failure(&[&["map", "x.h5", "--reference", "r", "--out", "x"], more].concat());
    for (words, sentence) in [
        (vec!["--clusters=none"], "--clusters takes a resolution above 0, such as --clusters=0.8, not 'none'."),
        (vec!["--clusters=0"], "--clusters takes a resolution above 0, such as --clusters=0.8, not '0'."),
        (
            vec!["--clusters", "--clusters-method", "kmeans"],
            "--clusters-method takes 'louvain' or 'leiden', not 'kmeans'.",
        ),
        (vec!["--no-own-umap"], "--no-own-umap means nothing without --clusters."),
    ] {
        let (code, found) = said(&words);
        assert_eq!(code, 2);
        assert!(found.starts_with(&format!("sextant: {sentence}")), "{found}");
    }
}
