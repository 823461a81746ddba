from pathlib import Path

import pytest
import torch
from emostream.exceptions import CheckpointError
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import (
    WeightDescription,
    read_description,
    restore_temperature,
    set_temperature,
    write_weights,
)
from safetensors.torch import load_file, save_file

STATE = {"weight": torch.arange(4.0), "count": torch.tensor(3)}
DESCRIPTION = WeightDescription(
    architecture="se_resnet",
    labels=("glad", "sad"),
    normalisation=NormalisationSpec(grayscale=True, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)),
    temperature=0.75,
)


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.safetensors", STATE, DESCRIPTION)

    assert read_description(tmp_path / "model.safetensors") == DESCRIPTION
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_temperature_is_stored_and_the_weights_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_weights(path, STATE, DESCRIPTION)

    set_temperature(path, 1.5)

    description = read_description(path)
    assert description is not None
    assert description.temperature == 1.5
    assert description.labels == DESCRIPTION.labels
    loaded = load_file(path)
    assert all(torch.equal(loaded[name], value) for name, value in STATE.items())


def test_the_temperature_before_the_last_is_back_after_an_undo(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_weights(path, STATE, DESCRIPTION)
    set_temperature(path, 1.5)

    assert restore_temperature(path) == 0.75

    assert read_description(path) == DESCRIPTION
    with pytest.raises(CheckpointError, match="no temperature that a calibration replaced"):
        restore_temperature(path)


@pytest.mark.parametrize("name", ["silent.safetensors", "absent.safetensors", "other.pth"])
def test_a_file_that_says_nothing_has_no_description(tmp_path: Path, name: str) -> None:
    save_file(STATE, tmp_path / "silent.safetensors")
    (tmp_path / "other.pth").write_bytes(b"")

    assert read_description(tmp_path / name) is None


def test_a_temperature_cannot_be_stored_with_a_file_that_says_nothing(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "silent.safetensors")

    with pytest.raises(CheckpointError, match="silent"):
        set_temperature(tmp_path / "silent.safetensors", 2.0)


@pytest.mark.parametrize(
    "wrong",
    [{"normalisation": "{"}, {"normalisation": '{"mean": 1}'}, {"temperature": "0"}, {"temperature": "warm"}],
)
def test_a_description_that_makes_no_sense_is_an_error_that_names_the_file(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    path = tmp_path / "model.safetensors"
    sound = {
        "architecture": "se_resnet",
        "labels": "a,b",
        "normalisation": '{"mean": [0, 0, 0], "std": [1, 1, 1]}',
    }
    save_file(STATE, path, sound | wrong)

    with pytest.raises(CheckpointError, match=str(path)):
        read_description(path)
