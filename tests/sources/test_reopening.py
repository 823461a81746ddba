"""Live sources that go away and come back."""

import itertools
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import SourceError
from emostream.sources import Frame, Source, open_source
from emostream.sources.pace import realtime
from emostream.sources.reopening import ReopenedSource
from PIL import Image

from tests.sample_videos import moving_portrait, web_server
from tests.support import PATIENCE_S, encoded


class Camera(Source):
    """Gives ``pictures`` pictures, then ends, or breaks off with ``error``."""

    is_live = True
    description = "a camera"

    def __init__(self, pictures: int, error: str | None = None, skipped: int = 0) -> None:
        self._pictures, self._error, self.skipped = pictures, error, skipped
        self.is_closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._pictures):
            yield Frame(index, 0.0, np.zeros((2, 2, 3), np.uint8), None)
        if self._error:
            raise SourceError(self._error)

    def close(self) -> None:
        self.is_closed = True


def test_a_network_camera_that_restarts_goes_on_where_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for index, pixels in enumerate(moving_portrait(3, 64)):
        (tmp_path / f"{index}.jpg").write_bytes(encoded(Image.fromarray(pixels), "JPEG"))

    with web_server(tmp_path, live_pictures=4) as address, open_source(f"{address}/live") as source:
        frames = list(itertools.islice(source, 10))

    assert [frame.index for frame in frames] == list(range(10))
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert "; reopening it" in caplog.text
    assert "is back after" in caplog.text


def test_a_source_that_breaks_off_is_tried_until_it_opens(caplog: pytest.LogCaptureFixture) -> None:
    first, without_pictures, last = Camera(2, "unplugged", skipped=3), Camera(0), Camera(2, skipped=4)
    answers = iter([SourceError("still away"), without_pictures, last])

    def open_again() -> Source:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with caplog.at_level(logging.WARNING), ReopenedSource(open_again, first) as source:
        frames = list(itertools.islice(source, 4))

    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert source.skipped == 7
    assert first.is_closed
    assert without_pictures.is_closed
    assert last.is_closed
    assert "unplugged; reopening it" in caplog.text


def test_one_that_stays_away_is_an_error_in_the_end() -> None:
    def refuse() -> Source:
        raise SourceError("nobody there")

    with (
        ReopenedSource(refuse, Camera(1, "unplugged"), patience_s=0.1) as source,
        pytest.raises(SourceError, match=r"unplugged; could not be reopened within 0 s: nobody there"),
    ):
        list(source)


def test_who_closes_does_not_wait_for_one_that_is_away() -> None:
    has_failed = threading.Event()

    def refuse() -> Source:
        has_failed.set()
        raise SourceError("nobody there")

    source = ReopenedSource(refuse, Camera(1, "unplugged"))
    frames = realtime(source)
    next(frames)
    assert has_failed.wait(PATIENCE_S)

    frames.close()

    assert not source.is_stuck
