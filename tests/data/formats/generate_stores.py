#!/usr/bin/env python3
"""Writes the small files that tests/formats_stores.rs reads: the matrix of expected.tsv in Zarr, Loom, h5Seurat, MuData
and in H5AD with every compression.

    generate_stores.py        anndata 0.12, zarr 3, h5py 3.16, hdf5plugin 7, numcodecs 0.16, mudata 0.3, loompy 3.0
    generate_stores.py 2      anndata 0.11, zarr 2.18, numcodecs 0.15: what older versions write

Run it in this folder. Hierarchies of Zarr are packed into tar files, one for each.
"""
import io
import os
import shutil
import sys
import tarfile
import warnings
import zipfile

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.filterwarnings("ignore")
with open("expected.tsv") as lines:
    ENTRIES = [line.rstrip("\n").split("\t") for line in lines][1:]
CELLS, GENES = 40, 30
BARCODES = [f"{''.join('ACGT'[(i * 7 + j * 3 + i // (j + 1)) % 4] for j in range(12))}{i:02}-1" for i in range(CELLS)]
IDS = [f"ENSG{100000 + g * 37:011}" for g in range(GENES)]
SYMBOLS = [f"GENE{g}" for g in range(GENES)]
DENSE = np.zeros((CELLS, GENES), "i4")
for barcode, symbol, count in ENTRIES:
    DENSE[BARCODES.index(barcode), SYMBOLS.index(symbol)] = float(count)
X = sp.csr_matrix(DENSE)
TYPES = ["B", "NK", "T cell"]
CODES = [i % 3 if i % 10 else -1 for i in range(CELLS)]
TEXT = h5py.string_dtype()
STAMP = (2026, 1, 1, 0, 0, 0)


def pack(folder, name):
    """The files of a folder as a tar file, in order and without times."""
    paths = sorted(os.path.join(root, file) for root, _, files in os.walk(folder) for file in files)
    with tarfile.open(f"{name}.zarr.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for path in paths:
            with open(path, "rb") as file:
                content = file.read()
            entry = tarfile.TarInfo(f"{name}.zarr/" + os.path.relpath(path, folder))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    shutil.rmtree(folder)


def obs():
    table = pd.DataFrame(index=np.array(BARCODES, object))
    table["cell_type"] = pd.Categorical.from_codes(CODES, TYPES)
    table["score"] = np.where(np.arange(CELLS) == 3, np.nan, np.arange(CELLS) / 2)
    table["good"] = [i % 4 == 0 for i in range(CELLS)]
    table["clusters"] = pd.array([None if i == 5 else i % 7 for i in range(CELLS)], dtype="Int32")
    table["passed"] = pd.array([None if i == 6 else i % 2 == 0 for i in range(CELLS)], dtype="boolean")
    table["note"] = np.array([f"n{i}é" for i in range(CELLS)], object)
    return table


def anndata(matrix, layers=None):
    import anndata as ad
    var = pd.DataFrame({"feature_name": pd.Categorical(SYMBOLS)}, index=np.array(IDS, object))
    return ad.AnnData(matrix, obs(), var, layers=layers)


def zarr_of_version_2():
    import zarr
    from numcodecs import BZ2, GZip, LZ4, Blosc, Shuffle, VLenUTF8, Zlib, Zstd
    print("zarr", zarr.__version__)
    anndata(X.astype("f4")).write_zarr("zarr", chunks=None)
    pack("zarr", "zarr2_csr")
    anndata(DENSE.astype("f4")).write_zarr("zarr", chunks=(7, 9))
    pack("zarr", "zarr2_dense")
    # Every codec, type, order of values and of dimensions, put together by hand.
    root = zarr.open_group("zarr", mode="w")
    root.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    table = root.create_group("obs")
    table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "barcode", "column-order": ["kind", "depth"]})
    table.create_dataset("barcode", data=np.array(BARCODES), chunks=(13,), dtype="<U16", compressor=Zlib())
    table.create_dataset("kind", data=np.array(["é", "b"] * 20, object), object_codec=VLenUTF8(), chunks=(9,), compressor=GZip())
    table.create_dataset("depth", data=DENSE.sum(1), dtype=">i8", chunks=(11,), compressor=LZ4())
    table = root.create_group("var")
    table.attrs.update({"_index": "symbol", "column-order": ["gene_ids"]})
    table.create_dataset("symbol", data=np.array(SYMBOLS, "S8"), chunks=(7,), compressor=BZ2())
    table.create_dataset("gene_ids", data=np.array(IDS), dtype=">U15", chunks=(30,), compressor=None)
    layers = root.create_group("layers")
    for number, (name, settings) in enumerate({
        "a_zstd_columns": dict(compressor=Zstd(), order="F"), "b_blosclz": dict(compressor=Blosc("blosclz", 9, Blosc.SHUFFLE)),
        "c_lz4hc_bits": dict(compressor=Blosc("lz4hc", 5, Blosc.BITSHUFFLE)), "d_blosc_zlib": dict(compressor=Blosc("zlib", 5, Blosc.NOSHUFFLE)),
        "e_blosc_zstd": dict(compressor=Blosc("zstd", 5, Blosc.SHUFFLE)), "f_shuffle_bz2": dict(compressor=BZ2(), filters=[Shuffle(4)]),
        "g_none_slashes": dict(compressor=None, dimension_separator="/"), "h_lz4": dict(compressor=LZ4(), order="F"),
    }.items()):
        kind = ["<f4", ">f8", "<i4", ">u2", "<i8", "<f4", "<u4", "<f2"][number]
        layers.create_dataset(name, data=DENSE.astype(kind), chunks=(7 + number, 9), dtype=kind, fill_value=0,
                              write_empty_chunks=False, **settings)
    pack("zarr", "zarr2_codecs")


def zarr_of_version_3():
    import anndata as ad
    import zarr
    from zarr.codecs import (BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec)
    print("zarr", zarr.__version__)
    ad.settings.zarr_write_format = 2
    anndata(X.tocsc().astype("f4")).write_zarr("zarr")
    pack("zarr", "zarr2_csc_new")
    ad.settings.zarr_write_format = 3
    anndata(X.astype("f4")).write_zarr("zarr")
    pack("zarr", "zarr3_csr")
    anndata(DENSE.astype("f4"), {"counts": X}).write_zarr("zarr", chunks=(10, 10))
    pack("zarr", "zarr3_dense")
    ad.settings.zarr_write_format = 2
    anndata(X.astype("f4")).write_zarr("zarr")
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        with zipfile.ZipFile(f"zarr2_{name}.zarr.zip", "w", method) as archive:
            for path in sorted(os.path.join(root, file) for root, _, files in os.walk("zarr") for file in files):
                with open(path, "rb") as file:
                    archive.writestr(zipfile.ZipInfo(os.path.relpath(path, "zarr"), STAMP), file.read(), method)
    shutil.rmtree("zarr")
    root = zarr.open_group("zarr", mode="w", zarr_format=3)
    table = root.create_group("obs", attributes={"_index": "barcode", "column-order": []})
    table.create_array("barcode", data=np.array(BARCODES), chunks=(13,))
    table = root.create_group("var", attributes={"_index": "symbol", "column-order": []})
    table.create_array("symbol", data=np.array(SYMBOLS, "S8"), chunks=(7,))
    table.create_array("gene_ids", data=np.array(IDS, dtype=np.dtypes.StringDType()), chunks=(7,))
    layers = root.create_group("layers")
    settings = {
        "a_shards": dict(shards=(16, 20), chunks=(4, 5), dtype="f4"),
        "b_gzip_dots": dict(chunks=(9, 30), dtype="i2", compressors=GzipCodec(), chunk_key_encoding={"name": "default", "separator": "."}),
        "c_blosc": dict(chunks=(40, 7), dtype="u4", compressors=BloscCodec(cname="lz4", shuffle="bitshuffle", typesize=4)),
        "d_columns": dict(chunks=(11, 7), dtype="f8", filters=TransposeCodec(order=(1, 0)), compressors=ZstdCodec()),
        "e_big_endian": dict(chunks=(40, 30), dtype="i8", serializer=BytesCodec(endian="big"), compressors=Crc32cCodec()),
        "f_old_names": dict(chunks=(20, 15), dtype="u1" if DENSE.max() < 256 else "u2", chunk_key_encoding={"name": "v2", "separator": "/"}),
    }
    for name, setting in settings.items():
        layers.create_array(name, shape=DENSE.shape, fill_value=0, **setting)[...] = DENSE
    first = ShardingCodec(chunk_shape=(5, 30), codecs=[BytesCodec()], index_codecs=[BytesCodec()], index_location="start")
    layers.create_array("g_index_first", shape=DENSE.shape, chunks=(10, 30), dtype="i4", serializer=first, compressors=None, fill_value=0)[...] = DENSE
    pack("zarr", "zarr3_codecs")
    root = zarr.open_group("zarr", mode="w", zarr_format=2)
    for name in ["obs", "var", "layers"]:
        root.create_group(name)
    root["obs"].create_array("_index", data=np.array(BARCODES), chunks=(40,))
    root["var"].create_array("_index", data=np.array(SYMBOLS), chunks=(30,))
    from numcodecs import Delta
    root["layers"].create_array("counts", data=DENSE, chunks=(40, 30), filters=Delta("i4"))
    pack("zarr", "bad_zarr_delta")
    root = zarr.open_group("zarr", mode="w", zarr_format=3)
    root.create_array("image", data=DENSE, chunks=(40, 30))
    pack("zarr", "bad_zarr_image")


def compressed():
    import hdf5plugin
    print("h5py", h5py.__version__, "hdf5plugin", hdf5plugin.version)
    filters = {
        "zstd": hdf5plugin.Zstd(clevel=5), "blosc_lz4": hdf5plugin.Blosc(cname="lz4", shuffle=1), "bzip2": hdf5plugin.BZip2(),
        "blosc_zstd_bits": hdf5plugin.Blosc(cname="zstd", shuffle=2), "blosc_blosclz": hdf5plugin.Blosc(cname="blosclz"),
        "lz4": hdf5plugin.LZ4(), "bitshuffle_lz4": hdf5plugin.Bitshuffle(cname="lz4"),
        "bitshuffle_zstd": hdf5plugin.Bitshuffle(cname="zstd"), "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    }
    # anndata hands the compression to the tables too, strings and all.
    anndata(X.astype("f4")).write_h5ad("compressed_anndata_zstd.h5ad", compression=hdf5plugin.FILTERS["zstd"], compression_opts=(5,))
    with h5py.File("compressed_all.h5ad", "w") as f:
        tables(f)
        for name, settings in filters.items():
            f.create_dataset(f"layers/{name}", data=DENSE.astype("f4"), chunks=(16, 30), **settings)
        f.create_dataset("layers/blosc_zlib_sparse/data", data=X.data.astype("i8"), chunks=(500,), **hdf5plugin.Blosc(cname="zlib", shuffle=1))
        g = f["layers/blosc_zlib_sparse"]
        g.attrs.update({"encoding-type": "csr_matrix", "shape": np.array(X.shape)})
        g.create_dataset("indices", data=X.indices, chunks=(500,), **hdf5plugin.Bitshuffle())
        g.create_dataset("indptr", data=X.indptr, chunks=(41,), shuffle=True, **hdf5plugin.Zstd())
    with h5py.File("bad_blosc2.h5ad", "w") as f:
        tables(f)
        f.create_dataset("X", data=DENSE, chunks=(40, 30), **hdf5plugin.Blosc2())


def tables(f, columns=True):
    g = f.create_group("obs")
    g.attrs["_index"] = "_index"
    g.create_dataset("_index", data=BARCODES, dtype=TEXT)
    g = f.create_group("var")
    g.attrs["_index"] = "_index"
    g.create_dataset("_index", data=SYMBOLS, dtype=TEXT)
    g.create_dataset("gene_ids", data=IDS, dtype=TEXT)


def loom():
    import loompy
    print("loompy", loompy.__version__)
    if os.path.exists("loompy.loom"):
        os.remove("loompy.loom")
    loompy.create("loompy.loom", DENSE.T, {"Gene": np.array(SYMBOLS), "Accession": np.array(IDS)},
                  {"CellID": np.array(BARCODES), "ClusterName": np.array(["a", "b"] * 20), "Age": np.arange(CELLS)})
    # As SeuratDisk and velocyto write it: counts in a layer, small blocks, wide blocks.
    with h5py.File("layers.loom", "w") as f:
        logs = np.log1p(DENSE.T / DENSE.sum(1) * 1e4)
        f.create_dataset("matrix", data=logs, chunks=(16, 32), compression="gzip")
        f.create_dataset("layers/counts", data=DENSE.T.astype("f8"), chunks=(4, 40), compression="gzip")
        f.create_dataset("layers/norm_data", data=logs)
        f.create_dataset("row_attrs/Gene", data=SYMBOLS, dtype=TEXT)
        f.create_dataset("row_attrs/gene_ids", data=IDS, dtype=TEXT)
        f.create_dataset("col_attrs/CellID", data=BARCODES, dtype=TEXT)
        f.create_dataset("col_attrs/pca", data=np.zeros((CELLS, 2)))
        # A factor of R: numbers of as few bits as its levels need.
        kind = h5py.h5t.STD_U8LE.copy()
        kind.set_precision(2)
        kind = h5py.h5t.enum_create(kind)
        for level, name in enumerate(TYPES):
            kind.enum_insert(name.encode(), level + 1)
        factor = h5py.h5d.create(f["col_attrs"].id, b"cell_type", kind, h5py.h5s.create_simple((CELLS,)))
        factor.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([c + 1 for c in CODES], "u1"), kind)
        for group in ["row_graphs", "col_graphs"]:
            f.create_group(group)
    with h5py.File("velocity.loom", "w") as f:
        f["matrix"] = DENSE.T.astype("u2") / 1.7
        spliced = (DENSE.T * 0.6).astype("u2")
        f["layers/spliced"], f["layers/unspliced"] = spliced, (DENSE.T - spliced).astype("u2")
        f["row_attrs/var_names"], f["row_attrs/Accession"] = np.array(SYMBOLS, "S"), np.array(IDS, "S")
        f["col_attrs/obs_names"] = np.array(BARCODES, "S")
    with h5py.File("bad_layer.loom", "w") as f:
        f["matrix"] = DENSE.T
        f["layers/counts"] = DENSE
        f["row_attrs/Gene"], f["col_attrs/CellID"] = np.array(SYMBOLS, "S"), np.array(BARCODES[:-1], "S")


def h5seurat():
    """As SeuratDisk 0.0.0.9020 writes a Seurat object of version 4."""
    def matrix(g, path, columns):
        m = g.create_group(path)
        m.attrs["dims"] = np.array(columns.shape[::-1], "i4")
        for name in ["data", "indices", "indptr"]:
            values = getattr(columns, name)
            m.create_dataset(name, data=values.astype("f8" if name == "data" else "i4"), chunks=(min(64, len(values)),), compression="gzip")

    with h5py.File("small.h5seurat", "w") as f:
        f.attrs.update({"active.assay": ["ADT"], "project": ["small"], "version": ["4.1.3"]})
        g = f.create_group("assays/RNA")
        g.attrs["key"] = ["rna_"]
        logs = X.astype("f8")
        logs.data = np.log1p(logs.data)
        matrix(g, "counts", X)
        matrix(g, "data", logs)
        g.create_dataset("features", data=SYMBOLS, dtype=TEXT, chunks=(16,), compression="gzip")
        g.create_dataset("meta.features/gene_id", data=IDS, dtype=TEXT)
        g.create_dataset("scale.data", data=np.zeros((CELLS, 2)))
        g = f.create_group("assays/ADT")
        matrix(g, "counts", X[:, :3].tocsr())
        g.create_dataset("features", data=["CD3", "CD4", "CD8"], dtype=TEXT)
        f.create_dataset("cell.names", data=BARCODES, dtype=TEXT, chunks=(16,), compression="gzip")
        g = f.create_group("meta.data")
        g.attrs.create("colnames", ["orig.ident", "nCount_RNA", "seurat_clusters", "keep", "note"], dtype=TEXT)
        g.attrs["_index"] = ["_index"]
        g.create_dataset("_index", data=BARCODES, dtype=TEXT)
        g.create_dataset("note", data=[f"n{i}" for i in range(CELLS)], dtype=TEXT)
        g["nCount_RNA"] = DENSE.sum(1).astype("f8")
        g.create_dataset("orig.ident/levels", data=TYPES, dtype=TEXT)
        g["orig.ident/values"] = np.array([c + 1 if c >= 0 else -2**31 for c in CODES], "i4")
        g["seurat_clusters"] = np.array([-2**31 if i == 5 else i % 7 for i in range(CELLS)], "i4")
        truth = h5py.enum_dtype({"FALSE": 0, "TRUE": 1, "NA": 2}, basetype="u1")
        g.create_dataset("keep", data=np.arange(CELLS) % 3, dtype=truth)
        for group in ["graphs", "reductions", "images", "neighbors"]:
            f.create_group(group)
    with h5py.File("bad_dims.h5seurat", "w") as f:
        matrix(f, "assays/RNA/counts", X)
        f.create_dataset("assays/RNA/features", data=SYMBOLS[:-1], dtype=TEXT)
        f.create_dataset("cell.names", data=BARCODES, dtype=TEXT)


def others():
    import mudata
    print("mudata", mudata.__version__)
    import anndata as ad
    proteins = ad.AnnData(DENSE[:, :3].astype("f4"), pd.DataFrame(index=BARCODES), pd.DataFrame(index=["CD3", "CD4", "CD8"]))
    mudata.MuData({"prot": proteins, "rna": anndata(X.astype("f4"))}).write("small.h5mu")
    with h5py.File("bad_modalities.h5mu", "w") as f:
        for name in ["accessibility", "protein"]:
            g = f.create_group(f"mod/{name}")
            tables(g)
            g["X"] = DENSE
        f.create_group("obs"), f.create_group("var")
    with h5py.File("dense_tenx.h5", "w") as f:
        f["matrix/data"] = DENSE.T
        f["matrix/barcodes"] = np.array(BARCODES, "S")
        f["matrix/features/id"], f["matrix/features/name"] = np.array(IDS, "S"), np.array(SYMBOLS, "S")
    with h5py.File("dense_named.h5", "w") as f:
        f["data.debatched"] = DENSE.T.astype("f4")
        f["data.debatched_rownames"] = np.array([f"{s}" for s in SYMBOLS], "S")
        f["data.debatched_colnames"] = np.array(BARCODES, "S")
    with h5py.File("columns.h5ad", "w") as f:
        odd_columns(f)
    with h5py.File("hand_made.h5ad", "w") as f:
        f.create_dataset("obs/index", data=BARCODES, dtype=TEXT)
        f["var/index"] = np.arange(GENES)
        f["var/probe"] = np.array([f"probe {g}" for g in range(GENES)], "S")
        f["var/ensembl"] = np.array(IDS, "S")
        f["var/Symbol"] = np.array(SYMBOLS, "S")
        for name in ["data", "indices", "indptr"]:
            f[f"X/{name}"] = getattr(X.tocsc(), name)
        f["raw/X"] = np.zeros((CELLS, GENES))


def odd_columns(f):
    """Columns of every kind that has been seen in tables of cells."""
    tables(f)
    f["X"] = DENSE
    g = f["obs"]
    g["_scvi_batch"], g["_scvi_labels"] = np.zeros(CELLS, "i8"), np.arange(CELLS, dtype="i8")
    g["with_nan"] = np.where(np.arange(CELLS) % 2, np.nan, 1.5)
    g["half"] = np.arange(CELLS, dtype="f2")
    many = [f"donor_{i}" for i in range(3000)]
    c = g.create_group("many_levels")
    c.attrs.update({"encoding-type": "categorical", "ordered": True})
    c.create_dataset("categories", data=many, dtype=TEXT)
    c["codes"] = (np.arange(CELLS) * 70).astype("i2")
    c = g.create_group("numbers_as_levels")
    c["categories"], c["codes"] = np.array([0.5, 2.0]), np.array([0, 1] * 20, "i1")
    c = g.create_group("nullable_text")
    c.attrs["encoding-type"] = "nullable-string-array"
    c.create_dataset("values", data=[f"t{i % 3}" for i in range(CELLS)], dtype=TEXT)
    c["mask"] = np.arange(CELLS) == 4
    c = g.create_group("from_the_future")
    c.attrs["encoding-type"] = "hologram"
    c["values"] = np.zeros(CELLS)
    g["too_short"] = np.zeros(3)
    g["two_dimensions"] = np.zeros((CELLS, 2))
    g["complex"] = np.zeros(CELLS, "c16")
    c = g.create_group("codes_beyond")
    c.create_dataset("categories", data=["a"], dtype=TEXT)
    c["codes"] = np.array([0, 7] * 20, "i1")
    g["old_style"] = np.array([0, 1, -1, 1] * 10, "i1")
    f["uns/old_style_categories"] = np.array(["low", "high"], "S")
    g.attrs.create("column-order", ["with_nan", "gone", "half"], dtype=TEXT)


if sys.argv[1:] == ["2"]:
    zarr_of_version_2()
else:
    zarr_of_version_3()
    compressed()
    loom()
    h5seurat()
    others()
