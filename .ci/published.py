"""References that Azimuth publishes as a part of the page: called by layout.py.

Those that were imported and fit a static host stand beside the page and in its catalogue: they are fetched when they are
chosen, and not with the page. Of the larger ones, and of those that were not imported, references/published.json says where
they are, and the page gives the links; it is there always, and holds all of them where none was imported.
"""

import hashlib
import json
import shutil
import tomllib
import zipfile

# GitHub takes no file above 100 MB and no site above 1 GB.
LARGEST_FILE = 95_000_000
LARGEST_ALL = 800_000_000
FOLDER = "references/azimuth"


def copy_published(root, stage):
    """Copies the bundles that fit, and gives their entries of the catalogue."""
    entries, elsewhere, total = [], [], 0
    for described in sorted((root / FOLDER).glob("*.toml")):
        about = tomllib.loads(described.read_text(encoding="utf-8"))
        name, bundle = described.stem, described.with_suffix(".sextant.zip")
        size = bundle.stat().st_size if bundle.is_file() else None
        if size is None or size > LARGEST_FILE or total + size > LARGEST_ALL:
            elsewhere.append({"name": f"azimuth-{name}", "title": about["title"], "address": about["file"]["address"],
                              "source": about["source"], "citation": about["citation"], "bytes": size})
            continue
        total += size
        entries.append(entry(name, bundle, size))
        target = stage / FOLDER / bundle.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle, target)
    listing = stage / "references/published.json"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(json.dumps(elsewhere, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return entries


def entry(name, bundle, size):
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        cells = len(json.loads(archive.read("cells.json")))
    about = manifest["about"]
    told = {key: about[key] for key in ("title", "license", "citation", "description", "species", "tissue")}
    return {
        "name": f"azimuth-{name}",
        "bundle": f"{FOLDER}/{bundle.name}",
        "bytes": size,
        "sha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "cells": cells,
        "levels": [{"name": level["name"], "classes": len(level["classes"])} for level in manifest["levels"]],
        **told,
    }


def is_published(name):
    """Whether a file of the page is one of the bundles, which the page's own cache leaves out."""
    return name.startswith(f"{FOLDER}/")
