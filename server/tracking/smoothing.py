"""Exponential moving averages of each face's probabilities, so that labels do not flicker."""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

#: Faces remembered per session; the one unseen for longest is forgotten first.
MAX_FACES_REMEMBERED = 256


class Smoother:
    """One session's faces. Probabilities stay probabilities: an average of distributions is one."""

    def __init__(self) -> None:
        self._averages: OrderedDict[int, npt.NDArray[np.float32]] = OrderedDict()

    def smooth(
        self, face_id: int, probabilities: npt.NDArray[np.float32], weight: float
    ) -> npt.NDArray[np.float32]:
        """The average of (C,) probabilities with the face's past; ``weight`` in [0, 1) is the past's."""
        past = self._averages.pop(face_id, None)
        average = probabilities if past is None else weight * past + (1 - weight) * probabilities
        self._averages[face_id] = average
        if len(self._averages) > MAX_FACES_REMEMBERED:
            self._averages.popitem(last=False)
        return average
