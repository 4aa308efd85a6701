"""Writes files that are larger than a browser's memory.

    python simulate_large.py OUT/atlas.h5ad --entries 2080000000
    python simulate_large.py OUT/raw_feature_bc_matrix.h5 --barcodes 6000000

The H5AD file repeats a hundred different blocks of cells whose chunks are compressed once, so that 5 GB take a minute.
The unfiltered 10x file has 8,000 cells among droplets of ambient RNA. Seeded. Needs h5py and numpy. Gene names are those
of a reference bundle, followed by made-up ones, so that the files can be mapped.
"""

import argparse
import json
import zipfile
import zlib

import h5py
import numpy as np

GENES = 20_000
CHUNK = 1 << 16
CELLS = 8_000


def gene_names(bundle):
    with zipfile.ZipFile(bundle) as archive:
        symbols = [feature["symbol"] for feature in json.loads(archive.read("features.json"))]
    known = set(symbols)
    made_up = (f"GENE{number}" for number in range(2 * GENES))
    return (symbols + [name for name in made_up if name not in known])[:GENES]


def rows(random, cells, mean, shift):
    """Sorted genes and counts of some cells, `mean` entries each; a fifth of them are among the first `shift` genes."""
    lengths = random.poisson(mean, cells)
    for length in lengths:
        head = np.unique(random.integers(0, shift, length // 5))
        tail = np.unique(random.integers(shift, GENES, length - length // 5))
        genes = np.concatenate([head, tail])
        yield genes, random.geometric(0.45, len(genes))


def write_frame(file, name, index):
    frame = file.create_group(name)
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    frame.attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
    column = frame.create_dataset("_index", data=np.array(index, dtype=object), dtype=h5py.string_dtype())
    column.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def atlas(path, names, entries):
    """CSR of f32 and i32, gzip, in chunks of 65,536 entries."""
    random = np.random.default_rng(5)
    block_genes, block_counts, lengths = [], [], []
    while sum(lengths) < 100 * CHUNK:
        for genes, counts in rows(random, 64, 2_600, 3_000):
            block_genes.append(genes)
            block_counts.append(counts)
            lengths.append(len(genes))
    # The last cell is cut so that a block is a whole number of chunks.
    genes = np.concatenate(block_genes)[: 100 * CHUNK].astype("<i4")
    counts = np.concatenate(block_counts)[: 100 * CHUNK].astype("<f4")
    ends = np.minimum(np.cumsum(lengths), 100 * CHUNK)
    ends = np.unique(ends)
    pack = lambda values: [zlib.compress(values[at : at + CHUNK].tobytes(), 4) for at in range(0, len(values), CHUNK)]
    packed = {"indices": pack(genes), "data": pack(counts)}
    blocks = max(1, entries // (100 * CHUNK))
    total = blocks * 100 * CHUNK
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        cells = blocks * len(ends)
        matrix = file.create_group("X")
        matrix.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [cells, GENES]})
        for name, kind in (("indices", "<i4"), ("data", "<f4")):
            array = matrix.create_dataset(name, (total,), kind, chunks=(CHUNK,), compression="gzip", compression_opts=4)
            for block in range(blocks):
                for number, chunk in enumerate(packed[name]):
                    array.id.write_direct_chunk(((block * 100 + number) * CHUNK,), chunk)
        starts = np.concatenate([[0]] + [ends + block * 100 * CHUNK for block in range(blocks)])
        matrix.create_dataset("indptr", data=starts.astype("<i8"), compression="gzip")
        write_frame(file, "obs", [f"cell{number}" for number in range(cells)])
        write_frame(file, "var", names)
    print(f"{path}: {cells} cells, {total} entries")


def raw(path, names, barcodes):
    """10x, Cell Ranger 3: every barcode of the list, most with a few counts or none."""
    random = np.random.default_rng(6)
    order = random.permutation(barcodes)
    kinds = np.zeros(barcodes, np.uint8)
    kinds[order[:CELLS]] = 2
    kinds[order[CELLS : CELLS + 60_000]] = 1
    lengths = random.poisson(6, barcodes)
    lengths[random.random(barcodes) < 0.6] = 0
    # Every kind is drawn once and used again, shifted, so that millions of rows take seconds.
    pools = {kind: list(rows(random, 400, mean, 3_000)) for kind, mean in ((1, 120), (2, 2_500))}
    few = random.integers(0, GENES, 1 << 20)
    indices, data, indptr = [], [], np.zeros(barcodes + 1, np.int64)
    at = 0
    for barcode in range(barcodes):
        if kinds[barcode]:
            genes, counts = pools[kinds[barcode]][barcode % 400]
        else:
            start = (barcode * 7) % (len(few) - 64)
            genes = np.unique(few[start : start + lengths[barcode]])
            counts = np.ones(len(genes), np.int64)
        indices.append(genes.astype("<i4"))
        data.append(counts.astype("<i4"))
        at += len(genes)
        indptr[barcode + 1] = at
    bases = np.frombuffer(b"ACGT", np.uint8)
    letters = bases[(np.arange(barcodes)[:, None] >> (2 * np.arange(16))) & 3]
    ending = np.broadcast_to(np.frombuffer(b"-1", np.uint8), (barcodes, 2))
    text = np.ascontiguousarray(np.hstack([letters, ending])).view("S18").ravel()
    with h5py.File(path, "w") as file:
        matrix = file.create_group("matrix")
        settings = {"compression": "gzip", "compression_opts": 4, "chunks": (80_000,)}
        matrix.create_dataset("barcodes", data=text, **settings)
        matrix.create_dataset("data", data=np.concatenate(data), **settings)
        matrix.create_dataset("indices", data=np.concatenate(indices), **settings)
        matrix.create_dataset("indptr", data=indptr, **settings)
        matrix.create_dataset("shape", data=np.array([GENES, barcodes], "<i4"))
        features = matrix.create_group("features")
        features.create_dataset("id", data=np.array(names, "S"))
        features.create_dataset("name", data=np.array(names, "S"))
        features.create_dataset("feature_type", data=np.array(["Gene Expression"] * GENES, "S"))
        features.create_dataset("genome", data=np.array(["GRCh38"] * GENES, "S"))
    print(f"{path}: {barcodes} barcodes, {at} entries, {CELLS} cells")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out")
    arguments.add_argument("--bundle", default="references/pbmc/pbmc.sextant.zip")
    arguments.add_argument("--entries", type=int, default=0)
    arguments.add_argument("--barcodes", type=int, default=0)
    wanted = arguments.parse_args()
    names = gene_names(wanted.bundle)
    if wanted.entries:
        atlas(wanted.out, names, wanted.entries)
    else:
        raw(wanted.out, names, wanted.barcodes or 6_000_000)


if __name__ == "__main__":
    main()
