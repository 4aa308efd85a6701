#!/usr/bin/env python3
"""Writes metadata.h5ad, a table of cells with everything that pandas and anndata can put into one, and metadata.json,
the same as pandas has it. Needs anndata, pandas, numpy and scipy (their versions are printed). Run it in this folder.
"""
import importlib.metadata
import json
import math

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

CELLS = 40
WITHOUT_COUNTS = 7
rng = np.random.default_rng(5)
counts = rng.integers(0, 9, (CELLS, 12)).astype("f4")
counts[:, 0] += 1
counts[WITHOUT_COUNTS] = 0
ad.settings.allow_write_nullable_strings = True

obs = pd.DataFrame(index=[f"cell{i:02}-1" for i in range(CELLS)])
obs["cell"] = [f"named like the first column {i}" for i in range(CELLS)]
obs["cell.1"] = pd.Categorical([f"taken {i % 2}" for i in range(CELLS)])
obs["type"] = pd.Categorical.from_codes([i % 3 if i % 10 else -1 for i in range(CELLS)], ["T cell", "B", "NK"])
obs["stage"] = pd.Categorical([["late", "early"][i % 2] for i in range(CELLS)], ["early", "late", "never"], ordered=True)
obs["thousands"] = pd.Categorical.from_codes([47 * i for i in range(CELLS)], [f"donor {i:04}" for i in range(2000)])
obs["cluster"] = pd.Categorical([i % 4 for i in range(CELLS)])
obs["resolution"] = pd.Categorical([[0.1, 0.25, 1e-7][i % 3] for i in range(CELLS)])
obs["flagged"] = pd.Categorical([i % 2 == 0 for i in range(CELLS)])
obs["double"] = [math.nan if i % 9 == 4 else math.inf if i == 3 else -math.inf if i == 12 else (i - 20) / 7 for i in range(CELLS)]
obs["extreme"] = [0.1 * 10.0 ** (15 * (i - 20)) for i in range(CELLS)]
obs["single"] = np.linspace(0, 1, CELLS, dtype="f4")
obs["integer"] = np.arange(CELLS) * 12_345_678_901
obs["byte"] = (np.arange(CELLS) % 5).astype("u1")
obs["truth"] = [i % 4 == 0 for i in range(CELLS)]
obs["maybe"] = pd.array([None if i == 6 else i % 2 == 0 for i in range(CELLS)], dtype="boolean")
obs["maybe_integer"] = pd.array([None if i % 5 == 0 else i for i in range(CELLS)], dtype="Int32")
obs["maybe_text"] = pd.array([None if i == 1 else f"text {i}" for i in range(CELLS)], dtype="string")
obs["nothing"] = [math.nan] * CELLS
obs["constant"] = "the same"
notes = ['"quoted" first', 'a "quote" within', '"', "=1+1", "  spaces  ", "comma, semicolon;", "line\nbreak", "tab\there",
         "Größe µm", "细胞", "\u202eturned", "<b>bold</b>", "NA", "nan", "#", "'", "\\t", "0.10", "1e5", "\x1b[31mred"]
obs["note"] = [f"{notes[i % len(notes)]}{'' if i < len(notes) else i}" for i in range(CELLS)]
obs["<img src=x onerror=document.title='broken'>"] = pd.Categorical([["<script>document.title='broken'</script>", "&amp;"][i % 2] for i in range(CELLS)])
obs["tab\tand\nline"] = range(CELLS)
obs["tab and line"] = range(CELLS)
obs["long " + "name " * 60] = pd.Categorical(["long " + "value " * 60] * CELLS)

var = pd.DataFrame(index=[f"GENE{i}" for i in range(counts.shape[1])])
ad.AnnData(sp.csr_matrix(counts), obs, var).write_h5ad("metadata.h5ad")


def plain(value):
    """As JSON has it; missing values as null, and numbers in their shortest digits, which not every reader of JSON keeps."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return None if math.isnan(value) else {"number": repr(float(value))}
    return {"number": repr(int(value))} if isinstance(value, (int, np.integer)) else str(value)


read = ad.read_h5ad("metadata.h5ad").obs
described = {
    name: {
        "values": [plain(value) for value in read[name]],
        "missing": int(read[name].isna().sum()),
        "distinct": int(read[name].nunique()),
    }
    for name in read.columns
}
with open("metadata.json", "w") as out:
    json.dump({"cells": list(read.index), "columns": list(read.columns), "described": described}, out, indent=0, ensure_ascii=False)
for package in ["anndata", "h5py", "numpy", "pandas", "scipy"]:
    print(package, importlib.metadata.version(package))
