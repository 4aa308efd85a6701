//! Reading what R writes: every class, container and encoding gives the same counts, and every bad file a sentence.
//!
//! The files in `tests/data/formats/r` are written by `generate.R` beside them.

#[path = "common/files.rs"]
mod files;
#[path = "common/watching.rs"]
mod watching;

use files::{Random, codes, entries};
use sextant::formats::{Column, Dataset, Input, Inspection, OpenFile, ReadOptions};
use sextant::progress::Progress;
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::atomic::Ordering;
use watching::LARGEST;

fn bytes(name: &str) -> Vec<u8> {
    files::bytes(&format!("r/{name}"))
}

fn open(content: Vec<u8>, name: &str) -> sextant::Result<OpenFile> {
    sextant::formats::open(vec![Input::new(name, Box::new(Cursor::new(content)))])
}

fn read_with(name: &str, options: &ReadOptions<'_>) -> sextant::Result<Dataset> {
    open(bytes(name), name)?.read(options, &mut (), &Progress::silent())
}

fn read_matrix(name: &str, matrix: Option<&str>) -> sextant::Result<Dataset> {
    read_with(name, &ReadOptions { matrix, ..Default::default() })
}

fn read(name: &str) -> Dataset {
    read_matrix(name, None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inspect(name: &str) -> Inspection {
    let inspected = open(bytes(name), name).and_then(|mut file| file.inspect(&ReadOptions::default()));
    inspected.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(name: &str) -> String {
    match read_matrix(name, None) {
        Ok(dataset) => panic!("{name} was read, from {}", dataset.matrix),
        Err(error) => error.message,
    }
}

/// The counts that every good file holds: cell and gene → count; and the cells in their order.
fn expected() -> (HashMap<(String, String), f32>, Vec<String>) {
    let text = String::from_utf8(files::bytes("expected.tsv")).unwrap();
    let mut cells: Vec<String> =
        text.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect();
    cells.dedup();
    (files::expected(), cells)
}

fn column<'a>(dataset: &'a Dataset, name: &str) -> &'a Column {
    let found = dataset.metadata.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no column {name}")).1
}

/// Files with the format and the matrix that is taken; without them when they cannot be read.
const FILES: [(&str, &str, &str); 38] = [
    ("dgc_gzip.rds", "R matrix (RDS)", "matrix"),
    ("dgc_bzip2.rds", "R matrix (RDS)", "matrix"),
    ("dgc_xz.rds", "R matrix (RDS)", "matrix"),
    ("dgc_zstd.rds", "R matrix (RDS)", "matrix"),
    ("dgc_plain.rds", "R matrix (RDS)", "matrix"),
    ("dgc_members.rds", "R matrix (RDS)", "matrix"),
    ("dgc_version2.rds", "R matrix (RDS)", "matrix"),
    ("dgc_ascii.rds", "R matrix (RDS)", "matrix"),
    ("dgc_ascii_hex.rds", "R matrix (RDS)", "matrix"),
    ("dgc_native.rds", "R matrix (RDS)", "matrix"),
    ("dgt.rds", "R matrix (RDS)", "matrix"),
    ("dgr.rds", "R matrix (RDS)", "matrix"),
    ("dge.rds", "R matrix (RDS)", "matrix"),
    ("dgc_cells_by_genes.rds", "R matrix (RDS)", "matrix"),
    ("dgr_cells_by_genes.rds", "R matrix (RDS)", "matrix"),
    ("matrix.rds", "R matrix (RDS)", "matrix"),
    ("matrix_integer.rds", "R matrix (RDS)", "matrix"),
    ("matrix_cells_by_genes.rds", "R matrix (RDS)", "matrix"),
    ("data_frame.rds", "R data frame (RDS)", "table"),
    ("data_frame_gene_column.rds", "R data frame (RDS)", "table"),
    ("data_frame_cells.rds", "R data frame (RDS)", "table"),
    ("altrep.rds", "R matrix (RDS)", "counts"),
    ("other_types.rds", "R matrix (RDS)", "counts"),
    ("seurat_v2.rds", "Seurat object (RDS)", "raw.data"),
    ("seurat_v4.rds", "Seurat object (RDS)", "RNA/counts"),
    ("seurat_v5.rds", "Seurat object (RDS)", "RNA/counts"),
    ("seurat_v5_split.rds", "Seurat object (RDS)", "RNA/counts"),
    ("seurat_v5_merged.rds", "Seurat object (RDS)", "RNA/counts"),
    ("sce.rds", "SingleCellExperiment (RDS)", "counts"),
    ("summarized_experiment.rds", "SummarizedExperiment (RDS)", "counts"),
    ("one.rda", "R matrix (RData)", "counts"),
    ("ascii.rda", "R matrix (RData)", "counts"),
    ("with_table.rda", "R objects (RData)", "counts"),
    ("two.rda", "R objects (RData)", "seurat/RNA/counts"),
    ("read10x_list.rds", "R matrix (RDS)", "Gene Expression"),
    ("bad_delayed.rds", "", ""),
    ("bad_logical.rds", "", ""),
    ("bad_text.rds", "", ""),
];

#[test]
fn every_file_gives_the_same_counts() {
    let (expected, cells) = expected();
    assert_eq!(expected.len(), 515);
    let first = read("dgc_gzip.rds");
    for (name, format, matrix) in FILES.into_iter().filter(|(_, format, _)| !format.is_empty()) {
        let wanted = (name == "two.rda").then_some(matrix);
        let dataset = read_matrix(name, wanted).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((dataset.format.as_str(), dataset.matrix.as_str()), (format, matrix), "{name}");
        assert_eq!(entries(&dataset), expected, "{name}");
        assert_eq!(dataset.cells, cells, "{name}");
        if dataset.features.len() == 30 {
            assert_eq!(dataset.counts, first.counts, "{name}");
        }
        let allowed: &[&str] = match name {
            "seurat_v4.rds" | "two.rda" => &["other_features", "corrected_counts"],
            "sce.rds" | "read10x_list.rds" => &["other_features"],
            _ => &[],
        };
        assert_eq!(codes(&dataset.warnings), allowed, "{name}");
    }
}

#[test]
fn an_object_offers_all_its_matrices() {
    let paths = |name: &str| -> Vec<String> { inspect(name).matrices.into_iter().map(|matrix| matrix.path).collect() };
    assert_eq!(paths("seurat_v4.rds"), ["RNA/counts", "RNA/data", "SCT/counts", "SCT/data"]);
    assert_eq!(paths("seurat_v5.rds"), ["RNA/counts", "RNA/data"]);
    assert_eq!(paths("sce.rds"), ["counts", "logcounts"]);
    assert_eq!(
        paths("two.rda"),
        ["seurat/RNA/counts", "second", "seurat/RNA/data", "seurat/SCT/counts", "seurat/SCT/data"]
    );
    let inspection = inspect("seurat_v4.rds");
    assert_eq!((inspection.cells, inspection.genes, inspection.nonzeros), (40, 30, Some(515)));
    assert_eq!(inspection.matrices[1].verdict, "look like log1p of counts scaled to 10,000 per cell");
    assert_eq!(
        inspection.warnings.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(),
        [
            "Besides genes the file has features that are not mapped: 2 of \"ADT\".",
            "The counts of the assay \"SCT\" were corrected by SCTransform and are not raw. They are taken only when no \
             other assay has raw counts."
        ]
    );
    let second = read_matrix("two.rda", Some("second")).unwrap();
    assert_eq!((second.counts.cells(), second.metadata.len()), (20, 0));
    let corrected = read_matrix("seurat_v4.rds", Some("SCT/counts")).unwrap();
    assert_eq!(corrected.counts.row(0).map(|(_, count)| count).fold(0.0, f32::max), 50.0);
}

#[test]
fn columns_keep_what_is_missing() {
    let dataset = read("seurat_v4.rds");
    let names: Vec<_> = dataset.metadata.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[3..8], ["type", "flag", "score", "number", "note"]);
    let Column::Categorical { categories, codes } = column(&dataset, "type") else { panic!() };
    assert_eq!(*categories, ["T cell", "B", "NK"]);
    assert_eq!(codes[..4], [u32::MAX, 2, 0, 1]);
    let Column::Categorical { categories, codes } = column(&dataset, "flag") else { panic!() };
    assert_eq!((categories.join(" "), &codes[..4]), (String::from("FALSE TRUE"), &[0, u32::MAX, 1, 1][..]));
    for (name, second) in [("score", 0.25), ("number", 2.0)] {
        let Column::Number(values) = column(&dataset, name) else { panic!() };
        assert!(values[0].is_nan() && values[1] == second, "{name}");
    }
    let Column::Categorical { categories, codes } = column(&dataset, "note") else { panic!() };
    assert_eq!((categories[0].as_str(), codes[0], codes[1]), ("Zell-é 2", u32::MAX, 0));
}

#[test]
fn tables_of_every_class_belong_to_their_cells() {
    for name in
        ["seurat_v2.rds", "seurat_v5.rds", "seurat_v5_split.rds", "sce.rds", "data_frame_cells.rds", "with_table.rda"]
    {
        let dataset = read(name);
        let Column::Categorical { categories, codes } = column(&dataset, "type") else { panic!("{name}") };
        assert_eq!(*categories, ["T cell", "B", "NK"], "{name}");
        assert_eq!(codes[..4], [u32::MAX, 2, 0, 1], "{name}");
    }
    let Column::Categorical { categories, codes } = column(&read("sce.rds"), "batch").clone() else { panic!() };
    assert_eq!((categories.join(" "), codes[14], codes[15]), (String::from("x y"), 0, 1));
    let Column::Number(numbers) = column(&read("seurat_v5_split.rds"), "number").clone() else { panic!() };
    assert_eq!(numbers[..3], [40.0, 39.0, 38.0]);
}

#[test]
fn genes_have_ids_where_the_file_has_them() {
    for name in ["sce.rds", "summarized_experiment.rds", "seurat_v5.rds"] {
        let dataset = read(name);
        let last = dataset.features.last().unwrap();
        assert_eq!((last.id.as_deref(), last.symbol.as_str()), (Some("ENSG00000101073"), "GENE29"), "{name}");
    }
    assert_eq!(inspect("sce.rds").gene_columns, ["row names", "ID", "Symbol"]);
    assert!(inspect("seurat_v4.rds").gene_columns.is_empty());
    let chosen = |gene_column| read_with("sce.rds", &ReadOptions { gene_column, ..Default::default() });
    assert_eq!(chosen(Some("Symbol")).unwrap().features[3].symbol, "GENE3");
    assert_eq!(chosen(Some("row names")).unwrap().features[3].symbol, "ENSG00000100111");
    let missing = chosen(Some("name")).unwrap_err();
    assert_eq!(missing.kind, sextant::error::Kind::Usage);
    assert_eq!(missing.message, "sce.rds: the genes have no column \"name\". They have: row names, ID, Symbol.");
}

const AGAIN: &str = "The file is damaged or was not written completely; copy or download it again, or save it again in R \
                     with `saveRDS(object, \"file.rds\")`.";
const NEEDED: &str = "Sextant reads Seurat objects, SingleCellExperiments, matrices and data frames with raw counts.";

#[test]
fn what_cannot_be_read_is_explained() {
    let cases = [
        (
            "bad_delayed.rds",
            String::from(
                "\"matrix\" is of the class DelayedMatrix (package DelayedArray): its values are kept in another file or \
                 computed when R asks for them, and are not in this file. In R, turn it into a matrix in memory with \
                 `as(x, \"dgCMatrix\")`, put it in its place and save the object again.",
            ),
        ),
        (
            "bad_logical.rds",
            String::from(
                "\"matrix\" is of the class lgCMatrix, which says whether a gene was seen and not how often. Sextant needs raw \
                 counts, as a \"dgCMatrix\" has them.",
            ),
        ),
        (
            "bad_pattern.rds",
            String::from(
                "\"matrix\" is of the class ngCMatrix, which says whether a gene was seen and not how often. Sextant needs raw \
                 counts, as a \"dgCMatrix\" has them.",
            ),
        ),
        (
            "bad_symmetric.rds",
            String::from(
                "\"matrix\" is of the class dsCMatrix, which Sextant does not read. In R, turn it into a matrix of counts with \
                 `as(x, \"dgCMatrix\")` and save the object again.",
            ),
        ),
        (
            "bad_no_names.rds",
            String::from(
                "\"matrix\" has no names of genes. In R, give them with `rownames(x) <- …` and save the object again.",
            ),
        ),
        ("bad_text.rds", format!("it is a file of R without counts: it holds text. {NEEDED}")),
        ("bad_class.rds", format!("it is a file of R without counts: it holds an object of the class lm. {NEEDED}")),
        ("bad_objects.rda", format!("it is a file of R without counts: it holds \"batch\", text. {NEEDED}")),
        (
            "bad_only_proteins.rds",
            format!("it has no counts of genes, only \"ADT\", which Sextant does not map. {NEEDED}"),
        ),
        (
            "bad_split_dense.rds",
            String::from(
                "\"RNA/counts\" is split into layers, of which \"counts.a\" is not a \"dgCMatrix\". Join them in R with \
                 `JoinLayers(object)` and save the object again.",
            ),
        ),
        (
            "bad_positions.rds",
            format!("its R data cannot be read: its matrix names positions beyond its genes. {AGAIN}"),
        ),
        (
            "bad_offsets.rds",
            format!("its R data cannot be read: of \"matrix\", its \"p\" does not fit its values. {AGAIN}"),
        ),
        (
            "bad_lengths.rds",
            format!("its R data cannot be read: of \"matrix\", it has 515 values but 514 positions. {AGAIN}"),
        ),
        (
            "bad_dense_length.rds",
            format!(
                "its R data cannot be read: of \"matrix\", it has not as many values as rows times columns. {AGAIN}"
            ),
        ),
        ("bad_no_values.rds", format!("its R data cannot be read: of \"matrix\", it has no \"x\". {AGAIN}")),
        (
            "bad_names.rds",
            format!("its R data cannot be read: of \"matrix\", it has not as many names as rows and columns. {AGAIN}"),
        ),
        ("bad_cells.rds", format!("its R data cannot be read: its matrix names positions beyond its cells. {AGAIN}")),
        (
            "bad_far.rds",
            format!("its R data cannot be read: of \"matrix\", it has far more cells than values. {AGAIN}"),
        ),
        (
            "bad_layers.rds",
            format!("its R data cannot be read: of \"cells\", it does not say what the layers hold. {AGAIN}"),
        ),
        (
            "bad_columns.rds",
            format!("its R data cannot be read: of \"table\", its columns are not of one length. {AGAIN}"),
        ),
        (
            "bad_dictionary.rds",
            String::from(
                "it is compressed with xz and needs a dictionary of more than 64 MB, more than Sextant gives. Unpack it \
                 first, or save it again in R with `saveRDS(object, \"file.rds\")`.",
            ),
        ),
    ];
    for (name, expected) in cases {
        assert_eq!(error(name), format!("{name}: {expected}"));
    }
}

#[test]
fn columns_that_cannot_be_read_are_left_out() {
    let dataset = read("odd_columns.rds");
    assert_eq!(dataset.cells[39], "cell_40");
    let names: Vec<_> = dataset.metadata.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["type", "batch", "number"]);
    let messages: Vec<_> = dataset.warnings.iter().map(|warning| warning.message.clone()).collect();
    let left_out = |name: &str, why: &str| format!("The column \"{name}\" of the table of cells was left out: {why}");
    let unnamed =
        |path| format!("The cells of \"{path}\" have no names; they are called \"cell_1\", \"cell_2\" and so on.");
    assert_eq!(
        messages,
        [
            String::from("Besides genes the file has features that are not mapped: 2 of \"ADT\"."),
            unnamed("counts"),
            unnamed("logcounts"),
            left_out("list", "it is of the class AsIs, not numbers or text"),
            left_out("matrix", "it is a matrix"),
            left_out("short", "it has 39 values for 40 rows"),
            left_out(
                "level",
                &format!("its R data cannot be read: a factor names levels that it does not have. {AGAIN}")
            ),
            left_out(
                "runs",
                &format!("its R data cannot be read: runs of values have not as many lengths as values. {AGAIN}")
            ),
        ]
    );
}

/// R data in ASCII behind their header.
#[test]
fn impossible_data_are_explained() {
    let long = "1".repeat(200);
    let cases = [
        ("14 -1 2147483647 0", "a vector has an impossible length"),
        ("14 -5", "a vector has a negative length"),
        ("14 1 abc", "there is text where a number should stand"),
        (&format!("14 1 {long}"), "a number is too long"),
        ("99", "it has an object of the unknown type 99"),
        ("255 7", "it refers to an object that is not there"),
        ("8 70000", "a name is impossibly long"),
        ("16 1 13 0", "there is no string where one should stand"),
        ("16 1 9 -5", "a string has a negative length"),
        ("16 1 9 100000000", "a string is impossibly long"),
        ("238 254 254 254", "a vector has no class"),
        ("238 2 1 9 14 compact_intseq 254 254 254", "a sequence has no numbers"),
        ("238 2 1 9 14 compact_intseq 254 14 2 1 1 254", "a sequence needs three numbers"),
        ("238 2 1 9 14 compact_intseq 254 14 3 -1 1 1 254", "a sequence has an impossible length"),
    ];
    for (data, what) in cases {
        let content = format!("A\n2\n262146\n131840\n{}\n", data.replace(' ', "\n"));
        assert_eq!(
            open(content.into_bytes(), "f").err().map(|error| error.message),
            Some(format!("f: its R data cannot be read: {what}. {AGAIN}")),
            "{data}"
        );
    }
    let encoding = b"A\n3\n262146\n197888\n300\n".to_vec();
    assert_eq!(
        open(encoding, "f").err().map(|error| error.message),
        Some(format!("f: its R data cannot be read: the name of its text encoding is impossibly long. {AGAIN}"))
    );
    let mut parts = b"X\n\0\0\0\x02\0\x04\x02\x02\0\x02\x03\0".to_vec();
    parts.extend([0, 0, 0, 19, 0x7f, 0, 0, 0]);
    parts.extend([0, 0, 0, 13, 0, 0, 0, 0].repeat(2 << 20));
    assert_eq!(
        open(parts, "f").err().map(|error| error.message),
        Some(String::from(
            "f: the object has millions of parts, more than Sextant keeps. Save the matrix of counts alone, in R with \
             `saveRDS(counts, \"counts.rds\")`."
        ))
    );
}

#[test]
fn cut_and_changed_files_are_explained() {
    let cut = |name: &str, share: usize| {
        let whole = bytes(name);
        open(whole[..whole.len() * share / 100].to_vec(), name).err().map(|error| error.message)
    };
    for name in ["dgc_gzip.rds", "dgc_bzip2.rds", "dgc_xz.rds", "dgc_zstd.rds", "dgc_plain.rds", "seurat_v4.rds"] {
        assert_eq!(
            cut(name, 90).unwrap_or_default(),
            format!(
                "{name}: the file is truncated: its R data end before they are complete. Copy or download it again, or \
                 save it again in R with `saveRDS(object, \"file.rds\")`."
            )
        );
    }
    let mut changed = bytes("dgc_gzip.rds");
    let middle = changed.len() / 2;
    changed[middle..middle + 8].fill(0xff);
    assert_eq!(
        open(changed, "f").err().map(|error| error.message),
        Some(format!("f: its R data cannot be read: its gzip compression is damaged. {AGAIN}"))
    );
    let mut version = bytes("dgc_plain.rds");
    version[5] = 4;
    assert_eq!(
        open(version, "f").err().map(|error| error.message),
        Some(String::from(
            "f: it is R data of version 4, and Sextant reads versions 2 and 3. Save it again in R with \
             `saveRDS(object, \"file.rds\", version = 3)`."
        ))
    );
}

#[test]
fn progress_rises_to_the_end() {
    for name in ["seurat_v5_split.rds", "dgt.rds", "data_frame.rds"] {
        let seen = std::cell::RefCell::new(Vec::new());
        let report = |_: &str, share: f64| seen.borrow_mut().push(share);
        let mut file = open(bytes(name), name).unwrap();
        file.read(&ReadOptions::default(), &mut (), &Progress::new(&report)).unwrap();
        let seen = seen.into_inner();
        assert!(seen.first() == Some(&0.0) && seen.last() == Some(&1.0), "{name}");
        assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {seen:?}");
    }
}

/// A list that holds a list that holds a list, and so on: 8 bytes for each.
#[test]
fn depth_is_no_danger() {
    let header = b"X\n\0\0\0\x02\0\x04\x02\x02\0\x02\x03\0";
    let nested = |depth: usize| {
        let mut content = header.to_vec();
        content.extend([0, 0, 0, 19, 0, 0, 0, 1].repeat(depth));
        content.extend([0, 0, 0, 254]);
        open(content, "f").err().map(|error| error.message)
    };
    let without = format!("f: it is a file of R without counts: it holds a list. {NEEDED}");
    assert_eq!(nested(50_000), Some(without));
    assert_eq!(
        nested(1_000_000),
        Some(format!("f: its R data cannot be read: its parts are nested too deeply. {AGAIN}"))
    );
    let mut claims = header.to_vec();
    claims.extend([0, 0, 0, 14, 0x7f, 0xff, 0xff, 0xff, 0, 0]);
    assert!(open(claims, "f").err().is_some_and(|error| error.message.contains("truncated")));
    let mut chain = header.to_vec();
    chain.extend([0, 0, 0, 2, 0, 0, 0, 254].repeat(400_000));
    chain.extend([0, 0, 0, 254]);
    assert_eq!(
        open(chain, "f").err().map(|error| error.message),
        Some(format!("f: it is a file of R without counts: it holds a list. {NEEDED}"))
    );
}

fn mutated(whole: &[u8], round: usize, random: &mut Random) -> Vec<u8> {
    let mut mutant = whole.to_vec();
    match round % 4 {
        0 => {
            let at = random.below(mutant.len());
            mutant[at] ^= 1 << random.below(8);
        }
        1 => {
            for _ in 0..4 {
                let at = random.below(mutant.len());
                mutant[at] = random.below(256) as u8;
            }
        }
        2 => {
            let start = random.below(mutant.len());
            let end = (start + 1 + random.below(8)).min(mutant.len());
            mutant[start..end].fill([0xff, 0, 0x7f][round % 3]);
        }
        _ => mutant.truncate(random.below(whole.len())),
    }
    mutant
}

/// What is inside of a container, so that changes reach the parser and not only the checksum.
fn unpacked(name: &str) -> Vec<u8> {
    let content = bytes(name);
    if !content.starts_with(&[0x1f, 0x8b]) {
        return content;
    }
    let mut inflate = zlib_rs::Inflate::new(false, 15);
    let mut output = vec![0; 1 << 20];
    let header = 10;
    inflate.decompress(&content[header..], &mut output, zlib_rs::InflateFlush::Finish).unwrap();
    output.truncate(inflate.total_out() as usize);
    output
}

#[test]
fn damaged_bytes_neither_crash_nor_exhaust_memory() {
    let mut outcomes = [0usize; 2];
    let unpackable =
        |name: &str| !["dgc_members.rds", "bad_dictionary.rds"].contains(&name) && !name.contains("ascii_hex");
    for (name, ..) in FILES {
        let mut random = Random(0x5eed_5eed_5eed);
        let whole = bytes(name);
        let inside = if unpackable(name) { unpacked(name) } else { whole.clone() };
        for round in 0..240 {
            let mutant = mutated(if round % 5 == 0 { &whole } else { &inside }, round, &mut random);
            let read = open(mutant, name).and_then(|mut file| {
                file.inspect(&ReadOptions::default())?;
                file.read(&ReadOptions::default(), &mut (), &Progress::silent())
            });
            match read {
                Ok(dataset) => {
                    assert_eq!(dataset.counts.cells(), dataset.cells.len());
                    assert_eq!(dataset.counts.genes(), dataset.features.len());
                    outcomes[0] += 1;
                }
                Err(error) => {
                    assert!(error.message.starts_with(name), "{}", error.message);
                    outcomes[1] += 1;
                }
            }
        }
    }
    assert!(outcomes.iter().all(|&count| count > 1000), "{outcomes:?}");
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 128 << 20, "{largest} bytes were asked for at once");
}

/// An object that was slimmed down to its normalised values still tells its counts.
#[test]
fn counts_are_recovered_from_normalised_values() {
    let (expected, _) = expected();
    let dataset = read("seurat_v4_only_data.rds");
    assert_eq!(dataset.matrix, "RNA/data");
    assert_eq!(entries(&dataset), expected);
    assert!(dataset.warnings.iter().any(|warning| warning.code == "recovered"));
}
