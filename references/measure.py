#!/usr/bin/env python3
"""How large the references are, how long they take to build, and how right the labels of held-out cells and of demo queries are.

usage: measure.py COMMAND_SEXTANT CACHE_FOLDER [--threads N] [--into README.md]

Prints the tables of references/README.md, or puts them there between the lines `<!-- measured -->`. The references have to be
built (.ci/references); each is built once more to be timed, and has to come out with the same bytes. A demo query is judged
by [demo.labels.LEVEL] of reference.toml: its own labels, or those of a package that is fetched into CACHE_FOLDER. Cells whose
type the reference does not have are counted apart. What Seurat does with the same files is taken from seurat.json, which
seurat.py writes: R is not needed here.
"""

import argparse
import hashlib
import io
import json
import resource
import subprocess
import sys
import tempfile
import tomllib
import warnings
import zipfile
from pathlib import Path

import anndata
import pandas

from recipes import fetch

HERE = Path(__file__).resolve().parent
SEURAT = HERE / "seurat.json"
MARK = "<!-- measured -->\n"
# From this unknown.score on a cell is said to be of no type of the reference.
UNKNOWN = 0.5
# Fewer judged cells of a class do not count in the macro-F1, as in the figures of held-out cells.
FEW_OF_CLASS = 10


def stop(sentence):
    sys.exit(f"measure: {sentence}")


def run(words):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if result.returncode != 0:
        stop(f"{' '.join(str(word) for word in words[:3])} failed: {result.stderr.strip()}")
    return result.stdout


def processor_seconds():
    """That the programs called so far have taken, of all their threads: a busy machine hardly changes it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def built_again(command, folder, settings, threads, scratch):
    """Processor seconds that building takes."""
    again = Path(scratch) / f"{folder.name}.sextant.zip"
    wanted = settings["build"]
    words = [command, "reference", "build", folder / wanted["input"], "--labels", ",".join(wanted["levels"]),
             "--proteins", wanted.get("proteins", "none"), "--about", folder / "build/about.json",
             "--ontology", folder / "build/ontology.json", "--threads", threads, "--out", again]
    for key, option in (("held_out_by", "--held-out-by"), ("min_cells", "--min-cells")):
        words += [option, wanted[key]] if key in wanted else []
    before = processor_seconds()
    run(words)
    seconds = processor_seconds() - before
    if again.read_bytes() != (folder / again.name).read_bytes():
        stop(f"{folder.name} was built otherwise: run .ci/references {command} first.")
    return seconds


def labels_of(demo, path, column, cache):
    """The demo's labels by cell."""
    if "package" in demo:
        (content,) = fetch(demo["package"], cache).values()
        return anndata.read_h5ad(io.BytesIO(content)).obs[column].astype(str)
    return anndata.read_h5ad(path).obs[column].astype(str)


def f1_of(truth, called, name):
    both = ((truth == name) & (called == name)).sum()
    return 2 * both / ((truth == name).sum() + (called == name).sum())


def judged(demo, level, settings, predictions, classes, path, cache):
    """(judged cells, accuracy, macro-F1, other cells, share of them that is called unknown)."""
    words = settings.get("words", {})
    truth = labels_of(demo, path, settings["column"], cache).map(lambda label: words.get(label, label))
    predictions = predictions.loc[truth.index.intersection(predictions.index)]
    truth = truth.loc[predictions.index]
    called = predictions[f"predicted.{level}"].astype(str).map(lambda label: words.get(label, label))
    known = truth.isin({words.get(name, name) for name in classes})
    right = (truth == called)[known]
    counted = [name for name, cells in truth[known].value_counts().items() if cells >= FEW_OF_CLASS]
    macro = sum(f1_of(truth[known], called[known], name) for name in counted) / len(counted)
    # Seurat says of no cell that it is unknown.
    unknown = (predictions["unknown.score"] >= UNKNOWN)[~known] if "unknown.score" in predictions else []
    return int(known.sum()), right.mean(), macro, int((~known).sum()), unknown.mean() if len(unknown) else None


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(folder, settings):
    """Labelled counts, bundle and demo query of a reference."""
    return folder / settings["build"]["input"], folder / f"{folder.name}.sextant.zip", folder / settings["demo"]["file"]


def classes_of(manifest, level):
    return [each["name"] for each in next(each for each in manifest["levels"] if each["name"] == level)["classes"]]


def manifest_of(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return json.loads(archive.read("manifest.json")), len(json.loads(archive.read("cells.json")))


def mapped(command, path, bundle, threads, scratch):
    """Predictions by cell, and processor seconds."""
    before = processor_seconds()
    run([command, "map", path, "--reference", bundle, "--threads", threads, "--markers", "none", "--no-preservation", "--out", scratch])
    return predictions_in(scratch), processor_seconds() - before


def predictions_in(folder):
    return pandas.read_csv(Path(folder) / "predictions.tsv", sep="\t", index_col=0, dtype={"cell": str})


def seurat_of(folder, settings):
    """What seurat.json says of the reference; it has to be about the same files."""
    found = json.loads(SEURAT.read_text(encoding="utf-8"))["references"].get(folder.name)
    counts, _, demo = files_of(folder, settings)
    if found is None or (found["input_sha256"], found["demo_sha256"]) != (sha256(counts), sha256(demo)):
        stop(f"{SEURAT.name} says nothing of the files that {folder.name} is made of now: run references/seurat.py first.")
    return found


def seurat_cell(found, level, judged_cells):
    """Accuracy (macro-F1) at a level, of as many cells as were judged here."""
    if "failed" in found:
        return "fails"
    figures = found["levels"].get(level, {"cells": 0})
    if figures["cells"] != judged_cells:
        stop(f"{SEURAT.name} is about {figures['cells']} cells at {level}, and {judged_cells} are judged here: run references/seurat.py first.")
    return f"{figures['accuracy']:.3f} ({figures['macro_f1']:.3f})"


def seurat_seconds(found, step):
    return "fails" if "failed" in found else f"{found[f'{step}_seconds']:.0f} s"


def demo_rows(folder, settings, predictions, manifest, seconds, cache):
    """Rows of the table of demo queries: one for each level that the demo's labels judge."""
    demo, seurat = settings["demo"], seurat_of(folder, settings)
    start = f"| `{folder.name}` | {demo['title']} |"
    times = f"{seconds:.1f} s | {seurat_seconds(seurat['own'], 'map')} |"
    if "labels" not in demo:
        return [f"{start} it has no labels | | | | | | {times}"]
    rows = []
    for level, of_level in demo["labels"].items():
        count, accuracy, macro, others, unknown = judged(demo, level, of_level, predictions, classes_of(manifest, level), folder / demo["file"], cache)
        apart = f"{others:,}; {unknown:.0%} of them called unknown" if others else "none"
        beside = " | ".join(seurat_cell(seurat[kind], level, count) for kind in ("own", "bundle"))
        rows.append(f"{start} {level} | {count:,} | {accuracy:.3f} ({macro:.3f}) | {beside} | {apart} | {times}")
    return rows


def held_out_rows(name, held_out):
    by = f"`{held_out['column']}`, {held_out['folds']} parts" if held_out["column"] else f"{held_out['folds']} random parts"
    return [f"| `{name}` | {by} | {level['name']} | {level['cells']:,} | {level['accuracy']:.3f} | {level['macro_f1']:.3f} | "
            f"{level['calibration_error']:.3f} |" for level in held_out["levels"]]


def table(columns, rows):
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows, ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    command = arguments.command.resolve()
    built, held, demos = [], [], []
    for file in sorted(HERE.glob("*/reference.toml")):
        folder, settings = file.parent, tomllib.loads(file.read_text(encoding="utf-8"))
        _, bundle, demo = files_of(folder, settings)
        manifest, cells = manifest_of(bundle)
        with tempfile.TemporaryDirectory() as scratch:
            seconds = built_again(command, folder, settings, arguments.threads, scratch)
            predictions, map_seconds = mapped(command, demo, bundle, arguments.threads, scratch)
        classes = ", ".join(f"{level['name']} {len(level['classes'])}" for level in manifest["levels"])
        built.append(f"| `{folder.name}` | {cells:,} | {classes} | {bundle.stat().st_size / 1e6:.1f} MB | {seconds:.0f} s | "
                     f"{seurat_seconds(seurat_of(folder, settings)['own'], 'build')} |")
        held += held_out_rows(folder.name, manifest["about"]["held_out"])
        demos += demo_rows(folder, settings, predictions, manifest, map_seconds, arguments.cache)
    text = "\n".join(
        table(["reference", "cells", "classes", "size", "processor time to build", "Seurat's"], built)
        + table(["reference", "held out by", "level", "judged cells", "accuracy", "macro-F1", "calibration error"], held)
        + table(["reference", "demo query", "level", "judged cells", "accuracy (macro-F1)", "Seurat 4.3", "Seurat 4.3 onto this bundle",
                 "cells of other types", "processor time to map", "Seurat's"], demos))
    if arguments.into is None:
        print(text)
        return
    parts = arguments.into.read_text(encoding="utf-8").split(MARK)
    if len(parts) != 3:
        stop(f"{arguments.into} has no two lines '{MARK.strip()}'.")
    arguments.into.write_text(MARK.join([parts[0], text, parts[2]]), encoding="utf-8")


if __name__ == "__main__":
    main()
