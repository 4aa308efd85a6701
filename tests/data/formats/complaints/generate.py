"""Writes the H5AD files of this folder: what people's files have in them that readers stumbled on.

Run with the packages of `.ci/requirements.txt`; the versions are printed.
"""

import importlib.metadata

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse

CELLS, GENES = 60, 12
counts = np.random.default_rng(7).poisson(2, (CELLS, GENES)).astype("f4")
genes = [f"ENSG{number:011d}" for number in range(GENES)]
symbols = [f"GENE{number}" for number in range(GENES)]


def odd_cells():
    """Columns that scVI adds, a category for each cell, columns without a single value, and numbers for names."""
    obs = pd.DataFrame(
        {
            "_scvi_batch": np.zeros(CELLS, "i8"),
            "_scvi_labels": np.arange(CELLS) % 3,
            "clone": pd.Categorical([f"clone{number}" for number in range(CELLS)]),
            "age": np.full(CELLS, np.nan),
            "donor": pd.Categorical([None] * CELLS, categories=["d1"]),
        },
        index=[str(number) for number in range(CELLS)],
    )
    var = pd.DataFrame({"gene_symbols": symbols}, index=genes)
    data = anndata.AnnData(scipy.sparse.csr_matrix(counts), obs=obs, var=var)
    data.uns["_scvi_manager_uuid"] = "0"
    data.write_h5ad("odd_cells.h5ad", compression="gzip")
    with h5py.File("odd_cells.h5ad", "a") as file:
        index = file["obs"].attrs["_index"]
        del file["obs"][index]
        names = file["obs"].create_dataset(index, data=np.arange(CELLS))
        names.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


odd_cells()
for package in ["anndata", "h5py", "numpy", "pandas", "scipy"]:
    print(package, importlib.metadata.version(package))
