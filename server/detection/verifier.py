"""This project's own small network that decides whether a part of an image shows a face, and what covers it.

BlazeFace scores faces under headsets and masks as low as some textures. The verifier was trained on such
proposals, and on crops of bare and covered faces (``scripts/train_face_verifier.py``, docs/model-card.md).
"""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ..exceptions import DetectorError
from .blazeface import Pixels
from .pass_by_thread import PassByThread, openvino

WEIGHTS = Path(__file__).with_name("face_verifier.safetensors")

#: Side of its input in pixels: the crop of a face (docs/crop.md), in grey.
INPUT_PX = 48

#: What it tells apart, in the order of its outputs: no face, and what covers a face.
ANSWERS = ("no face", "none", "headset", "mask", "block")

#: Strides of the 3 × 3 convolutions; 2 halves the maps' sides.
_STRIDES = (1, 2, 1, 2, 1, 2, 1)

#: Added to the standard deviation of an image's pixels, in levels of 255, so that flat images stay flat.
_LEAST_DEVIATION = 4.0


class FaceVerifier:
    """Verifies faces. Safe to call from several threads: a forward pass takes one core and 0.042 GFLOP."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Raises DetectorError if the weights cannot be read, or OpenVINO is missing."""
        try:
            weights = load_file(path)
        except (OSError, SafetensorError) as error:
            raise DetectorError(f"cannot read {path}: {error}") from error
        network = _network({name: value.astype(np.float32) for name, value in weights.items()})
        self._network = PassByThread(network)

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        """The probabilities (5,) of ``ANSWERS`` for a crop uint8 (S, S, 3) RGB, placed by ``face_square``."""
        grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
        (probabilities,) = self._network(grey[None, None])
        return np.array(probabilities[0])  # the next call overwrites them


@cache
def shared_verifier() -> FaceVerifier:
    """The process's one verifier, for the detector and for the quality of faces. Raises DetectorError."""
    return FaceVerifier()


def _network(weights: dict[str, npt.NDArray[np.float32]]) -> Any:
    """The network from one image uint8 (1, 1, S, S) to probabilities (1, 5) of ANSWERS."""
    ov = openvino()
    ops = ov.opset13
    image = ops.parameter([1, 1, INPUT_PX, INPUT_PX], ov.Type.u8)
    sides = np.array([2, 3])
    x = ops.convert(image, "f32")
    x = ops.subtract(x, ops.reduce_mean(x, sides, keep_dims=True))
    count = INPUT_PX * INPUT_PX
    # The unbiased deviation, as PyTorch computes it in training.
    variance = ops.multiply(
        ops.reduce_mean(ops.multiply(x, x), sides, keep_dims=True), np.float32(count / (count - 1))
    )
    x = ops.divide(x, ops.add(ops.sqrt(variance), np.float32(_LEAST_DEVIATION)))
    for index, stride in enumerate(_STRIDES):
        kernel = ops.constant(weights[f"convolutions.{index}.weight"])
        x = ops.convolution(x, kernel, [stride, stride], [1, 1], [1, 1], [1, 1])
        x = ops.relu(ops.add(x, weights[f"convolutions.{index}.bias"].reshape(1, -1, 1, 1)))
    pooled = ops.concat([ops.reduce_mean(x, sides), ops.reduce_max(x, sides)], 1)
    logits = ops.add(
        ops.matmul(pooled, weights["head.weight"], False, True), weights["head.bias"].reshape(1, -1)
    )
    return ov.Model([ops.softmax(logits, 1)], [image], "face_verifier")
