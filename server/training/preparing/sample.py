"""What every source of pictures comes down to: a list of samples."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..datasets import LABELS, VOTE_COLUMNS, evaluation_targets, training_targets

#: Float32 (7,): a distribution over LABELS.
Target = npt.NDArray[np.float32]

#: Of every prepared folder, in this order where there are all of them.
SPLITS = ("train", "valid", "test")


class Reason(Enum):
    """Why a picture is left out."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too few pixels"
    NO_FACE = "no face found"
    NOT_A_FACE = "not a face"
    NO_MAJORITY = "no majority"
    OTHER_LABEL = "a label that is left out"
    IN_TRAIN = "in the training split, too"


@dataclass(frozen=True)
class Sample:
    """One picture that a source lists. ``label`` is its target, or why it can have none.

    ``load`` returns the picture, grey or RGB, and raises ImageError if it cannot be read.
    """

    name: str
    split: str
    label: Target | Reason
    load: Callable[[], Image.Image]


class Source(Protocol):
    """A data set as its authors publish it, found and not yet read."""

    kind: str

    @property
    def files(self) -> list[Path]:
        """All that its samples depend on; sorted."""

    def samples(self) -> list[Sample]:
        """Raises DatasetError that names the line or folder which cannot be used."""


def one_hot(label: str) -> Target:
    """The target of a picture with a single label, one of LABELS."""
    target = np.zeros(len(LABELS), np.float32)
    target[LABELS.index(label)] = 1
    return target


def judge(votes: npt.NDArray[np.int64], split: str) -> list[Target | Reason]:
    """What each row (N, 10) of votes comes to: shares of the votes where a split is for training, the label
    of the majority elsewhere; see ``training_targets`` and ``evaluation_targets``."""
    mask, targets = (training_targets if split == "train" else evaluation_targets)(votes)
    kept = iter(targets)
    return [
        next(kept) if is_kept else _why_not(row) for row, is_kept in zip(votes.tolist(), mask, strict=True)
    ]


def _why_not(votes: list[int]) -> Reason:
    most, total = max(votes), sum(votes)
    if most and votes.index(most) == VOTE_COLUMNS.index("not-a-face"):
        return Reason.NOT_A_FACE
    if votes[VOTE_COLUMNS.index("contempt")] * 2 > total:
        return Reason.OTHER_LABEL
    return Reason.NO_MAJORITY
