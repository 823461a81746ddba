"""Searches with a network that finds white squares."""

import numpy as np
import pytest
from emostream.detection.anchors import BlazeFaceSpec, Detections, Grid
from emostream.detection.blazeface import Pixels
from emostream.detection.search import look, search
from emostream.detection.tiles import level


class WhiteSquares:
    """Its box is around all white pixels of a tile."""

    spec = BlazeFaceSpec("pretended.tflite", 64, (Grid(8, 1),), smallest_face_px=8)

    def __init__(self) -> None:
        self.sides: list[int] = []

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        rows, columns = np.nonzero(tile[:, :, 0] > 127)
        if not len(rows) or min_score > 0.8:
            return Detections.none()
        left, right = int(columns.min()), int(columns.max()) + 1
        # As a real network, it guesses what is beyond the tile's edge.
        left, right = left - 3 * (left == 0), right + 3 * (right == 64)
        self.sides.append(right - left)
        box = np.array([[left, rows.min(), right - left, np.ptp(rows) + 1]], np.float32)
        return Detections(box, np.full(1, 0.8, np.float32), np.zeros((1, 6, 2), np.float32))


def white_square(x: int, y: int, side: int) -> Pixels:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[y : y + side, x : x + side] = 255
    return picture


def test_boxes_of_every_level_come_in_image_pixels_with_their_part_of_the_input() -> None:
    levels = [level((128, 128), scale, 64, 16) for scale in (1.0, 0.5)]

    found, parts = search(WhiteSquares(), white_square(8, 12, 20), levels, 0.5)

    assert found.boxes() == [(8, 12, 20, 20), (8, 12, 20, 20)]
    assert parts.tolist() == pytest.approx([20 / 64, 10 / 64])


def test_a_box_that_a_tile_cuts_is_left_to_the_tile_that_has_it_whole() -> None:
    network = WhiteSquares()
    tiles = level((128, 64), 1.0, 64, 32)
    assert [x for x, _ in tiles.tiles_xy] == [0, 32, 64]

    found, _ = search(network, white_square(53, 10, 20)[:64], [tiles], 0.5)

    assert found.boxes() == [(53, 10, 20, 20)]
    assert network.sides == [11 + 3, 20, 9 + 3]


def test_a_look_shows_the_box_at_the_wanted_size() -> None:
    network = WhiteSquares()

    found = look(network, white_square(40, 50, 10), (40, 50, 10, 10), 0.5, 0.5)

    assert found.boxes() == [(40, 50, 10, 10)]
    assert network.sides == [32]


def test_a_look_that_finds_something_else_or_too_low_a_score_finds_none() -> None:
    picture = white_square(40, 50, 10)

    assert len(look(WhiteSquares(), picture, (30, 44, 12, 12), 0.3, 0.5)) == 0
    assert len(look(WhiteSquares(), picture, (40, 50, 10, 10), 0.5, 0.9)) == 0
