#!/usr/bin/env python3
"""Writes the small files that tests/formats_text.rs reads: the matrix of ../expected.tsv as MEX, as archives of MEX, and as tables.

Needs numpy, pandas and scipy (see .ci/requirements.txt), Info-ZIP's `zip` and GNU tar. Run it in this folder; it prints the
versions of what it used, which stand in versions.txt.
"""
import gzip
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pandas as pd
import scipy
import scipy.io
import scipy.sparse as sp

CELLS, GENES = 40, 30
BARCODES = [f"{''.join('ACGT'[(i * 7 + j * 3 + i // (j + 1)) % 4] for j in range(12))}{i:02}-1" for i in range(CELLS)]
IDS = [f"ENSG{100000 + g * 37:011}" for g in range(GENES)]
SYMBOLS = [f"GENE{g}" for g in range(GENES)]
DENSE = np.zeros((CELLS, GENES), "i4")
for line in open("../expected.tsv").read().splitlines()[1:]:
    cell, gene, count = line.split("\t")
    DENSE[BARCODES.index(cell), SYMBOLS.index(gene)] = int(count)
TYPES = ["B", "NK", "T cell"]
rng = np.random.default_rng(11)


def write(path, text):
    """Text or bytes; packed where the name says so."""
    content = text if isinstance(text, bytes) else text.encode()
    if path.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "wb").write(content)


def mtx(matrix, field="integer", comment="%\n"):
    """Column by column, as Cell Ranger writes it."""
    matrix = sp.coo_matrix(matrix)
    order = np.lexsort((matrix.row, matrix.col))
    lines = [f"{matrix.row[i] + 1} {matrix.col[i] + 1} {matrix.data[i]}" for i in order]
    header = f"%%MatrixMarket matrix coordinate {field} general\n{comment}{matrix.shape[0]} {matrix.shape[1]} {matrix.nnz}\n"
    return header + "".join(line + "\n" for line in lines)


def lines(*columns):
    return "".join("\t".join(row) + "\n" for row in zip(*columns))


def with_antibodies():
    """Antibodies stand between genes, which is odd but allowed."""
    joined = np.hstack([DENSE[:, :20], rng.integers(0, 3, (CELLS, 3)), DENSE[:, 20:]])
    ids = IDS[:20] + ["CD3", "CD4", "CD8"] + IDS[20:]
    names = SYMBOLS[:20] + ["CD3_TotalSeqB", "CD4_TotalSeqB", "CD8_TotalSeqB"] + SYMBOLS[20:]
    kinds = ["Gene Expression"] * 20 + ["Antibody Capture"] * 3 + ["Gene Expression"] * 10
    return joined, lines(ids, names, kinds)


def triple(cells=slice(None), features=None):
    features = features or lines(IDS, SYMBOLS, ["Gene Expression"] * GENES)
    comment = '%metadata_json: {"format_version": 2, "software_version": "7.1.0"}\n'
    return {
        "matrix.mtx.gz": mtx(DENSE[cells].T, comment=comment),
        "barcodes.tsv.gz": lines(BARCODES[cells]),
        "features.tsv.gz": features,
    }


def mex():
    joined, features = with_antibodies()
    for name, content in {**triple(features=features), "matrix.mtx.gz": mtx(joined.T)}.items():
        write(f"mex_v3/filtered_feature_bc_matrix/{name}", content)
    for name, content in {"matrix.mtx": mtx(DENSE.T), "barcodes.tsv": lines(BARCODES), "genes.tsv": lines(IDS, SYMBOLS)}.items():
        write(f"mex_v2/{name}", content)

    buffer = io.BytesIO()
    scipy.io.mmwrite(buffer, sp.coo_matrix(sp.csr_matrix(DENSE.T.astype("f8"))), field="real", precision=3)
    write("mex_by_gene/matrix.mtx.gz", buffer.getvalue())
    write("mex_by_gene/barcodes.tsv.gz", lines(BARCODES))
    write("mex_by_gene/features.tsv.gz", lines(SYMBOLS))

    write("kallisto/cells_x_genes.mtx", mtx(DENSE))
    write("kallisto/cells_x_genes.barcodes.txt", lines(BARCODES))
    write("kallisto/cells_x_genes.genes.txt", lines(IDS))
    write("kallisto/cells_x_genes.genes.names.txt", lines(SYMBOLS))
    buffer = io.BytesIO()
    scipy.io.mmwrite(buffer, sp.csr_matrix(DENSE.astype("f4")))
    write("alevin/quants_mat.mtx.gz", buffer.getvalue())
    write("alevin/quants_mat_rows.txt", lines(BARCODES))
    write("alevin/quants_mat_cols.txt", lines(IDS))

    # Any order, counts split in two, zeros, comments, tabs, blank lines, ends of lines as on Windows.
    entries = []
    for cell, gene in zip(*np.nonzero(DENSE)):
        count = int(DENSE[cell, gene])
        entries += [(gene, cell, 1), (gene, cell, count - 1)] if count > 1 else [(gene, cell, count)]
    shuffled = [f"{gene + 1}\t{cell + 1}  {count}" for gene, cell, count in (entries[i] for i in rng.permutation(len(entries)))]
    shuffled[3:3] = ["% a comment", "", "  "]
    text = "\r\n".join(["%%MatrixMarket MATRIX Coordinate Integer General", f"{GENES} {CELLS} {len(entries)}", *shuffled])
    write("mex_unsorted/matrix.mtx", text)
    write("mex_unsorted/barcodes.tsv", "\r\n".join(BARCODES) + "\r\n\r\n")
    write("mex_unsorted/features.tsv", "\r\n".join(f"{i}\t{s}" for i, s in zip(IDS, SYMBOLS)))

    # As R writes lists, with a header and numbered lines.
    write("mex_from_r/counts.mtx", mtx(DENSE.T))
    write("mex_from_r/barcodes.csv", '"","x"\n' + "".join(f'"{i + 1}","{b}"\n' for i, b in enumerate(BARCODES)))
    write("mex_from_r/genes.csv", "gene_name,gene_id\n" + "".join(f"{s},{i}\n" for i, s in zip(IDS, SYMBOLS)))

    spliced = DENSE // 2
    for name, matrix in {"spliced": spliced, "unspliced": DENSE - spliced}.items():
        write(f"mex_velocity/{name}.mtx", mtx(matrix.T))
    write("mex_velocity/barcodes.tsv", lines(BARCODES))
    write("mex_velocity/features.tsv", lines(IDS, SYMBOLS, ["Gene Expression"] * GENES))


def member(archive, path, content, **fields):
    info = tarfile.TarInfo(path)
    info.size = len(content)
    for name, value in fields.items():
        setattr(info, name, value)
    archive.addfile(info, io.BytesIO(content))


def archives():
    packed = {name: gzip.compress(text.encode(), mtime=0) for name, text in triple().items()}
    with gzip.GzipFile("cellranger.tar.gz", "wb", mtime=0) as out, tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        member(tar, "filtered_feature_bc_matrix", b"", type=tarfile.DIRTYPE)
        member(tar, "filtered_feature_bc_matrix/._matrix.mtx.gz", b"litter")
        for name, content in packed.items():
            member(tar, f"filtered_feature_bc_matrix/{name}", content)
    long = "a_folder_with_a_name_that_is_so_long_that_the_header_of_tar_does_not_hold_it/" * 2
    for path, form in {"pax.tar": tarfile.PAX_FORMAT, "gnu.tar": tarfile.GNU_FORMAT}.items():
        with tarfile.open(path, "w", format=form) as tar:
            for name, content in packed.items():
                member(tar, long + name, content)
    # GEO: a tar with the files of all samples, or with an archive for each.
    halves = {"GSM1_first": slice(0, 20), "GSM2_second": slice(20, CELLS)}
    with tarfile.open("geo.tar", "w") as tar:
        for sample, cells in halves.items():
            for name, text in triple(cells).items():
                member(tar, f"{sample}_{name}", gzip.compress(text.encode(), mtime=0))
    with tarfile.open("geo_nested.tar", "w") as tar:
        for sample, cells in halves.items():
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as nested:
                for name, text in triple(cells).items():
                    member(nested, f"filtered_feature_bc_matrix/{name}", gzip.compress(text.encode(), mtime=0))
            member(tar, f"{sample}.tar.gz", gzip.compress(inner.getvalue(), mtime=0))

    plain = {"matrix.mtx": mtx(DENSE.T), "barcodes.tsv": lines(BARCODES), "genes.tsv": lines(IDS, SYMBOLS)}
    for path, method in {"stored.zip": zipfile.ZIP_STORED, "deflated.zip": zipfile.ZIP_DEFLATED}.items():
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr(zipfile.ZipInfo("sample/"), b"")
            for name, text in plain.items():
                info = zipfile.ZipInfo(f"sample/{name}")
                info.compress_type = method
                archive.writestr(info, text)
            archive.writestr(zipfile.ZipInfo("__MACOSX/sample/._matrix.mtx"), b"litter")
            archive.comment = b"a comment at the end"
    # Lengths of eight bytes, in the local headers and in the table of contents.
    with zipfile.ZipFile("zip64.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in plain.items():
            with archive.open(zipfile.ZipInfo(f"sample/{name}"), "w", force_zip64=True) as out:
                out.write(text.encode())
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 10
    with zipfile.ZipFile("zip64_directory.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in plain.items():
            archive.writestr(zipfile.ZipInfo(f"sample/{name}"), text)
    zipfile.ZIP64_LIMIT = limit
    # Info-ZIP writes times and modes; through a pipe it does not know lengths beforehand.
    shutil.rmtree("sample", ignore_errors=True)
    for name, text in plain.items():
        write(f"sample/{name}", text)
        os.utime(f"sample/{name}", (1_600_000_000, 1_600_000_000))
    os.utime("sample", (1_600_000_000, 1_600_000_000))
    for path in ["infozip.zip", "infozip_stream.zip"]:
        if os.path.exists(path):
            os.remove(path)
    subprocess.run(["zip", "-q", "-r", "-X", "infozip.zip", "sample"], check=True)
    with open("infozip_stream.zip", "wb") as out:
        subprocess.run("zip -q -r -X - sample | cat", shell=True, check=True, stdout=out)
    # Encryption is salted: the file is kept.
    if not os.path.exists("encrypted.zip"):
        subprocess.run(["zip", "-q", "-r", "-X", "-P", "secret", "../encrypted.zip", "."], check=True, cwd="sample")
    shutil.rmtree("sample")
    inner = open("stored.zip", "rb").read()
    with gzip.GzipFile("zip_in_targz.tar.gz", "wb", mtime=0) as out, tarfile.open(fileobj=out, mode="w") as tar:
        member(tar, "inner.zip", inner)
    # An HDF5 file in archives.
    with zipfile.ZipFile("h5ad_stored.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("s/csr_int64.h5ad"), open("../csr_int64.h5ad", "rb").read())
    with zipfile.ZipFile("h5ad_deflated.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("s/csr_int64.h5ad")
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, open("../csr_int64.h5ad", "rb").read())
    write("csr_int64.h5ad.gz", open("../csr_int64.h5ad", "rb").read())


def tables():
    genes = pd.DataFrame(DENSE.T, index=SYMBOLS, columns=BARCODES)
    cells = pd.DataFrame(DENSE, index=BARCODES, columns=IDS)
    write("genes.csv", genes.to_csv())
    write("genes.tsv.gz", genes.to_csv(sep="\t", index_label="gene"))
    write("cells.csv", cells.to_csv(index_label="barcode"))
    write("cells.tsv", cells.to_csv(sep="\t"))
    write("semicolons.csv", "\ufeff" + genes.to_csv(sep=";", lineterminator="\r\n"))
    # R's write.table: quotes, and no field above the names of the rows.
    header, *rows = genes.to_csv(sep=" ", quoting=2).splitlines()
    write("spaces.txt", "\n".join([header.split(" ", 1)[1], *rows]) + "\n")
    write("trailing.csv", "".join(line + ",\r\n" for line in genes.to_csv().splitlines()))
    floats = genes.astype("f8")
    write("floats.csv", "# written by a test\n#second comment\n" + floats.to_csv())
    named = genes.reset_index(drop=True)
    named.insert(0, "feature_name", SYMBOLS)
    named.insert(0, "feature_id", IDS)
    write("ids_and_symbols.csv", named.to_csv(index=False))
    write("composite.tsv", genes.set_axis([f"{s}_{i}" for s, i in zip(SYMBOLS, IDS)]).to_csv(sep="\t"))
    counted = pd.DataFrame({"Geneid": IDS, "Chr": "1;1", "Start": range(GENES), "End": "5;9", "Strand": "+;+", "Length": 100})
    counted = pd.concat([counted, genes.reset_index(drop=True)], axis=1)
    write("feature_counts.txt", "# Program:featureCounts v2.0.3\n" + counted.to_csv(sep="\t", index=False))
    described = cells.copy()
    described.insert(0, "nCount_RNA", DENSE.sum(1))
    described.insert(0, "donor", [f"d{i % 2}" for i in range(CELLS)])
    described["cell_type"] = [TYPES[i % 3] for i in range(CELLS)]
    write("metadata.csv", described.to_csv())
    numbered = pd.DataFrame(DENSE.T, index=[f"g{g}" for g in range(GENES)], columns=[f"c{i}" for i in range(CELLS)])
    write("ambiguous.csv", numbered.T.to_csv())


def versions():
    tools = {
        "Python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__, "scipy": scipy.__version__,
        "Info-ZIP zip": subprocess.run(["zip", "-v"], capture_output=True, text=True).stdout.splitlines()[1].split()[3],
    }
    text = "".join(f"{name} {version}\n" for name, version in tools.items())
    write("versions.txt", text)
    sys.stdout.write(text)


mex()
archives()
tables()
versions()
