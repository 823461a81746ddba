"""Real frames at their own pace, with real detection, to a recogniser that pretends."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from emostream.analysis.finder import FaceFinder
from emostream.analysis.video import AnalysisOptions, FrameAnalysis
from emostream.detection.detector import FaceDetector
from emostream.exceptions import SourceError
from emostream.sources import Frame, Source
from emostream.terminal.watch import Watch

from tests.portraits import FACES_DIR
from tests.support import PATIENCE_S, FakeRecognizer
from tests.writers.videos import frame


class Video(Source):
    """Frames of a face, 50 a second."""

    description = "video"

    def __init__(self, frames: int, *, is_live: bool = False, breaks: bool = False) -> None:
        self.is_live = is_live
        self._frames = frames
        self._breaks = breaks

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            if self.is_live:
                time.sleep(0.02)
            yield Frame(index, index / 50, frame(index % 40), None)
        if self._breaks:
            raise SourceError("it broke off")


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(FaceDetector.load(FACES_DIR), FakeRecognizer.input_sizes)


class FakeAnalyzer:
    """An Analyzer whose model is a recogniser that pretends."""

    def __init__(self, finder: FaceFinder, recognizer: FakeRecognizer) -> None:
        self._finder, self._recognizer = finder, recognizer

    def frame_analysis(self) -> FrameAnalysis:
        return FrameAnalysis(self._finder, self._recognizer, AnalysisOptions())  # type: ignore[arg-type]


class Watching:
    """A watch and a way to wait for it."""

    def __init__(self, source: Source, finder: FaceFinder, recognizer: FakeRecognizer | None = None) -> None:
        self._changed = threading.Semaphore(0)
        analyzer = FakeAnalyzer(finder, recognizer or FakeRecognizer(is_open=True))
        self.watch = Watch(source, analyzer, self._changed.release)  # type: ignore[arg-type]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self._changed.acquire(timeout=PATIENCE_S)

    @property
    def index(self) -> int:
        return -1 if self.watch.newest is None else self.watch.newest.faces.frame_index


def test_the_newest_frames_face_is_there_with_its_number_and_the_time_it_took(finder: FaceFinder) -> None:
    watching = Watching(Video(5), finder)
    with watching.watch as watch:
        watching.wait_until(lambda: watch.has_ended)

    assert watch.newest is not None
    assert watch.newest.faces.frame_index == 4  # a file's last frame is always shown
    (face,) = watch.newest.faces
    assert face.face_id == 1
    assert sum(face.probabilities.values()) == pytest.approx(1)
    assert watch.newest.latency_ms > 0
    assert watch.error is None


def test_frames_that_come_while_the_engine_is_busy_are_left_out(finder: FaceFinder) -> None:
    recognizer = FakeRecognizer()
    watching = Watching(Video(10_000, is_live=True), finder, recognizer)
    with watching.watch:
        recognizer._entered.get(timeout=PATIENCE_S)
        time.sleep(0.5)  # 25 frames pass
        recognizer.let_pass(2)
        watching.wait_until(lambda: watching.index > 0)
        assert watching.index >= 15
        recognizer.open()


def test_a_file_that_is_paused_goes_on_where_it_was(finder: FaceFinder) -> None:
    watching = Watching(Video(10_000), finder)
    with watching.watch as watch:
        watching.wait_until(lambda: watching.index >= 1)
        watch.pause(True)
        time.sleep(0.2)  # what was under way is shown
        at = watching.index
        time.sleep(1.0)
        assert watching.index <= at + 1
        watch.pause(False)
        watching.wait_until(lambda: watching.index > at + 1)
        assert watching.index < at + 40  # not the 50 of the second that it was paused for


def test_a_camera_that_is_paused_shows_now_and_not_then(finder: FaceFinder) -> None:
    watching = Watching(Video(10_000, is_live=True), finder)
    with watching.watch as watch:
        watching.wait_until(lambda: watching.index >= 1)
        watch.pause(True)
        time.sleep(0.6)
        at = watching.index
        watch.pause(False)
        watching.wait_until(lambda: watching.index > at + 1)
        assert watching.index >= at + 10


def test_a_source_that_breaks_off_is_told(finder: FaceFinder) -> None:
    watching = Watching(Video(1, breaks=True), finder)
    with watching.watch as watch:
        watching.wait_until(lambda: watch.has_ended)

    assert isinstance(watch.error, SourceError)


def test_leaving_ends_the_thread_while_it_is_paused_too(finder: FaceFinder) -> None:
    watching = Watching(Video(10_000), finder)
    with watching.watch as watch:
        watching.wait_until(lambda: watching.index >= 0)
        watch.pause(True)

    assert not watch._thread.is_alive()
    assert np.isfinite(watch.newest.rate if watch.newest else 0.0)
