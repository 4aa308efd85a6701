"""Compares tables of predictions with each other and with the truth, level by level.

    python compare.py A.tsv B.tsv … [--truth TRUTH.tsv --column COLUMN --vocabulary VOCABULARY.tsv]

Tables: a column `cell` and columns `predicted.<level>`; only cells in all of them count. VOCABULARY.tsv maps both sides
to common words, as the two rarely use the same: columns `level`, `side` (truth or predicted), `label`, `common`; a
label that it does not name counts as it stands. Needs pandas.
"""

import argparse
import itertools

import pandas


def read(path):
    table = pandas.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return table.set_index("cell")


def translate(labels, vocabulary, level, side):
    rows = vocabulary[(vocabulary.level == level) & (vocabulary.side == side)]
    return labels.replace(dict(zip(rows.label, rows.common)))


def macro_f1(truth, predicted):
    scores = []
    for kind in sorted(set(truth)):
        both = ((truth == kind) & (predicted == kind)).sum()
        scores.append(2 * both / ((truth == kind).sum() + (predicted == kind).sum()))
    return sum(scores) / len(scores)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--truth")
    parser.add_argument("--column")
    parser.add_argument("--vocabulary")
    options = parser.parse_args()
    tables = {path: read(path) for path in options.tables}
    cells = sorted(set.intersection(*(set(table.index) for table in tables.values())))
    tables = {path: table.loc[cells] for path, table in tables.items()}
    first = next(iter(tables.values()))
    levels = [c.removeprefix("predicted.") for c in first.columns if c.startswith("predicted.") and not c.endswith(".score")]
    print(f"{len(cells)} cells\n")

    if options.truth:
        truth = read(options.truth).loc[cells, options.column]
        vocabulary = pandas.read_csv(options.vocabulary, sep="\t", dtype=str)
        named = [level for level in levels if (vocabulary.level == level).any()]
        print("| accuracy (macro F1) | " + " | ".join(named) + " |\n|---|" + "---|" * len(named))
        for path, table in tables.items():
            row = []
            for level in named:
                expected = translate(truth, vocabulary, level, "truth")
                found = translate(table[f"predicted.{level}"], vocabulary, level, "predicted")
                row.append(f"{(expected == found).mean():.4f} ({macro_f1(expected, found):.3f})")
            print(f"| {path} | " + " | ".join(row) + " |")
        print()

    if len(tables) > 1:
        print("| same label, % | " + " | ".join(levels) + " |\n|---|" + "---|" * len(levels))
        for (a, one), (b, other) in itertools.combinations(tables.items(), 2):
            row = [f"{100 * (one[f'predicted.{level}'] == other[f'predicted.{level}']).mean():.2f}" for level in levels]
            print(f"| {a} and {b} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
