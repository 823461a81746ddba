"""Reads images with a table: ``label.csv`` has each image's emotion and, if known, the person it shows."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PIL import Image
from rich.progress import Progress

from ...emotions import canonical
from ...exceptions import DatasetError, InvalidImageError, did_you_mean
from ..datasets import LABELS
from .class_names import LEFT_OUT, labels_of_folders
from .contents import contents
from .dealing import deal
from .images import image_of
from .near_duplicates import groups_of, linked_by_content, linked_by_key
from .sample import Reason, Sample, one_hot

TABLE = "label.csv"

#: Shares of train, valid and test: rare emotions need large splits to be evaluated on.
_SHARES = (0.5, 0.25, 0.25)

_COLUMNS = ("image", "emotion")

#: Columns that are not stored with the prepared images. ``person`` is one: nobody is evaluated individually.
_NOT_TO_GROUP_BY = (*_COLUMNS, "person", None)


class LabelledTable:
    """A folder with ``label.csv`` and its images (beside it or in ``images``), or a tar file of one.

    The columns ``image`` and ``emotion`` are required. ``person`` keeps the images of one person in one
    split; copies of one image always stay in one. Splits are drawn at random.
    """

    kind = "table of labels"
    labels: tuple[str, ...] = LABELS

    def __init__(
        self,
        root: Path,
        shares: tuple[float, float, float] | None,
        seed: int,
        mapping: Mapping[str, str],
        corrections: Path | None = None,
    ) -> None:
        """``corrections`` is a table (image, emotion) of reviewed labels that replace the original ones. An
        empty emotion excludes the image."""
        self.root = root
        self._shares, self._seed, self._mapping = shares or _SHARES, seed, mapping
        self._corrections = corrections

    @property
    def files(self) -> list[Path]:
        """The tar file or all files of the folder, and the table of corrections."""
        found = sorted(self._folders()) if self.root.is_dir() else [self.root]
        return found + ([self._corrections] if self._corrections else [])

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Every line of the table. Raises DatasetError that names the line it cannot use."""
        files = self._files()
        rows = _rows(files.get(TABLE), f"{self.root}: {TABLE}", _COLUMNS)
        if len({row["image"] for row in rows}) < len(rows):
            raise DatasetError(f"{self.root}: {TABLE} names an image twice")
        emotions = {row["image"]: row["emotion"].strip() for row in rows}
        emotions |= self._corrected(emotions)
        label_of = labels_of_folders(
            {emotion for emotion in emotions.values() if emotion}, self._mapping, None, LABELS
        )
        loads = [partial(_image, row["image"], files.get(row["image"])) for row in rows]
        pairs = linked_by_content(loads, progress)
        pairs += linked_by_key((row.get("person") or "").strip() or None for row in rows)
        group_of = dict(enumerate(groups_of(len(rows), pairs).tolist()))
        by_label: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            # By the table's own label: a correction must not move an image to another split.
            by_label[canonical(row["emotion"]) or row["emotion"]].append(place)
        splits = deal(by_label, group_of, self._shares, self._seed)
        samples = []
        for place, (row, load) in enumerate(zip(rows, loads, strict=True)):
            label = label_of.get(emotions[row["image"]], LEFT_OUT)
            target = Reason.OTHER_LABEL if label == LEFT_OUT else one_hot(label)
            columns = {name: cell or "" for name, cell in row.items() if name not in _NOT_TO_GROUP_BY}
            samples.append(Sample(row["image"], splits[place], target, load, group_of[place], columns))
        return samples

    def _corrected(self, emotions: Mapping[str, str]) -> dict[str, str]:
        if self._corrections is None:
            return {}
        rows = _rows(self._corrections.read_bytes(), str(self._corrections), _COLUMNS)
        for row in rows:
            if row["image"] not in emotions:
                hint = did_you_mean(row["image"], emotions)
                raise DatasetError(f"{self._corrections}: the data has no image {row['image']}{hint}")
        return {row["image"]: row["emotion"].strip() for row in rows}

    def _folders(self) -> list[Path]:
        folders = [folder for folder in (self.root, self.root / "images") if folder.is_dir()]
        return [path for folder in folders for path in folder.iterdir() if path.is_file()]

    def _files(self) -> dict[str, bytes]:
        if not self.root.is_dir():
            return dict(contents(self.root))
        return {path.name: path.read_bytes() for path in self._folders()}


def holds_table(path: Path) -> bool:
    """Whether this is a tar file, or a folder whose ``label.csv`` has headings (that of FER+ has none)."""
    if path.is_file():
        return path.suffix == ".tar"
    try:
        with (path / TABLE).open(encoding="utf-8", errors="replace") as table:
            return set(_COLUMNS) <= set(next(csv.reader(table), []))
    except OSError:
        return False


def _rows(table: bytes | None, place: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The lines of a table that must have at least these columns."""
    if table is None:
        raise DatasetError(f"{place}: there is no such file")
    rows = list(csv.DictReader(io.StringIO(table.decode(errors="replace"))))
    for line, row in enumerate(rows, start=2):
        if any(row.get(column) is None for column in columns):
            raise DatasetError(f"{place}: line {line} lacks {' or '.join(columns)}")
    if not rows:
        raise DatasetError(f"{place} lists no image")
    return rows


def _image(name: str, data: bytes | None) -> Image.Image:
    if data is None:
        raise InvalidImageError(f"there is no file {name}")
    return image_of(data)
