"""Writes the files of a pair: what every method reads, and what the judge compares with.

WORK/<pair>/
    reference.h5ad        raw counts, one column of `obs` a level
    reference.labels.tsv  the same labels
    query.h5ad            raw counts, no labels
    truth.tsv             cell, label: the query's own finest labels
    vocabulary.tsv        level, side (truth or predicted), label, common
WORK/<pair>/without/<class>/   the same with a class taken out of the reference; the query is a link
WORK/<pair>/hard/<name>/       the same with another query; the reference is a link

Pairs with the same reference share it: those that come later hold links to the first.
"""

import os
import re
from pathlib import Path

import anndata
import numpy as np
import pandas
from scipy import sparse

from pairs import DATASETS, PAIRS

HERE = Path(__file__).resolve().parent
SEED = 20211
HARD_CELLS = 2000  # most cells of a hard query
DEPTHS = (500, 200)
OF_REFERENCE = ("reference.h5ad", "reference.labels.tsv", "reference.sextant.zip")


def read_vocabulary(dataset):
    table = pandas.read_csv(HERE / "vocabulary" / f"{DATASETS[dataset].tissue}.tsv", sep="\t", dtype=str)
    return table[table.dataset == dataset].set_index("label")


def read_side(data, side):
    """The cells of one side of a pair, with their common words in `common.coarse` and `common.fine`."""
    name, column, values = side
    cells = anndata.read_h5ad(data / name / "assembled.h5ad")
    if column is not None:
        cells = cells[cells.obs[column].astype(str).isin(values)].copy()
    words = read_vocabulary(name)
    labels = cells.obs[DATASETS[name].label].astype(str)
    missing = set(labels) - set(words.index)
    if missing:
        raise SystemExit(f"{name}: no common words for {', '.join(sorted(missing))}")
    for scale in ("coarse", "fine"):
        cells.obs[f"common.{scale}"] = words.loc[labels, scale].to_numpy()
    return cells


def file_name(label):
    return re.sub(r"[^A-Za-z0-9+]+", "_", label)


def write_counts(path, cells, obs):
    path.parent.mkdir(parents=True, exist_ok=True)
    var = cells.var[["gene_ids"]] if "gene_ids" in cells.var else pandas.DataFrame(index=cells.var_names)
    anndata.AnnData(sparse.csr_matrix(cells.X), obs=obs, var=var).write_h5ad(path, compression="gzip")


def write_table(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, sep="\t", index=False)


def write_reference(folder, cells, dataset):
    obs = pandas.DataFrame(index=cells.obs_names)
    for level, scale in dataset.levels.items():
        column = level if level in cells.obs else f"common.{scale}"
        obs[level] = cells.obs[column].astype(str)
    write_counts(folder / "reference.h5ad", cells, obs)
    obs.to_csv(folder / "reference.labels.tsv", sep="\t", index_label="cell")


def write_query(folder, cells, dataset):
    write_counts(folder / "query.h5ad", cells, pandas.DataFrame(index=cells.obs_names))
    labels = cells.obs[dataset.label].astype(str)
    write_table(folder / "truth.tsv", pandas.DataFrame({"cell": cells.obs_names, "label": labels.to_numpy()}))


def vocabulary(pair, reference, query):
    """Rows of (level, side, label, common): a class of the reference stands for the common word of its cells."""
    dataset, rows = DATASETS[pair.reference[0]], []
    for level, scale in dataset.levels.items():
        truth = query.obs.groupby(query.obs[DATASETS[pair.query[0]].label].astype(str))[f"common.{scale}"].agg(set)
        column = level if level in reference.obs else f"common.{scale}"
        predicted = reference.obs.groupby(reference.obs[column].astype(str))[f"common.{scale}"].agg(set)
        for side, words in (("truth", truth), ("predicted", predicted)):
            for label, common in words.items():
                if len(common) != 1:
                    raise SystemExit(f"{level}: {label} stands for several: {', '.join(sorted(common))}")
                rows.append((level, side, label, *common))
    return pandas.DataFrame(rows, columns=["level", "side", "label", "common"])


def link(folder, names, target):
    """Relative links in `folder` to files of the same names in `target`; what is not yet made may be linked to."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(target / name, folder))


def down_sampled(cells, depth, random):
    """Counts thinned binomially to an expected total of `depth` a cell; cells with less stay as they are."""
    cells = cells.copy()
    cells.X = sparse.csr_matrix(cells.X)
    totals = np.asarray(cells.X.sum(axis=1)).ravel()
    share = np.repeat(np.minimum(1.0, depth / totals), np.diff(cells.X.indptr))
    cells.X.data = random.binomial(cells.X.data.astype(np.int64), share).astype(np.float32)
    cells.X.eliminate_zeros()
    return cells


def hard_queries(query, reference):
    """Named queries that are harder than the whole: few cells, one type, few counts."""
    random = np.random.default_rng(SEED)
    query = query[query.obs["common.fine"].isin(set(reference.obs["common.fine"])).to_numpy()]
    shuffled = random.permutation(query.n_obs)
    yield "100_cells", query[np.sort(shuffled[:100])]
    some = query[np.sort(shuffled[:HARD_CELLS])]
    kinds = query.obs["common.fine"].value_counts()
    one = np.flatnonzero(query.obs["common.fine"] == kinds.index[0])
    yield "one_type", query[np.sort(random.permutation(one)[:HARD_CELLS])]
    for depth in DEPTHS:
        yield f"{depth}_counts", down_sampled(some, depth, random)


def first_with_reference(pair):
    return next(name for name, other in PAIRS.items() if other.reference == pair.reference)


def prepare(name, data, work):
    """Writes all folders of a pair, unless they are there."""
    folder, pair = work / name, PAIRS[name]
    done = folder / "prepared"
    if done.exists():
        return
    first = first_with_reference(pair)
    if first != name:
        prepare(first, data, work)
    reference, query = read_side(data, pair.reference), read_side(data, pair.query)
    of_query = DATASETS[pair.query[0]]
    write_query(folder, query, of_query)
    write_table(folder / "vocabulary.tsv", vocabulary(pair, reference, query))
    place_reference(folder, reference, pair, work / first)
    for label, (scale, _) in pair.left_out.items():
        inner = Path("without") / file_name(label)
        rest = reference[(reference.obs[f"common.{scale}"] != label).to_numpy()]
        place_reference(folder / inner, rest, pair, work / first / inner)
        link(folder / inner, ("query.h5ad", "truth.tsv", "vocabulary.tsv"), folder)
    for hard, cells in hard_queries(query, reference) if pair.hard else ():
        write_query(folder / "hard" / hard, cells, of_query)
        link(folder / "hard" / hard, (*OF_REFERENCE, "vocabulary.tsv"), folder)
    done.write_text(f"reference {reference.n_obs} cells, query {query.n_obs} cells\n")


def place_reference(folder, cells, pair, first):
    """Writes a reference, or links to that of the first pair that has it."""
    if (first / "reference.h5ad").exists() and first != folder:
        link(folder, OF_REFERENCE, first)
    else:
        write_reference(folder, cells, DATASETS[pair.reference[0]])
