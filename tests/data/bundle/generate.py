"""The entries of a very small reference bundle as a tar archive, small.tar, for tests that change its bytes.

Written with Python 3.13; the standard library is enough. A bundle is the ZIP archive of these entries, with their checksums
in its manifest.
"""

import io
import json
import struct
import tarfile
from pathlib import Path


def array(kind, shape, numbers):
    """An NPY array."""
    head = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    code = {"f8": "d", "f4": "f", "u2": "H", "u4": "I"}[kind]
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(numbers)}{code}", *numbers)


def members():
    """A reference of five cells, four features and two dimensions; its checksums are put in when it is read."""
    manifest = {
        "schema": 1,
        "about": {
            **dict.fromkeys("name title version species tissue description source license citation".split(), "small"),
            "provenance": [],
        },
        "clip": [-2.0, 2.0],
        "variance_floor": "none",
        "levels": [{"name": "type", "classes": [{"name": name, "color": "#0072b2"} for name in ("B", "T")]}],
        "umap": {"a": 1.0, "b": 1.0, "epochs": 9, "neighbors": 2, "negative_samples": 5, "learning_rate": 1.0, "repulsion": 1.0},
        "sha256": {},
    }
    numbers = [0.5 * number for number in range(1, 11)]
    files = {
        "manifest.json": json.dumps(manifest).encode(),
        "features.json": json.dumps([{"id": None, "symbol": name} for name in "ABCD"]).encode(),
        "cells.json": json.dumps(list("abcde")).encode(),
        **{f"model/{name}.npy": array("f8", [4], numbers[:4]) for name in ("theta", "intercept", "slope", "residual_mean")},
        "loadings.npy": array("f4", [4, 2], numbers[:8]),
        "embedding.npy": array("f4", [5, 2], numbers),
        "neighbors.npy": array("u2", [5, 2], [0, 1, 1, 2, 2, 3, 3, 4, 4, 0]),
        "umap/layout.npy": array("f4", [5, 2], numbers),
        "umap/rows.npy": array("u4", [5], range(5)),
        "labels/0.npy": array("u2", [5], [0, 1, 0, 1, 1]),
    }
    return files.items()


def tar(members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
    return packed.getvalue().rstrip(b"\0") + bytes(1024)


def main():
    path = Path(__file__).resolve().parent / "small.tar"
    path.write_bytes(tar(members()))
    print(path.name, path.stat().st_size, "bytes")


main()
