"""The reference cells of the golden fixture as a labelled H5AD: labelled.py OUTPUT.h5ad

What `sextant reference build` reads. The columns of obs are those of golden/reference_cells.tsv.gz;
proteins are the counts of the genes that are named after surface proteins.
"""

import gzip
import re
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
    tags = [place for place, gene in enumerate(genes) if re.fullmatch("CD[0-9]+[A-Z]*", gene)]
    proteins = pandas.DataFrame(counts[:, tags].toarray(), cells.index, [genes[place] for place in tags])
    data = anndata.AnnData(X=counts, obs=cells, var=pandas.DataFrame(index=genes), obsm={"proteins": proteins})
    data.write_h5ad(sys.argv[1])


main()
