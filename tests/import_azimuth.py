"""Whether .ci/import-azimuth fetches, goes on where a download stopped, checks and imports, on a server of its own; and whether
what says where the references are, and the workflow that imports them, can be read.

usage: python tests/import_azimuth.py COMMAND_SEXTANT
"""

import hashlib
import importlib.machinery
import importlib.util
import json
import sys
import tempfile
import threading
import tomllib
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ci"))
sys.dont_write_bytecode = True
import published  # noqa: E402

CONTENT = (ROOT / "tests/data/azimuth/proteins.Rds").read_bytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ranges = []


class Server(BaseHTTPRequestHandler):
    """Breaks off the first answer of each address; /absent is not there, /whole takes no ranges."""

    def do_GET(self):
        if self.path == "/absent":
            return self.send_error(404)
        asked = self.headers.get("Range")
        ranges.append((self.path, asked))
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.path != "/whole" else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        first = [path for path, _ in ranges].count(self.path) == 1
        self.wfile.write(CONTENT[start:] if not first else CONTENT[start:100_000])

    def log_message(self, *_):
        pass


def load_script():
    loader = importlib.machinery.SourceFileLoader("import_azimuth", str(ROOT / ".ci/import-azimuth"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("import_azimuth", loader))
    loader.exec_module(module)
    return module


def described(address, **more):
    lines = ['title = "Kang"', 'license = "L"', 'citation = "C"', 'source = "S"', "[file]", f'address = "{address}"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    levels = ['levels = ["celltype.l1", "no such column"]'] if "levels" in address else []
    return "\n".join(levels + lines)


def fetches_and_imports(script, sextant, folder, server):
    at = f"http://127.0.0.1:{server.server_port}"
    (folder / "references/azimuth").mkdir(parents=True)
    script.PUBLISHED = folder / "references/azimuth"
    files = {
        "resumed": described(f"{at}/resumed", size=len(CONTENT), sha256=SHA256),
        "whole": described(f"{at}/whole"),
        "levels": described(f"{at}/levels"),
        "changed": described(f"{at}/changed", sha256="0" * 64),
        "absent": described(f"{at}/absent"),
        "short": 'title = "x"\n',
    }
    for name, text in files.items():
        (script.PUBLISHED / f"{name}.toml").write_text(text)

    def fails(name):
        try:
            script.import_one(sextant, name, script.PUBLISHED)
        except script.Failed as error:
            return str(error)
        return None

    for name in ("resumed", "whole", "levels"):
        assert fails(name) is None, name
        with zipfile.ZipFile(script.PUBLISHED / f"{name}.sextant.zip") as bundle:
            about = json.loads(bundle.read("manifest.json"))["about"]
        assert (about["name"], about["license"]) == (f"azimuth-{name}", "L"), about
    assert ranges[:2] == [("/resumed", None), ("/resumed", "bytes=100000-")], ranges
    before = len(ranges)
    assert fails("resumed") is None and len(ranges) == before, "what is there is not fetched again"
    assert fails("changed") == (f"{at}/changed has the sha256 {SHA256}, and references/azimuth/changed.toml states {'0' * 64}. "
                                "It was deleted."), fails("changed")
    assert fails("absent") == f"{at}/absent answered 404 Not Found."
    assert fails("short") == "references/azimuth/short.toml lacks license, citation, source, [file] address."
    assert fails("none").startswith("there is no references/azimuth/none.toml. Known are: absent, changed")


def stands_beside_the_page(folder):
    stage = folder / "stage"
    (stage / "references").mkdir(parents=True)
    for name in ("absent", "changed", "short"):
        (folder / f"references/azimuth/{name}.toml").unlink(missing_ok=name == "changed")
    published.LARGEST_ALL = sum((folder / f"references/azimuth/{name}.sextant.zip").stat().st_size for name in ("levels", "resumed"))
    (folder / "references/azimuth/other.toml").write_text(described("http://127.0.0.1/other"))
    entries = published.copy_published(folder, stage)
    assert [entry["name"] for entry in entries] == ["azimuth-levels", "azimuth-resumed"], entries
    for entry in entries:
        content = (stage / entry["bundle"]).read_bytes()
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert entry["cells"] == 250 and entry["levels"][0] == {"name": "celltype.l1", "classes": 3}, entry
        assert published.is_published(entry["bundle"])
    elsewhere = json.loads((stage / "references/published.json").read_text())
    assert [entry["name"] for entry in elsewhere] == ["azimuth-other", "azimuth-whole"], elsewhere
    assert not published.is_published("references/published.json")
    # Where none was imported, all are elsewhere.
    for bundle in (folder / "references/azimuth").glob("*.sextant.zip"):
        bundle.unlink()
    assert published.copy_published(folder, stage) == []
    elsewhere = json.loads((stage / "references/published.json").read_text())
    assert [entry["name"] for entry in elsewhere] == [f"azimuth-{name}" for name in ("levels", "other", "resumed", "whole")], elsewhere
    assert all(entry["address"].startswith("http://127.0.0.1") and entry["bytes"] is None for entry in elsewhere), elsewhere


def descriptions_and_workflow_can_be_read(script):
    script.PUBLISHED = ROOT / "references/azimuth"
    names = sorted(path.stem for path in script.PUBLISHED.glob("*.toml"))
    assert len(names) == 15, names
    for name in names:
        found = script.settings(name)
        assert found["file"]["address"].startswith("https://zenodo.org/records/"), name
        known = {"title", "species", "tissue", "description", "source", "license", "citation", "levels", "file"}
        assert set(found) <= known, name
    try:
        import yaml
    except ImportError:
        return print("import-azimuth: the workflow was not read, since Python has no yaml here")
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text())
    assert set(workflow["jobs"]) == {"test", "published", "build", "deploy"}, workflow["jobs"]


def main(sextant):
    script = load_script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        fetches_and_imports(script, sextant, Path(folder), server)
        stands_beside_the_page(Path(folder))
    server.shutdown()
    descriptions_and_workflow_can_be_read(script)


if __name__ == "__main__":
    main(sys.argv[1])
