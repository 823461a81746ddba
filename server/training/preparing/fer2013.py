"""Reads FER2013 as a table, with its own labels or the votes of FER+.

``fer2013.csv`` (Goodfellow et al., arXiv 1307.0414) has the columns emotion, pixels and Usage; FER+'s
``fer2013new.csv`` has ten votes for each of its rows, in the same order.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import Progress

from ...exceptions import DatasetError, InvalidImageError
from ..datasets import LABELS
from .class_names import NUMBERINGS
from .sample import SPLITS, Reason, Sample, Target, one_hot
from .votes import VOTE_COLUMNS, judge

VOTES_FILE = "fer2013new.csv"

_SIDE = 48
_SPLIT_OF = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
#: The table's names of VOTE_COLUMNS.
_VOTE_HEADINGS = tuple("NF" if column == "not-a-face" else column for column in VOTE_COLUMNS)


@dataclass(frozen=True)
class _Row:
    line: int
    usage: str
    emotion: str
    pixels: bytes  # empty if unreadable


class Fer2013:
    """``fer2013.csv``, with the file of FER+'s votes if there is one."""

    labels: tuple[str, ...] = LABELS

    def __init__(self, table: Path, votes: Path | None) -> None:
        self._table, self._votes = table, votes
        self.kind = "FER2013" if votes is None else "FER2013 with the votes of FER+"

    @property
    def files(self) -> list[Path]:
        """The one or two tables."""
        return [self._table] if self._votes is None else [self._table, self._votes]

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Every row, named as in FER+. Raises DatasetError that names the invalid line."""
        rows = list(self._rows())
        labels = self._own_labels(rows) if self._votes is None else self._voted(rows, self._votes)
        return [
            Sample(f"fer{index:07}.png", _SPLIT_OF[row.usage], label, partial(_image, row.pixels))
            for index, (row, label) in enumerate(zip(rows, labels, strict=True))
        ]

    def _rows(self) -> Iterator[_Row]:
        for line, row in _read(self._table, ("emotion", "pixels", "Usage")):
            if row["Usage"] not in _SPLIT_OF:
                raise DatasetError(
                    f"{self._table}: line {line}: the Usage is {row['Usage']!r}, none of "
                    f"{', '.join(_SPLIT_OF)}"
                )
            yield _Row(line, row["Usage"], row["emotion"], _pixels(row["pixels"]))

    def _own_labels(self, rows: list[_Row]) -> list[Target | Reason]:
        labels: list[Target | Reason] = []
        for row in rows:
            label = NUMBERINGS["fer2013"].get(row.emotion)
            if label is None:
                raise DatasetError(
                    f"{self._table}: line {row.line}: the emotion is {row.emotion!r}, not 0 to 6"
                )
            labels.append(one_hot(label))
        return labels

    def _voted(self, rows: list[_Row], file: Path) -> list[Target | Reason]:
        counts: list[list[int]] = []
        for line, row in _read(file, ("Usage", *_VOTE_HEADINGS)):
            if len(counts) < len(rows) and row["Usage"] != rows[len(counts)].usage:
                raise DatasetError(
                    f"{file}: line {line} is of {row['Usage']} and the same row of {self._table} of "
                    f"{rows[len(counts)].usage}: they do not belong together"
                )
            try:
                counts.append([int(row[heading]) for heading in _VOTE_HEADINGS])
            except ValueError as error:
                raise DatasetError(f"{file}: line {line}: a vote is not a number: {error}") from error
        if len(counts) != len(rows):
            raise DatasetError(
                f"{file} has {len(counts)} rows and {self._table} {len(rows)}: they do not belong together"
            )
        votes = np.array(counts, np.int64).reshape(-1, len(VOTE_COLUMNS))
        split_of = np.array([_SPLIT_OF[row.usage] for row in rows])
        labels: list[Target | Reason] = [Reason.NO_MAJORITY] * len(rows)
        for split in SPLITS:
            chosen = np.flatnonzero(split_of == split)
            for index, label in zip(chosen, judge(votes[chosen], split), strict=True):
                labels[index] = label
        return labels


def _read(file: Path, headings: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The number and content of each line below the headings. The file may have further columns."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            # One published copy has spaces before its headings.
            reader = csv.DictReader(text, skipinitialspace=True)
            missing = [heading for heading in headings if heading not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(f"{file}: the first line has no column {', '.join(missing)}")
            for row in reader:
                if any(row[heading] is None for heading in headings):
                    raise DatasetError(f"{file}: line {reader.line_num} is too short")
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error


def _pixels(text: str) -> bytes:
    """Grey values by row; empty if they are invalid or of the wrong number."""
    try:
        pixels = bytes(map(int, text.split()))
    except ValueError:
        return b""
    return pixels if len(pixels) == _SIDE**2 else b""


def _image(pixels: bytes) -> Image.Image:
    if not pixels:
        raise InvalidImageError(f"the pixels are not {_SIDE}x{_SIDE} numbers from 0 to 255")
    return Image.frombytes("L", (_SIDE, _SIDE), pixels)
