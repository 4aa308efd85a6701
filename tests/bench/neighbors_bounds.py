#!/usr/bin/env python3
"""What coarser grids and cluster centres could spare the exact search of neighbours.

usage: neighbors_bounds.py BUNDLE

500 cells of the reference look for their 30 nearest among all, rows of length one. Printed is, in the mean over them, how many
rows cannot be told from the 30 nearest on a grid (each may be off by what rounding moved it), so that they have to be decided
exactly, for grids of 8 and 16 bits; and which share of the rows the triangle inequality rules out by the distances to the
centres of 100 clusters (k-means), if the distance of the 30th were known beforehand. Needs numpy.
"""
import io
import sys
import zipfile

import numpy as np

QUERIES, K, CENTRES, ROUNDS = 500, 30, 100, 10


def distances(a, b):
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with zipfile.ZipFile(sys.argv[1]) as bundle:
        rows = np.load(io.BytesIO(bundle.read("embedding.npy"))).astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    random = np.random.default_rng(1)
    queries = rows[random.choice(len(rows), QUERIES, replace=False)]
    exact = distances(queries, rows)
    last = np.sort(exact, axis=1)[:, K - 1]
    print(f"{len(rows)} rows of {rows.shape[1]} dimensions; distance of neighbour {K}: {last.mean():.3f} in the mean")
    middle = rows.mean(0)
    for bits, longest in ((8, 127), (16, 32_000)):
        scale = longest / np.linalg.norm(rows - middle, axis=1).max()
        lost = lambda values: np.linalg.norm((values - middle) * scale - np.round((values - middle) * scale), axis=1) / scale
        slack = 2 * (lost(queries) + lost(rows).max())
        print(f"{bits} bits: {(exact <= (last + slack)[:, None]).sum(1).mean():.1f} rows to decide for {K}")
    centres = rows[random.choice(len(rows), CENTRES, replace=False)]
    for _ in range(ROUNDS):
        nearest = distances(rows, centres).argmin(1)
        centres = np.array([rows[nearest == at].mean(0) if (nearest == at).any() else centres[at] for at in range(CENTRES)])
    to_centre = distances(rows, centres)
    nearest = to_centre.argmin(1)
    from_query = distances(queries, centres)
    own = np.abs(from_query[:, nearest] - to_centre[np.arange(len(rows)), nearest][None])
    print(f"ruled out by the own centre: {(own > last[:, None]).mean():.1%}")
    every = np.zeros_like(exact, dtype=bool)
    for at in range(CENTRES):
        every |= np.abs(from_query[:, at][:, None] - to_centre[:, at][None]) > last[:, None]
    print(f"ruled out by any of the {CENTRES} centres: {every.mean():.1%}")


if __name__ == "__main__":
    main()
