//! `sextant reference import`: a reference of Symphony as a bundle, and a query mapped onto it, with any number of threads.

use crate::command::{query, scratch, sextant, text};
use std::path::Path;

#[test]
fn imports_a_reference_of_symphony_and_maps_onto_it() {
    let folder = scratch("import_symphony");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/symphony/plain.rds");
    let source = source.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for threads in ["1", "2"] {
        let (bundle, out) = (path("s.sextant.zip"), path("out"));
        let output = sextant(&["reference", "import", &source, "--out", &bundle, "--threads", threads]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.contains("s.sextant.zip': 120 cells, 60 features, "), "{said}");
        assert!(said.contains("warning: cache is missing; what a query is corrected with was computed"), "{said}");
        let words = ["map", &query(), "--reference", &bundle, "--out", &out, "--threads", threads, "--doublets"];
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let table = |name: &str| std::fs::read(folder.join("out").join(name)).expect(name);
        let bundle = std::fs::read(&bundle).expect("a bundle");
        found.push((bundle, ["predictions.tsv", "umap.tsv", "doublets.tsv"].map(table)));
    }
    assert!(found[0] == found[1], "the same bytes");
    let said = text(&sextant(&["reference", "show", &path("s.sextant.zip")]).stdout);
    assert!(
        said.contains("made by    Imported from a Symphony reference: log1p of counts per 10,000, scaled"),
        "{said}"
    );
}
