"""Sources from a program's own images."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from ..imaging.reading import ImageInput, read_pixels
from ..sources import Frame, Source, open_source
from ..sources.pace import FrameReader
from .encoding import EncodedFrame

Images = str | Path | Source | Iterable[ImageInput] | AsyncIterable[ImageInput]


class IteratedSource(Source):
    """Images from a program's iterable. They may be live, so their time is that of their arrival."""

    is_live = True
    description = "images from a program"

    def __init__(self, images: Iterable[ImageInput]) -> None:
        self._images = images

    def __iter__(self) -> Iterator[Frame]:
        started = time.monotonic()
        for index, image in enumerate(self._images):
            yield to_frame(image, index, time.monotonic() - started)


class NewestOf:
    """Yields the newest frame of an asynchronous source."""

    def __init__(self, frames: AsyncIterator[Frame]) -> None:
        self._newest: asyncio.Queue[Frame | None] = asyncio.Queue(maxsize=1)
        self._task = asyncio.create_task(self._pump(frames))

    async def take(self) -> Frame | None:
        """Returns the newest frame, or None after the last one. Raises what the iterator raises."""
        frame = await self._newest.get()
        if frame is None:
            await self._task
        return frame

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _pump(self, frames: AsyncIterator[Frame]) -> None:
        try:
            async for frame in frames:
                if self._newest.full():
                    self._newest.get_nowait()
                self._newest.put_nowait(frame)
        finally:
            await self._newest.put(None)


Take = Callable[[], Awaitable[Frame | None]]


@asynccontextmanager
async def taking(images: Images, realtime: bool) -> AsyncIterator[Take]:
    """A function that waits for the next frame of any source, and returns None after the last one.

    Raises SourceError. A given Source stays open; one that is opened by its name is closed at the end.
    """
    if isinstance(images, AsyncIterable):
        frames = _to_frames(images)
        if not realtime:
            yield lambda: anext(frames, None)
            return
        newest = NewestOf(frames)
        try:
            yield newest.take
        finally:
            await newest.close()
        return
    if isinstance(images, str | Path):
        source = await asyncio.to_thread(open_source, str(images))
    else:
        source = images if isinstance(images, Source) else IteratedSource(images)
    reader = FrameReader(source, newest_only=realtime)
    try:
        yield lambda: asyncio.to_thread(next, reader, None)
    finally:
        await asyncio.to_thread(reader.close)
        if isinstance(images, str | Path) and not source.is_stuck:
            source.close()


async def _to_frames(images: AsyncIterable[ImageInput]) -> AsyncIterator[Frame]:
    started = time.monotonic()
    index = 0
    async for image in images:
        yield to_frame(image, index, time.monotonic() - started)
        index += 1


def to_frame(image: ImageInput, index: int, time_s: float) -> Frame:
    """Raises as ``read_pixels`` does."""
    image_rgb, path = read_pixels(image)
    name = None if path is None else Path(path).name
    if isinstance(image, bytes | bytearray | memoryview):
        return EncodedFrame(index, time_s, image_rgb, name, bytes(image))
    return Frame(index, time_s, image_rgb, name)
