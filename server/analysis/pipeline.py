"""Frames to recognised faces, in order, with all stages at work at once.

::

    read  →  detect and cut  →  recognise  →  (whoever iterates: draws, encodes, writes)

Each arrow is a bounded channel, each stage but the last a thread; nearly all of their work is in libraries
that let go of Python's lock. When recognition is slower than what is before it, frames gather in its channel
and are recognised together; when it is quicker, each frame goes at once.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from ..detection.detector import Detection, FaceDetector
from ..detection.video import VideoDetector
from ..imaging.crop import BoxXywh, cut_pixels
from ..imaging.decoding import Crops
from ..inference import Recognizer
from ..sources.inputs import Clip, Failure, Shot
from ..tracking.smoothing import Smoother
from ..tracking.tracker import FaceTracker
from .channel import Abandoned, Channel
from .finder import inside

#: Of each channel. 48 MiB are 18 frames of 1280 × 720.
_MAX_FRAMES = 32
_MAX_BYTES = 48 * 1024 * 1024


@dataclass(frozen=True)
class SeenFace:
    """A face: its number in the clip, its box [x, y, width, height] in whole pixels inside the picture, the
    detector's score in [0, 1], and (C,) probabilities, smoothed where that was asked for."""

    face_id: int
    box_xywh: tuple[int, int, int, int]
    score: float
    probabilities: npt.NDArray[np.float32]


@dataclass(frozen=True)
class SeenShot:
    """A picture and its faces, largest first. A shot that is not analysed has the faces of the one before."""

    shot: Shot
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True)
class Options:
    """``min_face_px`` None: the detector's own in pictures, and what ``VideoDetector`` takes in videos.
    ``smoothing`` in [0, 1) is the weight of a face's past, in videos."""

    max_faces: int = 32
    min_face_px: int | None = None
    smoothing: float = 0.0


@dataclass(frozen=True)
class _Found:
    shot: Shot
    face_ids: tuple[int, ...]
    boxes: tuple[tuple[int, int, int, int], ...]
    scores: tuple[float, ...]
    crops: tuple[Crops, ...]


class Pipeline:
    """A context manager to be iterated over once. Leaving it early stops all stages."""

    def __init__(
        self,
        items: Iterator[Shot | Failure],
        detector: FaceDetector,
        recognizer: Recognizer,
        options: Options | None = None,
    ) -> None:
        self._items = items
        self._detector = detector
        self._recognizer = recognizer
        self._options = options or Options()
        self._is_stopping = False
        self._failure: BaseException | None = None
        #: Seconds that each stage's thread was at work, by the clock.
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self._read: Channel[Shot | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._found: Channel[_Found | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._seen: Channel[SeenShot | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._threads = [
            threading.Thread(target=self._guarded, args=(stage, channel), name=name, daemon=True)
            for name, stage, channel in (
                ("read", self._run_read, self._read),
                ("detect", self._run_detect, self._found),
                ("recognise", self._run_recognise, self._seen),
            )
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandon()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """No more is read; what has been read comes out. From any thread or signal handler."""
        self._is_stopping = True

    def __iter__(self) -> Iterator[SeenShot | Failure]:
        """Raises whatever a stage raised that was no input's fault."""
        try:
            while (item := self._seen.take_one()) is not None:
                yield item
        except Abandoned:
            pass
        if self._failure is not None:
            raise self._failure

    def _guarded(self, stage: Callable[[], None], out: Channel[object]) -> None:
        try:
            stage()
        except Abandoned:
            return
        except BaseException as error:  # handed to the thread that iterates
            self._failure = error
            self._abandon()
        out.end()

    def _abandon(self) -> None:
        for channel in (self._read, self._found, self._seen):
            channel.abandon()

    @contextmanager
    def _busy(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.busy_s[stage] += time.perf_counter() - started

    def _run_read(self) -> None:
        try:
            while not self._is_stopping:
                with self._busy("read"):
                    item = next(self._items, None)
                if item is None:
                    return
                self._read.put(item, _size(item))
        finally:
            # Files are closed by the thread that read them.
            if close := getattr(self._items, "close", None):
                close()

    def _run_detect(self) -> None:
        finders: dict[int, _ClipFinder] = {}
        while (item := self._read.take_one()) is not None:
            if isinstance(item, Failure):
                self._found.put(item)
                continue
            clip = item.clip
            if clip.index not in finders:  # of one clip at a time
                finders = {clip.index: _ClipFinder(clip, self._detector, self._options)}
            with self._busy("detect"):
                found = self._find(item, finders[clip.index])
            self._found.put(found, _size(item))

    def _find(self, shot: Shot, finder: "_ClipFinder") -> _Found:
        if not shot.is_analysed:
            return _Found(shot, (), (), (), ())
        pixels = shot.frame.image_rgb
        size_wh = (pixels.shape[1], pixels.shape[0])
        ids, detections = finder.find(shot)
        boxes: list[BoxXywh] = [detection.box_xywh for detection in detections]
        return _Found(
            shot,
            tuple(ids),
            tuple(inside(detection, size_wh) for detection in detections),
            tuple(detection.score for detection in detections),
            tuple(cut_pixels(pixels, box, self._recognizer.input_sizes) for box in boxes),
        )

    def _run_recognise(self) -> None:
        smoother, clip_index = Smoother(), -1
        faces: tuple[SeenFace, ...] = ()
        while batch := self._found.take():
            with self._busy("recognise"):
                crops = [crop for item in batch if isinstance(item, _Found) for crop in item.crops]
                rows = iter(self._recognizer.infer(crops))
            for item in batch:
                if isinstance(item, Failure):
                    self._seen.put(item)
                    continue
                if item.shot.clip.index != clip_index:
                    smoother, faces, clip_index = Smoother(), (), item.shot.clip.index
                if item.shot.is_analysed:
                    faces = tuple(
                        SeenFace(face_id, box, score, smoother.smooth(face_id, row, self._options.smoothing))
                        # The rows are the whole batch's: this zip takes as many as the frame has faces.
                        for face_id, box, score, row in zip(
                            item.face_ids, item.boxes, item.scores, rows, strict=False
                        )
                    )
                self._seen.put(SeenShot(item.shot, faces), _size(item.shot))


class _ClipFinder:
    """Detection and numbering within one clip."""

    def __init__(self, clip: Clip, detector: FaceDetector, options: Options) -> None:
        self._detector = detector
        self._options = options
        self._video = None if clip.is_still else VideoDetector(detector, options.min_face_px)
        self._tracker = FaceTracker()

    def find(self, shot: Shot) -> tuple[list[int], list[Detection]]:
        pixels, time_s = shot.frame.image_rgb, shot.frame.time_s
        options = self._options
        if self._video is None:
            found = self._detector.detect(pixels, options.max_faces, options.min_face_px)
        else:
            found = self._video.detect(pixels, time_s, options.max_faces)
        return self._tracker.update([face.box_xywh for face in found], time_s), found


def _size(item: Shot | Failure) -> int:
    return item.frame.image_rgb.nbytes if isinstance(item, Shot) else 0
