"""A reference as Symphony builds it (Kang et al. 2021): made in Python, written by R.

log1p of counts per 10,000; the genes of the largest variance; scaled and bounded at ±10; singular value decomposition; Harmony
(harmonypy). What symphony's buildReference() does with its own selection of genes.
"""

import subprocess
import tempfile
from pathlib import Path

import harmonypy
import numpy as np
import pandas as pd
import scipy.sparse as sp

HERE = Path(__file__).resolve().parent


def log_normalized(counts):
    """Cells × genes: log1p of counts per 10,000."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    return sp.csr_matrix(sp.diags(10_000 / totals) @ counts).log1p()


def scaled(values, mean, stddev):
    return np.clip((np.asarray(values.todense()) - mean) / stddev, -10, 10)


def build(counts, genes, meta, batch, features, dimensions, clusters=None):
    """The parts of the list, with loadings and places rounded to f32, since that is what a bundle holds."""
    logs = log_normalized(counts).tocsc()
    mean = np.asarray(logs.mean(axis=0)).ravel()
    squares = np.asarray(logs.multiply(logs).mean(axis=0)).ravel()
    cells = counts.shape[0]
    variance = (squares - mean**2) * cells / (cells - 1)
    # Relative to what genes of such a mean have: the ratio to the mean will do here.
    spread = np.where(mean > 0.01, variance / np.maximum(mean, 1e-9), 0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[:features])
    mean, stddev = mean[chosen], np.sqrt(variance[chosen])
    x = scaled(logs[:, chosen], mean, stddev)
    _, _, right = np.linalg.svd(x, full_matrices=False)
    loadings = right[:dimensions].T.astype(np.float32).astype(float)
    original = x @ loadings
    harmony = harmonypy.run_harmony(
        original, meta, batch, theta=2, nclust=clusters, random_state=0, ncores=1, verbose=False
    )
    corrected = np.asarray(harmony.Z_corr)
    if corrected.shape != original.shape:
        corrected = corrected.T
    shares = np.asarray(harmony.R)
    if shares.shape[1] != cells:
        shares = shares.T
    corrected = corrected.astype(np.float32).astype(float)
    return {
        "symbol": [genes[gene] for gene in chosen],
        "mean": mean,
        "stddev": stddev,
        "loadings": loadings,
        "Z_orig": original.T,
        "Z_corr": corrected.T,
        "R": shares,
        "Nr": shares.sum(axis=1),
        "C": (shares @ corrected).astype(np.float32).astype(float),
        "meta": meta,
    }


def write(parts, out, style):
    """Has write.R put the parts together: `style` is reference, uncorrected or plain."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in ["loadings", "Z_orig", "Z_corr", "R", "C"]:
            np.asarray(parts[name], dtype="<f8").T.tofile(folder / name)
        shapes = pd.DataFrame({name: parts[name].shape for name in ["loadings", "Z_orig", "Z_corr", "R", "C"]})
        shapes.to_csv(folder / "shapes.csv", index=False)
        genes = pd.DataFrame({name: parts[name] for name in ["symbol", "mean", "stddev"]})
        genes.to_csv(folder / "vargenes.csv", index=False)
        pd.DataFrame({"Nr": parts["Nr"]}).to_csv(folder / "Nr.csv", index=False)
        parts["meta"].to_csv(folder / "meta.csv", index_label="cell_id")
        subprocess.run(["Rscript", HERE / "write.R", folder, out, style], check=True)


def mapped_by_symphonypy(parts, counts, genes):
    """The query before and after its correction, as symphonypy's map_embedding gives them."""
    import anndata as ad
    import symphonypy

    symbols = pd.Index(parts["symbol"])
    reference = ad.AnnData(np.zeros((parts["Z_corr"].shape[1], len(symbols))), var=pd.DataFrame(index=symbols))
    reference.var["mean"], reference.var["std"] = parts["mean"], parts["stddev"]
    reference.var["highly_variable"] = True
    reference.varm["PCs"] = parts["loadings"]
    reference.uns["harmony"] = {
        "Nr": parts["Nr"],
        "C": parts["C"],
        "K": len(parts["Nr"]),
        "sigma": 0.1,
        "ref_basis_loadings": "PCs",
        "ref_basis_adjusted": "X_pca_harmony",
        "vars_use": "condition",
        "harmony_kwargs": {},
        "converged": True,
        "R": parts["R"],
    }
    query = ad.AnnData(sp.csr_matrix(log_normalized(counts)), var=pd.DataFrame(index=genes))
    query.uns["log1p"] = {}
    symphonypy.tl.map_embedding(query, reference)
    return query.obsm["X_pca_reference"], query.obsm["X_pca_harmony"]
