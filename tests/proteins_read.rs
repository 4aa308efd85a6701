//! Counts of proteins that come with the counts of genes of a reference: where they are found, and what is said of others.

#[path = "common/files.rs"]
mod files;

use files::{bytes, file, open};
use ndarray::array;
use sextant::build::proteins::normalise;
use sextant::formats::ProteinTable;
use sextant::matrix::Dense;

const NAMES: [&str; 3] = ["CD3", "CD4", "CD45RA.RO"];

/// What every good file has.
fn counts() -> Dense {
    array![[0.0, 0.0, 2.0], [10.0, 0.0, 12.0], [20.0, 0.0, 22.0], [30.0, 0.0, 32.0]]
}

fn cells() -> Vec<String> {
    (0..4).map(|cell| format!("cell{cell}")).collect()
}

fn read(name: &str, key: Option<&str>) -> sextant::Result<Option<ProteinTable>> {
    open(file("p.h5ad", bytes(&format!("proteins/{name}.h5ad"))))?.proteins(key)
}

fn said(name: &str, key: Option<&str>) -> String {
    read(name, key).expect_err(name).message
}

#[test]
fn every_form_is_read() {
    for (name, key, place) in [
        ("frame", None, "obsm/proteins"),
        ("frame", Some("proteins"), "obsm/proteins"),
        ("scvi", None, "obsm/protein_expression"),
        ("array", Some("adt"), "obsm/adt"),
        ("sparse", None, "obsm/proteins"),
    ] {
        let expected = ProteinTable { place: place.into(), names: NAMES.map(str::to_owned).to_vec(), values: counts() };
        assert_eq!(read(name, key).expect(name), Some(expected), "{name}");
    }
    assert_eq!(read("none", None).expect("a file"), None);
    assert_eq!(read("array", None).expect("a file"), None);
}

#[test]
fn sentences_about_entries_of_files() {
    for (name, key, sentence) in [
        (
            "none",
            Some("adt"),
            "\"obsm\" has no entry \"adt\", and there is no file of that name. Its entries are: X_pca.",
        ),
        (
            "bad_no_names",
            None,
            "\"obsm/proteins\" is an array whose columns have no names. Write it as a data frame, with \
             `adata.obsm[\"proteins\"] = pandas.DataFrame(values, adata.obs_names, names)`, or put its names into \
             `adata.uns[\"proteins_names\"]`.",
        ),
        (
            "bad_names",
            None,
            "\"uns/proteins_names\" has 2 names for the 3 columns of \"obsm/proteins\". Write one name for each.",
        ),
        (
            "bad_text",
            None,
            "The column \"batch\" of \"obsm/proteins\" holds text, and counts of a protein were expected. Leave it out, or name \
             another table of proteins.",
        ),
        ("bad_columns", None, "\"obsm/proteins\" has 0 columns; a table of cells by proteins has 1 to 10,000."),
        ("bad_rows", None, "\"obsm/proteins\" has 3 rows, and the file has 4 cells. Write one row for each cell."),
        ("bad_rank", None, "\"obsm/proteins\" should be a table of cells by proteins and has another shape."),
    ] {
        assert_eq!(said(name, key), format!("p.h5ad: {sentence}"), "{name}");
    }
    let other = open(file("p.h5", bytes("tenx_v3.h5"))).expect("a file");
    assert_eq!(other.proteins(None).expect("a file"), None);
    assert_eq!(
        other.proteins(Some("adt")).expect_err("no such entry").message,
        "p.h5: A file of the kind \"10x HDF5 (Cell Ranger 3 or later)\" has no entries in obsm to take proteins from. Name a \
         table of cells by proteins (TSV or CSV) instead, or use H5AD."
    );
    let several = [file("a.h5ad", bytes("proteins/frame.h5ad")), file("b.h5ad", bytes("proteins/scvi.h5ad"))].concat();
    let several = open(several).expect("two files");
    assert_eq!(several.proteins(None).expect("none are looked for"), None);
    assert_eq!(
        several.proteins(Some("adt")).expect_err("several").message,
        "The proteins \"adt\" are looked for in one file, and there are several. Name a table of all cells by proteins (TSV or \
         CSV) instead."
    );
}

#[test]
fn tables_of_many_writers() {
    let expected = ProteinTable { place: "t".into(), names: NAMES.map(str::to_owned).to_vec(), values: counts() };
    for table in [
        "cell\tCD3\tCD4\tCD45RA.RO\ncell1\t10\t0\t12\nother\t7\t7\t7\ncell0\t0\t0\t2\ncell2\t20\t0\t22\ncell3\t30\t0\t32\n",
        // R's write.table and write.csv, pandas' to_csv
        "\"CD3\"\t\"CD4\"\t\"CD45RA.RO\"\n\"cell0\"\t0\t0\t2\n\"cell1\"\t10\t0\t12\n\"cell2\"\t20\t0\t22\n\"cell3\"\t30\t0\t32\n",
        "\u{feff},CD3,CD4,CD45RA.RO\r\ncell3,30.0,0.0,32.0\r\ncell2,20,0,22\r\ncell1,10,0,12\r\ncell0,0,0,2\r\n\r\n",
        // Proteins by cells
        "\"\",\"cell0\",\"cell1\",\"cell3\",\"cell2\",\"other\"\n\"CD3\",0,10,30,20,7\n\"CD4\",0,0,0,0,7\n\"CD45RA.RO\",2,12,32,22,7\n",
    ] {
        assert_eq!(ProteinTable::of_text(table, "t", &cells()).expect(table), expected, "{table}");
    }
}

#[test]
fn sentences_about_tables() {
    let said = |table: &str| ProteinTable::of_text(table, "t.csv", &cells()).expect_err(table).message;
    assert_eq!(
        said("cell,CD3\ncell0,1\ncell3,2\n"),
        "\"t.csv\" lacks 2 of the 4 cells: cell1, cell2. Its first column (or its first line) has to name every cell as the file \
         with the counts does."
    );
    assert_eq!(said("cell,CD3\ncell0,1\ncell0,2\n"), "\"t.csv\" has the cell \"cell0\" twice. Leave one of them.");
    assert_eq!(
        said("cell,CD3,CD4\ncell0,1,2\ncell1,3\n"),
        "\"t.csv\" has 2 columns of values, but 1 values in its 2. row. Write a value for each protein of each cell."
    );
    assert_eq!(
        said("cell,CD3\ncell0,1\ncell1,2\ncell2,NA\ncell3,4\n"),
        "\"t.csv\" has \"NA\" for \"CD3\" in the cell \"cell2\", which is no number."
    );
    assert_eq!(said(""), "\"t.csv\" has 0 columns; a table of cells by proteins has 1 to 10,000.");
    assert_eq!(said("cell\ncell0\n"), "\"t.csv\" has 0 columns; a table of cells by proteins has 1 to 10,000.");
}

#[test]
fn only_counts_are_normalised() {
    let table = |values: Dense| ProteinTable {
        place: "obsm/adt".into(),
        names: ["CD3", "CD4"].map(str::to_owned).to_vec(),
        values,
    };
    let two: Vec<String> = cells()[..2].to_vec();
    let (proteins, warnings) = normalise(&table(array![[1.0, 3.0], [0.0, 0.0]]), &two).expect("counts");
    // Of the first cell the mean of log 2 and log 4 is log √8.
    let expected = [1.0, 3.0].map(|count: f64| libm::log1p(count / libm::sqrt(8.0)) as f32);
    assert_eq!(proteins.values, array![[expected[0], expected[1]], [0.0, 0.0]]);
    assert_eq!(warnings[0].message, "1 of the 2 cells have no counts of proteins; they count as having none of any.");
    let said = |table: &ProteinTable, cells: &[String]| normalise(table, cells).expect_err("no counts").message;
    for value in [0.5, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(
            said(&table(array![[1.0, 3.0], [0.0, value]]), &two),
            format!(
                "\"obsm/adt\" holds {value} for \"CD4\" in the cell \"cell1\", and counts are whole numbers of 0 or more. Give \
                 the raw counts of the proteins, or leave them out with --proteins none."
            )
        );
    }
    let good = array![[1.0, 3.0], [0.0, 1.0]];
    assert_eq!(
        said(&table(good.clone()), &cells()),
        "\"obsm/adt\" has 2 rows, but 4 cells of the file were taken. Leave out what is no cell before a reference is built."
    );
    let named = |names: [&str; 2]| ProteinTable { names: names.map(str::to_owned).to_vec(), ..table(good.clone()) };
    assert_eq!(said(&named(["CD3", "CD3"]), &two), "\"obsm/adt\" has two proteins \"CD3\". Give each its own name.");
    assert_eq!(said(&named(["CD3", " "]), &two), "\"obsm/adt\" has a protein without a name. Name every column.");
}

#[test]
fn values_of_files_that_are_no_counts_are_refused() {
    for (name, value) in [("bad_negative", "-1"), ("bad_nan", "NaN")] {
        let table = read(name, None).expect(name).expect("proteins");
        let message = normalise(&table, &cells()).expect_err(name).message;
        assert!(
            message.starts_with(&format!("\"obsm/proteins\" holds {value} for \"CD3\" in the cell \"cell2\",")),
            "{message}"
        );
    }
}
