import json
from typing import Any

import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.turned import turned_back, turned_image

from tests.support import ROOT

SIZE_WH = (30, 20)
BOX = (4, 6, 10, 8)


def marked(*places_xy: tuple[int, int]) -> np.ndarray:
    image = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    for x, y in places_xy:
        image[y, x] = 255
    return image


def found_in(image: np.ndarray) -> Detections:
    """A box around all that is white; the first landmark is its brightest place."""
    y, x = np.nonzero(image[..., 0])
    box = [[x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]]
    brightest = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
    landmarks = np.full((1, 6, 2), (brightest[1] + 0.5, brightest[0] + 0.5), np.float32)
    return Detections(np.array(box, np.float32), np.array([0.9], np.float32), landmarks)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_what_is_found_in_a_turned_image_goes_back_to_where_it_was(quarters: int) -> None:
    image = marked((4, 6), (13, 9), (6, 13))
    image[6, 4] = 254
    image[9, 13] = 255
    image[13, 6] = 253

    back = turned_back(found_in(turned_image(image, quarters)), quarters, SIZE_WH)

    assert back.boxes_xywh.tolist() == [list(BOX)]
    assert back.landmarks_xy.tolist() == [[[13.5, 9.5]] * 6]
    assert back.scores == pytest.approx(0.9)


def test_no_other_turn_is_taken_back() -> None:
    with pytest.raises(ValueError, match="1, 2 or 3 quarters"):
        turned_back(Detections.none(), 4, SIZE_WH)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_nothing_turned_is_nothing(quarters: int) -> None:
    assert len(turned_back(Detections.none(), quarters, SIZE_WH)) == 0


#: The page's tests read them, too.
CASES = json.loads((ROOT / "tests/data/turned_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_page_and_server_turn_a_face_back_alike(case: dict[str, Any]) -> None:
    landmarks = np.array([case["turned_landmarks"]], np.float32)
    found = Detections(np.array([case["turned_box"]], np.float32), np.array([0.9], np.float32), landmarks)

    back = turned_back(found, case["quarters"], tuple(case["frame"]))

    assert back.boxes_xywh.tolist() == [case["box"]]
    assert back.landmarks_xy.tolist() == [case["landmarks"]]
