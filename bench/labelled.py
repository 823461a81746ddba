"""The photographs of a tar file with their emotions, in two halves that share no person.

The file holds JPEG images of one face each and a ``label.csv`` (image, emotion, person).
"""

import csv
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from emostream.training.datasets import LABELS

#: What is chosen is chosen on the first, what is reported is measured on the second.
HALVES = ("choice", "report")


def contents(files: tarfile.TarFile) -> Callable[[str], bytes]:
    """Reads a file of an archive by its name without folders."""
    members = {Path(member.name).name: member for member in files if member.isfile()}

    def content(name: str) -> bytes:
        file = files.extractfile(members[name])
        assert file is not None
        return file.read()

    return content


def labelled_photographs(archive: Path, half: str) -> Iterator[tuple[npt.NDArray[np.uint8], int]]:
    """Images uint8 (H, W, 3) RGB and their emotions' places in ``LABELS``, in an order of their own."""
    with tarfile.open(archive) as files:
        content = contents(files)
        rows = list(csv.DictReader(io.StringIO(content("label.csv").decode())))
        for index in np.random.default_rng(3).permutation(len(rows)):
            row = rows[index]
            if row["emotion"] not in LABELS or HALVES[zlib.crc32(row["person"].encode()) % 2] != half:
                continue
            bgr = cv2.imdecode(np.frombuffer(content(Path(row["image"]).name), np.uint8), cv2.IMREAD_COLOR)
            assert bgr is not None
            yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), LABELS.index(row["emotion"])
