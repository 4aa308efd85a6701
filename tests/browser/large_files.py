"""Writes the larger files of tests/browser/formats.mjs: python large_files.py DEMO.h5 FOLDER

  unfiltered.h5          600 cells of the demo among 24,000 barcodes of empty droplets
  samples/one/cells.h5   300 cells of the demo
  samples/two/cells.h5   300 others
  two_matrices.h5ad      300 cells, not compressed, in two matrices: too large to be kept by whoever reads it
"""

import sys
from pathlib import Path

import h5py
import numpy as np
import scipy.sparse as sp

demo, folder = Path(sys.argv[1]), Path(sys.argv[2])
rng = np.random.default_rng(11)
with h5py.File(demo) as f:
    group = f["matrix"] if "matrix" in f else f[next(iter(f))]
    genes, cells = group["shape"][:]
    counts = sp.csr_matrix((group["data"][:], group["indices"][:], group["indptr"][:]), (cells, genes))
    if "features" in group:
        ids, names = group["features/id"][:], group["features/name"][:]
    else:
        ids, names = group["genes"][:], group["gene_names"][:]
    barcodes = group["barcodes"][:]


def write(path, matrix, names_of_cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as f:
        g = f.create_group("matrix")
        for key, values in {"data": matrix.data.astype("i4"), "indices": matrix.indices.astype("i8"), "indptr": matrix.indptr.astype("i8")}.items():
            g.create_dataset(key, data=values, compression="gzip", compression_opts=1, shuffle=True)
        g["shape"] = np.array([genes, matrix.shape[0]], "i4")
        g["barcodes"] = np.array(names_of_cells, "S")
        features = g.create_group("features")
        for key, values in {"id": ids, "name": names, "feature_type": np.full(genes, b"Gene Expression"), "genome": np.full(genes, b"hg19")}.items():
            features[key] = np.array(values, "S")


def barcode(number):
    return "".join("ACGT"[number >> 2 * place & 3] for place in range(16)) + "-1"


# What floats in every droplet: the mean of the cells, 1 to 40 counts of it, and 150 in a few.
ambient = np.asarray(counts.sum(0)).ravel().astype(float)
depth = rng.integers(1, 40, 24_000)
depth[:900] = rng.integers(110, 190, 900)
picked = rng.choice(genes, depth.sum(), p=ambient / ambient.sum())
droplets = sp.coo_matrix((np.ones(depth.sum(), "i4"), (np.repeat(np.arange(len(depth)), depth), picked)), (len(depth), genes)).tocsr()
order = rng.permutation(600 + len(depth))
everything = sp.vstack([counts[:600], droplets]).tocsr()[order]
everything.sort_indices()
write(folder / "unfiltered.h5", everything, [barcode(number) for number in range(len(order))])
write(folder / "samples/one/cells.h5", counts[600:900], barcodes[600:900])
write(folder / "samples/two/cells.h5", counts[900:1200], barcodes[900:1200])

with h5py.File(folder / "two_matrices.h5ad", "w") as f:
    f.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    dense = counts[:300].toarray().astype("f4")
    for path in ("X", "layers/counts"):
        f.create_dataset(path, data=dense).attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    for path, index in {"obs": barcodes[:300], "var": names}.items():
        table = f.create_group(path)
        table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
        table.attrs.create("column-order", [], dtype=h5py.string_dtype())
        table.create_dataset("_index", data=np.array(index, "S").astype(object), dtype=h5py.string_dtype())
