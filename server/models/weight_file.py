"""A weights file's own description, which suffices to serve it without further options.

``emostream train`` writes it into the metadata of its safetensors files. Other files have none.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..exceptions import CheckpointError
from ..files import replacing
from .normalisation import NormalisationSpec

#: File name of a training run's weights; such a model is named after its folder.
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class WeightDescription:
    """``labels`` are in the order of the outputs. Logits are divided by ``temperature`` before the softmax,
    which calibrates the largest probability (Guo et al., arXiv 1706.04599). ``temperature_before`` is the
    one that a calibration replaced. ``mirrored``: see ``EnsembleEntry``."""

    architecture: str
    labels: tuple[str, ...]
    normalisation: NormalisationSpec
    temperature: float = 1.0
    temperature_before: float | None = None
    mirrored: bool = False


def is_safetensors(path: Path) -> bool:
    """Checks the file name, then the first bytes: downloads are named by this program."""
    if path.suffix == ".safetensors":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header_length, start = int.from_bytes(file.read(8), "little"), file.read(1)
    return header_length < path.stat().st_size and start == b"{"


def read_description(path: Path) -> WeightDescription | None:
    """The file's description; None if it has none. Raises CheckpointError if it is invalid."""
    try:
        if not path.is_file() or not is_safetensors(path):
            return None
        with safe_open(path, "pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
        if not {"architecture", "labels", "normalisation"} <= metadata.keys():
            return None
        normalisation = json.loads(metadata["normalisation"])
        normalisation["mean"], normalisation["std"] = (
            tuple(normalisation["mean"]),
            tuple(normalisation["std"]),
        )
        temperature = _temperature(metadata.get("temperature", "1.0"))
        before = metadata.get("temperature_before")
        return WeightDescription(
            architecture=metadata["architecture"],
            labels=tuple(metadata["labels"].split(",")),
            normalisation=NormalisationSpec(**normalisation),
            temperature=temperature,
            temperature_before=None if before is None else _temperature(before),
            mirrored=metadata.get("mirrored") == "true",
        )
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: what it says of itself cannot be used: {error!r}") from error


def _temperature(text: str) -> float:
    temperature = float(text)
    if not 0 < temperature < float("inf"):
        raise ValueError(f"the temperature is {temperature}")
    return temperature


def write_weights(path: Path, state: dict[str, Tensor], description: WeightDescription) -> None:
    """Writes the file atomically."""
    metadata = {
        "architecture": description.architecture,
        "labels": ",".join(description.labels),
        "normalisation": json.dumps(asdict(description.normalisation)),
        "temperature": repr(description.temperature),
    }
    if description.temperature_before is not None:
        metadata["temperature_before"] = repr(description.temperature_before)
    if description.mirrored:
        metadata["mirrored"] = "true"
    with replacing(path) as temporary:
        save_file(state, temporary, metadata)
        temporary.chmod(0o644)  # safetensors makes it readable by its owner only


def set_temperature(path: Path, temperature: float) -> None:
    """Stores a temperature with the weights, and the one it replaces. Raises CheckpointError if the file has
    no description."""
    description = read_description(path)
    if description is None:
        raise CheckpointError(f"{path} does not say what it holds, so a temperature cannot be stored with it")
    changed = replace(description, temperature=temperature, temperature_before=description.temperature)
    write_weights(path, load_file(path), changed)


def restore_temperature(path: Path) -> float:
    """Undoes the last ``set_temperature``; returns the restored temperature.

    Raises CheckpointError if there is none to undo."""
    description = read_description(path)
    if description is None or description.temperature_before is None:
        raise CheckpointError(f"{path} has no temperature that a calibration replaced")
    before = description.temperature_before
    write_weights(path, load_file(path), replace(description, temperature=before, temperature_before=None))
    return before
