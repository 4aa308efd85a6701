#!/usr/bin/env python3
"""Writes quality_genes.tsv.gz, the part of the table of gene names that the sets of src/qc are compared with.

usage: quality.py TABLE      (references/genes/genes.sextant.table, as .ci/references builds it)

Every gene whose symbol begins as those of the sets do: species, number in the Ensembl id, symbol. Written from version 1 of
the table, SHA-256 ede25616ae5434dabbbbd7789f94cac03b9520eb99a9b126596ecf5767e5892f.
"""
import gzip
import sys
from pathlib import Path

BEGINNINGS = ("MT-", "RPS", "RPL", "HB")
# Of the signatures of ambient RNA (src/qc/ambient.rs), and names like theirs
NAMED = set("""CELA1 CELA2A CELA2B CELA3A CELA3B CLPS CLPSL1 CPA1 CPA2 CPA3 CPB1 CPB2 CTRB1 CTRB2 CTRC GCG INS INS1 INS2 INSR
PLA2G1B PNLIP PNLIPRP1 PRSS1 PRSS2 PRSS3 PRSS8 SFTPA1 SFTPA2 SFTPB SFTPC SFTPD SST SSTR2""".split())


def main():
    text = gzip.decompress(Path(sys.argv[1]).read_bytes()).decode()
    species, kept = None, []
    for line in text.splitlines():
        columns = line.split("\t")
        if line.startswith(">"):
            species = columns[0][1:]
        elif not line.startswith("#") and (columns[1].upper().startswith(BEGINNINGS) or columns[1].upper() in NAMED):
            kept.append(f"{species}\t{columns[0]}\t{columns[1]}")
    content = gzip.compress(("\n".join(kept) + "\n").encode(), 9, mtime=0)
    (Path(__file__).resolve().parent / "quality_genes.tsv.gz").write_bytes(content)
    print(f"{len(kept):,} lines, {len(content):,} bytes")


main()
