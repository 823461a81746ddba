"""A recogniser, as it serves, on labelled faces."""

import numpy as np

from server.exceptions import DatasetError
from server.inference import Recognizer
from server.training.datasets import LABELS, FaceDataset
from server.training.metrics import Scores, score

_BATCH = 256


def evaluate(recognizer: Recognizer, faces: FaceDataset) -> Scores:
    """Scores over LABELS, each picture seen once and not flipped.

    Raises DatasetError if the recogniser knows other labels than the data.
    """
    if set(recognizer.labels) != set(LABELS):
        raise DatasetError(
            f"{recognizer.name} knows {', '.join(recognizer.labels)}; the data has {', '.join(LABELS)}"
        )
    order = [recognizer.labels.index(label) for label in LABELS]
    probabilities = [
        recognizer.recognize(list(np.repeat(faces.images[start : start + _BATCH, :, :, None], 3, axis=3)))
        for start in range(0, len(faces), _BATCH)
    ]
    return score(np.concatenate(probabilities)[:, order], faces.targets.argmax(1))
