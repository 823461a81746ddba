"""The wheel, installed where the checkout is not: complete, and no more than what one asked for."""

import json
import subprocess
from pathlib import Path, PurePath
from zipfile import ZipFile

import httpx
import pytest

from tests.installations import Installation
from tests.portraits import portrait_file
from tests.servers import QUICK_MODEL, ServerProcess
from tests.support import PATIENCE_S, ROOT

pytestmark = pytest.mark.installs

#: Of the base package's environment, with the bytecode that pip writes. Measured: 154 MB, of which 28 MB are
#: bytecode, 71 MB NumPy, 24 MB our weights and 6 MB the page.
_BASE_LIMIT_BYTES = 160_000_000

_HEAVY = {"av", "cv2", "fastapi", "matplotlib", "openvino", "pandas", "pyarrow", "torch", "uvicorn"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installation:
    return Installation(tmp_path_factory.mktemp("base"), wheel)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder, with a photograph, a film and a ``server.py`` of their own."""
    (tmp_path / "face.jpg").write_bytes(portrait_file())
    (tmp_path / "film.mp4").write_bytes(b"\0" * 100)
    (tmp_path / "server.py").write_text("raise SystemExit('this is not Emostream')")
    return tmp_path


# What is in it


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    """Those in the repository, or in it with the next commit, and the two folders that make fills."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "server"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    expected = {ROOT / name for name in listed.splitlines() if (ROOT / name).exists()}
    for made in ("server/dashboard", "server/detection/models"):
        expected |= {path for path in (ROOT / made).rglob("*") if path.is_file()}

    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if PurePath(name).parts[0] == "emostream"}

    assert packed == {f"emostream/{path.relative_to(ROOT / 'server').as_posix()}" for path in expected}


def test_the_wheel_holds_page_detector_weights_and_recipes(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()

    for name in (
        "emostream/dashboard/index.html",
        "emostream/dashboard/licenses.md",
        "emostream/detection/models/face_detection_full_range.tflite",
        "emostream/detection/models/face_detection_short_range.tflite",
        "emostream/py.typed",
        "emostream/training/recipes/from_scratch.yaml",
        "emostream/weights/compact-mobilenet-a.safetensors",
    ):
        assert name in names


def test_the_detectors_files_come_with_their_licence_and_where_they_are_from(wheel: Path) -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    version = lock["packages"]["node_modules/@mediapipe/face_detection"]["version"]
    files = [line.split()[1] for line in (ROOT / "server/detection/SHA256SUMS").read_text().splitlines()]

    with ZipFile(wheel) as archive:
        [info] = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        for place in ("emostream/detection", f"{info}/licenses/server/detection"):
            notice = archive.read(f"{place}/NOTICE").decode()
            assert all(word in notice for word in (version, *files, "Apache License"))
            assert "TERMS AND CONDITIONS" in archive.read(f"{place}/LICENSE").decode()
        assert "MIT License" in archive.read(f"{info}/licenses/LICENSE").decode()


# The base: the client and its sources


def test_the_base_package_is_small(base: Installation) -> None:
    files = [path for path in base.site_packages.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < _BASE_LIMIT_BYTES
    assert _HEAVY.isdisjoint(path.name for path in base.site_packages.iterdir())


@pytest.mark.parametrize("module", ["client", "sources", "writers", "faces", "exceptions"])
def test_the_client_and_what_it_reads_and_writes_need_the_base_only(
    base: Installation, folder: Path, module: str
) -> None:
    assert base.evaluate(folder, f"import emostream.{module}; print('imported')") == "imported"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("serve", "emostream serve needs emostream[server]: {pip} install 'emostream[server]'"),
        ("predict face.jpg", "emostream predict needs emostream[server]: {pip} install 'emostream[server]'"),
        ("train recipe.yaml", "emostream train needs emostream[train]: {pip} install 'emostream[train]'"),
        ("stream film.mp4", "reading a video needs PyAV: {pip} install 'emostream[video]'"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_the_command_to_type(
    base: Installation, folder: Path, command: str, error: str
) -> None:
    done = base.run(folder, base.program, *command.split())

    assert done.returncode == 1
    assert done.stderr == f"error: {error.format(pip=f'{base.python} -m pip')}\n"
    assert done.stdout == ""


def test_names_that_need_an_extra_can_be_looked_at_without_it(base: Installation, folder: Path) -> None:
    program = (
        "import emostream, inspect\n"
        "from emostream import *\n"
        "print(hasattr(emostream, 'analyze'), Analyzer.__name__, bool(inspect.getmembers(emostream)))"
    )

    assert base.evaluate(folder, program) == "True Analyzer True"


def test_analysing_in_process_names_the_extra_that_it_needs(base: Installation, folder: Path) -> None:
    program = (
        "import emostream\n"
        "try: emostream.analyze('face.jpg')\n"
        "except emostream.EmostreamError as error: print(error)"
    )

    assert base.evaluate(folder, program).endswith("pip install 'emostream[server]'")


def test_the_base_package_streams_a_photograph_to_a_server(
    base: Installation, full_installation: Installation, folder: Path, cache_dir: Path
) -> None:
    process = ServerProcess(folder, cache_dir, python=full_installation.python, model=QUICK_MODEL)
    try:
        options = ("--detect", "server", "--out", "faces.csv")
        done = base.run(
            folder, base.program, "stream", "face.jpg", "--url", process.ws, *options, no_proxy="127.0.0.1"
        )
    finally:
        process.end()

    assert done.returncode == 0, done.stderr
    header, row = (folder / "faces.csv").read_text().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["emotion"] == "happiness"


# Names


def test_nothing_named_server_can_be_imported(full_installation: Installation, tmp_path: Path) -> None:
    program = "from importlib.util import find_spec; print(find_spec('server'))"

    assert full_installation.evaluate(tmp_path, program) == "None"


def test_a_users_own_server_module_is_left_alone(full_installation: Installation, folder: Path) -> None:
    installed, path = full_installation, str(folder)

    version = installed.run(folder, installed.program, "--version", PYTHONPATH=path)
    module = installed.run(folder, installed.python, "-m", "emostream", "--version", PYTHONPATH=path)
    program = "from emostream.client import connect_sync; print(connect_sync.__name__)"

    assert version.stdout == module.stdout == "emostream 0.1.0\n", version.stderr + module.stderr
    assert installed.evaluate(folder, program, PYTHONPATH=path) == "connect_sync"


@pytest.mark.parametrize("module", ["emostream", "emostream.client", "emostream.sources", "emostream.faces"])
def test_what_the_client_needs_imports_nothing_heavy_where_it_is_installed(
    full_installation: Installation, tmp_path: Path, module: str
) -> None:
    program = f"import sys, {module}; print(sorted({_HEAVY!r} & sys.modules.keys()))"

    assert full_installation.evaluate(tmp_path, program) == "[]"


# All of it, in another folder


def test_the_package_is_found_in_its_own_environment(full_installation: Installation, tmp_path: Path) -> None:
    """And not in the checkout, which the tests' own environment leads to."""
    file = full_installation.evaluate(tmp_path, "import emostream; print(emostream.__file__)")

    assert Path(file).parent == full_installation.site_packages / "emostream"


def test_serve_has_the_page_and_finds_faces(
    full_installation: Installation, folder: Path, cache_dir: Path
) -> None:
    process = ServerProcess(folder, cache_dir, python=full_installation.python, model=QUICK_MODEL)
    try:
        with httpx.Client(base_url=process.http, timeout=PATIENCE_S, trust_env=False) as client:
            page = client.get("/")
            answer = client.post("/v1/faces", content=portrait_file(), headers={"Content-Type": "image/jpeg"})
    finally:
        process.end()

    assert page.status_code == 200
    assert '<div id="root">' in page.text
    [face] = answer.json()["faces"]
    assert face["emotion"] == "happiness"


def test_a_server_of_ones_own_takes_the_factory(
    full_installation: Installation, folder: Path, cache_dir: Path
) -> None:
    """``uvicorn --factory emostream.app:create_app`` calls it so."""
    program = (
        "from fastapi.testclient import TestClient\n"
        "from emostream.app import create_app\n"
        "with TestClient(create_app(), 'http://localhost') as client:\n"
        "    print(client.get('/v1/model').json()['name'])"
    )
    settings = {"EMOSTREAM_MODEL": QUICK_MODEL, "EMOSTREAM_CACHE_DIR": str(cache_dir)}

    assert full_installation.evaluate(folder, program, **settings) == QUICK_MODEL


def test_predict_recognises_the_faces_of_a_photograph(
    full_installation: Installation, folder: Path, cache_dir: Path
) -> None:
    settings = {"EMOSTREAM_MODEL": QUICK_MODEL, "EMOSTREAM_CACHE_DIR": str(cache_dir)}

    done = full_installation.run(folder, full_installation.program, "predict", "face.jpg", **settings)

    assert done.returncode == 0, done.stderr
    [row] = map(json.loads, done.stdout.splitlines())
    assert row["emotion"] == "happiness"


def test_a_shipped_recipe_is_found_by_its_path_in_the_package(
    full_installation: Installation, tmp_path: Path
) -> None:
    program = (
        "from importlib.resources import files\n"
        "from emostream.training.config import read_config\n"
        "read_config(files('emostream') / 'training/recipes/from_scratch.yaml'); print('read')"
    )

    assert full_installation.evaluate(tmp_path, program) == "read"
