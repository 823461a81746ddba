"""Faces of one's own for tests: class folders of pictures that a network can tell apart."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from tests.support import encoded


def picture(is_bored: bool, seed: int) -> Image.Image:
    """A patch of a photograph; in a bored one the lower half is dark, in any other the upper half."""
    generator = np.random.default_rng(seed)
    top, left = generator.integers(0, 300, 2)
    patch = data.camera()[top : top + 96, left : left + 96].astype(float)
    half = np.linspace(0.05, 1.0, 96)[:, None]
    noisy = patch * (half[::-1] if is_bored else half) + generator.normal(0, 6, patch.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def write_own_faces(root: Path, count: int, labels: tuple[str, str] = ("bored", "focused")) -> Path:
    """So many pictures of each of two classes in a folder each."""
    for place, label in enumerate(labels):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(count):
            image = picture(place == 0, 1000 * place + number)
            (folder / f"{number:03}.png").write_bytes(encoded(image, "PNG"))
    return root
