"""Evaluates a recogniser, as it serves, on labelled faces: unchanged, and under simulated conditions."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from ..exceptions import DatasetError
from ..inference import Recognizer
from .columns import Column
from .conditions import Condition, Images, conditions
from .datasets import FaceDataset
from .metrics import Interval, Intervals, ReliabilityBin, Scores, bootstrap, figures, reliability, score

RESAMPLES = 1000

_BATCH = 256


@dataclass(frozen=True)
class ConditionResult:
    """The headline figures under one condition."""

    name: str
    title: str
    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    expected_calibration_error: Interval


@dataclass(frozen=True)
class GroupResult:
    """The figures for the images with the value ``name`` in the column."""

    name: str
    scores: Scores
    intervals: Intervals

    @property
    def images(self) -> int:
        return int(self.scores.confusion.sum())


@dataclass(frozen=True)
class GroupResults:
    """The figures of each group. ``without`` counts the images with an empty cell, which are in no group."""

    column: str
    groups: tuple[GroupResult, ...]
    without: int


@dataclass(frozen=True)
class Evaluation:
    """All results of an evaluation. Classes are in the order of ``labels``, the data's. ``conditions`` is
    empty and ``groups`` is None if they were not requested."""

    model: str
    members: tuple[str, ...]
    device: str
    precision: str
    labels: tuple[str, ...]
    data: str
    day: str
    seed: int
    scores: Scores
    intervals: Intervals
    reliability: tuple[ReliabilityBin, ...]
    conditions: tuple[ConditionResult, ...]
    groups: GroupResults | None = None

    @property
    def images(self) -> int:
        return int(self.scores.confusion.sum())

    def as_dict(self) -> dict[str, object]:
        """The results for JSON; docs/training.md describes the fields."""
        return {
            "model": self.model,
            "members": list(self.members),
            "device": self.device,
            "precision": self.precision,
            "data": self.data,
            "day": self.day,
            "images": self.images,
            "seed": self.seed,
            "resamples": RESAMPLES,
            **figures(self.scores, self.intervals, self.labels),
            "confusion": {"labels": list(self.labels), "counts": self.scores.confusion.tolist()},
            "reliability": [asdict(bin_) for bin_ in self.reliability],
            "conditions": [asdict(condition) for condition in self.conditions],
            "groups": None if self.groups is None else self._groups(self.groups),
        }

    def _groups(self, found: GroupResults) -> dict[str, object]:
        by_name = {
            group.name: {
                "images": group.images,
                **figures(group.scores, group.intervals, self.labels),
            }
            for group in found.groups
        }
        return {"column": found.column, "without": found.without, "by_name": by_name}


def check_labels(recognizer: Recognizer, labels: tuple[str, ...]) -> None:
    """Raises DatasetError if the recogniser and the data have different labels."""
    if set(recognizer.labels) != set(labels):
        raise DatasetError(
            f"{recognizer.name} knows {', '.join(recognizer.labels)}; the data has {', '.join(labels)}"
        )


def evaluate(
    recognizer: Recognizer,
    faces: FaceDataset,
    data: str,
    progress: Progress,
    quick: bool = False,
    seed: int = 0,
    column: Column | None = None,
) -> Evaluation:
    """Evaluates a recogniser over the data's labels, with one pass per image and no flips.

    ``quick`` skips the conditions. ``data`` is the name of the faces in reports; ``seed`` is that of the
    random numbers in the conditions and the intervals. Raises DatasetError if the recogniser and the data
    have different labels, or if a group of ``column`` is too small.
    """
    check_labels(recognizer, faces.labels)
    if column is not None:
        column.check()
    chosen = () if quick else conditions(faces.images.shape[1])
    truth = faces.targets.argmax(1)
    task = progress.add_task("as they are", total=len(faces) * (1 + len(chosen)))

    def advance(images: int) -> None:
        progress.advance(task, images)

    probabilities = predict_probabilities(recognizer, faces, None, seed, advance)
    results = []
    for condition in chosen:
        progress.update(task, description=condition.title)
        found = predict_probabilities(recognizer, faces, condition, seed, advance)
        intervals = bootstrap(found, truth, seed, RESAMPLES)
        results.append(
            ConditionResult(
                condition.name,
                condition.title,
                intervals.accuracy,
                intervals.balanced_accuracy,
                intervals.macro_f1,
                intervals.expected_calibration_error,
            )
        )
    return Evaluation(
        model=recognizer.name,
        members=recognizer.members,
        device=recognizer.engine.device,
        precision=recognizer.engine.precision,
        labels=faces.labels,
        data=data,
        day=date.today().isoformat(),
        seed=seed,
        scores=score(probabilities, truth),
        intervals=bootstrap(probabilities, truth, seed, RESAMPLES),
        reliability=reliability(probabilities.max(1), probabilities.argmax(1) == truth),
        conditions=tuple(results),
        groups=None if column is None else _by_group(column, probabilities, truth, seed),
    )


def _by_group(
    column: Column, probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], seed: int
) -> GroupResults:
    groups = []
    for name in column.names:
        mask = column.values == name
        found, right = probabilities[mask], truth[mask]
        intervals = bootstrap(found, right, seed, RESAMPLES)
        groups.append(GroupResult(name, score(found, right), intervals))
    return GroupResults(column.name, tuple(groups), int((column.values == "").sum()))


def predict_probabilities(
    recognizer: Recognizer,
    faces: FaceDataset,
    condition: Condition | None,
    seed: int,
    advance: Callable[[int], None],
) -> npt.NDArray[np.float32]:
    """Predictions (N, C) over the data's labels.

    The condition is applied batch by batch, so that no second copy of all images is in memory.
    """
    order = [recognizer.labels.index(label) for label in faces.labels]
    generator = np.random.default_rng(seed)
    found = []
    for start in range(0, len(faces), _BATCH):
        batch = faces.images[start : start + _BATCH]
        if condition is not None:
            batch = condition.change(batch, generator)
        found.append(recognizer.recognize(list(_rgb(batch)))[:, order])
        advance(len(batch))
    return np.concatenate(found)


def _rgb(images: Images) -> Images:
    return images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
