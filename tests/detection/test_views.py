import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.views import padded, resized, view


def test_a_view_shows_the_box_in_its_middle_and_converts_boxes_back() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[30:50, 120:140] = 255

    seen = view(picture, (120, 30, 20, 20), 0.5, 80)
    rows, columns = np.nonzero(seen.pixels[:, :, 0] > 127)
    box = np.array([[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]], np.float32)
    back = seen.in_picture(Detections(box, np.ones(1, np.float32), np.zeros((1, 6, 2), np.float32)))

    assert box.tolist() == [[20, 20, 40, 40]]
    assert back.boxes() == [(120, 30, 20, 20)]


@pytest.mark.parametrize("corner", [(-10, -10), (190, 90), (400, 400)])
def test_what_is_outside_the_image_is_black(corner: tuple[int, int]) -> None:
    seen = view(np.full((100, 200, 3), 255, np.uint8), (*corner, 20, 20), 1.0, 40)

    inside = sum(0 <= corner[0] + i < 200 for i in range(20)) * sum(
        0 <= corner[1] + i < 100 for i in range(20)
    )
    assert np.count_nonzero(seen.pixels[:, :, 0]) == inside * 4


def test_a_checkerboard_is_averaged_when_it_shrinks() -> None:
    board = np.indices((40, 40)).sum(0) % 2 * 255
    small = resized(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), (10, 20))

    assert small.shape == (20, 10, 3)
    assert np.abs(small.astype(int) - 127).max() <= 1


def test_an_image_larger_than_the_square_is_cut_off() -> None:
    square = padded(np.full((30, 10, 3), 9, np.uint8), 20, (5, 2))

    assert square.shape == (20, 20, 3)
    assert (square[2:, 5:15] == 9).all()
    assert np.count_nonzero(square) == 18 * 10 * 3
