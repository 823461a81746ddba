"""Weights from TensorFlow.js graph models: a JSON file and the binary files that it names, beside it.

https://github.com/tensorflow/tfjs: the "weights manifest". Nothing in either file is executed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..exceptions import CheckpointError
from .mobilenet import PAIRS, STEM_UNITS

#: Types of the manifest, and how they are stored if half precision was asked for.
_TYPES = {"float32": "<f4", "int32": "<i4", "float16": "<f2", "bool": "|b1", "uint8": "|u1"}

#: Standard deviation of a face's pixels, in grey levels of 0 to 255. The published MobileNet takes pixels
#: less their mean; this project's networks take them divided by their deviation besides.
_DEVIATION = 60.0
#: What PyTorch's batch normalisation adds to a variance.
_EPSILON = 1e-5


def read_mobilenet(path: Path) -> dict[str, Tensor]:
    """The state dict of ``MobileNetFeatures`` from ``faceres-deep.json`` or ``faceres.json``: MobileNet as
    trained on VGGFace2 for identity, age and gender, https://github.com/HSE-asavchenko/HSE_FaceRec_tf.

    The published file has its batch normalisation folded into the convolutions. Here it has none to do
    (mean 0, variance 1); ``emostream.training.norm_statistics`` gives it something to do again.

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
