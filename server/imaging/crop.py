"""The crop of a face, as ``web/src/detection/crop.ts`` cuts it; docs/crop.md has the reasons."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..faces import BoxXywh
from .decoding import Crops

#: Side of the crop as a multiple of the detector box's longer side.
CROP_MARGIN = 1.2

#: How far the crop's centre lies above the box's, as a part of the box's longer side.
CROP_RAISE = 0.1

#: x, y, width, height in pixels of the image, as a detector gives them: they may reach outside of it.
RawBoxXywh = tuple[float, float, float, float]


def face_square(box_xywh: RawBoxXywh) -> RawBoxXywh:
    """The square around a face, in pixels of the image, also where it reaches out of it.

    ``box_xywh`` is the detector's box; it may reach outside.
    """
    return _square(box_xywh, CROP_MARGIN * max(box_xywh[2:]))


def crop_square(box_xywh: RawBoxXywh, size_wh: tuple[int, int]) -> RawBoxXywh:
    """The part of an image of ``size_wh`` that is cut out for one face; never reaches outside of it.

    ``box_xywh`` is the detector's box; it may reach outside. The square is moved inside where it crosses
    the image's edge, and shrunk to the shorter side where it is larger.
    """
    width, height = size_wh
    side = min(CROP_MARGIN * max(box_xywh[2:]), width, height)
    left, top, _, _ = _square(box_xywh, side)
    return (min(max(left, 0.0), width - side), min(max(top, 0.0), height - side), side, side)


def _square(box_xywh: RawBoxXywh, side: float) -> RawBoxXywh:
    x, y, width, height = box_xywh
    left = x + width / 2 - side / 2
    top = y + height / 2 - CROP_RAISE * max(width, height) - side / 2
    return (left, top, side, side)


def cut(image_rgb: npt.NDArray[np.uint8], box_xywh: RawBoxXywh, sizes: tuple[int, ...]) -> Crops:
    """A face's crop at each of ``sizes``, uint8 (S, S, 3) RGB, out of an image uint8 (H, W, 3) RGB."""
    height, width, _ = image_rgb.shape
    x, y, side, _ = crop_square(box_xywh, (width, height))
    # Only a part is handed to Pillow. A resampling filter looks at neighbours: two output pixels' worth of
    # them on each side.
    margin = math.ceil(2 * side / min(sizes)) + 2
    left, top = max(0, math.floor(x) - margin), max(0, math.floor(y) - margin)
    part = image_rgb[top : math.ceil(y + side) + margin, left : math.ceil(x + side) + margin]
    image = Image.fromarray(np.ascontiguousarray(part))
    square = (x - left, y - top, x - left + side, y - top + side)
    return tuple(
        np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=square, reducing_gap=2.0))
        for size in sizes
    )


def clipped(box_xywh: RawBoxXywh, size_wh: tuple[int, int]) -> BoxXywh:
    """The part of a detector's box that is in an image of ``size_wh``, in whole pixels, at least one."""
    x, y, box_width, box_height = box_xywh
    width, height = size_wh
    left, top = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    right = min(max(round(x + box_width), left + 1), width)
    bottom = min(max(round(y + box_height), top + 1), height)
    return (left, top, right - left, bottom - top)
