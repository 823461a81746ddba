"""Face pictures with the votes of their annotators.

FER+ (Barsoum et al., arXiv 1608.01041): the pictures of FER2013, 48x48 grey, labelled anew by ten
people each. One folder or tar file a split, with the pictures and ``label.csv``: name, box, then the
votes in the order of ``VOTE_COLUMNS``.
"""

import ast
import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from server.exceptions import DatasetError

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
_EMOTION_COLUMNS = 8
_LABEL_COLUMNS = [VOTE_COLUMNS.index(label) for label in LABELS]


@dataclass(frozen=True)
class FaceDataset:
    """``images`` uint8 (N, H, W) grey; ``targets`` float32 (N, 7), each row a distribution over LABELS."""

    images: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class VotedFaces:
    """``images`` uint8 (N, 48, 48) grey; ``votes`` int64 (N, 10), columns as in VOTE_COLUMNS."""

    images: npt.NDArray[np.uint8]
    votes: npt.NDArray[np.int64]


def read_ferplus(source: Path) -> VotedFaces:
    """Reads one split of FER+ from a folder or a tar file of it.

    Raises DatasetError if there is no ``label.csv``, or a line or picture of it cannot be read.
    """
    files = dict(_files(source))
    labels = files.get("label.csv")
    if labels is None:
        raise DatasetError(f"{source} holds no label.csv: is it a split of FER+?")
    images, votes = [], []
    for line, row in enumerate(csv.reader(io.StringIO(labels.decode())), start=1):
        try:
            name, box, *counts = row
            if len(counts) != len(VOTE_COLUMNS):
                raise ValueError(f"expected {len(VOTE_COLUMNS)} counts")
            left, top, right, bottom = ast.literal_eval(box)
            with Image.open(io.BytesIO(files[name])) as picture:
                images.append(np.asarray(picture.convert("L").crop((left, top, right, bottom))))
            if images[-1].shape != images[0].shape:
                raise ValueError("the box has another size than the first one")
            votes.append([int(count) for count in counts])
        except (KeyError, ValueError, SyntaxError, UnidentifiedImageError, OSError) as error:
            raise DatasetError(f"{source}: line {line} of label.csv cannot be used: {error!r}") from error
    if not images:
        raise DatasetError(f"{source}: label.csv lists no picture")
    return VotedFaces(np.stack(images), np.asarray(votes, np.int64))


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
    """Every picture on which the seven labels hold at least half of the votes, with soft targets.

    Single votes are taken as slips and removed (as in the data's own paper), unless all are single.
    """
    votes = _without_single_votes(faces.votes)
    kept = votes[:, _LABEL_COLUMNS]
    mask = kept.sum(1) * 2 >= np.maximum(votes.sum(1), 1)
    kept = kept[mask].astype(np.float32)
    return FaceDataset(faces.images[mask], kept / kept.sum(1, keepdims=True))


def evaluation_set(faces: VotedFaces) -> FaceDataset:
    """The pictures that annotators agree on, with their majority label as a one-hot target.

    Votes of 1 are removed; a picture is kept where one of the eight emotions holds more than half of the
    remaining votes; contempt is then left out.
    """
    votes = faces.votes * (faces.votes > 1)
    emotions = votes[:, :_EMOTION_COLUMNS]
    winner = emotions.argmax(1)
    mask = (emotions.max(1) * 2 > votes.sum(1)) & (winner != VOTE_COLUMNS.index("contempt"))
    order = np.array([LABELS.index(column) if column in LABELS else -1 for column in VOTE_COLUMNS])
    targets = np.eye(len(LABELS), dtype=np.float32)[order[winner[mask]]]
    return FaceDataset(faces.images[mask], targets)


def _without_single_votes(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    cleaned = votes * (votes > 1)
    nothing_left = cleaned.sum(1, keepdims=True) == 0
    return np.where(nothing_left, votes, cleaned)
