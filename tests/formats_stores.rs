//! Reading AnnData and its relatives from every kind of store: each gives the same counts.
//!
//! The files in `tests/data/formats` are written by `generate_stores.py` beside them.

#[path = "common/files.rs"]
mod files;

use files::{bytes, codes, column, expected};
use sextant::formats::{Column, Dataset, Input, Inspection, ReadOptions, open};
use sextant::progress::Progress;
use std::collections::HashMap;
use std::io::Cursor;

/// The files of a tar archive, as if its folder had been dropped.
fn unpacked(archive: &[u8]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut rest = archive;
    while let Some((header, after)) = rest.split_at_checked(512)
        && header[0] != 0
    {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
            std::str::from_utf8(&field[..end]).unwrap().trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        inputs.push(Input::new(text(0..100), Box::new(Cursor::new(after[..size].to_vec()))));
        rest = &after[size.div_ceil(512) * 512..];
    }
    inputs
}

fn inputs(name: &str) -> Vec<Input> {
    let bytes = bytes(name);
    if name.ends_with(".tar") { unpacked(&bytes) } else { vec![Input::new(name, Box::new(Cursor::new(bytes)))] }
}

fn read_with(name: &str, options: &ReadOptions<'_>) -> sextant::Result<Dataset> {
    open(inputs(name))?.read(options, &mut (), &Progress::silent())
}

fn read(name: &str, matrix: Option<&str>) -> Dataset {
    let options = ReadOptions { matrix, ..Default::default() };
    read_with(name, &options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inspect(name: &str) -> Inspection {
    let inspected = open(inputs(name)).and_then(|mut file| file.inspect(&ReadOptions::default()));
    inspected.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(name: &str) -> String {
    match read_with(name, &ReadOptions::default()) {
        Ok(dataset) => panic!("{name} was read, from {}", dataset.matrix),
        Err(error) => error.message,
    }
}

fn check(dataset: &Dataset, name: &str) {
    let mut entries = HashMap::new();
    for (cell, barcode) in dataset.cells.iter().enumerate() {
        for (gene, count) in dataset.counts.row(cell) {
            let symbol = dataset.features[gene as usize].symbol.clone();
            assert!(entries.insert((barcode.clone(), symbol), count).is_none(), "{name}");
        }
    }
    assert_eq!(entries, expected(), "{name}");
    assert_eq!((dataset.cells.len(), dataset.features.len()), (40, 30), "{name}");
    if dataset.features[0].id.is_some() {
        assert_eq!(dataset.features[29].id.as_deref(), Some("ENSG00000101073"), "{name}");
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_store_gives_the_same_counts() {
    let files = [
        ("zarr2_csr.zarr.tar", "X", "AnnData (Zarr)"),
        ("zarr2_dense.zarr.tar", "X", "AnnData (Zarr)"),
        ("zarr2_csc_new.zarr.tar", "X", "AnnData (Zarr)"),
        ("zarr3_csr.zarr.tar", "X", "AnnData (Zarr)"),
        ("zarr3_dense.zarr.tar", "X", "AnnData (Zarr)"),
        ("zarr2_stored.zarr.zip", "X", "AnnData (Zarr)"),
        ("zarr2_deflated.zarr.zip", "X", "AnnData (Zarr)"),
        ("compressed_anndata_zstd.h5ad", "X", "H5AD"),
        ("loompy.loom", "matrix", "Loom"),
        ("layers.loom", "layers/counts", "Loom"),
        ("velocity.loom", "layers/spliced+unspliced", "Loom"),
        ("small.h5seurat", "RNA/counts", "h5Seurat"),
        ("small.h5mu", "X", "MuData, modality \"rna\""),
        ("dense_tenx.h5", "/matrix/data", "HDF5 with a dense matrix"),
        ("dense_named.h5", "/data.debatched", "HDF5 with a dense matrix"),
        ("hand_made.h5ad", "X", "H5AD"),
    ];
    for (name, matrix, format) in files {
        let dataset = read(name, None);
        assert_eq!((dataset.matrix.as_str(), dataset.format.as_str()), (matrix, format), "{name}");
        check(&dataset, name);
        let allowed: &[&str] = match name {
            "layers.loom" => &["column_skipped"],
            "small.h5seurat" => &["other_features"],
            _ => &[],
        };
        assert!(codes(&dataset.warnings).iter().all(|code| allowed.contains(code)), "{name}");
        let inspection = inspect(name);
        assert_eq!(inspection.matrix.as_deref(), Some(matrix), "{name}");
        assert_eq!((inspection.cells, inspection.genes), (40, 30), "{name}");
    }
}

#[test]
fn every_codec_gives_the_same_counts() {
    for (name, count) in [("zarr2_codecs.zarr.tar", 8), ("zarr3_codecs.zarr.tar", 7), ("compressed_all.h5ad", 10)] {
        let inspection = inspect(name);
        assert_eq!(inspection.matrices.len(), count, "{name}");
        for candidate in inspection.matrices {
            let dataset = read(name, Some(&candidate.path));
            check(&dataset, &format!("{name} {}", candidate.path));
        }
    }
    let dataset = read("zarr2_codecs.zarr.tar", None);
    assert_eq!(column(&dataset, "kind"), Some(Column::Text(texts(&["é", "b"].repeat(20)))));
    let Some(Column::Number(depth)) = column(&dataset, "depth") else { panic!("depths are numbers") };
    let total: f64 = expected().values().map(|&count| f64::from(count)).sum();
    assert_eq!(depth.iter().sum::<f64>(), total);
}

#[test]
fn the_same_bytes_with_one_and_with_many_threads() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for name in ["layers.loom", "zarr2_dense.zarr.tar", "small.h5seurat"] {
        let one = pool(1).install(|| read(name, None));
        let many = pool(4).install(|| read(name, None));
        assert_eq!(one.counts, many.counts, "{name}");
    }
}

#[test]
fn the_table_of_cells_is_read_from_zarr() {
    let types = Column::Categorical {
        categories: texts(&["B", "NK", "T cell"]),
        codes: (0..40).map(|i| if i % 10 == 0 { u32::MAX } else { i % 3 }).collect(),
    };
    for name in ["zarr2_csr.zarr.tar", "zarr2_csc_new.zarr.tar", "zarr3_csr.zarr.tar", "compressed_anndata_zstd.h5ad"] {
        let dataset = read(name, None);
        let names: Vec<_> = dataset.metadata.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cell_type", "score", "good", "clusters", "passed", "note"], "{name}");
        assert_eq!(column(&dataset, "cell_type"), Some(types.clone()), "{name}");
        let passed = Column::Categorical {
            categories: texts(&["False", "True"]),
            codes: (0..40).map(|i| if i == 6 { u32::MAX } else { u32::from(i % 2 == 0) }).collect(),
        };
        assert_eq!(column(&dataset, "passed"), Some(passed), "{name}");
        let Some(Column::Number(score)) = column(&dataset, "score") else { panic!("scores are numbers") };
        assert!(score[3].is_nan() && score[39] == 19.5, "{name}");
        let Some(Column::Number(clusters)) = column(&dataset, "clusters") else { panic!("clusters are numbers") };
        assert!(clusters[5].is_nan() && clusters[13] == 6.0, "{name}");
        let notes: Vec<String> = (0..40).map(|i| format!("n{i}é")).collect();
        assert_eq!(column(&dataset, "note"), Some(Column::Text(notes)), "{name}");
    }
}

#[test]
fn columns_of_any_kind_are_kept_or_named() {
    let dataset = read("columns.h5ad", None);
    let names: Vec<_> = dataset.metadata.iter().map(|(name, _)| name.as_str()).collect();
    let others = ["_scvi_batch", "_scvi_labels", "many_levels", "nullable_text", "numbers_as_levels", "old_style"];
    assert_eq!(names[..2], ["with_nan", "half"]);
    assert_eq!(names[2..], others);
    let Some(Column::Categorical { categories, codes }) = column(&dataset, "many_levels") else { panic!("categories") };
    assert_eq!((categories.len(), codes[39], categories[2730].as_str()), (3000, 2730, "donor_2730"));
    let old = Column::Categorical { categories: texts(&["low", "high"]), codes: [0, 1, u32::MAX, 1].repeat(10) };
    assert_eq!(column(&dataset, "old_style"), Some(old));
    let levels = Column::Categorical { categories: texts(&["0.5", "2"]), codes: [0, 1].repeat(20) };
    assert_eq!(column(&dataset, "numbers_as_levels"), Some(levels));
    let Some(Column::Categorical { codes, .. }) = column(&dataset, "nullable_text") else { panic!("categories") };
    assert_eq!(codes[..6], [0, 1, 2, 0, u32::MAX, 2]);
    let skipped: Vec<&str> = dataset.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(dataset.warnings.iter().all(|warning| warning.code == "column_skipped"));
    assert_eq!(skipped.len(), 5, "{skipped:#?}");
    for message in [
        "The column \"from_the_future\" of \"obs\" was left out: \"obs/from_the_future\" has the encoding \"hologram\", \
         which Sextant does not read.",
        "The column \"too_short\" of \"obs\" was left out: \"obs/too_short\" cannot be read: it has 3 values for 40 rows. \
         The file is damaged or was not written completely; copy or download it again, or write it again from its source.",
    ] {
        assert!(skipped.contains(&message), "{skipped:#?}");
    }
    for name in ["two_dimensions", "complex", "codes_beyond"] {
        assert!(skipped.iter().any(|message| message.starts_with(&format!("The column \"{name}\""))), "{name}");
    }
}

#[test]
fn the_column_of_gene_names_can_be_chosen() {
    let guessed = inspect("hand_made.h5ad");
    assert_eq!(guessed.gene_columns, ["Symbol", "index", "ensembl", "probe"]);
    let options = ReadOptions { gene_column: Some("probe"), ..Default::default() };
    let chosen = read_with("hand_made.h5ad", &options).unwrap();
    assert_eq!(chosen.features[3].symbol, "probe 3");
    let options = ReadOptions { gene_column: Some("nonsense"), ..Default::default() };
    assert_eq!(
        read_with("hand_made.h5ad", &options).unwrap_err().message,
        "hand_made.h5ad: there is no column \"nonsense\" with names of genes in \"var\". It has: \"index\", \"Symbol\", \
         \"ensembl\", \"probe\"."
    );
    assert_eq!(inspect("small.h5seurat").gene_columns, ["index", "gene_id"]);
    assert_eq!(inspect("loompy.loom").gene_columns, ["Gene", "Accession"]);
}

#[test]
fn objects_of_seurat_keep_their_tables() {
    let dataset = read("small.h5seurat", None);
    let names: Vec<_> = dataset.metadata.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["orig.ident", "nCount_RNA", "seurat_clusters", "keep", "note"]);
    let types = Column::Categorical {
        categories: texts(&["B", "NK", "T cell"]),
        codes: (0..40).map(|i| if i % 10 == 0 { u32::MAX } else { i % 3 }).collect(),
    };
    assert_eq!(column(&dataset, "orig.ident"), Some(types));
    let Some(Column::Number(clusters)) = column(&dataset, "seurat_clusters") else { panic!("clusters are numbers") };
    assert!(clusters[5].is_nan() && clusters[13] == 6.0);
    let keep = Column::Categorical {
        categories: texts(&["False", "True"]),
        codes: (0..40).map(|i| [0, 1, u32::MAX][i % 3]).collect(),
    };
    assert_eq!(column(&dataset, "keep"), Some(keep));
    let paths: Vec<_> = inspect("small.h5seurat").matrices.into_iter().map(|matrix| matrix.path).collect();
    assert_eq!(paths, ["RNA/counts", "RNA/data"]);
}

#[test]
fn attributes_of_loom_become_columns() {
    let dataset = read("loompy.loom", None);
    assert_eq!(column(&dataset, "ClusterName"), Some(Column::Text(texts(&["a", "b"].repeat(20)))));
    assert_eq!(column(&dataset, "Age"), Some(Column::Number((0..40).map(f64::from).collect())));
    assert_eq!(column(&dataset, "CellID"), None);
    // A factor of R, as hdf5r writes it.
    let types = Column::Categorical {
        categories: texts(&["B", "NK", "T cell"]),
        codes: (0..40).map(|i| if i % 10 == 0 { u32::MAX } else { i % 3 }).collect(),
    };
    assert_eq!(column(&read("layers.loom", None), "cell_type"), Some(types));
}

#[test]
fn what_cannot_be_read_is_explained() {
    let damaged = "The file is damaged or was not written completely; copy or download it again, or write it again from \
                   its source.";
    assert_eq!(
        error("bad_blosc2.h5ad"),
        "bad_blosc2.h5ad: \"X\" is compressed with Blosc2 (filter 32026), which Sextant does not read; it reads gzip, lzf, \
         Zstandard, LZ4, Blosc, bitshuffle, bzip2 and uncompressed data. Re-save the file with gzip, for example in Python \
         with `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with \
         `h5repack -f GZIP=4 in.h5 out.h5`."
    );
    assert_eq!(
        error("bad_zarr_delta.zarr.tar"),
        "bad_zarr_delta.zarr: \"layers/counts\" is stored with the filter \"delta\", which Sextant does not undo. Re-save it \
         as H5AD, for example in Python with `anndata.read_zarr(\"in.zarr\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`."
    );
    assert_eq!(
        error("bad_zarr_image.zarr.tar"),
        "bad_zarr_image.zarr: it is a Zarr hierarchy, but not of AnnData: at its top level it has \"image\". Expected \"X\", \
         \"obs\" and \"var\"."
    );
    assert_eq!(
        error("bad_modalities.h5mu"),
        "bad_modalities.h5mu: it is a MuData file with the modalities \"accessibility\", \"protein\", none of which is called \
         \"rna\". Write the one with gene expression as H5AD, with \
         `mudata.read(\"in.h5mu\")[\"accessibility\"].write_h5ad(\"out.h5ad\")`."
    );
    assert_eq!(
        error("bad_dims.h5seurat"),
        format!(
            "bad_dims.h5seurat: \"assays/RNA/counts\" cannot be read: it is 40 cells by 30 genes, but the file names 40 cells \
             and 29 genes. {damaged}"
        )
    );
    let dataset = read("bad_layer.loom", None);
    assert_eq!(dataset.cells[1], "cell_2", "39 names are none for 40 cells");
    let layer = &inspect("bad_layer.loom").matrices[1];
    assert_eq!(
        layer.verdict,
        format!(
            "cannot be read: \"layers/counts\" cannot be read: it is 40 genes by 30 cells, but \"matrix\" has 30 genes and 40 \
             cells. {damaged}"
        )
    );
}

/// A file with a few bytes changed is read or explained, whatever it says of sizes.
#[test]
fn damaged_stores_do_not_crash() {
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in
        ["compressed_all.h5ad", "zarr2_codecs.zarr.tar", "zarr3_codecs.zarr.tar", "layers.loom", "small.h5seurat"]
    {
        let whole = bytes(name);
        for _ in 0..60 {
            let mut changed = whole.clone();
            for _ in 0..1 + random(8) {
                let place = random(changed.len());
                changed[place] = [0, 1, 0x7f, 0xff, b'9', random(256) as u8][random(6)];
            }
            let inputs = match name.ends_with(".tar") {
                true => match std::panic::catch_unwind(|| unpacked(&changed)) {
                    Ok(inputs) => inputs,
                    Err(_) => continue, // the test's own reading of tar
                },
                false => vec![Input::new(name, Box::new(Cursor::new(changed)))],
            };
            let Ok(mut file) = open(inputs) else { continue };
            let Ok(inspection) = file.inspect(&ReadOptions::default()) else { continue };
            for candidate in inspection.matrices {
                let options = ReadOptions { matrix: Some(&candidate.path), ..Default::default() };
                _ = file.read(&options, &mut (), &Progress::silent());
            }
        }
    }
}
