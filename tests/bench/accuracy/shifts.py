"""Shifts that are made of the development pairs, and how well Sextant's confidence is calibrated on them.

    python shifts.py WORK --data DATA --sextant PATH [--redo]

Report pairs have shifts that the four development pairs do not have. So that nothing is chosen on them, shifts are made: queries
and references thinned binomially, half of the genes left out, references of one study, one donor, two batches or few
cells, and parts of a query. WORK/shifts/<name> holds each as prepare.py writes it; --redo maps anew.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import judge
import prepare
import programs
from pairs import DATASETS, PAIRS

SEED = 5
CELLS = 2000  # most cells of a query
FEW = 500  # cells of a small reference
ATLAS = "pancreas_atlas_to_baron"
BATCHES = ["1", "2"]


def some(cells, random, most=CELLS):
    return cells[np.sort(random.permutation(cells.n_obs)[:most])]


def half(cells, random):
    return cells[:, np.sort(random.permutation(cells.n_vars)[: cells.n_vars // 2])].copy()


def where(cells, column, values):
    return cells[cells.obs[column].astype(str).isin(values).to_numpy()].copy()


def shifts(pair, reference, query):
    """(name, reference, query); the reference is None where it is that of the pair."""
    random = np.random.default_rng(SEED)
    few = some(query, random)
    for depth in prepare.DEPTHS:
        yield f"query of {depth} counts", None, prepare.down_sampled(few, depth, random)
    yield "half of the genes", None, half(few, random)
    yield "half of the genes, of 1000 counts", None, half(prepare.down_sampled(few, 1000, random), random)
    yield "reference of 500 counts", prepare.down_sampled(some(reference, random, 3000), 500, random), few
    if pair in ("kang_ctrl_to_kang_stim", "pbmc3k_to_kang"):
        yield "reference of 500 cells", some(reference, random, FEW), few
    if pair == "pbmc3k_to_kang":
        for condition in ("ctrl", "stim"):
            yield f"query {condition}", None, some(where(query, "condition", [condition]), random)
    if pair == ATLAS:
        for study in sorted(reference.obs["Dataset"].astype(str).unique()):
            yield f"reference {study.split()[0]}", where(reference, "Dataset", [study]), few
        donor = reference.obs["donor_id"].astype(str).value_counts().index[0]
        yield f"reference donor {donor}", where(reference, "donor_id", [donor]), few
    if pair == "paul15_batches":
        yield "reference of 2 batches", where(reference, "batch", BATCHES), few


def write(folder, pair, reference, query, whole):
    """Writes one shift; `whole` is the pair's own folder, whose reference is linked to where `reference` is None."""
    prepare.write_query(folder, query, DATASETS[pair.query[0]])
    prepare.link(folder, ("vocabulary.tsv",), whole)
    if reference is None:
        prepare.link(folder, prepare.OF_REFERENCE, whole)
    else:
        prepare.write_reference(folder, reference, DATASETS[pair.reference[0]])


def figures(folder):
    """(level is the finest, cells, accuracy, mean confidence, calibration error, share of cells at 0.9 or more, accuracy there)."""
    case = judge.Case(folder)
    for level in case.levels:
        rows = case.predicted("sextant", level)
        expected, known = case.expected(level)
        right, stated = (rows.called == expected)[known].to_numpy(), rows.confidence[known].to_numpy()
        error = judge.calibration_error(judge.reliability(stated, right, np.ones(len(right))))
        high = stated >= 0.9
        yield level == case.levels[-1], len(right), right.mean(), stated.mean(), error, high.mean(), right[high].mean() if high.any() else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=lambda text: Path(text).resolve())
    parser.add_argument("--data", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--sextant", required=True, type=lambda text: Path(shutil.which(text) or text).resolve())
    parser.add_argument("--redo", action="store_true")
    options = parser.parse_args()
    lines, means = [], {}
    for name, pair in PAIRS.items():
        if pair.role != "development":
            continue
        prepare.prepare(name, options.data, options.work)
        for shift, reference, query in shifts(name, prepare.read_side(options.data, pair.reference), prepare.read_side(options.data, pair.query)):
            folder = options.work / "shifts" / prepare.file_name(f"{name} {shift}")
            if not (folder / "truth.tsv").exists():
                write(folder, pair, reference, query, options.work / name)
            if options.redo or not (folder / "sextant.tsv").exists():
                with tempfile.TemporaryDirectory(dir=folder) as scratch:
                    table = programs.map_sextant(folder, options.sextant, Path(scratch), None)
                table.to_csv(folder / "sextant.tsv", sep="\t", index=False, float_format="%.6g")
                print(folder.name, file=sys.stderr, flush=True)
            for finest, cells, *values in figures(folder):
                lines.append([f"{name}, {shift}", "fine" if finest else "coarse", cells, *(judge.number(value) for value in values)])
                for key in ((name, finest), ("all", finest)):
                    means.setdefault(key, []).append(values)
    for (name, finest), rows in means.items():
        values = np.nanmean(np.array(rows, float), axis=0)
        lines.append([f"**mean, {name}**", "fine" if finest else "coarse", f"{len(rows)} rows", *(judge.number(value) for value in values)])
    header = ["shift", "level", "cells", "accuracy", "confidence", "ECE", "share at .9 and more", "accuracy there"]
    print(judge.markdown(header, lines))


if __name__ == "__main__":
    main()
