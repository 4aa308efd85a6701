"""Compares singler.py with scran.js's implementation of the same method, cell by cell.

    python check_singler.py FOLDER…        folders that run.py prepared; needs Node, and `npm install` in ../browser

Prints the share of equal labels a level, with the same markers on both sides, and scran.js's accuracy with these and with its
default of 20 markers a pair of classes.
"""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.stats

from judge import Case
from learned import labels_of, normalized
from programs import as_10x, levels_of
from singler import map_singler, markers

HERE = Path(__file__).resolve().parent
TOPS = (None, 20)


def write_reference(out, values, genes, codes, found):
    """As scran.js reads it: ranks of the cells, markers by place, classes. Only marker genes: ranks are taken anew."""
    used = np.unique(np.concatenate(list(found.values())))
    place = {gene: number for number, gene in enumerate(used)}
    ranks = scipy.stats.rankdata(values[:, used].toarray(), method="dense", axis=1).astype(int)
    lines = [[one, other, *(place[gene] for gene in some)] for (one, other), some in found.items() if one != other]
    for name, text in {
        "ranks.csv.gz": "".join(",".join(map(str, row)) + "\n" for row in ranks),
        "markers.gmt.gz": "".join("\t".join(map(str, line)) + "\n" for line in lines),
        "labels.csv.gz": "".join(f"{code}\n" for code in codes),
    }.items():
        (out / name).write_bytes(gzip.compress(text.encode(), 1))
    (out / "genes.txt").write_text("\n".join(genes[used]) + "\n")


def scran_labels(folder, level, top):
    reference, genes, cells = normalized(folder / "reference.h5ad")
    shared = genes.intersection(normalized(folder / "query.h5ad")[1], sort=False)
    reference = reference[:, genes.get_indexer(shared)]
    names, codes = np.unique(labels_of(folder).loc[cells, level].to_numpy(dtype=str), return_inverse=True)
    top = top or round(500 * (2 / 3) ** np.log2(len(names)))
    with tempfile.TemporaryDirectory() as out:
        write_reference(Path(out), reference, shared, codes, markers(reference, codes, len(names)))
        command = ["node", HERE / "check_singler.mjs", as_10x(folder, "query"), out, str(top)]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
    return names[np.array(result.stdout.split(), int)] if result.returncode == 0 else None


def main():
    for folder in map(Path, sys.argv[1:]):
        ours, case = map_singler(folder), Case(folder)
        for level in levels_of(folder):
            mine = ours[ours.level == level].label.to_numpy()
            expected, known = case.expected(level)
            words = case.words(level, "predicted")
            for top in TOPS:
                theirs = scran_labels(folder, level, top)
                if theirs is None:
                    print(f"{folder.name}, {level}: scran.js refuses it, as it does where a class has no markers against another")
                    break
                right = (expected == [words[label] for label in theirs])[known].mean()
                print(f"{folder.name}, {level}, {top or 'the same'} markers: {100 * (mine == theirs).mean():.2f} % equal, scran.js {right:.4f}")


if __name__ == "__main__":
    main()
