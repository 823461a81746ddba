"""Estimates with the face verifier whether something covers a face: a mask, a headset, a hand."""

import logging
import threading
from functools import cache

import numpy as np
import numpy.typing as npt

from ..detection.verifier import ANSWERS, FaceVerifier, shared_verifier
from ..exceptions import DetectorError

logger = logging.getLogger(__name__)

_NO_FACE, _BARE = ANSWERS.index("no face"), ANSWERS.index("none")

#: Only one thread loads the network, the others wait for it.
_loading = threading.Lock()


def covered(crop_rgb: npt.NDArray[np.uint8]) -> float:
    """The probability in [0, 1] that something covers the face of a crop uint8 (48, 48, 3) RGB.

    It is 0 where the network cannot be loaded: then nobody is told that a face is covered.
    """
    verifier = _verifier()
    if verifier is None:
        return 0.0
    return float(probability_of_cover(verifier.answers(crop_rgb)))


def probability_of_cover(answers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The probabilities (...) that something covers a face, of the verifier's answers (..., 5).

    They are those of a face, since every crop was cut around one: "no face" tells nothing about covers.
    """
    return np.asarray(1 - answers[..., _BARE] / np.maximum(1 - answers[..., _NO_FACE], 1e-6), np.float32)


def _verifier() -> FaceVerifier | None:
    with _loading:
        return _loaded()


@cache
def _loaded() -> FaceVerifier | None:
    try:
        return shared_verifier()
    except DetectorError as error:
        logger.warning("whether faces are covered is not known here: %s", error)
        return None
