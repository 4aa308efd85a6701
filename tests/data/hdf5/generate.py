#!/usr/bin/env python3
"""Writes small HDF5 files in every way that h5py writes them, and expected.tsv: what h5py reads from them.

Needs h5py and hdf5plugin (written with h5py 3.16, HDF5 2.0, hdf5plugin 7.1). Run it in this folder. Each line of
expected.tsv has a file, a path, a kind, a number of values, and a checksum (CRC-32):
    number    the values as doubles, row by row, least significant byte first
    text      the strings, a zero behind each
    table     the names of the columns, and then as above for each column, by its kind
    members   the names in a group, sorted, as text
    text@a, numbers@a    the same of the attribute a
    refused   nothing: it is no array of one or two dimensions of numbers or text
"""
import zlib

import h5py
import hdf5plugin
import numpy as np

rng = np.random.default_rng(1)
TEXT = h5py.string_dtype()
NUMBERS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f2", ">f4", ">f8", ">i2", ">i4", ">i8", ">u2", ">u4", ">u8"]
X = (rng.random((100, 17)) * 10).astype("f4")
RAMP = np.arange(1600, dtype="i4")


def low_level(group, name, data, change):
    """For what h5py's own calls do not offer."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    change(creation)
    kind = h5py.h5t.py_create(data.dtype)
    dataset = h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple(data.shape), creation)
    h5py.Dataset(dataset)[...] = data


def numbers(f):
    for kind in NUMBERS:
        values = (rng.random(150) * 100).astype(kind)
        name = kind.replace(">", "big_")
        f.create_dataset(f"numbers/{name}", data=values)
        f.create_dataset(f"numbers/{name}_gzip", data=values, chunks=(40,), compression="gzip", shuffle=True)
    f["numbers/extremes"] = np.array([2**63, 2**64 - 1, 0], "u8")
    f["numbers/infinite"] = np.array([np.inf, -np.inf, -0.0, 5e-324], "f8")
    f["numbers/bool"] = X[:, 0] > 5
    f.create_dataset("numbers/bool_gzip", data=X[:, 0] > 5, chunks=(30,), compression="gzip")
    f.create_dataset("numbers/enum", data=np.array([0, 1, 2, 1], "i4"), dtype=h5py.enum_dtype({"A": 0, "B": 1, "C": 2}, basetype="i4"))
    f["numbers/type"] = np.dtype("f8")
    f.create_dataset("numbers/of_named_type", data=np.arange(10.0), dtype=f["numbers/type"])


def filters(f):
    grid = {"data": X, "chunks": (32, 5)}
    for name, settings in {
        "none": {}, "gzip": {"compression": "gzip"}, "gzip_shuffle": {"compression": "gzip", "shuffle": True},
        "gzip_shuffle_checksum": {"compression": "gzip", "shuffle": True, "fletcher32": True},
        "lzf": {"compression": "lzf"}, "lzf_shuffle": {"compression": "lzf", "shuffle": True}, "checksum": {"fletcher32": True},
    }.items():
        f.create_dataset(f"filters/{name}", **grid, **settings)
    f.create_dataset("filters/scaleoffset", data=(X * 10).astype("i4"), chunks=(32, 5), scaleoffset=0)
    f.create_dataset("filters/scaleoffset_fill", data=(X * 10).astype("u2"), chunks=(32, 5), scaleoffset=0, fillvalue=7)
    f.create_dataset("filters/scaleoffset_float", data=X, chunks=(32, 5), scaleoffset=2)
    f.create_dataset("filters/scaleoffset_big_endian", data=(X * 10).astype(">i4"), chunks=(32, 5), scaleoffset=0)

    def nbit(creation):
        creation.set_chunk((32, 5))
        creation.set_filter(h5py.h5z.FILTER_NBIT)
    low_level(f["filters"], "nbit", (X * 10).astype("i4"), nbit)
    f.create_dataset("filters/refused_szip", **grid, compression="szip")


def chunks(f):
    g = f.create_group("chunks")
    g.create_dataset("single", data=X, chunks=X.shape, compression="gzip")
    g.create_dataset("single_unfiltered", data=X, chunks=X.shape)
    for name, settings in {"": {"compression": "gzip"}, "_unfiltered": {}}.items():
        g.create_dataset("growing" + name, data=RAMP, chunks=(3,), maxshape=(None,), **settings)
        g.create_dataset("fixed" + name, data=RAMP[:100], chunks=(7,), **settings)
        g.create_dataset("fixed_paged" + name, data=RAMP[:1100], chunks=(1,), **settings)
        g.create_dataset("growing_both" + name, data=RAMP.reshape(40, 40), chunks=(3, 4), maxshape=(None, None), **settings)
        g.create_dataset("bounded" + name, data=RAMP.reshape(40, 40), chunks=(7, 9), maxshape=(200, 80), **settings)
        g.create_dataset("growing_down" + name, data=RAMP.reshape(40, 40), chunks=(7, 9), maxshape=(None, 40), **settings)

    def early(creation):
        creation.set_chunk((32, 5))
        creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    low_level(g, "implicit", X, early)
    low_level(g, "compact", RAMP[:20], lambda creation: creation.set_layout(h5py.h5d.COMPACT))
    sparse = g.create_dataset("sparse_fill", shape=(1000,), chunks=(100,), dtype="i4", fillvalue=-7, compression="gzip")
    sparse[250:260] = 5
    g.create_dataset("never_written", shape=(1000,), dtype="f4", fillvalue=3.5)
    g.create_dataset("never_written_chunks", shape=(1000, 3), chunks=(10, 2), dtype=">u2", fillvalue=258)
    g.create_dataset("empty", shape=(0,), dtype="f4")
    g.create_dataset("empty_rows", shape=(0, 5), dtype="f4")
    shrunk = g.create_dataset("shrunk", data=RAMP[:200], chunks=(20,), maxshape=(None,), compression="gzip")
    shrunk.resize((70,))


def text(f):
    words = [f"gene_{i}_é" for i in range(300)]
    f.create_dataset("text/any", data=words, dtype=TEXT)
    f.create_dataset("text/any_gzip", data=words, dtype=TEXT, chunks=(70,), compression="gzip", shuffle=True)
    f.create_dataset("text/ascii", data=["a", "bb", "", "dddd"], dtype=h5py.string_dtype("ascii"))
    f["text/fixed"] = np.array([word.encode() for word in words], "S20")
    f.create_dataset("text/fixed_gzip", data=np.array([word.encode() for word in words], "S20"), chunks=(70,), compression="gzip")
    f["text/scalar"] = "hello wörld"
    f.create_dataset("text/empty", shape=(0,), dtype=TEXT)
    f.create_dataset("text/long", data=["x" * 66000, "y" * 500], dtype=TEXT)
    f.create_dataset("text/partly_written", shape=(9,), dtype=TEXT, chunks=(3,))[4] = "middle"


def tables(f):
    kind = np.dtype([("index", TEXT), ("n_genes", "<i8"), ("pct", "<f4"), ("louvain", "i1"), ("big", ">u2")])
    rows = np.zeros(50, kind)
    rows["index"] = [f"cell{i}" for i in range(50)]
    rows["n_genes"], rows["pct"], rows["louvain"], rows["big"] = np.arange(50), np.arange(50) / 2, np.arange(50) % 5 - 1, np.arange(50) * 9
    f["tables/any"] = rows
    f.create_dataset("tables/any_gzip", data=rows, chunks=(20,), compression="gzip")
    fixed = np.zeros(50, np.dtype([("index", "S10"), ("n_genes", "<i8"), ("pct", "<f4")]))
    fixed["index"], fixed["n_genes"] = [f"c{i}" for i in range(50)], np.arange(50)
    f.create_dataset("tables/fixed_gzip", data=fixed, chunks=(20,), compression="gzip", shuffle=True)


def others(f):
    f["refused/complex"] = np.arange(5) + 1j
    f["nothing"] = h5py.Empty("f4")
    f["refused/three"] = np.zeros((2, 3, 4))
    f.create_dataset("refused/lists", shape=(3,), dtype=h5py.vlen_dtype("i4"))[0] = [1, 2, 3]
    f.create_dataset("refused/references", data=np.array([f["text"].ref], dtype=h5py.ref_dtype))
    f.create_dataset("refused/arrays", shape=(3,), dtype=np.dtype(("i4", (2, 2))))
    f["soft"] = h5py.SoftLink("/filters/gzip")
    f["elsewhere"] = h5py.ExternalLink("nowhere.h5", "/x")
    f["hard"] = f["filters/gzip"]
    for i in range(150):
        f[f"many/d{i:03}"] = h5py.SoftLink("/hard")
    g = f.create_group("attributes")
    g.attrs.update({"text": "scalär", "fixed": np.bytes_("fixed"), "seven": 7, "numbers": np.arange(5), "flag": True, "empty": ""})
    g.attrs["texts"] = np.array(["a", "bé", "ccc"], object)
    g.attrs["fixed_texts"] = np.array([b"x", b"yy"])
    g = f.create_group("many_attributes")
    for i in range(40):
        g.attrs[f"a{i:02}"] = f"value {i}"
    g = f.create_group("tracked", track_order=True)
    for name in ["z", "a", "m"] + [f"q{i}" for i in range(20)]:
        g[name] = 1.0
        g.attrs[name] = name


def compressed(f):
    counts = rng.poisson(0.3, (700, 13)).astype("f4")
    plugins = {
        "zstd": hdf5plugin.Zstd(clevel=5), "lz4": hdf5plugin.LZ4(), "lz4_blocks": hdf5plugin.LZ4(nbytes=2048), "bzip2": hdf5plugin.BZip2(),
        "bitshuffle": hdf5plugin.Bitshuffle(cname="none"), "bitshuffle_lz4": hdf5plugin.Bitshuffle(cname="lz4"),
        "bitshuffle_zstd": hdf5plugin.Bitshuffle(cname="zstd"), "bitshuffle_blocks": hdf5plugin.Bitshuffle(nelems=64, cname="lz4"),
        "refused_blosc2": hdf5plugin.Blosc2(cname="zstd"), "refused_zfp": hdf5plugin.Zfp(reversible=True),
    }
    for compressor in ["blosclz", "lz4", "lz4hc", "zlib", "zstd"]:
        for shuffle, name in enumerate(["", "_shuffle", "_bits"]):
            plugins[f"blosc_{compressor}{name}"] = hdf5plugin.Blosc(cname=compressor, clevel=9, shuffle=shuffle)
    noise = rng.random(500)
    for name, plugin in plugins.items():
        f.create_dataset(f"plugins/{name}", data=counts, chunks=(256, 13), **plugin)
        if "refused" not in name:
            f.create_dataset(f"plugins/{name}_noise", data=noise, chunks=(300,), **plugin)
            f.create_dataset(f"plugins/{name}_bytes", data=counts.astype("u1").ravel(), chunks=(5003,), **plugin)
            f.create_dataset(f"plugins/{name}_zeros", data=np.zeros(9000, "i8"), chunks=(9000,), **plugin)
    words = [f"barcode_{i}" for i in range(200)]
    for name in ["zstd", "blosc_lz4_shuffle", "bitshuffle_lz4"]:
        if "blosc" not in name:  # Blosc divides by the size of an element, which HDF5 gives as zero for these
            f.create_dataset(f"text/{name}", data=words, dtype=TEXT, chunks=(90,), **plugins[name])
        f.create_dataset(f"text/{name}_fixed", data=np.array(words, "S12"), chunks=(90,), **plugins[name])
    f.create_dataset("plugins/shuffle_zstd", data=counts, chunks=(256, 13), shuffle=True, fletcher32=True, **plugins["zstd"])


def as_text(values):
    return b"".join((value if isinstance(value, bytes) else value.encode()) + b"\0" for value in values)


def crc(content):
    return f"{zlib.crc32(content):08x}"


def describe(f, path, node):
    """The lines that are expected of a node."""
    for name, value in sorted(node.attrs.items()):
        value = np.atleast_1d(value) if not isinstance(value, h5py.Empty) else value
        if isinstance(value, h5py.Empty) or value.dtype == h5py.ref_dtype:
            continue
        if value.dtype.kind in "OSU":
            yield f"text@{name}", len(value), crc(as_text(list(value)))
        else:
            yield f"numbers@{name}", len(value), crc(value.astype("<i8").tobytes())
    if isinstance(node, h5py.Group):
        yield "members", len(node), crc(as_text(sorted(node)))
    elif not isinstance(node, h5py.Dataset):
        return
    elif "refused" in path:
        yield "refused", 0, "-"
    elif node.shape is None:
        yield "number", 0, crc(b"")
    elif node.dtype.names:
        content = as_text(node.dtype.names)
        for name in node.dtype.names:
            values = node[()][name]
            content += as_text(list(values)) if values.dtype.kind in "OS" else values.astype("<f8").tobytes()
        yield "table", len(node), crc(content)
    elif h5py.check_string_dtype(node.dtype):
        values = np.atleast_1d(node[()]).tolist() if node.shape == () else node[()].tolist()
        yield "text", len(values), crc(as_text(values))
    else:
        values = np.asarray(node[()]).astype("<f8")
        yield "number", values.size, crc(values.tobytes())


with open("expected.tsv", "w") as out:
    everything = [numbers, filters, chunks, text, tables, others]
    for file, settings, parts in [
        ("earliest.h5", {"libver": "earliest"}, everything),
        ("v110.h5", {"libver": ("v110", "v110")}, everything),
        ("latest.h5", {"libver": "latest"}, everything),
        ("paged.h5", {"libver": "latest", "fs_strategy": "page", "fs_persist": True, "fs_page_size": 1024}, [filters]),
        ("user_block.h5", {"userblock_size": 1024}, [filters, text, tables, others]),
        ("plugins.h5", {}, [compressed]),
    ]:
        with h5py.File(file, "w", **settings) as f:
            for part in parts:
                part(f)
            paths = [""]
            f.visit(paths.append)
            for path in paths + [name for name in ["soft"] if name in f]:
                for kind, count, checksum in describe(f, path, f[path] if path else f):
                    print(file, "/" + path, kind, count, checksum, sep="\t", file=out)
