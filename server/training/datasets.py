"""Face pictures with what their annotators said.

Two forms are read. Any source that ``emostream data prepare`` has prepared: a folder with ``dataset.json``
and one file a split (docs/training.md). And FER+ as its authors publish it (Barsoum et al., arXiv
1608.01041): the pictures of FER2013, 48x48 grey, labelled anew by ten people each, one folder or tar file a
split, with the pictures and ``label.csv``: name, box, then the votes in the order of ``VOTE_COLUMNS``.
"""

import ast
import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ..exceptions import DatasetError

VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "not-a-face",
)
#: What the shipped models know, in the order of their outputs. Contempt has too few pictures to learn.
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
Purpose = Literal["training", "evaluation"]

#: Beside the splits of a prepared data set; it is written last, so where it is, all of the set is.
MANIFEST = "dataset.json"
#: Of the prepared form. A reader refuses any other number.
FORM = 1
#: What is read of a prepared folder where no split is named. The test split has to be asked for: a run that
#: looked at it by default would be tuned to it.
_SPLIT_FOR: dict[Purpose, str] = {"training": "train", "evaluation": "valid"}

_EMOTION_COLUMNS = 8
_LABEL_COLUMNS = [VOTE_COLUMNS.index(label) for label in LABELS]


@dataclass(frozen=True)
class FaceDataset:
    """``images`` uint8, (N, H, W) grey or (N, H, W, 3) RGB; ``targets`` float32 (N, 7), each row a
    distribution over LABELS."""

    images: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class VotedFaces:
    """``images`` uint8 (N, 48, 48) grey; ``votes`` int64 (N, 10), columns as in VOTE_COLUMNS."""

    images: npt.NDArray[np.uint8]
    votes: npt.NDArray[np.int64]


def read_split(path: Path, purpose: Purpose) -> FaceDataset:
    """One split, whatever its form, for training (soft targets) or evaluation (one-hot targets).

    ``path`` is a prepared folder (its split ``train`` for training, ``valid`` for evaluation), a split of
    one (``DIR/test``), or a split of FER+: folder or tar file. Raises DatasetError if it is none of them.
    """
    if (path / MANIFEST).is_file():
        data = read_prepared(path, _SPLIT_FOR[purpose])
    elif (path.parent / MANIFEST).is_file():
        data = read_prepared(path.parent, path.name.removesuffix(".npz"))
    elif not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    else:
        faces = read_ferplus(path)
        return training_set(faces) if purpose == "training" else evaluation_set(faces)
    return data if purpose == "training" else _agreed(data)


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
    if labels != LABELS:
        raise DatasetError(f"{folder} has the labels {', '.join(labels)} instead of {', '.join(LABELS)}")
    if split not in splits:
        there_are = ", ".join(str(folder / name) for name in splits)
        raise DatasetError(f"{folder} has no split {split!r}; there are: {there_are}")
    file = folder / f"{split}.npz"
    try:
        # Opened here: of a broken file, NumPy would leave its own handle open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            data = FaceDataset(arrays["images"], arrays["targets"])
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
        and targets.shape == (len(images), len(LABELS))
        and len(images) > 0
    )
    if not is_sound:
        raise DatasetError(
            f"{file} holds images {images.dtype} {images.shape} and targets {targets.dtype} {targets.shape}: "
            f"expected uint8 (N, S, S) or (N, S, S, 3), and float32 (N, {len(LABELS)})"
        )


def _agreed(data: FaceDataset) -> FaceDataset:
    """The pictures of which one label holds more than half, with that label as a one-hot target."""
    mask = data.targets.max(1) > 0.5
    targets = np.eye(len(LABELS), dtype=np.float32)[data.targets[mask].argmax(1)]
    # The usual evaluation split is one-hot already, and may be large.
    return FaceDataset(data.images if mask.all() else data.images[mask], targets)


def read_ferplus(source: Path) -> VotedFaces:
    """Reads one split of FER+ from a folder or a tar file of it.

    Raises DatasetError if there is no ``label.csv``, or a line or picture of it cannot be read.
    """
    rows, files = read_ferplus_rows(source)
    images = []
    for row in rows:
        try:
            with Image.open(io.BytesIO(files[row.name])) as picture:
                images.append(np.asarray(picture.convert("L").crop(row.box_ltrb)))
            if images[-1].shape != images[0].shape:
                raise ValueError("the box has another size than the first one")
        except (KeyError, ValueError, SyntaxError, UnidentifiedImageError, OSError) as error:
            raise DatasetError(f"{source}: line {row.line} of label.csv cannot be used: {error!r}") from error
    return VotedFaces(np.stack(images), np.array([row.votes for row in rows], np.int64))


@dataclass(frozen=True)
class FerplusRow:
    """One line of ``label.csv``: a file, the part of it that counts (left, top, right, bottom), ten votes."""

    line: int
    name: str
    box_ltrb: tuple[int, int, int, int]
    votes: tuple[int, ...]


def read_ferplus_rows(source: Path) -> tuple[list[FerplusRow], dict[str, bytes]]:
    """The lines of a split of FER+ and every file of it by its base name.

    Raises DatasetError if there is no ``label.csv``, or it lists nothing, or a line of it cannot be read.
    """
    files = dict(_files(source))
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
        rows.append(FerplusRow(line, name, (left, top, right, bottom), votes))
    if not rows:
        raise DatasetError(f"{source}: label.csv lists no picture")
    return rows, files


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder or tar by its base name."""
    if source.is_dir():
        for path in source.iterdir():
            if path.is_file():
                yield path.name, path.read_bytes()
        return
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:
                    yield Path(member.name).name, content.read()
    except (OSError, tarfile.TarError) as error:
        raise DatasetError(
            f"{source} is neither a folder nor a tar file that can be read: {error}"
        ) from error


def training_set(faces: VotedFaces) -> FaceDataset:
    """The pictures that ``training_targets`` keeps, with their soft targets."""
    mask, targets = training_targets(faces.votes)
    return FaceDataset(faces.images[mask], targets)


def evaluation_set(faces: VotedFaces) -> FaceDataset:
    """The pictures that ``evaluation_targets`` keeps, with their one-hot targets."""
    mask, targets = evaluation_targets(faces.votes)
    return FaceDataset(faces.images[mask], targets)


def training_targets(
    votes: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Which of the rows (N, 10) to learn from, bool (N,), and the soft targets (K, 7) of those K.

    Kept is where the seven labels hold at least half of the votes. Single votes are taken as slips and
    removed (as in the data's own paper), unless all are single.
    """
    votes = _without_single_votes(votes)
    kept = votes[:, _LABEL_COLUMNS]
    mask = kept.sum(1) * 2 >= np.maximum(votes.sum(1), 1)
    kept = kept[mask].astype(np.float32)
    return mask, kept / kept.sum(1, keepdims=True)


def evaluation_targets(
    votes: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Which of the rows (N, 10) annotators agree on, bool (N,), and the one-hot targets (K, 7) of those K.

    Votes of 1 are removed; a row is kept where one of the eight emotions holds more than half of the
    remaining votes; contempt is then left out.
    """
    votes = votes * (votes > 1)
    emotions = votes[:, :_EMOTION_COLUMNS]
    winner = emotions.argmax(1)
    mask = (emotions.max(1) * 2 > votes.sum(1)) & (winner != VOTE_COLUMNS.index("contempt"))
    order = np.array([LABELS.index(column) if column in LABELS else -1 for column in VOTE_COLUMNS])
    return mask, np.eye(len(LABELS), dtype=np.float32)[order[winner[mask]]]


def _without_single_votes(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    cleaned = votes * (votes > 1)
    nothing_left = cleaned.sum(1, keepdims=True) == 0
    return np.where(nothing_left, votes, cleaned)
