#!/usr/bin/env python3
"""Times Sextant, scran.js and Seurat on one dataset in one run and prints the ratios.

    python tests/bench/side_by_side.py SIM --sextant COMMAND --dist DIST [--no-seurat] [--rounds 5]

SIM is what simulate.py wrote; COMMAND the native `sextant`; DIST what ./run builds. Each runs alone, one after the
other, and in rounds, since these machines are faster and slower by the minute: of every stage the fastest of all rounds
stands in the table, and the ratios between native and Chromium are given of each round too. Seurat (annoy, one thread, as
the Azimuth application) runs once; its fitted reference is kept in SIM. Needs `npm install` in tests/bench/browser, and R with Seurat unless --no-seurat.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Our stages on the left, Seurat's on the right.
GROUPS = {
    "read": (["Reading"], ["read"]),
    "normalise, project, anchors": (["Normalising", "Projecting", "Finding anchors"], ["normalize", "project and find anchors"]),
    "weights, labels": (["Transferring labels"], ["weights and labels"]),
    "integrate, UMAP neighbours": (["Integrating"], ["integrate", "umap neighbors"]),
    "UMAP": (["Placing on the map"], ["umap"]),
    "mapping score": (["Scoring the mapping"], ["mapping score"]),
}
# Natively only: what the page does when it is asked for it, and Azimuth's application with a package that no registry has.
APART = ["Cluster preservation", "Finding markers"]
MAPPING = [stage for group, (ours, _) in GROUPS.items() if group != "read" for stage in ours]


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed: {result.stderr[-2000:]}{result.stdout[-500:]}")
    return result.stdout


def native(options, threads):
    """Seconds of each stage."""
    out = options.sim / f"native-{threads}"
    run(options.sextant, "map", options.sim / "query.h5", "--reference", options.sim / "reference.sextant.zip",
        "--out", out, "--threads", threads)
    return {stage["stage"]: stage["seconds"] for stage in json.loads((out / "summary.json").read_text())["stages"]}


def browser(options, tool, threads):
    text = run("node", "run.mjs", tool, options.sim / "query.h5", "--dist", options.dist, "--reference",
               options.sim / "reference.sextant.zip", "--threads", threads, "--runs", 1, cwd=HERE / "browser")
    text = text[text.index("fastest of each"):]
    found = {name.strip(): float(seconds) for seconds, name in re.findall(r"([\d.]+) s  (.+)", text)}
    if tool == "scran":
        return {"Reading": found["read"]}
    stages = {name.split(": ")[1]: seconds for name, seconds in found.items() if ": " in name}
    stages["Reading"] += found["open the file"]
    return stages


def seurat(options):
    out = options.sim / "seurat"
    run("Rscript", HERE.parent / "peers/map_seurat.R", options.sim / "reference.h5", options.sim / "reference.labels.tsv",
        options.sim / "query.h5", out, f"reference={options.sim / 'reference.rds'}", env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    rows = [line.split("\t") for line in (out / "timings.tsv").read_text().splitlines()[1:]]
    return {row[0]: float(row[1]) for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sim", type=lambda text: Path(text).resolve())
    parser.add_argument("--sextant", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--dist", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--no-seurat", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not (options.sim / "reference.sextant.zip").is_file():
        run(options.sextant, "reference", "build", options.sim / "reference.h5ad", "--labels", "subtype,lineage", "--out",
            options.sim / "reference.sextant.zip")
    sides = {
        "native 1": lambda: native(options, 1), "native 2": lambda: native(options, 2),
        "Chromium 1": lambda: browser(options, "sextant", 1), "Chromium 2": lambda: browser(options, "sextant", 2),
        "scran.js 2": lambda: browser(options, "scran", 2),
    }
    rounds = [{name: measure() for name, measure in sides.items()} for _ in range(options.rounds)]
    columns = {name: {stage: min(each[name][stage] for each in rounds) for stage in rounds[0][name]} for name in sides}
    if not options.no_seurat:
        columns["Seurat"] = seurat(options)
    print(f"{'seconds':30}" + "".join(f"{name:>12}" for name in columns))
    totals = dict.fromkeys(columns, 0.0)
    table = {}
    for group, (ours, theirs) in GROUPS.items():
        for name, stages in columns.items():
            wanted = theirs if name == "Seurat" else ours
            value = sum(stages[stage] for stage in wanted) if all(stage in stages for stage in wanted) else None
            table[group, name] = value
            if value is not None and group != "read":
                totals[name] += value
        print(f"{group:30}" + "".join(f"{table[group, name]:12.2f}" if table[group, name] is not None else " " * 12 for name in columns))
    print(f"{'mapping':30}" + "".join(f"{totals[name]:12.2f}" if totals[name] else " " * 12 for name in columns))
    for stage in APART:
        print(f"{stage.lower():30}" + "".join(f"{columns[name][stage]:12.2f}" for name in ("native 1", "native 2")))
    print("\nmapping in each round")
    for name in ("native 1", "native 2", "Chromium 1", "Chromium 2"):
        print(f"{name:30}" + "".join(f"{sum(each[name][stage] for stage in MAPPING):8.2f}" for each in rounds))
    ratios = [sum(each["Chromium 2"][stage] for stage in MAPPING) / sum(each["native 2"][stage] for stage in MAPPING) for each in rounds]
    print(f"{'Chromium 2 / native 2':30}" + "".join(f"{ratio:8.2f}" for ratio in ratios) + f"   median {statistics.median(ratios):.2f}")
    print(f"\nscran.js / Chromium 2, reading: {table['read', 'scran.js 2'] / table['read', 'Chromium 2']:.1f}")
    print(f"native 1 / native 2, mapping: {totals['native 1'] / totals['native 2']:.2f}")
    print(f"Chromium 1 / Chromium 2, mapping: {totals['Chromium 1'] / totals['Chromium 2']:.2f}")
    print(f"Chromium 2 / native 2, mapping: {totals['Chromium 2'] / totals['native 2']:.2f}")
    if "Seurat" in columns:
        print(f"Seurat / native 2, mapping: {totals['Seurat'] / totals['native 2']:.1f}")
        print(f"Seurat / Chromium 2, mapping: {totals['Seurat'] / totals['Chromium 2']:.1f}")
        print(f"Seurat / native 2, reading: {table['read', 'Seurat'] / table['read', 'native 2']:.1f}")


main()
