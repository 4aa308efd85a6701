//! Imputed proteins from the command, and where those of a reference come from.

use crate::command::{failure, query, scratch, sextant, text};
use crate::fixture;
use crate::tables::Table;
use sextant::matrix::Dense;
use sextant::reference::proteins::Proteins;
use sextant::reference::{Reference, VarianceFloor, bundle};
use std::path::Path;

fn with_proteins() -> Reference {
    let table = fixture::table("reference_proteins.tsv.gz");
    let values: Dense = table.dense();
    let proteins = Proteins { names: table.columns[1..].to_vec(), values };
    let reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    Reference { proteins: Some(proteins), ..reference }
}

fn written(folder: &Path, reference: &Reference) -> String {
    let path = folder.join("proteins.sextant.zip");
    std::fs::write(&path, bundle::write(reference).expect("a bundle")).expect("written");
    path.to_string_lossy().into_owned()
}

#[test]
fn proteins_are_imputed_on_request() {
    let folder = scratch("proteins");
    let bundle = written(&folder, &with_proteins());
    let map = |name: &str, more: &[&str]| {
        let out = folder.join(name);
        let (query, to) = (query(), out.to_string_lossy().into_owned());
        let words =
            [&["map", query.as_str(), "--reference", &bundle, "--out", &to, "--no-preservation"], more].concat();
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let summary = std::fs::read(out.join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
        (["proteins.tsv", "protein_markers.tsv"].map(|table| std::fs::read(out.join(table)).ok()), summary)
    };
    let (one, about) = map("out", &["--proteins", "--threads", "1"]);
    assert_eq!(about["proteins"]["proteins"], 42);
    assert_eq!(about["proteins"]["values"], "imputed from the reference, not measured");
    assert!(one == map("two", &["--proteins", "--threads", "2"]).0, "they depend on the number of threads");
    assert!(one == map("batch", &["--proteins", "--batch", "400"]).0, "one batch is the usual mapping");
    assert!(one != map("seurat", &["--proteins", "--method", "seurat", "--markers", "none"]).0, "the methods differ");
    let found = Table::read(&folder.join("seurat/proteins.tsv"));
    let expected = fixture::table("query_proteins.tsv.gz");
    assert_eq!((&found.columns, found.column("cell")), (&expected.columns, expected.column("cell")));
    let largest = found.matrix().iter().zip(&expected.matrix()).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
    assert!(largest < 1e-5, "{largest}");
    let markers = Table::read(&folder.join("out/protein_markers.tsv"));
    assert!(markers.column("values").iter().all(|values| values == "imputed"));

    let [values, markers] = map("halves", &["--proteins", "--batch", "200", "--markers", "coarse"]).0;
    assert!(values.is_some_and(|values| Some(values) != one[0]));
    let markers = text(&markers.expect("markers"));
    assert!(markers.lines().skip(1).all(|line| line.starts_with("coarse\t")) && markers.lines().count() > 42);
    // What another mapping left would be taken for this one's.
    let (gone, about) = map("out", &[]);
    assert!(gone == [None, None] && about["proteins"].is_null());
    let [values, markers] = map("batch", &["--proteins", "--markers", "none"]).0;
    assert!(values.is_some() && markers.is_none());

    let shown = text(&sextant(&["reference", "show", &bundle]).stdout);
    assert!(shown.contains("proteins   42: CD52, CD53, "), "{shown}");
}

#[test]
fn what_has_no_proteins_is_told() {
    let folder = scratch("no_proteins");
    let bundle = written(&folder, &Reference { proteins: None, ..with_proteins() });
    let out = folder.join("out").to_string_lossy().into_owned();
    let (code, said) = failure(&["map", &query(), "--reference", &bundle, "--out", &out, "--proteins"]);
    assert_eq!(
        (code, said.as_str()),
        (
            2,
            "sextant: The reference 'golden' has no proteins to impute any from: leave --proteins out, or build it from a file \
             with counts of proteins. See 'sextant --help'.\n"
        )
    );
    let file = format!("{}/tests/data/formats/proteins/frame.h5ad", env!("CARGO_MANIFEST_DIR"));
    let build = |proteins: &str| {
        let to = folder.join("r.sextant.zip").to_string_lossy().into_owned();
        failure(&["reference", "build", &file, "--labels", "type", "--out", &to, "--proteins", proteins])
    };
    assert_eq!(
        build("adt"),
        (
            2,
            "sextant: frame.h5ad: \"obsm\" has no entry \"adt\", and there is no file of that name. Its entries are: X_pca, \
             proteins.\n"
                .to_owned()
        )
    );
    let table = folder.join("adt.csv");
    std::fs::write(&table, "cell,CD3\ncell0,1\n").expect("written");
    let (code, said) = build(&table.to_string_lossy());
    assert!(
        code == 3 && said.starts_with("sextant: \"adt.csv\" lacks 3 of the 4 cells: cell1, cell2, cell3."),
        "{said}"
    );
    // With proteins that are fine, and with none, the labels are what is missing.
    for proteins in ["proteins", "none"] {
        assert!(build(proteins).1.contains("no cell column 'type'"));
    }
}
