"""Crops a data set's image to the square of pixels for training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...detection.anchors import Detections
from ...exceptions import ImageError, InvalidImageError
from ...imaging.crop import crop_turn, cut
from ...imaging.decoding import decode, prepare
from .sample import Reason, Sample

Pixels = npt.NDArray[np.uint8]

#: Larger images are treated as broken.
_MAX_PIXELS = 64_000_000


class Detector(Protocol):
    """The part of ``FaceDetector`` that is used here."""

    def detect(self, image: Pixels, max_faces: int) -> Detections:
        """Faces of an image uint8 (H, W, 3) RGB, largest first."""


@dataclass(frozen=True)
class Cutter:
    """Cuts every image of a data set.

    Without a detector, the images are taken to be crops already, and those that are not square are cut to
    their middle. With one, the largest face is cropped as in docs/crop.md. Images and faces whose shorter
    side has fewer than ``min_side`` pixels are excluded.
    """

    side: int
    colour: bool
    min_side: int
    detector: Detector | None = None

    def __call__(self, sample: Sample) -> Pixels | Reason:
        """The pixels, uint8 (S, S) grey or (S, S, 3) RGB, or the reason for rejection."""
        try:
            image = sample.load()
        except ImageError:
            return Reason.UNREADABLE
        if min(image.size) < self.min_side:
            return Reason.TOO_SMALL
        rgb = image.convert("RGB")
        if self.detector is None:
            (pixels,) = prepare(_middle(rgb), (self.side,))
        else:
            image_rgb = np.asarray(rgb)
            found = self.detector.detect(image_rgb, 1)
            if not len(found):
                return Reason.NO_FACE
            (box,) = found.boxes()
            if min(box[2:]) < self.min_side:
                return Reason.TOO_SMALL
            (pixels,) = cut(image_rgb, box, (self.side,), crop_turn(box, found.landmarks_xy[0].tolist()))
        return pixels if self.colour else np.asarray(Image.fromarray(pixels).convert("L"))


def open_image(path: Path) -> Image.Image:
    """Decodes a file to an upright RGB image. Raises ImageError."""
    try:
        return decode(path.read_bytes(), _MAX_PIXELS)
    except OSError as error:
        raise InvalidImageError(f"{path} cannot be read: {error}") from error


def image_of(data: bytes) -> Image.Image:
    """Decodes an encoded image to an upright RGB image. Raises ImageError."""
    return decode(data, _MAX_PIXELS)


def _middle(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width == height:
        return image
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))
