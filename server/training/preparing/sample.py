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

#: The part of the training split that is kept aside to choose on (``preparing/selection.py``).
SELECTION = "selection"

#: Of every prepared folder, in this order where there are all of them.
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
    """One image that a source lists. ``label`` is its target, or why it can have none.

    ``load`` returns the image, grey or RGB, and raises ImageError if it cannot be read. ``group`` numbers
    what belongs together (see ``FaceDataset``), None where nobody knows. ``columns`` has what else the source
    says of the image (``training/columns.py``).
    """

    name: str
    split: str
    label: Target | Reason
    load: Callable[[], Image.Image]
    group: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A data set as its authors publish it, found and not yet read."""

    kind: str
    #: What the targets of its samples are over.
    labels: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        """All that its samples depend on; sorted."""

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Raises DatasetError that names the line or folder which cannot be used."""


def one_hot(label: str, labels: tuple[str, ...] = LABELS) -> Target:
    """The target of an image with a single label, one of ``labels``."""
    target = np.zeros(len(labels), np.float32)
    target[labels.index(label)] = 1
    return target
