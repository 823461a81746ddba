"""Tracks frames from sending to their answers, in order; free of sockets."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from ..protocol import wire
from ..sources import Frame
from .encoding import Encoded
from .messages import ErrorMessage
from .results import Answer, Dropped, FrameError, FrameResult

#: The server's answer to one frame.
Verdict = wire.Result | wire.Dropped | ErrorMessage


@dataclass
class Entry:
    """One frame. ``sent_at`` is None until it is sent, for the first time or again."""

    frame_id: int
    encoded: Encoded
    sent_at: float | None = None
    answer: Answer | None = None

    @property
    def frame(self) -> Frame:
        return self.encoded.frame


class Outbox:
    """At most ``capacity`` frames that are waiting, in flight, or answered but not yet taken.

    With ``repeats``, frames in flight when a connection is lost are sent again; otherwise they are dropped.
    """

    def __init__(self, capacity: int, repeats: bool) -> None:
        self._capacity = capacity
        self._repeats = repeats
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._changed = asyncio.Condition()
        self._failure: Exception | None = None
        self._source_error: Exception | None = None
        self._is_complete = False

    async def room(self) -> None:
        """Waits for room for a frame. Raises the error given to ``fail``."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._entries) < self._capacity or self._failure)
            if self._failure is not None:
                raise self._failure

    async def put(self, entry: Entry) -> None:
        """Adds a frame, for which there must be room. A frame that has its answer only waits for its turn."""
        async with self._changed:
            assert len(self._entries) < self._capacity
            self._entries[entry.frame_id] = entry
            self._changed.notify_all()

    async def complete(self, error: Exception | None = None) -> None:
        """Marks the end of the frames; ``error`` is raised after the last answer."""
        async with self._changed:
            self._is_complete = True
            self._source_error = error
            self._changed.notify_all()

    async def fail(self, error: Exception) -> None:
        """Marks the end of the answers."""
        async with self._changed:
            self._failure = error
            for entry in list(self._entries.values()):
                if entry.answer is None:
                    del self._entries[entry.frame_id]
            self._changed.notify_all()

    async def clear(self) -> None:
        """Removes all frames, before another source starts. A failure of the connection remains."""
        async with self._changed:
            self._entries.clear()
            self._source_error, self._is_complete = None, False
            self._changed.notify_all()

    async def next_to_send(self) -> bytes:
        """Takes the message of the oldest waiting frame, which is then in flight."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._unsent() is not None)
            entry = self._unsent()
            assert entry is not None
            assert entry.encoded.message is not None
            entry.sent_at = time.monotonic()
            return entry.encoded.message

    def _unsent(self) -> Entry | None:
        return next(
            (entry for entry in self._entries.values() if entry.sent_at is None and entry.answer is None),
            None,
        )

    async def connection_lost(self) -> None:
        """Handles a lost connection: frames in flight are sent again, or dropped."""
        async with self._changed:
            for entry in self._entries.values():
                if entry.sent_at is not None and entry.answer is None:
                    entry.sent_at = None
                    if not self._repeats:
                        entry.answer = Dropped(entry.frame, entry.frame_id, "disconnected")
            self._changed.notify_all()

    async def answered(self, frame_id: int, verdict: Verdict) -> None:
        """Stores the server's answer. Ignores an answer to a frame that is not in flight: a duplicate."""
        async with self._changed:
            entry = self._entries.get(frame_id)
            if entry is None or entry.answer is not None or entry.sent_at is None:
                return
            if isinstance(verdict, ErrorMessage) and verdict.code == "rate_limited" and self._repeats:
                entry.sent_at = None
            else:
                entry.answer = _answer(entry, verdict, time.monotonic() - entry.sent_at)
            self._changed.notify_all()

    async def next_answer(self) -> Answer | None:
        """Waits for the oldest frame's answer; None after the last one.

        Raises the error given to ``complete`` or ``fail``.
        """
        async with self._changed:
            await self._changed.wait_for(
                lambda: (
                    self._oldest_is_answered() or self._failure or (self._is_complete and not self._entries)
                )
            )
            if not self._oldest_is_answered():
                if error := self._failure or self._source_error:
                    raise error
                return None
            _, entry = self._entries.popitem(last=False)
            self._changed.notify_all()
            return entry.answer

    def _oldest_is_answered(self) -> bool:
        return bool(self._entries) and next(iter(self._entries.values())).answer is not None


def _answer(entry: Entry, verdict: Verdict, seconds: float) -> Answer:
    match verdict:
        case wire.Result():
            faces = entry.encoded.faces(verdict.faces)
            return FrameResult(entry.frame, entry.frame_id, faces, verdict.timing, round(seconds * 1000, 2))
        case wire.Dropped():
            return Dropped(entry.frame, entry.frame_id, verdict.reason)
        case ErrorMessage():
            return FrameError(entry.frame, entry.frame_id, verdict.code, verdict.message)
