#!/usr/bin/env python3
"""Times Sextant, scran.js and Seurat on one dataset in one run and prints the ratios.

    python tests/bench/side_by_side.py SIM --sextant COMMAND --dist DIST [--no-seurat] [--runs 3]

SIM is what simulate.py wrote; COMMAND the native `sextant`; DIST what ./run builds. Each runs alone, one after the
other; of the repeated ones the fastest run counts. Seurat (annoy, one thread, as the Azimuth application) runs once; its
fitted reference is kept in SIM. Needs `npm install` in tests/bench/browser, and R with Seurat unless --no-seurat.
"""

import argparse
import json
import os
import re
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


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed: {result.stderr[-2000:]}{result.stdout[-500:]}")
    return result.stdout


def native(options, threads):
    """Seconds of each stage, of the fastest of several runs."""
    best = None
    for _ in range(options.runs):
        out = options.sim / f"native-{threads}"
        run(options.sextant, "map", options.sim / "query.h5", "--reference", options.sim / "reference.sextant.zip",
            "--out", out, "--threads", threads)
        summary = json.loads((out / "summary.json").read_text())
        if best is None or summary["seconds"] < best["seconds"]:
            best = summary
    return {stage["stage"]: stage["seconds"] for stage in best["stages"]}


def browser(options, tool, threads):
    text = run("node", "run.mjs", tool, options.sim / "query.h5", "--dist", options.dist, "--reference",
               options.sim / "reference.sextant.zip", "--threads", threads, "--runs", options.runs, cwd=HERE / "browser")
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
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not (options.sim / "reference.sextant.zip").is_file():
        run(options.sextant, "reference", "build", options.sim / "reference.h5ad", "--labels", "subtype,lineage", "--out",
            options.sim / "reference.sextant.zip")
    columns = {
        "native 1": native(options, 1), "native 2": native(options, 2),
        "Chromium 1": browser(options, "sextant", 1), "Chromium 2": browser(options, "sextant", 2),
        "scran.js 2": browser(options, "scran", 2),
    }
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
    print(f"\nscran.js / Chromium 2, reading: {table['read', 'scran.js 2'] / table['read', 'Chromium 2']:.1f}")
    print(f"native 1 / native 2, mapping: {totals['native 1'] / totals['native 2']:.2f}")
    print(f"Chromium 1 / Chromium 2, mapping: {totals['Chromium 1'] / totals['Chromium 2']:.2f}")
    print(f"Chromium 2 / native 2, mapping: {totals['Chromium 2'] / totals['native 2']:.2f}")
    if "Seurat" in columns:
        print(f"Seurat / native 2, mapping: {totals['Seurat'] / totals['native 2']:.1f}")
        print(f"Seurat / Chromium 2, mapping: {totals['Seurat'] / totals['Chromium 2']:.1f}")
        print(f"Seurat / native 2, reading: {table['read', 'Seurat'] / table['read', 'native 2']:.1f}")


main()
