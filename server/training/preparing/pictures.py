"""From a data set's picture to the square of pixels that networks learn from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...detection.anchors import Detections
from ...exceptions import ImageError, InvalidImageError
from ...imaging.crop import cut
from ...imaging.decoding import decode, prepare
from .sample import Reason, Sample

Pixels = npt.NDArray[np.uint8]

#: Larger pictures are taken for broken ones.
_MAX_PIXELS = 64_000_000


class Detector(Protocol):
    """What of ``FaceDetector`` is used here."""

    def detect(self, picture: Pixels, max_faces: int) -> Detections:
        """Faces of a picture uint8 (H, W, 3) RGB, largest first."""


@dataclass(frozen=True)
class Cutter:
    """How every picture of a data set is cut.

    Without a detector pictures are taken as the crops that they usually are; of one that is not square, the
    middle is. With one, its largest face is cut out as docs/crop.md says. Pictures and faces whose shorter
    side has fewer than ``min_side`` pixels are left out.
    """

    side: int
    colour: bool
    min_side: int
    detector: Detector | None = None

    def __call__(self, sample: Sample) -> Pixels | Reason:
        """Uint8 (S, S) grey or (S, S, 3) RGB, or why there is none."""
        try:
            picture = sample.load()
        except ImageError:
            return Reason.UNREADABLE
        if min(picture.size) < self.min_side:
            return Reason.TOO_SMALL
        rgb = picture.convert("RGB")
        if self.detector is None:
            (pixels,) = prepare(_middle(rgb), (self.side,))
        else:
            image_rgb = np.asarray(rgb)
            boxes = self.detector.detect(image_rgb, 1).boxes()
            if not boxes:
                return Reason.NO_FACE
            if min(boxes[0][2:]) < self.min_side:
                return Reason.TOO_SMALL
            (pixels,) = cut(image_rgb, boxes[0], (self.side,))
        return pixels if self.colour else np.asarray(Image.fromarray(pixels).convert("L"))


def open_picture(path: Path) -> Image.Image:
    """An upright RGB picture of a file. Raises ImageError."""
    try:
        return decode(path.read_bytes(), _MAX_PIXELS)
    except OSError as error:
        raise InvalidImageError(f"{path} cannot be read: {error}") from error


def picture_of(data: bytes) -> Image.Image:
    """The same of an encoded picture. Raises ImageError."""
    return decode(data, _MAX_PIXELS)


def _middle(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    if width == height:
        return picture
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))
