"""Finds known faces of a video's previous frame again, four of them in one forward pass.

A forward pass costs the same whatever is in the tile. A face that fills a quarter of the tile's side is large
enough to be found where it is expected, so four regions share one tile, each in its own cell.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..imaging.boxes import ious
from ..imaging.crop import RawBoxXywh
from .anchors import Detections
from .blazeface import Pixels
from .search import Network
from .views import View, view

_CELLS_PER_SIDE = 2
FACES_PER_TILE = _CELLS_PER_SIDE**2

#: The face's side as a fraction of its cell's: it may move by half its side in any direction.
_FACE_PART = 1 / 2

#: The same for a lone face, which has the whole tile: the detector is at its best at this size.
_LONE_FACE_PART = 1 / 3

_MIN_SCORE = 0.5

#: Least overlap of a face that has moved with its previous box (intersection over union).
_MIN_SAME_IOU = 0.1

#: A box that leaves its cell by more than this fraction of the cell's side mixes pixels of two regions.
_MAX_OUTSIDE = 0.1


def look_again(network: Network, picture: Pixels, boxes_xywh: Sequence[RawBoxXywh]) -> list[Detections]:
    """For each box, in order, the face that is there now, in image pixels: one detection or none.

    ``picture`` is uint8 (H, W, 3) RGB. Two boxes may get the same face.
    """
    answers: list[Detections] = []
    for start in range(0, len(boxes_xywh), FACES_PER_TILE):
        answers += _look_at_tile(network, picture, boxes_xywh[start : start + FACES_PER_TILE])
    return answers


def _look_at_tile(network: Network, picture: Pixels, boxes_xywh: Sequence[RawBoxXywh]) -> list[Detections]:
    input_px = network.spec.input_px
    if len(boxes_xywh) == 1:
        lone = view(picture, boxes_xywh[0], _LONE_FACE_PART, input_px)
        found = network(lone.pixels, _MIN_SCORE)
        return [_same_face(lone.in_picture(found), boxes_xywh[0])]
    cell_px = input_px // _CELLS_PER_SIDE
    tile = np.zeros((input_px, input_px, 3), np.uint8)
    views: list[View] = []
    for place, box in enumerate(boxes_xywh):
        x, y = _corner(place, cell_px)
        part = view(picture, box, _FACE_PART, cell_px)
        tile[y : y + cell_px, x : x + cell_px] = part.pixels
        views.append(part)
    found = network(tile, _MIN_SCORE)
    answers = []
    for place, (part, box) in enumerate(zip(views, boxes_xywh, strict=True)):
        x, y = _corner(place, cell_px)
        in_cell = found.placed(1, -x, -y)
        in_cell = in_cell[_lies_in_cell(in_cell, cell_px)]
        answers.append(_same_face(part.in_picture(in_cell), box))
    return answers


def _corner(place: int, cell_px: int) -> tuple[int, int]:
    """x and y of a cell in the tile; cells are filled row by row."""
    return (place % _CELLS_PER_SIDE * cell_px, place // _CELLS_PER_SIDE * cell_px)


def _lies_in_cell(found: Detections, cell_px: int) -> npt.NDArray[np.bool_]:
    low, high = found.boxes_xywh[:, :2], found.boxes_xywh[:, :2] + found.boxes_xywh[:, 2:]
    slack = _MAX_OUTSIDE * cell_px
    return np.asarray((low >= -slack).all(1) & (high <= cell_px + slack).all(1), np.bool_)


def _same_face(found: Detections, box_xywh: RawBoxXywh) -> Detections:
    """The detection that overlaps most with the face's previous box, if it overlaps enough."""
    overlap = ious(found.boxes_xywh, np.array([box_xywh], np.float32))[:, 0]
    best = np.argsort(-overlap)[:1]
    return found[best[overlap[best] >= _MIN_SAME_IOU]]
