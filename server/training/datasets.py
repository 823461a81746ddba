"""Reads labelled face images as ``emostream data prepare`` writes them: a folder with ``dataset.json`` and
one file per split (docs/training.md)."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..exceptions import DatasetError

#: Labels of the shipped models, in the order of their outputs. Contempt has too few images to be learned.
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
Purpose = Literal["training", "evaluation"]

#: Manifest of a prepared data set. It is written last, so a data set with a manifest is complete.
MANIFEST = "dataset.json"
#: Version of the prepared format. Any other is refused.
FORM = 1
#: Split that is read from a prepared folder if none is named. The test split must be named explicitly: models
#: would be tuned to it if it were a default.
_SPLIT_FOR: dict[Purpose, str] = {"training": "train", "evaluation": "valid"}


#: A label becomes a column name, a button and a folder name.
_MAX_LABEL_LENGTH = 64
_MAX_LABELS = 64


@dataclass(frozen=True)
class FaceDataset:
    """``images`` uint8, (N, H, W) grey or (N, H, W, 3) RGB; ``targets`` float32 (N, C), each row a
    distribution over ``labels``. ``groups`` (N,) numbers related images, such as those of one person: no
    group is used both for training and for measuring. None means that each image is its own group. ``names``
    (N,) are the images' names, if they have any."""

    images: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    labels: tuple[str, ...] = LABELS
    groups: npt.NDArray[np.int64] | None = None
    names: npt.NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.images)


def check_label_set(labels: tuple[str, ...]) -> None:
    """Raises DatasetError if a network cannot have these labels."""
    if not 2 <= len(labels) <= _MAX_LABELS:
        raise DatasetError(f"a network has 2 to {_MAX_LABELS} labels, not {len(labels)}: {', '.join(labels)}")
    for label in labels:
        if not label or label != label.strip() or not label.isprintable() or len(label) > _MAX_LABEL_LENGTH:
            raise DatasetError(f"{label!r} is no label: 1 to {_MAX_LABEL_LENGTH} characters that can be seen")
        if "," in label:
            raise DatasetError(f"{label!r} is no label: lists of labels have commas between")
    if len({label.casefold() for label in labels}) < len(labels):
        raise DatasetError(f"a label appears twice: {', '.join(labels)}")


def read_split(path: Path, purpose: Purpose) -> FaceDataset:
    """One split for training (soft targets) or evaluation (one-hot targets).

    ``path`` is a prepared folder (its split ``train`` for training, ``valid`` for evaluation), or a split of
    one (``DIR/test``). Raises DatasetError if it is neither.
    """
    if (path / MANIFEST).is_file():
        data = read_prepared(path, _SPLIT_FOR[purpose])
    elif (path.parent / MANIFEST).is_file():
        data = read_prepared(path.parent, path.name.removesuffix(".npz"))
    elif not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    else:
        raise DatasetError(
            f"{path} has not been prepared: run `emostream data prepare SOURCE --out DIR` first"
        )
    return data if purpose == "training" else _agreed(data)


def read_training_and_evaluation(train: Sequence[Path], evaluation: Path) -> tuple[FaceDataset, FaceDataset]:
    """Reads the training data and the evaluation data. Raises DatasetError as ``read_split`` does, and if
    their labels or the shapes of their images differ."""
    parts = [read_split(path, "training") for path in train]
    held_out = read_split(evaluation, "evaluation")
    for path, part in zip(train, parts, strict=True):
        if held_out.labels != part.labels:
            raise DatasetError(
                f"{evaluation} has the labels {', '.join(held_out.labels)}; {path} has "
                f"{', '.join(part.labels)}"
            )
        if part.images.shape[1:] != parts[0].images.shape[1:]:
            raise DatasetError(
                f"{path} has images {part.images.shape[1:]}, {train[0]} {parts[0].images.shape[1:]}: "
                "prepare them with the same --side, and both grey or both in colour"
            )
    return joined(parts), held_out


def joined(parts: Sequence[FaceDataset]) -> FaceDataset:
    """Concatenates data sets with the same labels and image shapes. No group spans two of them."""
    if len(parts) == 1:
        return parts[0]
    groups, first = [], 0
    for part in parts:
        own = np.arange(len(part)) if part.groups is None else np.unique(part.groups, return_inverse=True)[1]
        groups.append(own.astype(np.int64) + first)
        first += len(part)
    return FaceDataset(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.targets for part in parts]),
        parts[0].labels,
        np.concatenate(groups),
    )


def read_prepared(folder: Path, split: str) -> FaceDataset:
    """One split of a folder that ``emostream data prepare`` has written; nothing in it is executed.

    Raises DatasetError if there is no such split, or if it is damaged or of another version.
    """
    manifest = folder / MANIFEST
    try:
        content = json.loads(manifest.read_text())
        form, labels, splits = content["form"], tuple(content["labels"]), dict(content["splits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{manifest} cannot be read: {error!r}") from error
    if form != FORM:
        raise DatasetError(f"{folder} has the form {form}, not {FORM}: prepare it again, with --force")
    if not all(isinstance(label, str) for label in labels):
        raise DatasetError(f"{manifest} cannot be read: its labels are no words")
    check_label_set(labels)
    if split not in splits:
        there_are = ", ".join(str(folder / name) for name in splits)
        raise DatasetError(f"{folder} has no split {split!r}; there are: {there_are}")
    file = folder / f"{split}.npz"
    try:
        # Opened here, since NumPy would leave its own handle of a broken file open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            groups = arrays["groups"] if "groups" in arrays.files else None
            names = arrays["names"] if "names" in arrays.files else None
            data = FaceDataset(arrays["images"], arrays["targets"], labels, groups, names)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{file} is damaged: prepare {folder} again, with --force ({error!r})") from error
    _check(data, file)
    return data


def _check(data: FaceDataset, file: Path) -> None:
    images, targets = data.images, data.targets
    is_sound = (
        images.dtype == np.uint8
        and (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3))
        and targets.dtype == np.float32
        and targets.shape == (len(images), len(data.labels))
        and (data.groups is None or (data.groups.dtype == np.int64 and data.groups.shape == (len(images),)))
        and (data.names is None or (data.names.dtype.kind == "U" and data.names.shape == (len(images),)))
        and len(images) > 0
    )
    if not is_sound:
        raise DatasetError(
            f"{file} holds images {images.dtype} {images.shape} and targets {targets.dtype} {targets.shape}: "
            f"expected uint8 (N, S, S) or (N, S, S, 3), and float32 (N, {len(data.labels)})"
        )


def _agreed(data: FaceDataset) -> FaceDataset:
    """The images of which one label has more than half of the target, which becomes one-hot."""
    mask = data.targets.max(1) > 0.5
    targets = np.eye(len(data.labels), dtype=np.float32)[data.targets[mask].argmax(1)]
    # The usual evaluation split is one-hot already, and may be large.
    images = data.images if mask.all() else data.images[mask]
    groups = None if data.groups is None else data.groups[mask]
    return FaceDataset(images, targets, data.labels, groups, None if data.names is None else data.names[mask])
