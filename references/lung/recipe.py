#!/usr/bin/env python3
"""Fetch and assemble what the `lung` reference is built from, and its demo query.

usage: recipe.py OUTPUT_FOLDER [CACHE_FOLDER]

Writes into OUTPUT_FOLDER
  tabula_sapiens_lung.h5ad   955 cells x 58,559 genes, raw counts in X, in obs: compartment, cell_type, donor
  delorey_nuclei.h5          1,786 nuclei x 33,567 genes of another study, raw counts, as Cell Ranger 3 writes them (10x
                             HDF5); no labels

The package's file has 1,000 cells. The 45 by Smart-seq2 are left out: their counts are reads of whole transcripts, up to
half a million, of which one model with the others' molecules cannot be fitted. What the packages hold is checked by
SHA-256 (reference.toml). Two runs give the same bytes. Needs numpy, scipy, pandas, h5py and anndata.
"""

import io
import sys
from pathlib import Path

import anndata
import numpy
import pandas

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from recipes import labelled, raw_counts, start, write_10x, write_h5ad

TAKEN = "10x 3' v3"


def tabula_sapiens(content):
    data = anndata.read_h5ad(io.BytesIO(content))
    kept = numpy.flatnonzero(data.obs["assay"] == TAKEN)
    ids = [name.partition(".")[0] if name.startswith("ENSG") else name for name in data.var["ensemblid"].astype(str)]
    genes = pandas.DataFrame({"feature_name": data.var_names.astype(str)}, index=ids)
    cells = data.obs.iloc[kept]
    columns = {"compartment": cells["compartment"], "cell_type": cells["cell_type"], "donor": cells["donor_id"]}
    return labelled(raw_counts(data.X, "Tabula Sapiens")[kept], cells.index, genes, columns)


def main():
    output, _, files = start(__file__)
    write_h5ad(tabula_sapiens(files["dataset/test/ts_lung_subset.h5ad"]), output / "tabula_sapiens_lung.h5ad")
    query = anndata.read_h5ad(io.BytesIO(files["notebooks/HLCA_query.h5ad"]))
    cells = [f"{cell}-1" for cell in query.obs_names]
    write_10x(output / "delorey_nuclei.h5", raw_counts(query.X, "HLCA_query.h5ad"), cells, query.var["gene_ids"], query.var["gene_names"],
              genome="GRCh38", chemistry="not recorded", library="delorey")


if __name__ == "__main__":
    main()
