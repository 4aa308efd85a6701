"""Writes the counts of an H5AD file as Cell Ranger 3 would (HDF5, gzip 4), and its labels as a table, for the peers.

    python to_10x.py INPUT.h5ad PREFIX [LEVEL,LEVEL…]     -> PREFIX.h5, and PREFIX.labels.tsv if levels are named

X must hold the raw counts. Genes are called as var's feature_name says where there is one: its index then holds ids.
Needs anndata, h5py, numpy and scipy.
"""

import sys

import anndata
import h5py
import numpy as np
import scipy.sparse as sparse

CHUNK = 80_000


def write_10x(path, counts, genes, gene_ids, cells):
    """`counts`: cells x genes."""
    counts = sparse.csr_matrix(counts)
    counts.sort_indices()
    if (counts.data != np.round(counts.data)).any():
        sys.exit(f"{path}: X holds values that are not integers; the raw counts are needed")
    with h5py.File(path, "w") as out:
        matrix = out.create_group("matrix")
        features = matrix.create_group("features")

        def add(group, name, values):
            values = np.asarray(values)
            group.create_dataset(name, data=values, chunks=(max(1, min(len(values), CHUNK)),), compression="gzip", compression_opts=4)

        add(matrix, "data", counts.data.astype(np.int32))
        add(matrix, "indices", counts.indices.astype(np.int64))
        add(matrix, "indptr", counts.indptr.astype(np.int64))
        add(matrix, "shape", np.array(counts.shape[::-1], np.int32))
        add(matrix, "barcodes", np.array(cells, "S"))
        add(features, "id", np.array(gene_ids, "S"))
        add(features, "name", np.array(genes, "S"))
        add(features, "feature_type", np.full(len(genes), b"Gene Expression"))
        add(features, "genome", np.full(len(genes), b"GRCh38"))
        features.create_dataset("_all_tag_keys", data=np.array([b"genome"]))


def main(source, prefix, levels=""):
    data = anndata.read_h5ad(source)
    gene_ids = data.var["gene_ids"] if "gene_ids" in data.var else data.var_names
    genes = data.var["feature_name"] if "feature_name" in data.var else data.var_names
    write_10x(f"{prefix}.h5", data.X, list(genes.astype(str)), list(gene_ids), list(data.obs_names))
    if levels:
        table = data.obs[levels.split(",")]
        table.to_csv(f"{prefix}.labels.tsv", sep="\t", index_label="cell")
    print(f"{prefix}.h5: {data.n_obs} cells, {data.n_vars} genes")


if __name__ == "__main__":
    main(*sys.argv[1:])
