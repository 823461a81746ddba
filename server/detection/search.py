"""What a face detection network sees: in an image's tiles on several levels, or in a view of one box."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..imaging.boxes import Floats, ious
from ..imaging.crop import RawBoxXywh
from .anchors import BlazeFaceSpec, Detections
from .blazeface import Pixels
from .tiles import Level
from .views import padded, resized, view

#: A second look has found the same face if the boxes overlap by this much (intersection over union).
_MIN_SAME_IOU = 0.3


class Network(Protocol):
    """A face detection network; safe to call from several threads at once."""

    spec: BlazeFaceSpec

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        """Boxes in input pixels of a tile uint8 (S, S, 3) RGB, not yet suppressed."""


def search(
    network: Network, picture: Pixels, levels: Iterable[Level], min_score: float
) -> tuple[Detections, Floats]:
    """Everything that may be a face, not yet suppressed, of an image uint8 (H, W, 3) RGB, in its pixels.

    Also the longer side of each box (N,), as a fraction of the network's input.
    """
    input_px = network.spec.input_px
    found: list[Detections] = []
    parts: list[Floats] = []
    shrunk = picture
    for level in levels:
        # Each level is made from the one before it, so that the whole image is read only once.
        shrunk = resized(shrunk, level.size_wh)
        for x, y in level.tiles_xy:
            part = shrunk[max(0, y) : y + input_px, max(0, x) : x + input_px]
            in_tile = network(padded(part, input_px, (max(0, -x), max(0, -y))), min_score)
            in_tile = in_tile[_is_whole(in_tile, level, x, y, input_px)]
            parts.append(in_tile.boxes_xywh[:, 2:].max(axis=1, initial=0) / np.float32(input_px))
            found.append(in_tile.placed(level.scale, x, y))
    return Detections.joined(found), np.concatenate(parts)


def look(
    network: Network, picture: Pixels, box_xywh: RawBoxXywh, face_part: float, min_score: float
) -> Detections:
    """The face in a box, seen with ``face_part`` of the input as its side: one detection, or none."""
    part = view(picture, box_xywh, face_part, network.spec.input_px)
    found = part.in_picture(network(part.pixels, min_score))
    found = found[ious(found.boxes_xywh, np.array([box_xywh], np.float32))[:, 0] >= _MIN_SAME_IOU]
    return found[np.argsort(-found.scores)[:1]]


def _is_whole(found: Detections, level: Level, x: int, y: int, input_px: int) -> npt.NDArray[np.bool_]:
    """Whether each box of a tile crosses no edge but the image's own. Another tile has the others whole."""
    low, high = found.boxes_xywh[:, :2], found.boxes_xywh[:, :2] + found.boxes_xywh[:, 2:]
    width, height = level.size_wh
    outside = [
        (low[:, 0] < 0) & (x > 0),
        (low[:, 1] < 0) & (y > 0),
        (high[:, 0] > input_px) & (x + input_px < width),
        (high[:, 1] > input_px) & (y + input_px < height),
    ]
    return np.asarray(~np.logical_or.reduce(outside), np.bool_)
