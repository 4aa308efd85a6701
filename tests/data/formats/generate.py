#!/usr/bin/env python3
"""Writes the small files that tests/formats.rs reads: one matrix of counts in every encoding, and bad files.

Needs anndata, h5py, numpy, scipy and pandas (written with anndata 0.12 and h5py 3.16). Run it in this folder.
"""
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.filterwarnings("ignore")
CELLS, GENES = 40, 30
rng = np.random.default_rng(7)
DENSE = rng.negative_binomial(0.4, 0.25, (CELLS, GENES))
DENSE[:, 3] = rng.integers(60, 900, CELLS)  # one gene that every cell has plenty of
DENSE[17, :] = 0
DENSE[17, 29] = 1
X = sp.csr_matrix(DENSE)
BARCODES = [f"{''.join('ACGT'[(i * 7 + j * 3 + i // (j + 1)) % 4] for j in range(12))}{i:02}-1" for i in range(CELLS)]
IDS = [f"ENSG{100000 + g * 37:011}" for g in range(GENES)]
SYMBOLS = [f"GENE{g}" for g in range(GENES)]
TYPES = ["B", "NK", "T cell"]
CODES = [i % 3 if i % 10 else -1 for i in range(CELLS)]
TEXT = h5py.string_dtype()


def expected():
    with open("expected.tsv", "w") as out:
        print("cell\tgene\tcount", file=out)
        for cell, gene in zip(*np.nonzero(DENSE)):
            print(BARCODES[cell], SYMBOLS[gene], DENSE[cell, gene], sep="\t", file=out)


def tenx_v3(path, matrix=X, **storage):
    """Antibodies stand between genes, which is odd but allowed."""
    antibodies = sp.csr_matrix(rng.integers(0, 3, (CELLS, 3)))
    joined = sp.hstack([matrix[:, :20], antibodies, matrix[:, 20:]]).tocsr()
    ids = IDS[:20] + ["CD3", "CD4", "CD8"] + IDS[20:]
    names = SYMBOLS[:20] + ["CD3_TotalSeqB", "CD4_TotalSeqB", "CD8_TotalSeqB"] + SYMBOLS[20:]
    kinds = ["Gene Expression"] * 20 + ["Antibody Capture"] * 3 + ["Gene Expression"] * 10
    with h5py.File(path, "w") as f:
        g = f.create_group("matrix")
        g.create_dataset("data", data=joined.data.astype("i4"), chunks=(100,), maxshape=(None,), **storage)
        g.create_dataset("indices", data=joined.indices.astype("i8"), chunks=(100,), maxshape=(None,), **storage)
        g.create_dataset("indptr", data=joined.indptr.astype("i8"), chunks=(30,), maxshape=(None,), **storage)
        g["shape"] = np.array([GENES + 3, CELLS], "i4")
        g["barcodes"] = np.array(BARCODES, "S")
        features = g.create_group("features")
        for name, values in {"id": ids, "name": names, "feature_type": kinds, "genome": ["GRCh38"] * (GENES + 3)}.items():
            features[name] = np.array(values, "S")
        features["_all_tag_keys"] = np.array(["genome"], "S")


def tenx_v2(path, genomes):
    """genomes: name -> (columns, order of the cells)"""
    with h5py.File(path, "w") as f:
        for name, (genes, cells) in genomes.items():
            g = f.create_group(name)
            part = X[cells][:, genes].tocsr()
            for key, values in {"data": part.data.astype("i4"), "indices": part.indices.astype("i8"),
                                "indptr": part.indptr.astype("i8")}.items():
                g.create_dataset(key, data=values, chunks=(40,), compression="gzip", compression_opts=1, shuffle=True)
            g["shape"] = np.array([part.shape[1], part.shape[0]], "i8")
            g["barcodes"] = np.array([BARCODES[c] for c in cells], "S")
            g["genes"] = np.array([IDS[x] for x in genes], "S")
            g["gene_names"] = np.array([SYMBOLS[x] for x in genes], "S")


def table(f, path, index, index_name="_index", columns=None):
    g = f.create_group(path)
    g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": index_name})
    g.attrs.create("column-order", list(columns or {}), dtype=TEXT)
    g.create_dataset(index_name, data=index, dtype=TEXT)
    for name, values in (columns or {}).items():
        if isinstance(values[0], str):
            g.create_dataset(name, data=values, dtype=TEXT)
        else:
            g[name] = values


def sparse(f, path, matrix, data="f4", indices="i4", indptr="i4", shape=None, **storage):
    kind = matrix.format
    g = f.create_group(path)
    g.attrs.update({"encoding-type": f"{kind}_matrix", "encoding-version": "0.1.0"})
    g.attrs["shape"] = np.array(shape or matrix.shape, "i8")
    g.create_dataset("data", data=matrix.data.astype(data), **storage)
    g.create_dataset("indices", data=matrix.indices.astype(indices), **storage)
    if "chunks" in storage:
        storage["chunks"] = (13,)
    g.create_dataset("indptr", data=matrix.indptr.astype(indptr), **storage)
    return g


def h5ad(path, write, cells=BARCODES, genes=SYMBOLS, libver=None):
    """A file with the two tables, and what `write` adds."""
    with h5py.File(path, "w", libver=libver) as f:
        f.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        table(f, "obs", cells)
        table(f, "var", genes, columns={"gene_ids": IDS} if genes is SYMBOLS else None)
        write(f)


def by_anndata():
    obs = pd.DataFrame(index=BARCODES)
    obs["cell_type"] = pd.Categorical.from_codes(CODES, TYPES)
    obs["batch"] = pd.Categorical([str(i % 2) for i in range(CELLS)])
    obs["score"] = np.linspace(0, 1, CELLS).round(3)
    obs["good"] = [i % 4 == 0 for i in range(CELLS)]
    obs["clusters"] = pd.array([None if i == 5 else i % 7 for i in range(CELLS)], dtype="Int32")
    obs["passed"] = pd.array([None if i == 6 else i % 2 == 0 for i in range(CELLS)], dtype="boolean")
    obs["note"] = [f"n{i}" for i in range(CELLS)]
    var = pd.DataFrame({"feature_name": pd.Categorical(SYMBOLS)}, index=IDS)
    counts = X.astype("f4")
    ad.AnnData(counts, obs, var).write_h5ad("anndata_csr.h5ad")
    ad.AnnData(counts.tocsc(), obs[["score"]], var).write_h5ad("anndata_csc_gzip.h5ad", compression="gzip")
    ad.AnnData(counts.toarray(), obs[[]], var).write_h5ad("anndata_dense_lzf.h5ad", compression="lzf")

    normalised = counts.copy()
    normalised.data = normalised.data / np.repeat(np.asarray(counts.sum(1)).ravel(), np.diff(counts.indptr)) * 1e4
    logs = normalised.copy()
    logs.data = np.log1p(logs.data)
    raw = ad.AnnData(counts, obs[[]], var)
    a = ad.AnnData(logs[:, :20].copy(), obs[[]], var[:20])
    a.raw = raw
    a.write_h5ad("raw_x.h5ad", compression="gzip")
    scaled = logs.toarray()
    scaled = (scaled - scaled.mean(0)) / scaled.std(0)
    a = ad.AnnData(scaled.astype("f4"), obs[[]], var, layers={"counts": counts, "logcounts": logs})
    a.write_h5ad("layers_counts.h5ad", compression="gzip")
    spliced = counts.copy()
    spliced.data = np.floor(spliced.data * 0.6)
    a = ad.AnnData(logs, obs[[]], var, layers={"spliced": spliced, "unspliced": sp.csr_matrix(counts - spliced)})
    a.write_h5ad("velocity.h5ad", compression="gzip")

    for name, matrix in {
        "bad_log": logs, "bad_normalised": normalised, "bad_log_csc": logs.tocsc(), "bad_log_dense": logs.toarray(),
        "bad_scaled": sp.csr_matrix(scaled.astype("f4")), "estimates": counts * np.float32(0.93),
    }.items():
        if sp.issparse(matrix):
            h5ad(f"{name}.h5ad", lambda f: sparse(f, "X", matrix, compression="gzip"))
        else:
            h5ad(f"{name}.h5ad", lambda f: f.create_dataset("X", data=matrix, compression="gzip"))


def by_hand():
    gzip = {"compression": "gzip", "chunks": (97,)}
    h5ad("csr_shuffle_fletcher.h5ad", lambda f: sparse(f, "X", X, data="i4", shuffle=True, fletcher32=True, **gzip))
    h5ad("csr_int64.h5ad", lambda f: sparse(f, "X", X, data="i8", indices="i8", indptr="i8", **gzip))
    h5ad("csr_u64_data.h5ad", lambda f: sparse(f, "X", X, data="u8", indices="u2", indptr="u4"))
    h5ad("csr_big_endian.h5ad", lambda f: sparse(f, "X", X, data=">f8", indices=">i4", indptr=">i8", shuffle=True, **gzip))
    h5ad("csr_float16.h5ad", lambda f: sparse(f, "X", X, data="f2", compression="lzf", chunks=(64,)))
    h5ad("csr_latest.h5ad", lambda f: sparse(f, "X", X, compression="gzip", chunks=(64,), maxshape=(None,)), libver="latest")
    h5ad("csr_scaleoffset.h5ad", lambda f: sparse(f, "X", X, data="i4", scaleoffset=0, chunks=(64,)))
    h5ad("csc_int32.h5ad", lambda f: sparse(f, "X", X.tocsc(), data="i4", **gzip))
    h5ad("dense_float16.h5ad", lambda f: f.create_dataset("X", data=DENSE.astype("f2")))
    h5ad("dense_chunks_big_endian.h5ad", lambda f: f.create_dataset(
        "X", data=DENSE.astype(">i4"), chunks=(7, 9), compression="gzip", shuffle=True))
    h5ad("dense_columns.h5ad", lambda f: f.create_dataset(
        "X", data=DENSE.astype("u2"), chunks=(CELLS, 1), compression="gzip"))

    def unsorted(f):
        """Genes in descending order, a count split in two, and a stored zero in every row."""
        indptr, indices, data = [0], [], []
        for row in X:
            genes, values = list(row.indices[::-1]), list(row.data[::-1])
            if values[0] > 1:
                genes, values = genes + [genes[0]], [values[0] - 1] + values[1:] + [1]
            absent = next(g for g in range(GENES) if g not in genes)
            indices += genes + [absent]
            data += values + [0]
            indptr.append(len(indices))
        sparse(f, "X", sp.csr_matrix((data, indices, indptr), X.shape), indptr="i8")

    h5ad("csr_unsorted.h5ad", unsorted)

    def large(f):
        matrix = sp.csr_matrix(DENSE + 0.0)
        matrix.data[[5, 50]] = [65535, 1_000_000]
        sparse(f, "X", matrix, data="f8", **gzip)

    h5ad("large_counts.h5ad", large)


def old():
    """What anndata 0.6 and 0.7 wrote, which no current version writes."""
    with h5py.File("anndata_06.h5ad", "w") as f:
        g = f.create_group("X")
        g.attrs["h5sparse_format"] = "csr"
        g.attrs["h5sparse_shape"] = np.array([CELLS, 20])
        logs = X[:, :20].astype("f4")
        logs.data = np.log1p(logs.data)
        for name in ["data", "indices", "indptr"]:
            g[name] = getattr(logs, name)
        g = f.create_group("raw.X")
        g.attrs["h5sparse_format"] = "csc"
        g.attrs["h5sparse_shape"] = np.array(X.shape)
        csc = X.tocsc()
        for name in ["data", "indices", "indptr"]:
            g.create_dataset(name, data=getattr(csc, name), compression="gzip")
        dtype = [("index", "S16"), ("cell_type", "i1"), ("score", "<f4"), ("note", TEXT), ("pca", "<f4", (2,))]
        obs = np.zeros(CELLS, dtype)
        obs["index"], obs["cell_type"], obs["score"] = BARCODES, CODES, np.arange(CELLS)
        obs["note"] = [f"n{i}" for i in range(CELLS)]
        f["obs"] = obs
        f["uns/cell_type_categories"] = np.array(TYPES, "S")
        for name, count in [("var", 20), ("raw.var", GENES)]:
            var = np.zeros(count, [("index", "S12"), ("gene_ids", "S20")])
            var["index"], var["gene_ids"] = SYMBOLS[:count], IDS[:count]
            f[name] = var
    with h5py.File("anndata_07.h5ad", "w") as f:
        table(f, "obs", BARCODES, "barcode", {"cell_type": np.array(CODES, "i1"), "score": np.arange(CELLS) / 2})
        f.create_dataset("obs/__categories/cell_type", data=TYPES, dtype=TEXT)
        f["obs/cell_type"].attrs["categories"] = f["obs/__categories/cell_type"].ref
        table(f, "var", SYMBOLS, "index", {"gene_ids": IDS})
        f.create_dataset("X", data=DENSE.astype("f4"), compression="lzf")


def categorical_names():
    """CELLxGENE and others use a categorical column of gene names as the index."""
    h5ad("categorical_index.h5ad", lambda f: sparse(f, "X", X, data="u1" if X.max() < 256 else "u2"))
    with h5py.File("categorical_index.h5ad", "a") as f:
        del f["var"]
        g = f.create_group("var")
        g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "feature_name"})
        g.attrs.create("column-order", ["ensembl"], dtype=TEXT)
        g["ensembl"] = np.array(IDS, "S")
        order = rng.permutation(GENES)
        c = g.create_group("feature_name")
        c.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
        c.create_dataset("categories", data=[SYMBOLS[i] for i in order], dtype=TEXT)
        c["codes"] = np.argsort(order).astype("i1")


def bad():
    h5ad("bad_nan.h5ad", lambda f: sparse(f, "X", X, data="f4"))
    with h5py.File("bad_nan.h5ad", "a") as f:
        f["X/data"][-1] = np.nan
    h5ad("bad_negative.h5ad", lambda f: sparse(f, "X", X, data="f4"))
    with h5py.File("bad_negative.h5ad", "a") as f:
        f["X/data"][X.nnz - 3:] = -1
    h5ad("duplicate_cells.h5ad", lambda f: sparse(f, "X", X, data="i4"), cells=BARCODES[:38] + BARCODES[:2])
    h5ad("bad_no_cells.h5ad", lambda f: sparse(f, "X", X[:0], data="i4"), cells=[])
    h5ad("bad_no_genes.h5ad", lambda f: sparse(f, "X", X[:, :0], data="i4"), genes=[])
    h5ad("bad_index.h5ad", lambda f: sparse(f, "X", X, data="i4"))
    with h5py.File("bad_index.h5ad", "a") as f:
        f["X/indices"][100] = GENES
    h5ad("bad_indptr.h5ad", lambda f: sparse(f, "X", X, data="i4"))
    with h5py.File("bad_indptr.h5ad", "a") as f:
        f["X/indptr"][20] = 3
    h5ad("bad_shape.h5ad", lambda f: sparse(f, "X", X, data="i4", shape=(CELLS, 2**40)))
    h5ad("bad_filter.h5ad", lambda f: sparse(f, "X", X, data="i4", compression="szip", chunks=(64,)))
    h5ad("bad_no_matrix.h5ad", lambda f: f.create_group("layers"))
    with h5py.File("neither.h5", "w") as f:
        f["counts"] = DENSE
        f.create_group("metadata")
    with h5py.File("loom.h5", "w") as f:
        f["matrix"] = DENSE.T
        f.create_group("row_attrs")
        f.create_group("col_attrs")


expected()
tenx_v3("tenx_v3.h5", compression="gzip", compression_opts=4, shuffle=True)
tenx_v2("tenx_v2.h5", {"GRCh38": (range(GENES), range(CELLS))})
tenx_v2("tenx_v2_two_genomes.h5", {"hg19": (range(18), range(CELLS)), "mm10": (range(18, GENES), range(CELLS - 1, -1, -1))})
by_anndata()
by_hand()
old()
categorical_names()
bad()
