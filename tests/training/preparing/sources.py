"""Made-up data sets of a few images, each in the form of a published one."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import encoded

VOTE_HEADINGS = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
]

#: A row of fer2013.csv: emotion, brightness of the whole image (or what its pixels say), Usage.
TableRow = tuple[object, int | str, str]


def write_table(file: Path, rows: Sequence[TableRow], headings: str = "emotion,pixels,Usage") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        text.write(headings + "\n")
        for emotion, pixels, usage in rows:
            writer.writerow((emotion, pixels if isinstance(pixels, str) else grey(pixels), usage))
    return file


def grey(level: int) -> str:
    """The pixels of a image of one brightness."""
    return " ".join([str(level)] * 48**2)


def write_votes(file: Path, rows: Sequence[tuple[str, dict[str, int]]]) -> Path:
    """fer2013new.csv: each row's Usage and its votes by heading."""
    lines = [",".join(("Usage", "Image name", *VOTE_HEADINGS))]
    for index, (usage, votes) in enumerate(rows):
        counts = (str(votes.get(heading, 0)) for heading in VOTE_HEADINGS)
        lines.append(",".join((usage, f"fer{index:07}.png", *counts)))
    file.write_text("\n".join(lines) + "\n")
    return file


def write_image(
    file: Path, level: int = 100, size_wh: tuple[int, int] = (60, 60), file_format: str = "PNG"
) -> Path:
    """A image of one brightness, in a folder that is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded(Image.new("L", size_wh, level), file_format))
    return file


def write_classes(root: Path, counts: dict[str, int]) -> Path:
    """Class folders by their path below ``root``; every image of them has another brightness."""
    level = 0
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            write_image(root / folder / f"{number}.png", level % 256)
            level += 1
    return root


def brightness(image: Image.Image) -> float:
    return float(np.asarray(image).mean())
