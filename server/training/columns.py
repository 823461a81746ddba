"""Reads further columns about the images of a prepared split, besides their labels.

``DIR/SPLIT.csv`` has a row for each image: the column ``image`` holds the names of the split's images, and
any others hold, for example, the camera, the lighting, or what people said about themselves. ``emostream data
prepare`` writes it if the source has such columns; for other sources, write it by hand.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..exceptions import DatasetError, did_you_mean
from .datasets import FaceDataset

#: Fewest images of a group. A smaller one is an error: its figures would mean nothing, and in a mean it would
#: go unnoticed.
LEAST_IMAGES = 50

_IMAGE = "image"


@dataclass(frozen=True)
class Column:
    """``values`` (N,) are the images' cells, in the order of the images; "" for an empty one."""

    name: str
    values: npt.NDArray[np.str_]

    @property
    def names(self) -> list[str]:
        """The groups, sorted."""
        return sorted(set(self.values.tolist()) - {""})

    def check(self) -> None:
        """Raises DatasetError that names the groups with too few images for a measurement."""
        counts = Counter(self.values.tolist())
        small = [f"{name} ({counts[name]})" for name in self.names if counts[name] < LEAST_IMAGES]
        if small:
            raise DatasetError(
                f"--groups {self.name}: fewer than {LEAST_IMAGES} images of {', '.join(small)}. Take more, "
                "or empty their cells: they are then counted as images without a group"
            )
        if not self.names:
            raise DatasetError(f"--groups {self.name}: the column is empty")


def read_column(path: Path, name: str, faces: FaceDataset) -> Column:
    """A column for ``faces``, out of the table ``path``. Raises DatasetError if it is not there, or lacks an
    image of them."""
    if faces.names is None:
        raise DatasetError("--groups: these images have no names; prepare the data set again, with --force")
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DatasetError(
            f"--groups {name}: {path} cannot be read ({error.strerror}): a table with the columns {_IMAGE} "
            f"and {name}, a line for each image"
        ) from error
    known = [key for key in (rows[0] if rows else {}) if key not in (None, _IMAGE)]
    if not rows or _IMAGE not in rows[0] or name not in known:
        hint = did_you_mean(name, known)
        raise DatasetError(
            f"--groups {name}: {path} has no columns {_IMAGE} and {name}{hint}; there are: {', '.join(known)}"
        )
    cells = {row[_IMAGE]: (row[name] or "").strip() for row in rows}
    missing = [image for image in faces.names.tolist() if image not in cells]
    if missing:
        raise DatasetError(f"{path} has no line for {len(missing)} of the images, such as {missing[0]}")
    return Column(name, np.array([cells[image] for image in faces.names.tolist()]))


def table_of(path: Path) -> Path:
    """The path of the table of a prepared folder (its split ``valid``) or of ``DIR/SPLIT``."""
    return path / "valid.csv" if path.is_dir() else path.parent / f"{path.name.removesuffix('.npz')}.csv"
