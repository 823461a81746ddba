"""Trees with a folder for each class, as RAF-DB, AffectNet and FER2013 are often exported."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ...exceptions import DatasetError
from .class_names import LEFT_OUT, labels_of_folders
from .images import open_image
from .sample import SPLITS, Reason, Sample, one_hot

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

    Raises DatasetError if there are no folders, or only some of them are splits.
    """

    def __init__(
        self,
        root: Path,
        shares: tuple[float, float, float],
        seed: int,
        mapping: Mapping[str, str],
        numbering: str | None,
    ) -> None:
        self.root = root
        self._shares, self._seed = shares, seed
        self._mapping, self._numbering = mapping, numbering
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

    @property
    def files(self) -> list[Path]:
        """Every image, sorted."""
        return sorted(path for folder in self._class_folders() for path in _images(folder))

    def samples(self) -> list[Sample]:
        """Every image, sorted by its path. Raises DatasetError for a class that nobody knows."""
        by_class = {folder: _images(folder) for folder in self._class_folders()}
        labels = labels_of_folders((folder.name for folder in by_class), self._mapping, self._numbering)
        if self._is_split:
            split_of = {
                path: self._splits[folder.parent] or ""
                for folder, paths in by_class.items()
                for path in paths
            }
        else:
            split_of = self._drawn({folder: labels[folder.name] for folder in by_class}, by_class)
        return [
            Sample(
                path.relative_to(self.root).as_posix(),
                split_of[path],
                Reason.OTHER_LABEL if labels[folder.name] == LEFT_OUT else one_hot(labels[folder.name]),
                partial(open_image, path),
            )
            for folder, paths in by_class.items()
            for path in paths
        ]

    def _class_folders(self) -> list[Path]:
        if not self._is_split:
            return list(self._splits)
        return [folder for split in self._splits for folder in _folders(split)]

    def _drawn(self, label_of: Mapping[Path, str], by_class: Mapping[Path, list[Path]]) -> dict[Path, str]:
        """A split for every image: each label's images are dealt out in the same shares."""
        by_label: dict[str, list[Path]] = defaultdict(list)
        for folder, paths in by_class.items():
            by_label[label_of[folder]] += paths
        drawn: dict[Path, str] = {}
        for label, paths in sorted(by_label.items()):
            # A seed of its own: another class's images do not move these from split to split.
            order = np.random.default_rng([self._seed, *label.encode()]).permutation(len(paths))
            ends = np.floor(np.cumsum(self._shares) * len(paths) + 1e-9).astype(int)
            for rank, index in enumerate(order):
                drawn[paths[index]] = SPLITS[int(np.searchsorted(ends, rank, side="right"))]
        return drawn


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    """Every file below, but those that desktops leave behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name not in ("Thumbs.db", "desktop.ini")
    )
