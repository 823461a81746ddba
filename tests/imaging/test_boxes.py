import numpy as np
import pytest
from emostream.imaging.boxes import areas, intersections, ious

BOXES = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [50, 50, 0, 0]], np.float32)


def test_areas() -> None:
    assert areas(BOXES).tolist() == [100, 100, 0]


def test_intersections_are_in_pixels() -> None:
    assert intersections(BOXES[:1], BOXES).tolist() == [[100, 50, 0]]


def test_intersection_over_union_is_0_for_boxes_without_area() -> None:
    assert ious(BOXES, BOXES) == pytest.approx(np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]]))
