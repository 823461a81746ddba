"""The samples of a data set, as every source lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.progress import Progress

from ..datasets import LABELS

#: Float32 (C,): a distribution over the source's labels.
Target = npt.NDArray[np.float32]

#: The part of the training split that is held out for choices (``preparing/selection.py``).
SELECTION = "selection"

#: The splits of a prepared folder, in order; not every folder has all of them.
SPLITS = ("train", SELECTION, "valid", "test")


class Reason(Enum):
    """Why an image is rejected."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too few pixels"
    NO_FACE = "no face found"
    NOT_A_FACE = "not a face"
    NO_MAJORITY = "no majority"
    OTHER_LABEL = "a label that is left out"
    IN_TRAIN = "in the training split, too"


@dataclass(frozen=True)
class Sample:
    """One image of a source. ``label`` is its target, or the reason why it has none.

    ``load`` returns the image, grey or RGB, and raises ImageError if it cannot be read. ``group`` numbers
    related images (see ``FaceDataset``); None if they are unknown. ``columns`` has the source's further
    columns about the image (``training/columns.py``).
    """

    name: str
    split: str
    label: Target | Reason
    load: Callable[[], Image.Image]
    group: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A data set in its published form, found but not yet read."""

    kind: str
    #: The labels of its samples' targets, in order.
    labels: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        """All files that its samples depend on, sorted."""

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Lists its samples. Raises DatasetError that names an unusable line or folder."""


def one_hot(label: str, labels: tuple[str, ...] = LABELS) -> Target:
    """The target of an image with a single label, one of ``labels``."""
    target = np.zeros(len(labels), np.float32)
    target[labels.index(label)] = 1
    return target
