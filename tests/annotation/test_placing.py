import json
from typing import Any

import numpy as np
import pytest
from emostream.annotation.placing import RectXywh, fitted, place_labels

from tests.support import DATA

CASES: list[dict[str, Any]] = json.loads((DATA / "tag_places.json").read_text())


def overlap(a: RectXywh, b: RectXywh) -> float:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, across) * max(0.0, down)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_shared_cases(case: dict[str, Any]) -> None:
    found = place_labels(case["size"], case["boxes"], case["labels"], case["gap"], case.get("kept", ()))

    assert [list(place) for place in found] == [pytest.approx(place) for place in case["places"]]


def test_labels_of_six_faces_on_a_phone_are_inside_and_apart_wherever_the_faces_are() -> None:
    rng = np.random.default_rng(0)
    width, height = 360.0, 270.0
    for _ in range(300):
        corners = rng.uniform((-20, -20), (330, 240), (6, 2))
        boxes = [(float(x), float(y), side, side) for (x, y), side in zip(corners, [60.0] * 6, strict=True)]
        labels = [(float(label), 24.0) for label in rng.uniform(60, 130, 6)]

        places = [
            (x, y, *label)
            for (x, y, _), label in zip(place_labels((width, height), boxes, labels, 6), labels, strict=True)
        ]

        for index, (x, y, label_width, label_height) in enumerate(places):
            assert x >= 0
            assert y >= 0
            assert x + label_width <= width
            assert y + label_height <= height
            assert all(overlap(places[index], other) == 0 for other in places[:index])


def test_a_box_is_cut_to_the_picture_and_never_inverted() -> None:
    assert fitted((10, 20, 30, 40), (640, 480), 2) == (10, 20, 30, 40)
    assert fitted((-50, -60, 900, 900), (640, 480), 2) == (2, 2, 636, 476)
    assert fitted((700, -90, 50, 50), (640, 480)) == (640, 0, 0, 0)
