//! The command as a person calls it, on the golden reference and query.

use crate::fixture::{self, folder};
use sextant::reference::{VarianceFloor, bundle};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this test's own, emptied.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

pub fn sextant(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sextant")).args(arguments).output().expect("the command runs")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Exit code and what it said.
pub fn failure(arguments: &[&str]) -> (i32, String) {
    let output = sextant(arguments);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code().expect("an exit code"), text(&output.stderr))
}

/// The golden reference as a bundle on disk.
pub fn golden_bundle(folder: &Path) -> String {
    let reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    let path = folder.join("golden.sextant.zip");
    std::fs::write(&path, bundle::write(&reference).expect("a bundle")).expect("written");
    path.to_string_lossy().into_owned()
}

pub fn query() -> String {
    folder().join("query.h5").to_string_lossy().into_owned()
}
