//! Every sentence of `src` stands in a test.
//!
//! String literals with three words or more are sentences, or parts of some. Of each the longest piece between its
//! placeholders has to stand in a literal of a test: in `tests`, or in a module of tests in `src`.

use crate::literals::{Literal, literals};
use std::path::{Path, PathBuf};

/// Sentences that no test provokes, with the reason.
const UNTESTED: [(&str, &str); 12] = [
    ("are not there", "a choice has a part at least"),
    ("it is shorter than it should be", "arrays that belong together are compared in length before they are read"),
    ("it has an impossible length", "only where addresses have 32 bits"),
    ("its chunks have another rank", "the HDF5 library compares the two"),
    ("a list has no beginning", "a frame of the parser is taken off where one was put on"),
    ("it does not go on", "inflating takes bytes, gives bytes, or fails"),
    ("its shape does not fit the names of cells and genes", "every reader compares them before"),
    ("it has no readable column", "only HDF5 from before 2001 keeps arrays in tables in that way"),
    ("fortran_order': False, 'shape", "no sentence, but the head of an array of NumPy"),
    ("The object of R cannot be packed", "zlib is given room for what it packs"),
    (
        "A part of the reference has more elements than a vector of R may have",
        "two thousand million of them take more memory than a test has",
    ),
    ("The reference cannot be written as JSON", "nothing in it has no form in JSON"),
];
/// Files and folders whose sentences are not about the files that people bring, and what tests them.
const ELSEWHERE: [(&str, &str); 3] = [
    ("src/bin/", "tests/cli runs the command"),
    ("src/wasm", "tests/browser runs the page"),
    ("src/build.rs", "what a reference says of its making"),
];
/// What stands before literals that are no sentences for people: reasons of lints, mistakes of the program, stages.
const BEFORE: [&str; 6] = ["reason =", "expect(", "unreachable!(", "const STAGE: &str =", ".report(", "#[doc ="];
/// Fewer sentences mean that they were not found, not that they are gone.
const FEWEST: usize = 450;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, found),
            false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The longest piece between placeholders, as it is printed.
fn longest_piece(literal: &str) -> String {
    let plain = literal.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let pieces = plain.split('{').enumerate().map(|(number, piece)| match number {
        0 => piece,
        _ => piece.split_once('}').map_or(piece, |(_, rest)| rest),
    });
    let longest = pieces.max_by_key(|piece| piece.len()).unwrap_or_default();
    let longest = longest.replace('\u{1}', "{").replace('\u{2}', "}");
    // Tests may put the parts of a sentence together where one ends.
    longest.trim_matches(|letter: char| letter.is_whitespace() || ".,:;()'\"`".contains(letter)).to_owned()
}

fn is_sentence(literal: &str) -> bool {
    literal.split_whitespace().count() >= 3 && longest_piece(literal).contains(' ')
}

#[test]
fn every_sentence_stands_in_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut tests, mut sources) = (Vec::new(), Vec::new());
    files(&root.join("tests"), &mut tests);
    files(&root.join("src"), &mut sources);
    let (mut tested, mut sentences) = (String::new(), Vec::new());
    for path in tests.iter().filter(|path| !path.ends_with("guard.rs")) {
        for Literal { text, .. } in literals(&std::fs::read_to_string(path).expect("a test")) {
            tested.push_str(&text);
            tested.push('\0');
        }
    }
    for path in &sources {
        let source = std::fs::read_to_string(path).expect("a source");
        let name = path.strip_prefix(root).expect("a path below the root").display().to_string();
        let of_tests = ["tests.rs", "corpus.rs"].iter().any(|ending| name.ends_with(ending));
        let tests_begin = if of_tests { 0 } else { source.find("#[cfg(test)]\nmod ").unwrap_or(source.len()) };
        for Literal { text, line, start } in literals(&source) {
            if start >= tests_begin {
                tested.push_str(&text);
                tested.push('\0');
            } else if is_sentence(&text) && !BEFORE.iter().any(|before| source[..start].trim_end().ends_with(before)) {
                sentences.push((format!("{name}:{line}"), text));
            }
        }
    }
    let elsewhere = |place: &str| ELSEWHERE.iter().any(|(start, _)| place.starts_with(start));
    let excused = |piece: &str| UNTESTED.iter().any(|(sentence, _)| *sentence == piece);
    let missing: Vec<String> = sentences
        .iter()
        .filter(|(place, _)| !elsewhere(place))
        .map(|(place, text)| (place, longest_piece(text)))
        .filter(|(_, piece)| !tested.contains(piece.as_str()) && !excused(piece))
        .map(|(place, piece)| format!("{place}: no test has \"{piece}\""))
        .collect();
    assert!(missing.is_empty(), "{} of {} sentences:\n{}", missing.len(), sentences.len(), missing.join("\n"));
    assert!(sentences.len() >= FEWEST, "only {} sentences were found", sentences.len());
    for (sentence, reason) in UNTESTED {
        assert!(!reason.is_empty());
        let found = sentences.iter().any(|(_, text)| longest_piece(text) == sentence);
        assert!(found && !tested.contains(sentence), "\"{sentence}\" needs no excuse");
    }
}

#[test]
fn pieces_are_cut_at_placeholders() {
    assert_eq!(longest_piece("it has {found} entries, not {}"), "entries, not");
    assert_eq!(longest_piece("a table {{of}} {0:?}"), "a table {of}");
    assert!(is_sentence("it is cut") && !is_sentence("it is") && !is_sentence("{} {} {} a"));
}
