"""An ensemble as OpenVINO graphs, kept on disk."""

import errno
import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from emostream.inference import openvino_conversion
from emostream.inference.ensemble import Ensemble, LoadedEnsemble, Member
from emostream.inference.openvino_conversion import GRAPH_VERSION, load_graphs, trace
from emostream.inference.openvino_engine import OpenVinoEngine
from emostream.models.factory import ARCHITECTURES
from emostream.models.normalisation import Normalisation, NormalisationSpec
from emostream.process import import_openvino

from tests.inference.networks import crops, exact, model_entry, random_ensemble, slow_if_large

#: Of what is handed to OpenVINO, as it was when GRAPH_VERSION was last raised.
VERSION = 1
DIGESTS = {
    "poster_v2": "205f47b0f5bb",
    "poster_v2_compact": "10c890cb8826",
    "dan": "209f9e990383",
    "mobilenet": "a74405d335ec",
    "se_resnet": "948243c13be4",
    "mobilenet_pair": "4865f7b35902",
    "se_resnet_pair": "b9dba0053f10",
    "grey, each image's own mean": "59eb4479a811",
    "mirrored": "6cf3def8ba32",
    "some labels left out": "66b6b506258a",
}


def load(ensemble: LoadedEnsemble, cache_dir: Path) -> list[Any]:
    return load_graphs(import_openvino().Core(), ensemble, cache_dir)


def predicted(ensemble: LoadedEnsemble, cache_dir: Path) -> np.ndarray:
    engine = OpenVinoEngine(ensemble, max_batch=1, threads=1, precision="f32", cache_dir=cache_dir)
    return engine.infer(crops(ensemble, 2))


def operations(graphs: list[Any]) -> list[list[str]]:
    return [[node.get_type_name() for node in graph.get_ordered_ops()] for graph in graphs]


@pytest.fixture
def ensemble() -> LoadedEnsemble:
    return random_ensemble("se_resnet")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the graphs of ``ensemble``, to be copied."""
    folder = tmp_path_factory.mktemp("converted")
    load(random_ensemble("se_resnet"), folder)
    return folder


def refuse(*arguments: object) -> None:
    raise AssertionError("it was converted again")


def test_a_second_start_reads_the_graphs_instead_of_converting(
    ensemble: LoadedEnsemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = predicted(ensemble, tmp_path)

    monkeypatch.setattr(openvino_conversion, "trace", refuse)

    np.testing.assert_allclose(predicted(ensemble, tmp_path), first, atol=1e-6)


@pytest.mark.parametrize("changed", ["the ensemble", "GRAPH_VERSION", "OpenVINO"])
def test_graphs_of_another_ensemble_or_version_are_not_used(
    ensemble: LoadedEnsemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    load(ensemble, tmp_path)
    monkeypatch.setattr(openvino_conversion, "trace", refuse)
    if changed == "the ensemble":
        ensemble = replace(ensemble, fingerprint="another")
    elif changed == "GRAPH_VERSION":
        monkeypatch.setattr(openvino_conversion, "GRAPH_VERSION", GRAPH_VERSION + 1)
    else:
        monkeypatch.setattr(openvino_conversion, "version", lambda package: "2038.1")

    with pytest.raises(AssertionError, match="converted again"):
        load(ensemble, tmp_path)


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        (".xml", "truncated"),
        (".bin", "truncated"),
        (".bin", "empty"),
        (".bin", "absent"),
        (".xml", "a folder"),
        (".bin", "another number"),
        (".json", "truncated"),
        (".json", "absent"),
    ],
)
def test_what_is_damaged_is_made_anew_with_a_warning(
    ensemble: LoadedEnsemble,
    converted: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    ending: str,
    damage: str,
) -> None:
    shutil.copytree(converted, tmp_path, dirs_exist_ok=True)
    wanted = operations(load(ensemble, tmp_path))
    assert caplog.text == ""
    name = "SHA256SUMS" if ending == ".json" else "probabilities"
    file = next(tmp_path.glob(f"*/{name}{ending}"))
    content = file.read_bytes()
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    elif damage == "another number":
        file.write_bytes(content[:1000] + bytes([content[1000] ^ 0x40]) + content[1001:])
    elif damage != "absent":
        file.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")

    assert operations(load(ensemble, tmp_path)) == wanted

    assert "cannot be used and is made anew" in caplog.text
    assert file.is_file()
    caplog.clear()
    load(ensemble, tmp_path)
    assert caplog.text == ""


@pytest.mark.slow
def test_two_that_start_at_once_may_share_a_cache(
    ensemble: LoadedEnsemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one starts while the first writes, and is ready before it."""
    ov, found = import_openvino(), []
    save = ov.save_model

    def save_while_another_starts(*arguments: object, **options: object) -> None:
        save(*arguments, **options)
        monkeypatch.setattr(ov, "save_model", save)
        found.append(predicted(ensemble, tmp_path))

    monkeypatch.setattr(ov, "save_model", save_while_another_starts)
    found.append(predicted(ensemble, tmp_path))

    assert len(found) == 2
    for probabilities in found:
        np.testing.assert_allclose(probabilities, exact(ensemble, crops(ensemble, 2)), atol=1e-4)
    (kept,) = tmp_path.iterdir()
    assert len(list(kept.iterdir())) == 5


def test_without_a_cache_that_can_be_written_a_temporary_one_takes_its_place_with_a_warning(
    ensemble: LoadedEnsemble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    occupied = tmp_path / "cache"
    occupied.write_text("a file")

    found = predicted(ensemble, occupied)

    np.testing.assert_allclose(found, exact(ensemble, crops(ensemble, 2)), atol=1e-4)
    assert f"the cache folder {occupied} cannot be written" in caplog.text
    assert "File exists" in caplog.text
    assert list(tmp_path.iterdir()) == [occupied]


def test_without_any_folder_that_can_be_written_it_starts_with_a_warning(
    ensemble: LoadedEnsemble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    occupied = tmp_path / "cache"
    occupied.write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(occupied))

    found = predicted(ensemble, occupied)

    np.testing.assert_allclose(found, exact(ensemble, crops(ensemble, 2)), atol=1e-4)
    assert f"the cache folder {occupied} cannot be written" in caplog.text


def test_a_cache_that_may_not_even_be_looked_into_is_left_alone(
    ensemble: LoadedEnsemble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def exists(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", exists)  # as root no folder is closed

    found = predicted(ensemble, tmp_path)

    np.testing.assert_allclose(found, exact(ensemble, crops(ensemble, 2)), atol=1e-4)
    assert "Permission denied" in caplog.text


def test_a_full_disk_leaves_no_half_of_a_graph(
    ensemble: LoadedEnsemble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def save_half(graph: object, file: Path, compress_to_fp16: bool) -> None:
        file.write_text("<net")
        raise RuntimeError("somewhere.cpp:1:\nno space left on device\n")

    monkeypatch.setattr(import_openvino(), "save_model", save_half)

    load(ensemble, tmp_path)

    assert "no space left on device" in caplog.text
    assert list(tmp_path.iterdir()) == []


def reference(name: str) -> Ensemble:
    if name in ARCHITECTURES:
        return random_ensemble(name).module
    if name == "some labels left out":
        return Ensemble([Member(model_entry("one", ("a", "b", "c")), ((1,), (0,)))])
    module = random_ensemble("se_resnet", "se_resnet").module
    for member in module:
        member.mirrored = name == "mirrored"
        if name.startswith("grey"):
            member.normalise = Normalisation(NormalisationSpec(grayscale=True, per_image=True))
    return module


def digest(module: Ensemble) -> str:
    """Of every operation between pixels and probabilities, with what goes into it, its shapes and whole
    numbers: all that depends neither on weights nor on the machine."""
    numbers: dict[str, str] = {}

    def numbered(name: re.Match[str]) -> str:
        return numbers.setdefault(name[0], f"%{len(numbers)}")

    operations = []
    # They stand in the graph, and servers in other tests set them for the whole process.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=True):
        graphs = [traced for traced, _ in trace(module.eval())]
    for traced in graphs:
        numbers.clear()
        for line in str(traced.inlined_graph).splitlines():
            if "prim::GetAttr" not in line:  # of a module's attribute
                line = re.sub(r"(, scope: .*)?( # .*)?$|strides=\[[\d, ]*\], |__torch__[\w.]*", "", line)
                line = re.sub(r"\d+\.\d+(e-?\d+)?", "real", line)
                operations.append(re.sub(r"%[\w.]+", numbered, line))
    return hashlib.sha256("\n".join(operations).encode()).hexdigest()[:12]


def test_every_architecture_has_a_digest() -> None:
    assert set(ARCHITECTURES) <= set(DIGESTS)


@pytest.mark.parametrize("name", slow_if_large(DIGESTS))
def test_a_change_of_the_graphs_raises_their_version(name: str) -> None:
    found = digest(reference(name))

    assert (VERSION, DIGESTS[name]) == (GRAPH_VERSION, found), (
        f"what is computed has changed: raise GRAPH_VERSION in server/inference/openvino_conversion.py, and "
        f"bring VERSION and DIGESTS here up to it; that of {name} is {found}"
    )
