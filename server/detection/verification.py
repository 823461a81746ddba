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

_HEADSET = ANSWERS.index("headset")


class Verifier(Protocol):
    """A network that verifies faces; safe to call from several threads at once."""

    def __call__(self, crop: Pixels) -> float:
        """The probability that a crop uint8 (S, S, 3) RGB shows a face."""

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        """The probabilities (5,) of ``verifier.ANSWERS`` for such a crop."""


def is_verifiable(found: Detections) -> npt.NDArray[np.bool_]:
    """Whether each box (N,) is large enough for the verifier."""
    return np.asarray(found.boxes_xywh[:, 2:].max(axis=1, initial=0) >= MIN_VERIFIABLE_PX, np.bool_)


def probability(verifier: Verifier, picture: Pixels, box_xywh: RawBoxXywh) -> float:
    """The probability that the box in an image uint8 (H, W, 3) RGB is of a face."""
    return verifier(verifier_input(picture, box_xywh))


def wears_headset(verifier: Verifier, picture: Pixels, box_xywh: RawBoxXywh) -> bool:
    """Whether a headset is the likeliest that the box in an image uint8 (H, W, 3) RGB shows."""
    return int(verifier.answers(verifier_input(picture, box_xywh)).argmax()) == _HEADSET


def verifier_input(picture: Pixels, box_xywh: RawBoxXywh) -> Pixels:
    """What the verifier sees of a box in an image uint8 (H, W, 3) RGB: uint8 (48, 48, 3) RGB."""
    return view(picture, face_square(box_xywh), 1.0, INPUT_PX).pixels
