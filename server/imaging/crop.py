"""The crop of a face, as ``web/src/detection/crop.ts`` cuts it; docs/crop.md has the reasons."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from .decoding import Crops

#: Side of the crop as a multiple of the detector box's longer side.
CROP_MARGIN = 1.2

#: How far the crop's centre lies above the box's, as a part of the box's longer side.
CROP_RAISE = 0.1

#: x, y, width, height in pixels of the picture.
BoxXywh = tuple[float, float, float, float]


def crop_square(box_xywh: BoxXywh, size_wh: tuple[int, int]) -> BoxXywh:
    """The part of a picture of ``size_wh`` that is cut out for one face; never reaches outside of it.

    ``box_xywh`` is the detector's box; it may reach outside. The square is moved inside where it crosses
    the picture's edge, and shrunk to the shorter side where it is larger.
    """
    x, y, box_width, box_height = box_xywh
    width, height = size_wh
    longer = max(box_width, box_height)
    side = min(CROP_MARGIN * longer, width, height)
    left = x + box_width / 2 - side / 2
    top = y + box_height / 2 - CROP_RAISE * longer - side / 2
    return (min(max(left, 0.0), width - side), min(max(top, 0.0), height - side), side, side)


def cut(picture: Image.Image, box_xywh: BoxXywh, sizes: tuple[int, ...]) -> Crops:
    """A face's crop at each of ``sizes``, uint8 (S, S, 3) RGB, straight from the picture's own pixels."""
    x, y, side, _ = crop_square(box_xywh, picture.size)
    square = (x, y, x + side, y + side)
    return tuple(
        np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=square, reducing_gap=2.0))
        for size in sizes
    )


def cut_pixels(pixels: npt.NDArray[np.uint8], box_xywh: BoxXywh, sizes: tuple[int, ...]) -> Crops:
    """As ``cut``, of a picture uint8 (H, W, 3) RGB, without handing all of it to Pillow: for video."""
    height, width, _ = pixels.shape
    x, y, side, _ = crop_square(box_xywh, (width, height))
    # A resampling filter looks at neighbours: two output pixels' worth of them on each side.
    margin = math.ceil(2 * side / min(sizes)) + 2
    left, top = max(0, math.floor(x) - margin), max(0, math.floor(y) - margin)
    part = pixels[top : math.ceil(y + side) + margin, left : math.ceil(x + side) + margin]
    picture = Image.fromarray(np.ascontiguousarray(part))
    square = (x - left, y - top, x - left + side, y - top + side)
    return tuple(
        np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=square, reducing_gap=2.0))
        for size in sizes
    )
