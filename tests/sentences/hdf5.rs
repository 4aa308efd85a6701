//! What is said of HDF5 files with one fault each; `tests/data/formats/sentences/generate.py` writes them.

use crate::files::{DAMAGED, bytes, error, file, messages, read};

fn made(name: &str) -> crate::files::Files {
    file(name, bytes(&format!("sentences/{name}")))
}

fn said(name: &str) -> String {
    error(made(name))
}

const RE_SAVE: &str = "Re-save the file with gzip, for example in Python with \
                       `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with \
                       `h5repack -f GZIP=4 in.h5 out.h5`.";

#[test]
fn files_of_10x_that_contradict_themselves_are_explained() {
    for (name, path, what) in [
        ("tenx_shape.h5", "matrix/shape", "it should have two entries"),
        ("tenx_barcodes.h5", "matrix", "its shape says 3 cells but there are [2] barcodes"),
        ("tenx_ids.h5", "matrix", "its shape says 2 features but there are [1] ids"),
        ("tenx_names.h5", "matrix/features/name", "it has 1 names for 2 ids"),
        ("tenx_types.h5", "matrix/features/feature_type", "it has another length than the ids"),
    ] {
        assert_eq!(said(name), format!("{name}: \"{path}\" cannot be read: {what}. {DAMAGED}"));
    }
    assert_eq!(said("tenx_numbers.h5"), "tenx_numbers.h5: \"matrix/features/id\" should hold text and holds i32 LE.");
    let format = |name: &str| read(file("f.h5", bytes(name))).format;
    assert_eq!(format("tenx_v3.h5"), "10x HDF5 (Cell Ranger 3 or later)");
    assert_eq!(format("tenx_v2.h5"), "10x HDF5 (Cell Ranger 2 or earlier)");
    assert_eq!(
        messages(&read(file("f.h5", bytes("tenx_v2_two_genomes.h5"))).warnings),
        ["The file holds counts for 2 genomes (hg19, mm10). Their genes were taken together; only those of the \
             reference's species will be used."]
    );
}

#[test]
fn features_are_genes_by_whatever_name_their_type_has() {
    let gene = read(made("tenx_gene.h5"));
    assert_eq!((gene.features.len(), gene.counts.nonzeros(), gene.warnings.len()), (2, 5, 0));
    assert_eq!(gene.feature_types, [("Gene Expression".to_owned(), 2)]);
    let both = read(made("tenx_gene_and_antibody.h5"));
    assert_eq!((both.features.len(), both.counts.nonzeros()), (1, 3));
    assert_eq!(
        messages(&both.warnings),
        ["Besides genes the file has features that are not mapped: 1 of the type \"Antibody Capture\"."]
    );
}

#[test]
fn assays_of_other_features_are_told() {
    let dataset = read(made("adt.h5seurat"));
    assert_eq!((dataset.matrix.as_str(), dataset.features.len()), ("RNA/counts", 2));
    assert_eq!(messages(&dataset.warnings), ["Besides genes the file has features that are not mapped: 3 of \"ADT\"."]);
}

#[test]
fn tables_of_other_types_are_explained() {
    assert_eq!(said("numbers.h5ad"), "numbers.h5ad: \"obs\" should be a table and holds i64 LE.");
    let left_out = "The column";
    assert_eq!(
        messages(&read(made("compound.h5ad")).warnings),
        [
            format!("{left_out} \"pca\" of \"obs\" was left out: \"obs.pca\" does not hold numbers."),
            format!("{left_out} \"path\" of \"obs\" was left out: \"obs.path\" does not hold numbers."),
        ]
    );
    assert_eq!(
        messages(&read(made("of_text.h5ad")).warnings),
        [format!(
            "{left_out} \"note\" of \"obs\" was left out: \"obs/note\" cannot be read: it is shorter than its shape. {DAMAGED}"
        )]
    );
    assert_eq!(
        messages(&read(made("long_text.h5ad")).warnings),
        [format!(
            "{left_out} \"note\" of \"obs\" was left out: \"obs/note\" cannot be read: it announces more data than the file \
             can hold. {DAMAGED}"
        )]
    );
}

#[test]
fn matrices_that_are_stored_elsewhere_or_not_at_all_are_explained() {
    for name in ["external.h5ad", "virtual.h5ad"] {
        assert_eq!(said(name), format!("{name}: \"X\" keeps its data in another file. {RE_SAVE}"));
    }
    assert_eq!(said("three.h5ad"), "three.h5ad: \"X\" should have one or two dimensions and has 3.");
    assert_eq!(said("text.h5ad"), "text.h5ad: \"X\" should hold numbers and holds string[1] ASCII null-padded.");
    assert_eq!(
        said("huge.h5ad"),
        format!("huge.h5ad: \"X\" cannot be read: it announces more data than the file can hold. {DAMAGED}")
    );
    assert_eq!(
        said("wide.h5ad"),
        format!("wide.h5ad: \"X\" is stored in chunks of 1200000000 bytes, more than Sextant can decode. {RE_SAVE}")
    );
}

#[test]
fn other_files_of_the_same_folder_are_known() {
    assert_eq!(
        said("molecule_info.h5"),
        "molecule_info.h5: it is an HDF5 file, but of none of the kinds that Sextant reads (10x Genomics, H5AD, h5Seurat, \
         Loom, MuData): at its top level it has \"barcode_idx\", \"feature_idx\", \"umi\". Expected \"matrix\" (10x) or \
         \"X\", \"obs\" and \"var\" (H5AD). It looks like molecule_info.h5: take filtered_feature_bc_matrix.h5 from the same \
         folder."
    );
}
