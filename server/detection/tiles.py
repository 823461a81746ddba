"""Covers an image with tiles of the detector's input size, on a pyramid of levels. Pure.

The detector's input is a fixed square, in which it finds faces of a certain range of sizes. A level is the
image at one scale. A level's tiles overlap by the smallest face that the next coarser level finds, so every
face lies whole in at least one tile of the level for its size. The coarsest level is half as large as a tile:
a face that fills the image, or is cut off by its edge, gets the black surroundings that the detector needs.
"""

import math
from dataclasses import dataclass

#: Largest ratio of two levels' scales: the overlap that wider steps need costs more than they save.
_LARGEST_STEP = 2.5

#: The longer side of the coarsest level, as a fraction of a tile's.
_COARSEST_PART = 0.5


@dataclass(frozen=True)
class Level:
    """The image at one scale, and the corners of its tiles.

    ``scale`` is level pixels per image pixel, ``size_wh`` the level's size in its own pixels, ``tiles_xy``
    the top left corners of the tiles in level pixels. If the level is smaller than a tile, it is centred in
    the tile and the corner is negative.
    """

    scale: float
    size_wh: tuple[int, int]
    tiles_xy: tuple[tuple[int, int], ...]


def pyramid(size_wh: tuple[int, int], input_px: int, smallest_face_px: int, min_face_px: int) -> list[Level]:
    """The levels, finest first, that find every face from ``min_face_px`` up in an image of ``size_wh``.

    ``input_px`` is the detector's input side, ``smallest_face_px`` the smallest face that it finds there.
    """
    longer = max(size_wh)
    coarsest = input_px / longer  # the whole image in one tile
    finest = smallest_face_px / min_face_px
    steps = max(0, math.ceil(math.log(finest / coarsest, _LARGEST_STEP)))
    ratio = (finest / coarsest) ** (1 / steps) if steps else 1.0
    scales = [coarsest * ratio**step for step in range(steps, -1, -1)]
    overlap = math.ceil(smallest_face_px * ratio)
    return [level(size_wh, scale, input_px, overlap) for scale in (*scales, coarsest * _COARSEST_PART)]


def level(size_wh: tuple[int, int], scale: float, input_px: int, overlap_px: int) -> Level:
    """An image of ``size_wh`` at one scale, in as few tiles of ``input_px`` as overlap by ``overlap_px``."""
    width, height = (max(1, round(side * scale)) for side in size_wh)
    columns, rows = (_starts(side, input_px, overlap_px) for side in (width, height))
    return Level(scale, (width, height), tuple((x, y) for y in rows for x in columns))


def _starts(side: int, tile: int, overlap: int) -> list[int]:
    """Starts of the tiles along one axis: evenly spaced, as few as the overlap allows."""
    if side <= tile:
        return [middle(side, tile)]
    count = math.ceil((side - overlap) / (tile - overlap))
    return [round(index * (side - tile) / (count - 1)) for index in range(count)]


def middle(side: int, tile: int) -> int:
    """The start of a tile that is centred on something smaller: a negative number, or 0."""
    return -((tile - side) // 2)
