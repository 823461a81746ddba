from collections.abc import Iterator

import numpy as np
import pytest
from emostream.exceptions import SourceError
from emostream.sources import Frame, Source
from emostream.sources.source import check_size


class OnePicture(Source):
    description = "one picture"
    is_open = True

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8), None)

    def close(self) -> None:
        self.is_open = False


def test_leaving_a_source_closes_it() -> None:
    with OnePicture() as source:
        assert len(list(source)) == 1
        assert source.is_open

    assert not source.is_open


def test_a_source_that_a_thread_is_stuck_in_is_left_open() -> None:
    with OnePicture() as source:
        source.is_stuck = True

    assert source.is_open


def test_a_picture_may_have_so_many_pixels_and_no_more() -> None:
    check_size(8192, 8192, "a film")

    with pytest.raises(SourceError, match="a film: 8193 × 8192 pixels are too many"):
        check_size(8193, 8192, "a film")
