import numpy as np
import pytest
from emostream.faces import Reason
from emostream.quality.assessment import assess, face_of, reasons_of, visible_part
from emostream.quality.measures import CropMeasures

GOOD = CropMeasures(sharpness=0.8, brightness=0.5)
SURE = np.array([0.97, 0.02, 0.01], np.float32)
FACING = [[40.0, 40.0], [80.0, 40.0], [60.0, 65.0], [60.0, 80.0], [25.0, 50.0], [95.0, 50.0]]


def test_only_what_is_known_is_said() -> None:
    alone = assess(GOOD).quality
    known = assess(GOOD, (20, 20, 80.04, 70), (640, 480), FACING).quality

    assert (alone.sharpness, alone.brightness) == (0.8, 0.5)
    assert (alone.size_px, alone.visible, alone.roll_deg, alone.yaw_deg) == (None, None, None, None)
    assert (known.size_px, known.visible) == (80.0, 1.0)
    assert known.roll_deg == pytest.approx(0, abs=0.1)
    assert known.yaw_deg == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((0, 0, 10, 10), 1.0),
        ((-5, 0, 10, 10), 0.5),
        ((95, 45, 10, 10), 0.25),
        ((-50, -50, 300, 150), 100 * 50 / (300 * 150)),
        ((200, 0, 10, 10), 0.0),
        ((0, 0, 0, 10), 0.0),
    ],
)
def test_the_visible_part_of_a_box(box: tuple[int, int, int, int], part: float) -> None:
    assert visible_part(box, (100, 50)) == pytest.approx(part)


@pytest.mark.parametrize(
    ("measures", "box", "reason"),
    [
        (GOOD, (20, 20, 20, 20), "small"),
        (CropMeasures(sharpness=0.01, brightness=0.5), (20, 20, 80, 80), "blurred"),
        (CropMeasures(sharpness=0.8, brightness=0.04), (20, 20, 80, 80), "dark"),
        (GOOD, (-50, 20, 80, 80), "cut_off"),
        (CropMeasures(sharpness=0.8, brightness=0.5, covered=0.95), (20, 20, 80, 80), "covered"),
    ],
)
def test_each_fault_has_its_reason(
    measures: CropMeasures, box: tuple[int, int, int, int], reason: Reason
) -> None:
    assert reasons_of(SURE, assess(measures, box, (640, 480))) == (reason,)


def test_a_turned_head_has_its_reason() -> None:
    tilted = [[40.0, 40.0], [62.0, 73.0], [33.0, 66.0], [20.0, 75.0], [25.0, 40.0], [70.0, 100.0]]

    assert reasons_of(SURE, assess(GOOD, (20, 20, 80, 80), (640, 480), tilted)) == ("turned",)


def test_a_turned_head_whose_crop_is_upright_is_no_reason_for_doubt_but_its_roll_stays_known() -> None:
    tilted = [[40.0, 40.0], [62.0, 73.0], [33.0, 66.0], [20.0, 75.0], [25.0, 40.0], [70.0, 100.0]]

    upright = assess(GOOD, (20, 20, 80, 80), (640, 480), tilted, crop_turn_deg=56.0)
    turned_the_wrong_way = assess(GOOD, (20, 20, 80, 80), (640, 480), tilted, crop_turn_deg=-56.0)

    assert upright.quality.roll_deg == pytest.approx(56, abs=10)
    assert upright.crop_roll_deg == pytest.approx(0, abs=10)
    assert reasons_of(SURE, upright) == ()
    assert reasons_of(SURE, turned_the_wrong_way) == ("turned",)


def test_a_roll_in_the_crop_goes_round() -> None:
    upside_down = [[-x, -y] for x, y in FACING]

    assessment = assess(GOOD, (20, 20, 80, 80), (640, 480), upside_down, crop_turn_deg=-179.0)

    assert abs(assessment.quality.roll_deg or 0) == pytest.approx(180, abs=1)
    assert assessment.crop_roll_deg == pytest.approx(-1, abs=1)


def test_of_a_face_that_cannot_be_seen_nobody_says_that_it_is_covered() -> None:
    dark = CropMeasures(sharpness=0.01, brightness=0.02, covered=0.99)

    assert reasons_of(SURE, assess(dark)) == ("blurred", "dark")


def test_a_good_face_with_a_clear_answer_is_certain() -> None:
    face = face_of(("a", "b", "c"), SURE, assess(GOOD, (20, 20, 80, 80), (640, 480), FACING), face_id=4)

    assert (face.uncertain, face.reasons, face.face_id) == (False, (), 4)
    assert face.quality is not None


def test_probabilities_that_do_not_decide_are_ambiguous_whatever_their_labels() -> None:
    for row in ([0.4, 0.38, 0.22], [0.2, 0.4, 0.4], [0.3, 0.25] + [0.45 / 20] * 20):
        assert reasons_of(np.array(row, np.float32), None) == ("ambiguous",)
    for row in ([1.0], [0.9, 0.1], [0.4] + [0.6 / 40] * 40):
        assert reasons_of(np.array(row, np.float32), None) == ()
