"""A thread that reads a source: every frame, or the newest one at the source's own rate."""

import atexit
import threading
import time
from collections.abc import Iterator
from typing import Self

from .source import Frame, Source

#: Seconds to wait for a source to end when it is closed; after that it is abandoned.
_CLOSING_S = 5.0


class FrameReader(Iterator[Frame]):
    """The frames of a source, passed through a slot for one. Raises the source's error after its last frame.

    ``close`` may be called by any thread, and also wakes a thread that waits for a frame.
    """

    def __init__(self, source: Source, newest_only: bool) -> None:
        self._source = source
        self._newest_only = newest_only
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._has_ended = False
        self._is_closed = False
        # A daemon: a camera that hangs must not prevent the process from exiting.
        self._thread = threading.Thread(target=self._read, name="frames", daemon=True)
        self._thread.start()
        # Python stops daemons at any point; inside a library's C++ code, that aborts the process.
        atexit.register(self.close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._has_ended or self._is_closed)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            if self._is_closed or frame is None:
                if self._error is not None and not self._is_closed:
                    raise self._error
                raise StopIteration
            return frame

    def close(self) -> None:
        """Ends the thread. The source can be closed then, unless it ``is_stuck``."""
        atexit.unregister(self.close)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._source.interrupt()
        self._thread.join(_CLOSING_S)
        self._source.is_stuck = self._thread.is_alive()

    def _read(self) -> None:
        error: Exception | None = None
        try:
            self._read_all()
        except Exception as raised:
            error = raised  # raised in the thread that takes the frames
        with self._changed:
            self._has_ended, self._error = True, error
            self._changed.notify_all()

    def _read_all(self) -> None:
        started, first_s = time.monotonic(), None
        for frame in self._source:
            with self._changed:
                if self._newest_only:
                    if not self._source.is_live:
                        first_s = frame.time_s if first_s is None else first_s
                        delay_s = started + frame.time_s - first_s - time.monotonic()
                        self._changed.wait_for(lambda: self._is_closed, max(0.0, delay_s))
                else:
                    self._changed.wait_for(lambda: self._frame is None or self._is_closed)
                if self._is_closed:
                    return
                self._frame = frame
                self._changed.notify_all()


def realtime(source: Source) -> FrameReader:
    """Yields the newest frame; frames that arrive while the caller is busy are skipped.

    A file plays by its own time stamps, from its first frame on, and its last frame is always yielded.
    """
    return FrameReader(source, newest_only=True)
