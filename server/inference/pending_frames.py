"""Frames that have no answer yet: what a batcher of this process and a gateway's keep alike."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..exceptions import BatcherClosedError, SupersededError
from .fair_queue import FairQueue, Lane


@dataclass(eq=False)
class PendingFrame:
    """A frame of a client, and the future that its client waits for."""

    lane: Lane[Any]
    result: asyncio.Future[Any]
    arrived: float = field(default_factory=time.monotonic, kw_only=True)

    def fail(self, error: BaseException) -> None:
        if not self.result.done():
            self.result.set_exception(error)


F = TypeVar("F", bound=PendingFrame)


class PendingFrames(Generic[F]):
    """Frames in their clients' lanes and, taken from there, on their way. Everything is on the event loop."""

    def __init__(self) -> None:
        self._queue: FairQueue[F] = FairQueue()
        self._unresolved: dict[asyncio.Future[Any], F] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """Frames that wait in all lanes."""
        return len(self._queue)

    @property
    def unanswered(self) -> int:
        """Frames that wait or are on their way."""
        return len(self._unresolved)

    @property
    def oldest_s(self) -> float:
        """Age of the oldest frame that has no answer yet, in seconds; 0 where there is none."""
        oldest = min((frame.arrived for frame in self._unresolved.values()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def abandon(self) -> None:
        """Fails the frames that are not resolved yet, and takes no more."""
        self._is_closed = True
        self._queue.clear()
        self._fail_all(BatcherClosedError("the server stops"))

    def _check_open(self) -> None:
        if self._is_closed:
            raise BatcherClosedError("the server stops")

    def _put(self, frame: F) -> None:
        """Into its lane, where it may take an older frame's place. Raises LaneFullError."""
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
