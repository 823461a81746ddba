"""From an encoded picture to its faces, ready for the networks."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from server.faces.crop import cut
from server.faces.detector import Detection, FaceDetector
from server.inference.preparation import PreparedFace, decode


@dataclass(frozen=True)
class FoundFace:
    """A face: its box [x, y, width, height] in whole pixels inside the upright picture, and a score in
    [0, 1]."""

    box_xywh: tuple[int, int, int, int]
    score: float


@dataclass(frozen=True)
class FoundFaces:
    """An upright picture (RGB) with its faces, largest first, and their crops in the same order."""

    picture: Image.Image
    faces: tuple[FoundFace, ...]
    crops: tuple[PreparedFace, ...]


class FaceFinder:
    """Decoding, detection and cropping. Safe to call from several threads at once."""

    def __init__(self, detector: FaceDetector, input_sizes: tuple[int, ...]) -> None:
        self._detector = detector
        self._input_sizes = input_sizes

    @property
    def name(self) -> str:
        """Of the detector's model."""
        return self._detector.name

    def find(self, data: bytes, max_pixels: int, max_faces: int) -> FoundFaces:
        """The ``max_faces`` largest faces of a JPEG, PNG or WebP file.

        Raises InvalidImageError and ImageTooLargeError.
        """
        picture = decode(data, max_pixels)
        detections = self._detector.detect(np.asarray(picture), max_faces)
        return FoundFaces(
            picture,
            tuple(FoundFace(_inside(found, picture.size), found.score) for found in detections),
            tuple(cut(picture, found.box_xywh, self._input_sizes) for found in detections),
        )


def _inside(found: Detection, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a detector's box that is in the picture, in whole pixels; at least one."""
    x, y, box_width, box_height = found.box_xywh
    width, height = size_wh
    left, top = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    right, bottom = (
        min(max(round(x + box_width), left + 1), width),
        min(max(round(y + box_height), top + 1), height),
    )
    return (left, top, right - left, bottom - top)
