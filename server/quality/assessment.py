"""Derives a face's ``Quality`` from measurements, and the reasons why its prediction is uncertain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..faces import BoxXywh, Face, Quality, Reason
from .measures import CropMeasures
from .pose import head_pose

#: Outside these limits, a prediction is uncertain. docs/quality.md says how often good photographs fail each
#: limit, and how it affects predictions.
MIN_SIZE_PX = 32.0
MIN_SHARPNESS = 0.08
MIN_BRIGHTNESS = 0.1
MAX_ANGLES_DEG = (30.0, 45.0, 35.0)  # roll, yaw, pitch
MIN_VISIBLE = 0.75
MIN_COVERED = 0.9

#: A prediction more likely wrong than this is ambiguous, unless its label leads the next by ``CLEAR_RATIO``.
MAX_WRONG = 0.45
CLEAR_RATIO = 3.0


@dataclass(frozen=True)
class Assessment:
    """How well a face can be seen. ``covered`` is the probability that something covers it;
    ``crop_turn_deg`` is the angle by which its crop was turned upright."""

    quality: Quality
    covered: float = 0.0
    crop_turn_deg: float = 0.0

    @property
    def crop_roll_deg(self) -> float | None:
        """The face's roll within its crop, in [-180, 180)."""
        roll_deg = self.quality.roll_deg
        return None if roll_deg is None else (roll_deg - self.crop_turn_deg + 180) % 360 - 180


def assess(
    measures: CropMeasures,
    box_xywh: Sequence[float] | None = None,
    size_wh: tuple[int, int] | None = None,
    landmarks_xy: Sequence[Sequence[float]] | npt.NDArray[np.float32] | None = None,
    crop_turn_deg: float = 0.0,
) -> Assessment:
    """Combines what is known of a face.

    ``box_xywh`` is the detector's box, which may reach outside the frame of ``size_wh``; ``landmarks_xy`` are
    (6, 2); ``crop_turn_deg`` is the angle by which the crop was turned.
    """
    pose = None if landmarks_xy is None else head_pose(landmarks_xy)
    quality = Quality(
        size_px=None if box_xywh is None else round(float(max(box_xywh[2:])), 1),
        sharpness=round(measures.sharpness, 3),
        brightness=round(measures.brightness, 3),
        roll_deg=None if pose is None else round(pose.roll_deg, 1),
        yaw_deg=None if pose is None else round(pose.yaw_deg, 1),
        pitch_deg=None if pose is None else round(pose.pitch_deg, 1),
        visible=None if box_xywh is None or size_wh is None else round(visible_part(box_xywh, size_wh), 3),
    )
    return Assessment(quality, measures.covered, crop_turn_deg)


def visible_part(box_xywh: Sequence[float], size_wh: tuple[int, int]) -> float:
    """The fraction of a box inside the frame, in [0, 1]; 0 for a box without area."""
    x, y, width, height = (float(value) for value in box_xywh)
    if width <= 0 or height <= 0:
        return 0.0
    across = min(x + width, size_wh[0]) - max(x, 0.0)
    down = min(y + height, size_wh[1]) - max(y, 0.0)
    return max(0.0, across) * max(0.0, down) / (width * height)


def reasons_of(probabilities: npt.NDArray[np.float32], assessment: Assessment | None) -> tuple[Reason, ...]:
    """Why a prediction, probabilities (C,), is uncertain; empty if it is not."""
    reasons: list[Reason] = []
    if assessment is not None:
        quality = assessment.quality
        angles = (assessment.crop_roll_deg, quality.yaw_deg, quality.pitch_deg)
        if quality.size_px is not None and quality.size_px < MIN_SIZE_PX:
            reasons.append("small")
        if quality.sharpness < MIN_SHARPNESS:
            reasons.append("blurred")
        if quality.brightness < MIN_BRIGHTNESS:
            reasons.append("dark")
        if any(abs(angle or 0.0) > most for angle, most in zip(angles, MAX_ANGLES_DEG, strict=True)):
            reasons.append("turned")
        if quality.visible is not None and quality.visible < MIN_VISIBLE:
            reasons.append("cut_off")
        # A crop without contrast or detail does not show whether the face is covered.
        if assessment.covered > MIN_COVERED and not {"blurred", "dark"} & set(reasons):
            reasons.append("covered")
    if wrong(probabilities) > MAX_WRONG:
        reasons.append("ambiguous")
    return tuple(reasons)


def wrong(probabilities: npt.NDArray[np.float32]) -> float:
    """The probability that the most likely label of probabilities (C,) is wrong, in [0, 1].

    It uses only the two largest probabilities, so it works for any set of labels; for the models of the fit
    it is calibrated. It is 0 if the largest is at least ``CLEAR_RATIO`` times the second: then no other label
    competes, however many share the rest.
    """
    if len(probabilities) < 2:
        return 0.0
    second, first = (float(value) for value in np.sort(probabilities)[-2:])
    if first >= CLEAR_RATIO * second:
        return 0.0
    return 1 - first


def face_of(
    labels: Sequence[str],
    row: npt.NDArray[np.float32],
    assessment: Assessment | None,
    box_xywh: BoxXywh | None = None,
    score: float | None = None,
    face_id: int | None = None,
) -> Face:
    """A face with the probabilities (C,) of ``labels``, its quality, and the reasons why it is uncertain."""
    quality = None if assessment is None else assessment.quality
    return Face.from_row(labels, row, box_xywh, score, face_id, quality, reasons_of(row, assessment))
