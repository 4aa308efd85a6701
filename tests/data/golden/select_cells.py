"""Picks the cells and genes of the golden fixture out of the Kang PBMC counts and writes the four input files.

    python select_cells.py kang.h5ad .

`kang.h5ad`: raw counts in X, `condition` (ctrl, stim) and `cell_type` in obs (README.md says where it comes from).
The rule is fixed, so that the same h5ad gives the same files: each type is given its share of the cells but never
fewer than FEWEST, and its cells are taken at even steps in the order of the file. Needs anndata, numpy and scipy.
"""

import gzip
import sys

import anndata
import numpy as np
import scipy.sparse as sparse

REFERENCE_CELLS, QUERY_CELLS, FEWEST = 500, 400, 14
COMMON_GENES, EVERY_RARE_GENE, EVERY_MISSING_GENE = 3700, 33, 40
COARSE = {
    "CD4 T cells": "lymphoid",
    "CD8 T cells": "lymphoid",
    "B cells": "lymphoid",
    "NK cells": "lymphoid",
    "CD14+ Monocytes": "myeloid",
    "FCGR3A+ Monocytes": "myeloid",
    "Dendritic cells": "myeloid",
    "Megakaryocytes": "other",
}


def pick_cells(types, wanted):
    """Positions of `wanted` cells: per type its share or FEWEST, at even steps; the largest type gives way."""
    names, sizes = np.unique(types, return_counts=True)
    quota = np.maximum(FEWEST, np.round(wanted * sizes / sizes.sum()).astype(int))
    quota[sizes.argmax()] -= quota.sum() - wanted
    chosen = []
    for name, count in zip(names, quota):
        places = np.flatnonzero(types == name)
        chosen.extend(places[(np.arange(count) * len(places)) // count])
    return np.sort(chosen)


def pick_genes(counts):
    """The genes of highest total, and every so manyth of the rest: those are often absent from the chosen cells."""
    order = np.argsort(-np.asarray(counts.sum(0)).ravel(), kind="stable")
    return np.sort(np.concatenate([order[:COMMON_GENES], order[COMMON_GENES::EVERY_RARE_GENE]]))


def open_text(path):
    """A gzip text file whose bytes do not depend on the day or the name."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=open(path, "wb"), mtime=0)


def write_counts(path, counts):
    """Matrix Market, genes x cells, by cell."""
    counts = sparse.csr_matrix(counts)
    counts.sort_indices()
    with open_text(path) as out:
        out.write(b"%%MatrixMarket matrix coordinate integer general\n")
        out.write(f"{counts.shape[1]} {counts.shape[0]} {counts.nnz}\n".encode())
        for cell in range(counts.shape[0]):
            span = slice(counts.indptr[cell], counts.indptr[cell + 1])
            for gene, count in zip(counts.indices[span], counts.data[span]):
                out.write(f"{gene + 1} {cell + 1} {int(count)}\n".encode())


def write_lines(path, lines):
    with open_text(path) as out:
        out.writelines(f"{line}\n".encode() for line in lines)


def main(source, folder):
    data = anndata.read_h5ad(source)
    data = data[:, pick_genes(data.X)]
    for name, condition, wanted in (("reference", "ctrl", REFERENCE_CELLS), ("query", "stim", QUERY_CELLS)):
        part = data[data.obs.condition == condition]
        part = part[pick_cells(part.obs.cell_type.astype(str).to_numpy(), wanted)]
        if name == "query":
            # Another order than the reference's, and some of its genes missing, as in any real file.
            order = np.arange(part.n_vars)[::-1]
            part = part[:, order[order % EVERY_MISSING_GENE != 0]]
        types = part.obs.cell_type.astype(str)
        write_counts(f"{folder}/{name}_counts.mtx.gz", part.X)
        write_lines(f"{folder}/{name}_genes.txt.gz", part.var_names)
        rows = [f"{cell}\t{kind}\t{COARSE[kind]}" for cell, kind in zip(part.obs_names, types)]
        write_lines(f"{folder}/{name}_cells.tsv.gz", ["cell\tcell_type\tcoarse", *rows])
        print(name, part.shape, part.X.nnz, dict(types.value_counts()))


if __name__ == "__main__":
    main(*sys.argv[1:])
