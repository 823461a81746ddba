"""From what was measured to a face's ``Quality``, and to the reasons for which it is uncertain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..faces import BoxXywh, Face, Quality, Reason
from .measures import CropMeasures
from .pose import head_pose

#: Below these, and beyond these, a face's emotion should not be believed. docs/quality.md says how often good
#: photographs come under each, and what it does to answers.
MIN_SIZE_PX = 32.0
MIN_SHARPNESS = 0.08
MIN_BRIGHTNESS = 0.1
MAX_ANGLES_DEG = (30.0, 45.0, 35.0)  # roll, yaw, pitch
MIN_VISIBLE = 0.75
MIN_COVERED = 0.5

#: A label that is wrong more often than this is ambiguous, unless it leads the next one by ``CLEAR_RATIO``.
MAX_WRONG = 0.45
CLEAR_RATIO = 3.0


@dataclass(frozen=True)
class Assessment:
    """How well a face can be seen; ``covered`` is the probability that something covers it, and
    ``crop_turn_deg`` by how much its crop was turned upright."""

    quality: Quality
    covered: float = 0.0
    crop_turn_deg: float = 0.0

    @property
    def crop_roll_deg(self) -> float | None:
        """How the face is turned in its crop, in [-180, 180)."""
        roll_deg = self.quality.roll_deg
        return None if roll_deg is None else (roll_deg - self.crop_turn_deg + 180) % 360 - 180


def assess(
    measures: CropMeasures,
    box_xywh: Sequence[float] | None = None,
    size_wh: tuple[int, int] | None = None,
    landmarks_xy: Sequence[Sequence[float]] | npt.NDArray[np.float32] | None = None,
    crop_turn_deg: float = 0.0,
) -> Assessment:
    """Puts together what is known of a face: ``box_xywh`` is the detector's, which may reach outside of the
    frame of ``size_wh``, landmarks are (6, 2), and ``crop_turn_deg`` is by how much the crop was turned."""
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
    """The part of a box that lies inside of a frame, in [0, 1]; 0 for a box without area."""
    x, y, width, height = (float(value) for value in box_xywh)
    if width <= 0 or height <= 0:
        return 0.0
    across = min(x + width, size_wh[0]) - max(x, 0.0)
    down = min(y + height, size_wh[1]) - max(y, 0.0)
    return max(0.0, across) * max(0.0, down) / (width * height)


def reasons_of(probabilities: npt.NDArray[np.float32], assessment: Assessment | None) -> tuple[Reason, ...]:
    """Why the emotion of probabilities (C,) should not be believed; empty where it may be."""
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
        # Of a crop without contrast or detail nothing can be said.
        if assessment.covered > MIN_COVERED and not {"blurred", "dark"} & set(reasons):
            reasons.append("covered")
    if wrong(probabilities) > MAX_WRONG:
        reasons.append("ambiguous")
    return tuple(reasons)


def wrong(probabilities: npt.NDArray[np.float32]) -> float:
    """How likely the most likely label of probabilities (C,) is wrong, in [0, 1].

    From the two largest alone, so for any set of labels; for the models that the fit knows it is calibrated.
    Where the first is ``CLEAR_RATIO`` times the second there is no doubt between labels, however many share
    the rest.
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
    """A face with the probabilities (C,) of ``labels``, its quality, and whether it is uncertain."""
    quality = None if assessment is None else assessment.quality
    return Face.from_row(labels, row, box_xywh, score, face_id, quality, reasons_of(row, assessment))
