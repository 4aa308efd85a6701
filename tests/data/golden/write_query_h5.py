#!/usr/bin/env python3
"""Writes query_counts.mtx.gz and its names as query.h5, a 10x HDF5 file as Cell Ranger 3 lays it out.

usage: write_query_h5.py [FOLDER]     needs numpy, scipy, h5py; a second run gives the same bytes
"""
import gzip, sys
from pathlib import Path
import h5py, numpy as np
from scipy.io import mmread

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
with gzip.open(folder / "query_counts.mtx.gz") as file:
    counts = mmread(file).tocsc()
counts.sort_indices()
lines = lambda name: gzip.open(folder / name, "rt").read().splitlines()
genes = lines("query_genes.txt.gz")
cells = [line.split("\t")[0] for line in lines("query_cells.tsv.gz")[1:]]
assert counts.shape == (len(genes), len(cells))

packed = dict(compression="gzip", compression_opts=4, shuffle=True, track_times=False)
text = lambda values: np.array([value.encode() for value in values])
with h5py.File(folder / "query.h5", "w", libver="earliest") as file:
    matrix = file.create_group("matrix")
    put = lambda group, name, values: group.create_dataset(name, data=values, chunks=True, **packed)
    put(matrix, "barcodes", text(cells))
    put(matrix, "data", counts.data.astype("<i4"))
    put(matrix, "indices", counts.indices.astype("<i8"))
    put(matrix, "indptr", counts.indptr.astype("<i8"))
    put(matrix, "shape", np.array(counts.shape, dtype="<i4"))
    features = matrix.create_group("features")
    put(features, "id", text(genes))
    put(features, "name", text(genes))
    put(features, "feature_type", text(["Gene Expression"] * len(genes)))
    put(features, "genome", text(["GRCh38"] * len(genes)))
    put(features, "_all_tag_keys", text(["genome"]))
