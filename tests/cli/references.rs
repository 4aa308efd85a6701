//! Building a reference from a labelled file as a person calls it, and validating it.

use crate::command::{failure, scratch, sextant, text};
use sextant::reference::{Reference, bundle};
use std::path::Path;

fn labelled(name: &str) -> String {
    format!("{}/tests/data/labelled/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The reference of a call, and what it said.
fn built(folder: &Path, file: &str, more: &[&str]) -> (Reference, String) {
    let out = folder.join("r.sextant.zip").to_string_lossy().into_owned();
    let words = [&["reference", "build", file, "--out", &out, "--dimensions", "12"], more].concat();
    let output = sextant(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    (bundle::read(&std::fs::read(&out).expect("a bundle")).expect("a reference"), text(&output.stdout))
}

#[test]
fn cellxgene_and_seurat_give_the_same_reference() {
    let folder = scratch("labelled");
    let (cellxgene, said) = built(&folder, &labelled("cellxgene.h5ad"), &["--labels", "cell_type", "--threads", "1"]);
    let again = std::fs::read(folder.join("r.sextant.zip")).expect("a bundle");
    built(&folder, &labelled("cellxgene.h5ad"), &["--labels", "cell_type", "--threads", "2"]);
    assert!(again == std::fs::read(folder.join("r.sextant.zip")).expect("a bundle"), "the threads matter");
    let (seurat, _) = built(&folder, &labelled("seurat.rds"), &["--labels", "cell_type"]);
    assert_eq!((cellxgene.cells.len(), cellxgene.loadings.ncols()), (130, 12));
    assert_eq!((&cellxgene.cells, &cellxgene.embedding), (&seurat.cells, &seurat.embedding));
    // Symbols and Ensembl ids of the one, symbols of the other.
    let symbols = |reference: &Reference| reference.features.iter().map(|one| one.symbol.clone()).collect::<Vec<_>>();
    assert_eq!(symbols(&cellxgene), symbols(&seurat));
    assert!(symbols(&cellxgene).iter().all(|symbol| symbol.starts_with("GENE")));
    assert!(cellxgene.features.iter().all(|one| one.id.as_ref().is_some_and(|id| id.starts_with("ENSG"))));
    // The column of ids beside the labels is read from both; "raw/X" and not the logarithms of "X".
    for reference in [&cellxgene, &seurat] {
        let id = |name: &str| reference.levels[0].classes.iter().find(|class| class.name == name)?.ontology.clone();
        assert_eq!(id("monocyte").as_deref(), Some("CL:0000576"));
        assert_eq!(id("T cell").as_deref(), Some("CL:0000084"));
    }
    assert!(cellxgene.about.provenance[0].contains("raw/X"), "{}", cellxgene.about.provenance[0]);
    // Parts of 43 cells are too few to be held out by the donor.
    assert!(said.contains("5 random parts"), "{said}");
}

#[test]
fn what_is_left_out_is_said() {
    let folder = scratch("left_out");
    let options = [
        "--labels",
        "cell_type",
        "--filter",
        "suggested,min_counts=40",
        "--max-per-class",
        "50",
        "--held-out-by",
        "none",
    ];
    let (reference, said) = built(&folder, &labelled("cellxgene.h5ad"), &options);
    let size = |name: &str| {
        let code = reference.levels[0].classes.iter().position(|class| class.name == name).expect("a class");
        reference.levels[0].codes.iter().filter(|&&of| usize::from(of) == code).count()
    };
    assert_eq!(size("T cell"), 50);
    assert!((30..50).contains(&size("B cell")) && (10..30).contains(&size("monocyte")));
    for sentence in [
        "lie beyond the limits on quality and are left out",
        "Downsampled by class of level `cell_type`, at most 50 of a class",
    ] {
        assert!(said.contains(sentence), "{said}");
        assert!(reference.about.provenance.iter().any(|line| line.contains(sentence)), "{sentence}");
    }
    let options = ["--labels", "cell_type", "--doublets", "0.15", "--samples", "donor_id", "--held-out-by", "none"];
    let (reference, said) = built(&folder, &labelled("cellxgene.h5ad"), &options);
    let sentence = "have a doublet score above 0.15 (3 samples, each by itself) and are left out";
    assert!(said.contains(sentence) && reference.cells.len() < 130, "{said}");
    assert!(reference.about.provenance.iter().any(|line| line.contains(sentence)));
}

#[test]
fn choices_that_make_no_sense_get_a_sentence() {
    let file = labelled("cellxgene.h5ad");
    let refusal = |more: &[&str]| failure(&[&["reference", "build", &file, "--out", "r.sextant.zip"], more].concat());
    for (more, sentence) in [
        (&[][..], "Name the columns of labels, coarse before fine. These look like labels: cell_type (3 classes)."),
        (&["--labels", "kind"], "These look like labels: cell_type (3 classes)."),
        (&["--labels", "barcode"], "looks like names of cells"),
        (&["--labels", "score"], "a score or a measurement makes no classes"),
        (
            &["--labels", "cell_type", "--dimensions", "2"],
            "2 dimensions were asked for, and a reference takes 5 to 200",
        ),
        (
            &["--labels", "cell_type", "--features", "100"],
            "100 features were asked for, and a reference takes 500 to 10000",
        ),
        (&["--labels", "cell_type", "--max-cells", "50"], "At most 50 cells were asked for"),
        (&["--labels", "cell_type", "--max-per-class", "5"], "At most 5 cells of a class were asked for"),
        (&["--labels", "cell_type", "--doublets", "2"], "Doublet scores lie between 0 and 1"),
        (
            &["--labels", "cell_type", "--samples", "lane", "--filter", "suggested"],
            "no cell column 'lane' to tell samples apart by",
        ),
        (&["--labels", "cell_type", "--filter", "min_counts=100000"], "None of the 130 cells lies within the limits"),
    ] {
        let (code, said) = refusal(more);
        assert!([2, 3].contains(&code) && said.contains(sentence), "{more:?}: {code} {said}");
    }
}

#[test]
fn clusters_are_warned_of() {
    let folder = scratch("clusters_as_labels");
    let (_, said) = built(&folder, &labelled("cellxgene.h5ad"), &["--labels", "cluster", "--held-out-by", "none"]);
    assert!(
        said.contains("warning: The labels of `cluster` look like numbers of clusters and not like types"),
        "{said}"
    );
}

#[test]
fn a_reference_is_validated_in_full() {
    let folder = scratch("validate");
    let file = labelled("cellxgene.h5ad");
    let run = |name: &str, threads: &str| {
        let out = folder.join(name);
        let written = out.to_string_lossy().into_owned();
        let words = [
            "reference",
            "validate",
            &file,
            "--labels",
            "cell_type",
            "--dimensions",
            "12",
            "--threads",
            threads,
            "--out",
            &written,
        ];
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (std::fs::read_to_string(out).expect("a file"), text(&output.stdout))
    };
    let (table, said) = run("one.tsv", "1");
    assert_eq!(table, run("two.tsv", "2").0);
    assert!(said.contains("each mapped onto a reference built without it"), "{said}");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 10));
    let all: Vec<&Vec<&str>> = lines.iter().filter(|line| line[1] == "all").collect();
    let number = |text: &str| text.parse::<f64>().expect("a number");
    // Three types that are far apart: nearly all are found again, by cells that were no part of the model.
    assert!(all[0][2].is_empty() && number(all[0][3]) == 93.0 && number(all[0][6]) > 0.9, "{:?}", all[0]);
    assert_eq!(all.len(), 4);
    assert_eq!(all[1..].iter().map(|line| number(line[3])).sum::<f64>(), 93.0);
    assert_eq!(all[1..].iter().map(|line| number(line[5])).sum::<f64>(), 93.0);
    let (json, _) = run("validated.json", "2");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["levels"][0]["accuracy"].as_f64(), Some(number(all[0][6])));
    let parts = json["parts"].as_array().expect("parts");
    assert_eq!(parts.len(), 5);
    // One part is so large that the others are too few for a reference: its cells are not judged, and it is said.
    let (failed, judged): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part["failed"].is_string());
    assert_eq!((failed.len(), failed[0]["cells"].as_u64()), (1, Some(37)));
    assert_eq!(failed[0]["failed"].as_str(), Some("the file has 93 cells; a reference needs at least 100"));
    assert!(said.contains("random ") && said.contains(" was not judged: the file has 93 cells"), "{said}");
    for part in judged {
        assert_eq!(part["cells"].as_u64().zip(part["reference_cells"].as_u64()).map(|(a, b)| a + b), Some(130));
    }
    let to_none = ["reference", "validate", &file, "--labels", "cell_type", "--by", "none", "--out", "x.tsv"];
    let (code, said) = failure(&to_none);
    assert!(code == 2 && said.contains("'none' holds no cells out"), "{said}");
    let (code, said) = failure(&["reference", "validate", &file, "--labels", "cell_type", "--out", "x.txt"]);
    assert!(code == 2 && said.contains("--out takes a .tsv or a .json file, not 'x.txt'"), "{said}");
}

#[test]
fn batches_are_integrated_where_they_are_named() {
    let folder = scratch("batch");
    let file = labelled("cellxgene.h5ad");
    let options = ["--labels", "cell_type", "--held-out-by", "none", "--batch", "donor_id", "--threads"];
    let (reference, _) = built(&folder, &file, &[&options[..], &["1"]].concat());
    let one = std::fs::read(folder.join("r.sextant.zip")).expect("a bundle");
    built(&folder, &file, &[&options[..], &["2"]].concat());
    assert!(one == std::fs::read(folder.join("r.sextant.zip")).expect("a bundle"), "the threads matter");
    let line = reference.about.provenance.iter().find(|line| line.starts_with("Batches: ")).expect("it is said");
    assert!(line.contains("the 3 values of 'donor_id'"), "{line}");
    let share = |word: &str| -> f64 {
        let before = line.split(word).next().and_then(|text| text.split(' ').next_back()).expect("a number before it");
        before.parse().expect("a number")
    };
    let (before, after) = (share(" without"), share(" now."));
    assert!(after > before + 0.1, "{line}");
    let (plain, _) = built(&folder, &file, &["--labels", "cell_type", "--held-out-by", "none", "--batch", "none"]);
    assert!(plain.embedding != reference.embedding);
    assert!(!plain.about.provenance.iter().any(|line| line.starts_with("Batches: ")));
    let refusal = |column: &str| {
        failure(&["reference", "build", &file, "--out", "r.sextant.zip", "--labels", "cell_type", "--batch", column])
    };
    assert!(refusal("barcode").1.contains("batches of fewer than 10 cells on average cannot be told from types"));
    assert!(refusal("lane").1.contains("no cell column 'lane' to tell batches apart by"));
}
