"""FER+ as Microsoft's script writes it: three folders, or tar files of them, with pictures and votes."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ...exceptions import InvalidImageError
from ..datasets import FerplusRow, read_ferplus_rows
from .pictures import picture_of
from .sample import Sample, judge

_SPLITS = {"FER2013Train": "train", "FER2013Valid": "valid", "FER2013Test": "test"}


def ferplus_parts(root: Path) -> dict[str, Path]:
    """Split to the folder or tar file of it, for those that ``root`` holds; a folder comes first."""
    parts = {}
    for name, split in _SPLITS.items():
        for path in (root / name, root / f"{name}.tar"):
            if path.exists():
                parts[split] = path
                break
    return parts


class Ferplus:
    """The parts that ``ferplus_parts`` has found."""

    kind = "FER+"

    def __init__(self, parts: dict[str, Path]) -> None:
        self._parts = parts

    @property
    def files(self) -> list[Path]:
        """The tar files, and all files of the folders."""
        return [file for part in self._parts.values() for file in _files(part)]

    def samples(self) -> list[Sample]:
        """Every line of every ``label.csv``. Raises DatasetError that names the line it cannot use."""
        samples = []
        for split, part in self._parts.items():
            rows, files = read_ferplus_rows(part)
            votes = np.array([row.votes for row in rows], np.int64)
            for row, label in zip(rows, judge(votes, split), strict=True):
                samples.append(Sample(row.name, split, label, partial(_picture, row, files.get(row.name))))
        return samples


def _files(part: Path) -> list[Path]:
    return sorted(path for path in part.iterdir() if path.is_file()) if part.is_dir() else [part]


def _picture(row: FerplusRow, data: bytes | None) -> Image.Image:
    if data is None:
        raise InvalidImageError(f"there is no file {row.name}")
    return picture_of(data).crop(row.box_ltrb)
