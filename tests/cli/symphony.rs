//! `sextant reference import`: a reference of Symphony as a bundle, with any number of threads. (Its features are too few for the
//! command to map anything onto it: `tests/symphony` does.)

use crate::command::{query, scratch, sextant, text};
use std::path::Path;

#[test]
fn imports_a_reference_of_symphony() {
    let folder = scratch("import_symphony");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/symphony/plain.rds");
    let source = source.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for threads in ["1", "2"] {
        let bundle = path("s.sextant.zip");
        let output = sextant(&["reference", "import", &source, "--out", &bundle, "--threads", threads]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(said.contains("s.sextant.zip': 120 cells, 60 features, "), "{said}");
        assert!(said.contains("warning: cache is missing; what a query is corrected with was computed"), "{said}");
        found.push(std::fs::read(&bundle).expect("a bundle"));
    }
    assert!(found[0] == found[1], "the same bytes");
    let output = sextant(&["map", &query(), "--reference", &path("s.sextant.zip"), "--out", &path("out")]);
    assert!(
        text(&output.stderr)
            .contains("of the 60 features of the reference 's' are in this file; at least 250 are needed")
    );
    let said = text(&sextant(&["reference", "show", &path("s.sextant.zip")]).stdout);
    assert!(
        said.contains("made by    Imported from a Symphony reference: log1p of counts per 10,000, scaled"),
        "{said}"
    );
}
