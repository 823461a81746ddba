"""Averages each face's probabilities exponentially over time, so that labels do not flicker."""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

#: Most faces remembered per session; the one unseen for longest is dropped first.
MAX_FACES_REMEMBERED = 256


class Smoother:
    """The moving averages of one session's faces. An average of distributions is a distribution."""

    def __init__(self) -> None:
        self._averages: OrderedDict[int, npt.NDArray[np.float32]] = OrderedDict()

    def smooth(
        self, face_id: int, probabilities: npt.NDArray[np.float32], weight: float
    ) -> npt.NDArray[np.float32]:
        """Averages probabilities (C,) with the face's past average, whose ``weight`` is in [0, 1)."""
        past = self._averages.pop(face_id, None)
        average = probabilities if past is None else weight * past + (1 - weight) * probabilities
        self._averages[face_id] = average
        if len(self._averages) > MAX_FACES_REMEMBERED:
            self._averages.popitem(last=False)
        return average
