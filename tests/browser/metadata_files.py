"""Writes the files of tests/browser/metadata.mjs: python metadata_files.py DEMO.h5 FOLDER

  metadata.h5ad   500 cells of the demo, the fourth without counts, with a table of cells of every kind of column
  columns.h5ad    the same cells with 2,000 columns
  other.h5ad      100 other cells with one column

Run as `metadata_files.py --samples DEMO.h5 FOLDER` it writes the file of tests/browser/summary.mjs instead:

  samples.h5ad    the 500 cells in four samples, one of them without a name and two with names that are code elsewhere

Run as `metadata_files.py --compare FILE.h5ad TABLE.tsv` it says nothing if pandas reads from the table what the file has.
"""

import sys
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

HOSTILE = "<img src=x onerror=\"document.title='broken'\">"


def demo(path):
    with h5py.File(path) as f:
        group = f["matrix"] if "matrix" in f else f[next(iter(f))]
        genes, cells = group["shape"][:]
        counts = sp.csr_matrix((group["data"][:], group["indices"][:], group["indptr"][:]), (cells, genes)).astype("f4")
        names = group["features/name"][:] if "features" in group else group["gene_names"][:]
        return counts, np.char.decode(group["barcodes"][:].astype("S")), np.char.decode(names.astype("S"))


def table(cells):
    rows = range(len(cells))
    obs = pd.DataFrame(index=cells)
    obs["cell"] = [f"named like the first column {i}" for i in rows]
    obs["donor"] = pd.Categorical([["anna", "ben", "anna", "zoë", None][i % 5] for i in rows])
    obs["clone"] = pd.Categorical.from_codes([i * i % 331 if i % 50 else -1 for i in rows], [f"clone {i}" for i in range(3000)])
    obs["depth"] = [np.nan if i % 7 == 0 else (i - 100) / 8 for i in rows]
    obs["passed"] = [i % 3 == 0 for i in rows]
    obs["plate"] = "one"
    starts = ["", '"', "=", "tab\t", "\u202e"]
    obs["note"] = [f"{starts[i % 5]}note {i}" for i in rows]
    obs[HOSTILE] = pd.Categorical([[HOSTILE, "</option><b>", "\x1b[31m\u202e", "value " * 500][i % 4] for i in rows])
    obs["a very long name " * 100] = pd.array([None if i % 2 else i for i in rows], dtype="Int64")
    return obs


def write(demo_path, folder):
    counts, cells, genes = demo(demo_path)
    first = counts[:500].tolil()
    first[3] = 0
    var = pd.DataFrame(index=genes)
    var.index = ad.utils.make_index_unique(var.index)
    ad.AnnData(first.tocsr(), table(cells[:500]), var).write_h5ad(folder / "metadata.h5ad")
    many = pd.DataFrame({f"column {i}": (np.arange(500) + i) % 9 for i in range(2000)}, index=cells[:500])
    ad.AnnData(first.tocsr(), many, var).write_h5ad(folder / "columns.h5ad")
    ad.AnnData(counts[500:600], table(cells[500:600])[["donor"]], var).write_h5ad(folder / "other.h5ad")


def samples(demo_path, folder):
    counts, cells, genes = demo(demo_path)
    var = pd.DataFrame(index=ad.utils.make_index_unique(pd.Index(genes)))
    obs = pd.DataFrame(index=cells[:500])
    obs["sample"] = pd.Categorical([["healthy", "=cmd|' /C calc'!A0", HOSTILE, None][i % 7 % 4] for i in range(500)])
    ad.AnnData(counts[:500], obs, var).write_h5ad(folder / "samples.h5ad")


def compare(file, table_path):
    obs = ad.read_h5ad(file).obs
    read = pd.read_csv(table_path, sep="\t", index_col=0, keep_default_na=False, na_values=[""], dtype={"note": str}, float_precision="round_trip")
    read = read.loc[obs.index]
    assert len(read.columns) == len(obs.columns), read.columns
    for place, name in enumerate(obs.columns):
        ours, theirs = read.iloc[:, place], obs[name]
        if ours.dtype.kind in "if":
            assert np.array_equal(ours.to_numpy(float), theirs.to_numpy(float, na_value=np.nan), equal_nan=True), name
            continue
        control = {number: " " for number in [*range(32), *range(127, 160)]}
        theirs = [None if pd.isna(value) else str(value).translate(control) for value in theirs]
        assert [None if pd.isna(value) else str(value) for value in ours] == theirs, name


if sys.argv[1] == "--compare":
    compare(*sys.argv[2:])
elif sys.argv[1] == "--samples":
    samples(Path(sys.argv[2]), Path(sys.argv[3]))
else:
    write(Path(sys.argv[1]), Path(sys.argv[2]))
