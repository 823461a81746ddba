"""Estimates from a crop's texture whether something covers the face: a mask, a headset, a hand. No network.

Masks and headsets are smoother than a face and end in an edge. A logistic regression on the contrast and mean
of 8 × 8 cells estimates the probability. ``python -m bench.quality`` fits it.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

#: Cells per side, and the crop's side in pixels.
_CELLS = 8
_SIDE_PX = 48

#: In levels of 255: a smaller standard deviation is noise.
_LEAST_DEVIATION = 4.0

#: Added to a cell's deviation before the logarithm, in deviations of the crop, against noise.
_FLOOR = 0.03

Floats = npt.NDArray[np.float32]


def features(luma: Floats) -> Floats:
    """Features (N, 192) of crops' luma (N, 48, 48) in [0, 255]: each cell's log deviation, mean and |mean|,
    all relative to the crop's."""
    crops = luma - luma.mean((1, 2), keepdims=True)
    crops = crops / np.maximum(crops.std((1, 2), keepdims=True), _LEAST_DEVIATION)
    side = _SIDE_PX // _CELLS
    cells = crops.reshape(-1, _CELLS, side, _CELLS, side).transpose(0, 1, 3, 2, 4)
    cells = cells.reshape(-1, _CELLS * _CELLS, side * side)
    contrast = np.log(cells.std(2) + _FLOOR)
    contrast -= contrast.mean(1, keepdims=True)
    means = cells.mean(2)
    return np.concatenate([contrast, means, np.abs(means)], axis=1)


def covered(luma: Floats) -> float:
    """The probability in [0, 1] that something covers the face of a crop's luma (48, 48)."""
    weights, bias = _fitted()
    logit = float(features(luma[None])[0] @ weights) + bias
    return float(1 / (1 + np.exp(-logit)))


@cache
def _fitted() -> tuple[Floats, float]:
    content = json.loads(Path(__file__).with_name("covering.json").read_text())
    return np.array(content["weights"], np.float32), float(content["bias"])
