#!/usr/bin/env python3
"""Writes the small HDF5 files of tests/sentences/hdf5.rs: each has one fault, or one thing that is not read.

Needs h5py, hdf5plugin and numpy (written with h5py 3.16, hdf5plugin 7.1, numpy 2.4). Run it in this folder.
"""
import h5py
import hdf5plugin
import numpy as np

CELLS, GENES = ["a", "b", "c"], ["CD3E", "MS4A1"]
IDS = ["ENSG00000198851", "ENSG00000156738"]
DENSE = np.array([[5, 1], [2, 0], [3, 7]], "u1")
TEXT = h5py.string_dtype()


def tenx(name, change):
    """Ids, types and the matrix of 10x, and what `change` makes of them."""
    with h5py.File(f"{name}.h5", "w") as f:
        g = f.create_group("matrix")
        g["data"] = np.array([5, 1, 2, 3, 7], "i4")
        g["indices"] = np.array([0, 1, 0, 0, 1], "i8")
        g["indptr"] = np.array([0, 2, 3, 5], "i8")
        g["shape"] = np.array([2, 3], "i4")
        g["barcodes"] = np.array(CELLS, "S")
        g["features/id"] = np.array(IDS, "S")
        g["features/name"] = np.array(GENES, "S")
        g["features/feature_type"] = np.array(["Gene Expression"] * 2, "S")
        g["features/genome"] = np.array(["GRCh38"] * 2, "S")
        change(g)


def replace(group, path, values):
    del group[path]
    group[path] = values


def table(f, path, names, columns=()):
    g = f.create_group(path)
    g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    g.create_dataset("_index", data=names, dtype=TEXT)
    for name, values in columns:
        g[name] = values


def h5ad(name, change):
    """Tables of cells and genes, and what `change` adds."""
    with h5py.File(f"{name}.h5ad", "w") as f:
        table(f, "obs", CELLS)
        table(f, "var", GENES)
        change(f)


def old(name, columns):
    """A table of cells as anndata before 0.7 wrote it, with columns of these types."""
    def change(f):
        del f["obs"]
        rows = np.zeros(3, [("index", "S2")] + columns)
        rows["index"] = CELLS
        f["obs"] = rows
        f["X"] = DENSE
    h5ad(name, change)


def external(f):
    f.create_dataset("X", (3, 2), "u1", external=[("elsewhere.bin", 0, 6)])


def virtual(f):
    layout = h5py.VirtualLayout((3, 2), "u1")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "X", (3, 2))
    f.create_virtual_dataset("X", layout)


def wide(f):
    """A chunk of 1.2 GB of which nothing was written; behind it what makes that size possible."""
    f.create_dataset("X", (3, 2), "u1", maxshape=(None, None), chunks=(40_000, 30_000), **hdf5plugin.Zstd())
    f["padding"] = np.arange(6_000, dtype="u4")


def long_text(f):
    """A column of 1.1 GB of which nothing was written."""
    f["X"] = DENSE
    f.create_dataset("obs/note", (70_000_000,), "S16", chunks=(1_000_000,), **hdf5plugin.Zstd())
    f["padding"] = np.arange(6_000, dtype="u4")


def of_text(f):
    f["X"] = DENSE
    f["obs/note"] = np.array([["x", "y"]] * 3, "S")


tenx("tenx_shape", lambda g: replace(g, "shape", np.array([2, 3, 1])))
tenx("tenx_barcodes", lambda g: replace(g, "barcodes", np.array(CELLS[:2], "S")))
tenx("tenx_ids", lambda g: replace(g, "features/id", np.array(IDS[:1], "S")))
tenx("tenx_names", lambda g: replace(g, "features/name", np.array(GENES[:1], "S")))
tenx("tenx_types", lambda g: replace(g, "features/feature_type", np.array(["Gene Expression"], "S")))
tenx("tenx_numbers", lambda g: replace(g, "features/id", np.array([1, 2], "i4")))
tenx("tenx_gene", lambda g: replace(g, "features/feature_type", np.array(["Gene"] * 2, "S")))
tenx("tenx_gene_and_antibody", lambda g: replace(g, "features/feature_type", np.array(["gene_expression", "Antibody Capture"], "S")))
h5ad("numbers", lambda f: (f.__delitem__("obs"), f.__setitem__("obs", np.arange(3)), f.__setitem__("X", DENSE)))
old("compound", [("pca", "<f4", (2,)), ("path", "V3")])
h5ad("three", lambda f: f.__setitem__("X", DENSE.reshape(3, 2, 1)))
h5ad("text", lambda f: f.create_dataset("X", data=np.array([["x", "y"]] * 3, "S")))
h5ad("external", external)
h5ad("virtual", virtual)
h5ad("huge", lambda f: f.create_dataset("X", (3, 2**40), "u1"))
h5ad("wide", wide)
h5ad("long_text", long_text)
h5ad("of_text", of_text)
with h5py.File("molecule_info.h5", "w") as f:
    for name in ["barcode_idx", "feature_idx", "umi"]:
        f[name] = np.arange(3)
with h5py.File("adt.h5seurat", "w") as f:
    f.attrs["active.assay"] = "RNA"
    f["cell.names"] = np.array(CELLS, "S")
    f.create_group("meta.data")
    for assay, features in [("RNA", GENES), ("ADT", ["CD3", "CD4", "CD8"])]:
        matrix = np.array([[5, 1, 0], [2, 0, 4], [3, 7, 1]])[:, :len(features)]
        g = f.create_group(f"assays/{assay}")
        g["features"] = np.array(features, "S")
        c = g.create_group("counts")
        c.attrs["dims"] = np.array([len(features), 3])
        rows, genes = np.nonzero(matrix)
        c["data"] = matrix[rows, genes].astype("f8")
        c["indices"] = genes.astype("i4")
        c["indptr"] = np.concatenate([[0], np.cumsum((matrix > 0).sum(1))]).astype("i4")
