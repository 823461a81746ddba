"""Estimates with the face verifier whether something covers a face: a mask, a headset, a hand."""

import logging
import threading
from functools import cache

import numpy as np
import numpy.typing as npt

from ..detection.verifier import ANSWERS, FaceVerifier
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
    answers = verifier.answers(crop_rgb)
    # Of a face, since every crop was cut around one: "no face" tells nothing about covers.
    return float(1 - answers[_BARE] / max(1 - answers[_NO_FACE], 1e-6))


def _verifier() -> FaceVerifier | None:
    with _loading:
        return _loaded()


@cache
def _loaded() -> FaceVerifier | None:
    try:
        return FaceVerifier()
    except DetectorError as error:
        logger.warning("whether faces are covered is not known here: %s", error)
        return None
