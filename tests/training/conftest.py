"""Tiny data sets, made up: prepared ones, and in the layout of FER+."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.training.datasets import LABELS
from emostream.training.preparing.votes import VOTE_COLUMNS
from PIL import Image

from tests.support import encoded

#: A row of label.csv: the file's name, its box, and ten votes.
Row = tuple[str, str, Sequence[int]]
MakeSplit = Callable[..., Path]


def votes(**counts: int) -> list[int]:
    """Ten columns, all 0 but those named; - is written as _."""
    return [counts.get(column.replace("-", "_"), 0) for column in VOTE_COLUMNS]


def face(label: str, seed: int) -> Image.Image:
    """A grey image whose brightest stripe says which of the ten columns it belongs to, with some noise."""
    pixels = np.random.default_rng(seed).integers(0, 60, (48, 48)).astype(np.uint8)
    top = 4 * VOTE_COLUMNS.index(label)
    pixels[top : top + 8] += 180
    return Image.fromarray(pixels)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny batches gain nothing from more, and lose much on a machine that is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_split(tmp_path: Path) -> MakeSplit:
    """Writes a split with the given rows, as a folder or a tar file; each row's image is its own."""

    def make(
        rows: Sequence[Row], name: str = "FER2013Train", form: str = "folder", labels: str | None = None
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        lines = []
        for number, (file, box, counts) in enumerate(rows):
            winner = VOTE_COLUMNS[int(np.argmax(counts))]
            (folder / file).write_bytes(encoded(face(winner, number), "PNG"))
            lines.append(f'{file},"{box}",{",".join(str(count) for count in counts)}\n')
        (folder / "label.csv").write_text("".join(lines) if labels is None else labels)
        return folder if form == "folder" else pack(folder)

    return make


def pack(folder: Path) -> Path:
    """The folder as Microsoft's tar files have it: everything under the split's name."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname=folder.name)
        extra = tarfile.TarInfo(f"{folder.name}/.marker")
        archive.addfile(extra, io.BytesIO())
    return path


def plain_rows(count: int, seed: int = 0) -> list[Row]:
    """Rows of the seven labels in turn, each with eight votes of ten."""
    labels = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    return [
        (f"fer{seed}{number:05}.png", "(0, 0, 48, 48)", votes(**{labels[number % 7]: 8, "unknown": 2}))
        for number in range(count)
    ]


def write_prepared(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    side: int = 48,
    **targets: Sequence[Sequence[float]] | np.ndarray,
) -> Path:
    """A prepared folder with the given splits, by hand: image i of a split is of brightness i."""
    folder.mkdir()
    for split, rows in targets.items():
        images = np.arange(len(rows), dtype=np.uint8)[:, None, None].repeat(side, 1).repeat(side, 2)
        np.savez(folder / f"{split}.npz", images=images, targets=np.array(rows, np.float32))
    manifest = {"form": 1, "labels": labels, "splits": {split: {} for split in targets}}
    (folder / "dataset.json").write_text(json.dumps(manifest))
    return folder


def write_faces(folder: Path, **counts: int) -> Path:
    """A prepared folder whose splits have so many faces, of the seven labels in turn."""
    targets = {split: np.eye(7, dtype=np.float32)[np.arange(count) % 7] for split, count in counts.items()}
    write_prepared(folder, **{split: rows.tolist() for split, rows in targets.items()})
    for split, rows in targets.items():
        images = [np.asarray(face(LABELS[row.argmax()], number)) for number, row in enumerate(rows)]
        np.savez(folder / f"{split}.npz", images=np.stack(images), targets=rows)
    return folder
