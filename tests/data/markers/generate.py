"""What scipy and presto's formulas say of marker genes, for the tests of the engine.

    python generate.py                                             # expected.tsv.gz, from the golden query
    python generate.py kang.h5ad predictions.tsv markers_top50.tsv # also presto_*.tsv.gz; README.md says what these are

Needs numpy and scipy, the second form anndata too.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy.io import mmread
from scipy.stats import false_discovery_control, mannwhitneyu, rankdata

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
FEWEST = 16


def table(path):
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as lines:
        head, *rows = [line.rstrip("\n").split("\t") for line in lines]
    return {name: np.array(column) for name, column in zip(head, zip(*rows))}


def write(name, rows):
    with open(HERE / name, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed:
        packed.write("".join("\t".join(map(str, row)) + "\n" for row in rows).encode())
    print(name, (HERE / name).stat().st_size, "bytes")


def by_scipy(counts, totals, inside, outside):
    """Depth-normalised: scipy's test on float32 values, means per 10,000 counts, all genes adjusted for."""
    amounts = counts / totals[:, None] * 10_000
    # Of float32 scipy would compute the p-values in float32 too.
    values = np.log1p(amounts).astype(np.float32).astype(float)
    test = mannwhitneyu(values[inside], values[outside], method="asymptotic", use_continuity=True, axis=0)
    auc = test.statistic / (inside.sum() * outside.sum())
    # Constant genes have no ranks to compare: scipy divides nothing by nothing.
    p = np.where(values.max(0) == values.min(0), 1.0, test.pvalue)
    mean_in, mean_out = amounts[inside].mean(0), amounts[outside].mean(0)
    return auc, p, false_discovery_control(p, method="bh"), mean_in, mean_out, np.log2((mean_in + 1) / (mean_out + 1))


def by_presto(counts, inside, outside):
    """Raw counts: the formulas of presto 1.0.0, whose sum of ties leaves out each gene's largest value; genes that have
    counts adjusted for; the difference of means."""
    compared = counts[inside | outside].astype(np.float32)
    of_group = inside[inside | outside]
    cells, first, second = len(compared), inside.sum(), outside.sum()
    ranks = rankdata(compared, axis=0)
    u = ranks[of_group].sum(0) - first * (first + 1) / 2
    p = np.ones(compared.shape[1])
    for gene, column in enumerate(compared.T):
        _, ties = np.unique(column, return_counts=True)
        ties = ties[:-1].astype(float)
        sigma = np.sqrt(first * second / 12 / (cells**2 - cells) * (float(cells) ** 3 - cells - (ties**3 - ties).sum()))
        z = u[gene] - first * second / 2
        z -= np.sign(z) * 0.5
        p[gene] = 2 * scipy.stats.norm.sf(abs(z / sigma))
    adjusted = np.ones_like(p)
    expressed = counts.sum(0) > 0
    adjusted[expressed] = false_discovery_control(p[expressed], method="bh")
    mean_in, mean_out = counts[inside].mean(0), counts[outside].mean(0)
    return u / (first * second), p, adjusted, mean_in, mean_out, mean_in - mean_out


def expected():
    counts = mmread(gzip.open(GOLDEN / "query_counts.mtx.gz")).toarray().T.astype(float)
    genes = gzip.open(GOLDEN / "query_genes.txt.gz", "rt").read().split("\n")[: counts.shape[1]]
    types = table(GOLDEN / "predictions.tsv.gz")["predicted.cell_type"]
    totals = counts.sum(1)
    named, sizes = np.unique(types, return_counts=True)
    named = [name for name, size in zip(named, sizes) if size >= FEWEST]
    # Each type against the rest, and the first two against each other.
    pairs = [(name, "", types == name, types != name) for name in named]
    pairs.append((named[0], named[1], types == named[0], types == named[1]))
    rows = ["method group against gene auc p padj mean_in mean_out change pct_in pct_out".split()]
    for name, against, inside, outside in pairs:
        percent = [100 * (counts[cells] > 0).mean(0) for cells in (inside, outside)]
        for method in "normalised", "azimuth":
            found = by_scipy(counts, totals, inside, outside) if method == "normalised" else by_presto(counts, inside, outside)
            # The genes that tell most, some others, and those that no cell has.
            best = np.argsort(-np.abs(found[0] - 0.5), kind="stable")[:12]
            shown = sorted({*best, *range(0, len(genes), 40), *np.flatnonzero(counts.sum(0) == 0)})
            rows += [
                [method, name, against, genes[gene], *(repr(float(column[gene])) for column in (*found, *percent))]
                for gene in shown
            ]
    write("expected.tsv.gz", rows)


def presto(counts_path, labels_path, markers_path):
    """Three genes of each type, from real presto output: the counts that they come from, and what presto said."""
    import anndata

    data = anndata.read_h5ad(counts_path)
    labels = table(Path(labels_path))
    data = data[[f"{cell}-1" for cell in labels["cell"]]]
    markers = table(Path(markers_path))
    p = markers["pval"].astype(float)
    rows = []
    for group in np.unique(markers["group"]):
        of_group = np.flatnonzero(markers["group"] == group)
        kept = of_group[p[of_group] > 0] if (p[of_group] > 0).any() else of_group
        rows += [kept[0], kept[len(kept) // 2], kept[-1]]
    genes = sorted(set(markers["feature"][rows]))
    counts = data[:, genes].X.toarray().astype(int)
    write("presto_counts.tsv.gz", [["type", *genes], *([label, *row] for label, row in zip(labels["predicted.id"], counts))])
    columns = list(markers)
    write("presto_expected.tsv.gz", [columns, *([markers[column][row].strip() for column in columns] for row in rows)])


print("numpy", np.__version__, "scipy", scipy.__version__)
expected()
if len(sys.argv) == 4:
    presto(*sys.argv[1:])
