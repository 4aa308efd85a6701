#!/usr/bin/env python3
"""How well doublets are found: those that are made here of real cells, among the cells that are left.

usage: doublets.py make LABELLED.h5ad COLUMN OUTPUT.h5ad [KEPT]
       doublets.py judge FOLDER…           (each the output of sextant map OUTPUT.h5ad --doublets)

`make` takes 16 % of the cells, 5,000 at most, and adds them up in pairs; the pairs take the place of their cells. A pair of
two values of COLUMN is "hetero", another "homo". KEPT (1 by default) thins their counts binomially: real doublets have fewer
than the sum of two cells. `judge` prints the AUROC of each kind against the cells, by the score and by total counts alone.
Needs anndata, numpy and scipy.
"""
import csv
import sys
from pathlib import Path

import numpy as np

SHARE = 0.08
MOST_CELLS = 5000


def make(source, column, output, kept=1.0):
    import anndata
    import pandas
    import scipy.sparse as sparse

    random = np.random.default_rng(1)
    data = anndata.read_h5ad(source)
    if data.n_obs > MOST_CELLS:
        data = data[random.choice(data.n_obs, MOST_CELLS, replace=False)].copy()
    counts, types = sparse.csr_matrix(data.X), data.obs[column].astype(str).to_numpy()
    made = int(SHARE * data.n_obs)
    taken = random.choice(data.n_obs, 2 * made, replace=False)
    first, second = taken[:made], taken[made:]
    rest = np.setdiff1d(np.arange(data.n_obs), taken)
    sums = (counts[first] + counts[second]).tocsr()
    sums.data = random.binomial(sums.data.astype(int), kept).astype("float32")
    sums.eliminate_zeros()
    kinds = ["cell"] * len(rest) + ["homo" if types[a] == types[b] else "hetero" for a, b in zip(first, second)]
    names = list(data.obs_names[rest]) + [f"doublet{number}" for number in range(made)]
    order = random.permutation(len(names))
    table = pandas.DataFrame({"kind": kinds}, index=names).iloc[order]
    every = sparse.vstack([counts[rest].astype("float32"), sums]).tocsr()[order]
    anndata.AnnData(every, obs=table, var=data.var).write_h5ad(output)
    print(f"{len(rest):,} cells, {kinds.count('hetero')} doublets of two types, {kinds.count('homo')} of one")


def column_of(path, name):
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["cell"]: row[name] for row in csv.DictReader(lines, delimiter="\t")}


def auroc(values, positive):
    from scipy.stats import rankdata

    ranks, count = rankdata(values), positive.sum()
    return (ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(values) - count))


def judge(folder):
    folder = Path(folder)
    scores = column_of(folder / "doublets.tsv", "doublet.score")
    totals, kinds = column_of(folder / "qc.tsv", "counts"), column_of(folder / "metadata.tsv", "kind")
    for kind in ("hetero", "homo"):
        cells = [cell for cell in scores if kinds[cell] in ("cell", kind)]
        positive = np.array([kinds[cell] == kind for cell in cells])
        by_score, by_counts = (auroc(np.array([float(of[cell]) for cell in cells]), positive) for of in (scores, totals))
        print(f"{folder.name}\t{kind}\t{positive.sum()}\tscore {by_score:.3f}\tcounts {by_counts:.3f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", source, column, output, *kept] if len(kept) < 2:
            make(source, column, output, *map(float, kept))
        case ["judge", *folders] if folders:
            for each in folders:
                judge(each)
        case _:
            sys.exit(__doc__)
