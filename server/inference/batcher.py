"""Frames of all sessions on one engine: prepared in threads, computed in batches.

A frame's way: waiting in its session's lane -> staged (being prepared, or prepared and ready) -> in the
engine -> answered. Staging holds about one batch, so that decoding overlaps with computing and no frame
waits there for longer than one pass. When the engine is free it takes what is ready, up to the largest
batch, at once: with one user the delay is nothing, with many the batches grow by themselves.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from server.exceptions import EmostreamError, ImageError
from server.inference.ensemble import Probabilities
from server.inference.fair_queue import FairQueue, Lane, LaneMode
from server.inference.preparation import PreparedFace

logger = logging.getLogger(__name__)


class FrameRecognizer(Protocol):
    """What the batcher needs of a recogniser."""

    max_batch: int

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace: ...

    def infer(self, faces: Sequence[PreparedFace]) -> Probabilities: ...


class SupersededError(EmostreamError):
    """A newer frame of the same session came before this one was started."""


class BatcherClosedError(EmostreamError):
    """The server stops; this frame will not be computed any more."""


@dataclass(frozen=True)
class FrameAnswer:
    """``probabilities`` (faces, labels), and where the time went."""

    probabilities: Probabilities
    queue_ms: float  # from arrival to the engine: waiting and preparation
    inference_ms: float  # of the pass that this frame was part of
    batch_size: int  # faces in that pass


@dataclass(eq=False)
class _Frame:
    """A frame on its way through the batcher."""

    lane: Lane["_Frame"]
    images: Sequence[bytes]
    answer: asyncio.Future[FrameAnswer]
    arrived: float
    faces: list[PreparedFace] | None = None  # None until prepared

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Session:
    """One client's access to the batcher."""

    def __init__(self, batcher: "Batcher", lane: Lane[_Frame]) -> None:
        self._batcher = batcher
        self._lane = lane

    async def recognize(self, images: Sequence[bytes]) -> FrameAnswer:
        """Probabilities of a frame's encoded crops.

        Raises SupersededError, ImageError for a picture that cannot be used, LaneFullError where more
        frames wait than ``queue_length``, BatcherClosedError, and whatever the engine raises.
        """
        return await self._batcher.submit(self._lane, images)

    def close(self) -> None:
        """Forgets this client's frames: waiting ones are cancelled, the answers of others are dropped."""
        self._batcher.close_lane(self._lane)


class Batcher:
    """Owns the threads that decode and the one that runs the engine. Everything else is on the event loop."""

    def __init__(
        self,
        recognizer: FrameRecognizer,
        max_pixels: int,
        decode_threads: int,
        on_batch: Callable[[int, float], None] = lambda faces, seconds: None,
    ) -> None:
        self._recognizer = recognizer
        self._max_pixels = max_pixels
        self._on_batch = on_batch
        self._queue: FairQueue[_Frame] = FairQueue()
        self._staged: list[_Frame] = []  # in the order taken
        self._engine_task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unanswered: set[asyncio.Future[FrameAnswer]] = set()
        self._is_closed = False
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._engine = ThreadPoolExecutor(1, thread_name_prefix="engine")

    def open_session(self, mode: LaneMode = LaneMode.LATEST, queue_length: int = 1) -> Session:
        """A new client's place. ``queue_length`` bounds what waits in mode ALL."""
        return Session(self, Lane(mode, queue_length))

    @property
    def waiting(self) -> int:
        """Frames that wait in all lanes."""
        return len(self._queue)

    async def submit(self, lane: Lane[_Frame], images: Sequence[bytes]) -> FrameAnswer:
        if self._is_closed:
            raise BatcherClosedError("the server stops")
        future: asyncio.Future[FrameAnswer] = asyncio.get_running_loop().create_future()
        frame = _Frame(lane, images, future, time.monotonic())
        superseded = self._queue.put(lane, frame)
        if superseded is not None:
            superseded.fail(SupersededError("a newer frame of this session came first"))
        self._unanswered.add(future)
        future.add_done_callback(self._unanswered.discard)
        self._stage()
        return await future

    def close_lane(self, lane: Lane[_Frame]) -> None:
        for frame in self._queue.drop(lane):
            frame.answer.cancel()
        for frame in self._staged:
            if frame.lane is lane:
                frame.answer.cancel()

    async def aclose(self) -> None:
        """Fails the frames that are not answered yet, and ends the threads after what they are at."""
        self._is_closed = True
        for answer in self._unanswered:
            answer.set_exception(BatcherClosedError("the server stops"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._decoders.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._engine.shutdown, cancel_futures=True)

    def _stage(self) -> None:
        """Takes waiting frames while there is room for about one batch."""
        while (
            not self._is_closed
            and sum(len(frame.images) for frame in self._staged) < self._recognizer.max_batch
        ):
            taken = self._queue.take()
            if taken is None:
                return
            _, frame = taken
            self._staged.append(frame)
            self._spawn(self._prepare(frame))

    def _unstage(self, frame: _Frame) -> None:
        if frame in self._staged:  # else its client left while it was being prepared
            self._staged.remove(frame)
            frame.lane.staged -= 1

    async def _prepare(self, frame: _Frame) -> None:
        loop = asyncio.get_running_loop()
        work = [
            loop.run_in_executor(self._decoders, self._recognizer.prepare, image, self._max_pixels)
            for image in frame.images
        ]
        faces: list[PreparedFace] = []
        for index, outcome in enumerate(await asyncio.gather(*work, return_exceptions=True)):
            if isinstance(outcome, BaseException):
                if isinstance(outcome, ImageError):
                    outcome.index = index
                frame.fail(outcome)
                self._unstage(frame)
                self._stage()
                break
            faces.append(outcome)
        else:
            frame.faces = faces
        self._start_engine()

    def _start_engine(self) -> None:
        if self._engine_task is None and not self._is_closed and (batch := self._take_batch()):
            self._engine_task = self._spawn(self._run(batch))

    def _take_batch(self) -> list[_Frame]:
        """Ready frames in order, whole ones, up to the largest batch; at least one if any is ready."""
        for frame in [frame for frame in self._staged if frame.answer.done()]:
            self._unstage(frame)  # its client has gone
        batch: list[_Frame] = []
        room = self._recognizer.max_batch
        unready: set[Lane[_Frame]] = set()
        for frame in self._staged:
            if frame.faces is None or frame.lane in unready:
                unready.add(frame.lane)  # a session's frames are answered in order
            elif not batch or len(frame.faces) <= room:
                batch.append(frame)
                room -= len(frame.faces)
            else:
                break  # letting smaller frames past would starve this one
        for frame in batch:
            self._unstage(frame)
        self._stage()
        return batch

    async def _run(self, batch: list[_Frame]) -> None:
        try:
            await self._answer(batch)
        finally:
            self._engine_task = None
            self._start_engine()

    async def _answer(self, batch: list[_Frame]) -> None:
        faces = [face for frame in batch for face in frame.faces or ()]
        started = time.monotonic()
        try:
            loop = asyncio.get_running_loop()
            probabilities = await loop.run_in_executor(self._engine, self._recognizer.infer, faces)
        except Exception as error:
            if len(batch) == 1:
                logger.exception("the engine failed on a frame of %d faces", len(faces))
                batch[0].fail(error)
                return
            # One frame may have spoilt it for all: each on its own.
            for frame in batch:
                await self._answer([frame])
            return
        seconds = time.monotonic() - started
        self._on_batch(len(faces), seconds)
        first = 0
        for frame in batch:
            last = first + len(frame.images)
            if not frame.answer.done():
                queue_ms = (started - frame.arrived) * 1000
                answer = FrameAnswer(probabilities[first:last], queue_ms, seconds * 1000, len(faces))
                frame.answer.set_result(answer)
            first = last

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)
        return task
