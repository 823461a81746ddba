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
    """28, of which every other one is of the first class."""
    others = 1 + np.arange(28) // 2 % 6
    return write_prepared(
        tmp_path / "faces", valid=np.eye(7)[np.where(np.arange(28) % 2, others, 0)].tolist()
    )


def test_a_run_keeps_its_temperature_in_its_weights(cache_dir: Path, tmp_path: Path, faces: Path) -> None:
    """Again on the same faces, there is nothing left to change."""
    torch.manual_seed(0)
    file = tmp_path / "model.safetensors"
    description = WeightDescription("se_resnet", LABELS, NormalisationSpec(grayscale=True, per_image=True))
    network = create_model("se_resnet", len(LABELS))
    with torch.no_grad():
        network.head.bias[0] = 5  # says the first class whatever it sees, and is too sure of it
    write_weights(file, network.state_dict(), description)

    first = calibrate(cache_dir, tmp_path, file, faces, "--device", "cpu", "--json")
    stored = read_description(file)
    second = calibrate(cache_dir, tmp_path, file, faces, "--device", "cpu", "--json")

    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert stored is not None
    assert stored.temperature == found["temperature"] > 1.5
    assert found["pictures"] == 28
    assert found["after"] < found["before"]
    assert json.loads(second.stdout)["temperature"] == pytest.approx(found["temperature"], rel=0.05)


def test_a_model_of_the_catalogue_is_calibrated_for_this_machine(
    cache_dir: Path, tmp_path: Path, faces: Path
) -> None:
    done = calibrate(cache_dir, tmp_path, "compact-mobilenet-a", faces)

    assert done.returncode == 0, done.stderr
    temperature = WeightsStore(tmp_path / "weights").find("compact-mobilenet-a").temperature
    assert f"temperature {temperature:.3f}, kept in" in done.stdout
    assert temperature != 1.0
    assert "calibration error" in done.stdout
