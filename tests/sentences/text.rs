//! What is said of archives, of MatrixMarket and of tables that cannot be read.

use crate::files::{DAMAGED, Files, bytes, error, file};
use crate::zarr::Zarr;
use sextant::formats::{Input, ReadOptions};
use sextant::progress::Progress;
use std::io::{Cursor, Read, Seek, SeekFrom};

/// The header of a member of a tar archive, with a checksum that fits.
fn header(name: &str, size: &[u8; 12], kind: u8) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(size);
    header[156] = kind;
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[test]
fn tar_archives_that_make_no_sense_are_explained() {
    let said = |size: &[u8; 12], kind: u8| error(file("a.tar", [header("x", size, kind), vec![0; 1024]].concat()));
    let damaged = |what: &str| format!("a.tar: it cannot be read: {what}. {DAMAGED}");
    assert_eq!(said(b"no number 12", b'0'), damaged("a header in the archive has no length"));
    assert_eq!(said(b"00010000000\0", b'L'), damaged("a name in the archive is too long"));
    let endless = b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_eq!(said(endless, b'0'), damaged("a header in the archive has an impossible length"));
    assert_eq!(said(b"00000010000\0", b'0'), damaged("the archive ends in the middle"));
}

#[test]
fn members_that_do_not_decompress_are_explained() {
    let mut changed = bytes("text/deflated.zip");
    let name = changed.windows(17).position(|bytes| bytes == b"sample/matrix.mtx").expect("a member");
    let extra = usize::from(changed[name - 2]);
    // There is no third kind of block.
    changed[name + 17 + extra] = 0xff;
    assert_eq!(
        error(file("a.zip", changed)),
        format!("a/sample: \"sample/matrix.mtx\" cannot be read: its compressed data does not decompress. {DAMAGED}")
    );
}

#[test]
fn archives_without_an_end_are_explained() {
    let mut large = bytes("text/zip64_directory.zip");
    let locator = large.windows(4).position(|bytes| bytes == b"PK\x06\x07").expect("a locator");
    large[locator + 8] ^= 1;
    assert_eq!(
        error(file("a.zip", large)),
        format!("a.zip: it cannot be read: the table of contents at its end is cut off. {DAMAGED}")
    );
    let tar = bytes("zarr2_csr.zarr.tar");
    let mut packed = vec![0; tar.len() + 1000];
    let config = zlib_rs::DeflateConfig { window_bits: 31, ..zlib_rs::DeflateConfig::new(6) };
    let mut deflate = zlib_rs::Deflate::new_with_config(config);
    deflate.compress(&tar, &mut packed, zlib_rs::DeflateFlush::Finish).expect("gzip");
    packed.truncate(deflate.total_out() as usize);
    let whole = error(file("s.tar.gz", packed));
    assert_eq!(
        whole,
        "s/zarr2_csr.zarr: it is a Zarr hierarchy in an archive that is compressed as a whole, in which nothing can be looked \
         up. Unpack it first, or pack it as ZIP."
    );
}

#[test]
fn text_that_was_packed_and_damaged_is_explained() {
    let whole = |ending: &str| bytes(&format!("text/genes.csv.{ending}"));
    for ending in ["bz2", "xz", "zst"] {
        let (name, cut) = (format!("t.csv.{ending}"), whole(ending));
        assert_eq!(
            error(file(&name, &cut[..cut.len() - 30])),
            format!("{name}: it cannot be read: its compressed data ends early. {DAMAGED}")
        );
    }
    for (ending, packing) in [("bz2", "bzip2"), ("xz", "xz"), ("zst", "zstd")] {
        let (name, mut changed) = (format!("t.csv.{ending}"), whole(ending));
        // In the second of two streams.
        let place = changed.len() * 3 / 4;
        changed[place..place + 20].fill(0xff);
        assert_eq!(
            error(file(&name, changed)),
            format!("{name}: it cannot be read: its {packing} compression is damaged. {DAMAGED}")
        );
    }
    let large = bytes("text/large_dictionary.csv.xz");
    assert_eq!(
        error(file("t.csv.xz", &large[..])),
        "t.csv.xz: it is compressed with xz and needs a dictionary of more than 64 MB, more than Sextant gives. Unpack it first, \
         or save it again in R with `saveRDS(object, \"file.rds\")`."
    );
    assert_eq!(
        error(vec![("matrix.mtx".into(), MATRIX.to_vec()), ("barcodes.tsv.xz".into(), large), owned(GENES)]),
        "matrix.mtx: \"barcodes.tsv.xz\" is compressed with xz and needs a dictionary of more than 64 MB, more than Sextant \
         gives. Unpack it first."
    );
}

fn owned((name, content): (&str, &[u8])) -> (String, Vec<u8>) {
    (name.to_owned(), content.to_vec())
}

#[test]
fn descriptions_of_any_size_are_not_read() {
    let store = Zarr::cells().file("obs/.zattrs", vec![b' '; (64 << 20) + 1]);
    assert_eq!(
        error(store.files()),
        format!("s.zarr: \"obs/.zattrs\" cannot be read: it is too large for a description. {DAMAGED}")
    );
}

#[test]
fn documents_are_named() {
    let office = |member: &str| {
        let mut writer = sextant::reference::zip::Writer::default();
        writer.add("[Content_Types].xml", b"<Types/>");
        writer.add(member, b"<document/>");
        error(file("d.docx", writer.finish()))
    };
    for member in ["word/document.xml", "ppt/presentation.xml"] {
        assert_eq!(
            office(member),
            format!(
                "d.docx: there are no counts among the 2 files: \"d.docx/[Content_Types].xml\", \"d.docx/{member}\". It is a \
                 document of Microsoft Office. Sextant reads files with counts; a table in it can be saved as CSV."
            )
        );
    }
    assert_eq!(
        office("xl/workbook.xml"),
        "d.docx: there are no counts among the 2 files: \"d.docx/[Content_Types].xml\", \"d.docx/xl/workbook.xml\". It is an \
         Excel workbook: save the sheet with the counts as CSV."
    );
}

fn text(files: &[(&str, &[u8])]) -> Files {
    files.iter().map(|&file| owned(file)).collect()
}

const MATRIX: &[u8] = b"%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 1 5\n2 2 7\n";
const CELLS: (&str, &[u8]) = ("barcodes.tsv", b"a\nb\nc\n");
const GENES: (&str, &[u8]) = ("genes.tsv", b"ENSG00000198851\tCD3E\nENSG00000156738\tMS4A1\n");

#[test]
fn one_of_three_files_asks_for_the_others() {
    let all = "Drop all three at once, or their folder.";
    let names = "the names of the cells (barcodes.tsv) and of the genes (features.tsv or genes.tsv) are missing";
    let matrix = ("matrix.mtx", MATRIX);
    let said = |files: &[(&str, &[u8])]| error(text(files));
    assert_eq!(
        said(&[matrix]),
        format!("matrix.mtx: it is one of three files that belong together, and {names}. {all}")
    );
    assert_eq!(
        said(&[matrix, GENES]),
        format!(
            "matrix.mtx: it is one of three files that belong together, and the names of the cells (barcodes.tsv or \
             barcodes.tsv.gz) are missing. {all}"
        )
    );
    assert_eq!(
        said(&[matrix, CELLS]),
        format!(
            "matrix.mtx: it is one of three files that belong together, and the names of the genes (features.tsv or genes.tsv, \
             perhaps with .gz) are missing. {all}"
        )
    );
    assert_eq!(
        said(&[CELLS, GENES]),
        format!(
            "barcodes.tsv: it is one of three files that belong together, and the counts (matrix.mtx or matrix.mtx.gz) are \
             missing. {all}"
        )
    );
    let noise = [MATRIX, b"\xff\xfe 1 1\n"].concat();
    assert_eq!(
        said(&[("matrix.mtx", &noise), CELLS, GENES]),
        format!("matrix.mtx: it cannot be read: line 5 is no text: \"\u{fffd}\u{fffd} 1 1\". {DAMAGED}")
    );
}

#[test]
fn features_of_every_other_type_are_named() {
    let kinds = ["Antibody Capture", "CRISPR Guide Capture", "Multiplexing Capture", "Antigen Capture"];
    let features: String = kinds.map(|kind| format!("a\ta\t{kind}\n")).concat();
    let matrix = b"%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1 5\n";
    assert_eq!(
        error(text(&[("matrix.mtx", matrix), CELLS, ("features.tsv", features.as_bytes())])),
        "matrix.mtx: it has no features of the type \"Gene Expression\", only \"Antibody Capture\", \"Antigen Capture\", \"CRISPR \
         Guide Capture\", \"Multiplexing Capture\". Sextant maps gene expression; load the matrix of that library."
    );
}

#[test]
fn tables_without_numbers_are_explained() {
    assert_eq!(
        error(file("t.csv", "gene,a,b\nCD3E,x,y\nMS4A1,z,x\nLYZ,x,x\n")),
        "t.csv: it is a table without counts: none of its 2 columns holds numbers. Sextant reads tables of counts of genes by \
         cells."
    );
}

/// A file of which another version is there once it was read a first time.
struct Changing {
    versions: [Cursor<Vec<u8>>; 2],
    /// Reads of more than the first look takes.
    passes: usize,
}

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let version = usize::from(self.passes > 0);
        if buffer.len() > 1 << 20 {
            self.passes += 1;
        }
        self.versions[version].read(buffer)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.versions[1].seek(to)?;
        self.versions[0].seek(to)
    }
}

fn changing(name: &str, first: &str, from: &str, to: &str, others: Files) -> String {
    let place = first.rfind(from).expect("what changes");
    let mut later = first.as_bytes().to_vec();
    later[place..place + to.len()].copy_from_slice(to.as_bytes());
    let versions = [first.as_bytes().to_vec(), later].map(Cursor::new);
    let mut inputs = vec![Input::new(name, Box::new(Changing { versions, passes: 0 }))];
    inputs.extend(others.into_iter().map(|(name, bytes)| Input::new(name, Box::new(Cursor::new(bytes)))));
    let read = sextant::formats::open(inputs)
        .and_then(|mut file| file.read(&ReadOptions::default(), &mut (), &Progress::silent()));
    read.err().map(|error| error.message).unwrap_or_default()
}

#[test]
fn files_that_change_while_they_are_read_are_refused() {
    use std::fmt::Write;
    let (mut cells, mut genes, mut lines) = (String::new(), String::new(), String::new());
    (1..=300).for_each(|cell| writeln!(cells, "cell{cell}").expect("a line"));
    for gene in 1..=1_000 {
        writeln!(genes, "ENSG{gene:011}\tG{gene}").expect("a line");
        (1..=300).for_each(|cell| writeln!(lines, "{gene} {cell} {}", gene * 7 % 90 + 1).expect("a line"));
    }
    let matrix = format!("%%MatrixMarket matrix coordinate integer general\n1000 300 300000\n{lines}");
    let lists = vec![("barcodes.tsv".to_owned(), cells.into_bytes()), ("genes.tsv".to_owned(), genes.into_bytes())];
    assert_eq!(
        changing("matrix.mtx", &matrix, "1000 300 71", "1000 299 71", lists),
        format!("matrix.mtx: it cannot be read: it changed while it was read. {DAMAGED}")
    );
    let names: Vec<String> = (0..300).map(|cell| format!("cell{cell}")).collect();
    let mut table = format!("gene,{}\n", names.join(","));
    for gene in 0..4_000 {
        let counts: Vec<String> = (0..300).map(|cell| (gene * cell % 13 % 5 * 9).to_string()).collect();
        writeln!(table, "G{gene},{}", counts.join(",")).expect("a line");
    }
    assert_eq!(
        changing("t.csv", &table, ",0,", ",9,", Vec::new()),
        format!("t.csv: it cannot be read: it changed while it was read. {DAMAGED}")
    );
}

/// A file that is gone.
struct Gone;

impl Read for Gone {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the stick was pulled out"))
    }
}

impl Seek for Gone {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Err(std::io::Error::other("the stick was pulled out"))
    }
}

#[test]
fn a_file_that_is_gone_is_not_taken_for_damage() {
    let opened = sextant::formats::open(vec![Input::new("f", Box::new(Gone))]);
    assert_eq!(
        opened.err().map(|error| error.message).unwrap_or_default(),
        "f: the file cannot be read: the stick was pulled out. Check that it is still where it was and may be read."
    );
    let none = sextant::formats::open(Vec::new());
    assert_eq!(none.err().map(|error| error.message).unwrap_or_default(), "Choose a file first.");
}
