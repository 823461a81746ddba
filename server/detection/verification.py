"""Asks the verifier about a box of an image."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..imaging.crop import RawBoxXywh, face_square
from .anchors import Detections
from .blazeface import Pixels
from .verifier import ANSWERS, INPUT_PX
from .views import view

#: Least size of a face that the verifier tells from textures.
MIN_VERIFIABLE_PX = 40

_NO_FACE, _HEADSET = ANSWERS.index("no face"), ANSWERS.index("headset")


class Verifier(Protocol):
    """A network that verifies faces; safe to call from several threads at once."""

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        """The probabilities (5,) of ``verifier.ANSWERS`` for a crop uint8 (S, S, 3) RGB."""


def is_verifiable(found: Detections) -> npt.NDArray[np.bool_]:
    """Whether each box (N,) is large enough for the verifier."""
    return np.asarray(found.boxes_xywh[:, 2:].max(axis=1, initial=0) >= MIN_VERIFIABLE_PX, np.bool_)


def answers(verifier: Verifier, picture: Pixels, box_xywh: RawBoxXywh) -> npt.NDArray[np.float32]:
    """The verifier's answers (5,) about the box in an image uint8 (H, W, 3) RGB."""
    return verifier.answers(verifier_input(picture, box_xywh))


def probability_of_face(answers: npt.NDArray[np.float32]) -> float:
    """The probability of a face, of the verifier's answers (5,)."""
    return float(1 - answers[_NO_FACE])


def shows_headset(answers: npt.NDArray[np.float32]) -> bool:
    """Whether a headset is the likeliest of the verifier's answers (5,)."""
    return int(answers.argmax()) == _HEADSET


def verifier_input(picture: Pixels, box_xywh: RawBoxXywh) -> Pixels:
    """What the verifier sees of a box in an image uint8 (H, W, 3) RGB: uint8 (48, 48, 3) RGB."""
    return view(picture, face_square(box_xywh), 1.0, INPUT_PX).pixels
