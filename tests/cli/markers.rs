//! Marker genes from the command: tables of a mapping, and of groups that are known.

use crate::command::{failure, golden_bundle, query, scratch, sextant, text};
use crate::fixture::table;
use crate::tables;
use std::path::Path;

/// Maps the golden query, and reads the table of marker genes and the summary.
fn map_with_markers(name: &str, more: &[&str]) -> (Option<tables::Table>, serde_json::Value) {
    let folder = scratch(name);
    let bundle = golden_bundle(&folder);
    let out = folder.join("out");
    let (query, written) = (query(), out.to_string_lossy().into_owned());
    let words = [&["map", query.as_str(), "--reference", &bundle, "--out", &written], more].concat();
    let output = sextant(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary = std::fs::read(out.join("summary.json")).expect("a summary");
    let path = out.join("markers.tsv");
    (path.is_file().then(|| tables::Table::read(&path)), serde_json::from_slice(&summary).expect("JSON"))
}

const MARKER_COLUMNS: [&str; 16] = [
    "level", "type", "gene", "id", "auc", "z", "p", "padj", "log2fc", "mean_in", "mean_out", "pct_in", "pct_out",
    "cells", "others", "genes",
];

#[test]
fn marker_genes_of_every_level() {
    let (table, summary) = map_with_markers("markers", &["--method", "seurat"]);
    let table = table.expect("marker genes");
    assert_eq!(table.columns, MARKER_COLUMNS);
    let mut levels = table.column("level");
    levels.dedup();
    assert_eq!(levels, ["cell_type", "coarse"]);
    let of_type =
        |name: &str| table.rows.iter().filter(|row| row[0] == "cell_type" && row[1] == name).collect::<Vec<_>>();
    let b_cells = of_type("B cells");
    assert_eq!(b_cells.len(), 100);
    let genes: Vec<&str> = b_cells.iter().map(|row| row[2].as_str()).collect();
    assert!(genes[..5].contains(&"CD79A") && genes[..20].contains(&"MS4A1"), "{genes:?}");
    let z: Vec<f64> = b_cells.iter().map(|row| tables::number(&row[5])).collect();
    assert!(z.is_sorted_by(|a, b| a >= b) && z[99] > 0.0, "{z:?}");
    for row in &b_cells {
        let [mean_in, mean_out] = [&row[9], &row[10]].map(|text| tables::number(text));
        let change = libm::log2((mean_in + 1.0) / (mean_out + 1.0));
        assert!((tables::number(&row[8]) - change).abs() < 1e-5, "{row:?}");
        let [cells, others] = [&row[13], &row[14]].map(|text| tables::number(text));
        assert_eq!(cells + others, 400.0);
        assert_eq!(row[15], "all");
    }
    assert!(of_type("Dendritic cells").is_empty());
    let warnings = summary["warnings"].as_array().expect("warnings");
    let said = warnings.iter().find(|warning| warning["code"] == "few_cells_for_markers").expect("a sentence");
    let expected =
        "\"Dendritic cells\" at \"cell_type\" has 2 cells; marker genes are sought for groups of more than 15.";
    assert_eq!(said["message"], expected);
    assert_eq!(summary["markers"]["method"], "normalised");
    assert_eq!(summary["markers"]["genes"], "all");
    assert_eq!(summary["markers"]["genes_compared"], 3913);
    assert_eq!(summary["markers"]["genes_shown_of_each_type"], 100);
}

#[test]
fn marker_genes_as_azimuth_shows_them() {
    let words = ["--markers", "cell_type", "--markers-method", "azimuth"];
    let (table, summary) = map_with_markers("markers_azimuth", &words);
    let table = table.expect("marker genes");
    assert_eq!(table.columns[4..11], ["avgExpr", "logFC", "auc", "pval", "padj", "pct_in", "pct_out"]);
    assert!(table.column("level").iter().all(|level| level == "cell_type"));
    let b_cells: Vec<_> = table.rows.iter().filter(|row| row[1] == "B cells").collect();
    assert_eq!(b_cells.len(), 10);
    let adjusted: Vec<f64> = b_cells.iter().map(|row| tables::number(&row[8])).collect();
    assert!(adjusted.is_sorted());
    assert!(b_cells.iter().all(|row| tables::number(&row[5]) > 0.0));
    assert_eq!(summary["markers"]["levels"], serde_json::json!(["cell_type"]));
}

#[test]
fn marker_genes_are_as_many_as_asked_for() {
    let (table, _) = map_with_markers("markers_none", &["--markers", "none"]);
    assert!(table.is_none());
    let (table, _) =
        map_with_markers("markers_top", &["--markers", "coarse", "--markers-top", "3", "--levels", "coarse"]);
    let table = table.expect("marker genes");
    assert!(table.rows.chunks(3).all(|rows| rows.len() == 3 && rows.iter().all(|row| row[1] == rows[0][1])));
    let words = ["--markers-top", "all", "--reference-genes-only"];
    let (all, summary) = map_with_markers("markers_all", &words);
    let all = all.expect("marker genes");
    let compared = summary["markers"]["genes_compared"].as_u64().expect("a number");
    assert_eq!((compared, &summary["markers"]["genes"]), (1948, &serde_json::json!("reference")));
    let b_cells = all.rows.iter().filter(|row| row[0] == "cell_type" && row[1] == "B cells");
    assert_eq!(b_cells.count() as u64, compared);
    assert!(all.column("genes").iter().all(|genes| genes == "reference"));
}

#[test]
fn marker_genes_of_one_type_against_the_rest_or_another() {
    let (all, _) = map_with_markers("markers_each", &["--markers", "cell_type"]);
    let all = all.expect("marker genes");
    let chosen = |name: &str, more: &[&str]| {
        let words = [&["--markers", "cell_type", "--markers-group", "NK cells"], more].concat();
        map_with_markers(name, &words).0.expect("marker genes")
    };
    let one = chosen("markers_one", &[]);
    let expected: Vec<_> = all.rows.iter().filter(|row| row[1] == "NK cells").collect();
    assert!(!expected.is_empty() && one.rows.iter().eq(expected));
    let two = chosen("markers_two", &["--markers-against", "B cells"]);
    let mut types = two.column("type");
    types.dedup();
    assert_eq!(types, ["NK cells", "B cells"]);
    let cells = |name: &str, place: usize| all.rows.iter().find(|row| row[1] == name).map(|row| row[place].clone());
    assert_eq!(
        (Some(&two.rows[0][13]), Some(&two.rows[0][14])),
        (cells("NK cells", 13).as_ref(), cells("B cells", 13).as_ref())
    );

    let bundle = golden_bundle(&scratch("markers_mistaken"));
    let mistakes: [(&[&str], &str); 4] = [
        (&["--markers-group", "B cells"], "--markers-group needs --markers with the one level that the group is of."),
        (&["--markers-against", "B cells"], "--markers-against needs --markers-group: the group to compare with it."),
        (&["--markers", "cell_type", "--markers-group", "T"], "\"cell_type\" has no group \"T\". Its groups are: "),
        (
            &["--markers", "cell_type", "--markers-group", "B cells", "--markers-against", "B"],
            "\"cell_type\" has no group \"B\". Its groups are: ",
        ),
    ];
    for (more, sentence) in mistakes {
        let (code, said) = failure(&[&["map", "x.h5", "--reference", &bundle, "--out", "x"], more].concat());
        assert!(code == 2 && said.contains(sentence), "{more:?}: {said}");
    }
}

#[test]
fn marker_genes_of_groups_that_are_known() {
    let folder = scratch("markers_known");
    let query = query();
    let cells = table("query_cells.tsv.gz");
    let types = cells.column("cell_type");
    let labelled: Vec<(String, &String)> = cells.column("cell").into_iter().zip(&types).collect();
    let lines: String = labelled[1..].iter().map(|(cell, label)| format!("{cell}\t1\t{label}\n")).collect();
    let groups = folder.join("groups.tsv");
    std::fs::write(&groups, format!("cell\tbatch\tkind\n{lines}")).expect("written");
    let groups = groups.to_string_lossy().into_owned();
    let run = |more: &[&str]| {
        let out = folder.join("out").to_string_lossy().into_owned();
        let words = [&["markers", &query, "--groups", &groups, "--group-by", "kind", "--out", &out], more].concat();
        let output = sextant(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (tables::Table::read(&folder.join("out/markers.tsv")), text(&output.stdout))
    };
    let (all, said) = run(&[]);
    assert!(said.contains("warning: 1 of the 400 cells have no group and were compared with none."), "{said}");
    assert_eq!(all.columns, MARKER_COLUMNS);
    assert!(all.column("level").iter().all(|level| level == "kind"));
    let (one, _) = run(&["--group", "B cells", "--top", "5"]);
    let rows: Vec<_> = all.rows.iter().filter(|row| row[1] == "B cells").take(5).collect();
    assert!(rows.len() == 5 && rows.iter().eq(&one.rows.iter().collect::<Vec<_>>()));
    let (few, _) = run(&["--filter", "min_counts=1400"]);
    let cells = |table: &tables::Table| tables::number(&table.rows[0][13]) + tables::number(&table.rows[0][14]);
    assert!(cells(&few) > 50.0 && cells(&few) < cells(&all));
    let (two, said) = run(&["--group", "NK cells", "--against", "B cells", "--method", "azimuth"]);
    let mut kinds = two.column("type");
    kinds.dedup();
    assert_eq!(kinds, ["NK cells", "B cells"]);
    let of_kind = |kind: &str| types[1..].iter().filter(|label| *label == kind).count();
    let (first, second) = (of_kind("NK cells"), of_kind("B cells"));
    assert!(said.contains(&format!("NK cells: {first} cells against {second}\n")), "{said}");

    let mistakes: [(&[&str], &str); 8] = [
        (
            &["--group-by", "kind", "--groups", &groups, "--group", "T"],
            "\"kind\" has no group \"T\". Its groups are: B cells, ",
        ),
        (
            &["--group-by", "kind", "--groups", &groups, "--group", "T", "--against", "B cells"],
            "\"kind\" has no group \"T\". Its groups are: B cells, ",
        ),
        (&["--group-by", "kind", "--against", "B cells"], "--against needs --group: the group to compare with it."),
        (&["--group-by", "type", "--groups", &groups], " has no column 'type'. Its columns are: batch, kind."),
        (
            &["--group-by", "kind"],
            "The file has no table of cells, so no column 'kind'. Name a table with --groups TABLE.tsv.",
        ),
        (&["--group-by", "kind", "--top", "0"], "--top takes a number from 1, or 'all', not '0'."),
        (&["--group-by", "kind", "--method", "t-test"], "--method takes 'normalised' or 'azimuth', not 't-test'."),
        (&["--groups", &groups], "--group-by is missing."),
    ];
    for (more, sentence) in mistakes {
        let (code, said) = failure(&[&["markers", &query, "--out", "x"], more].concat());
        assert!(code == 2 && said.contains(sentence), "{more:?}: {said}");
    }
    std::fs::write(folder.join("groups.tsv"), "cell\tkind\nnobody\tB cells\n").expect("written");
    let (code, said) = failure(&["markers", &query, "--group-by", "kind", "--groups", &groups, "--out", "x"]);
    assert_eq!(code, 2);
    assert!(
        said.contains("None of the 400 cells stands in '")
            && said.contains("' with a group. Its first column has to have")
    );
}

#[test]
fn marker_genes_by_the_table_of_cells_of_the_file() {
    let folder = scratch("markers_of_file");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats/anndata_csr.h5ad");
    let file = file.to_string_lossy().into_owned();
    let out = folder.join("out").to_string_lossy().into_owned();
    let (code, said) = failure(&["markers", &file, "--group-by", "no such", "--out", &out]);
    assert_eq!(code, 2);
    assert!(said.contains("The file has no cell column 'no such'. Its columns are: "), "{said}");
    let (code, said) = failure(&["markers", &file, "--group-by", "score", "--out", &out]);
    assert_eq!(code, 2);
    assert!(said.contains("The cell column 'score' holds numbers, not groups."), "{said}");
    for column in ["cell_type", "clusters"] {
        let output = sextant(&["markers", &file, "--group-by", column, "--out", &out, "--top", "all"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let found = std::fs::read_to_string(folder.join("out/markers.tsv")).expect("a table");
        assert_eq!(found.lines().next().expect("a header"), MARKER_COLUMNS.join("\t"));
        // No group of this little file has more than 12 cells.
        let said = text(&output.stdout);
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(
            said.contains("have too few cells for marker genes, which are sought for groups of more than 15: "),
            "{said}"
        );
    }
}

#[test]
fn levels_of_markers_have_to_be_mapped() {
    let folder = scratch("markers_mistakes");
    let bundle = golden_bundle(&folder);
    let words = ["map", &query(), "--reference", &bundle, "--out", "x", "--levels", "coarse", "--markers", "cell_type"];
    let (code, said) = failure(&words);
    assert_eq!(
        (code, said.as_str()),
        (2, "sextant: --markers names 'cell_type', which is not mapped. Mapped are: coarse. See 'sextant --help'.\n")
    );
}
