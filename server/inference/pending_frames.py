"""Frames in flight: what this process's batcher and a gateway's have in common."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..exceptions import BatcherClosedError, SupersededError
from .fair_queue import FairQueue, Lane


@dataclass(eq=False)
class PendingFrame:
    """A client's frame and the future of its result."""

    lane: Lane[Any]
    result: asyncio.Future[Any]
    arrived: float = field(default_factory=time.monotonic, kw_only=True)

    def fail(self, error: BaseException) -> None:
        if not self.result.done():
            self.result.set_exception(error)


F = TypeVar("F", bound=PendingFrame)


class PendingFrames(Generic[F]):
    """Keeps the frames in flight, waiting in lanes or taken from them. Everything runs on the event loop."""

    def __init__(self) -> None:
        self._queue: FairQueue[F] = FairQueue()
        self._unresolved: dict[asyncio.Future[Any], F] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """The number of waiting frames in all lanes."""
        return len(self._queue)

    @property
    def unanswered(self) -> int:
        """The number of frames in flight."""
        return len(self._unresolved)

    @property
    def oldest_s(self) -> float:
        """Age of the oldest frame in flight, in seconds; 0 if there is none."""
        oldest = min((frame.arrived for frame in self._unresolved.values()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def abandon(self) -> None:
        """Fails all frames in flight and accepts no more."""
        self._is_closed = True
        self._queue.clear()
        self._fail_all(BatcherClosedError("the server stops"))

    def _check_open(self) -> None:
        if self._is_closed:
            raise BatcherClosedError("the server stops")

    def _put(self, frame: F) -> None:
        """Adds a frame to its lane, where it may supersede an older one. Raises LaneFullError."""
        superseded = self._queue.put(frame.lane, frame)
        if superseded is not None:
            superseded.fail(SupersededError("a newer frame of this session came first"))
        self._unresolved[frame.result] = frame
        frame.result.add_done_callback(self._unresolved.pop)

    def _fail_all(self, error: Exception) -> None:
        for frame in list(self._unresolved.values()):
            frame.fail(error)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)
        return task
