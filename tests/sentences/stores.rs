//! What is said of H5AD, Loom and h5Seurat whose parts contradict each other: the same for every store, here Zarr.

use crate::files::{DAMAGED, bytes, error, file, messages, read, read_with};
use crate::refusing;
use crate::zarr::Zarr;
use sextant::formats::{Feature, FeaturesOfGenes, ReadOptions};

/// The sentence of a hierarchy that cannot be read.
fn said(store: Zarr) -> String {
    error(store.files())
}

fn damaged(path: &str, what: &str) -> String {
    format!("s.zarr: \"{path}\" cannot be read: {what}. {DAMAGED}")
}

/// The warnings of a hierarchy that is read without a column.
fn left_out(store: Zarr) -> Vec<String> {
    messages(&read(store.files()).warnings).into_iter().map(str::to_owned).collect()
}

const CSR: &str = r#"{"encoding-type": "csr_matrix", "shape": [3, 2]}"#;

#[test]
fn the_stores_themselves_are_read() {
    let rows = |store: Zarr| {
        let dataset = read(store.files());
        assert_eq!(dataset.warnings, []);
        (0..3).map(|cell| dataset.counts.row(cell).collect()).collect::<Vec<Vec<(u32, f32)>>>()
    };
    let expected = [vec![(0, 5.0), (1, 1.0)], vec![(0, 2.0)], vec![(0, 3.0), (1, 7.0)]];
    assert_eq!(rows(Zarr::cells()), expected);
    assert_eq!(rows(Zarr::cells().sparse("X", CSR)), expected);
    assert_eq!(rows(seurat()), expected);
    assert_eq!(rows(loom()), expected);
}

#[test]
fn tables_without_names_are_explained() {
    assert_eq!(said(Zarr::cells().without("obs/_index")), damaged("obs", "it has no names of its rows"));
    let square = Zarr::cells().array("obs/_index", &[1, 3], "|S1", b"abc");
    assert_eq!(said(square), damaged("obs/_index", "it should have one dimension"));
    let empty = Zarr::cells().without("obs/_index").group("obs/_index", "{}");
    assert_eq!(said(empty), damaged("obs/_index", "it is a group and should be an array"));
    let array = Zarr::cells().without("obs").texts("obs", &["a", "b", "c"]);
    assert_eq!(said(array), damaged("obs", "it should be a group with a table's columns and is an array"));
    assert_eq!(said(seurat().without("assays/RNA/features")), damaged("assays/RNA/features", "it is not there"));
    let numbers = Zarr::cells()
        .without("var/_index")
        .array("var/_index/codes", &[2], "|i1", &[0, 1])
        .group("var/_index", "{}")
        .group("var/_index/categories", "{}")
        .array("var/_index/categories/values", &[2], "|i1", &[0, 1]);
    assert_eq!(said(numbers), "s.zarr: \"var/_index/categories/values\" should hold text and holds numbers.");
}

#[test]
fn columns_that_contradict_themselves_are_left_out() {
    let codes = |store: Zarr| store.group("obs/c", "{}").array("obs/c/codes", &[3], "|i1", &[0, 1, 2]);
    assert_eq!(
        left_out(codes(Zarr::cells()).texts("obs/c/categories", &["x", "y"])),
        [format!(
            "The column \"c\" of \"obs\" was left out: \"obs/c\" cannot be read: it names categories that it does not have. \
             {DAMAGED}"
        )]
    );
    assert_eq!(
        left_out(codes(Zarr::cells()).group("obs/c/categories", "{}")),
        [format!(
            "The column \"c\" of \"obs\" was left out: \"obs/c/categories\" cannot be read: it is a group without values. \
             {DAMAGED}"
        )]
    );
    let huge = Zarr::cells().packed("obs/c", &[20_000_000], "|u1", r#"{"id": "zstd"}"#, &[]).without("obs/c/0");
    let unwritten = huge.clone().files().into_iter().filter(|(path, _)| path != "s.zarr/obs/c/0").collect();
    assert_eq!(
        messages(&read(unwritten).warnings),
        [format!(
            "The column \"c\" of \"obs\" was left out: \"obs/c\" cannot be read: it announces more data than the file can \
             hold. {DAMAGED}"
        )]
    );
    let square = Zarr::cells().array("obs/c", &[3, 2], "|S1", b"abcdef");
    assert_eq!(
        left_out(square),
        [format!(
            "The column \"c\" of \"obs\" was left out: \"obs/c\" cannot be read: it should have one dimension. {DAMAGED}"
        )]
    );
}

#[test]
fn matrices_that_contradict_themselves_are_explained() {
    let shape = r#"{"encoding-type": "csr_matrix", "shape": [3, 2, 1]}"#;
    assert_eq!(said(Zarr::cells().sparse("X", shape)), damaged("X", "its shape should have two entries"));
    let triplets = r#"{"encoding-type": "coo", "shape": [3, 2]}"#;
    assert_eq!(
        said(Zarr::cells().sparse("X", triplets)),
        "s.zarr: \"X\" has the encoding \"coo\". Sextant reads \"csr_matrix\", \"csc_matrix\" and dense arrays; write it \
         again as one of them."
    );
    let short = |store: Zarr| store.array("X/indptr", &[6], "|u1", &[0, 1, 2, 3, 4, 5]);
    assert_eq!(said(short(Zarr::cells().sparse("X", "{}"))), damaged("X", "it does not say how it is encoded"));
    assert_eq!(
        said(short(Zarr::cells().sparse("X", CSR))),
        damaged("X/indptr", "it has 6 entries, which does not fit 3 cells")
    );
    assert_eq!(
        said(Zarr::cells().sparse("X", CSR).array("X/indices", &[4], "|u1", &[0, 1, 0, 0])),
        damaged("X", "it has 5 values but 4 indices")
    );
    assert_eq!(
        said(Zarr::cells().array("X", &[6], "|u1", &[1; 6])),
        "s.zarr: \"X\" should be a matrix of cells by genes and has one dimension."
    );
    assert_eq!(
        said(Zarr::cells().array("X", &[3, 2, 1], "|u1", &[1; 6])),
        "s.zarr: \"X\" should have one or two dimensions and has 3."
    );
    let many = Zarr::cells()
        .without("obs/_index")
        .group("obs/_index", "{}")
        .packed("obs/_index/codes", &[3_000_000_000], "|i1", "null", &[])
        .texts("obs/_index/categories", &["a"])
        .sparse("X", r#"{"encoding-type": "csr_matrix", "shape": [3000000000, 2]}"#);
    assert_eq!(said(many), damaged("X", "its shape of 3000000000 cells by 2 genes is impossible"));
}

#[test]
fn values_that_are_no_counts_are_named() {
    let zeros = || Zarr::cells().array("X", &[3, 2], "|u1", &[0; 6]);
    let wanted = ReadOptions { matrix: Some("X"), ..Default::default() };
    assert_eq!(
        read_with(zeros().files(), &wanted).err().map(|error| error.message).unwrap_or_default(),
        "s.zarr: all counts in \"X\" are zero. Check the step that wrote the file."
    );
    let genes: Vec<String> = (0..5_000).map(|gene| format!("G{gene}")).collect();
    let genes: Vec<&str> = genes.iter().map(String::as_str).collect();
    let seen = Zarr::cells().texts("var/_index", &genes).array("X", &[3, 5_000], "|u1", &[1; 15_000]);
    let dataset = read_with(seen.files(), &wanted).unwrap();
    assert_eq!(
        messages(&dataset.warnings),
        [
            "The values of \"X\", which was asked for, are only 0 and 1 (whether a gene was seen, not how often). Mapping \
             expects raw counts; its results may be wrong."
        ]
    );
    assert_eq!(
        messages(&read(file("f.h5ad", bytes("estimates.h5ad"))).warnings),
        [
            "The values of \"X\" are of the size of counts but 100 % have fractions (in the sample about 457 in a cell, at most 807 \
             of a gene). They were taken as estimated counts, as SoupX, RSEM or alevin write them."
        ]
    );
    let more = Zarr::cells()
        .group("raw", "{}")
        .group("raw/var", r#"{"_index": "_index"}"#)
        .texts("raw/var/_index", &["CD3E", "MS4A1", "LYZ"])
        .array("raw/X", &[3, 3], "|u1", &[5, 1, 3, 2, 0, 4, 3, 7, 0]);
    assert_eq!(
        messages(&read(more.files()).warnings),
        ["\"X\" was taken, with 2 genes; \"raw/X\" also has raw counts, of 3 genes, and may map better."]
    );
    // A fraction where no sample looks.
    let mut values = [2.0f32, 9.0].repeat(20_000);
    values[13_131] = 1.5;
    let names: Vec<String> = (0..20_000).map(|cell| format!("c{cell}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let hidden = Zarr::cells().texts("obs/_index", &names).array("X", &[20_000, 2], "<f4", &values);
    assert_eq!(
        messages(&read(hidden.files()).warnings),
        [
            "\"X\" has 1 values with fractions, although a sample showed whole numbers only. They were taken as they are."
        ]
    );
}

#[test]
fn counts_beyond_the_memory_are_refused() {
    let budget = |genes: bool| {
        let all = |features: &[Feature]| (0..features.len() as u32).map(Some).collect::<Vec<_>>();
        let options = ReadOptions {
            budget: Some(1_000),
            features: genes.then_some(&all as &FeaturesOfGenes<'_>),
            features_only: genes,
            ..Default::default()
        };
        read_with(file("f.h5ad", bytes("csr_int64.h5ad")), &options)
            .err()
            .map(|error| error.message)
            .unwrap_or_default()
    };
    assert_eq!(
        budget(false),
        "f.h5ad: its counts need 0 MB of memory and 0 MB are there for them. Read the counts of the reference's genes only \
         (labels stay the same; markers beyond those genes are lost), use the command on a machine with more memory, or \
         split the file by sample."
    );
    assert_eq!(
        budget(true),
        "f.h5ad: its counts need more than 0 MB of memory and 0 MB are there for them. Use the command on a machine with \
         more memory, or split the file by sample."
    );
    // 515 counts of four bytes each, for which there is no room.
    assert_eq!(
        refusing::without(2_060, || error(file("f.h5ad", bytes("csr_int64.h5ad")))),
        "f.h5ad: its 515 counts need 0 MB of memory, more than there is here. Use the command on a machine with more memory, \
         or split the file."
    );
}

/// Three cells and two genes as SeuratDisk keeps them.
fn seurat() -> Zarr {
    Zarr::default()
        .group("", r#"{"active.assay": "RNA"}"#)
        .texts("cell.names", &["a", "b", "c"])
        .group("assays", "{}")
        .group("assays/RNA", "{}")
        .texts("assays/RNA/features", &["CD3E", "MS4A1"])
        .sparse("assays/RNA/counts", r#"{"dims": [2, 3]}"#)
        .group("meta.data", "{}")
}

/// The same as Loom keeps them.
fn loom() -> Zarr {
    Zarr::default()
        .group("", "{}")
        .array("matrix", &[2, 3], "|u1", &[5, 2, 3, 1, 0, 7])
        .group("row_attrs", "{}")
        .texts("row_attrs/Gene", &["CD3E", "MS4A1"])
        .group("col_attrs", "{}")
        .texts("col_attrs/CellID", &["a", "b", "c"])
}

#[test]
fn objects_of_seurat_that_contradict_themselves_are_explained() {
    let square = seurat().array("cell.names", &[1, 3], "|S1", b"abc");
    assert_eq!(said(square), damaged("cell.names", "it should have one dimension"));
    let square = seurat().array("assays/RNA/features", &[1, 2], "|S1", b"ab");
    assert_eq!(said(square), damaged("assays/RNA/features", "it should have one dimension"));
    let shape = seurat().group("assays/RNA/counts", r#"{"dims": [2, 3, 1]}"#);
    assert_eq!(said(shape), damaged("assays/RNA/counts", "its shape should have two entries"));
    let flat = seurat().without("assays/RNA/counts").array("assays/RNA/counts", &[6], "|u1", &[1; 6]);
    assert_eq!(said(flat), damaged("assays/RNA/counts", "its shape should have two entries"));
    assert_eq!(
        left_out(seurat().group("meta.data/f", "{}")),
        ["The column \"f\" of \"meta.data\" was left out: \"meta.data/f\" is neither an array nor a factor."]
    );
    let beyond = seurat().group("meta.data/f", "{}").texts("meta.data/f/levels", &["x"]).array(
        "meta.data/f/values",
        &[3],
        "|u1",
        &[1, 1, 2],
    );
    assert_eq!(
        left_out(beyond),
        [format!(
            "The column \"f\" of \"meta.data\" was left out: \"meta.data/f\" cannot be read: it names categories that it does \
             not have. {DAMAGED}"
        )]
    );
}

#[test]
fn loom_without_two_dimensions_is_explained() {
    let flat = loom().array("matrix", &[6], "|u1", &[1; 6]);
    assert_eq!(said(flat), damaged("matrix", "its shape should have two entries"));
    let one = Zarr::default()
        .group("", "{}")
        .array("matrix", &[2, 1], "<f4", &[0; 8])
        .group("layers", "{}")
        .array("layers/counts", &[2], "|u1", &[5, 1])
        .group("row_attrs", "{}")
        .texts("row_attrs/Gene", &["CD3E", "MS4A1"])
        .group("col_attrs", "{}");
    assert_eq!(said(one), "s.zarr: \"layers/counts\" should be a matrix of genes by cells and has one dimension.");
}

#[test]
fn chunks_that_cannot_be_decoded_are_explained() {
    let noise: Vec<u8> = (0..200u32).map(|place| (place * 97 % 251) as u8).collect();
    let blosc = |flags: u8, version: u8| {
        let mut chunk = vec![version, 1, flags, 2];
        for number in [12u32, 12, 40, 20, 4] {
            chunk.extend(number.to_le_bytes());
        }
        chunk.extend([0xff; 16]);
        chunk
    };
    for (compressor, chunk, what) in [
        ("zlib", &noise, "a gzip chunk does not decompress"),
        ("gzip", &noise, "a gzip chunk does not decompress"),
        ("zstd", &noise, "a Zstandard chunk does not decompress"),
        ("bz2", &noise, "a bzip2 chunk does not decompress"),
        ("lz4", &[12, 0, 0, 0, 0xf0, 0xff, 0xff].to_vec(), "an LZ4 chunk does not decompress"),
        ("blosc", &vec![2, 1, 1], "a Blosc chunk does not decompress"),
        ("blosc", &blosc(1, 9), "a chunk is of a version of Blosc that is not known"),
        ("blosc", &blosc(0, 2), "a BloscLZ chunk does not decompress"),
        ("blosc", &blosc(2 << 5, 2), "a chunk is compressed with Blosc and Snappy, which is not read"),
        ("blosc", &blosc(5 << 5, 2), "a chunk is compressed with Blosc in a way that is not known"),
        ("crc32c", &vec![1, 2], "a chunk is too short"),
    ] {
        let compressor = format!(r#"{{"id": "{compressor}"}}"#);
        assert_eq!(said(Zarr::cells().packed("X", &[3, 2], "<u2", &compressor, chunk)), damaged("X", what));
    }
    assert_eq!(
        said(Zarr::cells().array("X", &[3, 2], "<u2", &[1, 2])),
        damaged("X", "a chunk has not the size that was announced")
    );
}

#[test]
fn descriptions_that_make_no_sense_are_explained() {
    let packed = |compressor: &str| said(Zarr::cells().packed("X", &[3, 2], "<u2", compressor, &[0; 12]));
    assert_eq!(packed(r#"{"level": 3}"#), damaged("X", "its description has a codec without a name"));
    assert_eq!(packed(r#"{"id": "shuffle", "elementsize": 0}"#), damaged("X", "its shuffle filter has no width"));
    assert_eq!(
        packed(r#"{"id": "blosc", "cname": "snappy"}"#),
        "s.zarr: \"X\" is compressed with Blosc with Snappy, which Sextant does not read; it reads gzip, lzf, Zstandard, LZ4, \
         Blosc, bitshuffle, bzip2 and uncompressed data. Re-save it as H5AD, for example in Python with \
         `anndata.read_zarr(\"in.zarr\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`."
    );
    let newer = |chunk: &str, codecs: &str, bytes: &[u8]| said(Zarr::cells().newer("X", chunk, codecs, bytes));
    assert_eq!(
        newer("[3, 2]", r#"{"name": "transpose", "configuration": {"order": [2, 0]}}"#, &[0; 12]),
        damaged("X", "its transposition is impossible")
    );
    let shards = |shape: &str| {
        format!(
            r#"{{"name": "sharding_indexed", "configuration": {{{shape}"codecs": [{{"name": "bytes"}}],
            "index_codecs": [{{"name": "bytes"}}]}}}}"#
        )
    };
    assert_eq!(newer("[3, 2]", &shards(""), &[0; 12]), damaged("X", "its description of shards is incomplete"));
    assert_eq!(
        newer("[3, 2]", &shards(r#""chunk_shape": [2, 2], "#), &[0; 64]),
        damaged("X", "its shards do not consist of whole chunks")
    );
    let index: Vec<u8> = [1u64 << 40, 12].iter().flat_map(|number| number.to_le_bytes()).collect();
    assert_eq!(
        newer("[3, 2]", &shards(r#""chunk_shape": [3, 2], "#), &index),
        damaged("X", "a chunk lies outside of the file")
    );
}
