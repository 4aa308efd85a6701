"""SingleR's method (Aran et al. 2019), cell by cell, as its published description and scran.js have it.

Markers of one class against another are the genes of the largest positive difference of medians, 500·(2/3)^log2(classes)
of them. A class scores the 0.8 quantile of the Spearman correlations between the cell and the class's cells, over the
markers of all pairs of classes. The classes within 0.05 of the best are scored again, over their own markers, until one is
left or none falls out. All cells with the same classes left are done at once, which changes no value.
"""

import numpy as np
import pandas
import scipy.stats

from learned import labels_of, normalized, predictions

QUANTILE, TUNING = 0.8, 0.05
BLOCK = 1000  # query cells at once


def medians(values, codes, classes):
    """Classes × genes. A gene that at most half of a class's cells have is 0 there."""
    found = np.zeros((classes, values.shape[1]), np.float32)
    for code in range(classes):
        cells = values[codes == code]
        often = np.flatnonzero(np.bincount(cells.indices, minlength=values.shape[1]) * 2 >= cells.shape[0])
        found[code, often] = np.median(cells[:, often].toarray(), axis=0)
    return found


def markers(values, codes, classes):
    """Genes of each class against each other: a dictionary of (class, other)."""
    of_class = medians(values, codes, classes)
    number = round(500 * (2 / 3) ** np.log2(classes))
    found = {}
    for one in range(classes):
        for other in range(classes):
            difference = of_class[one] - of_class[other]
            order = np.argsort(-difference, kind="stable")[:number]
            found[one, other] = order[difference[order] > 0]
    return found


def standard_ranks(dense):
    """Ranks of each row, ties shared, of mean 0 and length 1: their products are Spearman's correlations."""
    ranks = scipy.stats.rankdata(dense, axis=1).astype(np.float32)
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    return ranks / np.where(length > 0, length, 1)


class Scorer:
    def __init__(self, reference, codes, query, found):
        self.reference, self.codes, self.query, self.found = reference, codes, query, found

    def genes(self, left):
        return np.unique(np.concatenate([self.found[one, other] for one in left for other in left if one != other]))

    def scores(self, cells, left):
        """Of the classes `left` for the query's `cells`."""
        genes = self.genes(left)
        scores = np.zeros((len(cells), len(left)), np.float32)
        if len(genes) == 0:
            return scores
        profiles = [standard_ranks(self.reference[self.codes == code][:, genes].toarray()) for code in left]
        for start in range(0, len(cells), BLOCK):
            ranks = standard_ranks(self.query[cells[start : start + BLOCK]][:, genes].toarray())
            for column, profile in enumerate(profiles):
                scores[start : start + BLOCK, column] = np.quantile(ranks @ profile.T, QUANTILE, axis=1)
        return scores


def label_cells(scorer, classes):
    """The class of each cell of the query, and that class's first score."""
    everything = tuple(range(classes))
    first = scorer.scores(np.arange(scorer.query.shape[0]), everything)
    best = first.argmax(axis=1)
    waiting = group(np.arange(len(first)), first, everything, best)
    while waiting:
        left, cells = waiting.popitem()
        scores = scorer.scores(cells, left)
        best[cells] = np.array(left)[scores.argmax(axis=1)]
        for fewer, some in group(cells, scores, left, best).items():
            if fewer != left:
                waiting[fewer] = np.concatenate([waiting.get(fewer, some[:0]), some])
    return best, first[np.arange(len(best)), best]


def group(cells, scores, left, best):
    """The cells by the classes that stay near the best, where there are several."""
    near = scores >= scores.max(axis=1, keepdims=True) - TUNING
    found = {}
    patterns, which = np.unique(near, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.sum() > 1:
            found[tuple(np.array(left)[pattern].tolist())] = cells[which.ravel() == number]
    return found


def map_singler(folder):
    reference, genes, cells = normalized(folder / "reference.h5ad")
    query, query_genes, query_cells = normalized(folder / "query.h5ad")
    shared = genes.intersection(query_genes, sort=False)
    reference, query = reference[:, genes.get_indexer(shared)], query[:, query_genes.get_indexer(shared)]
    labels = labels_of(folder).loc[cells]
    parts = []
    for level in labels.columns:
        names, codes = np.unique(labels[level].to_numpy(dtype=str), return_inverse=True)
        scorer = Scorer(reference, codes, query, markers(reference, codes, len(names)))
        best, score = label_cells(scorer, len(names))
        parts.append(predictions(query_cells, level, names[best], score))
    return pandas.concat(parts)
