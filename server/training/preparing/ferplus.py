"""Reads FER+ as Microsoft's script writes it (Barsoum et al., arXiv 1608.01041).

FER+ has new labels by ten people for each image of FER2013, 48x48 grey. Its three folders, or tar files of
them, hold the images and ``label.csv``: name, box, then the votes in the order of ``VOTE_COLUMNS``.
"""

import ast
import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import Progress

from ...exceptions import DatasetError, InvalidImageError
from ..datasets import LABELS
from .contents import contents
from .images import image_of
from .sample import Sample
from .votes import VOTE_COLUMNS, judge

_SPLITS = {"FER2013Train": "train", "FER2013Valid": "valid", "FER2013Test": "test"}


@dataclass(frozen=True)
class _Row:
    """One line of ``label.csv``: a file, the box to crop (left, top, right, bottom), ten votes."""

    line: int
    name: str
    box_ltrb: tuple[int, int, int, int]
    votes: tuple[int, ...]


def ferplus_parts(root: Path) -> dict[str, Path]:
    """The folder or tar file of each split that ``root`` holds; folders take precedence."""
    parts = {}
    for name, split in _SPLITS.items():
        for path in (root / name, root / f"{name}.tar"):
            if path.exists():
                parts[split] = path
                break
    return parts


class Ferplus:
    """FER+ in the parts found by ``ferplus_parts``."""

    kind = "FER+"
    labels: tuple[str, ...] = LABELS

    def __init__(self, parts: dict[str, Path]) -> None:
        self._parts = parts

    @property
    def files(self) -> list[Path]:
        """The tar files, and all files of the folders."""
        return [file for part in self._parts.values() for file in _files(part)]

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Every line of every ``label.csv``. Raises DatasetError that names the line it cannot use."""
        samples = []
        for split, part in self._parts.items():
            rows, files = _read_rows(part)
            votes = np.array([row.votes for row in rows], np.int64)
            for row, label in zip(rows, judge(votes, split), strict=True):
                samples.append(Sample(row.name, split, label, partial(_image, row, files.get(row.name))))
        return samples


def _files(part: Path) -> list[Path]:
    return sorted(path for path in part.iterdir() if path.is_file()) if part.is_dir() else [part]


def _image(row: _Row, data: bytes | None) -> Image.Image:
    if data is None:
        raise InvalidImageError(f"there is no file {row.name}")
    return image_of(data).crop(row.box_ltrb)


def _read_rows(source: Path) -> tuple[list[_Row], dict[str, bytes]]:
    """The lines of a split of FER+, and its files by base name.

    Raises DatasetError if there is no ``label.csv``, if it lists nothing, or if a line cannot be read.
    """
    files = dict(contents(source))
    labels = files.get("label.csv")
    if labels is None:
        raise DatasetError(f"{source} holds no label.csv: is it a split of FER+?")
    rows = []
    for line, row in enumerate(csv.reader(io.StringIO(labels.decode(errors="replace"))), start=1):
        try:
            name, box, *counts = row
            if len(counts) != len(VOTE_COLUMNS):
                raise ValueError(f"expected {len(VOTE_COLUMNS)} counts")
            left, top, right, bottom = (int(edge) for edge in ast.literal_eval(box))
            votes = tuple(int(count) for count in counts)
        except (ValueError, TypeError, SyntaxError) as error:
            raise DatasetError(f"{source}: line {line} of label.csv cannot be used: {error!r}") from error
        rows.append(_Row(line, name, (left, top, right, bottom), votes))
    if not rows:
        raise DatasetError(f"{source}: label.csv lists no image")
    return rows, files
