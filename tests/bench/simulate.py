"""Simulates a labelled reference and a query of another batch, of the size that the timings are quoted for.

    python simulate.py OUT [--reference 10000] [--query 10000] [--genes 20000]

Writes OUT/reference.h5ad (obs: subtype, lineage), the same as OUT/reference.h5 and OUT/reference.labels.tsv for the
peers, and OUT/query.h5 (10x, Cell Ranger 3) with OUT/query.truth.tsv.

24 subtypes in 6 lineages. A gene's mean is lognormal; a lineage shifts 600 genes, a subtype 150; counts are gamma-Poisson
with a dispersion per gene; the query's batch scales each gene by a lognormal factor. Seeded: the same arguments give
the same counts. Needs anndata, h5py, numpy, pandas and scipy.
"""

import argparse
import os
import sys

import anndata
import numpy as np
import pandas
import scipy.sparse as sparse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
from to_10x import write_10x  # noqa: E402

LINEAGES, SUBTYPES = 6, 4
MITOCHONDRIAL = 13
BLOCK = 500


def draw_profiles(random, genes):
    """Mean of each gene in each subtype (subtypes x genes), and the dispersion of each gene."""
    mean = random.lognormal(-2.0, 2.0, genes)
    change = np.ones((LINEAGES * SUBTYPES, genes))
    for lineage in range(LINEAGES):
        shifted = random.choice(genes, genes * 3 // 100, replace=False)
        change[lineage * SUBTYPES : (lineage + 1) * SUBTYPES, shifted] *= random.lognormal(1.0, 0.6, len(shifted))
    for subtype in range(LINEAGES * SUBTYPES):
        shifted = random.choice(genes, genes * 3 // 400, replace=False)
        change[subtype, shifted] *= random.lognormal(0.9, 0.5, len(shifted))
    return change * mean, random.gamma(4, 0.6, genes) + 0.3


def draw_cells(random, profiles, theta, cells, depth):
    """Counts (cells x genes) and subtype of each cell."""
    subtype = random.choice(len(profiles), cells, p=random.dirichlet(np.full(len(profiles), 3.0)))
    depths = random.lognormal(np.log(depth), 0.35, cells)
    share = profiles / profiles.sum(1, keepdims=True)
    blocks = []
    for start in range(0, cells, BLOCK):
        chosen = slice(start, start + BLOCK)
        mean = share[subtype[chosen]] * depths[chosen, None]
        blocks.append(sparse.csr_matrix(random.poisson(mean * random.gamma(theta, 1 / theta, mean.shape)).astype(np.int32)))
    return sparse.vstack(blocks, format="csr"), subtype


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--reference", type=int, default=10_000)
    parser.add_argument("--query", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=20_000)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    random = np.random.default_rng(11)
    genes = [f"MT-{i + 1}" if i < MITOCHONDRIAL else f"GENE{i + 1}" for i in range(options.genes)]
    profiles, theta = draw_profiles(random, options.genes)
    batch = random.lognormal(0, 0.3, options.genes)
    names = np.array([f"L{lineage + 1}.{'abcd'[subtype]}" for lineage in range(LINEAGES) for subtype in range(SUBTYPES)])

    for name, cells, depth, scale in (("reference", options.reference, 4000, 1.0), ("query", options.query, 3000, batch)):
        counts, subtype = draw_cells(random, profiles * scale, theta, cells, depth)
        barcodes = [f"{name}{i + 1}-1" for i in range(cells)]
        labels = pandas.DataFrame({"subtype": names[subtype], "lineage": [n.split(".")[0] for n in names[subtype]]}, index=barcodes)
        write_10x(f"{options.out}/{name}.h5", counts, genes, genes, barcodes)
        kind = "labels" if name == "reference" else "truth"
        labels.to_csv(f"{options.out}/{name}.{kind}.tsv", sep="\t", index_label="cell")
        if name == "reference":
            data = anndata.AnnData(counts.astype(np.float32), obs=labels, var=pandas.DataFrame(index=genes))
            data.write_h5ad(f"{options.out}/reference.h5ad", compression="gzip")
        print(f"{name}: {cells} cells, {counts.nnz / cells:.0f} genes and {counts.sum() / cells:.0f} counts a cell")


if __name__ == "__main__":
    main()
