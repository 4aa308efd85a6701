"""A reference of many made-up cells, as large as those that Azimuth publishes: large_bundle.py BUNDLE [CELLS]

Written by numpy alone, as references/README.md describes the bundle; the neighbours are random cells, since only their number
matters. Of 160,000 cells, 50 dimensions, 3,000 features, three levels and the expression of 20,000 genes unless said otherwise.
"""

import hashlib
import io
import json
import sys
import zipfile

import numpy as np

DIMENSIONS, FEATURES, NEIGHBORS, GENES = 50, 3_000, 31, 20_000
LEVELS = {"l1": 8, "l2": 30, "l3": 58}


def npy(values):
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def text(value):
    return json.dumps(value).encode()


def entries(cells, random):
    codes = random.integers(0, LEVELS["l3"], cells)
    centres = random.normal(0, 8, (LEVELS["l3"], DIMENSIONS))
    embedding = centres[codes] + random.normal(0, 2, (cells, DIMENSIONS))
    neighbors = random.integers(0, cells, (cells, NEIGHBORS))
    neighbors[:, 0] = np.arange(cells)
    symbols = [f"GENE{gene}" for gene in range(GENES)]
    yield "features.json", text([{"id": None, "symbol": symbol} for symbol in symbols[:FEATURES]])
    yield "cells.json", text([f"L{cell % 8}_{cell:016X}-1" for cell in range(cells)])
    yield "model/theta.npy", npy(random.uniform(0.5, 50, FEATURES))
    yield "model/intercept.npy", npy(random.uniform(-10, -5, FEATURES))
    yield "model/slope.npy", npy(np.full(FEATURES, 2.302585))
    yield "model/residual_mean.npy", npy(random.normal(0, 0.1, FEATURES))
    yield "loadings.npy", npy(np.linalg.qr(random.normal(size=(FEATURES, DIMENSIONS)))[0].astype("<f4"))
    yield "embedding.npy", npy(embedding.astype("<f2" if cells > 50_000 else "<f4"))
    yield "neighbors.npy", npy(neighbors.astype("<u4" if cells > 1 << 16 else "<u2"))
    yield "umap/layout.npy", npy((centres[codes][:, :2] + random.normal(0, 1, (cells, 2))).astype("<f4"))
    yield "umap/rows.npy", npy(np.arange(cells, dtype="<u4"))
    for index, classes in enumerate(LEVELS.values()):
        yield f"labels/{index}.npy", npy((codes * classes // LEVELS["l3"]).astype("<u2"))
    yield "columns/0.npy", npy((np.arange(cells) % 8).astype("<u2"))
    yield "expression/genes.json", text([{"id": None, "symbol": symbol} for symbol in symbols])
    for index, classes in enumerate(LEVELS.values()):
        fraction = random.beta(0.3, 2, (classes, GENES))
        yield f"expression/{index}/mean.npy", npy((3 * fraction).astype("<f2"))
        yield f"expression/{index}/fraction.npy", npy(np.ceil(255 * fraction).astype("u1"))


def main():
    path, cells = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 160_000
    content = dict(entries(cells, np.random.default_rng(1)))
    levels = [{"name": name, "classes": [{"name": f"{name} {code}", "color": f"#{(code * 2_654_435 + 99) % (1 << 24):06x}"} for code in range(classes)]} for name, classes in LEVELS.items()]
    manifest = {
        "schema": 1,
        "about": {"name": "large", "title": "Made-up cells", "version": "1", "provenance": ["Made up."]},
        "clip": [-70, 70],
        "variance_floor": "none",
        "levels": levels,
        "columns": [{"name": "donor", "values": [f"donor {donor}" for donor in range(8)]}],
        "umap": {"a": 0.9922, "b": 1.112, "epochs": 200, "neighbors": 30, "negative_samples": 5, "learning_rate": 1.0, "repulsion": 1.0},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, data in content.items():
            archive.writestr(name, data)


if __name__ == "__main__":
    main()
