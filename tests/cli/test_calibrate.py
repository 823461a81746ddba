"""``emostream calibrate`` by its real executable, on a few made-up faces."""

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
from emostream.models.weight_file import WeightDescription, read_description, write_weights
from emostream.models.weights import WeightsStore
from emostream.training.datasets import LABELS

from tests.support import PATIENCE_S
from tests.training.conftest import write_prepared


def calibrate(cache_dir: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emostream", "calibrate", *map(str, arguments)],
        cwd=folder,
        env={
            **os.environ,
            "EMOSTREAM_CACHE_DIR": str(cache_dir),
            "EMOSTREAM_WEIGHTS_DIR": str(folder / "weights"),
            "EMOSTREAM_MAX_BATCH": "8",
        },
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """112, of which every other one is of the first class."""
    others = 1 + np.arange(112) // 2 % 6
    return write_prepared(
        tmp_path / "faces", valid=np.eye(7)[np.where(np.arange(112) % 2, others, 0)].tolist()
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Says the first class whatever it sees, and is too sure of it."""
    torch.manual_seed(0)
    file = tmp_path / "model.safetensors"
    description = WeightDescription("se_resnet", LABELS, NormalisationSpec(grayscale=True, per_image=True))
    network = create_model("se_resnet", len(LABELS))
    with torch.no_grad():
        network.head.bias[0] = 5
    write_weights(file, network.state_dict(), description)
    return file


@pytest.mark.slow
def test_a_run_keeps_its_temperature_in_its_weights_and_can_have_the_old_one_back(
    cache_dir: Path, tmp_path: Path, faces: Path, file: Path
) -> None:
    """Again on the same faces there is nothing left to gain, and nothing is kept."""
    dry = calibrate(cache_dir, tmp_path, file, faces, "--device", "cpu", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "not stored: --dry-run" in dry.stdout
    assert read_description(file).temperature == 1.0

    first = calibrate(cache_dir, tmp_path, file, faces, "--device", "cpu", "--json")
    stored = read_description(file)
    second = calibrate(cache_dir, tmp_path, file, faces, "--device", "cpu", "--json")

    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert stored is not None
    assert stored.temperature == found["temperature"] > 1.5
    assert found["images"] == 112
    assert found["is_kept"]
    assert found["after"] < found["before"]
    assert found["log_loss_after"] < found["log_loss_before"]
    again = json.loads(second.stdout)
    assert again["temperature"] == pytest.approx(found["temperature"], rel=0.05)
    assert not again["is_kept"]
    assert second.returncode == 1
    assert read_description(file) == stored

    undone = calibrate(cache_dir, tmp_path, file, "--undo")
    assert undone.returncode == 0, undone.stderr
    assert "temperature 1.000 again" in undone.stdout
    assert read_description(file).temperature == 1.0


def test_a_model_of_the_catalogue_is_calibrated_for_this_machine(
    cache_dir: Path, tmp_path: Path, faces: Path
) -> None:
    done = calibrate(cache_dir, tmp_path, "compact-mobilenet-a", faces)

    assert done.returncode == 0, done.stderr
    temperature = WeightsStore(tmp_path / "weights").find("compact-mobilenet-a").temperature
    assert f"temperature {temperature:.3f}, stored in" in done.stdout
    assert temperature != 1.0
    assert "calibration error" in done.stdout


def test_too_few_images_are_refused_before_a_model_is_loaded(
    cache_dir: Path, tmp_path: Path, file: Path
) -> None:
    few = write_prepared(tmp_path / "few", valid=np.eye(7)[np.arange(28) % 7].tolist())

    failed = calibrate(cache_dir, tmp_path, file, few)

    assert failed.returncode == 1
    assert "28 images, too few to fit a temperature; use at least 100" in failed.stderr
    assert read_description(file).temperature == 1.0
