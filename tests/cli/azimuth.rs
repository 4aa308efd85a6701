//! `sextant reference import`: a reference of Azimuth as a bundle, and a query mapped onto it.

use crate::command::{failure, query, scratch, sextant, text};
use crate::tables::Table;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/azimuth").join(name)
}

#[test]
fn imports_a_reference_and_maps_onto_it_as_seurat() {
    let folder = scratch("import_azimuth");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (source, bundle, about) =
        (data("proteins.Rds").to_string_lossy().into_owned(), path("a.sextant.zip"), path("a.json"));
    std::fs::write(&about, r#"{"name": "kang", "title": "Kang", "citation": "Kang et al. 2018"}"#).expect("written");
    let output = sextant(&["reference", "import", &source, "--out", &bundle, "--about", &about]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("a.sextant.zip': 250 cells, 460 features, ") && !said.contains("warning"), "{said}");

    let output = sextant(&["reference", "show", &bundle]);
    let said = text(&output.stdout);
    assert!(said.starts_with("kang - Kang (version )\n"), "{said}");
    for line in [
        "citation   Kang et al. 2018\n",
        "level      celltype.l1: myeloid 121, lymphoid 120, other 9\n",
        "proteins   9: CD8A, CD14, CD74, CD3E, CD3D, CD27, CD69, CD68, CD7\n",
        "made by    Imported from an Azimuth reference: reference 1.0.0, made by Azimuth 0.5.0 with Seurat 4.3.0.\n",
        "made by    Model, loadings and embedding as published: 460 features, 50 dimensions of refDR, 250 cells; the map was learned on 300 cells.\n",
    ] {
        assert!(said.contains(line), "{line}{said}");
    }

    let out = path("out");
    let words =
        ["map", &query(), "--reference", &bundle, "--method", "seurat", "--proteins", "--genes", "none", "--out", &out];
    let output = sextant(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (found, expected) =
        (Table::read(&folder.join("out/predictions.tsv")), Table::read(&data("predictions.tsv.gz")));
    for level in ["predicted.celltype.l1", "predicted.celltype.l2"] {
        assert_eq!(found.column(level), expected.column(level), "{level}");
        let score = format!("{level}.score");
        for (ours, theirs) in found.numbers(&score).into_iter().zip(expected.numbers(&score)) {
            assert!((ours - theirs).abs() < 1e-5, "{score}: {ours} {theirs}");
        }
    }
    let (found, expected) =
        (Table::read(&folder.join("out/proteins.tsv")), Table::read(&data("query_proteins.tsv.gz")));
    for protein in &expected.columns[1..] {
        for (ours, theirs) in found.numbers(protein).into_iter().zip(expected.numbers(protein)) {
            assert!((ours - theirs).abs() < 1e-4, "{protein}: {ours} {theirs}");
        }
    }
}

#[test]
fn takes_the_levels_asked_for_and_refuses_what_is_no_reference() {
    let folder = scratch("import_azimuth_refused");
    let (source, out) = (
        data("spca_v2.Rds").to_string_lossy().into_owned(),
        folder.join("b.sextant.zip").to_string_lossy().into_owned(),
    );
    let output = sextant(&["reference", "import", &source, "--out", &out, "--levels", "celltype.l2"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&sextant(&["reference", "show", &out]).stdout);
    assert!(said.contains("celltype.l2: ") && !said.contains("celltype.l1: "), "{said}");
    assert_eq!(
        failure(&["reference", "import", &source, "--out", &out, "--levels", "l2"]),
        (
            2,
            format!(
                "sextant: {source}: meta.data has no column \"l2\" to take for a level. Its columns are: orig.ident, celltype.l1, \
                 celltype.l2, ori.index.\n"
            )
        )
    );
    let file = query();
    assert_eq!(
        failure(&["reference", "import", &file, "--out", &out]),
        (
            4,
            format!(
                "sextant: {file}: This cannot be imported as an Azimuth reference: it is no file that R's saveRDS() wrote. Give the \
                 file ref.Rds of a published reference, or what AzimuthReference() of the R package Azimuth returns, saved with \
                 saveRDS().\n"
            )
        )
    );
    assert_eq!(
        failure(&["reference", "import", "absent.Rds", "--out", &out]),
        (1, "sextant: Cannot open 'absent.Rds': No such file or directory (os error 2).\n".into())
    );
    assert_eq!(
        failure(&["reference", "fetch"]),
        (2, "sextant: 'sextant reference' takes 'build', 'validate', 'import', 'export' or 'show'. See 'sextant --help'.\n".into())
    );
}
