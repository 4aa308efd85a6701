//! Reading files: every encoding gives the same counts, and every bad file gives a sentence.
//!
//! The files in `tests/data/formats` are written by `generate.py` beside them.

#[path = "common/files.rs"]
mod files;
#[path = "common/watching.rs"]
mod watching;

use files::{DAMAGED, bytes, codes, entries, expected};
use sextant::formats::{Column, Dataset, Input, Inspection, OpenFile, ReadOptions, Source};
use sextant::progress::Progress;
use std::cell::RefCell;
use std::io::Cursor;
use std::sync::atomic::Ordering;
use watching::LARGEST;

fn source(name: &str) -> Box<dyn Source> {
    Box::new(Cursor::new(bytes(name)))
}

fn open(source: Box<dyn Source>, name: &str) -> sextant::Result<OpenFile> {
    sextant::formats::open(vec![Input::new(name, source)])
}

fn read_matrix(name: &str, matrix: Option<&str>) -> sextant::Result<Dataset> {
    open(source(name), name)?.read(&ReadOptions { matrix, ..Default::default() }, &mut (), &Progress::silent())
}

fn read(name: &str) -> Dataset {
    read_matrix(name, None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inspect(name: &str) -> Inspection {
    open(source(name), name)
        .and_then(|mut file| file.inspect(&ReadOptions::default()))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(name: &str) -> String {
    match read_matrix(name, None) {
        Ok(dataset) => panic!("{name} was read, from {}", dataset.matrix),
        Err(error) => error.message,
    }
}

#[test]
fn every_encoding_gives_the_same_counts() {
    let expected = expected();
    assert_eq!(expected.len(), 515);
    let files = [
        ("tenx_v3.h5", "/matrix"),
        ("tenx_v2.h5", "/GRCh38"),
        ("tenx_v2_two_genomes.h5", "/"),
        ("anndata_csr.h5ad", "X"),
        ("anndata_csc_gzip.h5ad", "X"),
        ("anndata_dense_lzf.h5ad", "X"),
        ("anndata_06.h5ad", "raw/X"),
        ("anndata_07.h5ad", "X"),
        ("categorical_index.h5ad", "X"),
        ("raw_x.h5ad", "raw/X"),
        ("layers_counts.h5ad", "layers/counts"),
        ("velocity.h5ad", "layers/spliced+unspliced"),
        ("csr_shuffle_fletcher.h5ad", "X"),
        ("csr_int64.h5ad", "X"),
        ("csr_u64_data.h5ad", "X"),
        ("csr_big_endian.h5ad", "X"),
        ("csr_float16.h5ad", "X"),
        ("csr_latest.h5ad", "X"),
        ("csr_unsorted.h5ad", "X"),
        ("csr_scaleoffset.h5ad", "X"),
        ("csc_int32.h5ad", "X"),
        ("dense_float16.h5ad", "X"),
        ("dense_chunks_big_endian.h5ad", "X"),
        ("dense_columns.h5ad", "X"),
    ];
    let first = read("csr_int64.h5ad");
    for (name, matrix) in files {
        let dataset = read(name);
        assert_eq!(dataset.matrix, matrix, "{name}");
        assert_eq!(entries(&dataset), expected, "{name}");
        assert_eq!(dataset.counts, first.counts, "{name}");
        assert_eq!(dataset.cells, first.cells, "{name}");
        let ids: Vec<_> = dataset.features.iter().map(|f| f.id.as_deref()).collect();
        assert_eq!(ids[0], Some("ENSG00000100000"), "{name}");
        assert_eq!(ids[29], Some("ENSG00000101073"), "{name}");
        let allowed: &[&str] = match name {
            "tenx_v3.h5" => &["other_features"],
            "tenx_v2_two_genomes.h5" => &["several_genomes"],
            "anndata_06.h5ad" => &["column_skipped"],
            _ => &[],
        };
        assert_eq!(codes(&dataset.warnings), allowed, "{name}");
        let inspection = inspect(name);
        assert_eq!(inspection.matrix.as_deref(), Some(matrix), "{name}");
        assert_eq!((inspection.cells, inspection.genes), (40, 30), "{name}");
        assert_eq!(inspection.format, dataset.format, "{name}");
        assert_eq!(inspection.feature_types, dataset.feature_types, "{name}");
    }
}

#[test]
fn the_same_bytes_with_one_and_with_many_threads() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for name in ["tenx_v3.h5", "csc_int32.h5ad", "dense_chunks_big_endian.h5ad"] {
        let one = pool(1).install(|| read(name));
        let many = pool(4).install(|| read(name));
        assert_eq!(one.counts, many.counts, "{name}");
    }
}

#[test]
fn feature_types_are_kept_apart() {
    let dataset = read("tenx_v3.h5");
    let types = [("Gene Expression", 30), ("Antibody Capture", 3)];
    assert_eq!(dataset.feature_types, types.map(|(kind, count)| (kind.to_owned(), count)));
    assert_eq!(
        dataset.warnings[0].message,
        "Besides genes the file has features that are not mapped: 3 of the type \"Antibody Capture\"."
    );
    let warning = &read("tenx_v2_two_genomes.h5").warnings[0];
    assert!(warning.message.contains("2 genomes (hg19, mm10)"));
}

#[test]
fn inspection_lists_every_matrix_with_a_verdict() {
    let inspection = inspect("layers_counts.h5ad");
    let found: Vec<_> =
        inspection.matrices.iter().map(|m| (m.path.as_str(), m.encoding.as_str(), m.shape, m.is_counts)).collect();
    assert_eq!(
        found,
        [
            ("X", "dense", [40, 30], false),
            ("layers/counts", "csr", [40, 30], true),
            ("layers/logcounts", "csr", [40, 30], true),
        ]
    );
    let verdicts: Vec<_> = inspection.matrices.iter().map(|m| m.verdict.as_str()).collect();
    assert!(verdicts[0].starts_with("look like scaled values (negative numbers, down to -"));
    assert!(verdicts[1].starts_with("are whole numbers (in the sample about "));
    assert_eq!(verdicts[2], "look like log1p of counts scaled to 10,000 per cell");
    assert_eq!(inspection.nonzeros, Some(515));
    let none = inspect("bad_scaled.h5ad");
    assert_eq!((none.matrix, codes(&none.warnings)), (None, vec!["no_counts"]));
}

#[test]
fn the_table_of_cells_is_read_in_old_and_new_encodings() {
    let new = read("anndata_csr.h5ad");
    let column = |dataset: &Dataset, name: &str| {
        let found = dataset.metadata.iter().find(|(known, _)| known == name);
        found.map(|(_, column)| column.clone())
    };
    let names: Vec<_> = new.metadata.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cell_type", "batch", "score", "good", "clusters", "passed", "note"]);
    let text = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let types = Column::Categorical {
        categories: text(&["B", "NK", "T cell"]),
        codes: (0..40).map(|i| if i % 10 == 0 { u32::MAX } else { i % 3 }).collect(),
    };
    for name in ["anndata_csr.h5ad", "anndata_06.h5ad", "anndata_07.h5ad"] {
        assert_eq!(column(&read(name), "cell_type"), Some(types.clone()), "{name}");
    }
    let truth = |values: Vec<u32>| Some(Column::Categorical { categories: text(&["False", "True"]), codes: values });
    assert_eq!(column(&new, "good"), truth((0..40).map(|i| u32::from(i % 4 == 0)).collect()));
    let passed = (0..40).map(|i| if i == 6 { u32::MAX } else { u32::from(i % 2 == 0) });
    assert_eq!(column(&new, "passed"), truth(passed.collect()));
    let Some(Column::Number(clusters)) = column(&new, "clusters") else {
        panic!("clusters are numbers");
    };
    assert!(clusters[5].is_nan() && clusters[13] == 6.0);
    let notes: Vec<_> = (0..40).map(|i| format!("n{i}")).collect();
    assert_eq!(column(&new, "note"), Some(Column::Text(notes.clone())));
    let old = read("anndata_06.h5ad");
    assert_eq!(column(&old, "note"), Some(Column::Text(notes)));
    assert!(old.warnings[0].message.contains("The column \"pca\" of \"obs\" was left out"));
}

#[test]
fn counts_of_any_size_are_kept() {
    let dataset = read("large_counts.h5ad");
    let large: Vec<f32> = (0..40)
        .flat_map(|cell| dataset.counts.row(cell).map(|(_, count)| count))
        .filter(|&count| count > 60_000.0)
        .collect();
    assert_eq!(large, [65_535.0, 1_000_000.0]);
}

#[test]
fn the_choice_can_be_overridden() {
    let logs = read_matrix("layers_counts.h5ad", Some("layers/logcounts")).unwrap();
    assert_eq!(logs.matrix, "layers/logcounts");
    assert_eq!(codes(&logs.warnings), ["recovered"]);
    let scaled = read_matrix("layers_counts.h5ad", Some("/X")).unwrap_err().message;
    assert!(scaled.starts_with("layers_counts.h5ad: \"X\" has "), "{scaled}");
    assert!(scaled.ends_with(
        "negative values, so it does not hold counts (scaled values do that). Choose the matrix with the \
         raw counts."
    ));
    let missing = read_matrix("layers_counts.h5ad", Some("layers/raw")).unwrap_err();
    assert_eq!(missing.kind, sextant::error::Kind::Usage);
    assert_eq!(
        missing.message,
        "layers_counts.h5ad: there is no matrix \"layers/raw\". The file has: X, layers/counts, \
         layers/logcounts."
    );
}

#[test]
fn estimated_counts_are_taken_with_a_warning() {
    let dataset = read("estimates.h5ad");
    assert_eq!(codes(&dataset.warnings), ["fractions"]);
    let expected = expected();
    for (place, count) in entries(&dataset) {
        assert!((count - expected[&place] * 0.93).abs() <= 1e-5 * count);
    }
}

#[test]
fn repeated_cells_are_renamed() {
    let dataset = read("duplicate_cells.h5ad");
    assert_eq!(codes(&dataset.warnings), ["duplicate_cells"]);
    assert_eq!(dataset.cells[38], format!("{}-1", dataset.cells[0]));
    assert_eq!(
        dataset.warnings[0].message,
        format!(
            "2 names of cells occur more than once (\"{}\" is one). They were made unique with \"-1\", \"-2\" and so on.",
            dataset.cells[0]
        )
    );
}

const ADVICE: &str = "Sextant needs the counts as they were before normalisation (whole numbers); save them in \
                      \"layers/counts\" or \"raw/X\", or load the file of the step before.";

#[test]
fn what_is_not_counts_is_named() {
    let scaled = error("bad_scaled.h5ad");
    assert!(
        scaled.starts_with(
            "bad_scaled.h5ad: no raw counts were found: the values of \"X\" look like scaled values \
             (negative numbers, down to -"
        ),
        "{scaled}"
    );
    assert_eq!(
        error("bad_nan.h5ad"),
        format!(
            "bad_nan.h5ad: no raw counts were found: the values of \"X\" contain NaN or infinite numbers. \
             {ADVICE}"
        )
    );
    assert_eq!(
        read_matrix("bad_nan.h5ad", Some("X")).unwrap_err().message,
        "bad_nan.h5ad: \"X\" has 1 values that are NaN or infinite. Counts are finite numbers; check the step \
         that wrote the file."
    );
    assert_eq!(
        read_matrix("bad_negative.h5ad", Some("X")).unwrap_err().message,
        "bad_negative.h5ad: \"X\" has 3 negative values, so it does not hold counts (scaled values do that). \
         Choose the matrix with the raw counts."
    );
}

#[test]
fn files_of_other_kinds_are_named() {
    let of = |name: &str, content: &[u8]| {
        open(Box::new(Cursor::new(content.to_vec())), name).err().map(|error| error.message).unwrap_or_default()
    };
    let expected = "Expected a 10x Genomics HDF5 file (.h5) or an H5AD file (.h5ad).";
    for (content, what) in [
        (&b"<html><body>404"[..], "it looks like a web page; the download may have failed"),
        (&[0u8, 1, 2, 3][..], "its first bytes are not those of HDF5"),
    ] {
        assert_eq!(of("f", content), format!("f: it is not an HDF5 file: {what}. {expected}"));
    }
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\0";
    assert_eq!(of("f", gzip), format!("f: it cannot be read: its compressed data ends early. {DAMAGED}"));
    assert_eq!(of("f", b""), "f: it is empty: it has no bytes. Copy or download it again, or write it again.");
    let old = "a document of an old Microsoft Office (save a workbook's sheet with the counts as CSV)";
    for (content, what) in [
        (&b"%PDF-1.7\n%\xe2\xe3"[..], "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "an image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", old),
    ] {
        let reads =
            "Sextant reads files with counts: 10x HDF5 and MEX, H5AD, R objects, Zarr, and tables as CSV or TSV.";
        assert_eq!(of("f", content), format!("f: it is {what}. {reads}"));
    }
    assert_eq!(
        error("neither.h5"),
        "neither.h5: it is an HDF5 file, but of none of the kinds that Sextant reads (10x Genomics, H5AD, h5Seurat, Loom, \
         MuData): at its top level it has \"counts\", \"metadata\". Expected \"matrix\" (10x) or \"X\", \"obs\" and \"var\" \
         (H5AD)."
    );
    assert_eq!(error("loom.h5"), format!("loom.h5: \"row_attrs\" cannot be read: it has no names of genes. {DAMAGED}"));
}

#[test]
fn damaged_files_are_explained() {
    for name in ["tenx_v3.h5", "anndata_csr.h5ad", "csr_latest.h5ad"] {
        let whole = bytes(name);
        let half = whole[..whole.len() / 2].to_vec();
        let message = open(Box::new(Cursor::new(half)), name).err().unwrap().message;
        assert_eq!(
            message,
            format!(
                "{name}: the file is truncated: it was written with {} bytes and has {}. Copy or download it \
                 again.",
                whole.len(),
                whole.len() / 2
            )
        );
    }
    assert_eq!(
        error("bad_index.h5ad"),
        format!("bad_index.h5ad: \"X/indices\" cannot be read: it names positions beyond its 30 genes. {DAMAGED}")
    );
    assert_eq!(
        error("bad_indptr.h5ad"),
        format!("bad_indptr.h5ad: \"X/indptr\" cannot be read: it should ascend from 0 and does not. {DAMAGED}")
    );
    assert_eq!(
        error("bad_shape.h5ad"),
        format!(
            "bad_shape.h5ad: \"X\" cannot be read: it is 40 cells by 1099511627776 genes, but the tables \
             describe 40 cells and 30 genes. {DAMAGED}"
        )
    );
    assert_eq!(
        error("bad_filter.h5ad"),
        "bad_filter.h5ad: \"X/data\" is compressed with szip (filter 4), which Sextant does not read; it \
         reads gzip, lzf, Zstandard, LZ4, Blosc, bitshuffle, bzip2 and uncompressed data. Re-save the file with gzip, for example in Python with \
         `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with \
         `h5repack -f GZIP=4 in.h5 out.h5`."
    );
    assert_eq!(
        error("bad_no_matrix.h5ad"),
        "bad_no_matrix.h5ad: there is no matrix in it. Sextant needs raw counts in \"X\", \"raw/X\" or \
         \"layers/counts\"."
    );
    assert_eq!(
        error("bad_no_cells.h5ad"),
        "bad_no_cells.h5ad: there are no cells in it. Check the step that wrote the file; a filter may have \
         removed all of them."
    );
    assert_eq!(
        error("bad_no_genes.h5ad"),
        "bad_no_genes.h5ad: there are no genes in it. Check the step that wrote the file; a filter may have \
         removed all of them."
    );
}

#[test]
fn progress_rises_to_the_end() {
    let seen = RefCell::new(Vec::new());
    let report = |stage: &str, share: f64| {
        assert_eq!(stage, "Reading");
        seen.borrow_mut().push(share);
    };
    let mut file = open(source("csc_int32.h5ad"), "csc").unwrap();
    file.read(&ReadOptions::default(), &mut (), &Progress::new(&report)).unwrap();
    let seen = seen.into_inner();
    assert!(seen.len() > 2 && seen[0] == 0.0 && seen[seen.len() - 1] == 1.0);
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "{seen:?}");
}

/// A small generator of our own, so that the mutants are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn damaged_bytes_neither_crash_nor_exhaust_memory() {
    let mut outcomes = [0usize; 2];
    for name in ["tenx_v3.h5", "anndata_06.h5ad", "csr_latest.h5ad", "dense_chunks_big_endian.h5ad"] {
        let whole = bytes(name);
        let mut random = Random(0x5eed_5eed_5eed);
        for round in 0..600 {
            let mut mutant = whole.clone();
            match round % 3 {
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
                _ => {
                    let start = random.below(mutant.len());
                    let end = (start + 1 + random.below(8)).min(mutant.len());
                    mutant[start..end].fill(0xff);
                }
            }
            let read = open(Box::new(Cursor::new(mutant)), name).and_then(|mut file| {
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
    // Most bytes of these files are names and counts, whose change does not break the structure.
    assert!(outcomes.iter().all(|&count| count > 200), "{outcomes:?}");
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 128 << 20, "{largest} bytes were asked for at once");
}
