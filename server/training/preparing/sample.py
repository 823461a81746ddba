"""What every source of images comes down to: a list of samples."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..datasets import LABELS

#: Float32 (7,): a distribution over LABELS.
Target = npt.NDArray[np.float32]

#: Of every prepared folder, in this order where there are all of them.
SPLITS = ("train", "valid", "test")


class Reason(Enum):
    """Why a image is left out."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too few pixels"
    NO_FACE = "no face found"
    NOT_A_FACE = "not a face"
    NO_MAJORITY = "no majority"
    OTHER_LABEL = "a label that is left out"
    IN_TRAIN = "in the training split, too"


@dataclass(frozen=True)
class Sample:
    """One image that a source lists. ``label`` is its target, or why it can have none.

    ``load`` returns the image, grey or RGB, and raises ImageError if it cannot be read.
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
    """The target of a image with a single label, one of LABELS."""
    target = np.zeros(len(LABELS), np.float32)
    target[LABELS.index(label)] = 1
    return target
