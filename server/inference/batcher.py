"""Runs the frames of all clients on one engine: prepares them in threads and computes them in batches.

A frame's states: waiting in its client's lane -> staged (being prepared, or prepared and ready) -> in the
engine -> resolved. Staging holds about one batch, so that decoding overlaps with computing and no frame
stays there longer than one forward pass. An idle engine starts at once with the ready frames, up to the
largest batch: one user has no delay, and with many users the batches grow.

Images over HTTP are background frames. They have their own threads for decoding and detection, and live
frames come first (see batch_choice.py). Live frames that need detection have their own threads, too, since
detection takes seconds and decoding crops takes milliseconds. Those threads also decode crops of far more
pixels than faces have.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from ..exceptions import EngineHangsError, ImageError
from .batch_choice import BatchChoice
from .crop_work import MOST_QUICK_PIXELS, CropPreparer, DecodedCrop, decode_crop, is_slow, outcomes_of
from .device_preparation import PreparedFace
from .ensemble import Probabilities
from .fair_queue import Lane, LaneMode, Priority
from .frame_batcher import P, Predictions, Prepared
from .pending_frames import PendingFrame, PendingFrames
from .worker_threads import WorkerThreads

logger = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3

#: Niceness of detection, which takes seconds of a core: crops and the engine take milliseconds and go first.
_SEARCH_NICE = 10

#: How long threads may take to finish their work when the server stops.
CLOSE_TIMEOUT_S = 2.0


class FrameRecognizer(CropPreparer, Protocol):
    """What the batcher needs of a recogniser."""

    max_batch: int

    def infer(self, faces: Sequence[PreparedFace]) -> Probabilities: ...


@dataclass(eq=False)
class _Frame(PendingFrame):
    """A frame in flight.

    ``size`` is the number of its faces or, until detection has counted them, of its pieces of work.
    """

    work: Sequence[Callable[[], Prepared]]
    threads: WorkerThreads
    size: int
    slow_work: Sequence[Callable[[], Prepared]] = ()  # see ``submit``
    prepared: list[Prepared] = field(default_factory=list)
    crops: list[PreparedFace] = field(default_factory=list)
    is_ready: bool = False  # whether ``prepared`` and ``crops`` are complete


class BatcherLane:
    """One client's access to the batcher."""

    def __init__(self, batcher: "Batcher", lane: Lane[_Frame]) -> None:
        self._batcher = batcher
        self._lane = lane

    async def recognize(self, images: Sequence[bytes]) -> Predictions:
        """The probabilities of a frame's encoded crops.

        Raises SupersededError, ImageError for an image that cannot be used, LaneFullError if more than
        ``queue_length`` frames would wait, BatcherClosedError, and whatever the engine raises.
        """
        quick, slow = ([partial(self._batcher.prepare_crop, d, q) for d in images] for q in (True, False))
        crops, predictions = await self._batcher.submit(self._lane, quick, is_search=False, slow_work=slow)
        return replace(predictions, measures=tuple(crop.measures for crop in crops))

    async def recognize_prepared(self, prepare: Callable[[], P]) -> tuple[P, Predictions]:
        """Calls ``prepare`` in a thread when it is the frame's turn; returns its result and the probabilities
        of its crops.

        Raises as ``recognize`` does, and whatever ``prepare`` raises.
        """
        (prepared,), predictions = await self._batcher.submit(self._lane, [prepare], is_search=True)
        return prepared, predictions

    def close(self) -> None:
        """Cancels this client's frames; results that still arrive are dropped."""
        self._batcher.close_lane(self._lane)


class Batcher(PendingFrames[_Frame]):
    """Owns the preparing threads and the engine's thread. Everything else runs on the event loop."""

    def __init__(
        self,
        recognizer: FrameRecognizer,
        max_pixels: int,
        decode_threads: int,
        on_batch: Callable[[int, float], None] = lambda faces, seconds: None,
        image_threads: int = 2,
        detect_threads: int = 1,
        frame_timeout_s: float | None = None,
        image_timeout_s: float | None = None,
        engine_timeout_s: float | None = None,
    ) -> None:
        """The time-outs limit the work on an image of a stream (``frame_timeout_s``), on one over HTTP
        (``image_timeout_s``) and a forward pass (``engine_timeout_s``). The attribute ``on_trouble`` may be
        set to a function that is called after each time-out.
        """
        super().__init__()
        self.on_trouble: Callable[[], None] = lambda: None
        self._engine_timeout_s = engine_timeout_s
        self._hangs = False
        self._recognizer = recognizer
        self._max_pixels = max_pixels
        self._on_batch = on_batch
        self._staged: list[_Frame] = []  # in the order in which they were staged
        self._choice: BatchChoice[_Frame] = BatchChoice(recognizer.max_batch)
        self._engine_task: asyncio.Task[None] | None = None
        self._failures = 0  # failed passes of a single frame since the last success
        # Separate threads, since a large image takes seconds and a crop milliseconds.
        tell = self._tell_of_trouble
        self._crop_threads = WorkerThreads(decode_threads, "decode", frame_timeout_s, on_given_up=tell)
        self._search_threads = {
            Priority.LIVE: WorkerThreads(
                detect_threads, "detect", frame_timeout_s, _SEARCH_NICE, on_given_up=tell
            ),
            Priority.BACKGROUND: WorkerThreads(
                image_threads, "picture", image_timeout_s, _SEARCH_NICE, on_given_up=tell
            ),
        }
        self._engine = WorkerThreads(1, "engine", engine_timeout_s, overrun=EngineHangsError)

    def open_lane(
        self,
        mode: LaneMode = LaneMode.LATEST,
        queue_length: int = 1,
        priority: Priority = Priority.LIVE,
    ) -> BatcherLane:
        """Opens a new client's lane. ``queue_length`` bounds its waiting frames in mode ALL."""
        return BatcherLane(self, Lane(mode, queue_length, priority))

    def prepare_crop(self, data: bytes, is_quick: bool) -> DecodedCrop:
        """Decodes one crop, in a thread. Raises ImageError, also for a slow crop if ``is_quick``."""
        max_pixels = min(self._max_pixels, MOST_QUICK_PIXELS) if is_quick else self._max_pixels
        return decode_crop(self._recognizer, data, max_pixels)

    @property
    def hangs(self) -> bool:
        """Whether a forward pass exceeded its time-out; nothing is computed until ``resume``."""
        return self._hangs

    @property
    def hanging_passes(self) -> int:
        """The number of timed-out passes, of this engine and earlier ones, that are still running."""
        return self._engine.given_up

    @property
    def trouble(self) -> str | None:
        """Why nothing is computed at the moment; otherwise None."""
        if self._hangs:
            return "the engine hangs"
        if exhausted := self.exhausted:
            return f"every thread hangs that is there to {' and to '.join(exhausted)}"
        return None

    @property
    def exhausted(self) -> list[str]:
        """Names of the preparing thread pools in which every thread hangs."""
        return [threads.name for threads in self._preparing if threads.is_exhausted]

    @property
    def given_up_cpu_s(self) -> float:
        """Processor time of preparing threads that were given up, in seconds."""
        return sum(threads.given_up_cpu_s for threads in self._preparing)

    @property
    def _preparing(self) -> list[WorkerThreads]:
        return [self._crop_threads, *self._search_threads.values()]

    def resume(self, recognizer: FrameRecognizer) -> None:
        """Continues with another engine after one that hangs."""
        self._recognizer = recognizer
        self._choice = BatchChoice(recognizer.max_batch)
        self._hangs = False
        self._failures = 0
        self._stage()
        self._start_engine()

    @property
    def is_failing(self) -> bool:
        """Whether the last passes all failed, as every pass does between the loss of a GPU and a restart."""
        return self._failures >= _FAILURES_IN_A_ROW

    async def submit(
        self,
        lane: Lane[_Frame],
        work: Sequence[Callable[[], P]],
        is_search: bool,
        slow_work: Sequence[Callable[[], P]] = (),
    ) -> tuple[list[P], Predictions]:
        """Runs the pieces of work; returns their results, in order, and the probabilities of all their crops.

        ``is_search`` is True if the work detects faces. ``slow_work`` replaces ``work`` if an image is too
        large for that.
        """
        self._check_open()
        if self._hangs:
            raise EngineHangsError(self._engine_timeout_s or 0.0)
        result: asyncio.Future[tuple[list[P], Predictions]] = asyncio.get_running_loop().create_future()
        is_background = lane.priority is Priority.BACKGROUND
        threads = self._search_threads[lane.priority] if is_search or is_background else self._crop_threads
        self._put(_Frame(lane, result, work, threads, len(work), slow_work))
        self._stage()
        return await result

    def close_lane(self, lane: Lane[_Frame]) -> None:
        for frame in self._queue.drop(lane):
            frame.result.cancel()
        for frame in self._staged:
            if frame.lane is lane:
                frame.result.cancel()

    async def aclose(self, wait_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Fails all pending frames and stops the threads after their current work; returns whether all of
        them ended within ``wait_s``."""
        self.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        pools, until = [*self._preparing, self._engine], time.monotonic() + wait_s
        for threads in pools:
            threads.stop()
        return all([await asyncio.to_thread(threads.join, until) for threads in pools])

    def _tell_of_trouble(self) -> None:
        self.on_trouble()

    def _stage(self) -> None:
        """Stages waiting frames as long as staging has capacity for the next one."""
        while not self._is_closed and (taken := self._queue.take(self._has_room)) is not None:
            _, frame = taken
            self._staged.append(frame)
            self._spawn(self._prepare(frame))

    def _has_room(self, frame: _Frame) -> bool:
        """Whether staging has capacity for this frame.

        The capacity is about one batch each for live crops, live detection and the background. No more frames
        are in detection than there are threads, so that waiting frames can still be overtaken.
        """
        threads = frame.threads
        if any(other.lane is frame.lane and other.threads is not threads for other in self._staged):
            return False  # it would wait for that one, and take others' capacity
        crops = sum(other.size for other in self._staged if other.threads is self._crop_threads)
        if frame.lane.priority is Priority.BACKGROUND and crops >= self._recognizer.max_batch:
            return False  # the live crops fill a batch
        if threads is self._crop_threads:
            return crops < self._recognizer.max_batch
        searches = [other for other in self._staged if other.threads is threads]
        in_work = sum(not other.is_ready for other in searches)
        ready = sum(other.size for other in searches if other.is_ready)
        return in_work < threads.threads and ready < self._recognizer.max_batch

    def _unstage(self, frame: _Frame) -> None:
        if frame in self._staged:  # otherwise its client left during preparation
            self._staged.remove(frame)
            frame.lane.staged -= 1

    async def _prepare(self, frame: _Frame) -> None:
        outcomes = await outcomes_of(frame.threads, frame.work)
        if frame.slow_work and is_slow(outcomes):
            frame.threads = self._search_threads[frame.lane.priority]
            self._stage()  # it has freed capacity for quick crops
            outcomes = await outcomes_of(frame.threads, frame.slow_work)
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                if isinstance(outcome, ImageError):
                    outcome.index = index
                frame.fail(outcome)
                self._unstage(frame)
                break
            frame.prepared.append(outcome)
            frame.crops.extend(outcome.crops)
        else:
            frame.size, frame.is_ready = len(frame.crops), True
        self._stage()
        self._start_engine()

    def _start_engine(self) -> None:
        if (
            self._engine_task is None
            and not (self._is_closed or self._hangs)
            and (batch := self._take_batch())
        ):
            self._engine_task = self._spawn(self._run(batch))

    def _take_batch(self) -> list[_Frame]:
        for frame in [frame for frame in self._staged if frame.result.done()]:
            self._unstage(frame)  # its client has left
        batch = self._choice.choose(self._staged)
        for frame in batch:
            self._unstage(frame)
        self._stage()
        return batch

    async def _run(self, batch: list[_Frame]) -> None:
        try:
            await self._compute(batch)
        finally:
            self._engine_task = None
            self._start_engine()

    async def _compute(self, batch: list[_Frame]) -> None:
        crops = [crop for frame in batch for crop in frame.crops]
        started = time.monotonic()
        try:
            probabilities = await self._engine.submit(partial(self._recognizer.infer, crops))
        except EngineHangsError as error:
            self._hangs = True
            self._queue.clear()
            self._fail_all(error)
            self.on_trouble()
            return
        except Exception as error:
            if len(batch) == 1:
                logger.exception("the engine failed on a frame of %d faces", len(crops))
                self._failures += 1
                batch[0].fail(error)
                return
            # One frame may have failed the whole batch, so each is computed alone.
            for frame in batch:
                if not self._hangs:
                    await self._compute([frame])
            return
        seconds = time.monotonic() - started
        self._failures = 0
        self._on_batch(len(crops), seconds)
        first = 0
        for frame in batch:
            last = first + frame.size
            if not frame.result.done():
                queue_ms = (started - frame.arrived) * 1000
                predictions = Predictions(probabilities[first:last], queue_ms, seconds * 1000, len(crops))
                frame.result.set_result((frame.prepared, predictions))
            first = last
