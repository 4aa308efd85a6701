"""The reference cells of the golden fixture as a labelled H5AD: labelled.py OUTPUT.h5ad

What `sextant reference build` reads. The columns of obs are those of golden/reference_cells.tsv.gz.
"""

import gzip
import sys
from pathlib import Path

import anndata
import pandas
import scipy.io

GOLDEN = Path(__file__).resolve().parent / "golden"


def main():
    cells = pandas.read_csv(GOLDEN / "reference_cells.tsv.gz", sep="\t", index_col=0, dtype=str)
    with gzip.open(GOLDEN / "reference_genes.txt.gz", "rt", encoding="utf-8") as lines:
        genes = [line.rstrip("\n") for line in lines]
    counts = scipy.io.mmread(GOLDEN / "reference_counts.mtx.gz").tocsr()
    if counts.shape == (len(genes), len(cells)):
        counts = counts.T.tocsr()
    anndata.AnnData(X=counts, obs=cells, var=pandas.DataFrame(index=genes)).write_h5ad(sys.argv[1])


main()
