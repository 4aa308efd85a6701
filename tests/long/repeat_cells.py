"""Writes an H5AD file with the cells of a 10x file several times, each time with other counts, sorted by type.

    python repeat_cells.py QUERY.h5 QUERY.truth.tsv OUT.h5ad [--times 10]

Every repeat keeps each count with a probability of 0.85 (binomial thinning), so that no two cells are equal. The cells of
one type stand together, as in files that were sorted: batches in the order of the file would hold one type. Column
"subtype" is the second of the table. With `tests/bench/simulate.py OUT --query 100000` and ten repeats it has a million
cells. Seeded. Needs h5py and numpy.
"""

import argparse

import h5py
import numpy as np

CHUNK = 1 << 16
KEPT = 0.85
ROWS = 5_000


class Appended:
    """An array of the file that grows."""

    def __init__(self, group, name, kind):
        self.array = group.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(CHUNK,), compression="gzip", compression_opts=1)
        self.length = 0

    def add(self, values):
        self.array.resize((self.length + len(values),))
        self.array[self.length :] = values
        self.length += len(values)


def write_strings(group, name, values):
    array = group.create_dataset(name, data=np.array(values, dtype=object), dtype=h5py.string_dtype(), compression="gzip", chunks=(min(len(values), CHUNK),))
    array.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def write_frame(file, name, index, columns):
    frame = file.create_group(name)
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    frame.attrs["column-order"] = np.array(list(columns), dtype=h5py.string_dtype())
    write_strings(frame, "_index", index)
    for column, values in columns.items():
        categories, codes = np.unique(values, return_inverse=True)
        group = frame.create_group(column)
        group.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
        write_strings(group, "categories", categories)
        group.create_dataset("codes", data=codes.astype(np.int16), compression="gzip")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("query")
    parser.add_argument("truth")
    parser.add_argument("out")
    parser.add_argument("--times", type=int, default=10)
    options = parser.parse_args()
    random = np.random.default_rng(21)
    with open(options.truth) as table:
        types = np.array([line.split("\t")[1] for line in table.read().splitlines()[1:]])
    order = np.argsort(types, kind="stable")
    with h5py.File(options.query) as source, h5py.File(options.out, "w") as file:
        matrix = source["matrix"]
        counts, genes, ends = matrix["data"][:], matrix["indices"][:], matrix["indptr"][:]
        names = [name.decode() for name in matrix["features/name"][:]]
        barcodes = matrix["barcodes"][:].astype(str)
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = file.create_group("X")
        data, indices = Appended(group, "data", "<i4"), Appended(group, "indices", "<i4")
        lengths, cells, labels = [], [], []
        for label in np.unique(types):
            rows = order[types[order] == label]
            for repeat in range(options.times):
                for first in range(0, len(rows), ROWS):
                    some = rows[first : first + ROWS]
                    entries = np.concatenate([np.arange(ends[row], ends[row + 1]) for row in some])
                    thinned = random.binomial(counts[entries], KEPT)
                    found = thinned > 0
                    data.add(thinned[found].astype("<i4"))
                    indices.add(genes[entries][found].astype("<i4"))
                    begins = np.concatenate([[0], np.cumsum(ends[some + 1] - ends[some])[:-1]])
                    lengths.append(np.add.reduceat(found.astype(np.int64), begins))
                    cells += [f"{name}_{repeat}" for name in barcodes[some]]
                    labels += [label] * len(some)
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [len(cells), len(names)]})
        indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        group.create_dataset("indptr", data=indptr, compression="gzip")
        write_frame(file, "obs", cells, {"subtype": labels})
        write_frame(file, "var", names, {})
    print(f"{options.out}: {len(cells)} cells, {indptr[-1]} entries")


if __name__ == "__main__":
    main()
