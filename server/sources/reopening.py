"""Reopens live sources: cameras restart, cables are pulled and networks fail."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from tenacity import (
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential,
)

from ..exceptions import SourceError
from .source import Frame, Source

logger = logging.getLogger(__name__)

#: The same time for which a client tries to reconnect.
PATIENCE_S = 300.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 3.0


class ReopenedSource(Source):
    """A live source that is reopened when it ends or breaks off.

    Indices and times continue. Frames from the time in between are lost.
    """

    is_live = True

    def __init__(
        self, open_again: Callable[[], Source], source: Source, patience_s: float = PATIENCE_S
    ) -> None:
        """``source`` is already open; ``patience_s`` is how long to try after the last frame, in seconds."""
        self._open_again = open_again
        self._source = source
        self._patience_s = patience_s
        self._skipped_before = 0
        self._is_interrupted = threading.Event()
        self._opened = time.monotonic()
        self.description = source.description
        self.frame_rate = source.frame_rate

    def __iter__(self) -> Iterator[Frame]:
        """Raises SourceError if the source cannot be reopened in time."""
        frames = iter(self._source)
        index = 0
        while True:
            try:
                frame = next(frames, None)
                reason = f"{self.description} has ended"
            except SourceError as error:
                frame, reason = None, str(error)
            if frame is None:
                frame, frames = self._reopened(reason)
            self.skipped = self._skipped_before + self._source.skipped
            yield Frame(index, time.monotonic() - self._opened, frame.image_rgb, frame.name)
            index += 1

    def _reopened(self, reason: str) -> tuple[Frame, Iterator[Frame]]:
        """Reopens the source; returns its first frame and an iterator of the others."""
        self.is_away = True
        logger.warning("%s; reopening it", reason)
        lost = time.monotonic()
        self._skipped_before += self._source.skipped
        self._source.close()
        self._is_interrupted.wait(_FIRST_PAUSE_S)
        attempts = Retrying(
            retry=retry_if_exception_type(SourceError),
            stop=stop_after_delay(self._patience_s) | stop_when_event_set(self._is_interrupted),
            wait=wait_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
            sleep=sleep_using_event(self._is_interrupted),
            reraise=True,
        )
        try:
            found = attempts(self._attempt)
        except SourceError as error:
            raise SourceError(
                f"{reason}; could not be reopened within {self._patience_s:.0f} s: {error}"
            ) from error
        self.is_away = False
        logger.warning("%s is back after %.1f s", self.description, time.monotonic() - lost)
        return found

    def _attempt(self) -> tuple[Frame, Iterator[Frame]]:
        source = self._open_again()
        try:
            frames = iter(source)
            first = next(frames, None)
            if first is None:
                raise SourceError("it ended before its first frame")
        except SourceError:
            source.close()
            raise
        self._source = source
        return first, frames

    def interrupt(self) -> None:
        self._is_interrupted.set()

    def close(self) -> None:
        self._source.close()
