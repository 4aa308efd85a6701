"""Labels of queries that are mapped onto references as Symphony builds them, beside those of symphonypy.

    python3 tests/bench/symphony.py WORK --data DATA --sextant target/release/sextant

DATA as tests/bench/accuracy/README.md describes it; Python and R as tests/data/symphony/generate.py names them. Of each pair whose
reference has batches for Harmony to integrate, a reference is built (2,000 genes, 20 dimensions) and imported three times:
as it is, without what corrects a query, and with the places before integration. Labels are compared in the common words
of tests/bench/accuracy/vocabulary. symphonypy's labels are those of the 5 nearest reference cells, symphony's default.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "tests/data/symphony"), str(ROOT / "tests/bench/accuracy")]
import made  # noqa: E402
from pairs import DATASETS, PAIRS  # noqa: E402

BATCHES = {
    "pancreas_atlas_to_baron": "Dataset",
    "paul15_batches": "batch",
    "kang_to_pbmc3k": "condition",
    "kang_to_teaseq": "condition",
}


def part(data, chosen):
    dataset, column, values = chosen
    cells = ad.read_h5ad(data / dataset / "assembled.h5ad")
    if column is not None:
        cells = cells[cells.obs[column].astype(str).isin(values)].copy()
    return cells


def words(dataset):
    table = pd.read_csv(ROOT / "tests/bench/accuracy/vocabulary" / f"{DATASETS[dataset].tissue}.tsv", sep="\t", dtype=str)
    return table[table.dataset == dataset].set_index("label")


def judge(predicted, truth, reference, query):
    """Shares of right labels, coarse and fine, of the cells whose type the reference has."""
    found = []
    for scale in ["coarse", "fine"]:
        said = pd.Series(predicted).map(words(reference)[scale]).to_numpy()
        true = pd.Series(truth).map(words(query)[scale]).to_numpy()
        known = set(words(reference)[scale].dropna())
        judged = np.array([isinstance(label, str) and label in known for label in true])
        found.append((said[judged] == true[judged]).mean())
    return found


def sextant(program, folder, name, parts, query, style):
    rds, bundle, out = folder / f"{name}.rds", folder / f"{name}.sextant.zip", folder / name
    made.write(parts, rds, style)
    subprocess.run([program, "reference", "import", rds, "--levels", "cell_type", "--out", bundle], check=True, stdout=subprocess.DEVNULL)
    return mapped(program, bundle, out, query)


def mapped(program, bundle, out, query, options=()):
    start = time.perf_counter()
    subprocess.run([program, "map", query, "--reference", bundle, "--out", out, "--markers", "none", "--no-preservation", *options], check=True, stdout=subprocess.DEVNULL)
    print(f"  {out.name} {' '.join(options)}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return pd.read_csv(out / "predictions.tsv", sep="\t", index_col=0)["predicted.cell_type"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--sextant", type=Path, required=True)
    arguments.add_argument("--pairs", default=",".join(BATCHES))
    given = arguments.parse_args()
    print("| pair | labels | coarse | fine |\n|---|---|---:|---:|")
    for name in given.pairs.split(","):
        pair = PAIRS[name]
        (reference, query) = (part(given.data, pair.reference), part(given.data, pair.query))
        names = (pair.reference[0], pair.query[0])
        label, truth = (DATASETS[dataset].label for dataset in names)
        folder = given.work / name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "query.h5ad"
        ad.AnnData(query.X, obs=query.obs[[]], var=query.var[[]]).write_h5ad(file)
        meta = pd.DataFrame({"cell_type": reference.obs[label].astype(str), "batch": reference.obs[BATCHES[name]].astype(str)})
        parts = made.build(reference.X.astype(float), list(reference.var_names), meta, "batch", 2000, 20)
        before = {**parts, "Z_corr": parts["Z_orig"]}
        both = {}
        both["imported"] = sextant(given.sextant, folder, "imported", parts, file, "reference")
        both["imported, Seurat's labels"] = mapped(given.sextant, folder / "imported.sextant.zip", folder / "seurat", file, ["--method", "seurat"])
        both["without correction"] = sextant(given.sextant, folder, "uncorrected", parts, file, "uncorrected")
        both["without correction, Z_orig"] = sextant(given.sextant, folder, "before", before, file, "uncorrected")
        _, corrected = made.mapped_by_symphonypy(parts, query.X.astype(float), list(query.var_names))
        nearest = KNeighborsClassifier(5).fit(parts["Z_corr"].T, meta["cell_type"])
        both["symphonypy"] = pd.Series(nearest.predict(corrected), index=query.obs_names)
        built = folder / "reference.h5ad"
        whole = ad.AnnData(reference.X, obs=meta, var=reference.var[[]])
        whole.write_h5ad(built)
        bundle = folder / "built.sextant.zip"
        subprocess.run([given.sextant, "reference", "build", built, "--labels", "cell_type", "--held-out-by", "none", "--out", bundle], check=True, stdout=subprocess.DEVNULL)
        both["reference of our own"] = mapped(given.sextant, bundle, folder / "built", file)
        for what, predicted in both.items():
            predicted = predicted.reindex(query.obs_names)
            coarse, fine = judge(predicted.to_numpy(), query.obs[truth].astype(str).to_numpy(), *names)
            print(f"| `{name}` | {what} | {coarse:.3f} | {fine:.3f} |", flush=True)


if __name__ == "__main__":
    main()
