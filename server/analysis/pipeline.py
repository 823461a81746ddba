"""Frames to recognised faces, in order, with all stages at work at once.

::

    read  →  detect and cut  →  recognise  →  (whoever iterates: draws, encodes, writes)

Each arrow is a bounded channel, each stage but the last a thread; nearly all of their work is in libraries
that let go of Python's lock. When recognition is slower than what is before it, frames gather in its channel
and are recognised together; when it is quicker, each frame goes at once.
"""

import atexit
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ..exceptions import EmostreamError, SourceError
from ..faces import Faces
from ..inference import Recognizer
from ..sources.inputs import Failure, InputFile, InputFrame
from .channel import Abandoned, Channel
from .finder import FaceFinder
from .video import AnalysisOptions, FoundFrame, FrameAnalysis

#: Of each channel. 48 MiB are 18 frames of 1280 × 720.
_MAX_FRAMES = 32
_MAX_BYTES = 48 * 1024 * 1024


@dataclass(frozen=True)
class AnalyzedFrame:
    """A frame and its faces, largest first. One that is not analysed has the faces of the one before."""

    input: InputFrame
    faces: Faces


@dataclass(frozen=True)
class _Found:
    """A frame after detection; ``found`` is None where it is not analysed."""

    input: InputFrame
    analysis: FrameAnalysis
    found: FoundFrame | None


class Pipeline:
    """A context manager to be iterated over once. Leaving it early stops all stages."""

    def __init__(
        self,
        items: Iterator[InputFrame | Failure],
        finder: FaceFinder,
        recognizer: Recognizer,
        options: AnalysisOptions | None = None,
    ) -> None:
        self._items = items
        self._finder = finder
        self._recognizer = recognizer
        self._options = options or AnalysisOptions()
        self._is_stopping = False
        self._failure: BaseException | None = None
        #: Seconds that each stage's thread was at work, by the clock.
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self._read: Channel[InputFrame | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._found: Channel[_Found | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._analyzed: Channel[AnalyzedFrame | Failure] = Channel(_MAX_FRAMES, _MAX_BYTES)
        self._threads = [
            threading.Thread(target=self._guarded, args=(stage, before, out), name=name, daemon=True)
            for name, stage, before, out in (
                ("read", self._run_read, [], self._read),
                ("detect", self._run_detect, [self._read], self._found),
                ("recognise", self._run_recognise, [self._read, self._found], self._analyzed),
            )
        ]

    def __enter__(self) -> Self:
        # A program may end in the midst of an iteration. Python then ends its threads wherever they are, and
        # in a library's C++ that aborts the process.
        atexit.register(self.close)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all stages, once the image that is being read is there."""
        atexit.unregister(self.close)
        for channel in (self._read, self._found, self._analyzed):
            channel.abandon()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """No more is read; what has been read comes out. From any thread or signal handler."""
        self._is_stopping = True

    def __iter__(self) -> Iterator[AnalyzedFrame | Failure]:
        """Raises whatever a stage raised that was no input's fault, after what was read before it."""
        try:
            while (item := self._analyzed.take_one()) is not None:
                yield item
        except Abandoned:
            pass
        if self._failure is not None:
            raise self._failure

    def _guarded(
        self, stage: Callable[[], None], before: list[Channel[object]], out: Channel[object]
    ) -> None:
        try:
            stage()
        except Abandoned:
            return
        except BaseException as error:  # handed to the thread that iterates
            self._failure = error
            for channel in before:
                channel.abandon()
        out.end()

    @contextmanager
    def _busy(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.busy_s[stage] += time.perf_counter() - started

    def _run_read(self) -> None:
        try:
            while not self._is_stopping:
                with self._busy("read"):
                    item = next(self._items, None)
                if item is None:
                    return
                self._read.put(item, _size(item))
        finally:
            # Files are closed by the thread that read them.
            if close := getattr(self._items, "close", None):
                close()

    def _run_detect(self) -> None:
        file: InputFile | None = None
        failed = -1  # the index of a file that is of no use any more
        while (item := self._read.take_one()) is not None:
            if isinstance(item, Failure):
                self._found.put(item)
                continue
            if item.file.index == failed:
                continue
            if file is None or item.file.index != file.index:
                file = item.file
                analysis = FrameAnalysis(
                    self._finder, self._recognizer, self._options, is_still=file.is_image
                )
            try:
                with self._busy("detect"):
                    found = analysis.find(item.frame) if item.is_analyzed else None
            except Exception as error:  # of a library that such an image surprises: this file's, no other's
                failed = item.file.index
                self._found.put(_failure(item, error))
                continue
            self._found.put(_Found(item, analysis, found), _size(item))

    def _run_recognise(self) -> None:
        before: tuple[FrameAnalysis, Faces] | None = None
        while batch := self._found.take():
            with self._busy("recognise"):
                found = [item.found for item in batch if isinstance(item, _Found) and item.found is not None]
                rows = self._recognizer.infer([crop for frame in found for crop in frame.found.crops])
                first = 0
            for item in batch:
                if isinstance(item, Failure):
                    self._analyzed.put(item)
                    continue
                if item.found is not None:
                    last = first + len(item.found.found.crops)
                    faces = item.analysis.recognized(item.found, rows[first:last], item.input.source)
                    first = last
                    before = (item.analysis, faces)
                elif before is None or before[0] is not item.analysis:
                    raise ValueError("the first frame of a file has to be analysed")
                self._analyzed.put(AnalyzedFrame(item.input, before[1]), _size(item.input))


def _failure(item: InputFrame, error: Exception) -> Failure:
    path = item.file.path or Path("an image")
    if not isinstance(error, EmostreamError):
        error = SourceError(f"{path} cannot be analysed: {type(error).__name__}: {error}")
    return Failure(path, error)


def _size(item: InputFrame | Failure) -> int:
    return item.frame.image_rgb.nbytes if isinstance(item, InputFrame) else 0
