#!/usr/bin/env python3
"""Writes the small files that tests/counts_found.rs reads: normalised values from which counts come back, and others.

Needs anndata, h5py, numpy, scipy and pandas (written with anndata 0.12.19, h5py 3.16.0, numpy 2.4.6). Run it in this
folder. counts.tsv holds the counts, one line a cell.
"""
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.filterwarnings("ignore")
CELLS, GENES = 60, 80
rng = np.random.default_rng(11)
COUNTS = rng.negative_binomial(0.6, 0.1, (CELLS, GENES)) * rng.integers(0, 2, (CELLS, GENES))
COUNTS[:, 5] = 1  # every cell has a gene with one count
COUNTS[:, 7] = rng.integers(30, 400, CELLS)
TOTALS = COUNTS.sum(1)
NAMES = ["ACTB", "MT-CO1"] + [f"GENE{g}" for g in range(2, GENES)]
BARCODES = [f"CELL{i:03}-1" for i in range(CELLS)]


def write(name, matrix, genes=NAMES, obs=None, barcodes=BARCODES, **parts):
    table = ad.AnnData(sp.csr_matrix(matrix.astype("f4")), obs=pd.DataFrame(obs or {}, index=barcodes),
                       var=pd.DataFrame(index=genes))
    for layer, values in parts.items():
        table.layers[layer] = sp.csr_matrix(values.astype("f4"))
    table.write_h5ad(f"{name}.h5ad", compression="gzip")
    return table


def normalised(counts, to=1e4):
    return counts / counts.sum(1, keepdims=True) * to


def half_precision(name, matrix):
    write(name, matrix)
    with h5py.File(f"{name}.h5ad", "r+") as file:
        values = file["X/data"][:].astype("f2")
        del file["X/data"]
        file["X"].create_dataset("data", data=values, compression="gzip")


def with_raw(name, matrix, genes, raw):
    table = ad.AnnData(sp.csr_matrix(raw.astype("f4")), obs=pd.DataFrame(index=BARCODES), var=pd.DataFrame(index=NAMES))
    small = ad.AnnData(sp.csr_matrix(matrix.astype("f4")), obs=table.obs, var=pd.DataFrame(index=genes))
    small.raw = table
    small.write_h5ad(f"{name}.h5ad", compression="gzip")


def main():
    np.savetxt("counts.tsv", COUNTS, fmt="%d", delimiter="\t")
    logs = np.log1p(normalised(COUNTS))
    write("log1p", logs, obs={"n_counts": TOTALS.astype("f4"), "n_genes": (COUNTS > 0).sum(1)})
    write("log1p_some_genes", logs[:, :40], NAMES[:40], {"total_counts": TOTALS})
    write("log2", np.log2(normalised(COUNTS) + 1))
    write("log10_median", np.log10(normalised(COUNTS, np.median(TOTALS)) + 1))
    write("log1p_no_scale", np.log1p(COUNTS))
    write("no_logarithm", normalised(COUNTS))
    half_precision("log1p_half", logs)
    # Every count of every third cell is even: only the stated total tells.
    even = COUNTS * np.where(np.arange(CELLS) % 3 == 0, 2, 1)[:, None]
    write("log1p_even", np.log1p(normalised(even)), obs={"nCount_RNA": even.sum(1)})
    write("dust", COUNTS + np.where(COUNTS > 0, rng.uniform(-1e-3, 1e-3, COUNTS.shape), 0))
    # One cell in sixty was changed afterwards.
    spoilt = logs.copy()
    spoilt[31] *= rng.uniform(0.8, 1.2, GENES)
    write("log1p_one_spoilt", spoilt)

    estimates = COUNTS * rng.uniform(0.7, 1.0, (1, GENES))
    write("estimates_in_layer", logs, soupx=estimates)
    with_raw("estimates_of_more_genes", logs[:, :40], NAMES[:40], estimates)
    dust = COUNTS + np.where(COUNTS > 0, rng.uniform(-1e-3, 1e-3, COUNTS.shape), 0)
    write("dust_in_layer", logs, rounded=dust)

    write("not_corrected", np.log1p(normalised(estimates)))
    write("not_square_root", np.sqrt(COUNTS))
    deep = rng.negative_binomial(0.6, 0.002, (CELLS, 400)) + 1
    write("not_truncated_log2", np.floor(np.log2(normalised(deep, 1e5) + 1)) + 3, [f"GENE{g}" for g in range(400)])

    many = rng.negative_binomial(0.6, 0.1, (CELLS, 120)) + (np.arange(120) < 60)
    many[40:45] = many[10:15]
    write("repeated_cells", many, ["ACTB"] + [f"GENE{g}" for g in range(1, 120)])
    write("visium_hd", many[:40], ["ACTB"] + [f"GENE{g}" for g in range(1, 120)],
          barcodes=[f"s_016um_{i:05}_{i * 3:05}-1" for i in range(40)])
    write("gene_filtered", many[:40], [f"GENE{g}" for g in range(120)], barcodes=BARCODES[:40])


main()
