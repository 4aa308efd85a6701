"""The methods that are programs: Sextant and Seurat. Each takes a folder of prepare.py and gives a table of predictions."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[1] / "peers"


class Failed(Exception):
    """A method that cannot do a query, with its own last words."""


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        raise Failed((result.stderr.strip() or result.stdout.strip())[-400:])
    return result.stdout


def levels_of(folder):
    return list(pandas.read_csv(folder / "reference.labels.tsv", sep="\t", nrows=0).columns[1:])


def owner(folder, name):
    """The folder in which a linked file really lies: what is made of it lies beside it."""
    return (folder / name).resolve().parent


def long_table(wide, levels):
    """`predicted.<level>`, `.score` and `.confidence` as rows of (cell, level, label, score, …)."""
    parts = []
    for level in levels:
        part = pandas.DataFrame({"cell": wide["cell"], "level": level, "label": wide[f"predicted.{level}"]})
        for name in ("score", "confidence"):
            if f"predicted.{level}.{name}" in wide:
                part[name] = wide[f"predicted.{level}.{name}"]
        for name in ("mapping.score", "unknown.score"):
            if name in wide:
                part[name] = wide[name]
        parts.append(part)
    return pandas.concat(parts)


# ---- Sextant --------------------------------------------------------------------------------------------------


def bundle(folder, sextant):
    home = owner(folder, "reference.h5ad")
    path = home / "reference.sextant.zip"
    if not path.exists():
        part = home / "part.sextant.zip"
        run(sextant, "reference", "build", home / "reference.h5ad", "--labels", ",".join(levels_of(home)), "--out", part)
        part.rename(path)
    return path


def map_sextant(folder, sextant, scratch, method):
    """`method`: seurat for the mapping that equals Seurat's, else None; an older program knows only that one."""
    options = ["--method", method] if method and re.search(r"--method \S*seurat", run(sextant, "map", "--help")) else []
    out = scratch / "sextant"
    run(sextant, "map", folder / "query.h5ad", "--reference", bundle(folder, sextant), "--out", out,
        "--genes", "none", "--markers", "none", "--threads", "1", *options)
    wide = pandas.read_csv(out / "predictions.tsv", sep="\t", dtype={"cell": str})
    return long_table(wide, levels_of(folder))


# ---- Seurat ---------------------------------------------------------------------------------------------------


def as_10x(folder, side):
    home = owner(folder, f"{side}.h5ad")
    path = home / f"{side}.h5"
    if not path.exists():
        run(sys.executable, PEERS / "to_10x.py", home / f"{side}.h5ad", home / side)
    return path


def map_seurat(folder, scratch):
    """As the Azimuth application calls Seurat, with annoy. The fitted reference is kept beside the reference."""
    home = owner(folder, "reference.h5ad")
    out = scratch / "seurat"
    run("Rscript", PEERS / "map_seurat.R", as_10x(folder, "reference"), home / "reference.labels.tsv", as_10x(folder, "query"),
        out, f"reference={home / 'seurat_reference.rds'}", env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    wide = pandas.read_csv(out / "predictions.tsv", sep="\t", dtype={"cell": str})
    return long_table(wide, levels_of(folder))
