"""One file's or stream's frames, one after the other: which face is whose, and its smoothed probabilities."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..detection.video import LOST_SCAN_INTERVAL_S, VideoDetector
from ..faces import Faces
from ..sources import Frame
from ..tracking.smoothing import Smoother
from ..tracking.tracker import FaceTracker
from .finder import FaceFinder, FoundFaces

if TYPE_CHECKING:  # clients search frames, too, and need no networks
    from ..inference import Recognizer


@dataclass(frozen=True)
class AnalysisOptions:
    """``min_face_px`` None: the detector's own in images, and what ``VideoDetector`` takes in videos.
    ``smoothing`` in [0, 1) is the weight of a face's past, in videos."""

    max_faces: int = 32
    min_face_px: int | None = None
    smoothing: float = 0.0


@dataclass(frozen=True)
class FoundFrame:
    """A frame's faces before the networks have seen them, and their ids."""

    frame: Frame
    found: FoundFaces
    face_ids: tuple[int, ...]


class FrameSearch:
    """Detects, tracks and cuts out: the frames of one video in their order, or still images.

    Faces of a video keep their ids; in a still image they are numbered from 1. Used by one thread at a time.
    """

    def __init__(self, finder: FaceFinder, options: AnalysisOptions, is_still: bool = False) -> None:
        self._finder = finder
        self._options = options
        # From frame to frame of a video its faces hardly move, and need no whole search.
        self._detector = None if is_still else VideoDetector(finder.detector, options.min_face_px)
        self._tracker = FaceTracker()

    def find(self, frame: Frame) -> FoundFrame:
        """The frame's faces before the networks have seen them."""
        options, image_rgb = self._options, frame.image_rgb
        if self._detector is None:
            found = self._finder.find(image_rgb, options.max_faces, options.min_face_px)
            ids = list(range(1, len(found.crops) + 1))
        else:
            known = self._tracker.expected(frame.time_s, LOST_SCAN_INTERVAL_S)
            detections = self._detector.detect(image_rgb, frame.time_s, options.max_faces, known)
            found = self._finder.cut(image_rgb, detections, are_followed=True)
            ids = self._tracker.update(found.raw_boxes_xywh, found.appearances, frame.time_s)
        return FoundFrame(frame, replace(found, image_rgb=image_rgb), tuple(ids))


class FrameAnalysis(FrameSearch):
    """The same, and each face's emotion, smoothed as the options say.

    ``find`` and ``recognized`` are the work before and after the networks. Each belongs to one thread at a
    time; the two may be at work on different frames.
    """

    def __init__(
        self,
        finder: FaceFinder,
        recognizer: "Recognizer",
        options: AnalysisOptions,
        is_still: bool = False,
    ) -> None:
        super().__init__(finder, options, is_still)
        self._recognizer = recognizer
        self._smoother = Smoother()

    def recognized(
        self, found: FoundFrame, probabilities: npt.NDArray[np.float32], source: str | None = None
    ) -> Faces:
        """The frame's faces with the networks' probabilities (N, C), smoothed as the options say."""
        rows = [
            self._smoother.smooth(face_id, row, self._options.smoothing)
            for face_id, row in zip(found.face_ids, probabilities, strict=True)
        ]
        smoothed = np.stack(rows) if rows else probabilities
        frame = found.frame
        return found.found.recognized(
            self._recognizer.labels,
            smoothed,
            found.face_ids,
            source or frame.name,
            frame.index,
            frame.time_s,
        )

    def analyze(self, frame: Frame) -> Faces:
        """All of it, one step after the other."""
        found = self.find(frame)
        return self.recognized(found, self._recognizer.infer(found.found.crops))
