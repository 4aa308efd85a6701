"""What fuzzing starts from: seeds.py OUTPUT writes a folder of files for each target.

Made from the files that the tests read. What is packed with a checksum is unpacked, so that changed bytes reach the
parsers: folders become plain tar archives, and gzip is taken off.
"""

import bz2
import gzip
import io
import lzma
import sys
import tarfile
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
FORMATS = DATA / "formats"
PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}


def unpacked(content):
    for beginning, unpack in PACKED.items():
        if content.startswith(beginning):
            return unpack(content)
    return content


def tar(members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
    return packed.getvalue().rstrip(b"\0") + bytes(1024)


def files(folder, *endings):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(endings))


def seeds():
    text = FORMATS / "text"
    for path in files(DATA, ".h5", ".h5ad", ".h5seurat", ".loom", ".h5mu"):
        yield "hdf5", path.name, path.read_bytes()
    for path in files(FORMATS, ".zarr.tar"):
        yield "zarr", path.name, path.read_bytes()
    for folder in sorted({path.parent for path in files(text, ".mtx", ".mtx.gz")}):
        members = [(path.name.removesuffix(".gz"), unpacked(path.read_bytes())) for path in files(folder, "")]
        yield "mex", folder.name, tar(members)
    for path in sorted(text.iterdir()):
        if path.name.removesuffix(".gz").endswith((".csv", ".tsv", ".txt")):
            yield "table", path.name, unpacked(path.read_bytes())
    for path in [*files(text, ".tar", ".zip", ".gz"), *files(FORMATS, ".zarr.zip", ".zarr.tar")]:
        yield "archive", path.name, path.read_bytes()
        if path.name.endswith(".tar.gz"):
            yield "archive", path.stem, unpacked(path.read_bytes())
    for path in files(FORMATS / "r", ".rds", ".rda"):
        yield "r", path.name, unpacked(path.read_bytes())
        if path.name.startswith("dgc_"):
            yield "r", f"packed_{path.name}", path.read_bytes()
    for path in files(DATA / "bundle", ".tar"):
        yield "bundle", path.name, path.read_bytes()
    for path in files(DATA / "azimuth", ".Rds"):
        yield "azimuth", path.name, unpacked(path.read_bytes())
    for path in files(DATA / "symphony", ".rds"):
        yield "symphony", path.name, unpacked(path.read_bytes())
    for path in files(DATA / "genes", ".table"):
        yield "genes", path.name, path.read_bytes()
        yield "genes", f"{path.name}_unpacked", unpacked(path.read_bytes())
    # What was found before.
    found = Path(__file__).resolve().parent / "found"
    for path in files(found, "") if found.exists() else []:
        yield path.parent.name, f"found_{path.name}", path.read_bytes()


def main():
    count = 0
    for target, name, content in seeds():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        count += 1
    print(f"seeds: {count} files")


main()
