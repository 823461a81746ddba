"""Compares two models on the same labelled faces: how often each is right, and where they disagree."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..exceptions import DatasetError
from ..inference import Recognizer
from .datasets import FaceDataset, read_split
from .evaluate import predict_probabilities
from .metrics import Intervals, Scores, bootstrap, differences, figures, score
from .paired import Paired, accuracy_interval, compare_paired
from .reading import Floats, read_as, reading_of

#: Most images for mapping a model's labels to the data's.
_READ_BY = 500

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Side:
    """One of the two models. ``read_as`` maps its labels to the data's, if they differ."""

    model: str
    scores: Scores
    intervals: Intervals
    read_as: dict[str, str]


@dataclass(frozen=True)
class Flip:
    """Images of the class ``truth`` for which the first model predicts ``before`` and the second
    ``after``."""

    truth: str
    before: str
    after: str
    images: int


@dataclass(frozen=True)
class Comparison:
    """``sides`` are the first model and the second, ``differences`` the second's figures less the first's;
    classes are in the order of ``labels``, the data's."""

    data: str
    labels: tuple[str, ...]
    images: int
    sides: tuple[Side, Side]
    paired: Paired
    differences: Intervals
    flips: tuple[Flip, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "data": self.data,
            "images": self.images,
            "models": [self._side(side) for side in self.sides],
            "paired": asdict(self.paired) | {"verdict": self.paired.verdict},
            "differences": asdict(self.differences) | {"f1": self._f1_differences()},
            "flips": [asdict(flip) for flip in self.flips],
        }

    def _f1_differences(self) -> dict[str, Any]:
        return {label: asdict(figure) for label, figure in zip(self.labels, self.differences.f1, strict=True)}

    def _side(self, side: Side) -> dict[str, Any]:
        found = figures(side.scores, side.intervals, self.labels)
        return {"model": side.model, **found, "read_as": side.read_as}


def compare(
    first: Recognizer, second: Recognizer, faces: FaceDataset, data: Path, called: str, advance: Advance
) -> Comparison:
    """Measures both models on ``faces``, the evaluation split of ``data``, which is displayed as ``called``.

    If a model has other labels than the data, each of them counts as the data's label that it most often goes
    with in the training split. Raises DatasetError if there is no such split.
    """
    truth = faces.targets.argmax(1)
    found = [_answers(recognizer, faces, data, advance) for recognizer in (first, second)]
    sides = []
    for recognizer, (probabilities, reading) in zip((first, second), found, strict=True):
        scores = score(probabilities, truth)
        # Wilson's interval is also valid for few images.
        accuracy = accuracy_interval(probabilities.argmax(1) == truth)
        intervals = replace(bootstrap(probabilities, truth), accuracy=accuracy)
        sides.append(Side(recognizer.name, scores, intervals, reading))
    answers = [probabilities.argmax(1) for probabilities, _ in found]
    changed = np.flatnonzero(answers[0] != answers[1])
    counts = Counter((int(truth[i]), int(answers[0][i]), int(answers[1][i])) for i in changed)
    label = faces.labels
    return Comparison(
        data=called,
        labels=label,
        images=len(faces),
        sides=(sides[0], sides[1]),
        paired=compare_paired(answers[0] == truth, answers[1] == truth),
        differences=differences(found[0][0], found[1][0], truth),
        flips=tuple(Flip(label[t], label[a], label[b], n) for (t, a, b), n in counts.most_common()),
    )


def _answers(
    recognizer: Recognizer, faces: FaceDataset, data: Path, advance: Advance
) -> tuple[Floats, dict[str, str]]:
    """Predictions (N, C) over the data's labels, and the mapping of the model's own labels."""
    if set(recognizer.labels) == set(faces.labels):
        return predict_probabilities(recognizer, faces, None, 0, advance), {}
    known = recognizer.labels
    learned = _to_read_by(data, recognizer.name, known, faces)
    reading = reading_of(known, _own(recognizer, learned), faces.labels, learned.targets.argmax(1))
    own = _own(recognizer, faces)
    advance(len(faces))
    return read_as(own, known, faces.labels, reading), reading


def _to_read_by(data: Path, model: str, known: tuple[str, ...], faces: FaceDataset) -> FaceDataset:
    folder = data if data.is_dir() else data.parent
    try:
        learned = read_split(folder / "train", "evaluation")
    except DatasetError as error:
        raise DatasetError(
            f"{model} knows {', '.join(known)}; the data has {', '.join(faces.labels)}, and no training "
            "split from which to map them"
        ) from error
    chosen = np.random.default_rng(0).permutation(len(learned))[:_READ_BY]
    return FaceDataset(learned.images[chosen], learned.targets[chosen], learned.labels)


def _own(recognizer: Recognizer, faces: FaceDataset) -> Floats:
    """Predictions (N, K) over the model's own labels."""
    own = FaceDataset(faces.images, faces.targets, recognizer.labels)
    return predict_probabilities(recognizer, own, None, 0, lambda _: None)
