"""Which datasets are mapped onto which, with which levels, and what is taken out of them.

A dataset is a folder of DATA with `assembled.h5ad` (raw counts in X). `label` is its finest column of labels; the
table of `vocabulary/<tissue>.tsv` gives its words in common ones, on a coarse and a fine scale. `levels` are those of a
reference made of it, coarse before fine, each with the scale on which its classes are compared; a level that is no
column of the file is taken from the table.
"""

from dataclasses import dataclass, field


@dataclass
class Dataset:
    tissue: str
    label: str
    levels: dict  # name -> "coarse" or "fine"


@dataclass
class Pair:
    reference: tuple  # dataset, column, values; the column is None where all cells are taken
    query: tuple
    role: str  # "development": may guide a choice; "report": only reported
    left_out: dict = field(default_factory=dict)  # common class -> (scale, "distant" or "sibling")
    hard: bool = False  # whether the hard queries are made of it


PBMC = {"coarse": "coarse", "cell_type": "fine"}
DATASETS = {
    "kang_ifnb_pbmc": Dataset("pbmc", "cell_type", PBMC),
    "pbmc3k": Dataset("pbmc", "cell_type", PBMC),
    "teaseq_pbmc": Dataset("pbmc", "l3", {"l1": "coarse", "l2": "fine", "l3": "fine"}),
    "pancreas_atlas": Dataset("pancreas", "cell_type", {"coarse": "coarse", "cell_type": "fine"}),
    "pancreas_baron_h1": Dataset("pancreas", "cell_type", {"coarse": "coarse", "cell_type": "fine"}),
    "mouse_paul15": Dataset("marrow", "cluster", {"cell_type": "coarse", "cluster": "fine"}),
    "lung_ts": Dataset("lung", "cell_type", {"compartment": "coarse", "cell_type": "fine"}),
}

BLOOD = {
    "B": ("coarse", "distant"),
    "NK": ("coarse", "distant"),
    "Mono": ("coarse", "distant"),
    "CD8 T": ("fine", "sibling"),
    "FCGR3A Mono": ("fine", "sibling"),
}
ISLETS = {
    "beta": ("fine", "distant"),
    "ductal": ("fine", "distant"),
    "endothelial": ("coarse", "distant"),
    "delta": ("fine", "sibling"),
    "gamma": ("fine", "sibling"),
}

KANG = "kang_ifnb_pbmc"
CONTROL, STIMULATED = (KANG, "condition", ["ctrl"]), (KANG, "condition", ["stim"])
ALL_KANG, PBMC3K, TEASEQ = (KANG, None, None), ("pbmc3k", None, None), ("teaseq_pbmc", None, None)
ATLAS, BARON = ("pancreas_atlas", None, None), ("pancreas_baron_h1", None, None)
NUCLEI = ("pancreas_atlas", "Dataset", ["Tosti et al. 2021"])
TENX_CELLS = ["Fasolino et al. 2022", "Tritschler et al. 2022"]
MURARO = ["Muraro et al. 2016"]
HELD_OUT = ["4", "8", "12", "16"]
KEPT = [str(batch) for batch in range(1, 17) if str(batch) not in HELD_OUT]

PAIRS = {
    "kang_ctrl_to_kang_stim": Pair(CONTROL, STIMULATED, "development", BLOOD, hard=True),
    "pbmc3k_to_kang": Pair(PBMC3K, ALL_KANG, "development", BLOOD),
    "pancreas_atlas_to_baron": Pair(ATLAS, BARON, "development", ISLETS, hard=True),
    "paul15_batches": Pair(("mouse_paul15", "batch", KEPT), ("mouse_paul15", "batch", HELD_OUT), "development"),
    "teaseq_to_pbmc3k": Pair(TEASEQ, PBMC3K, "report", BLOOD, hard=True),
    "pbmc3k_to_teaseq": Pair(PBMC3K, TEASEQ, "report", BLOOD, hard=True),
    "baron_to_pancreas_atlas": Pair(BARON, ATLAS, "report", ISLETS, hard=True),
    "nuclei_to_cells": Pair(NUCLEI, ("pancreas_atlas", "Dataset", TENX_CELLS + MURARO), "report"),
    "atlas_10x_to_celseq2": Pair(("pancreas_atlas", "Dataset", [NUCLEI[2][0]] + TENX_CELLS), ("pancreas_atlas", "Dataset", MURARO), "report"),
    "lung_donors": Pair(("lung_ts", "donor_id", ["TSP2"]), ("lung_ts", "donor_id", ["TSP1", "TSP14"]), "report"),
    "kang_stim_to_kang_ctrl": Pair(STIMULATED, CONTROL, "report"),
    "kang_to_pbmc3k": Pair(ALL_KANG, PBMC3K, "report", BLOOD, hard=True),
    "teaseq_to_kang": Pair(TEASEQ, ALL_KANG, "report"),
    "kang_to_teaseq": Pair(ALL_KANG, TEASEQ, "report"),
}
