#!/usr/bin/env python3
"""Fetch and assemble what the `pbmc` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  teaseq.h5ad   6,310 cells x 9,855 genes, raw counts in X, labels in obs: l1, l2, l3; raw counts of 46 surface
                proteins of the same cells in obsm["proteins"], a data frame
  pbmc3k.h5     2,700 cells x 32,738 genes, raw counts, as Cell Ranger 3 writes them (10x HDF5)

What the packages hold is checked by SHA-256 (reference.toml). Two runs give the same bytes. Needs numpy, scipy, pandas,
h5py and anndata.
"""

import csv
import io
import sys
from pathlib import Path

import anndata
import h5py
import numpy
import pandas
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import raw_counts, start, write_10x, write_h5ad


def surface_proteins(content, cells, what):
    """Counts of antibody-derived tags of these cells: what scvi-tools and Seurat would be given."""
    with h5py.File(io.BytesIO(content), "r") as file:
        counts, names = file["matrix/data"][:].T, file["matrix/features"][:].astype(str)
        barcodes = [f"{barcode.decode()}-1" for barcode in file["matrix/barcodes"][:]]
    if barcodes != cells:
        sys.exit(f"{what}: its cells are not those of the RNA")
    if counts.min() < 0 or not numpy.array_equal(counts, numpy.round(counts)):
        sys.exit(f"{what}: raw counts were expected, but some values are negative or no whole numbers")
    return pandas.DataFrame(counts.astype(numpy.int32), index=cells, columns=names)


def teaseq(files):
    """TEA-seq of human PBMC: the package's two halves put together again, train before test."""
    parts, proteins = [], []
    for half in ("train", "test"):
        folder = "data/TEAseq"
        with h5py.File(io.BytesIO(files[f"{folder}/{half}_rna.h5"]), "r") as file:
            counts = raw_counts(file["matrix/data"][:].T, f"{half}_rna.h5")
            genes = file["matrix/features"][:].astype(str)
            cells = [f"{barcode.decode()}-1" for barcode in file["matrix/barcodes"][:]]
        proteins.append(surface_proteins(files[f"{folder}/{half}_adt.h5"], cells, f"{half}_adt.h5"))
        rows = list(csv.reader(io.StringIO(files[f"{folder}/{half}_cty.csv"].decode())))
        labels = [row[1] for row in rows[1:]]
        if len(labels) != len(cells):
            sys.exit(f"{half}: {len(cells)} cells, but {len(labels)} labels")
        parts.append((counts, genes, cells, labels))
    if not numpy.array_equal(parts[0][1], parts[1][1]):
        sys.exit("the two halves of TEA-seq do not have the same genes")
    # The labels are a path, as in T.CD4.Memory: its prefixes are the coarser levels.
    paths = [label.split(".") for part in parts for label in part[3]]
    table = pandas.DataFrame(
        {f"l{depth}": pandas.Categorical([".".join(path[:depth]) for path in paths]) for depth in (1, 2, 3)},
        index=[cell for part in parts for cell in part[2]],
    )
    if not table.index.is_unique:
        sys.exit("the two halves of TEA-seq share barcodes")
    return anndata.AnnData(
        scipy.sparse.vstack([part[0] for part in parts], format="csr"),
        obs=table,
        var=pandas.DataFrame(index=parts[0][1]),
        obsm={"proteins": pandas.concat(proteins)},
    )


def original_symbols(names):
    """Gene symbols as the 10x file has them: the package's H5AD added -1, -2… to those that occur again."""
    seen, symbols = set(), []
    for name in names:
        stem, _, number = name.rpartition(b"-")
        if number.isdigit() and stem in seen:
            symbols.append(stem)
        else:
            seen.add(name)
            symbols.append(name)
    return symbols


def write_pbmc3k(content, path):
    """pbmc3k from the package's early H5AD into the layout of Cell Ranger 3."""
    with h5py.File(io.BytesIO(content), "r") as file:
        shape = tuple(int(size) for size in file["X"].attrs["h5sparse_shape"])
        counts = raw_counts(
            scipy.sparse.csr_matrix((file["X/data"][:], file["X/indices"][:], file["X/indptr"][:]), shape=shape),
            "pbmc.h5ad",
        )
        genes, cells = file["var"][:], file["obs"][:]
    write_10x(path, counts, cells["index"], genes["gene_ids"], original_symbols(genes["index"]),
              genome="hg19", chemistry="Single Cell 3' v1", library="pbmc3k")


def main():
    output, _, files = start(__file__)
    write_h5ad(teaseq(files), output / "teaseq.h5ad")
    write_pbmc3k(files["desc/datasets/pbmc.h5ad"], output / "pbmc3k.h5")


if __name__ == "__main__":
    main()
