#!/usr/bin/env python3
"""Fetch and assemble what the `mouse-marrow` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  paul.h5ad            twelve of the sixteen batches, 2,032 cells x 8,716 genes, raw counts in X, in obs: cell_type,
                       cluster, batch
  paul_held_out.h5ad   batches 4, 8, 12 and 16, 698 cells, with the same columns

What the package holds is checked by SHA-256 (reference.toml). Two runs give the same bytes. Needs numpy, scipy, pandas,
h5py and anndata.
"""

import io
import sys
from pathlib import Path

import h5py
import numpy
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import labelled, raw_counts, start, write_demo, write_h5ad

# The authors' clusters (Paul et al. 2015, figure 1), by number from 1.
TYPES = ["Ery"] * 6 + ["MEP", "Mk", "GMP", "GMP", "DC", "Baso", "Baso", "Mo", "Mo", "Neu", "Neu", "Eos", "Lymph"]
HELD_OUT = {4, 8, 12, 16}


def main():
    output, _, files = start(__file__)
    with h5py.File(io.BytesIO(files["docs/data/paul15/paul15.h5"]), "r") as file:
        # Genes x cells, molecules; data.debatched has been changed.
        counts = raw_counts(scipy.sparse.csr_matrix(file["data"][:].T), "paul15.h5")
        # Of a row for several genes the first name.
        genes = [name.decode().partition(";")[0] for name in file["data_rownames"][:]]
        cells = [name.decode() for name in file["data_colnames"][:]]
        clusters = file["cluster.id"][:].ravel().astype(int)
        batches = file["batch.names"][:].ravel().astype(int)
        if [name.decode() for name in file["batch.names_rownames"][:]] != cells:
            sys.exit("paul15.h5: the batches are of other cells than the counts")
    is_held = numpy.isin(batches, sorted(HELD_OUT))
    for into, name, wanted in ((write_h5ad, "paul.h5ad", ~is_held), (write_demo, "paul_held_out.h5ad", is_held)):
        kept = numpy.flatnonzero(wanted)
        columns = {
            "cell_type": [TYPES[clusters[cell] - 1] for cell in kept],
            "cluster": [f"{clusters[cell]}{TYPES[clusters[cell] - 1]}" for cell in kept],
            "batch": batches[kept],
        }
        into(labelled(counts[kept], [cells[cell] for cell in kept], genes, columns), output / name)


if __name__ == "__main__":
    main()
