import numpy as np
import pytest
from emostream.quality.pose import _HEAD, head_pose


def seen(roll_deg: float = 0, yaw_deg: float = 0, pitch_deg: float = 0, scale: float = 7.0) -> np.ndarray:
    """The landmarks (6, 2) of the model's head, turned: pitch first, then yaw, then roll in the plane."""
    roll, yaw, pitch = np.radians([roll_deg, yaw_deg, pitch_deg])
    x, y, z = _HEAD.T
    y, z = y * np.cos(pitch) - z * np.sin(pitch), y * np.sin(pitch) + z * np.cos(pitch)
    x = x * np.cos(yaw) + z * np.sin(yaw)
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    return np.stack([x, y], axis=1) * scale + [320, 240]


@pytest.mark.parametrize(
    "angles",
    [(0, 0, 0), (30, 0, 0), (-90, 0, 0), (170, 0, 0), (0, 40, 0), (0, -60, 0), (0, 0, 25), (20, -35, 15)],
)
def test_a_turned_head_has_its_angles(angles: tuple[float, float, float]) -> None:
    assert head_pose(seen(*angles)) == pytest.approx(angles, abs=1e-6)


def test_the_signs_are_those_that_the_image_shows() -> None:
    right_eye, left_eye, nose, *_ = seen(roll_deg=20)
    assert left_eye[1] > right_eye[1]  # clockwise: the eye at the image's right is the lower one
    assert seen(yaw_deg=30)[2, 0] > nose[0]  # the nose goes to the image's right
    assert seen(pitch_deg=30)[2, 1] < seen()[2, 1]  # looking up, the nose goes up


def test_a_mirrored_face_looks_the_other_way() -> None:
    points = seen(12, 34, -8)
    mirrored = (points * [-1, 1])[[1, 0, 2, 3, 5, 4]]  # the person's right eye is at the other side now

    assert head_pose(mirrored) == pytest.approx((-12, -34, -8), abs=1e-6)


def test_landmarks_on_one_point_say_nothing() -> None:
    assert head_pose(np.full((6, 2), 7.0)) is None
    assert head_pose([[0, 0]] * 6) is None
