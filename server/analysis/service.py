"""Whole pictures and single crops on the batcher, in the background and a bounded number at a time."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..api.metrics import Metrics
from ..exceptions import DetectorError, EmostreamError, ImageError
from ..inference.batcher import Batcher, FrameAnswer, Session
from ..inference.fair_queue import LaneMode, Priority
from .finder import FaceFinder, FoundFace, Search


class OverloadedError(EmostreamError):
    """As many requests with pictures are under way as may be; later there will be room."""


@dataclass(frozen=True)
class PictureTiming:
    """Where a picture's time went, in ms. ``queue_ms`` is waiting for a thread and for the engine."""

    decode_ms: float
    detect_ms: float
    crop_ms: float
    queue_ms: float
    inference_ms: float
    total_ms: float
    batch_size: int


@dataclass(frozen=True)
class RecognizedPicture:
    """A picture's faces, largest first, and their probabilities (faces, labels). ``picture`` is upright,
    and there only if it was asked for."""

    size_wh: tuple[int, int]
    faces: tuple[FoundFace, ...]
    probabilities: npt.NDArray[np.float32]
    picture: Image.Image | None
    timing: PictureTiming


class PictureService:
    """Recognises pictures. ``finder`` is None where the detector cannot be used, for the reason given."""

    def __init__(
        self,
        batcher: Batcher,
        finder: FaceFinder | None,
        reason: str,
        metrics: Metrics,
        *,
        max_pixels: int,
        max_requests: int,
    ) -> None:
        self._batcher = batcher
        self._finder = finder
        self._reason = reason
        self._metrics = metrics
        self._max_pixels = max_pixels
        self._max_requests = max_requests
        self._under_way = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Counts a request for as long as it is under way. Raises OverloadedError."""
        if self._under_way >= self._max_requests:
            raise OverloadedError(f"{self._under_way} requests with pictures are under way already")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    @property
    def finder(self) -> FaceFinder:
        """Raises DetectorError that says what is missing."""
        if self._finder is None:
            raise DetectorError(self._reason)
        return self._finder

    @contextmanager
    def opened(self, pictures: int) -> Iterator[Session]:
        """A place in the batcher's background for one request's pictures."""
        session = self._batcher.open_session(LaneMode.ALL, pictures, Priority.BACKGROUND)
        try:
            yield session
        finally:
            session.close()

    async def recognize(
        self, session: Session, data: bytes, max_faces: int, keep_picture: bool = False
    ) -> RecognizedPicture:
        """The ``max_faces`` largest faces of an encoded picture.

        Raises DetectorError, ImageError, BatcherClosedError, and whatever the engine raises.
        """
        started = time.monotonic()
        search = Search(self.finder, data, self._max_pixels, max_faces, keep_picture)
        try:
            answer = await session.recognize_prepared(search)
        except ImageError as error:
            self._metrics.pictures.labels(error.code).inc()
            raise
        found = search.found
        assert found is not None  # the batcher has called it
        timing = _timing(search, answer, (time.monotonic() - started) * 1000)
        self._count(timing, "result" if found.faces else "no_face")
        return RecognizedPicture(found.size_wh, found.faces, answer.probabilities, found.picture, timing)

    async def recognize_crop(self, session: Session, data: bytes) -> npt.NDArray[np.float32]:
        """Probabilities (labels,) of an encoded picture that is a face crop already.

        Raises ImageError, BatcherClosedError, and whatever the engine raises.
        """
        answer = await session.recognize([data])
        self._metrics.pictures.labels("result").inc()
        row: npt.NDArray[np.float32] = answer.probabilities[0]
        return row

    def _count(self, timing: PictureTiming, outcome: str) -> None:
        self._metrics.pictures.labels(outcome).inc()
        stages: Sequence[tuple[str, float]] = (
            ("decode", timing.decode_ms),
            ("detect", timing.detect_ms),
            ("crop", timing.crop_ms),
            ("queue", timing.queue_ms),
            ("inference", timing.inference_ms),
        )
        for stage, duration_ms in stages:
            self._metrics.picture_stage_seconds.labels(stage).observe(duration_ms / 1000)


def _timing(search: Search, answer: FrameAnswer, total_ms: float) -> PictureTiming:
    found = search.found
    assert found is not None
    work_ms = found.decode_ms + found.detect_ms + found.crop_ms
    return PictureTiming(
        decode_ms=found.decode_ms,
        detect_ms=found.detect_ms,
        crop_ms=found.crop_ms,
        # The batcher counts everything before the engine.
        queue_ms=max(0.0, answer.queue_ms - work_ms),
        inference_ms=answer.inference_ms,
        total_ms=total_ms,
        batch_size=answer.batch_size,
    )
