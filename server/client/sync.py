"""The client for programs without an event loop: it runs one in a thread."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Unpack

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..exceptions import ClientError
from ..imaging.reading import ImageInput
from ..protocol.wire import Receipt
from ..sources import Source
from .link import LinkState
from .results import Answer, SessionInfo
from .stream import Options, Stream, connect


class SyncStream:
    """Like ``Stream``, with plain iterators. Made by ``connect_sync``."""

    def __init__(self, portal: BlockingPortal, stream: Stream) -> None:
        self.info: SessionInfo = stream.info
        self._portal = portal
        self._stream = stream
        self._waiting = asyncio.Lock()

    @property
    def state(self) -> LinkState:
        """Whether the connection is open at the moment."""
        return self._stream.state

    @property
    def detect(self) -> Literal["local", "server", "none"]:
        """Where faces are detected; see ``connect``."""
        return self._stream.detect

    @property
    def reconnects(self) -> int:
        """Number of reconnections."""
        return self._stream.reconnects

    def receipt(self, timeout_s: float = 60.0) -> Receipt:
        """Like ``Stream.receipt``."""
        return self._portal.call(self._stream.receipt, timeout_s)

    def frames(
        self, source: str | Path | Source | Iterable[ImageInput], interval_s: float = 0.0
    ) -> Iterator[Answer]:
        """Like ``Stream.frames``. Raises ClientError after the ``with`` statement."""
        if self._stream.state is LinkState.CLOSED:
            raise ClientError("this stream is closed")
        answers = self._stream.frames(source, interval_s)
        try:
            while (answer := self._next(answers)) is not None:
                yield answer
        finally:
            self._portal.call(self._close, answers)

    async def _close(self, answers: AsyncGenerator[Answer, None]) -> None:
        async with self._waiting:  # an interrupted caller has left it by then
            await answers.aclose()

    def _next(self, answers: AsyncGenerator[Answer, None]) -> Answer | None:
        async def next_answer() -> Answer | None:
            async with self._waiting:
                return await anext(answers, None)

        waiting = self._portal.start_task_soon(next_answer)
        try:
            return waiting.result()
        finally:
            # Ctrl-C arrives in this thread and not in the loop, which would go on waiting.
            waiting.cancel()


@contextmanager
def connect_sync(url: str, **options: Unpack[Options]) -> Iterator[SyncStream]:
    """Like ``connect``, for a ``with`` statement."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(connect(url, **options)) as stream,
    ):
        yield SyncStream(portal, stream)
