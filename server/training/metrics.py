"""Figures of a classifier on a labelled set."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Scores:
    """``confusion[i, j]`` counts pictures of class i answered as j; the rest follows from it."""

    confusion: npt.NDArray[np.int64]
    expected_calibration_error: float

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def f1_per_class(self) -> npt.NDArray[np.float64]:
        hits = np.diag(self.confusion).astype(np.float64)
        either = self.confusion.sum(0) + self.confusion.sum(1)
        f1: npt.NDArray[np.float64] = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
        return f1

    @property
    def macro_f1(self) -> float:
        return float(self.f1_per_class.mean())


def score(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> Scores:
    """Scores of probabilities (N, C), rows summing to 1, against class indices (N,)."""
    classes = probabilities.shape[1]
    answers = probabilities.argmax(1)
    confusion = np.bincount(truth * classes + answers, minlength=classes**2).reshape(classes, classes)
    return Scores(confusion, expected_calibration_error(probabilities.max(1), answers == truth))


def expected_calibration_error(
    confidence: npt.NDArray[np.float32], correct: npt.NDArray[np.bool_], bins: int = 15
) -> float:
    """Mean distance between confidence and accuracy over equal-width bins (Guo et al., arXiv 1706.04599)."""
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = index == b
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    return float(error)
