"""Estimates a head's pose from BlazeFace's six landmarks. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: The landmarks of a head that faces the camera, in cm: x to the image's right, y down, z towards the camera.
#: Rounded from MediaPipe's canonical face model (Apache-2.0), in the order of ``LANDMARKS``.
_HEAD = np.array(
    [
        [-3.2, -2.6, 3.5],  # right eye
        [3.2, -2.6, 3.5],  # left eye
        [0.0, 0.9, 7.5],  # tip of the nose
        [0.0, 3.6, 5.9],  # mouth
        [-7.6, -1.2, -2.2],  # right ear
        [7.6, -1.2, -2.2],  # left ear
    ]
)
_HEAD -= _HEAD.mean(0)
_SOLVER = np.linalg.pinv(_HEAD)  # (3, 6)


class HeadPose(NamedTuple):
    """Angles in degrees, with the signs of ``emostream.faces.Quality``."""

    roll_deg: float
    yaw_deg: float
    pitch_deg: float


def head_pose(landmarks_xy: Sequence[Sequence[float]] | npt.NDArray[np.float32]) -> HeadPose | None:
    """The pose for landmarks (6, 2), x and y in pixels; None if all are at one point.

    It is the head's rotation under scaled orthography, by least squares: the first step of DeMenthon and
    Davis, "Model-based object pose in 25 lines of code" (IJCV 1995).
    """
    points = np.asarray(landmarks_xy, np.float64)
    across, down = (_SOLVER @ (points - points.mean(0))).T  # two rows of the rotation, scaled
    if np.hypot(across[0], down[0]) < 1e-9:
        return None
    roll = np.arctan2(down[0], across[0])
    cosine, sine = np.cos(roll), np.sin(roll)
    # With the roll taken out: (cos yaw, sin pitch sin yaw, cos pitch sin yaw) and (0, cos pitch, -sin pitch).
    across, down = cosine * across + sine * down, cosine * down - sine * across
    pitch = np.arctan2(-down[2], down[1])
    yaw = np.arctan2(across[1] * np.sin(pitch) + across[2] * np.cos(pitch), across[0])
    return HeadPose(*(float(np.degrees(angle)) for angle in (roll, yaw, pitch)))
