#!/usr/bin/env python3
"""Writes the small files that tests/proteins_read.rs reads: counts of proteins in obsm, in the forms that people have.

Needs anndata, h5py, numpy, scipy and pandas (written with anndata 0.12.19, h5py 3.16.0 and pandas 2.3.3). Run it in this
folder. Cell i has 10 * i + p counts of protein p, but for none of protein 1.
"""
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.filterwarnings("ignore")
CELLS, NAMES = [f"cell{i}" for i in range(4)], ["CD3", "CD4", "CD45RA.RO"]
COUNTS = np.array([[10 * i + p if p != 1 else 0 for p in range(3)] for i in range(4)])
FRAME = pd.DataFrame(COUNTS.astype("i4"), CELLS, NAMES)


def write(name, proteins, key="proteins", **uns):
    genes = pd.DataFrame(index=["A", "B", "C", "D", "E"])
    counts = sp.csr_matrix(np.arange(1, 21, dtype="f4").reshape(4, 5))
    data = ad.AnnData(counts, pd.DataFrame(index=CELLS), genes, uns=uns)
    if proteins is not None:
        data.obsm[key] = proteins
    data.obsm["X_pca"] = np.zeros((4, 2))
    data.write_h5ad(f"{name}.h5ad", compression="gzip")
    return f"{name}.h5ad"


write("frame", FRAME)
write("scvi", FRAME.astype("f8"), "protein_expression")
write("array", COUNTS.astype("f4"), "adt", protein_names=np.array(NAMES, object))
write("sparse", sp.csr_matrix(COUNTS.astype("f4")), adt_names=np.array(["wrong"], object), proteins_names=np.array(NAMES, object))
write("none", None)
write("bad_no_names", COUNTS)
write("bad_names", COUNTS, proteins_names=np.array(NAMES[:2], object))
write("bad_text", FRAME.assign(batch=["one", "one", "two", "two"]))
write("bad_columns", COUNTS[:, :0], protein_names=np.array(NAMES, object))
with h5py.File(write("bad_rows", COUNTS, protein_names=np.array(NAMES, object)), "r+") as file:
    del file["obsm/proteins"]
    file["obsm/proteins"] = COUNTS[:3]
with h5py.File(write("bad_rank", COUNTS, protein_names=np.array(NAMES, object)), "r+") as file:
    del file["obsm/proteins"]
    file["obsm/proteins"] = COUNTS[:, 0]
negative = COUNTS.astype("f4")
negative[2, 0] = -1
write("bad_negative", negative, protein_names=np.array(NAMES, object))
negative[2, 0] = np.nan
write("bad_nan", sp.csr_matrix(negative), protein_names=np.array(NAMES, object))
