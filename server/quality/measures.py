"""Measures a face's crop: how sharp and how bright it is, and whether something covers the face."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from .covering import covered

#: Side in pixels at which the crop is measured: the input size of the default networks.
MEASURED_PX = 48

#: Rows and columns of the measured crop that show any face: brow to chin, temple to temple.
_ROWS, _COLUMNS = slice(10, 44), slice(9, 39)

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

#: In levels of 255: contrast below this is noise, which must not count as sharpness.
_LEAST_DEVIATION = 1.0


@dataclass(frozen=True)
class CropMeasures:
    """``sharpness`` and ``brightness`` are those of ``Quality``; ``covered`` is the probability that
    something covers the face."""

    sharpness: float
    brightness: float
    covered: float = 0.0


def measure_crop(crop_rgb: npt.NDArray[np.uint8]) -> CropMeasures:
    """Measures a face's crop, uint8 (H, W, 3) RGB of any size."""
    if crop_rgb.shape[:2] != (MEASURED_PX, MEASURED_PX):
        picture = Image.fromarray(np.ascontiguousarray(crop_rgb))
        size = (MEASURED_PX, MEASURED_PX)
        crop_rgb = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    luma = crop_rgb @ _LUMA  # (S, S)
    face = luma[_ROWS, _COLUMNS]
    deviation = max(float(face.std()), _LEAST_DEVIATION)
    # The discrete Laplacian, of the face's own pixels and their neighbours.
    around = luma[_ROWS.start - 1 : _ROWS.stop + 1, _COLUMNS.start - 1 : _COLUMNS.stop + 1]
    laplacian = (
        around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * around[1:-1, 1:-1]
    )
    return CropMeasures(
        sharpness=float(np.var(laplacian / deviation)),
        brightness=float(face.mean()) / 255,
        covered=covered(crop_rgb),
    )
