"""Writes the larger files of tests/browser/formats.mjs: python large_files.py DEMO.h5 FOLDER

  unfiltered.h5          600 cells of the demo among 24,000 barcodes of empty droplets
  samples/one/cells.h5   300 cells of the demo
  samples/two/cells.h5   300 others
  two_matrices.h5ad      300 cells, not compressed, in two matrices: too large to be kept by whoever reads it
  two_columns.h5ad       100 cells; the names of the genes stand in a column, and the index has mere numbers
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


def h5ad(path, matrix, paths, columns):
    with h5py.File(path, "w") as f:
        f.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for place in paths:
            f.create_dataset(place, data=matrix.toarray().astype("f4")).attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        for place, table in {"obs": {"_index": barcodes[:matrix.shape[0]]}, "var": columns}.items():
            group = f.create_group(place)
            group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
            group.attrs.create("column-order", [name for name in table if name != "_index"], dtype=h5py.string_dtype())
            for name, values in table.items():
                column = group.create_dataset(name, data=np.array(values, "S").astype(object), dtype=h5py.string_dtype())
                column.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


h5ad(folder / "two_matrices.h5ad", counts[:300], ["X", "layers/counts"], {"_index": names})
numbers = [f"{gene}" for gene in range(genes)]
h5ad(folder / "two_columns.h5ad", counts[:100], ["X"], {"_index": numbers, "gene_symbols": names, "written_by": [f"feature{gene}" for gene in range(genes)]})
