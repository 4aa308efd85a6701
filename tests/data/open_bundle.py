"""Opens a reference bundle with numpy alone and checks it against its manifest: open_bundle.py BUNDLE

What references/README.md promises to people who want to read a bundle without Sextant.
"""

import hashlib
import json
import sys
import zipfile

import numpy as np

with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    for name, sha256 in manifest["sha256"].items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == sha256, name
    features = json.loads(archive.read("features.json"))
    cells = json.loads(archive.read("cells.json"))

bundle = np.load(sys.argv[1])
loadings, embedding, neighbors = (bundle[name] for name in ("loadings", "embedding", "neighbors"))
assert loadings.dtype == np.float32 and embedding.dtype == (np.float16 if len(cells) > 50_000 else np.float32)
assert loadings.shape == (len(features), embedding.shape[1]) and embedding.shape[0] == len(cells)
assert neighbors.shape == (len(cells), 31) and (neighbors[:, 0] == np.arange(len(cells))).all()
for name in ("theta", "intercept", "slope", "residual_mean"):
    assert bundle[f"model/{name}"].shape == (len(features),) and bundle[f"model/{name}"].dtype == np.float64, name
for index, level in enumerate(manifest["levels"]):
    codes = bundle[f"labels/{index}"]
    assert codes.shape == (len(cells),) and set(codes) == set(range(len(level["classes"]))), level["name"]
assert bundle["umap/layout"].shape == (len(bundle["umap/rows"]), 2)
said = ""
if "proteins/names.json" in manifest["sha256"]:
    with zipfile.ZipFile(sys.argv[1]) as archive:
        names = json.loads(archive.read("proteins/names.json"))
    proteins = bundle["proteins/data"]
    assert proteins.dtype == np.float32 and proteins.shape == (len(cells), len(names)) and len(set(names)) == len(names)
    # Values are log1p of counts over a scale of the cell's own, so without the logarithm they are multiples of a single count.
    assert np.isfinite(proteins).all() and (proteins >= 0).all()
    smallest = np.where(proteins > 0, proteins, np.inf).min(axis=1, keepdims=True)
    ratios = np.expm1(proteins) / np.expm1(smallest)
    some = np.isfinite(smallest[:, 0])
    assert np.median(np.abs(ratios[some] - np.round(ratios[some]))) < 1e-4
    said = f", {len(names)} proteins"
for index, column in enumerate(manifest.get("columns", [])):
    codes = bundle[f"columns/{index}"]
    assert codes.shape == (len(cells),) and set(codes) == set(range(len(column["values"]))), column["name"]
if "expression/genes.json" in manifest["sha256"]:
    with zipfile.ZipFile(sys.argv[1]) as archive:
        genes = json.loads(archive.read("expression/genes.json"))
    for index, level in enumerate(manifest["levels"]):
        mean, fraction = bundle[f"expression/{index}/mean"], bundle[f"expression/{index}/fraction"]
        assert mean.shape == fraction.shape == (len(level["classes"]), len(genes)) and mean.dtype == np.float16 and fraction.dtype == np.uint8
        assert ((mean > 0) <= (fraction > 0)).all() and (fraction.max(axis=0) > 0).all(), level["name"]
    said += f", expression of {len(genes)} genes"
# The neighbours are those of numpy's own cosines, up to ties in the last bits.
unit = embedding.astype(np.float64)
unit /= np.linalg.norm(unit, axis=1, keepdims=True)
nearest = np.sort(unit @ unit.T, axis=1)[:, ::-1][:, :31]
found = np.take_along_axis(unit @ unit.T, neighbors.astype(np.int64), axis=1)
assert np.abs(nearest - found).max() < 1e-6
print(f"{sys.argv[1]}: {len(cells)} cells, {len(features)} features{said}, {len(manifest['sha256'])} entries opened with numpy")
