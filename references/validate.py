#!/usr/bin/env python3
"""Full cross-validation of the references whose cells are of several donors, studies or batches, with and without integration.

usage: validate.py COMMAND_SEXTANT [--threads N] [--into cross_validation.md] [REFERENCE ...]

Each part is held out in turn, the reference is built anew from the rest, and the part is mapped onto it (`sextant reference
validate`). Prints the tables of references/cross_validation.md, or puts them there between the lines `<!-- measured -->`. The
labelled counts have to be there (.ci/references).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "<!-- measured -->\n"
REFERENCES = ("pancreas", "lung", "mouse-marrow")


def validated(command, name, column, threads, more):
    """What `sextant reference validate` writes."""
    folder = HERE / name
    wanted = tomllib.loads((folder / "reference.toml").read_text(encoding="utf-8"))["build"]
    words = [command, "reference", "validate", folder / wanted["input"], "--labels", ",".join(wanted["levels"]), "--by", column,
             "--threads", threads, *more]
    words += ["--min-cells", wanted["min_cells"]] if "min_cells" in wanted else []
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "validated.json"
        result = subprocess.run([str(word) for word in [*words, "--out", out]], capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"validate: {name}: {result.stderr.strip()}")
        return json.loads(out.read_text(encoding="utf-8"))


def column_of(name):
    """What a reference's cells are held out by: as its build is told, or as the bundle found it."""
    wanted = tomllib.loads((HERE / name / "reference.toml").read_text(encoding="utf-8"))["build"]
    return wanted.get("held_out_by") or {"lung": "donor", "mouse-marrow": "batch"}[name]


def number(value):
    return "none" if value is None else f"{value:.3f}"


def rows(name, how, found):
    for level in found["levels"]:
        yield (f"| `{name}` | `{found['column']}`, {len(found['parts'])} parts | {how} | {level['name']} | {level['cells']:,} | "
               f"{number(level['accuracy'])} | {number(level['macro_f1'])} | {number(level['calibration_error'])} |")


def parts(name, found):
    for part in found["parts"]:
        if "failed" in part:
            yield f"| `{name}` | {part['name']} | {part['cells']:,} | {part['failed']} | | |"
        else:
            shares = ", ".join(f"{level['name']} {number(level['accuracy'])}" for level in part["levels"])
            macro = ", ".join(f"{level['name']} {number(level['macro_f1'])}" for level in part["levels"])
            yield f"| `{name}` | {part['name']} | {part['cells']:,} | {shares} | {macro} | {part['percent_cells_with_anchors']:.0f} % |"


def classes(name, found):
    level = found["levels"][-1]
    for each in level["classes"]:
        if each["cells"]:
            yield f"| `{name}` | {each['name']} | {each['cells']:,} | {number(each['accuracy'])} | {number(each['f1'])} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=Path)
    parser.add_argument("references", nargs="*", default=REFERENCES)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    command = arguments.command.resolve()
    of_all, of_parts, of_classes = [], [], []
    for name in arguments.references:
        column = column_of(name)
        plain = validated(command, name, column, arguments.threads, [])
        integrated = validated(command, name, column, arguments.threads, ["--batch", column])
        of_all += [*rows(name, "plain", plain), *rows(name, f"`--batch {column}`", integrated)]
        of_parts += parts(name, plain)
        of_classes += classes(name, plain)
    text = "\n".join([
        "| reference | held out by | embedding | level | judged cells | accuracy | macro-F1 | calibration error |",
        "|---|---|---|---|---|---|---|---|", *of_all, "",
        "Part by part, plain:", "",
        "| reference | part | cells | accuracy | macro-F1 | cells with anchors |", "|---|---|---|---|---|---|", *of_parts, "",
        "Class by class at the finest level, plain:", "",
        "| reference | class | judged cells | share right | F1 |", "|---|---|---|---|---|", *of_classes, "",
    ])
    if arguments.into is None:
        print(text)
        return
    pieces = arguments.into.read_text(encoding="utf-8").split(MARK)
    if len(pieces) != 3:
        sys.exit(f"validate: {arguments.into} has no two lines '{MARK.strip()}'.")
    arguments.into.write_text(MARK.join([pieces[0], text, pieces[2]]), encoding="utf-8")


if __name__ == "__main__":
    main()
