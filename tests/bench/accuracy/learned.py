"""The methods that scikit-learn gives: a vote of neighbours in log-normalised PCA, and CellTypist's logistic regression.

Both see log(1 + counts per 10,000).
"""

import warnings

import anndata
import numpy as np
import pandas
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

from programs import levels_of, owner

FEATURES, DIMENSIONS, NEIGHBORS = 3000, 50, 15
TOP_GENES = 300  # a class, as CellTypist's feature selection
PASSES = 20  # of the fit that chooses genes; it need not end
CLIP = 10  # of scaled values, as CellTypist


def normalized(path):
    """Cells × genes, sparse, and the genes' names."""
    cells = anndata.read_h5ad(path)
    counts = sparse.csr_matrix(cells.X, dtype=np.float32)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    counts.data *= np.repeat(1e4 / np.maximum(totals, 1), np.diff(counts.indptr)).astype(np.float32)
    np.log1p(counts.data, out=counts.data)
    return counts, cells.var_names, cells.obs_names


def labels_of(folder):
    return pandas.read_csv(folder / "reference.labels.tsv", sep="\t", dtype=str, keep_default_na=False).set_index("cell")


def predictions(cells, level, labels, scores):
    return pandas.DataFrame({"cell": cells, "level": level, "label": labels, "score": scores})


# ---- neighbours -----------------------------------------------------------------------------------------------


def variable_genes(values, number):
    """Indices of the genes most dispersed for their mean: 20 bins of the mean, as Seurat's first method and scanpy's default."""
    linear = values.copy()
    np.expm1(linear.data, out=linear.data)
    mean = np.asarray(linear.mean(axis=0)).ravel()
    variance = np.asarray(linear.multiply(linear).mean(axis=0)).ravel() - mean**2
    present = np.flatnonzero(mean > 0)
    table = pandas.DataFrame({"mean": np.log1p(mean[present])})
    table["dispersion"] = np.log(np.maximum(variance[present] / mean[present], 1e-12))
    bins = table.groupby(pandas.cut(table["mean"], 20), observed=True)["dispersion"]
    spread = bins.transform("std").fillna(0)
    centre = bins.transform("mean").where(spread > 0, 0)
    scaled = (table["dispersion"] - centre) / spread.where(spread > 0, 1)
    return np.sort(present[np.argsort(-scaled.to_numpy(), kind="stable")[:number]])


def map_knn(folder):
    reference, genes, cells = normalized(folder / "reference.h5ad")
    query, query_genes, query_cells = normalized(folder / "query.h5ad")
    shared = genes.intersection(query_genes, sort=False)
    reference, query = reference[:, genes.get_indexer(shared)], query[:, query_genes.get_indexer(shared)]
    chosen = variable_genes(reference, FEATURES)
    pca = PCA(DIMENSIONS, svd_solver="arpack", random_state=0)
    in_pca = pca.fit_transform(reference[:, chosen])
    query_in_pca = pca.transform(query[:, chosen])
    labels = labels_of(folder).loc[cells]
    parts = []
    for level in labels.columns:
        vote = KNeighborsClassifier(NEIGHBORS, algorithm="brute").fit(in_pca, labels[level])
        shares = vote.predict_proba(query_in_pca)
        parts.append(predictions(query_cells, level, vote.classes_[shares.argmax(axis=1)], shares.max(axis=1)))
    return pandas.concat(parts)


# ---- logistic regression --------------------------------------------------------------------------------------


def scaled(values, mean, deviation):
    dense = values.toarray()
    dense -= mean
    dense /= deviation
    return np.minimum(dense, CLIP, out=dense)


def fit_logreg(values, genes, labels):
    """Genes by a first, quick fit; then one class against the rest on these."""
    mean = np.asarray(values.mean(axis=0)).ravel()
    variance = np.asarray(values.multiply(values).mean(axis=0)).ravel() - mean**2
    present = np.flatnonzero(variance > 1e-10)
    mean, deviation = mean[present].astype(np.float32), np.sqrt(variance[present]).astype(np.float32)
    dense = scaled(values[:, present], mean, deviation)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        quick = SGDClassifier(loss="log_loss", max_iter=PASSES, random_state=0).fit(dense, labels)
    top = np.argpartition(-np.abs(quick.coef_), TOP_GENES, axis=1)[:, :TOP_GENES]
    chosen = np.unique(top)
    model = OneVsRestClassifier(LogisticRegression(max_iter=1000)).fit(dense[:, chosen], labels)
    return {
        "genes": np.asarray(genes[present[chosen]], dtype=str),
        "mean": mean[chosen],
        "deviation": deviation[chosen],
        "classes": np.asarray(model.classes_, dtype=str),
        "weights": np.vstack([one.coef_[0] for one in model.estimators_]).astype(np.float32),
        "intercepts": np.array([one.intercept_[0] for one in model.estimators_]),
    }


def models(folder):
    """A model a level, kept beside the reference."""
    home, levels, found = owner(folder, "reference.h5ad"), levels_of(folder), {}
    missing = [level for level in levels if not (home / f"logreg.{level}.npz").exists()]
    if missing:
        values, genes, cells = normalized(home / "reference.h5ad")
        labels = labels_of(home).loc[cells]
        for level in missing:
            np.savez(home / f"logreg.{level}.npz", **fit_logreg(values, genes, labels[level].to_numpy()))
    for level in levels:
        with np.load(home / f"logreg.{level}.npz") as arrays:
            found[level] = dict(arrays)
    return found


def map_logreg(folder):
    fitted = models(folder)
    query, query_genes, cells = normalized(folder / "query.h5ad")
    parts = []
    for level, model in fitted.items():
        place = query_genes.get_indexer(model["genes"])
        use = place >= 0
        values = scaled(query[:, place[use]], model["mean"][use], model["deviation"][use])
        decision = values @ model["weights"][:, use].T + model["intercepts"]
        best = decision.argmax(axis=1)
        probability = 1 / (1 + np.exp(-decision.max(axis=1)))
        parts.append(predictions(cells, level, model["classes"][best], probability))
    return pandas.concat(parts)
