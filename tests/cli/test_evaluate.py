"""``emostream evaluate`` by its real executable, on a few made-up faces."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.models.factory import create_model
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import WeightDescription, write_weights
from emostream.training.datasets import LABELS

from tests.support import PATIENCE_S, ROOT
from tests.training.conftest import write_prepared


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A finished run of a network that knows nothing."""
    torch.manual_seed(0)
    folder = tmp_path / "monday"
    folder.mkdir()
    description = WeightDescription("se_resnet", LABELS, NormalisationSpec(grayscale=True, per_image=True))
    write_weights(folder / "model.safetensors", create_model("se_resnet", 7).state_dict(), description)
    return folder


def evaluate(cache_dir: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emostream", "evaluate", *map(str, arguments)],
        cwd=ROOT,
        env={
            **os.environ,
            "EMOSTREAM_CACHE_DIR": str(cache_dir),
            "EMOSTREAM_DEVICE": "cpu",
            "EMOSTREAM_MAX_BATCH": "4",
        },
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


def test_a_run_is_measured_and_reported(cache_dir: Path, run_folder: Path, tmp_path: Path) -> None:
    faces = write_prepared(tmp_path / "faces", valid=np.eye(7).tolist())
    report = tmp_path / "reports/monday.html"

    done = evaluate(cache_dir, run_folder, faces, "--report", report)

    assert done.returncode == 0, done.stderr
    assert "monday on faces: 7 images, cpu" in done.stdout
    for word in ("accuracy", "macro F1", "calibration error", "truth", "headset", "JPEG quality 10"):
        assert word in done.stdout
    assert f"written to {report}, and beside it monday.json" in done.stderr
    assert json.loads(report.with_suffix(".json").read_text())["model"] == "monday"


def test_a_model_of_the_catalogue_is_measured_quickly_for_programs(cache_dir: Path, tmp_path: Path) -> None:
    faces = write_prepared(tmp_path / "faces", test=np.eye(7)[:3].tolist())

    done = evaluate(cache_dir, "compact-mobilenet-a", faces / "test", "--quick", "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["model"], found["data"], found["images"]) == ("compact-mobilenet-a", "faces/test", 3)
    assert found["conditions"] == []


def test_figures_by_group_are_shown_and_small_groups_refused(
    cache_dir: Path, run_folder: Path, tmp_path: Path
) -> None:
    faces = write_prepared(tmp_path / "faces", valid=np.eye(7)[np.arange(102) % 7].tolist())
    with np.load(faces / "valid.npz") as arrays:
        split = dict(arrays)
    np.savez(faces / "valid.npz", **split, names=np.array([f"{number}.png" for number in range(102)]))
    lights = ["day"] * 50 + ["night"] * 50 + ["dusk", ""]
    rows = [f"{number}.png,{light}" for number, light in enumerate(lights)]
    table = faces / "valid.csv"
    table.write_text("\n".join(["image,light", *rows]) + "\n")

    refused = evaluate(cache_dir, run_folder, faces, "--quick", "--groups", "light")
    table.write_text(table.read_text().replace("dusk", ""))
    done = evaluate(cache_dir, run_folder, faces, "--quick", "--groups", "light")

    assert refused.returncode == 1
    assert "--groups light: fewer than 50 images of dusk (1)" in refused.stderr
    assert done.returncode == 0, done.stderr
    for words in ("F1 of class", "night", "2 images have no light and are in no group"):
        assert words in done.stdout


def test_an_error_is_one_line(tmp_path: Path) -> None:
    failed = evaluate(tmp_path, "default", tmp_path / "nothing")

    assert failed.returncode == 1
    assert "nothing: there is no such file or folder" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
