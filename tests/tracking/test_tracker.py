"""The page's tracker is held to the same file by web/src/tracking/tracker.test.ts."""

import json
from typing import Any

import pytest
from emostream.tracking.tracker import MAX_GAP_S, MAX_PAUSE_S, MAX_UNSEEN, FaceTracker

from tests.support import ROOT

CASES: dict[str, list[dict[str, Any]]] = json.loads((ROOT / "tests/data/tracking_cases.json").read_text())

Box = tuple[float, float, float, float]
LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (600.0, 0.0, 100.0, 100.0)
ANNA, BERT = (0.6, 0.2, -0.4), (-0.5, 0.3, 0.4)


def ids_of(tracker: FaceTracker, now_s: float, *boxes: Box) -> list[int]:
    """Of boxes whose appearance says nothing."""
    return tracker.update(boxes, [()] * len(boxes), now_s)


def moved(box: Box, x: float) -> Box:
    return (box[0] + x, box[1], box[2], box[3])


@pytest.mark.parametrize("name", CASES)
def test_the_recorded_case_gets_its_ids(name: str) -> None:
    tracker = FaceTracker()

    for frame in CASES[name]:
        faces = frame["faces"]
        ids = tracker.update(
            [tuple(face["box"]) for face in faces], [face["appearance"] for face in faces], frame["time_s"]
        )
        assert ids == [face["id"] for face in faces], frame["time_s"]


def test_new_faces_are_numbered_from_1() -> None:
    assert ids_of(FaceTracker(), 0.0, LEFT, RIGHT) == [1, 2]


def test_a_face_elsewhere_is_another_one() -> None:
    tracker = FaceTracker()
    ids_of(tracker, 0.0, LEFT)

    assert ids_of(tracker, 0.1, RIGHT) == [2]


def test_a_number_is_never_given_twice() -> None:
    tracker = FaceTracker()

    seen = [ids_of(tracker, turn * (MAX_PAUSE_S + 1), LEFT) for turn in range(5)]

    assert seen == [[1], [2], [3], [4], [5]]


def test_a_face_that_is_away_for_less_than_the_gap_keeps_its_number_and_for_longer_does_not() -> None:
    tracker = FaceTracker()
    ids_of(tracker, 0.0, LEFT, RIGHT)
    ids_of(tracker, 0.1, LEFT)

    assert ids_of(tracker, MAX_GAP_S, LEFT, RIGHT) == [1, 2]
    ids_of(tracker, 3.0, LEFT)
    assert ids_of(tracker, 3.1 + MAX_GAP_S, LEFT, RIGHT) == [1, 3]


def test_a_slow_client_keeps_its_numbers() -> None:
    tracker = FaceTracker()

    assert [ids_of(tracker, turn * (MAX_PAUSE_S - 0.1), LEFT) for turn in range(3)] == [[1], [1], [1]]


def test_one_face_is_not_matched_to_two() -> None:
    tracker = FaceTracker()
    ids_of(tracker, 0.0, LEFT)

    assert sorted(ids_of(tracker, 0.1, moved(LEFT, 10), moved(LEFT, 30))) == [1, 2]


def test_of_two_equal_boxes_the_first_is_the_known_face() -> None:
    tracker = FaceTracker()
    ids_of(tracker, 0.0, LEFT)

    assert ids_of(tracker, 0.1, LEFT, LEFT) == [1, 2]


def test_a_time_that_goes_back_makes_all_faces_new() -> None:
    tracker = FaceTracker()
    ids_of(tracker, 10.0, LEFT)

    assert ids_of(tracker, 0.0, LEFT) == [2]


def test_somebody_who_comes_back_is_known_beside_whoever_took_the_place() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT], [ANNA], 0.0)

    assert tracker.update([LEFT], [BERT], 0.1) == [2]
    assert tracker.update([LEFT, moved(LEFT, 120)], [BERT, ANNA], 0.5) == [2, 1]


def test_a_moving_face_is_expected_further_on_and_not_after_it_was_lost_for_long() -> None:
    tracker = FaceTracker()
    for turn in range(5):
        ids_of(tracker, 0.1 * turn, moved(LEFT, 30 * turn))

    [(x, y, width, height)] = tracker.expected(0.5, unseen_s=0.4)

    assert 140 < x < 155
    assert (y, width, height) == (0, 100, 100)
    assert tracker.expected(0.9, unseen_s=0.4) == []


def test_what_is_remembered_is_bounded_by_those_seen_last() -> None:
    tracker = FaceTracker()
    for turn in range(2 * MAX_UNSEEN):
        ids_of(tracker, 0.01 * turn, (2000.0 * turn, 0.0, 100.0, 100.0))

    last = 2 * MAX_UNSEEN - 1
    assert len(tracker.expected(0.01 * last, unseen_s=10)) == MAX_UNSEEN + 1
    assert ids_of(tracker, 1.0, (2000.0 * last, 0.0, 100.0, 100.0)) == [last + 1]
    assert ids_of(tracker, 1.1, LEFT) == [2 * MAX_UNSEEN + 1]


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 0.0), (-50.0, -50.0, 0.5, 0.5)])
def test_boxes_without_size_are_no_error(box: Box) -> None:
    tracker = FaceTracker()
    ids_of(tracker, 0.0, box)

    assert ids_of(tracker, 0.0, box) == [1]
