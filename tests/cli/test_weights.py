"""``emostream weights`` by its real executable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w
import torch
from emostream.models.factory import create_model

from tests.models.file_server import FileServer, serving
from tests.support import PATIENCE_S, ROOT


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pth"
    torch.save(create_model("se_resnet", 2).state_dict(), path)
    return path


def emostream(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with ``folder`` for its weights."""
    return subprocess.run(
        [sys.executable, "-m", "emostream", "weights", *arguments],
        cwd=ROOT,
        env={**os.environ, "EMOSTREAM_WEIGHTS_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


def test_list_shows_every_model_and_whether_it_is_here(tmp_path: Path) -> None:
    shown = emostream(tmp_path, "list", "--json")

    listed = json.loads(shown.stdout)
    states = {model["name"]: model["state"] for model in listed["models"]}
    assert states["compact-mobilenet-a"] == "ready"
    assert states["poster-v2-raf-db"] == "absent"
    facts = next(model for model in listed["models"] if model["name"] == "poster-v2-raf-db")
    assert facts["input_size"] == 224
    assert facts["normalisation"]["mean"] == [0.485, 0.456, 0.406]
    assert listed["ensembles"]["poster-v2-occlusion"] == ["poster-v2-occlusion-a", "poster-v2-occlusion-b"]
    assert "poster-v2-raf-db" in emostream(tmp_path, "list").stdout


def test_import_pull_and_verify_work_one_after_the_other(tmp_path: Path, checkpoint: Path) -> None:
    folder = tmp_path / "store"
    imported = emostream(folder, "import", str(checkpoint), "--labels", "sad,glad", "--arch", "se_resnet")
    assert imported.returncode == 0, imported.stderr
    assert "EMOSTREAM_MODEL=mine" in imported.stderr

    with serving(FileServer({"/w": checkpoint.read_bytes()})) as server:
        add_remote_model(folder / "catalogue.toml", f"{server.url}/w")
        pulled = emostream(folder, "pull", "remote")
    assert pulled.returncode == 0, pulled.stderr
    assert "is now pinned: " in pulled.stderr

    assert emostream(folder, "verify").returncode == 0
    (folder / "remote.pth").write_bytes(b"something else")
    verified = emostream(folder, "verify")
    assert verified.returncode == 1
    assert "changed since they were pinned: remote" in verified.stderr


def add_remote_model(catalogue: Path, url: str) -> None:
    table = {"architecture": "se_resnet", "labels": ["sad", "glad"], "url": url}
    catalogue.write_text(catalogue.read_text() + tomli_w.dumps({"models": {"remote": table}}))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pull", "nonesuch"), "there is no model 'nonesuch'"),
        (("import", "README.md", "--labels", "a,b"), "is no checkpoint"),
    ],
)
def test_an_error_is_one_line_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    failed = emostream(tmp_path, *arguments)

    assert failed.returncode == 1
    assert words in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
