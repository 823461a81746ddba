"""What the build has made of the page: small, packed, and complete without the server."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support import ROOT

_FOLDER = ROOT / "server/dashboard"

#: Of the page's own script as it is sent.
_SCRIPT_LIMIT_BYTES = 120_000
#: Of all that a first visit loads where WebAssembly is fast enough.
_VISIT_LIMIT_BYTES = 800_000


def content(name: str) -> str:
    """Of a file of the page, packed or not."""
    path = _FOLDER / name
    return (
        path.read_text()
        if path.exists()
        else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()).decode()
    )


def sent_bytes(name: str) -> int:
    """What a browser is sent of a file."""
    packed = _FOLDER / f"{name}.br"
    return (packed if packed.exists() else _FOLDER / name).stat().st_size


@pytest.fixture(scope="module")
def kept() -> list[str]:
    """The files that the service worker keeps from the first visit on."""
    found = re.search(r'\[\{"url":.*?\}\]', content("sw.js"))
    assert found is not None
    return [entry["url"] for entry in json.loads(found[0])]


def page_scripts() -> set[str]:
    """The files of the page's own script: what index.html names, what that starts, and what both import."""
    found: set[str] = set()
    waiting = {f"assets/{name}" for name in re.findall(r'"\S*/?assets/([^"]+\.js)"', content("index.html"))}
    assert waiting
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(imported_by(name)) - found
    return found


def imported_by(name: str) -> Iterator[str]:
    code = content(name)
    for imported in re.findall(r"""(?:from|import)\s*["'`]\./([^"'`]+\.js)["'`]""", code):
        yield f"assets/{imported}"
    # The page itself is started once its language is known.
    for imported in re.findall(r"""import\(["'`]\./(page-[^"'`]+\.js)["'`]\)""", code):
        yield f"assets/{imported}"


def test_large_files_are_there_as_brotli_and_gzip_and_not_as_they_are() -> None:
    names = {path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob("*") if path.is_file()}
    bare = {name for name in names if not name.endswith((".br", ".gz"))}
    packed = {name.removesuffix(".br") for name in names if name.endswith(".br")}

    assert packed == {name.removesuffix(".gz") for name in names if name.endswith(".gz")}
    assert {Path(name).suffix for name in packed} == {".bin", ".css", ".js", ".json", ".wasm"}
    assert packed.isdisjoint(bare)
    large = {name for name in bare if (_FOLDER / name).stat().st_size > 1024 and name.startswith("assets/")}
    # Packed by their format, and numbers that hardly can be.
    assert {Path(name).suffix for name in large} == {".woff2", ".safetensors"}


def test_the_pages_own_code_and_font_are_asked_for_with_the_first_file() -> None:
    asked = re.findall(
        r'<link rel="(?:modulepreload|preload)"[^>]*href="\./(assets/[^"]+)"', content("index.html")
    )

    assert any(re.search(r"geist-latin-wght-normal-.*\.woff2$", name) for name in asked)
    assert {name for name in page_scripts() if "assets/index-" not in name} <= set(asked)


def test_the_pages_own_script_is_small() -> None:
    sizes = {name: sent_bytes(name) for name in page_scripts()}

    assert sum(sizes.values()) <= _SCRIPT_LIMIT_BYTES, sizes


def test_a_first_visit_loads_little(kept: list[str]) -> None:
    sizes = {name: sent_bytes(name) for name in [*kept, "sw.js"]}

    assert sum(sizes.values()) <= _VISIT_LIMIT_BYTES, sizes


def test_what_is_kept_for_later_is_all_that_the_page_needs_and_no_graphics_code(kept: list[str]) -> None:
    assert page_scripts() | {"index.html"} <= set(kept)
    for pattern in (
        "worker-",
        "blazeface-.*json",
        "blazeface-.*bin",
        "threaded-simd-.*wasm",
        "latin-wght",
        "css",
    ):
        assert any(re.search(pattern, name) for name in kept), pattern
    assert not any(re.search("webgl|webgpu|mainThread|latin-ext|verifier", name) for name in kept)


def test_the_page_can_be_installed() -> None:
    manifest = json.loads(content("manifest.webmanifest"))

    assert 'rel="manifest"' in content("index.html")
    assert manifest["display"] == "standalone"
    assert manifest["start_url"] == manifest["scope"] == "./"  # under any path
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            with Image.open(_FOLDER / icon["src"]) as picture:
                assert icon["sizes"] == f"{picture.width}x{picture.height}"


def test_licences_of_what_the_service_worker_is_made_of_are_among_the_others() -> None:
    assert "workbox-precaching" in content("licenses.md")
