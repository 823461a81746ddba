import numpy as np
import pytest
from emostream.tracking.smoothing import MAX_FACES_REMEMBERED, Smoother


def row(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_a_new_face_is_taken_as_it_is() -> None:
    assert Smoother().smooth(3, row(0.25, 0.75), 0.9).tolist() == [0.25, 0.75]


def test_the_average_weighs_the_past_as_told() -> None:
    smoother = Smoother()

    smoother.smooth(3, row(1, 0), 0.6)
    second = smoother.smooth(3, row(0, 1), 0.6)
    third = smoother.smooth(3, row(0, 1), 0.6)

    assert second == pytest.approx([0.6, 0.4])
    assert third == pytest.approx([0.36, 0.64])
    assert third.sum() == pytest.approx(1)


def test_weight_0_forgets_the_past() -> None:
    smoother = Smoother()
    smoother.smooth(3, row(1, 0), 0.6)

    assert smoother.smooth(3, row(0, 1), 0.0).tolist() == [0, 1]


def test_faces_do_not_mix() -> None:
    smoother = Smoother()
    smoother.smooth(3, row(1, 0), 0.6)

    assert smoother.smooth(4, row(0, 1), 0.6).tolist() == [0, 1]


def test_the_face_unseen_for_longest_is_forgotten_when_memory_is_full() -> None:
    smoother = Smoother()
    for face_id in range(MAX_FACES_REMEMBERED):
        smoother.smooth(face_id, row(1, 0), 0.5)
    smoother.smooth(0, row(1, 0), 0.5)  # seen again, and so 1 is the oldest

    smoother.smooth(10_000, row(1, 0), 0.5)

    assert smoother.smooth(0, row(0, 1), 0.5).tolist() == [0.5, 0.5]
    assert smoother.smooth(1, row(0, 1), 0.5).tolist() == [0, 1]


def test_memory_stays_bounded_however_many_faces_come() -> None:
    smoother = Smoother()

    for face_id in range(3 * MAX_FACES_REMEMBERED):
        smoother.smooth(face_id, row(1, 0), 0.5)

    remembered = [face_id for face_id in range(3 * MAX_FACES_REMEMBERED) if face_id in smoother._averages]
    assert remembered == list(range(2 * MAX_FACES_REMEMBERED, 3 * MAX_FACES_REMEMBERED))
