"""Metrics of a classifier on labelled data, with confidence intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Bins of the calibration error and of reliability diagrams.
BINS = 15

_RESAMPLES_AT_A_TIME = 50


@dataclass(frozen=True)
class Scores:
    """``confusion[i, j]`` counts images of class i predicted as j; the other figures follow from it, except
    the calibration error. A division by 0 gives 0."""

    confusion: npt.NDArray[np.int64]
    expected_calibration_error: float

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def support(self) -> npt.NDArray[np.int64]:
        """The number of images of each class, (C,)."""
        support: npt.NDArray[np.int64] = self.confusion.sum(1)
        return support

    @property
    def precision_per_class(self) -> Floats:
        return _ratio(np.diag(self.confusion), self.confusion.sum(0))

    @property
    def recall_per_class(self) -> Floats:
        return _ratio(np.diag(self.confusion), self.confusion.sum(1))

    @property
    def f1_per_class(self) -> Floats:
        return _f1(self.confusion)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have images, so that no class outweighs another."""
        return float(_balanced_accuracy(self.confusion))

    @property
    def macro_f1(self) -> float:
        return float(self.f1_per_class.mean())


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """The figures of ``Scores``; ``f1`` has one for each class."""

    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    expected_calibration_error: Interval
    f1: tuple[Interval, ...]


def figures(scores: Scores, intervals: Intervals, labels: Sequence[str]) -> dict[str, Any]:
    """The headline figures with their intervals, and those of each class, for JSON."""
    return {
        "accuracy": asdict(intervals.accuracy),
        "balanced_accuracy": asdict(intervals.balanced_accuracy),
        "macro_f1": asdict(intervals.macro_f1),
        "expected_calibration_error": asdict(intervals.expected_calibration_error),
        "classes": {
            label: {
                "precision": float(scores.precision_per_class[index]),
                "recall": float(scores.recall_per_class[index]),
                "f1": asdict(intervals.f1[index]),
                "support": int(scores.support[index]),
            }
            for index, label in enumerate(labels)
        },
    }


@dataclass(frozen=True)
class ReliabilityBin:
    """The images with a confidence in [``low``, ``high``]; the means are 0 if there are none."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def score(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> Scores:
    """Scores of probabilities (N, C), rows summing to 1, against class indices (N,)."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(1)
    confusion = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return Scores(confusion, expected_calibration_error(probabilities.max(1), predicted == truth))


def expected_calibration_error(
    confidence: npt.NDArray[np.float32], correct: npt.NDArray[np.bool_], bins: int = BINS
) -> float:
    """Mean distance between confidence and accuracy over equal-width bins (Guo et al., arXiv 1706.04599)."""
    gaps = np.bincount(_bin(confidence, bins), confidence.astype(np.float64) - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def reliability(
    confidence: npt.NDArray[np.float32], correct: npt.NDArray[np.bool_], bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """The bins over which the calibration error is averaged."""
    index = _bin(confidence, bins)
    images = np.bincount(index, minlength=bins)
    mean_confidence = _ratio(np.bincount(index, confidence, minlength=bins), images)
    accuracy = _ratio(np.bincount(index, correct, minlength=bins), images)
    return tuple(
        ReliabilityBin(b / bins, (b + 1) / bins, int(images[b]), mean_confidence[b], accuracy[b])
        for b in range(bins)
    )


def bootstrap(
    probabilities: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    seed: int = 0,
    resamples: int = 1000,
) -> Intervals:
    """95 % percentile intervals (Efron and Tibshirani, 1993) of the figures of ``score``.

    Images are drawn with replacement, as many as there are. The same seed draws the same images.
    """
    found, drawn = score(probabilities, truth), _resampled(probabilities, truth, seed, resamples)
    return Intervals(
        accuracy=_interval(found.accuracy, drawn.accuracy),
        balanced_accuracy=_interval(found.balanced_accuracy, drawn.balanced_accuracy),
        macro_f1=_interval(found.macro_f1, drawn.f1.mean(1)),
        expected_calibration_error=_interval(found.expected_calibration_error, drawn.calibration_error),
        f1=tuple(
            _interval(float(value), drawn.f1[:, c]) for c, value in enumerate(found.f1_per_class.tolist())
        ),
    )


def differences(
    first: npt.NDArray[np.float32],
    second: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    seed: int = 0,
    resamples: int = 1000,
) -> Intervals:
    """The figures of the ``second`` predictions for some images minus those of the ``first``.

    The intervals are paired: both are measured on the same draws, so that images that are hard for both do
    not widen them.

    Arguments are as in ``bootstrap``.
    """
    before, after = score(first, truth), score(second, truth)
    drawn = _resampled(first, truth, seed, resamples)
    other = _resampled(second, truth, seed, resamples)

    def difference(name: str, draws: Floats) -> Interval:
        return _interval(getattr(after, name) - getattr(before, name), draws)

    return Intervals(
        accuracy=difference("accuracy", other.accuracy - drawn.accuracy),
        balanced_accuracy=difference("balanced_accuracy", other.balanced_accuracy - drawn.balanced_accuracy),
        macro_f1=difference("macro_f1", other.f1.mean(1) - drawn.f1.mean(1)),
        expected_calibration_error=difference(
            "expected_calibration_error", other.calibration_error - drawn.calibration_error
        ),
        f1=tuple(
            _interval(float(value), other.f1[:, c] - drawn.f1[:, c])
            for c, value in enumerate((after.f1_per_class - before.f1_per_class).tolist())
        ),
    )


@dataclass(frozen=True)
class _Resampled:
    """Figures of R resamples: (R,) each, and (R, C) for ``f1``."""

    accuracy: Floats
    balanced_accuracy: Floats
    f1: Floats
    calibration_error: Floats


def _resampled(
    probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], seed: int, resamples: int
) -> _Resampled:
    n, classes = probabilities.shape
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    # Every figure is a function of sums over images, so a resample is a row of a matrix product: the number
    # of draws of each image, times its contribution to each sum.
    adds = np.zeros((n, classes**2 + BINS), np.float32)
    images = np.arange(n)
    adds[images, truth * classes + predicted] = 1
    adds[images, classes**2 + _bin(confidence, BINS)] = confidence - (predicted == truth)
    generator = np.random.default_rng(seed)
    sums = np.concatenate(
        [
            _draws(generator, min(_RESAMPLES_AT_A_TIME, resamples - start), n) @ adds
            for start in range(0, resamples, _RESAMPLES_AT_A_TIME)
        ]
    ).astype(np.float64)
    confusions = sums[:, : classes**2].reshape(resamples, classes, classes)
    return _Resampled(
        accuracy=np.trace(confusions, axis1=1, axis2=2) / n,
        balanced_accuracy=_balanced_accuracy(confusions),
        f1=_f1(confusions),
        calibration_error=np.abs(sums[:, classes**2 :]).sum(1) / n,
    )


def _draws(generator: np.random.Generator, resamples: int, n: int) -> npt.NDArray[np.float32]:
    """(R, N): how often each image was drawn in each resample."""
    drawn = generator.integers(0, n, (resamples, n)) + np.arange(resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float32)


def _interval(value: float, resampled: Floats) -> Interval:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _f1(confusion: npt.NDArray[np.int64] | Floats) -> Floats:
    """F1 (…, C) of confusion matrices (…, C, C)."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _ratio(2 * hits, confusion.sum(-1) + confusion.sum(-2))


def _balanced_accuracy(confusion: npt.NDArray[np.int64] | Floats) -> Floats:
    """Balanced accuracy (…) of confusion matrices (…, C, C)."""
    hits, images = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1)
    return _ratio(_ratio(hits, images).sum(-1), (images > 0).sum(-1))


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    zeros = np.zeros(np.shape(part), np.float64)
    ratio: Floats = np.divide(part, whole, out=zeros, where=np.asarray(whole) > 0)
    return ratio


def _bin(confidence: npt.NDArray[np.float32], bins: int) -> npt.NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)
