#!/usr/bin/env python3
"""Packs files of this folder with bzip2, xz and Zstandard, for tests/formats_text.rs.

Needs numcodecs for Zstandard (written with Python 3.11, numcodecs 0.16). Run it in this folder.
"""
import bz2
import io
import lzma
import os
import tarfile

import numcodecs


def packed(ending, content):
    if ending == "zst":
        return bytes(numcodecs.Zstd(level=9).encode(content))
    return bz2.compress(content) if ending == "bz2" else lzma.compress(content)


table = open("genes.csv", "rb").read()
half = table.index(b"\n", len(table) // 2) + 1
for ending in ["bz2", "xz", "zst"]:
    # Two streams, one after the other, as parallel packers make them.
    with open(f"genes.csv.{ending}", "wb") as out:
        out.write(packed(ending, table[:half]) + packed(ending, table[half:]))
os.makedirs("mex_packed", exist_ok=True)
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
    for name, ending in [("barcodes.tsv", "zst"), ("genes.tsv", "bz2"), ("matrix.mtx", "xz")]:
        content = open(f"mex_v2/{name}", "rb").read()
        with open(f"mex_packed/{name}.{ending}", "wb") as out:
            out.write(packed(ending, content))
        head = tarfile.TarInfo(name)
        head.size = len(content)
        tar.addfile(head, io.BytesIO(content))
for ending in ["bz2", "xz", "zst"]:
    with open(f"mex.tar.{ending}", "wb") as out:
        out.write(packed(ending, archive.getvalue()))
# A dictionary that Sextant does not give, for content that needs none.
large = lzma.compress(table, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}])
open("large_dictionary.csv.xz", "wb").write(large)
