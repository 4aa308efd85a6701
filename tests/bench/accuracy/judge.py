"""Judges the predictions that run.py left in a folder, and prints markdown tables.

    python judge.py WORK [--pairs a,b] [--methods a,b] [--into README.md]
    python judge.py --self-test

What counts: cells whose type the reference holds at the level in question. The other cells of a query are judged apart, as
unknown ones. Labels are compared by the common words of vocabulary.tsv. A label that is no class of the level (a parent,
"unknown") is no call: wrong in the accuracy, and listed. --into replaces what stands under "## Results" in a file.
"""

import argparse
import datetime
import importlib.metadata
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from pairs import DATASETS, PAIRS
from prepare import file_name

METHODS = ("seurat", "sextant_seurat", "sextant", "singler", "knn", "logreg")
UNCALIBRATED = ("singler",)  # its score is a correlation
SCALES = ("coarse", "fine")
LEAST_CELLS = 10  # of a class in the macro-F1, of unknown cells in an AUROC
BINS = 10


# ---- measures -------------------------------------------------------------------------------------------------


def macro_f1(truth, called):
    """Mean F1 of the classes with at least LEAST_CELLS cells; none if there are none."""
    scores = []
    for kind, count in truth.value_counts().items():
        if count >= LEAST_CELLS:
            both = ((truth == kind) & (called == kind)).sum()
            scores.append(2 * both / (count + (called == kind).sum()))
    return float(np.mean(scores)) if scores else np.nan


def auroc(score, unknown):
    """The chance that an unknown cell scores higher than a known one, ties half."""
    score, unknown = np.asarray(score, float), np.asarray(unknown, bool)
    positives, negatives = unknown.sum(), (~unknown).sum()
    if positives < LEAST_CELLS or negatives < LEAST_CELLS or np.isnan(score).any():
        return np.nan
    ranks = pandas.Series(score).rank().to_numpy()
    return float((ranks[unknown].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def reliability(stated, right, weights):
    """Per tenth of the stated value: weight, mean stated value, share that is right."""
    stated, right, weights = (np.asarray(values, float) for values in (stated, right, weights))
    tenth = np.clip((stated * BINS).astype(int), 0, BINS - 1)
    rows = []
    for number in range(BINS):
        inside = tenth == number
        total = weights[inside].sum()
        means = [np.average(v[inside], weights=weights[inside]) if total > 0 else np.nan for v in (stated, right)]
        rows.append((total / weights.sum(), *means))
    return pandas.DataFrame(rows, columns=["share", "stated", "right"])


def calibration_error(bins):
    filled = bins[bins.share > 0]
    return float((filled.share * (filled.stated - filled.right).abs()).sum())


# ---- reading --------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A folder that was mapped: its truth, and the words of its reference."""

    folder: Path

    def __post_init__(self):
        read = {"sep": "\t", "dtype": str, "keep_default_na": False}
        self.truth = pandas.read_csv(self.folder / "truth.tsv", **read).set_index("cell").label
        self.vocabulary = pandas.read_csv(self.folder / "vocabulary.tsv", **read)
        self.labels = pandas.read_csv(self.folder / "reference.labels.tsv", **read)
        self.levels = list(self.labels.columns[1:])
        self.tables = {}

    def words(self, level, side):
        rows = self.vocabulary[(self.vocabulary.level == level) & (self.vocabulary.side == side)]
        return dict(zip(rows.label, rows.common))

    def expected(self, level):
        """Common words of the query's cells, and whether the reference holds them."""
        held = {self.words(level, "predicted")[label] for label in self.labels[level].unique()}
        expected = self.truth.map(self.words(level, "truth"))
        return expected, expected.isin(held)

    def predicted(self, method, level):
        """The method's rows of one level in the order of the truth, `called` in common words; none if it has not run."""
        if method not in self.tables:
            path = self.folder / f"{method}.tsv"
            types = {"cell": str, "level": str, "label": str}
            self.tables[method] = pandas.read_csv(path, sep="\t", dtype=types) if path.exists() else None
        table = self.tables[method]
        if table is None:
            return None
        words = self.words(level, "predicted")
        words |= {label.replace("_", "-"): common for label, common in words.items()}  # Seurat's way with names
        rows = table[table.level == level].set_index("cell").reindex(self.truth.index)
        return rows.assign(called=rows.label.map(words).fillna(""))

    def failed(self, method):
        return (self.folder / f"{method}.failed").exists()


def scale_of(pair, level):
    return DATASETS[PAIRS[pair].reference[0]].levels[level]


def present(work, pairs, methods):
    return [method for method in methods if any(any((work / pair).rglob(f"{method}.tsv")) for pair in pairs)]


# ---- tables ---------------------------------------------------------------------------------------------------


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def number(value, digits=3):
    """Without the zero before the point, as the other tables have it."""
    if value is None or np.isnan(value):
        return "–"
    return f"{value:.{digits}f}".removeprefix("0")


def judge_level(case, method, level):
    """Accuracy, macro-F1, share of known cells that got a call, and accuracy among these."""
    rows = case.predicted(method, level)
    expected, known = case.expected(level)
    if rows is None or not known.any():
        return None
    truth, called = expected[known], rows.called[known]
    right, calls = truth == called, called != ""
    return {"accuracy": right.mean(), "f1": macro_f1(truth, called), "called": calls.mean(), "of_called": right[calls].mean()}


def mean_row(title, found, methods, show):
    """Means over what every method has; `found` maps (pair, level) to results by method."""
    whole = [results for results in found if all(results.get(method) for method in methods)]
    return [f"**{title}**", f"{len(whole)} rows"] + [
        show({key: np.nanmean([results[method][key] for results in whole]) for key in ("accuracy", "f1")}) if whole else "–"
        for method in methods
    ]


def accuracy_table(work, pairs, methods, title, cases, show_cells=True):
    """`cases`: (pair, name in the table, folder). Rows for each level, means for each role and scale."""
    def show(result):
        return "–" if result is None else f"{number(result['accuracy'])} ({number(result['f1'])})"

    rows, means = [], {}
    methods = [method for method in methods if any((folder / f"{method}.tsv").exists() for *_, folder in cases)]
    for pair, name, folder in cases:
        case = Case(folder)
        for level in case.levels:
            results = {method: judge_level(case, method, level) for method in methods}
            if not any(results[method] or case.failed(method) for method in methods):
                continue
            means.setdefault((PAIRS[pair].role, scale_of(pair, level)), []).append(results)
            cells = [show(results[method]) if results[method] or not case.failed(method) else "fails" for method in methods]
            rows.append([f"{name}, {level}", case.expected(level)[1].sum(), *cells])
    for (role, scale), found in sorted(means.items()):
        rows.append(mean_row(f"mean, {role}, {scale}", found, methods, show))
    return f"### {title}\n\n" + markdown(["accuracy (macro-F1)", "cells", *methods], rows)


def withheld_table(cases, methods):
    rows = []
    for pair, name, folder in cases:
        case = Case(folder)
        for level in case.levels:
            for method in methods:
                result = judge_level(case, method, level)
                if result and result["called"] < 1:
                    rows.append([f"{name}, {level}", method, number(1 - result["called"]), number(result["of_called"])])
    title = "### Cells without a call\n\n"
    return title + markdown(["pair, level", "method", "share withheld", "accuracy of the rest"], rows) if rows else ""


def stated_values(cases, method, column, role, scale):
    """Stated value, right or not, and weight of every called cell; each pair and level weighs the same."""
    parts = []
    for pair, _, folder in cases:
        case = Case(folder)
        for level in case.levels:
            rows = case.predicted(method, level) if PAIRS[pair].role == role and scale_of(pair, level) == scale else None
            if rows is None or column not in rows:
                continue
            expected, known = case.expected(level)
            use = known & (rows.called != "") & rows[column].notna()
            right = (rows.called == expected)[use]
            parts.append(pandas.DataFrame({"stated": rows[column][use], "right": right, "weight": 1 / max(use.sum(), 1)}))
    return pandas.concat(parts) if parts else None


def calibration_tables(cases, methods):
    """Expected calibration errors, and the reliability of the fine levels."""
    errors, diagram = [], {}
    for method in methods:
        for column in ("score", "confidence") if method not in UNCALIBRATED else ():
            row, any_found = [f"{method}, {column}"], False
            for role in ("development", "report"):
                for scale in SCALES:
                    values = stated_values(cases, method, column, role, scale)
                    bins = None if values is None else reliability(values.stated, values.right, values.weight)
                    any_found |= bins is not None
                    row.append("–" if bins is None else number(calibration_error(bins)))
                    if bins is not None and (role, scale) == ("report", "fine"):
                        diagram[f"{method}, {column}"] = bins
            if any_found:
                errors.append(row)
    header = ["ECE", *(f"{role}, {scale}" for role in ("development", "report") for scale in SCALES)]
    text = "### Calibration: expected calibration error\n\n" + markdown(header, errors)
    rows = [[f"{tenth / BINS:.1f} to {(tenth + 1) / BINS:.1f}"] + [
        "–" if bins.share[tenth] == 0 else f"{number(bins.right[tenth], 2)} ({100 * bins.share[tenth]:.0f} %)"
        for bins in diagram.values()] for tenth in range(BINS)]
    return text + "\n### Reliability, report pairs, fine levels: share that is right (share of the cells)\n\n" + markdown(["stated", *diagram], rows)


def measures(methods):
    """Name, method, and how a cell's doubt is read from its row."""
    for method in methods:
        yield f"{method}: 1 − score", method, lambda rows: 1 - rows["score"]
        yield f"{method}: 1 − confidence", method, lambda rows: 1 - rows["confidence"] if "confidence" in rows else None
        yield f"{method}: 1 − mapping score", method, lambda rows: 1 - rows["mapping.score"] if "mapping.score" in rows else None
        yield f"{method}: unknown score", method, lambda rows: rows.get("unknown.score")


def unknown_aurocs(case, level, known, unknown, methods):
    found, use = {}, known | unknown
    for name, method, doubt in measures(methods):
        rows = case.predicted(method, level)
        values = None if rows is None else doubt(rows)
        if values is not None:
            found[name] = auroc(values[use].fillna(1), unknown[use])
    return found


def left_out_rows(work, pairs, methods):
    """(pair, class, kind, unknown cells, AUROC by measure), at the coarsest level that lacks the class."""
    for pair in pairs:
        for label, (_, kind) in PAIRS[pair].left_out.items():
            whole, case = Case(work / pair), Case(work / pair / "without" / file_name(label))
            held = whole.expected(whole.levels[-1])[1]
            for level in case.levels:
                known = case.expected(level)[1]
                if (held & ~known).any():
                    yield pair, label, kind, (held & ~known).sum(), unknown_aurocs(case, level, held & known, held & ~known, methods)
                    break


def unknown_tables(work, pairs, methods):
    rows = list(left_out_rows(work, pairs, methods))
    # What has not been run everywhere has no mean to compare.
    used = [name for name, *_ in measures(methods) if all(name in row[4] for row in rows if row[4])]
    lines = [[kind, pair, label, count, *(number(found.get(name)) for name in used)] for pair, label, kind, count, found in
             sorted(rows, key=lambda row: row[2])]
    for kind in ("distant", "sibling"):
        for role in ("development", "report"):
            some = [row[4] for row in rows if row[2] == kind and PAIRS[row[0]].role == role]
            some = [found for found in some if all(name in found for name in used)]
            values = [number(np.nanmean([found[name] for found in some])) if some else "–" for name in used]
            lines.append([f"**{kind}**", f"**mean, {role}**", "", f"{len(some)} rows", *values])
    text = "### A class left out of the reference: AUROC, unknown against known cells\n\n"
    text += markdown(["kind", "pair", "left out", "cells", *used], lines)
    lines = []
    for pair in pairs:
        case = Case(work / pair)
        known = case.expected(case.levels[-1])[1]
        if (~known).sum() >= LEAST_CELLS:
            found = unknown_aurocs(case, case.levels[-1], known, ~known, methods)
            lines.append([pair, (~known).sum(), *(number(found.get(name)) for name in used)])
    return text + "\n### Types of the query that the reference never had: AUROC\n\n" + markdown(["pair", "cells", *used], lines)


def back_off_table(work, pairs, methods):
    """Where a sibling was left out: the share of cells without a call at the finest level, of its own and of known ones."""
    rows = []
    for pair in pairs:
        for label, (_, kind) in PAIRS[pair].left_out.items():
            case = Case(work / pair / "without" / file_name(label))
            held = Case(work / pair).expected(case.levels[-1])[1]
            known = case.expected(case.levels[-1])[1]
            for method in methods if kind == "sibling" else ():
                found = case.predicted(method, case.levels[-1])
                if found is not None and (found.called == "").any():
                    none = found.called == ""
                    rows.append([pair, label, method, number(none[held & ~known].mean()), number(none[known].mean())])
    title = "### A sibling left out: cells without a call at the finest level\n\n"
    return title + markdown(["pair", "left out", "method", "of the class", "of known cells"], rows) if rows else ""


def report(work, pairs, methods=METHODS):
    methods = present(work, pairs, methods)
    whole = [(pair, pair, work / pair) for pair in pairs]
    hard = [(pair, f"{pair}, {path.name}", path) for pair in pairs for path in sorted((work / pair / "hard").glob("*/"))]
    parts = [
        accuracy_table(work, pairs, methods, "Accuracy", whole),
        withheld_table(whole, methods),
        accuracy_table(work, pairs, methods, "Hard queries", hard),
        calibration_tables(whole, methods),
        unknown_tables(work, pairs, methods),
        back_off_table(work, pairs, methods),
    ]
    return "\n".join(part for part in parts if part)


def write_into(path, tables):
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    head = path.read_text().partition("\n## Results\n")[0]
    path.write_text(f"{head}\n## Results\n\n{datetime.date.today():%-d %B %Y}; {versions}. Numbers without the zero before the point.\n\n{tables}")


# ---- self-test ------------------------------------------------------------------------------------------------


def close(value, expected):
    assert abs(value - expected) < 1e-9, f"{value} is not {expected}"


def self_test():
    truth, called = pandas.Series(list("A" * 10 + "B" * 10 + "C")), pandas.Series(list("A" * 8 + "BB" + "B" * 10 + "A"))
    # A: 8 of 10 found, 9 called: F1 = 16/19. B: 10 of 10 found, 12 called: F1 = 20/22. C has too few cells.
    close(macro_f1(truth, called), (16 / 19 + 20 / 22) / 2)
    # Ten unknown cells at 3, ten known ones: five below, four equal, one above.
    close(auroc([3] * 10 + [1] * 5 + [3] * 4 + [5], [True] * 10 + [False] * 10), (5 + 4 / 2) / 10)
    # 0.95 twice, one right; 0.35 and 0.25 in bins of their own; the last weighs as much as the others together.
    bins = reliability([0.95, 0.95, 0.35, 0.25], [1, 0, 1, 0], [1, 1, 1, 3])
    close(calibration_error(bins), 2 / 6 * 0.45 + 1 / 6 * 0.65 + 3 / 6 * 0.25)
    close(bins.right[9], 0.5)
    close(bins.share[2], 0.5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "truth.tsv").write_text("cell\tlabel\n1\tCD4\n2\tCD8\n3\tB\n4\tmast\n")
        (folder / "reference.labels.tsv").write_text("cell\tl1\nr1\tT_cell\nr2\tB_cell\n")
        (folder / "vocabulary.tsv").write_text("level\tside\tlabel\tcommon\nl1\ttruth\tCD4\tT\nl1\ttruth\tCD8\tT\nl1\ttruth\tB\tB\n"
                                               "l1\ttruth\tmast\tmast\nl1\tpredicted\tT_cell\tT\nl1\tpredicted\tB_cell\tB\n")
        (folder / "m.tsv").write_text("cell\tlevel\tlabel\tscore\n2\tl1\tB_cell\t.5\n1\tl1\tT-cell\t.9\n3\tl1\tunknown\t.1\n4\tl1\tB_cell\t.2\n")
        result = judge_level(Case(folder), "m", "l1")
    # The mast cell is unknown to the reference; of the three others one is right, one wrong, one without a call.
    close(result["accuracy"], 1 / 3)
    close(result["called"], 2 / 3)
    close(result["of_called"], 1 / 2)
    print("judge: all values as computed by hand")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path)
    parser.add_argument("--pairs")
    parser.add_argument("--methods")
    parser.add_argument("--into", type=Path)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        self_test()
    elif options.work is None:
        parser.error("WORK is needed")
    else:
        pairs = options.pairs.split(",") if options.pairs else [pair for pair in PAIRS if (options.work / pair).is_dir()]
        tables = report(options.work, pairs, options.methods.split(",") if options.methods else METHODS)
        print(tables)
        if options.into:
            write_into(options.into, tables)


if __name__ == "__main__":
    main()
