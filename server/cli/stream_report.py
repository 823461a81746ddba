"""Progress of a stream: a bar on a terminal, occasional lines elsewhere, and a summary."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from ..client import Answer, Dropped, FrameError, FrameResult, Stream
from ..sources import Source
from .console import messages

#: Seconds between two lines if there is no terminal.
_LINE_EVERY_S = 5.0

#: The summary uses the latest latencies only, since a camera may run for days.
_MAX_LATENCIES = 10_000


class StreamReport:
    """Counts answers. ``is_quiet`` shows nothing before the summary."""

    def __init__(self, is_quiet: bool = False) -> None:
        self.frames = 0
        self.results = 0
        self.faces = 0
        self.dropped = 0
        self.errors = 0
        self.last_error = ""
        self._is_quiet = is_quiet
        self._skipped = 0
        self._reconnects = 0
        self._latencies_ms: deque[float] = deque(maxlen=_MAX_LATENCIES)
        self._started = self._line_at = time.monotonic()
        self._seconds = 0.0
        self._progress: tuple[Progress, TaskID] | None = None

    @contextmanager
    def watching(self, source: Source, stream: Stream) -> Iterator[None]:
        """Shows the progress while the context is open."""
        self._started = self._line_at = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
        )
        progress = Progress(
            *columns,
            console=messages,
            disable=self._is_quiet or not messages.is_terminal,
            redirect_stdout=False,  # results are written there
        )
        try:
            with progress:
                task = progress.add_task(stream.info.model, total=source.frame_count, status="")
                self._progress = (progress, task)
                yield
        finally:
            self._seconds = time.monotonic() - self._started
            self._skipped, self._reconnects = source.skipped, stream.reconnects

    def add(self, answer: Answer) -> None:
        """Counts an answer and updates the display."""
        self.frames += 1
        match answer:
            case FrameResult():
                self.results += 1
                self.faces += len(answer.faces)
                if answer.latency_ms is not None:
                    self._latencies_ms.append(answer.latency_ms)
            case Dropped():
                self.dropped += 1
            case FrameError():
                self.errors += 1
                self.last_error = answer.message
        if self._progress is not None:
            progress, task = self._progress
            progress.update(task, completed=answer.frame.index + 1, status=self._status())
            if progress.disable and not self._is_quiet and time.monotonic() - self._line_at > _LINE_EVERY_S:
                self._line_at = time.monotonic()
                messages.print(f"{self.frames} frames, {self._status()}")

    def show_summary(self) -> None:
        """Prints one line, if the stream started."""
        if not self._seconds:
            return
        parts = [f"{self.frames} frames with {self.faces} faces in {self._seconds:.1f} s"]
        if self._latencies_ms:
            p50, p95 = np.percentile(self._latencies_ms, [50, 95])
            parts.append(f"latency p50 {p50:.0f} ms, p95 {p95:.0f} ms")
        counts = {
            "dropped": self.dropped,
            "failed": self.errors,
            "images skipped": self._skipped,
            "reconnects": self._reconnects,
        }
        parts += [f"{count} {what}" for what, count in counts.items() if count]
        messages.print("; ".join(parts))

    def _status(self) -> str:
        rate = self.frames / max(time.monotonic() - self._started, 1e-3)
        latency = f"{self._latencies_ms[-1]:.0f} ms" if self._latencies_ms else "–"
        return f"{rate:.1f} frames/s, latency {latency}, {self.dropped} dropped"
