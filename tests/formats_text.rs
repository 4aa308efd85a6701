//! Reading text and archives: MEX of every producer, ZIP and tar, tables; every bad file gives a sentence.
//!
//! The files in `tests/data/formats/text` are written by `generate.py` beside them.

#[path = "common/files.rs"]
mod files;
#[path = "common/watching.rs"]
mod watching;

use files::{DAMAGED, Files, Random, codes};
use sextant::formats::{Column, Dataset, Input, Inspection, ReadOptions, Source, open};
use sextant::progress::Progress;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::Ordering;
use watching::LARGEST;

/// A file, or all files of a folder with its name before theirs.
fn files(name: &str) -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats/text").join(name);
    if path.is_file() {
        return vec![(name.to_owned(), std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}")))];
    }
    let mut members: Vec<String> = std::fs::read_dir(&path)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .map(|member| member.unwrap().file_name().into_string().unwrap())
        .collect();
    members.sort();
    members.iter().flat_map(|member| files(&format!("{name}/{member}"))).collect()
}

fn texts(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn inputs(files: Files) -> Vec<Input> {
    let input = |(path, bytes): (String, Vec<u8>)| Input::new(path, Box::new(Cursor::new(bytes)) as Box<dyn Source>);
    files.into_iter().map(input).collect()
}

fn read(files: Files, options: &ReadOptions<'_>) -> sextant::Result<Dataset> {
    open(inputs(files))?.read(options, &mut (), &Progress::silent())
}

fn dataset(name: &str) -> Dataset {
    read(files(name), &ReadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inspect(name: &str) -> Inspection {
    let opened = open(inputs(files(name)));
    opened.and_then(|mut file| file.inspect(&ReadOptions::default())).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(files: Files) -> String {
    read(files, &ReadOptions::default()).err().map(|error| error.message).unwrap_or_default()
}

/// The same matrix out of HDF5.
fn expected() -> Dataset {
    let path = format!("{}/tests/data/formats/csr_int64.h5ad", env!("CARGO_MANIFEST_DIR"));
    let input = Input::new("csr_int64.h5ad", Box::new(std::fs::File::open(path).unwrap()));
    open(vec![input]).unwrap().read(&ReadOptions::default(), &mut (), &Progress::silent()).unwrap()
}

#[test]
fn every_form_gives_the_same_counts() {
    let expected = expected();
    assert_eq!(expected.counts.nonzeros(), 515);
    let symbols: Vec<String> = (0..30).map(|gene| format!("GENE{gene}")).collect();
    let ids: Vec<Option<String>> = (0..30).map(|gene| Some(format!("ENSG{:011}", 100_000 + gene * 37))).collect();
    let id_texts: Vec<String> = ids.iter().flatten().cloned().collect();
    let (both, by_symbol, by_id) = ((&ids, &symbols), (&vec![None; 30], &symbols), (&ids, &id_texts));
    let mut mex_as_is =
        vec![("mex_v2", both, "matrix"), ("mex_by_gene", by_symbol, "matrix"), ("mex_unsorted", both, "matrix")];
    mex_as_is.extend([("mex_from_r", both, "counts"), ("mex_velocity", both, "spliced+unspliced")]);
    mex_as_is.extend([
        ("kallisto", by_id, "cells_x_genes"),
        ("alevin", by_id, "quants_mat"),
        ("mex_v3", both, "matrix"),
    ]);
    let archives = ["cellranger.tar.gz", "pax.tar", "gnu.tar", "stored.zip", "deflated.zip", "infozip.zip"];
    mex_as_is.extend(archives.map(|name| (name, both, "matrix")));
    mex_as_is.extend(["infozip_stream.zip", "zip64.zip", "zip64_directory.zip"].map(|name| (name, both, "matrix")));
    mex_as_is.extend(["h5ad_stored.zip", "h5ad_deflated.zip", "csr_int64.h5ad.gz"].map(|name| (name, both, "X")));
    mex_as_is.extend(
        ["genes.csv", "genes.tsv.gz", "semicolons.csv", "spaces.txt", "trailing.csv", "floats.csv"]
            .map(|name| (name, by_symbol, "table")),
    );
    mex_as_is
        .extend(["cells.csv", "cells.tsv", "metadata.csv", "feature_counts.txt"].map(|name| (name, by_id, "table")));
    mex_as_is.extend(["genes.csv.bz2", "genes.csv.xz", "genes.csv.zst"].map(|name| (name, by_symbol, "table")));
    let packed = ["mex_packed", "mex.tar.bz2", "mex.tar.xz", "mex.tar.zst"];
    mex_as_is.extend(packed.map(|name| (name, both, "matrix")));
    mex_as_is.extend(["ids_and_symbols.csv", "composite.tsv"].map(|name| (name, both, "table")));
    for (name, (ids, symbols), matrix) in mex_as_is {
        let read = dataset(name);
        assert_eq!(read.matrix, matrix, "{name}");
        assert_eq!(read.counts, expected.counts, "{name}");
        assert_eq!(read.cells, expected.cells, "{name}");
        let found: Vec<_> = read.features.iter().map(|feature| feature.id.clone()).collect();
        assert_eq!(found, *ids, "{name}");
        let found: Vec<_> = read.features.iter().map(|feature| feature.symbol.clone()).collect();
        assert_eq!(found, *symbols, "{name}");
        let allowed: &[&str] = match name {
            "mex_v3" => &["other_features"],
            "kallisto" => &["ignored_files"],
            _ => &[],
        };
        assert_eq!(codes(&read.warnings), allowed, "{name}");
        let inspection = inspect(name);
        assert_eq!((inspection.cells, inspection.genes), (40, 30), "{name}");
        assert_eq!(inspection.format, read.format, "{name}");
        assert_eq!(inspection.matrix.as_deref(), Some(matrix), "{name}");
        assert!(inspection.matrices[0].verdict.starts_with("are whole numbers"), "{name}");
    }
}

#[test]
fn formats_are_named() {
    for (name, format) in [
        ("mex_v2", "MEX (MatrixMarket with lists of cells and features)"),
        ("genes.tsv.gz", "table of genes × cells (text, separated by tab)"),
        ("cells.csv", "table of cells × genes (text, separated by comma)"),
    ] {
        assert_eq!(dataset(name).format, format);
    }
}

#[test]
fn samples_of_one_archive_are_joined() {
    let expected = expected();
    for name in ["geo.tar", "geo_nested.tar"] {
        let read = dataset(name);
        assert_eq!(read.counts, expected.counts, "{name}");
        assert_eq!(read.cells, expected.cells, "{name}");
        let samples = vec!["GSM1_first".to_owned(), "GSM2_second".to_owned()];
        let codes = (0..40).map(|cell| u32::from(cell >= 20)).collect();
        assert_eq!(
            read.metadata,
            [("sample".to_owned(), Column::Categorical { categories: samples, codes })],
            "{name}"
        );
    }
    // The same lists dropped loose, beside another file.
    let mut loose = files("mex_v2");
    loose.extend(files("cells.csv"));
    let read = read(loose, &ReadOptions::default()).unwrap();
    assert_eq!(read.cells.len(), 80);
    assert!(read.cells[0].starts_with("mex_v2_"));
}

#[test]
fn types_of_features_are_kept_apart() {
    let read = dataset("mex_v3");
    let types = [("Gene Expression", 30), ("Antibody Capture", 3)].map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(read.feature_types, types);
}

#[test]
fn columns_of_a_table_of_cells_are_kept() {
    let read = dataset("metadata.csv");
    let names: Vec<&str> = read.metadata.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["donor", "nCount_RNA", "cell_type"]);
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let donors = Column::Categorical { categories: text(&["d0", "d1"]), codes: (0..40).map(|cell| cell % 2).collect() };
    assert_eq!(read.metadata[0].1, donors);
    let totals = (0..40).map(|cell| read.counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
    assert_eq!(read.metadata[1].1, Column::Number(totals));
    let types =
        Column::Categorical { categories: text(&["B", "NK", "T cell"]), codes: (0..40).map(|cell| cell % 3).collect() };
    assert_eq!(read.metadata[2].1, types);
}

#[test]
fn an_undecided_orientation_is_a_warning() {
    let read = dataset("ambiguous.csv");
    assert_eq!(codes(&read.warnings), ["orientation_guessed"]);
    assert_eq!(
        read.warnings[0].message,
        "The names of the 40 rows and of the 30 columns do not tell which are genes. The rows were taken for genes, because \
         there are not fewer of them than columns."
    );
}

#[test]
fn the_column_of_names_can_be_chosen() {
    for (name, columns) in
        [("mex_v2", ["column 2", "column 1"]), ("ids_and_symbols.csv", ["feature_name", "feature_id"])]
    {
        assert_eq!(inspect(name).gene_columns, columns, "{name}");
        let options = ReadOptions { gene_column: Some(columns[1]), ..Default::default() };
        assert_eq!(read(files(name), &options).unwrap().features[0].symbol, "ENSG00000100000", "{name}");
        let options = ReadOptions { gene_column: Some("x"), ..Default::default() };
        let message = read(files(name), &options).unwrap_err().message;
        assert!(message.contains("there is no column \"x\" with names of genes. There are: "), "{message}");
    }
}

#[test]
fn the_same_bytes_with_one_and_with_many_threads() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for name in ["mex_unsorted", "cellranger.tar.gz", "genes.csv"] {
        let one = pool(1).install(|| dataset(name));
        let many = pool(4).install(|| dataset(name));
        assert_eq!(one.counts, many.counts, "{name}");
    }
}

#[test]
fn progress_rises_to_the_end() {
    for name in ["mex_unsorted", "deflated.zip", "genes.csv", "pax.tar"] {
        let seen = std::cell::RefCell::new(Vec::new());
        let report = |_: &str, share: f64| seen.borrow_mut().push(share);
        open(inputs(files(name))).unwrap().read(&ReadOptions::default(), &mut (), &Progress::new(&report)).unwrap();
        let seen = seen.into_inner();
        assert!(seen.len() > 2 && seen[0] == 0.0 && seen[seen.len() - 1] == 1.0, "{name}: {seen:?}");
        assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {seen:?}");
    }
}

const BANNER: &str = "%%MatrixMarket matrix coordinate integer general\n";

/// A small matrix of two genes and three cells.
fn mex(matrix: &str) -> Files {
    texts(&[
        ("s/matrix.mtx", matrix),
        ("s/barcodes.tsv", "AAAC\nAAAG\nAAAT\n"),
        ("s/genes.tsv", "E1\tTP53\nE2\tCD3E\n"),
    ])
}

#[test]
fn missing_files_are_named() {
    let without = |name: &str| {
        let mut all = mex("x");
        all.retain(|(path, _)| !path.contains(name));
        error(all)
    };
    let belong = "is one of three files that belong together, and";
    let advice = "Drop all three at once, or their folder.";
    assert_eq!(
        without("matrix"),
        format!("s: \"s/barcodes.tsv\" {belong} the counts (matrix.mtx or matrix.mtx.gz) are missing. {advice}")
    );
    assert_eq!(
        without("barcodes"),
        format!(
            "s: \"s/matrix.mtx\" {belong} the names of the cells (barcodes.tsv or barcodes.tsv.gz) are missing. {advice}"
        )
    );
    assert_eq!(
        without("genes"),
        format!(
            "s: \"s/matrix.mtx\" {belong} the names of the genes (features.tsv or genes.tsv, perhaps with .gz) are missing. {advice}"
        )
    );
    assert_eq!(
        error(texts(&[("any", BANNER)])),
        format!(
            "any: it {belong} the names of the cells (barcodes.tsv) and of the genes (features.tsv or genes.tsv) are missing. \
             {advice}"
        )
    );
}

#[test]
fn bad_matrices_are_explained() {
    let of = |matrix: &str| error(mex(matrix));
    let damaged = |what: &str| format!("s: \"s/matrix.mtx\" cannot be read: {what}. {DAMAGED}");
    assert_eq!(of(&format!("{BANNER}2 3 3\n1 1 1\n2 3 4\n")), damaged("it has 2 entries, but its header promises 3"));
    assert_eq!(of(&format!("{BANNER}2 3 1\n1 1 1\n2 3 4\n")), damaged("it has 2 entries, but its header promises 1"));
    assert_eq!(
        of(&format!("{BANNER}%\n2 3 2\n1 1 1\n3 3 4\n")),
        damaged("line 5 names row 3, but rows count from 1 to 2")
    );
    assert_eq!(
        of(&format!("{BANNER}2 3 2\n1 0 1\n2 3 4\n")),
        damaged("line 3 names column 0, but columns count from 1 to 3")
    );
    assert_eq!(
        of(&format!("{BANNER}2 3 2\n1 1\n")),
        damaged("line 3 should have a row, a column and a count, and is \"1 1\"")
    );
    assert_eq!(
        of(&format!("{BANNER}two three\n")),
        damaged(
            "it should have its numbers of rows, columns and entries before the first entry, and has \"two three\""
        )
    );
    assert_eq!(of(BANNER), damaged("the line with its numbers of rows, columns and entries is missing"));
    assert_eq!(
        of(&format!("{BANNER}20 3 1\n1 1 1\n")),
        "s: \"s/matrix.mtx\" has 20 rows and 3 columns, but there are 2 names in \"s/genes.tsv\" and 3 in \"s/barcodes.tsv\". \
         These files do not belong together, or one of them is not complete."
    );
    assert_eq!(
        of("1 1 1\n"),
        "s: \"s/matrix.mtx\" should be a MatrixMarket file and does not begin with \"%%MatrixMarket\". Check that it is the \
         right file and that its download was complete."
    );
    for (kind, what) in [
        ("matrix coordinate pattern general", "it says where there are counts but not how many (\"pattern\")"),
        ("matrix array real general", "it is dense (\"array\")"),
        ("matrix coordinate real symmetric", "it has only one half of the matrix (\"symmetric\")"),
        ("matrix coordinate complex general", "it has complex numbers"),
        ("vector", "its first line is \"%%MatrixMarket vector\""),
    ] {
        assert_eq!(
            of(&format!("%%MatrixMarket {kind}\n2 3 0\n")),
            format!(
                "s: \"s/matrix.mtx\" is a MatrixMarket file of another kind: {what}. Sextant reads \"matrix coordinate \
                 integer general\" and \"matrix coordinate real general\"; write the matrix again that way, for example in \
                 R with `Matrix::writeMM` or in Python with `scipy.io.mmwrite`."
            )
        );
    }
    let whole = files("mex_v3");
    let cut = whole.into_iter().map(|(path, bytes)| {
        let length = if path.contains("matrix.mtx") { bytes.len() / 2 } else { bytes.len() };
        (path, bytes[..length].to_vec())
    });
    assert_eq!(
        error(cut.collect()),
        format!(
            "mex_v3/filtered_feature_bc_matrix: \"mex_v3/filtered_feature_bc_matrix/matrix.mtx.gz\" cannot be read: its \
             compressed data ends early. {DAMAGED}"
        )
    );
    assert_eq!(
        of(&format!("{BANNER}2 3 2\n1 1 -1\n2 3 4\n")),
        "s: no raw counts were found: the values of \"matrix\" look like scaled values (negative numbers, down to -1.00). \
         Sextant needs the counts as they were before normalisation (whole numbers); save them in \"layers/counts\" or \
         \"raw/X\", or load the file of the step before."
    );
}

#[test]
fn a_list_that_is_no_text_is_refused() {
    let mut all = mex(&format!("{BANNER}2 3 2\n1 1 1\n2 3 4\n"));
    all[1].1[2] = 0;
    assert_eq!(
        error(all),
        "s: \"s/barcodes.tsv\" should be a list of names, and is no text. Check that it is the right file."
    );
}

#[test]
fn bad_tables_are_explained() {
    let of = |text: &str| error(texts(&[("t.csv", text)]));
    let damaged = |what: &str| format!("t.csv: it cannot be read: {what}. {DAMAGED}");
    assert_eq!(of("gene,c1,c2\nTP53,1,2\nCD3E,1\n"), damaged("line 3 has 2 columns, but 3 are expected"));
    assert_eq!(
        of("These are not\nthe counts that you are\nlooking for.\n"),
        "t.csv: it is text but no table: its lines are not divided by commas, tabs, semicolons or spaces into the same number \
         of columns."
    );
    let rows: String = (0..60).map(|gene| format!("G{gene},1,0\n")).collect();
    let header = "gene,c1,c2\n";
    assert_eq!(of(&format!("{header}{rows}CD3E,1\n")), damaged("line 62 has 2 columns, but 3 are expected"));
    assert_eq!(
        of(&format!("{header}{rows}CD3E,1,2,3\n")),
        damaged("line 62 has more than the 3 columns that are expected")
    );
    assert_eq!(
        of(&format!("{header}{rows}CD3E,x,2\n")),
        damaged("line 62 has \"x\" in the column \"c1\", where a number is expected")
    );
    assert_eq!(
        of(&format!("{header}{rows}CD3E,,2\n")),
        "t.csv: it cannot be read: line 62 has no number in the column \"c1\" (\"\"). Every gene needs a count in every cell: \
         write 0 where nothing was counted."
    );
    assert_eq!(
        of("barcode,cell_type\nAAAC,B\nAAAG,T\n"),
        "t.csv: it is a table without counts: its only column does not hold numbers. Sextant reads tables of counts of genes by \
         cells."
    );
    assert_eq!(
        of("gene;c1;c2\nTP53;1,33;0\nCD3E;0;0,67\n"),
        "t.csv: its numbers have decimal commas, so they are not raw counts. Load the table of raw counts, or save it with \
         whole numbers if they are counts."
    );
    assert_eq!(
        of(",cell_type,age\nAAACATACAACCAC-1,B,3\nAAACATTGAGCTAC-1,T,4\nAAACATTGATCAGC-1,T,5\n"),
        "t.csv: it looks like a table that describes cells: the names of its columns with numbers (\"age\") are not those of \
         genes. Load the file with the counts of these cells."
    );
    let fragments: String =
        (0..9).map(|n| format!("chr1\t{}\t{}\tAAACGAAAGACTCGGA-1\t2\n", n * 9, n * 9 + 7)).collect();
    assert_eq!(
        error(texts(&[("fragments.tsv", &fragments)])),
        "fragments.tsv: it looks like a list of fragments (chromosome, start, end, barcode) of an ATAC library. Sextant maps \
         gene expression; load the matrix of that library."
    );
    assert_eq!(
        error(vec![("t.csv".into(), b"\xff\xfea\0,\0".to_vec())]),
        "t.csv: it is text in UTF-16. Save it again as CSV in UTF-8."
    );
    assert_eq!(
        error(vec![("reads.bam".into(), b"BAM\x01\x20\0\0\0@HD".to_vec())]),
        "reads.bam: it is a BAM file of aligned reads. Sextant reads counts; load the matrix made from it."
    );
}

#[test]
fn bad_archives_are_explained() {
    assert_eq!(
        error(files("encrypted.zip")),
        "encrypted.zip: \"genes.tsv\" in the archive is encrypted. Unpack the archive with its password and load what is in it."
    );
    let damaged = |what: &str| format!("a.zip: it cannot be read: {what}. {DAMAGED}");
    let zip = |bytes: Vec<u8>| error(vec![("a.zip".into(), bytes)]);
    assert_eq!(zip(b"PK\x03\x04....".to_vec()), damaged("the table of contents at its end is missing"));
    let whole = files("deflated.zip").remove(0).1;
    assert_eq!(zip(whole[..whole.len() / 2].to_vec()), damaged("the table of contents at its end is missing"));
    // The first line of the table of contents is the folder's.
    let directory = whole.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"PK\x01\x02").nth(1).unwrap().0;
    let mut method = whole.clone();
    method[directory + 10] = 93;
    assert_eq!(
        zip(method),
        "a.zip: \"sample/matrix.mtx\" in the archive is packed by method 93 (Zstandard), which Sextant does not read; it reads stored and \
         deflated members. Unpack the archive and load what is in it."
    );
    let changed = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = bytes[at].wrapping_add(value);
        zip(bytes)
    };
    let member = |what: &str| format!("a/sample: \"sample/matrix.mtx\" cannot be read: {what}. {DAMAGED}");
    assert_eq!(changed(directory + 16, 1), member("its checksum does not fit"));
    assert_eq!(changed(directory + 25, 255), member("it has not the length that its archive says"));
    assert_eq!(changed(directory + 42, 1), member("it does not begin where its archive says"));
    let outside = |what: &str| format!("a.zip: \"sample/matrix.mtx\" cannot be read: {what}. {DAMAGED}");
    assert_eq!(changed(directory + 23, 0x7f), outside("the archive ends before this member does"));
    assert_eq!(
        changed(directory + 27, 0x7f),
        outside("the archive gives it a length that its compressed bytes cannot have")
    );
    let end = whole.windows(4).position(|bytes| bytes == b"PK\x05\x06").unwrap();
    assert_eq!(changed(end + 10, 1), damaged("its table of contents is cut off"));
    assert_eq!(changed(end + 18, 1), damaged("its table of contents lies outside the file"));
    let mut stored = files("stored.zip").remove(0).1;
    let directory = stored.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"PK\x01\x02").nth(1).unwrap().0;
    stored[directory + 20] ^= 1;
    assert_eq!(
        zip(stored),
        format!("a.zip: \"sample/matrix.mtx\" cannot be read: the archive gives it two different lengths. {DAMAGED}")
    );
    assert_eq!(
        error(files("zip_in_targz.tar.gz")),
        "zip_in_targz.tar.gz: \"inner.zip\" is a ZIP archive inside a compressed archive. Unpack the outer one first."
    );
    let tar = files("pax.tar").remove(0).1;
    let message = |bytes: Vec<u8>| error(vec![("a.tar".into(), bytes)]);
    assert_eq!(
        message(tar[..2000].to_vec()),
        format!("a.tar: it cannot be read: the archive ends in the middle. {DAMAGED}")
    );
    let mut header = tar.clone();
    header[1024 + 3] ^= 1;
    assert_eq!(message(header), format!("a.tar: it cannot be read: a header in the archive is damaged. {DAMAGED}"));
    let empty = [b"PK\x05\x06".to_vec(), vec![0; 18]].concat();
    assert_eq!(zip(empty), "a.zip: it is an archive without files in it. Check the step that packed it.");
}

#[test]
fn damaged_bytes_neither_crash_nor_exhaust_memory() {
    let mut outcomes = [0usize; 2];
    let names =
        ["mex_v2", "mex_unsorted", "kallisto", "deflated.zip", "zip64.zip", "cellranger.tar.gz", "pax.tar", "geo.tar"];
    for name in
        names.into_iter().chain(["genes.csv", "cells.tsv", "metadata.csv", "spaces.txt", "genes.tsv.gz", "mex_v3"])
    {
        let whole = files(name);
        let mut random = Random(0x5eed_5eed_5eed);
        for round in 0..300 {
            let mut mutant = whole.clone();
            let place = random.below(mutant.len());
            let bytes = &mut mutant[place].1;
            let at = random.below(bytes.len());
            match round % 5 {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => (0..4).for_each(|_| {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + 1 + random.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let end = (at + 1 + random.below(8)).min(bytes.len());
                    bytes[at..end].fill(b'9');
                }
            }
            let read = open(inputs(mutant)).and_then(|mut file| {
                file.inspect(&ReadOptions::default())?;
                file.read(&ReadOptions::default(), &mut (), &Progress::silent())
            });
            match read {
                Ok(dataset) => {
                    assert_eq!(dataset.counts.cells(), dataset.cells.len(), "{name}");
                    assert_eq!(dataset.counts.genes(), dataset.features.len(), "{name}");
                    outcomes[0] += 1;
                }
                Err(error) => {
                    assert!(!error.message.is_empty());
                    outcomes[1] += 1;
                }
            }
        }
    }
    assert!(outcomes.iter().all(|&count| count > 300), "{outcomes:?}");
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 128 << 20, "{largest} bytes were asked for at once");
}
