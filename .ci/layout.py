"""Lays out dist/, called by Trunk after it has built (see Trunk.toml), in its staging folder.

Trunk leaves index.html, sextant.js, sextant_bg.wasm and snippets/ (the threaded engine), the hook before it left
single/ (the engine without threads). This adds

  the other files of www/    the page imports them itself, so they are copied as they are
  engine/RELEASE/threads/    the two engines, optimised; RELEASE in the path keeps a stale pair of glue and wasm apart
  engine/RELEASE/single/
  references/                what .ci/references built, catalogue.json, genes.json for the table of gene names, and
                             published.json for references of Azimuth that are not beside the page
  release.json               release, commit, version, pages of memory, and every file with its hash

RELEASE is a hash over all files, so the same files are the same release, whenever and wherever they were built.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from published import copy_published, is_published

ROOT = Path(__file__).resolve().parent.parent
# Spelt out, since wasm-bindgen drops the section that would tell wasm-opt.
FEATURES = ["simd", "bulk-memory", "mutable-globals", "sign-ext", "nontrapping-float-to-int", "reference-types", "multivalue"]
# Read by the host, or by the browser past every cache: not for the page's own cache.
NOT_CACHED = {"_headers", "sw.js"}
TOKEN = b"__RELEASE__"


def stop(sentence):
    sys.exit(f"build: {sentence}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder):
    """Every file below the folder as its path with slashes, sorted: the same list on every machine."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def optimise(wasm, threads):
    """wasm-opt -O3 in place. It also drops the names of functions."""
    command = Path(os.environ["SEXTANT_NODE"]) / ".bin" / "wasm-opt"
    flags = [f"--enable-{feature}" for feature in FEATURES + (["threads"] if threads else [])]
    result = subprocess.run([command, "-O3", "--strip-producers", *flags, wasm, "-o", wasm], capture_output=True, text=True)
    if result.returncode != 0:
        stop(f"wasm-opt could not optimise {wasm.name}: {result.stderr.strip()}")


def leb128(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def imported_memory(wasm):
    """(initial pages, shared) of the module's imported memory, or None.

    The page creates the memory, with a maximum that the browser grants, so it has to know where the module starts.
    """
    data = wasm.read_bytes()
    at = 8
    while at < len(data):
        section = data[at]
        size, at = leb128(data, at + 1)
        if section == 2:
            return memory_in_imports(data, at)
        at += size
    return None


def memory_in_imports(data, at):
    count, at = leb128(data, at)
    for _ in range(count):
        for _ in range(2):  # module and name
            length, at = leb128(data, at)
            at += length
        kind = data[at]
        at += 1
        if kind == 0:  # function
            _, at = leb128(data, at)
        elif kind == 2:  # memory
            flags, at = leb128(data, at)
            return leb128(data, at)[0], bool(flags & 2)
        elif kind == 1:  # table: type of its elements, limits
            flags, at = leb128(data, at + 1)
            for _ in range(1 + (flags & 1)):
                _, at = leb128(data, at)
        elif kind == 3:  # global: type, whether it can change
            at += 2
        else:
            stop(f"the engine imports something of kind {kind}, which this script does not know.")
    return None


def move_engines(stage):
    """engine/threads and engine/single, without the release in the path yet; the pages of memory of the first."""
    for name in ("sextant.js", "sextant_bg.wasm", "single/sextant.js", "single/sextant_bg.wasm"):
        if not (stage / name).is_file():
            stop(f"Trunk left no {name}. Does www/index.html still carry the link rel=\"rust\" with data-type=\"worker\"?")
    threads, single = stage / "engine/threads", stage / "engine/single"
    threads.mkdir(parents=True)
    (stage / "single").rename(single)
    for name in ("sextant.js", "sextant_bg.wasm", "snippets"):
        if (stage / name).exists():
            (stage / name).rename(threads / name)
    for name in ("sextant.d.ts", "sextant_bg.wasm.d.ts"):
        (stage / name).unlink(missing_ok=True)
    memory = imported_memory(threads / "sextant_bg.wasm")
    if memory is None or not memory[1]:
        stop("the threaded engine imports no shared memory. Were the flags of .ci/wasm.sh passed to the linker?")
    if imported_memory(single / "sextant_bg.wasm") is not None:
        stop("the engine without threads imports a memory: it was built with the flags of the threaded one.")
    optimise(threads / "sextant_bg.wasm", threads=True)
    optimise(single / "sextant_bg.wasm", threads=False)
    return imported_memory(threads / "sextant_bg.wasm")[0]


def copy_page(stage):
    """Everything in www/ but index.html, which Trunk has written."""
    for name in files(ROOT / "www"):
        if name == "index.html" or any(part.startswith(".") for part in name.split("/")):
            continue
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "www" / name, stage / name)


def copy_references(stage):
    """The bundles and demos with their entries in references/catalogue.json."""
    catalogue = []
    default = ROOT / "references/pbmc/reference.toml"
    # The first one is what the page starts with.
    for recipe in sorted((ROOT / "references").glob("*/reference.toml"), key=lambda path: (path != default, path)):
        name = recipe.parent.name
        bundle = recipe.parent / f"{name}.sextant.zip"
        if not bundle.is_file():
            stop(f"references/{name}/{bundle.name} is missing. Run .ci/references, which builds it.")
        target = stage / "references" / name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle, target / bundle.name)
        with zipfile.ZipFile(bundle) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            cells = len(json.loads(archive.read("cells.json")))
        about = manifest["about"]
        entry = {
            "name": name,
            "title": about["title"],
            "bundle": f"references/{name}/{bundle.name}",
            "bytes": bundle.stat().st_size,
            "sha256": sha256(bundle),
            "license": about["license"],
            "citation": about["citation"],
            "description": about["description"],
            "species": about["species"],
            "tissue": about["tissue"],
            "starter": about["starter"],
            "cells": cells,
            "levels": [{"name": level["name"], "classes": len(level["classes"])} for level in manifest["levels"]],
        }
        described = tomllib.loads(recipe.read_text(encoding="utf-8"))
        if "demo" in described:
            entry["demo"] = copy_demo(stage, recipe.parent, described["demo"])
        catalogue.append(entry)
    catalogue += copy_published(ROOT, stage)
    write_json(stage / "references/catalogue.json", catalogue)


def copy_genes(stage):
    """The table of gene names with its entry, references/genes.json."""
    table = ROOT / "references/genes/genes.sextant.table"
    if not table.is_file():
        stop(f"references/genes/{table.name} is missing. Run .ci/references, which builds it.")
    path = f"references/{table.name}"
    (stage / "references").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(table, stage / path)
    described = tomllib.loads((table.parent / "genes.toml").read_text(encoding="utf-8"))
    write_json(stage / "references/genes.json", {
        "path": path,
        "bytes": table.stat().st_size,
        "sha256": sha256(table),
        "title": described["title"],
        "version": described["version"],
        "description": described["description"],
        "sources": described["source"],
    })


def copy_demo(stage, folder, demo):
    source = folder / demo["file"]
    if not source.is_file():
        stop(f"references/{folder.name}/reference.toml names the demo '{demo['file']}', which the recipe did not write.")
    # Several references may have the same demo: it is stored once.
    path = f"references/{source.resolve().parent.parent.name}/{source.name}"
    (stage / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, stage / path)
    return {
        "path": path,
        "name": source.name,
        "title": demo["title"],
        "bytes": source.stat().st_size,
        "sha256": sha256(source),
        "license": demo["license"],
    }


def commit():
    """The commit, with a plus behind it where files were changed since; empty outside of git."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    name = git("rev-parse", "--short=12", "HEAD")
    return name + ("+" if name and git("status", "--porcelain", "--untracked-files=no") else "")


def name_release(stage, pages):
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    listing = "".join(f"{name}\0{sha256(stage / name)}\n" for name in files(stage))
    release = hashlib.sha256(listing.encode()).hexdigest()[:16]
    (stage / "engine").rename(stage / "engine.moving")
    (stage / "engine").mkdir()
    (stage / "engine.moving").rename(stage / "engine" / release)
    worker = stage / "sw.js"
    if worker.is_file():
        content = worker.read_bytes()
        # Without it a browser would never see that there is something new.
        if TOKEN not in content:
            stop(f"www/sw.js does not contain {TOKEN.decode()}, which is replaced by the release.")
        worker.write_bytes(content.replace(TOKEN, release.encode()))
    kept = [name for name in files(stage) if name not in NOT_CACHED and not is_published(name)]
    write_json(stage / "release.json", {
        "release": release,
        "commit": commit(),
        "version": version,
        "memory_pages": pages,
        "files": [{"path": name, "sha256": sha256(stage / name), "bytes": (stage / name).stat().st_size} for name in kept],
    })
    size = sum((stage / name).stat().st_size for name in files(stage))
    print(f"build: release {release}, {len(kept) + 2} files, {size / 1e6:.1f} MB")


def main():
    stage = Path(os.environ.get("TRUNK_STAGING_DIR") or stop("Trunk calls this; run .ci/build."))
    pages = move_engines(stage)
    copy_page(stage)
    copy_references(stage)
    copy_genes(stage)
    name_release(stage, pages)


if __name__ == "__main__":
    main()
