use super::super::source::BlockCache;
use super::*;
use std::io::Cursor;
use std::sync::Arc;

fn members(paths: &[&str], text: &str) -> Vec<Member> {
    let member = |path: &&str| {
        let cache = BlockCache::new(Box::new(Cursor::new(text.as_bytes().to_vec()))).unwrap();
        Member { path: (*path).to_owned(), content: Content::of_source(path, Arc::new(cache)) }
    };
    paths.iter().map(member).collect()
}

/// Samples with their files, and the warnings.
fn grouped(paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let (groups, warnings) = group(members(paths, "name,type\na,b\n")).unwrap_or_else(|error| panic!("{error}"));
    let list =
        |member: &Option<Member>| member.as_ref().map_or("-".to_owned(), |m| names::file_name(&m.path).to_owned());
    let described = groups.iter().map(|group| {
        let files = match &group.files {
            Files::Single(content) => content.name().to_owned(),
            Files::Folder(members) => format!("{} [{}]", group.path, members.len()),
            Files::Mex(files) => {
                let matrices: Vec<&str> = files.matrices.iter().map(|m| names::file_name(&m.path)).collect();
                format!("{} + {} + {}", matrices.join(" "), list(&files.cells), list(&files.features))
            }
        };
        format!("{}: {files}", group.sample)
    });
    (described.collect(), warnings.into_iter().map(|warning| warning.message).collect())
}

#[test]
fn triples_are_found_by_name() {
    let of = |paths: &[&str]| {
        let (groups, warnings) = grouped(paths);
        assert_eq!(warnings, [""; 0], "{paths:?}");
        groups
    };
    assert_eq!(
        of(&[
            "s1/filtered_feature_bc_matrix/barcodes.tsv.gz",
            "s1/filtered_feature_bc_matrix/features.tsv.gz",
            "s1/filtered_feature_bc_matrix/matrix.mtx.gz"
        ]),
        ["s1: matrix.mtx.gz + barcodes.tsv.gz + features.tsv.gz"]
    );
    assert_eq!(of(&["matrix.mtx", "genes.tsv", "barcodes.tsv"]), ["matrix: matrix.mtx + barcodes.tsv + genes.tsv"]);
    assert_eq!(
        of(&[
            "GSM1_a_barcodes.tsv.gz",
            "GSM1_a_features.tsv.gz",
            "GSM1_a_matrix.mtx.gz",
            "GSM2_b_barcodes.tsv.gz",
            "GSM2_b_features.tsv.gz",
            "GSM2_b_matrix.mtx.gz",
        ]),
        [
            "GSM1_a: GSM1_a_matrix.mtx.gz + GSM1_a_barcodes.tsv.gz + GSM1_a_features.tsv.gz",
            "GSM2_b: GSM2_b_matrix.mtx.gz + GSM2_b_barcodes.tsv.gz + GSM2_b_features.tsv.gz"
        ]
    );
    assert_eq!(
        of(&["GSE1_features.tsv.gz", "GSM1.mtx.gz", "GSM1_barcodes.tsv.gz", "GSM2.mtx.gz", "GSM2_barcodes.tsv.gz"]),
        [
            "GSM1: GSM1.mtx.gz + GSM1_barcodes.tsv.gz + GSE1_features.tsv.gz",
            "GSM2: GSM2.mtx.gz + GSM2_barcodes.tsv.gz + GSE1_features.tsv.gz"
        ]
    );
    assert_eq!(
        of(&[
            "kb/counts_unfiltered/cells_x_genes.mtx",
            "kb/counts_unfiltered/cells_x_genes.barcodes.txt",
            "kb/counts_unfiltered/cells_x_genes.genes.txt"
        ]),
        ["kb: cells_x_genes.mtx + cells_x_genes.barcodes.txt + cells_x_genes.genes.txt"]
    );
    assert_eq!(
        of(&["af/alevin/quants_mat.mtx", "af/alevin/quants_mat_cols.txt", "af/alevin/quants_mat_rows.txt"]),
        ["af: quants_mat.mtx + quants_mat_rows.txt + quants_mat_cols.txt"]
    );
    assert_eq!(
        of(&["p/DGE_filtered/DGE.mtx", "p/DGE_filtered/all_genes.csv", "p/DGE_filtered/cell_metadata.csv"]),
        ["p: DGE.mtx + cell_metadata.csv + all_genes.csv"]
    );
    assert_eq!(
        of(&[
            "x_Solo.out/Velocyto/raw/spliced.mtx",
            "x_Solo.out/Velocyto/raw/unspliced.mtx",
            "x_Solo.out/Velocyto/raw/barcodes.tsv",
            "x_Solo.out/Velocyto/raw/features.tsv"
        ]),
        ["x: spliced.mtx unspliced.mtx + barcodes.tsv + features.tsv"]
    );
    assert_eq!(of(&["d/barcodes.tsv.gz", "d/features.tsv.gz"]), ["d:  + barcodes.tsv.gz + features.tsv.gz"]);
    assert_eq!(of(&["d/matrix.mtx.gz"]), ["d: matrix.mtx.gz + - + -"]);
}

#[test]
fn the_best_form_is_taken() {
    let (groups, warnings) = grouped(&[
        "run/outs/web_summary.html",
        "run/outs/molecule_info.h5",
        "run/outs/raw_feature_bc_matrix.h5",
        "run/outs/filtered_feature_bc_matrix.h5",
        "run/outs/filtered_feature_bc_matrix/matrix.mtx.gz",
        "run/outs/filtered_feature_bc_matrix/barcodes.tsv.gz",
        "run/outs/filtered_feature_bc_matrix/features.tsv.gz",
        "run/outs/analysis/clustering/clusters.csv",
        "run/outs/metrics_summary.csv",
    ]);
    assert_eq!(groups, ["run: run/outs/filtered_feature_bc_matrix.h5"]);
    assert_eq!(
        warnings,
        [
            "Of several forms of the same counts \"run/outs/filtered_feature_bc_matrix.h5\" was taken, and not \
             \"run/outs/raw_feature_bc_matrix.h5\", \"run/outs/filtered_feature_bc_matrix\".",
            "Some files were left out, because Sextant finds no counts there: \"run/outs/web_summary.html\", \
             \"run/outs/molecule_info.h5\", \"run/outs/analysis/clustering/clusters.csv\", \"run/outs/metrics_summary.csv\"."
        ]
    );
    let (raw, warnings) = grouped(&["a/outs/raw_feature_bc_matrix.h5", "b/outs/filtered_feature_bc_matrix.h5"]);
    assert_eq!(raw, ["a: a/outs/raw_feature_bc_matrix.h5", "b: b/outs/filtered_feature_bc_matrix.h5"]);
    assert!(warnings.is_empty());
}

#[test]
fn single_files_are_samples() {
    let (groups, warnings) = grouped(&["x/a.h5ad", "y/a.h5ad", "b.rds", "labels.csv"]);
    assert_eq!(groups, ["a: x/a.h5ad", "a_2: y/a.h5ad", "b: b.rds"]);
    assert_eq!(warnings, ["One file was left out, because Sextant finds no counts there: \"labels.csv\"."]);
    assert_eq!(grouped(&["unknown.bin"]).0, ["unknown.bin: unknown.bin"]);
    let dots = ["run.1.h5ad.gz", "run.2.h5ad", "v5.4.0.rds"];
    assert_eq!(grouped(&dots).0, ["run.1: run.1.h5ad.gz", "run.2: run.2.h5ad", "v5.4.0: v5.4.0.rds"]);
    assert_eq!(grouped(&["GSM1_filtered_feature_bc_matrix.h5"]).0, ["GSM1: GSM1_filtered_feature_bc_matrix.h5"]);
    let (groups, warnings) = grouped(&["c.h5ad", "barcodes.tsv", "per_barcode_metrics.csv"]);
    assert_eq!(groups, ["c: c.h5ad"]);
    assert_eq!(warnings.len(), 1);
    assert_eq!(grouped(&["labels.csv"]).0, ["labels: labels.csv"]);
    let message = group(members(&["a.html", "b.pdf"], "")).err().map(|error| error.message).unwrap_or_default();
    assert_eq!(
        message,
        "there are no counts among the 2 files: \"a.html\", \"b.pdf\". Sextant reads 10x HDF5 and MEX, H5AD, R objects, \
         Zarr, and tables as CSV or TSV."
    );
    let message = group(members(&["r/manifest.json", "r/model/theta.npy"], "")).err().map(|error| error.message);
    assert_eq!(
        message.unwrap_or_default(),
        "there are no counts among the 2 files: \"r/manifest.json\", \"r/model/theta.npy\". It is a reference: choose it as \
         that, and load the cells to map."
    );
    let message = group(members(&["xl/workbook.xml", "docProps/app.xml"], "")).err().map(|error| error.message);
    assert!(message.is_some_and(|message| message.ends_with("It is an Excel workbook: save the sheet with the counts as CSV.")));
}

#[test]
fn what_systems_leave_behind_is_passed_over() {
    let (groups, warnings) =
        grouped(&["d/.DS_Store", "d/._barcodes.tsv", "d/barcodes.tsv", "d/genes.tsv", "d/matrix.mtx"]);
    assert_eq!(groups, ["d: matrix.mtx + barcodes.tsv + genes.tsv"]);
    assert!(warnings.is_empty());
}

#[test]
fn zarr_stores_are_folders() {
    let (groups, _) = grouped(&["a.zarr/.zgroup", "a.zarr/X/.zgroup", "a.zarr/X/data/0", "b.zarr/zarr.json", "c.h5ad"]);
    assert_eq!(groups, ["a: a.zarr [3]", "b: b.zarr [1]", "c: c.h5ad"]);
}
