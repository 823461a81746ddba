"""How a face looks from afar: a few colours in their places. Enough to tell two people in one video apart.

It is about colour, not identity: 48 numbers of a 4 × 4 raster, in which hair, skin and collar can be told but
no face. It is compared within one session, kept for as long as the face is followed, and never sent or
written. A histogram of colours told far fewer people apart (bench/README.md).
The same measure as ``web/src/detection/appearance.ts``.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt

from ..imaging.crop import RawBoxXywh

#: Numbers that belong to one face; empty where nothing is known.
Appearance = Sequence[float]

#: Cells on each side of the raster, and samples on each side of a cell.
CELLS = 4
SAMPLES = 4

#: What is looked at, in parts of the detector's box beyond its edges: hair and collar, little background.
ABOVE, BESIDE, BELOW = 0.25, 0.1, 0.05

#: Added to each channel, of 255: in the dark, colours are noise.
DARK = 8.0

#: Least contrast of the raster, as the standard deviation of the logarithm of its light.
MIN_CONTRAST = 0.15

#: Weight of the colours beside the light and shade.
COLOUR = 3.0


def appearance_of(image_rgb: npt.NDArray[np.uint8], box_xywh: RawBoxXywh) -> tuple[float, ...]:
    """The appearance of the face in a box of an image uint8 (H, W, 3) RGB.

    Logarithms make it independent of how much light there is, and the contrast is taken out of light and
    shade: 16 numbers of light with a length of about 1, then 32 of colour, red and blue against green.
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
    """How much two appearances differ: about 0.3 from frame to frame of one face, and 1.3 between two
    people's faces. 0 where one says nothing."""
    if not a or not b:
        return 0.0
    total = 0.0
    for one, other in zip(a, b, strict=True):
        total += (one - other) * (one - other)
    return sqrt(total)
