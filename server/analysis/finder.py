"""From an encoded picture to its faces, ready for the networks."""

import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..detection.detector import Detection, FaceDetector
from ..imaging.crop import cut
from ..imaging.decoding import Crops, decode


@dataclass(frozen=True)
class FoundFace:
    """A face: its box [x, y, width, height] in whole pixels inside the upright picture, and a score in
    [0, 1]."""

    box_xywh: tuple[int, int, int, int]
    score: float


@dataclass(frozen=True)
class FoundFaces:
    """A picture's faces, largest first, and their crops in the same order.

    ``picture`` is upright and RGB, and only kept where somebody asks for it: it is the largest part by far.
    """

    size_wh: tuple[int, int]
    faces: tuple[FoundFace, ...]
    crops: tuple[Crops, ...]
    picture: Image.Image | None
    decode_ms: float
    detect_ms: float
    crop_ms: float


class FaceFinder:
    """Decoding, detection and cropping. Safe to call from several threads at once."""

    def __init__(self, detector: FaceDetector, input_sizes: tuple[int, ...]) -> None:
        self._detector = detector
        self._input_sizes = input_sizes

    @property
    def name(self) -> str:
        """Of the detector's model."""
        return self._detector.name

    def find(self, data: bytes, max_pixels: int, max_faces: int, keep_picture: bool = False) -> FoundFaces:
        """The ``max_faces`` largest faces of a JPEG, PNG or WebP file.

        Raises InvalidImageError and ImageTooLargeError.
        """
        started = time.monotonic()
        picture = decode(data, max_pixels)
        decoded = time.monotonic()
        detections = self._detector.detect(np.asarray(picture), max_faces)
        detected = time.monotonic()
        crops = tuple(cut(picture, found.box_xywh, self._input_sizes) for found in detections)
        return FoundFaces(
            size_wh=picture.size,
            faces=tuple(FoundFace(inside(found, picture.size), found.score) for found in detections),
            crops=crops,
            picture=picture if keep_picture else None,
            decode_ms=(decoded - started) * 1000,
            detect_ms=(detected - decoded) * 1000,
            crop_ms=(time.monotonic() - detected) * 1000,
        )


@dataclass
class Search:
    """One picture's faces to be found, as a piece of work for the batcher's threads."""

    finder: FaceFinder
    data: bytes
    max_pixels: int
    max_faces: int
    keep_picture: bool = False
    found: FoundFaces | None = None

    def __call__(self) -> tuple[Crops, ...]:
        """Finds them, keeps them in ``found`` and returns their crops. Raises ImageError."""
        self.found = self.finder.find(self.data, self.max_pixels, self.max_faces, self.keep_picture)
        return self.found.crops


def inside(found: Detection, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a detector's box that is in a picture of ``size_wh``: [x, y, width, height] in whole
    pixels, at least one."""
    x, y, box_width, box_height = found.box_xywh
    width, height = size_wh
    left, top = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    right = min(max(round(x + box_width), left + 1), width)
    bottom = min(max(round(y + box_height), top + 1), height)
    return (left, top, right - left, bottom - top)
