"""Maps a file whole and in batches of several sizes, and compares the labels.

    python tests/bench/batches.py QUERY --reference BUNDLE --sextant target/release/sextant --sizes 500,1000,2000,4000
        [--out FOLDER] [--truth TABLE --column NAME --level LEVEL] [--threads 2] [--genes TABLE]
        [--method sextant|seurat]

TABLE has the cells' names in its first column and the true labels in column NAME; the share of cells with the true label
is then shown for LEVEL. FOLDER keeps the results: a size that is there already is not mapped again. For the pair of the
README, split GSE96583 (Kang et al. 2018) by condition into two H5AD files, and build the reference of the control cells:
`sextant reference build kang_ctrl.h5ad --labels cell_type --out kang.sextant.zip`.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import tempfile


def run(options, size, out):
    """Maps; gives CPU seconds, or None where the result is there already."""
    if os.path.exists(os.path.join(out, "summary.json")):
        return None
    words = [options.sextant, "map", options.query, "--reference", options.reference, "--out", out, "--markers", "none"]
    words += ["--threads", str(options.threads), "--genes", options.genes, "--method", options.method] + (["--batch", size] if size else [])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(path):
    with open(path, newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    return {name: [row[place] for row in rows[1:]] for place, name in enumerate(rows[0])}


def percent(a, b):
    return 100 * sum(x == y for x, y in zip(a, b)) / len(a)


def mean(values):
    return sum(map(float, values)) / len(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("query")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--sextant", default="target/release/sextant")
    parser.add_argument("--sizes", default="500,1000,2000,4000")
    parser.add_argument("--out")
    parser.add_argument("--truth")
    parser.add_argument("--column")
    parser.add_argument("--level")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--genes", default="none")
    parser.add_argument("--method", default="sextant")
    options = parser.parse_args()
    out = options.out or tempfile.mkdtemp()
    truth = None
    if options.truth:
        known = table(options.truth)
        truth = dict(zip(known[next(iter(known))], known[options.column]))
    whole = None
    for size in [None, *options.sizes.split(",")]:
        folder = os.path.join(out, size or "whole")
        cpu = run(options, size, folder)
        found = table(os.path.join(folder, "predictions.tsv"))
        with open(os.path.join(folder, "summary.json")) as text:
            summary = json.load(text)
        whole = whole or found
        levels = [name[len("predicted.") :] for name in found if name.startswith("predicted.") and not name.endswith((".score", ".confidence"))]
        parts = [f"{size or 'whole':>6}", f"{(summary.get('batches') or {}).get('batches', 1)} batches"]
        for level in levels:
            same = percent(found[f"predicted.{level}"], whole[f"predicted.{level}"])
            parts.append(f"{level}: {same:.2f} % of the labels of one run")
        if truth:
            expected = [truth.get(cell) for cell in found["cell"]]
            parts.append(f"{percent(found[f'predicted.{options.level}'], expected):.2f} % true")
        parts.append(f"mean mapping score {mean(found['mapping.score']):.3f}")
        parts.append(f"{summary['seconds']:.1f} s" + (f", {cpu:.1f} s of CPU" if cpu else "") + f", {summary['peak_memory_bytes'] / 1e6:.0f} MB")
        print("; ".join(parts), flush=True)


if __name__ == "__main__":
    main()
