"""Analyses the newest frame continuously in its own thread, so that it never lags behind a camera."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from ..analysis.analyzer import Analyzer
from ..faces import Faces
from ..sources import Frame, Source
from ..sources.pace import realtime

#: Number of frames over which the frame rate is measured.
_RATE_FRAMES = 20


@dataclass(frozen=True)
class Sight:
    """One frame with its faces. ``latency_ms`` is the time from the frame's arrival to this result, ``rate``
    the recent number of results a second."""

    faces: Faces
    latency_ms: float
    rate: float


class Watch:
    """A context manager that watches a source. The thread calls ``on_change`` whenever ``newest``
    or ``has_ended`` changes."""

    def __init__(
        self,
        source: Source,
        analyzer: Analyzer,
        on_change: Callable[[], None],
    ) -> None:
        self._gate = _Gate(source)
        self._analysis = analyzer.frame_analysis()
        self._on_change = on_change
        self._ends: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.newest: Sight | None = None
        self.error: Exception | None = None
        self.has_ended = False

    def __enter__(self) -> Self:
        self._frames = realtime(self._gate)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.is_paused = False
        self._frames.close()
        self._thread.join()

    @property
    def is_paused(self) -> bool:
        return self._gate.is_paused

    def pause(self, is_paused: bool) -> None:
        """Pauses: a file stands still, a camera continues unseen."""
        self._gate.is_paused = is_paused
        self._ends.clear()

    def _run(self) -> None:
        try:
            for frame in self._frames:
                self.newest = self._look(frame)
                self._on_change()
        except Exception as error:  # raised again by the live view
            self.error = error
        self.has_ended = True
        self._on_change()

    def _look(self, frame: Frame) -> Sight:
        started = time.monotonic()
        faces = self._analysis.analyze(frame)
        ended = time.monotonic()
        self._ends.append(ended)
        span_s = ended - self._ends[0]
        rate = (len(self._ends) - 1) / span_s if span_s > 0 else 0.0
        return Sight(faces, (ended - started) * 1000, rate)


class _Gate(Source):
    """A source that can be paused. A file's later frames are delayed by the pause."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._is_paused = False
        self.is_live = source.is_live
        self.frame_rate, self.frame_count = source.frame_rate, source.frame_count
        self.description = source.description

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @is_paused.setter
    def is_paused(self, value: bool) -> None:
        with self._changed:
            self._is_paused = value
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        held_s = 0.0
        for frame in self._source:
            if self._is_paused and self.is_live:
                continue  # still read; otherwise its old frames would come first afterwards
            with self._changed:
                since = time.monotonic()
                self._changed.wait_for(lambda: not self._is_paused)
                held_s += time.monotonic() - since if not self.is_live else 0.0
            yield replace(frame, time_s=frame.time_s + held_s)

    def interrupt(self) -> None:
        self._source.interrupt()

    def close(self) -> None:
        """Does nothing: the source belongs to its opener."""
