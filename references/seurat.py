#!/usr/bin/env python3
"""What Seurat makes of the references' labelled counts and demo queries: accuracies and processor times, for the tables of README.md.

usage: seurat.py COMMAND_SEXTANT SCRATCH_FOLDER CACHE_FOLDER [--only NAME,NAME] [--check]

Of each reference whose bundle is built (.ci/references), two mappings of its demo query as the Azimuth application calls
Seurat (tests/peers/map_seurat.R, with annoy and the default seed):

  own      onto a reference that Seurat fits to the same labelled counts: SCTransform, 50 principal components, UMAP
  bundle   onto the bundle itself, exported for Azimuth: the same reference as Sextant's

Both are judged by the same labels, the same cells and the same code as Sextant (measure.py). Seurat matches genes by equal
symbols alone, so figures.tsv of it says how many features a query has. Writes seurat.json, which measure.py reads.
--check writes nothing: it measures anew, compares with seurat.json, and maps with Sextant as well, whose labels may not be
worse than Seurat's by more than WORSE. Needs R with Seurat 4.3 (tests/peers/README.md).
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pandas

from measure import HERE, SEURAT, classes_of, files_of, judged, manifest_of, mapped, predictions_in, run, sha256

PEERS = HERE.parent / "tests/peers"
# Same packages, same machine: no difference at all. Another processor or BLAS moves a few cells.
REPRODUCED = 0.01
# Sextant's accuracy and macro-F1 may lie below those of either mapping of Seurat by this much.
WORSE = 0.01
KINDS = {"own": "with its own reference", "bundle": "onto the bundle"}


def stop(sentence):
    sys.exit(f"seurat: {sentence}")


def as_10x(path, prefix, levels=""):
    """The counts as Seurat reads them: the file itself where it is one of Cell Ranger's."""
    if path.suffix == ".h5":
        return path
    run([sys.executable, PEERS / "to_10x.py", path, prefix, levels])
    return prefix.with_name(f"{prefix.name}.h5")


def exported(command, bundle, out):
    """The folder with the bundle as a reference of Azimuth, its index made."""
    run([command, "reference", "export", bundle, "--azimuth", "--out", out])
    made = subprocess.run(["Rscript", "make_annoy_index.R"], cwd=out, capture_output=True, text=True)
    if made.returncode != 0:
        stop(f"make_annoy_index.R failed in {out}: {made.stderr.strip()[-400:]}")
    return out


def seurat_maps(reference, labels, query, out):
    """(None, figures by name, processor seconds by stage), or (the last words of a Seurat that failed, None, None)."""
    words = ["Rscript", PEERS / "map_seurat.R", reference, labels, query, out]
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    if result.returncode != 0:
        return result.stderr.strip()[-400:], None, None
    figures = pandas.read_csv(out / "figures.tsv", sep="\t", index_col="name", dtype=str)["value"].to_dict()
    return None, figures, pandas.read_csv(out / "timings.tsv", sep="\t", index_col="stage")["cpu_s"]


def levels_judged(demo, predictions, manifest, path, cache):
    """Cells, accuracy and macro-F1 at each level that the demo's labels judge."""
    found = {}
    for level, settings in demo.get("labels", {}).items():
        count, accuracy, macro, _, _ = judged(demo, level, settings, predictions, classes_of(manifest, level), path, cache)
        found[level] = {"cells": count, "accuracy": round(float(accuracy), 6), "macro_f1": round(float(macro), 6)}
    return found


def measured(command, folder, settings, scratch, cache):
    """What seurat.json holds of a reference, and the versions that it was measured with."""
    counts, bundle, demo = files_of(folder, settings)
    manifest, _ = manifest_of(bundle)
    work = scratch / folder.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    reference = as_10x(counts, work / "reference", ",".join(settings["build"]["levels"]))
    query, labels = as_10x(demo, work / "query"), work / "reference.labels.tsv"
    entry, versions = {"input_sha256": sha256(counts), "demo_sha256": sha256(demo)}, None
    for kind in KINDS:
        print(f"seurat: {folder.name}, {KINDS[kind]}", file=sys.stderr, flush=True)
        onto = reference if kind == "own" else exported(command, bundle, work / "exported")
        failure, figures, seconds = seurat_maps(onto, labels, query, work / kind)
        if failure is not None:
            print(f"seurat: {folder.name}: {failure}", file=sys.stderr)
            entry[kind] = {"failed": failure}
            continue
        of_reference = seconds.index.str.startswith("reference: ")
        times = {"build_seconds": seconds[of_reference].sum()} if kind == "own" else {}
        times["map_seconds"] = seconds[~of_reference].sum()
        entry[kind] = {name: int(figures.pop(name)) for name in ("features", "features_found", "anchors")}
        entry[kind] |= {name: round(float(value), 1) for name, value in times.items()}
        entry[kind]["levels"] = levels_judged(settings["demo"], predictions_in(work / kind), manifest, demo, cache)
        versions = figures
    return entry, versions


def checked(command, folder, settings, entry, scratch, cache):
    """Lines `ok` or `FAIL`: is what seurat.json holds reproduced, and is Sextant as good?"""
    _, bundle, demo = files_of(folder, settings)
    predictions, _ = mapped(command, demo, bundle, "2", scratch / folder.name / "sextant")
    ours = levels_judged(settings["demo"], predictions, manifest_of(bundle)[0], demo, cache)
    kept = json.loads(SEURAT.read_text(encoding="utf-8"))["references"][folder.name]
    for kind, said in KINDS.items():
        if "failed" in entry[kind]:
            yield False, f"{folder.name}: Seurat {said} fails: {entry[kind]['failed']}"
            continue
        for level, now in entry[kind]["levels"].items():
            then, own = kept[kind]["levels"][level], ours[level]
            same = then["cells"] == now["cells"] == own["cells"] and all(abs(then[name] - now[name]) <= REPRODUCED for name in ("accuracy", "macro_f1"))
            yield same, (f"{folder.name}, {level}, {now['cells']} cells: Seurat {said} {now['accuracy']:.3f} ({now['macro_f1']:.3f}), "
                         f"of {then['cells']} cells in seurat.json {then['accuracy']:.3f} ({then['macro_f1']:.3f})")
            good = all(own[name] >= now[name] - WORSE for name in ("accuracy", "macro_f1"))
            yield good, f"{folder.name}, {level}: Sextant {own['accuracy']:.3f} ({own['macro_f1']:.3f}) is not worse than that by more than {WORSE}"


def write(name, entry, versions):
    """Puts what was measured into seurat.json; other references stay, with their own dates."""
    document = json.loads(SEURAT.read_text(encoding="utf-8")) if SEURAT.is_file() else {"references": {}}
    document["references"][name] = {"measured": datetime.date.today().isoformat(), "versions": versions} | entry
    document["references"] = dict(sorted(document["references"].items()))
    SEURAT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    command, scratch = arguments.command.resolve(), arguments.scratch.resolve()
    names = sorted(file.parent.name for file in HERE.glob("*/reference.toml"))
    wanted = arguments.only.split(",") if arguments.only else names
    if unknown := sorted(set(wanted) - set(names)):
        stop(f"there is no reference {', '.join(unknown)}; those that ship are {', '.join(names)}.")
    failed = 0
    for name in wanted:
        folder = HERE / name
        settings = tomllib.loads((folder / "reference.toml").read_text(encoding="utf-8"))
        entry, versions = measured(command, folder, settings, scratch, arguments.cache)
        if not arguments.check:
            write(name, entry, versions)
            continue
        for passed, sentence in checked(command, folder, settings, entry, scratch, arguments.cache):
            print(f"{'ok  ' if passed else 'FAIL'}  {sentence}", flush=True)
            failed += not passed
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
