"""The faces of an image, found and cut out, before the networks have seen them."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..detection.anchors import Detections
from ..detection.detector import FaceDetector
from ..exceptions import DetectorError
from ..faces import BoxXywh, Faces
from ..imaging.crop import RawBoxXywh, clipped, crop_turn, cut
from ..imaging.decoding import FORMATS, Crops, decode
from ..quality.assessment import Assessment, assess, face_of
from ..quality.measures import measure_crop
from ..tracking.appearance import Appearance, appearance_of

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FoundFaces:
    """An image's faces, largest first: boxes inside of the image, the detector's own boxes (which may reach
    outside) and scores, crops for the networks, by how many degrees each was turned upright, landmarks
    (N, 6, 2), how well each can be seen, and, where faces are followed, appearances for the tracker, all in
    the same order.

    ``image_rgb`` is the upright image, and only kept where it is asked for: it is the largest part by far.
    """

    size_wh: tuple[int, int]
    boxes_xywh: tuple[BoxXywh, ...]
    raw_boxes_xywh: tuple[RawBoxXywh, ...]
    scores: tuple[float, ...]
    crops: tuple[Crops, ...]
    turns_deg: tuple[float, ...]
    landmarks_xy: Floats
    assessments: tuple[Assessment, ...]
    appearances: tuple[Appearance, ...] = ()
    image_rgb: Pixels | None = None
    decode_ms: float = 0.0
    detect_ms: float = 0.0
    crop_ms: float = 0.0

    def recognized(
        self,
        labels: tuple[str, ...],
        probabilities: Floats,
        face_ids: Sequence[int] | None = None,
        source: str | None = None,
        frame_index: int = 0,
        time_s: float = 0.0,
    ) -> Faces:
        """With the networks' probabilities (N, C) of ``labels``. Without ids faces are numbered from 1."""
        ids = range(1, len(self.crops) + 1) if face_ids is None else face_ids
        faces = tuple(
            face_of(labels, row, assessment, box, score, face_id)
            for face_id, box, score, row, assessment in zip(
                ids, self.boxes_xywh, self.scores, probabilities, self.assessments, strict=True
            )
        )
        return Faces(faces, self.size_wh, labels, source, frame_index, time_s, self.image_rgb)


class FaceFinder:
    """Detection and cropping. Safe to call from several threads at once."""

    def __init__(self, detector: FaceDetector, input_sizes: tuple[int, ...]) -> None:
        self.detector = detector
        self._input_sizes = input_sizes

    def find(
        self, image_rgb: Pixels, max_faces: int, min_face_px: int | None = None, *, are_followed: bool = False
    ) -> FoundFaces:
        """The ``max_faces`` largest faces of an image uint8 (H, W, 3) RGB, of which no copy is kept.

        ``min_face_px`` None: the detector's own. ``are_followed``: a tracker will ask for appearances.
        """
        started = time.monotonic()
        detections = self.detector.detect(image_rgb, max_faces, min_face_px)
        detect_ms = (time.monotonic() - started) * 1000
        return self.cut(image_rgb, detections, are_followed=are_followed, detect_ms=detect_ms)

    def cut(
        self, image_rgb: Pixels, detections: Detections, *, are_followed: bool = False, detect_ms: float = 0.0
    ) -> FoundFaces:
        """The crops of what has been detected."""
        started = time.monotonic()
        size_wh = (image_rgb.shape[1], image_rgb.shape[0])
        raw_boxes = detections.boxes()
        turns_deg = tuple(
            crop_turn(box, landmarks)
            for box, landmarks in zip(raw_boxes, detections.landmarks_xy.tolist(), strict=True)
        )
        crops = tuple(
            cut(image_rgb, box, self._input_sizes, turn_deg)
            for box, turn_deg in zip(raw_boxes, turns_deg, strict=True)
        )
        return FoundFaces(
            size_wh=size_wh,
            boxes_xywh=tuple(clipped(box, size_wh) for box in raw_boxes),
            raw_boxes_xywh=tuple(raw_boxes),
            scores=tuple(detections.scores.tolist()),
            crops=crops,
            turns_deg=turns_deg,
            landmarks_xy=detections.landmarks_xy,
            assessments=tuple(
                assess(measure_crop(crop[0]), box, size_wh, landmarks, turn_deg)
                for crop, box, landmarks, turn_deg in zip(
                    crops, raw_boxes, detections.landmarks_xy, turns_deg, strict=True
                )
            ),
            appearances=tuple(appearance_of(image_rgb, box) for box in raw_boxes) if are_followed else (),
            detect_ms=detect_ms,
            crop_ms=(time.monotonic() - started) * 1000,
        )


@dataclass(frozen=True)
class MissingDetector:
    """Stands where a FaceFinder would, on a machine whose detector cannot be used; ``reason`` says why."""

    reason: str


@dataclass(frozen=True)
class RemoteFinder:
    """Stands where a FaceFinder would, in a process whose images are searched by replicas elsewhere."""


@dataclass(frozen=True)
class EncodedSearch:
    """Decoding a file in one of ``formats`` and finding its faces, as a piece of work for a thread.

    Calling it raises InvalidImageError and ImageTooLargeError. One with a RemoteFinder is sent to where a
    real one takes its place.
    """

    finder: FaceFinder | RemoteFinder
    data: bytes
    max_pixels: int
    max_faces: int
    keep_image: bool = False
    formats: tuple[str, ...] = FORMATS
    are_followed: bool = False

    def __call__(self) -> FoundFaces:
        assert isinstance(self.finder, FaceFinder)
        started = time.monotonic()
        image_rgb = np.asarray(decode(self.data, self.max_pixels, self.formats))
        decode_ms = (time.monotonic() - started) * 1000
        found = self.finder.find(image_rgb, self.max_faces, are_followed=self.are_followed)
        return replace(found, decode_ms=decode_ms, image_rgb=image_rgb if self.keep_image else None)


def load_finder(folder: Path, min_face_px: int, input_sizes: tuple[int, ...]) -> FaceFinder | MissingDetector:
    """For servers, which also run without the detector's files: what is missing is logged, and a value."""
    try:
        return FaceFinder(FaceDetector.load(folder, min_face_px), input_sizes)
    except DetectorError as error:
        logger.warning("faces are not detected here: %s", error)
        return MissingDetector(str(error))
