"""Writes labelled counts as CELLxGENE Discover and as Seurat hold them: generate.py, in this folder.

cellxgene.h5ad   genes by Ensembl id, symbols in `feature_name`, counts in `raw/X`, logarithms in `X`, ids of the Cell
                 Ontology in `cell_type_ontology_term_id`
seurat.rds       the same counts and labels in an object of Seurat, by symbol (generate.R writes it)

130 cells of three types and three donors, 420 genes; donors differ in some genes, some cells are two cells, and some are
poor. Written with anndata 0.12, R 4.2.2 and Seurat 4.3.0.
"""

import subprocess
from pathlib import Path

import anndata
import numpy
import pandas
import scipy.io
import scipy.sparse

CELLS, GENES = 130, 420
TYPES = {"T cell": "CL:0000084", "B cell": "CL:0000236", "monocyte": "CL:0000576"}


def main():
    random = numpy.random.default_rng(7)
    kind = random.choice(3, CELLS, p=[0.5, 0.35, 0.15])
    donor = numpy.arange(CELLS) % 3
    base = numpy.exp(random.normal(-2.0, 0.9, GENES))
    of_kind = numpy.ones((3, GENES))
    for each in range(3):
        of_kind[each, random.choice(GENES, 60, replace=False)] = 5
    of_donor = numpy.exp(random.normal(0, 0.25, (3, GENES)))
    depth = numpy.exp(random.normal(0.4, 0.4, CELLS))
    counts = random.poisson(base * of_kind[kind] * of_donor[donor] * depth[:, None])
    for cell in range(0, CELLS, 26):
        counts[cell] = random.poisson(base * of_kind[kind[cell]] * 0.2)
    assert (counts.sum(1) > 0).all()
    names = [f"cell{number:03}" for number in range(CELLS)]
    symbols = [f"GENE{number}" for number in range(GENES)]
    labels = numpy.array(list(TYPES))[kind]
    obs = pandas.DataFrame(
        {"cell_type": pandas.Categorical(labels),
         "cell_type_ontology_term_id": pandas.Categorical([TYPES[label] for label in labels]),
         "donor_id": pandas.Categorical([f"donor {number}" for number in donor]),
         "cluster": pandas.Categorical([f"Cluster {number}" for number in kind]),
         "barcode": [f"{name}-1" for name in names],
         "score": random.uniform(size=CELLS)}, names)
    var = pandas.DataFrame({"feature_name": pandas.Categorical(symbols)}, [f"ENSG{100_000 + 37 * number:011}" for number in range(GENES)])
    raw = scipy.sparse.csr_matrix(counts.astype("float32"))
    scaled = raw.multiply(1e4 / raw.sum(1)).tocsr().log1p().astype("float32")
    data = anndata.AnnData(scaled, obs, var, raw=anndata.AnnData(raw, var=var))
    data.write_h5ad("cellxgene.h5ad", compression="gzip", compression_opts=9)
    work = Path("work")
    work.mkdir(exist_ok=True)
    scipy.io.mmwrite(work / "counts.mtx", scipy.sparse.coo_matrix(counts))
    obs.drop(columns=["score"]).to_csv(work / "cells.tsv", sep="\t")
    (work / "genes.txt").write_text("\n".join(symbols) + "\n", encoding="utf-8")
    subprocess.run(["Rscript", "generate.R"], check=True)
    for file in work.iterdir():
        file.unlink()
    work.rmdir()


main()
