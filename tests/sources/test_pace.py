import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from emostream.exceptions import SourceError
from emostream.sources import Frame, Source, pace
from emostream.sources.pace import FrameReader, realtime

from tests.support import PATIENCE_S


class Film(Source):
    """``frames`` frames, ``gap_s`` apart."""

    description = "a film"

    def __init__(self, frames: int, gap_s: float, is_live: bool = False, breaks: bool = False) -> None:
        self.is_live = is_live
        self.read = 0
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.has_ended = threading.Event()
        self._frames, self._gap_s, self._breaks = frames, gap_s, breaks

    def __iter__(self) -> Iterator[Frame]:
        try:
            for index in range(self._frames):
                if index == 1:
                    assert self.goes_on.wait(PATIENCE_S)
                self.read += 1
                yield Frame(index, 7 + index * self._gap_s, np.zeros((1, 1, 3), np.uint8), None)
            if self._breaks:
                raise SourceError("the film is torn")
        finally:
            self.has_ended.set()


def test_a_file_plays_by_its_own_times() -> None:
    started = time.monotonic()

    indices = [frame.index for frame in realtime(Film(4, 0.1))]

    assert time.monotonic() - started >= 0.3
    assert indices[-1] == 3


def test_frames_that_nobody_takes_in_time_are_left_out() -> None:
    film = Film(50, 0.0, is_live=True)
    film.goes_on.clear()
    frames = realtime(film)
    assert next(frames).index == 0
    film.goes_on.set()
    assert film.has_ended.wait(PATIENCE_S)

    assert [frame.index for frame in frames] == [49]


def test_closing_ends_the_thread_at_once() -> None:
    film = Film(3, 3600)
    frames = realtime(film)
    next(frames)

    frames.close()

    assert film.has_ended.wait(PATIENCE_S)
    assert film.read == 2
    assert not film.is_stuck
    assert list(frames) == []


def test_every_frame_comes_and_only_one_is_read_ahead() -> None:
    film = Film(20, 0.0)
    frames = FrameReader(film, newest_only=False)

    indices = [next(frames).index, next(frames).index]
    assert film.read <= 4  # two taken, one in the slot, one in the reader's hand
    indices += [frame.index for frame in frames]

    assert indices == list(range(20))


def test_closing_does_not_wait_for_a_source_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_CLOSING_S", 0.05)
    film = Film(2, 0.0, is_live=True)
    film.goes_on.clear()
    frames = realtime(film)
    next(frames)

    frames.close()

    assert film.is_stuck
    film.goes_on.set()


def test_what_the_source_raises_comes_after_its_last_frame() -> None:
    frames = realtime(Film(1, 0, breaks=True))

    assert next(frames).index == 0
    with pytest.raises(SourceError, match="torn"):
        next(frames)


def test_a_program_that_ends_ends_the_reading_first() -> None:
    program = """
import threading
import numpy as np
from emostream.sources import Frame, Source
from emostream.sources.pace import realtime

class Camera(Source):
    is_live = True
    description = "camera"
    interrupted = threading.Event()

    def __iter__(self):
        yield Frame(0, 0.0, np.zeros((8, 8, 3), np.uint8), None)
        self.interrupted.wait()
        print("interrupted")

    def interrupt(self):
        self.interrupted.set()

frames = realtime(Camera())
print(next(frames).index)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )

    assert result.stdout.split() == ["0", "interrupted"]
