"""``scripts/check_gpu.sh`` and ``bench/gpu.py``, as far as they go without a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import gpu
from tests.support import ROOT

pytestmark = pytest.mark.slow

_PARTS = {
    "machine",
    "precisions",
    "jpeg_decoding",
    "engines",
    "batcher_at_full_load",
    "memory_over_time",
}


def test_every_part_runs_and_has_its_figures(tmp_path: Path) -> None:
    """With this Python, which has every package."""
    out = tmp_path / "gpu.json"

    done = subprocess.run(
        [ROOT / "scripts/check_gpu.sh", "--dry-run", "--models", "se_resnet", "--out", out],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "memory_that_runs_out" in done.stdout
    assert "skipped: needs a GPU" in done.stdout
    found = json.loads(out.read_text())
    assert found.keys() == _PARTS
    assert [row["batch"] for row in found["engines"]["se_resnet f32"]["rows"]] == [1, 2]
    assert found["precisions"]["se_resnet f32"]["largest_difference"] < 1e-4
    assert found["jpeg_decoding"]["grey_levels_apart_mean"] == pytest.approx(0, abs=1)
    assert found["batcher_at_full_load"]["batcher_faces_per_s"] > 0
    assert found["memory_over_time"]["batches"] == 20


def test_a_part_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(load: gpu.Load) -> gpu.Figures:
        """What never works."""
        raise ArithmeticError("a wrong kernel")

    out = tmp_path / "gpu.json"
    monkeypatch.setattr(gpu, "PARTS", (broken, gpu.machine))
    monkeypatch.setattr(sys, "argv", ["gpu", "--dry-run", "--out", str(out)])

    assert gpu.main() == 1

    assert "ArithmeticError: a wrong kernel" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert "a wrong kernel" in found["broken"]["failed"]
    assert found["machine"]["device"] == "cpu"
