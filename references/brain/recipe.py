#!/usr/bin/env python3
"""Fetch and assemble what the `brain` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  habib.h5ad            10,091 nuclei x 25,587 genes, raw counts in X, in obs: class, cell_type, sample
  habib_held_out.h5ad   a fifth of the nuclei of each type, which the other file has not

The package's file holds log1p(10,000 x / total) of each nucleus, of which counts are recovered: the smallest value of a
nucleus is that of one molecule, and all others turn out as whole multiples of it. Their totals are compared with those that
the authors state. "Unclassified" nuclei are in neither file. Which nuclei are held out follows from a hash of their
barcodes. What the package holds is checked by SHA-256 (reference.toml). Two runs give the same bytes. Needs numpy, scipy,
pandas, h5py and anndata.
"""

import hashlib
import io
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import anndata
import numpy
import scipy.sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import labelled, raw_counts, start, write_demo, write_h5ad

# The authors' clusters.
CLASS = {
    "exPFC1": "glutamatergic neurons",
    "exPFC2": "glutamatergic neurons",
    "exCA1": "glutamatergic neurons",
    "exCA3": "glutamatergic neurons",
    "exDG": "glutamatergic neurons",
    "GABA1": "GABAergic interneurons",
    "GABA2": "GABAergic interneurons",
    "ASC1": "astrocytes",
    "ASC2": "astrocytes",
    "ODC1": "oligodendrocytes",
    "OPC": "oligodendrocyte precursors",
    "MG": "microglia",
    "NSC": "neuronal stem cells",
    "END": "endothelial cells",
}
LEFT_OUT = "Unclassified"
HELD_OUT_SHARE = 5
# Of a value, and of a nucleus's total.
LARGEST_ERROR = 1e-4
LARGEST_DIFFERENCE = 0.02


def recovered(logarithms, totals):
    """Counts from log1p of values that were scaled to one total."""
    counts = scipy.sparse.csr_matrix(logarithms).astype(numpy.float64)
    counts.eliminate_zeros()
    counts.data = numpy.expm1(counts.data)
    sizes = numpy.diff(counts.indptr)
    if sizes.min() == 0:
        sys.exit("a nucleus has no counts")
    counts.data /= numpy.repeat(numpy.minimum.reduceat(counts.data, counts.indptr[:-1]), sizes)
    whole = numpy.round(counts.data)
    error = (numpy.abs(counts.data - whole) / whole).max()
    counts.data = whole
    found = numpy.asarray(counts.sum(axis=1)).ravel()
    difference = (numpy.abs(found - totals) / totals).max()
    if error > LARGEST_ERROR or difference > LARGEST_DIFFERENCE:
        sys.exit(f"counts could not be recovered: values are up to {error:.1e} off whole numbers, totals up to {difference:.1%} off those stated")
    print(f"recovered counts: at most {error:.1e} off whole numbers; totals at most {difference:.2%} off those stated, "
          f"{numpy.mean(found == totals):.1%} of them equal")
    return counts


def held_out(cells, types):
    """A fifth of each type: those with the smallest hashes."""
    of_type = defaultdict(list)
    for place, (cell, name) in enumerate(zip(cells, types)):
        of_type[name].append((hashlib.sha256(cell.encode()).hexdigest(), place))
    held = set()
    for places in of_type.values():
        held.update(place for _, place in sorted(places)[: len(places) // HELD_OUT_SHARE])
    return held


def main():
    output, _, files = start(__file__)
    # How an early H5AD keeps neighbours, which are not needed.
    warnings.simplefilter("ignore", FutureWarning)
    data = anndata.read_h5ad(io.BytesIO(files["tests/data/habib17.processed.h5ad"]))
    counts = raw_counts(recovered(data.X, data.obs["n_counts"].to_numpy()), "the recovered counts")
    cells, types = [name.removesuffix("-habib17") for name in data.obs_names], list(data.obs["CellType"].astype(str))
    samples = [cell.partition("_")[0].partition(".")[0].partition("-")[0] for cell in cells]
    held = held_out(cells, types)

    def write(into, name, wanted):
        kept = [place for place, label in enumerate(types) if label != LEFT_OUT and wanted(place)]
        take = lambda values: [values[place] for place in kept]
        columns = {"class": [CLASS[label] for label in take(types)], "cell_type": take(types), "sample": take(samples)}
        into(labelled(counts[kept], take(cells), data.var_names, columns), output / name)

    write(write_h5ad, "habib.h5ad", lambda place: place not in held)
    write(write_demo, "habib_held_out.h5ad", lambda place: place in held)


if __name__ == "__main__":
    main()
