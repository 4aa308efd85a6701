#!/usr/bin/env python3
"""Writes small.sextant.table, a part of the table of gene names that tests/genes.rs reads.

usage: generate.py TABLE      (references/genes/genes.sextant.table, as .ci/references builds it)

Every third gene of the golden reference, some genes by name, and their orthologues. Written from version 1 of the table,
SHA-256 ede25616ae5434dabbbbd7789f94cac03b9520eb99a9b126596ecf5767e5892f.
"""
import gzip
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMED = """ACTB CARS1 CD3E FIRRM GAPDH H19 HLA-A MARCHF1 MS4A1 MT-CO1 MT-ND1 PTPRC SEPTIN2 SEPTIN6 TBCE TNF VARS1""".split()


def main():
    text = gzip.decompress(Path(sys.argv[1]).read_bytes()).decode()
    with gzip.open(HERE.parent / "golden/reference_genes.txt.gz", "rt", encoding="utf-8") as lines:
        wanted = set([line.strip() for line in lines][::3]) | set(NAMED)
    kept, species, partners = [], None, set()
    for line in text.splitlines():
        columns = line.split("\t")
        if line.startswith("#"):
            kept.append(line)
        elif line.startswith(">"):
            species = columns[0][1:]
            kept.append(line)
        elif species == "human" and (columns[1] in wanted or wanted & set(" ".join(columns[2:4]).split())):
            kept.append(line)
            partners.add(columns[4] if len(columns) > 4 else None)
        elif species == "mouse" and columns[0] in partners:
            kept.append(line)
    content = gzip.compress(("\n".join(kept) + "\n").encode(), 9, mtime=0)
    (HERE / "small.sextant.table").write_bytes(content)
    print(f"{len(kept):,} lines, {len(content):,} bytes")


main()
