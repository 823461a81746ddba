"""Recognises images over HTTP, as background work of the batcher."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from ..analysis.finder import EncodedSearch, FaceFinder, MissingDetector, RemoteFinder
from ..exceptions import DetectorError, ImageError
from ..faces import Face, Faces
from ..imaging.decoding import HTTP_FORMATS
from ..inference.fair_queue import LaneMode, Priority
from ..inference.frame_batcher import FrameBatcher, FrameLane
from .metrics import Metrics


@dataclass(frozen=True)
class ImageTiming:
    """The time of each step of an image, in ms. ``queue_ms`` is waiting for a thread and for the engine."""

    decode_ms: float
    detect_ms: float
    crop_ms: float
    queue_ms: float
    inference_ms: float


@dataclass(frozen=True)
class AnalyzedImage:
    """An image's faces and times; ``batch_size`` is the number of faces in their batch."""

    faces: Faces
    timing: ImageTiming
    total_ms: float
    batch_size: int


class ImageService:
    """Finds and recognises the faces of encoded images."""

    def __init__(
        self,
        batcher: FrameBatcher,
        finder: FaceFinder | RemoteFinder | MissingDetector,
        labels: tuple[str, ...],
        metrics: Metrics,
        *,
        max_pixels: int,
    ) -> None:
        self.labels = labels
        self._batcher = batcher
        self._finder = finder
        self._metrics = metrics
        self._max_pixels = max_pixels

    @contextmanager
    def opened(self, images: int) -> Iterator[FrameLane]:
        """A background lane of the batcher for one request's images."""
        lane = self._batcher.open_lane(LaneMode.ALL, images, Priority.BACKGROUND)
        try:
            yield lane
        finally:
            lane.close()

    async def analyze(
        self, lane: FrameLane, data: bytes, max_faces: int, keep_image: bool = False
    ) -> AnalyzedImage:
        """The ``max_faces`` largest faces of an encoded image.

        Raises DetectorError, ImageError, BatcherClosedError, and whatever the engine raises.
        """
        if isinstance(self._finder, MissingDetector):
            raise DetectorError(self._finder.reason)
        started = time.monotonic()
        search = EncodedSearch(self._finder, data, self._max_pixels, max_faces, keep_image, HTTP_FORMATS)
        try:
            found, predictions = await lane.recognize_prepared(search)
        except ImageError as error:
            self._metrics.images.labels(error.code).inc()
            raise
        timing = ImageTiming(
            decode_ms=found.decode_ms,
            detect_ms=found.detect_ms,
            crop_ms=found.crop_ms,
            # The batcher counts everything before the engine.
            queue_ms=max(0.0, predictions.queue_ms - found.decode_ms - found.detect_ms - found.crop_ms),
            inference_ms=predictions.inference_ms,
        )
        self._metrics.images.labels("result" if found.crops else "no_face").inc()
        for stage, duration_ms in asdict(timing).items():
            self._metrics.image_stage_seconds.labels(stage.removesuffix("_ms")).observe(duration_ms / 1000)
        faces = found.recognized(self.labels, predictions.probabilities)
        return AnalyzedImage(faces, timing, (time.monotonic() - started) * 1000, predictions.batch_size)

    async def recognize_crop(self, lane: FrameLane, data: bytes) -> Face:
        """The prediction for an encoded face crop.

        Raises ImageError, BatcherClosedError, and whatever the engine raises.
        """
        predictions = await lane.recognize([data])
        self._metrics.images.labels("result").inc()
        return Face.from_row(self.labels, predictions.probabilities[0])
