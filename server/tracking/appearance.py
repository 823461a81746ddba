"""Describes a face's appearance by a coarse raster of colours, which tells two people in one video apart.

It describes colour, not identity: 48 numbers of a 4 × 4 raster, which shows hair, skin and collar but no
facial features. It is compared only within one session, kept only while the face is tracked, and never sent
or written to disk. A colour histogram told far fewer people apart (bench/README.md). The measure is the same
as in ``web/src/detection/appearance.ts``.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt

from ..imaging.crop import RawBoxXywh

#: The appearance of one face; empty if it is unknown.
Appearance = Sequence[float]

#: Cells per side of the raster, and samples per side of a cell.
CELLS = 4
SAMPLES = 4

#: Margins around the detector's box, as fractions of its size: hair and collar, little background.
ABOVE, BESIDE, BELOW = 0.25, 0.1, 0.05

#: Added to each channel, in levels of 255, since dark colours are noise.
DARK = 8.0

#: Least contrast of the raster: standard deviation of the logarithm of its brightness.
MIN_CONTRAST = 0.15

#: Weight of the colours relative to the brightness.
COLOUR = 3.0


def appearance_of(image_rgb: npt.NDArray[np.uint8], box_xywh: RawBoxXywh) -> tuple[float, ...]:
    """The appearance of the face in a box of an image uint8 (H, W, 3) RGB.

    Logarithms make it independent of the illumination, and the brightness is divided by its contrast. The
    result is 16 numbers of brightness with a norm of about 1, then 32 of colour: red and blue relative to
    green.
    """
    height, width, _ = image_rgb.shape
    x, y, box_width, box_height = box_xywh
    steps = (np.arange(CELLS * SAMPLES) + 0.5) / (CELLS * SAMPLES)
    xs = x - BESIDE * box_width + steps * (1 + 2 * BESIDE) * box_width
    ys = y - ABOVE * box_height + steps * (1 + ABOVE + BELOW) * box_height
    columns = np.clip(np.floor(xs), 0, width - 1).astype(np.intp)
    rows = np.clip(np.floor(ys), 0, height - 1).astype(np.intp)
    samples = image_rgb[rows[:, None], columns[None, :]].astype(np.float64)
    cells = samples.reshape(CELLS, SAMPLES, CELLS, SAMPLES, 3).mean((1, 3)).reshape(-1, 3)  # (16, 3)
    red, green, blue = np.log(cells + DARK).T
    light = np.log(cells.mean(1) + DARK)
    light = (light - light.mean()) / max(float(light.std()), MIN_CONTRAST) / CELLS
    colour = np.concatenate([red - green, blue - green]) * (COLOUR / (sqrt(2) * CELLS))
    return tuple(np.concatenate([light, colour]).tolist())


def appearance_distance(a: Appearance, b: Appearance) -> float:
    """The distance of two appearances: about 0.3 from frame to frame of one face, and 1.3 between two
    people's faces. 0 if either is empty."""
    if not a or not b:
        return 0.0
    total = 0.0
    for one, other in zip(a, b, strict=True):
        total += (one - other) * (one - other)
    return sqrt(total)
