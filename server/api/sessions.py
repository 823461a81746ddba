"""The open streaming sessions: limits their number, and ends them in order at shutdown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from ..exceptions import TooManySessionsError
from .metrics import Metrics


class Endable(Protocol):
    """A session that can be asked to end."""

    def shut_down(self) -> None: ...


class SessionRegistry:
    """All open sessions."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._metrics = metrics
        self._open: set[Endable] = set()
        self._is_draining = False
        self._all_ended = asyncio.Event()

    @contextmanager
    def entered(self, session: Endable) -> Iterator[None]:
        """Counts a session while it is open. Raises TooManySessionsError."""
        if self._is_draining or len(self._open) >= self._limit:
            raise TooManySessionsError("the server has reached its limit of sessions; try again later")
        self._open.add(session)
        self._metrics.sessions.set(len(self._open))
        try:
            yield
        finally:
            self._open.remove(session)
            self._metrics.sessions.set(len(self._open))
            if not self._open:
                self._all_ended.set()

    @property
    def is_draining(self) -> bool:
        """Whether the server is stopping."""
        return self._is_draining

    async def drain(self, timeout_s: float) -> None:
        """Refuses new sessions, lets the open ones answer their frames in flight, and waits for their end.

        The web server closes those that do not end in time.
        """
        if self._is_draining:
            return
        self._is_draining = True
        if not self._open:
            return
        self._all_ended.clear()
        for session in self._open:
            session.shut_down()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_ended.wait(), timeout_s)
