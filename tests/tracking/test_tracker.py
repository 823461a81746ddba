from emostream.tracking.tracker import MAX_GAP_S, MAX_PAUSE_S, FaceTracker

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (300.0, 0.0, 100.0, 100.0)


def moved(box: tuple[float, ...], x: float) -> tuple[float, float, float, float]:
    return (box[0] + x, box[1], box[2], box[3])


def test_new_faces_are_numbered_from_1() -> None:
    assert FaceTracker().update([LEFT, RIGHT], 0.0) == [1, 2]


def test_a_face_keeps_its_number_while_it_moves_and_whatever_its_place_in_the_list() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT, RIGHT], 0.0)

    assert tracker.update([moved(RIGHT, 20), moved(LEFT, 20)], 0.1) == [2, 1]
    assert tracker.update([moved(RIGHT, 40), moved(LEFT, 40)], 0.2) == [2, 1]


def test_a_face_that_moves_out_of_its_own_box_is_still_the_nearest_one() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT, RIGHT], 0.0)

    assert tracker.update([moved(LEFT, 79), RIGHT], 0.1) == [1, 2]


def test_a_face_elsewhere_is_another_one() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT], 0.0)

    assert tracker.update([RIGHT], 0.1) == [2]


def test_a_number_is_never_given_twice() -> None:
    tracker = FaceTracker()
    seen = [tracker.update([LEFT if turn % 2 else RIGHT], turn * (MAX_PAUSE_S + 1)) for turn in range(5)]

    assert seen == [[1], [2], [3], [4], [5]]


def test_a_face_that_is_away_for_a_moment_keeps_its_number() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT, RIGHT], 0.0)
    tracker.update([LEFT], 0.1)

    assert tracker.update([LEFT, RIGHT], MAX_GAP_S - 0.1) == [1, 2]


def test_a_face_that_is_away_for_long_comes_back_as_another() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT, RIGHT], 0.0)
    tracker.update([LEFT], 0.1)

    assert tracker.update([LEFT, RIGHT], MAX_GAP_S + 0.1) == [1, 3]


def test_a_slow_client_keeps_its_numbers() -> None:
    tracker = FaceTracker()

    assert [tracker.update([LEFT], turn * (MAX_PAUSE_S - 0.1)) for turn in range(3)] == [[1], [1], [1]]


def test_a_frame_without_faces_is_a_frame() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT], 0.0)

    assert tracker.update([], 0.1) == []
    assert tracker.update([LEFT], 0.2) == [1]


def test_one_face_is_not_matched_to_two() -> None:
    tracker = FaceTracker()
    tracker.update([LEFT], 0.0)

    assert sorted(tracker.update([moved(LEFT, 10), moved(LEFT, 30)], 0.1)) == [1, 2]
