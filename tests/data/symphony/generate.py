"""Writes the references of this folder, and what symphonypy makes of a query: see README.md.

    python3 generate.py        with numpy, scipy, pandas, harmonypy 2.1.0, scanpy 1.11, symphonypy 0.2.2; Rscript with tibble, data.table, uwot
"""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

import made

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"


def cells_of(who):
    counts = sp.csr_matrix(scipy.io.mmread(gzip.open(GOLDEN / f"{who}_counts.mtx.gz")).T.astype(float))
    genes = gzip.open(GOLDEN / f"{who}_genes.txt.gz", "rt").read().split("\n")
    table = pd.read_csv(GOLDEN / f"{who}_cells.tsv.gz", sep="\t", index_col=0)
    return counts, [gene for gene in genes if gene], table


def table(name, values, cells):
    frame = pd.DataFrame(values, index=pd.Index(cells, name="cell"), columns=[f"d{number}" for number in range(1, values.shape[1] + 1)])
    with open(HERE / name, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(frame.to_csv(sep="\t", float_format="%.9g").encode())


def main():
    control, control_genes, control_table = cells_of("reference")
    stimulated, genes, stimulated_table = cells_of("query")
    # 200 control cells and 100 stimulated ones are two batches; 250 other stimulated ones the query. A tenth of the genes of
    # the reference is not in the query.
    both = [gene for number, gene in enumerate(control_genes) if gene in set(genes) or number % 10 == 0]
    at = {gene: place for place, gene in enumerate(genes)}
    first = control[:200][:, [control_genes.index(gene) for gene in both]]
    columns = [at.get(gene) for gene in both]
    padded = sp.hstack([stimulated[:100], sp.csr_matrix((100, 1))]).tocsr()
    second = padded[:, [len(genes) if column is None else column for column in columns]]
    meta = pd.concat([control_table[:200], stimulated_table[:100]])
    meta = meta.assign(condition=["ctrl"] * 200 + ["stim"] * 100)[["condition", "coarse", "cell_type"]]
    counts = sp.vstack([first, second]).tocsr()
    parts = made.build(counts, both, meta, "condition", 300, 15)
    made.write(parts, HERE / "reference.rds", "reference")
    keep = list(range(80)) + list(range(200, 240))
    small = made.build(counts[keep], both, meta.iloc[keep], "condition", 60, 8, 6)
    made.write(small, HERE / "plain.rds", "plain")
    projected, corrected = made.mapped_by_symphonypy(parts, stimulated[150:], genes)
    table("query_projected.tsv.gz", np.asarray(projected), stimulated_table.index[150:])
    table("query_corrected.tsv.gz", np.asarray(corrected), stimulated_table.index[150:])
    missing = [gene for gene in parts["symbol"] if gene not in at]
    print(len(missing), "features are not in the query;", len(parts["Nr"]), "clusters")


if __name__ == "__main__":
    main()
