"""Reads data sets with a folder for each class, as RAF-DB, AffectNet and FER2013 are often exported."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from rich.progress import Progress

from ...exceptions import DatasetError
from .class_names import LEFT_OUT, label_set, labels_of_folders
from .dealing import deal
from .images import open_image
from .near_duplicates import groups_of, linked_by_content, linked_by_key
from .sample import Reason, Sample, one_hot

#: Related images, besides copies of one image: those of one folder below a class, or those whose names differ
#: only by a number at the end.
Grouping = Literal["folders", "names"]

#: Shares of train, valid and test. With few images, more of them are needed to evaluate on, and none is left
#: for a test split.
_SHARES = (0.8, 0.1, 0.1)
_SHARES_OF_FEW = (0.7, 0.3, 0.0)
_FEW = 1000

#: Folder name in lower case to split.
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "train_set": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "val_set": "valid",
    "test": "test",
    "testing": "test",
}


class ClassFolders:
    """``ROOT/train/happy/1.jpg``, or ``ROOT/happy/1.jpg``, which is then split at random by class.

    Raises DatasetError if there are no folders, only some are splits, or a class is unknown.
    """

    def __init__(
        self,
        root: Path,
        shares: tuple[float, float, float] | None,
        seed: int,
        mapping: Mapping[str, str],
        numbering: str | None,
        labels: tuple[str, ...] | None = None,
        grouping: Grouping | None = None,
    ) -> None:
        """If None, ``shares`` follow from the number of images and ``labels`` from the folders' names."""
        self.root = root
        self._shares, self._seed, self._grouping = shares, seed, grouping
        folders = _folders(root)
        if not folders:
            raise DatasetError(
                f"{root} holds neither fer2013.csv, nor FER2013Train and its kin, nor a folder for each class"
            )
        self._splits = {folder: _SPLIT_NAMES.get(folder.name.lower()) for folder in folders}
        self._is_split = any(self._splits.values())
        strange = [folder.name for folder, split in self._splits.items() if split is None]
        if self._is_split and strange:
            raise DatasetError(f"{root} holds splits, and beside them {', '.join(strange)}: is that a split?")
        self.kind = "class folders with splits" if self._is_split else "class folders"
        names = [folder.name for folder in self._class_folders()]
        self.labels = label_set(names, mapping, labels)
        self._label_of = labels_of_folders(names, mapping, numbering, self.labels)

    @property
    def files(self) -> list[Path]:
        """Every image, sorted."""
        return sorted(path for folder in self._class_folders() for path in _images(folder))

    def samples(self, progress: Progress | None = None) -> list[Sample]:
        """Every image, sorted by its path."""
        by_class = {folder: _images(folder) for folder in self._class_folders()}
        group_of: dict[Path, int] = {}
        if self._is_split:
            split_of = {
                path: self._splits[folder.parent] or ""
                for folder, paths in by_class.items()
                for path in paths
            }
        else:
            group_of = self._groups(by_class, progress)
            split_of = self._drawn(by_class, group_of)
        return [
            Sample(
                path.relative_to(self.root).as_posix(),
                split_of[path],
                Reason.OTHER_LABEL if label == LEFT_OUT else one_hot(label, self.labels),
                partial(open_image, path),
                group_of.get(path),
            )
            for folder, paths in by_class.items()
            for label in (self._label_of[folder.name],)
            for path in paths
        ]

    def _class_folders(self) -> list[Path]:
        if not self._is_split:
            return list(self._splits)
        return [folder for split in self._splits for folder in _folders(split)]

    def _groups(self, by_class: Mapping[Path, list[Path]], progress: Progress | None) -> dict[Path, int]:
        """The number of every image's group."""
        paths = [path for listed in by_class.values() for path in listed]
        pairs = linked_by_content([partial(open_image, path) for path in paths], progress)
        pairs += linked_by_key(
            self._group_key(folder, path) for folder, listed in by_class.items() for path in listed
        )
        return dict(zip(paths, groups_of(len(paths), pairs).tolist(), strict=True))

    def _group_key(self, folder: Path, path: Path) -> str | None:
        """The key that the images of one group share, whatever their class; None without a group."""
        if self._grouping == "names":
            return re.sub(r"[\s_.()-]*\d+[\s)]*$", "", path.stem) or path.stem
        if self._grouping == "folders" and path.parent != folder:
            return path.parent.relative_to(folder).as_posix()
        return None

    def _drawn(self, by_class: Mapping[Path, list[Path]], group_of: Mapping[Path, int]) -> dict[Path, str]:
        by_label: dict[str, list[Path]] = defaultdict(list)
        for folder, paths in by_class.items():
            by_label[self._label_of[folder.name]] += paths
        shares = self._shares or (_SHARES_OF_FEW if len(group_of) < _FEW else _SHARES)
        return deal(by_label, group_of, shares, self._seed)


def class_names(root: Path) -> list[str]:
    """The names of a tree's class folders, with or without splits above them."""
    folders = _folders(root)
    if any(folder.name.lower() in _SPLIT_NAMES for folder in folders):
        folders = [folder for split in folders for folder in _folders(split)]
    return sorted({folder.name for folder in folders})


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    """Every file below, except hidden files and those that file managers create."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name not in ("Thumbs.db", "desktop.ini")
    )
