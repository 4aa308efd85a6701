#!/usr/bin/env python3
"""How well imputed proteins fit measured ones, of cells that the reference does not hold.

usage: proteins.py SEXTANT TEASEQ.h5ad OUT [--seurat] [--other QUERY.h5ad]

TEASEQ.h5ad is what references/pbmc/recipe.py writes: its first 1,262 cells are one half of the package, the other 5,048 the
other. Each half is mapped onto a reference of the other, which shares no cell with it, and its proteins are imputed. Measured
are its own counts, CLR-normalised as those of a reference are. Per protein: Pearson's and Spearman's r over all cells; beside
it that of the mean of the reference's cells with the predicted l3 label (what a label alone tells), and with --seurat that of
Seurat's TransferData on the same halves (tests/peers has what it needs). --other takes cells of another study, with raw counts
of proteins in obsm["protein_expression"]; proteins are matched by name, without "_TotalSeqB". Writes OUT/proteins.tsv and
prints it with the medians. Needs anndata, numpy, pandas and scipy.
"""
import csv
import re
import subprocess
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sparse
from scipy.stats import rankdata

FIRST_HALF = 1262
LEVELS = "l1,l2,l3"
OTHER_NAMES = {"PD-1": "CD279", "TCR.a.b": "TCR.a.b"}


def clr(counts):
    """As the command normalises those of a reference: of each cell."""
    counts = np.asarray(counts, float)
    return np.log1p(counts / np.exp(np.log1p(counts).mean(axis=1, keepdims=True)))


def pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return a @ b / scale if scale > 0 else np.nan


def spearman(a, b):
    return pearson(rankdata(a), rankdata(b))


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def table(path):
    return pd.read_csv(path, sep="\t", index_col=0, quoting=csv.QUOTE_MINIMAL)


def mapped(sextant, reference, query, out):
    """Imputed proteins by method, and the mean of the reference's by the predicted label."""
    out.mkdir(parents=True, exist_ok=True)
    bundle = out / "reference.sextant.zip"
    reference.write_h5ad(out / "reference.h5ad")
    bare = query.copy()
    bare.obsm.clear()
    bare.write_h5ad(out / "query.h5ad")
    run(sextant, "reference", "build", out / "reference.h5ad", "--labels", LEVELS, "--proteins", "proteins", "--out", bundle)
    imputed = {}
    for method in ("sextant", "seurat"):
        words = ["--out", out / method, "--method", method, "--proteins", "--markers", "none"]
        run(sextant, "map", out / "query.h5ad", "--reference", bundle, *words)
        imputed[f"--method {method}"] = table(out / method / "proteins.tsv").loc[query.obs_names]
    predicted = table(out / "sextant/predictions.tsv").loc[query.obs_names, "predicted.l3"]
    measured = pd.DataFrame(clr(reference.obsm["proteins"]), reference.obs_names, reference.obsm["proteins"].columns)
    means = measured.groupby(reference.obs["l3"].astype(str)).mean()
    return imputed | {"mean of label": means.loc[predicted.astype(str)].set_index(query.obs_names)}


def seurat(reference, query, out):
    """What TransferData imputes."""
    for name, data in (("reference", reference), ("query", query)):
        folder = out / "seurat" / name
        folder.mkdir(parents=True, exist_ok=True)
        scipy.io.mmwrite(folder / "matrix.mtx", sparse.csc_matrix(data.X.T.astype(int)))
        (folder / "genes.txt").write_text("\n".join(data.var_names) + "\n")
        (folder / "cells.txt").write_text("\n".join(data.obs_names) + "\n")
    counts = reference.obsm["proteins"]
    counts.to_csv(out / "seurat/proteins.tsv", sep="\t")
    run("Rscript", Path(__file__).with_suffix(".R"), out / "seurat")
    found = pd.read_csv(out / "seurat/imputed.tsv", sep="\t", index_col=0)
    return found.loc[query.obs_names]


def judge(name, measured, guesses):
    """A row for each protein; `guesses`: by method, with the same columns."""
    rows = []
    for protein in measured.columns:
        truth = measured[protein].to_numpy()
        row = {"query": name, "protein": protein, "percent_detected": 100 * float((truth > 0).mean())}
        for method, values in guesses.items():
            guess = values[protein].to_numpy(float)
            row |= {f"{method} pearson": pearson(truth, guess), f"{method} spearman": spearman(truth, guess)}
        rows.append(row)
    return rows


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sextant, source, out = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    whole = anndata.read_h5ad(source)
    halves = {"1,262 cells": whole[:FIRST_HALF].copy(), "5,048 cells": whole[FIRST_HALF:].copy()}
    rows = []
    for (name, query), reference in zip(halves.items(), reversed(halves.values())):
        folder = out / re.sub(r"\W", "", name)
        guesses = mapped(sextant, reference, query, folder)
        if "--seurat" in sys.argv:
            guesses["Seurat"] = seurat(reference, query, folder)
        proteins = query.obsm["proteins"]
        rows += judge(f"TEA-seq, {name}", pd.DataFrame(clr(proteins), query.obs_names, proteins.columns), guesses)
    if "--other" in sys.argv:
        query = anndata.read_h5ad(sys.argv[sys.argv.index("--other") + 1])
        proteins = pd.DataFrame(query.obsm["protein_expression"])
        if not isinstance(query.obsm["protein_expression"], pd.DataFrame):
            proteins.columns = [str(name) for name in query.uns["protein_names"]]
        short = [re.sub(r"_TotalSeqB$", "", str(name)) for name in proteins.columns]
        proteins.columns = [OTHER_NAMES.get(name, name) for name in short]
        guesses = mapped(sextant, whole, query, out / "other")
        normalised = pd.DataFrame(clr(proteins), query.obs_names, proteins.columns)
        shared = [name for name in normalised.columns if name in whole.obsm["proteins"].columns]
        rows += judge(f"another study, {query.n_obs} cells", normalised[shared],
                      {method: values[shared] for method, values in guesses.items()})
    found = pd.DataFrame(rows).set_index(["query", "protein"])
    found.to_csv(out / "proteins.tsv", sep="\t", float_format="%.4f")
    print(found.round(3).to_string())
    print(found.groupby("query").median().round(3).to_string())


if __name__ == "__main__":
    main()
