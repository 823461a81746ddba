"""Cuts the crop of a face, as ``web/src/detection/crop.ts`` does; docs/crop.md has the reasons."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..faces import BoxXywh
from .decoding import Crops

#: Side of the crop as a multiple of the detector box's longer side.
CROP_MARGIN = 1.2

#: How far the crop's centre lies above the box's, as a fraction of the box's longer side.
CROP_RAISE = 0.1

#: A crop is turned upright if its face is turned by at least this angle.
MIN_TURN_DEG = 12.0

#: Landmarks are plausible if the distance between the eyes and that from the eyes down to the mouth are in
#: these ranges, as fractions of the box's longer side, and if the mouth deviates from the direction
#: perpendicular to the line of the eyes by at most so many degrees.
EYES_APART = (0.2, 0.7)
MOUTH_BELOW = (0.2, 0.8)
MAX_ASKEW_DEG = 25.0

#: A square whose side is more than this multiple of the crop's is shrunk before it is turned.
_MOST_OVERSAMPLED = 2

#: x, y, width, height in image pixels, as a detector gives them: they may reach outside the image.
RawBoxXywh = tuple[float, float, float, float]

#: Points (6, 2), x and y in image pixels, in the order of ``detection.anchors.LANDMARKS``.
Landmarks = Sequence[Sequence[float]] | npt.NDArray[np.float32]


def crop_turn(box_xywh: RawBoxXywh, landmarks_xy: Landmarks) -> float:
    """The angle in degrees by which a face's crop is turned about its centre, clockwise in the image.

    It is the mean of two angles, that of the line between the eyes and that of the line from them to the
    mouth, weighted by their lengths. In [-180, 180]; 0 if the face is upright already or the landmarks are
    not plausible.
    """
    (right_x, right_y), (left_x, left_y), _, (mouth_x, mouth_y) = (
        (float(x), float(y)) for x, y in landmarks_xy[:4]
    )
    across_x, across_y = left_x - right_x, left_y - right_y
    apart = math.hypot(across_x, across_y)
    longer = max(box_xywh[2:])
    if not EYES_APART[0] * longer <= apart <= EYES_APART[1] * longer or apart == 0:
        return 0.0
    down_x, down_y = mouth_x - (right_x + left_x) / 2, mouth_y - (right_y + left_y) / 2
    # The mouth's offset from the eyes along the face's own axes: down, and across.
    below = (across_x * down_y - across_y * down_x) / apart
    beside = (across_x * down_x + across_y * down_y) / apart
    if not MOUTH_BELOW[0] * longer <= below <= MOUTH_BELOW[1] * longer:
        return 0.0
    if abs(beside) > below * math.tan(math.radians(MAX_ASKEW_DEG)):
        return 0.0
    turn = math.degrees(math.atan2(across_y - down_x, across_x + down_y))
    return turn if abs(turn) >= MIN_TURN_DEG else 0.0


def face_square(box_xywh: RawBoxXywh) -> RawBoxXywh:
    """The square around a face, in image pixels; it may reach outside the image.

    ``box_xywh`` is the detector's box, which may reach outside, too.
    """
    return _square(box_xywh, CROP_MARGIN * max(box_xywh[2:]))


def crop_square(box_xywh: RawBoxXywh, size_wh: tuple[int, int], turn_deg: float = 0.0) -> RawBoxXywh:
    """The square of an image of ``size_wh`` that is cut out for one face, before it is turned about its
    centre by ``turn_deg``. It never reaches outside the image.

    ``box_xywh`` is the detector's box; it may reach outside. A square that crosses the image's edge is moved
    inside; one that is larger than the image's shorter side is shrunk to it.
    """
    width, height = size_wh
    side = min(CROP_MARGIN * max(box_xywh[2:]), width, height)
    left, top, _, _ = _square(box_xywh, side, turn_deg)
    return (min(max(left, 0.0), width - side), min(max(top, 0.0), height - side), side, side)


def _square(box_xywh: RawBoxXywh, side: float, turn_deg: float = 0.0) -> RawBoxXywh:
    x, y, width, height = box_xywh
    turn, raised = math.radians(turn_deg), CROP_RAISE * max(width, height)
    left = x + width / 2 + raised * math.sin(turn) - side / 2
    top = y + height / 2 - raised * math.cos(turn) - side / 2
    return (left, top, side, side)


def cut(
    image_rgb: npt.NDArray[np.uint8], box_xywh: RawBoxXywh, sizes: tuple[int, ...], turn_deg: float = 0.0
) -> Crops:
    """Cuts a face's crop at each of ``sizes``, uint8 (S, S, 3) RGB, out of an image uint8 (H, W, 3) RGB.

    ``turn_deg`` is the angle from ``crop_turn``. Outside the image, its edge pixels are repeated.
    """
    height, width, _ = image_rgb.shape
    x, y, side, _ = crop_square(box_xywh, (width, height), turn_deg)
    if turn_deg:
        return _cut_turned(image_rgb, (x, y, side, side), sizes, turn_deg)
    # Pillow gets only a part of the image. The resampling filter also reads neighbours: two output pixels'
    # worth of them on each side.
    margin = math.ceil(2 * side / min(sizes)) + 2
    left, top = max(0, math.floor(x) - margin), max(0, math.floor(y) - margin)
    part = image_rgb[top : math.ceil(y + side) + margin, left : math.ceil(x + side) + margin]
    image = Image.fromarray(np.ascontiguousarray(part))
    square = (x - left, y - top, x - left + side, y - top + side)
    return tuple(
        np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=square, reducing_gap=2.0))
        for size in sizes
    )


def _cut_turned(
    image_rgb: npt.NDArray[np.uint8], square_xywh: RawBoxXywh, sizes: tuple[int, ...], turn_deg: float
) -> Crops:
    """``cut`` for a square that is turned about its centre."""
    import cv2  # imported late: the client imports this module without OpenCV

    x, y, side, _ = square_xywh
    centre_x, centre_y = x + side / 2, y + side / 2
    # Half of the diagonal, and a margin for the interpolation.
    reach = math.ceil(side / math.sqrt(2)) + 2
    left, top = max(0, math.floor(centre_x) - reach), max(0, math.floor(centre_y) - reach)
    part = image_rgb[top : math.ceil(centre_y) + reach, left : math.ceil(centre_x) + reach]
    # Bilinear interpolation skips pixels when it shrinks, so large squares are averaged first.
    factor = max(1, int(side / (_MOST_OVERSAMPLED * max(sizes))))
    if factor > 1:
        part = np.asarray(Image.fromarray(np.ascontiguousarray(part)).reduce(factor))
    pixels = max(round(side / factor), max(sizes))
    turn, scale = math.radians(turn_deg), side / factor / pixels
    cosine, sine = math.cos(turn) * scale, math.sin(turn) * scale
    middle = (pixels - 1) / 2
    # Maps pixels of the turned square to pixels of the part; OpenCV counts from pixel centres.
    at_x, at_y = (centre_x - left) / factor - 0.5, (centre_y - top) / factor - 0.5
    matrix = np.array(
        [
            [cosine, -sine, at_x - middle * (cosine - sine)],
            [sine, cosine, at_y - middle * (sine + cosine)],
        ]
    )
    upright = cv2.warpAffine(
        part,
        matrix,
        (pixels, pixels),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    whole = Image.fromarray(np.asarray(upright, np.uint8))
    return tuple(
        np.asarray(whole.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)) for size in sizes
    )


def clipped(box_xywh: RawBoxXywh, size_wh: tuple[int, int]) -> BoxXywh:
    """The part of a detector's box inside an image of ``size_wh``, in whole pixels, at least one a side."""
    x, y, box_width, box_height = box_xywh
    width, height = size_wh
    left, top = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    right = min(max(round(x + box_width), left + 1), width)
    bottom = min(max(round(y + box_height), top + 1), height)
    return (left, top, right - left, bottom - top)
