"""Maps every pair of datasets with every method and prints the tables of accuracy.

    python run.py WORK --data DATA --sextant PATH [--pairs a,b] [--methods a,b] [--cases whole,without,hard] [--redo a,b]

DATA holds one folder a dataset with `assembled.h5ad` (README.md says which); all that is made goes to WORK, where
`<method>.tsv` in each folder is kept: a second run does only what is missing. --redo names methods to be done anew, after a
new build of Sextant for instance. Needs anndata, h5py, numpy, pandas, scipy and scikit-learn; R with Seurat for
`seurat`.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import judge
import learned
import programs
import singler
from pairs import PAIRS
from prepare import prepare

CASES = ("whole", "without", "hard")


def methods(sextant):
    return {
        "sextant": lambda folder, scratch: programs.map_sextant(folder, sextant, scratch, None),
        "sextant_seurat": lambda folder, scratch: programs.map_sextant(folder, sextant, scratch, "seurat"),
        "knn": lambda folder, scratch: learned.map_knn(folder),
        "logreg": lambda folder, scratch: learned.map_logreg(folder),
        "singler": lambda folder, scratch: singler.map_singler(folder),
        "seurat": programs.map_seurat,
    }


def folders(work, pairs, cases):
    """Every folder to be mapped: all whole queries first, they matter most."""
    for case in cases:
        for pair in pairs:
            yield from [work / pair] if case == "whole" else sorted((work / pair / case).glob("*/"))


def predict(folder, name, method):
    """Writes <name>.tsv, or <name>.failed with the reason."""
    path, failed = folder / f"{name}.tsv", folder / f"{name}.failed"
    if path.exists() or failed.exists():
        return
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            table = method(folder, Path(scratch))
        except programs.Failed as reason:
            failed.write_text(f"{reason}\n")
            print(f"{folder} {name}: failed: {reason}", file=sys.stderr, flush=True)
            return
    table.to_csv(folder / f"{name}.part", sep="\t", index=False, float_format="%.6g")
    (folder / f"{name}.part").rename(path)
    print(f"{folder} {name}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)


def forget(work, names):
    """Drops the predictions of some methods; with a method of Sextant's its references too."""
    for name in names:
        for path in [*work.rglob(f"{name}.tsv"), *work.rglob(f"{name}.failed")]:
            path.unlink()
    if any(name.startswith("sextant") for name in names):
        for path in work.rglob("reference.sextant.zip"):
            if not path.is_symlink():
                path.unlink()


def chosen(text, known, parser):
    names = text.split(",") if text else list(known)
    for name in names:
        if name not in known:
            parser.error(f"'{name}' is none of {', '.join(known)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=lambda text: Path(text).resolve())
    parser.add_argument("--data", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--sextant", type=lambda text: Path(shutil.which(text) or text).resolve())
    parser.add_argument("--pairs")
    parser.add_argument("--methods")
    parser.add_argument("--cases")
    parser.add_argument("--redo")
    options = parser.parse_args()
    known = methods(options.sextant)
    pairs = chosen(options.pairs, PAIRS, parser)
    names = chosen(options.methods, known, parser)
    if options.sextant is None and any(name.startswith("sextant") for name in names):
        parser.error("--sextant is needed")
    if options.redo:
        forget(options.work, chosen(options.redo, known, parser))
    for pair in pairs:
        prepare(pair, options.data, options.work)
    for folder in folders(options.work, pairs, chosen(options.cases, CASES, parser)):
        for name in names:
            predict(folder, name, known[name])
    print(judge.report(options.work, pairs))


if __name__ == "__main__":
    main()
