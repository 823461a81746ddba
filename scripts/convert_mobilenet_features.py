#!/usr/bin/env python3
"""Published MobileNet features for faces, as a file that recipes can start from (docs/models.md).

    .venv/bin/python scripts/convert_mobilenet_features.py pretrained/faceres-deep.json data/ferplus \
        --out pretrained/mobilenet_features.safetensors

``faceres-deep.json`` is a graph model of TensorFlow.js: MobileNet as trained on VGGFace2 for identity, age
and gender, https://github.com/HSE-asavchenko/HSE_FaceRec_tf. Its batch normalisation is folded into the
convolutions. It gets it back, from the statistics of the prepared training images, and computes what it did.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from emostream.exceptions import CheckpointError, EmostreamError
from emostream.files import replacing
from emostream.models import create_model
from emostream.models.mobilenet import PAIRS, STEM_UNITS
from emostream.models.normalisation import Normalisation, NormalisationSpec
from emostream.training.datasets import LABELS, read_split
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

#: Types of TensorFlow.js's "weights manifest".
_TYPES = {"float32": "<f4", "int32": "<i4", "float16": "<f2", "bool": "|b1", "uint8": "|u1"}

#: Standard deviation of a face's pixels, in grey levels of 0 to 255. The published MobileNet takes pixels
#: less their mean; this project's networks take them divided by their deviation besides.
_DEVIATION = 60.0
#: What PyTorch's batch normalisation adds to a variance.
_EPSILON = 1e-5

_IMAGES_FOR_NORMS = 1024
_BATCH = 256


def convert(file: Path, data: Path, out: Path, seed: int = 0) -> None:
    """Writes the part ``features`` of the architecture ``mobilenet``.

    ``data`` is a prepared folder, or a split of one. Raises CheckpointError and DatasetError.
    """
    faces = read_split(data, "training").images
    chosen = np.random.default_rng(seed).permutation(len(faces))[:_IMAGES_FOR_NORMS]
    images = torch.from_numpy(faces[chosen]).float()
    images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    network = create_model("mobilenet", len(LABELS))
    features = network.get_submodule("features")
    features.load_state_dict(read_mobilenet(file), strict=False)  # without counts of batches
    normalise = Normalisation(NormalisationSpec(grayscale=True, per_image=True))
    sized = F.interpolate(images, size=(48, 48), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    restore_norms(network, normalise(sized).split(_BATCH))
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        save_file(features.state_dict(), temporary)
        temporary.chmod(0o644)  # safetensors makes it readable for its owner only


def read_mobilenet(path: Path) -> dict[str, Tensor]:
    """The state dict of ``MobileNetFeatures`` from ``faceres-deep.json`` or ``faceres.json``, with a batch
    normalisation that has nothing to do (mean 0, variance 1).

    Raises CheckpointError if the file cannot be read or is of another network.
    """
    tensors = read_tensors(path)
    state: dict[str, Tensor] = {}
    units = ["conv1"] + [f"conv_{kind}_{pair}" for pair in range(1, len(PAIRS) + 1) for kind in ("dw", "pw")]
    for index, unit in enumerate(units):
        shift = _tensor(tensors, f"{unit}_bn/batchnorm_1/sub", path)
        if unit.startswith("conv_dw"):
            kernel = _tensor(tensors, f"{unit}/depthwise_kernel", path).permute(2, 3, 0, 1)
            gain = _tensor(tensors, f"{unit}_bn/batchnorm_1/mul", path)
        else:
            kernel = _tensor(tensors, f"{unit}/convolution/merged_input", path).permute(3, 2, 0, 1)
            gain = torch.ones_like(shift)
        name = f"stem.{index}" if index < STEM_UNITS else f"body.{index - STEM_UNITS}"
        state[f"{name}.conv.weight"] = kernel.contiguous() * (_DEVIATION if index == 0 else 1.0)
        state[f"{name}.norm.weight"], state[f"{name}.norm.bias"] = gain, shift
        state[f"{name}.norm.running_mean"] = torch.zeros_like(shift)
        state[f"{name}.norm.running_var"] = torch.full_like(shift, 1 - _EPSILON)
    return state


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every array of a graph model by its name; those stored as float16 come as they are stored.

    Raises CheckpointError if a file is missing, too short, or holds integers that stand for reals.
    """
    try:
        groups = json.loads(path.read_text())["weightsManifest"]
        arrays: dict[str, npt.NDArray[Any]] = {}
        for group in groups:
            data = b"".join((path.parent / Path(name).name).read_bytes() for name in group["paths"])
            at = 0
            for entry in group["weights"]:
                array = np.frombuffer(data, _stored_type(entry), int(np.prod(entry["shape"])), at)
                arrays[entry["name"]] = array.reshape(entry["shape"])
                at += array.nbytes
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is no graph model of TensorFlow.js: {error}") from error
    return arrays


def _stored_type(entry: Mapping[str, Any]) -> str:
    quantisation = entry.get("quantization")
    if quantisation is not None and "scale" in quantisation:
        raise ValueError(f"{entry['name']} is quantised to integers, which is not supported")
    return _TYPES[quantisation["dtype"] if quantisation else entry["dtype"]]


def _tensor(tensors: Mapping[str, npt.NDArray[Any]], name: str, path: Path) -> Tensor:
    if name not in tensors:
        raise CheckpointError(f"{path} does not hold the MobileNet for faces: it lacks {name}")
    return torch.from_numpy(tensors[name].astype(np.float32))


@torch.no_grad()
def restore_norms(network: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Makes every batch norm normalise by what it sees, and scale and shift back by the same: its statistics
    become those of ``inputs``, and the network computes in eval mode what it did before.

    Training needs it, for there batch norms use the statistics of the batch, whatever the stored ones are.
    ``inputs`` are batches as the network takes them.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in norms}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].float()
        seen[cast(nn.BatchNorm2d, module)].append(
            torch.stack((x.mean((0, 2, 3)), x.square().mean((0, 2, 3))))
        )

    was_training = network.training
    network.eval()
    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    try:
        for batch in inputs:
            network(batch)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    for norm, moments in seen.items():
        mean, square = torch.stack(moments).mean(0)
        variance = (square - mean.square()).clamp_min(0)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        norm.bias.add_(gain * (mean - norm.running_mean))
        norm.weight.copy_(gain * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path, help="faceres-deep.json, with its .bin beside it")
    parser.add_argument("data", type=Path, help="a prepared folder, whose training images give statistics")
    parser.add_argument("--out", type=Path, required=True, help="FILE.safetensors")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of those images")
    given = parser.parse_args()
    try:
        convert(given.file, given.data, given.out, given.seed)
    except EmostreamError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
