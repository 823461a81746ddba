import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from emostream.client.feeding import IteratedSource, taking, to_frame
from emostream.exceptions import InvalidImageError, SourceError
from emostream.sources import open_source
from PIL import Image

from tests.support import jpeg

GREY = np.full((4, 6, 3), 128, np.uint8)


async def as_they_come(count: int, everything_is_there: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield jpeg()
    if everything_is_there:
        everything_is_there.set()


async def indices(images: object, realtime: bool = False) -> list[int]:
    got = []
    async with taking(images, realtime) as take:  # type: ignore[arg-type]
        while (frame := await take()) is not None:
            got.append(frame.index)
    return got


async def test_a_name_a_path_a_source_and_any_iterable_will_do(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())

    assert await indices(str(tmp_path)) == [0, 1]
    assert await indices(tmp_path) == [0, 1]
    with open_source(str(tmp_path)) as source:
        assert await indices(source) == [0, 1]
    assert await indices([GREY, jpeg()]) == [0, 1]
    assert await indices(as_they_come(3)) == [0, 1, 2]


async def test_in_realtime_the_newest_of_an_asynchronous_iterable_is_taken() -> None:
    everything_is_there = asyncio.Event()
    async with taking(as_they_come(9, everything_is_there), realtime=True) as take:
        await everything_is_there.wait()
        frame = await take()
        assert frame is not None
        assert frame.index == 8
        assert await take() is None


async def test_what_an_iterable_raises_comes_through() -> None:
    with pytest.raises(InvalidImageError):
        await indices([jpeg(), b"no picture"])
    with pytest.raises(SourceError, match="there is no file nowhere"):
        await indices("nowhere.mp4")

    async def breaks() -> AsyncIterator[bytes]:
        yield jpeg()
        raise SourceError("torn")

    for realtime in (False, True):
        with pytest.raises(SourceError, match="torn"):
            await indices(breaks(), realtime)


def test_arrays_images_and_files_become_frames(tmp_path: Path) -> None:
    (tmp_path / "me.jpg").write_bytes(jpeg(6, 4))

    (array,) = IteratedSource([GREY])
    assert np.array_equal(array.image_rgb, GREY)
    for image in (jpeg(6, 4), tmp_path / "me.jpg", Image.fromarray(GREY)):
        assert to_frame(image, 3, 0.5).image_rgb.shape == (4, 6, 3)
    assert to_frame(tmp_path / "me.jpg", 3, 0.5).name == "me.jpg"


def test_an_array_that_is_no_image_is_told() -> None:
    with pytest.raises(ValueError, match=r"an image is uint8 \(H, W, 3\), RGB; this is"):
        to_frame(np.zeros((4, 6), np.uint8), 2, 0.0)
