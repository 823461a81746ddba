"""A gateway's batcher: frames of its clients to the replicas, as many at a time as there are credits.

A frame's way: waiting in its client's lane -> with a replica -> resolved. Lanes take turns and keep the
newest frame as in the batcher of one process, whose queue this is. Each replica that runs is worth so many
calls under way; while all are out, frames wait here, where newer ones replace them, and not in the cluster.
A call takes up to a batch of crops along, so that calls grow with the load.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from importlib.metadata import version
from typing import Any, cast

from ..analysis.finder import MissingDetector, RemoteFinder
from ..exceptions import (
    BatcherError,
    NoReplicaError,
    ReplicaDiedError,
    ReplicaError,
    ReplicaTimeoutError,
)
from ..inference.fair_queue import Lane, LaneMode, Priority
from ..inference.frame_batcher import P, Predictions
from ..inference.pending_frames import PendingFrame, PendingFrames
from ..inference.served_model import ServedModel
from .messages import Call, FrameWork, Outcome, Replicas, Reply

logger = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3

#: For what the cluster says of itself, in seconds: how often it is asked, and how long it may take.
_POLL_S = 1.0
_POLL_TIMEOUT_S = 5.0


class _Kind(Enum):
    """Calls of one kind do not wait for those of another: crops take milliseconds, searches seconds."""

    CROPS = "crops"
    SEARCH = "search"
    BACKGROUND = "background"


#: Calls under way for each replica that runs: one in its engine, and one that is prepared meanwhile.
CREDITS = 2


@dataclass(frozen=True)
class Deadlines:
    """Seconds from when a frame is handed to a replica until it has failed, a second try included.

    ``crops_s`` is also how long frames wait where no replica runs.
    """

    crops_s: float = 10.0
    search_s: float = 20.0
    background_s: float = 70.0

    def of(self, kind: _Kind) -> float:
        return {
            _Kind.CROPS: self.crops_s,
            _Kind.SEARCH: self.search_s,
            _Kind.BACKGROUND: self.background_s,
        }[kind]


@dataclass(eq=False)
class _Frame(PendingFrame):
    work: FrameWork

    @property
    def size(self) -> int:
        """Its faces; at least one where they are yet to be found."""
        return len(self.work.images) or 1

    @property
    def kind(self) -> _Kind:
        if self.work.priority is Priority.BACKGROUND:
            return _Kind.BACKGROUND
        return _Kind.CROPS if self.work.search is None else _Kind.SEARCH


class RemoteLane:
    """One client's access; a ``FrameLane``."""

    def __init__(self, batcher: "RemoteBatcher", lane: Lane[_Frame]) -> None:
        self._batcher = batcher
        self._lane = lane

    async def recognize(self, images: Sequence[bytes]) -> Predictions:
        """As ``FrameLane``; raises ReplicaError where the replicas do not answer."""
        work = FrameWork(tuple(images), None, self._lane.priority)
        _, predictions = await self._batcher.submit(self._lane, work)
        return predictions

    async def recognize_prepared(self, prepare: Callable[[], P]) -> tuple[P, Predictions]:
        """As ``FrameLane``; a replica calls ``prepare``, which must survive pickling."""
        work = FrameWork((), prepare, self._lane.priority)
        found, predictions = await self._batcher.submit(self._lane, work)
        return cast(P, found), predictions

    def close(self) -> None:
        """As ``FrameLane``."""
        self._batcher.close_lane(self._lane)


class RemoteBatcher(PendingFrames[_Frame]):
    """A ``FrameBatcher`` whose engine is elsewhere. Everything is on the event loop."""

    def __init__(
        self,
        replicas: Replicas,
        first: Reply,
        deadlines: Deadlines,
        poll_s: float = _POLL_S,
    ) -> None:
        """``first`` is what a replica answered when it was asked what it serves; see ``connect``.

        ``on_batch`` may be set to what is called with the faces and seconds of each call that was answered.
        """
        super().__init__()
        self.on_batch: Callable[[int, float], None] = lambda faces, seconds: None
        self.model: ServedModel = first.model
        #: Where sessions have faces found.
        self.finder: RemoteFinder | MissingDetector = (
            RemoteFinder() if first.detector_fault is None else MissingDetector(first.detector_fault)
        )
        #: Called for each call that goes to a second replica since the first one has died.
        self.on_retry: Callable[[], None] = lambda: None
        #: Replicas that run.
        self.running = 1
        self._replicas = replicas
        self._deadlines = deadlines
        self._poll_s = poll_s
        self._under_way = dict.fromkeys(_Kind, 0)
        self._failures = 0  # calls, since the last that was answered
        self._trouble: str | None = None
        self._in_trouble_since = 0.0
        self._answered_at = time.monotonic()
        self._has_other_labels = False
        self._spawn(self._watch())

    @classmethod
    async def connect(cls, replicas: Replicas, deadlines: Deadlines, wait_s: float) -> "RemoteBatcher":
        """Once a replica says what it serves. Raises NoReplicaError where none does within ``wait_s``."""
        until = time.monotonic() + wait_s
        said = ""
        while True:
            try:
                async with asyncio.timeout(deadlines.crops_s):
                    first = await replicas.compute(Call())
                break
            except (ReplicaError, TimeoutError) as error:
                reason = str(error) or "no replica has answered yet"
            if time.monotonic() > until:
                raise NoReplicaError(f"no replica has answered within {wait_s:g} s: {reason}")
            if reason != said:
                logger.warning("waiting for a replica: %s", reason)
                said = reason
            await asyncio.sleep(min(1.0, wait_s / 10))
        mine = version("emostream")
        if first.version != mine:
            raise NoReplicaError(f"the replicas run Emostream {first.version}, and this gateway {mine}")
        return cls(replicas, first, deadlines)

    def open_lane(
        self,
        mode: LaneMode = LaneMode.LATEST,
        queue_length: int = 1,
        priority: Priority = Priority.LIVE,
    ) -> RemoteLane:
        """A new client's place. ``queue_length`` bounds what waits in mode ALL."""
        return RemoteLane(self, Lane(mode, queue_length, priority))

    @property
    def trouble(self) -> str | None:
        """Why nothing is computed at the moment, if so."""
        if self._has_other_labels:
            return "the replicas have a model with other labels: restart this gateway"
        return self._trouble

    @property
    def is_failing(self) -> bool:
        """Whether the last calls all failed."""
        return self._failures >= _FAILURES_IN_A_ROW

    async def submit(self, lane: Lane[_Frame], work: FrameWork) -> tuple[Any, Predictions]:
        """What was found, if it is a search, and the probabilities. Raises as ``FrameLane``."""
        self._check_open()
        result: asyncio.Future[tuple[Any, Predictions]] = asyncio.get_running_loop().create_future()
        self._put(_Frame(lane, result, work))
        self._dispatch()
        return await result

    def close_lane(self, lane: Lane[_Frame]) -> None:
        self._queue.drop(lane)
        for frame in list(self._unresolved.values()):
            if frame.lane is lane:
                frame.result.cancel()

    async def aclose(self, wait_s: float) -> bool:
        """Abandons all frames, and lets go of the cluster; says whether it did within ``wait_s``."""
        self.abandon()
        for task in self._tasks:
            task.cancel()
        try:
            async with asyncio.timeout(wait_s):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._replicas.aclose()
        except TimeoutError:
            return False
        return True

    def _dispatch(self) -> None:
        while not self._is_closed and (frames := self._take_call()):
            self._under_way[frames[0].kind] += 1
            self._spawn(self._send(frames))

    def _take_call(self) -> list[_Frame]:
        """The frames of the next call, if there is a credit for one: crops up to a batch, else one frame."""
        taken = self._queue.take(self._has_credit)
        if taken is None:
            return []
        frames = [taken[1]]
        while frames[0].kind is _Kind.CROPS:
            room = self.model.max_batch - sum(frame.size for frame in frames)
            taken = self._queue.take(lambda frame: self._fits(frame, frames, room))  # noqa: B023  # called at once
            if taken is None:
                break
            frames.append(taken[1])
        return frames

    def _has_credit(self, frame: _Frame) -> bool:
        # Two calls may be answered in any order, and a session's frames must not.
        is_free = frame.kind is _Kind.BACKGROUND or frame.lane.staged == 0
        return is_free and self._under_way[frame.kind] < CREDITS * self.running

    def _fits(self, frame: _Frame, frames: Sequence[_Frame], room: int) -> bool:
        is_free = frame.lane.staged == 0 or any(other.lane is frame.lane for other in frames)
        return frame.kind is _Kind.CROPS and is_free and frame.size <= room

    async def _send(self, frames: list[_Frame]) -> None:
        kind = frames[0].kind
        try:
            reply = await self._ask(Call(tuple(frame.work for frame in frames)), self._deadlines.of(kind))
            self._settle(frames, reply)
        except ReplicaError as error:
            logger.warning("%d frames got no answer: %s", len(frames), error)
            self._fail(frames, error)
        except Exception:
            # Whatever a cluster may raise: these frames are answered, and the others go on.
            logger.exception("%d frames got no answer", len(frames))
            self._fail(frames, ReplicaError("this frame could not be computed"))
        finally:
            self._under_way[kind] -= 1
            for frame in frames:
                frame.lane.staged -= 1
            self._dispatch()

    def _fail(self, frames: Sequence[_Frame], error: ReplicaError) -> None:
        self._failures += 1
        for frame in frames:
            frame.fail(error)

    async def _ask(self, call: Call, timeout_s: float) -> Reply:
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return await self._replicas.compute(call)
                except ReplicaDiedError as error:
                    self.on_retry()
                    logger.warning("%s: its frames go to another replica", error)
                    return await self._replicas.compute(call)
        except TimeoutError:
            raise ReplicaTimeoutError(timeout_s) from None

    def _settle(self, frames: Sequence[_Frame], reply: Reply) -> None:
        self._answered_at = time.monotonic()
        self._adopt(reply.model)
        if self._has_other_labels:
            raise NoReplicaError(str(self.trouble))
        inference_ms = 0.0
        for frame, outcome in zip(frames, reply.outcomes, strict=True):
            if frame.result.done():  # its client has left
                continue
            if isinstance(outcome, Exception):
                frame.fail(outcome)
                continue
            found, predictions = outcome
            inference_ms = max(inference_ms, predictions.inference_ms)
            elapsed_ms = (self._answered_at - frame.arrived) * 1000
            queue_ms = max(0.0, elapsed_ms - predictions.inference_ms)
            frame.result.set_result((found, replace(predictions, queue_ms=queue_ms)))
        if all(isinstance(outcome, BatcherError) for outcome in reply.outcomes):
            self._failures += 1
        elif _computed(reply.outcomes):
            self._failures = 0
            self.on_batch(sum(frame.size for frame in frames), inference_ms / 1000)

    def _adopt(self, model: ServedModel) -> None:
        """Takes note of another model, as a rolling change brings it, unless its labels are others."""
        if model == self.model:
            return
        self._has_other_labels = model.labels != self.model.labels
        if not self._has_other_labels:
            if model.name != self.model.name:
                logger.info("%s answers, after %s", model.name, self.model.name)
            self.model = model

    async def _watch(self) -> None:
        """Follows how many replicas run, which is worth as many credits."""
        while True:
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(_POLL_TIMEOUT_S):
                    self.running = await self._replicas.running()
                trouble = None if self.running else "no replica runs"
            except Exception as error:
                # Whatever it is, this goes on asking, and replicas compute without whoever counts them.
                is_answering = self._answered_at > asked_at - 2 * self._poll_s - _POLL_TIMEOUT_S
                trouble = None if is_answering else str(error) or "the cluster does not answer"
            if trouble != self._trouble:
                logger.log(
                    logging.INFO if trouble is None else logging.ERROR, "%s", trouble or "replicas run again"
                )
                self._trouble, self._in_trouble_since = trouble, time.monotonic()
            self._fail_those_without_hope()
            self._dispatch()
            await asyncio.sleep(self._poll_s)

    def _fail_those_without_hope(self) -> None:
        """Frames wait for a replica as long as for its answer."""
        limit_s, now = self._deadlines.crops_s, time.monotonic()
        if self._trouble is None or now - self._in_trouble_since < limit_s:
            return
        for frame in list(self._unresolved.values()):
            if frame in frame.lane.waiting and now - frame.arrived > limit_s:
                frame.lane.waiting.remove(frame)
                frame.fail(NoReplicaError(self._trouble))


def _computed(outcomes: Sequence[Outcome]) -> bool:
    return any(not isinstance(outcome, Exception) for outcome in outcomes)
