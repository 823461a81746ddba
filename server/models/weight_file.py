"""What a weights file says of itself: enough to serve it without being told anything.

Runs of ``emostream train`` write it into the metadata of their safetensors file. Files of others hold none.
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


@dataclass(frozen=True)
class WeightDescription:
    """``labels`` are in the order of the outputs. Logits are divided by ``temperature`` before the softmax,
    which makes the largest probability mean what it says (Guo et al., arXiv 1706.04599)."""

    architecture: str
    labels: tuple[str, ...]
    normalisation: NormalisationSpec
    temperature: float = 1.0


def is_safetensors(path: Path) -> bool:
    """By its name, or else by its first bytes: downloads have a name of ours."""
    if path.suffix == ".safetensors":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header_length, start = int.from_bytes(file.read(8), "little"), file.read(1)
    return header_length < path.stat().st_size and start == b"{"


def read_description(path: Path) -> WeightDescription | None:
    """What the file says of itself; None if nothing. Raises CheckpointError if that makes no sense."""
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
        temperature = float(metadata.get("temperature", 1.0))
        if not 0 < temperature < float("inf"):
            raise ValueError(f"the temperature is {temperature}")
        return WeightDescription(
            architecture=metadata["architecture"],
            labels=tuple(metadata["labels"].split(",")),
            normalisation=NormalisationSpec(**normalisation),
            temperature=temperature,
        )
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: what it says of itself cannot be used: {error!r}") from error


def write_weights(path: Path, state: dict[str, Tensor], description: WeightDescription) -> None:
    """Writes a whole file or none."""
    metadata = {
        "architecture": description.architecture,
        "labels": ",".join(description.labels),
        "normalisation": json.dumps(asdict(description.normalisation)),
        "temperature": repr(description.temperature),
    }
    with replacing(path) as temporary:
        save_file(state, temporary, metadata)
        temporary.chmod(0o644)  # safetensors makes it readable for its owner only


def set_temperature(path: Path, temperature: float) -> None:
    """Stores a temperature with the weights. Raises CheckpointError if the file does not describe itself."""
    description = read_description(path)
    if description is None:
        raise CheckpointError(f"{path} does not say what it holds, so a temperature cannot be stored with it")
    write_weights(path, load_file(path), replace(description, temperature=temperature))
