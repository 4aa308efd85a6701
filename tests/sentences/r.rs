//! What is said of R objects that contradict themselves, written here in R's own ASCII form.

use crate::files::{bytes, error, file, messages, read};
use crate::refusing;

const AGAIN: &str = "The file is damaged or was not written completely; copy or download it again, or save it again in R \
                     with `saveRDS(object, \"file.rds\")`.";
const NEEDED: &str = "Sextant reads Seurat objects, SingleCellExperiments, matrices and data frames with raw counts.";

/// The bit of an object with attributes.
const ATTRIBUTES: u32 = 1 << 9;
/// A cell of a pairlist with a name.
const TAGGED: u32 = 2 | 1 << 10;

fn object(data: &str) -> Vec<u8> {
    format!("A\n2\n262146\n131840\n{}\n", data.split_whitespace().collect::<Vec<_>>().join("\n")).into_bytes()
}

fn said(data: &str) -> String {
    error(file("f", object(data)))
}

fn broken(what: &str) -> String {
    format!("f: its R data cannot be read: {what}. {AGAIN}")
}

/// Attributes by name.
fn attributes(values: &[(&str, String)]) -> String {
    let cell = |(name, value): &(&str, String)| format!("{TAGGED} 1 9 {} {name} {value} ", name.len());
    values.iter().map(cell).collect::<String>() + "254"
}

fn vector(kind: u32, values: &[&str], more: &[(&str, String)]) -> String {
    let (flags, after) = match more {
        [] => (kind, String::new()),
        more => (kind | ATTRIBUTES, attributes(more)),
    };
    format!("{flags} {} {} {after}", values.len(), values.join(" "))
}

fn reals(values: &[&str]) -> String {
    vector(14, values, &[])
}

fn integers(values: &[&str]) -> String {
    vector(13, values, &[])
}

fn texts(values: &[&str]) -> String {
    let strings: Vec<String> = values.iter().map(|text| format!("9 {} {text}", text.len())).collect();
    vector(16, &strings.iter().map(String::as_str).collect::<Vec<_>>(), &[])
}

fn list(elements: &[&str], more: &[(&str, String)]) -> String {
    vector(19, elements, more)
}

/// An object of a class with slots.
fn s4(class: &str, slots: &[(&str, String)]) -> String {
    let slots: Vec<(&str, String)> = slots.iter().cloned().chain([("class", texts(&[class]))]).collect();
    format!("{} {}", 25 | ATTRIBUTES, attributes(&slots))
}

/// Numbers that R keeps as their length, the first and the step.
fn sequence(length: &str, more: &[(&str, String)]) -> String {
    let after = if more.is_empty() { String::from("254") } else { attributes(more) };
    format!("238 2 1 9 14 compact_intseq 254 {} {after}", reals(&[length, "1", "1"]))
}

fn names() -> String {
    list(&[&texts(&["CD3E", "MS4A1"]), &texts(&["a", "b", "c"])], &[])
}

/// Two genes and three cells.
fn matrix() -> String {
    s4(
        "dgCMatrix",
        &[
            ("i", integers(&["0", "1", "0", "0", "1"])),
            ("p", integers(&["0", "2", "3", "5"])),
            ("Dim", integers(&["2", "3"])),
            ("Dimnames", names()),
            ("x", reals(&["5", "1", "2", "3", "7"])),
        ],
    )
}

#[test]
fn matrices_that_are_mere_claims_are_explained() {
    assert_eq!(read(file("f", object(&matrix()))).counts.nonzeros(), 5);
    let of_a_sequence = sequence("70000", &[("dim", integers(&["2", "35000"]))]);
    assert_eq!(said(&of_a_sequence), broken("of \"matrix\", its values are a mere sequence of numbers"));
    let shapeless = s4("dgCMatrix", &[("Dim", integers(&["2", "3", "4"]))]);
    assert_eq!(said(&shapeless), broken("of \"matrix\", it has no numbers of rows and columns"));
}

#[test]
fn objects_without_counts_are_named() {
    for (data, what) in [
        (integers(&["1", "2", "3"]), "numbers without rows and columns"),
        ("4 0 254 254 254 254".into(), "an environment"),
        ("8 3 sum".into(), "an object of the kind \"function\""),
        ("23".into(), "an object of the kind \"weak reference\""),
        ("238 2 1 9 7 mmap_in 254 254 254".into(), "an object of the kind \"vector of another package\""),
        ("1 9 1 a".into(), "an object without data"),
        ("254".into(), "NULL"),
    ] {
        assert_eq!(said(&data), format!("f: it is a file of R without counts: it holds {what}. {NEEDED}"));
    }
}

/// What is said of a column of the table of cells.
fn column(data: &str) -> Vec<String> {
    let table = list(
        &[data],
        &[("names", texts(&["column"])), ("row.names", texts(&["a", "b", "c"])), ("class", texts(&["data.frame"]))],
    );
    let both = list(&[&matrix(), &table], &[("names", texts(&["counts", "cells"]))]);
    let dataset = read(file("f", object(&both)));
    messages(&dataset.warnings).into_iter().map(str::to_owned).collect()
}

#[test]
fn runs_that_make_no_sense_are_left_out() {
    let runs = |values: String, lengths: String| s4("Rle", &[("values", values), ("lengths", lengths)]);
    let good = runs(texts(&["x", "y"]), integers(&["1", "2"]));
    assert_eq!(column(&good), [""; 0]);
    let few = runs(texts(&["x", "y"]), integers(&["3"]));
    for (data, what) in [
        (s4("Rle", &[("values", texts(&["x"]))]), "runs of values have no values or no lengths"),
        (runs(texts(&["x"]), texts(&["3"])), "runs of values have no lengths"),
        (runs(good.clone(), integers(&["1", "2"])), "runs of values are nested"),
        (runs(texts(&["x"]), reals(&["20000000"])), "runs of values are impossibly long"),
        (runs(texts(&["x"]), reals(&["-1"])), "runs of values are impossibly long"),
        (few, "runs of values have not as many lengths as values"),
        (sequence("9000000", &[]), "a sequence is impossibly long"),
    ] {
        let why = broken(what);
        let why = why.strip_prefix("f: ").unwrap_or_default();
        assert_eq!(column(&data), [format!("The column \"column\" of the table of cells was left out: {why}")]);
    }
}

#[test]
fn counts_beyond_the_memory_are_refused() {
    assert_eq!(
        refusing::without(2_060, || error(file("f", bytes("r/dgc_gzip.rds")))),
        "f: its 515 counts need 0 MB of memory, more than there is here. Use the command on a machine with more memory, or split \
         the file."
    );
}
