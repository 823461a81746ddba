"""The interface of all image sources."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from ..exceptions import SourceError
from ..imaging.reading import MAX_PIXELS


@dataclass(frozen=True)
class Frame:
    """One image or video frame.

    ``index`` counts from 0 within the source. ``time_s`` is the position in seconds by a file's own time
    stamps, seconds since opening for live sources and pipes, and 0 for images. ``image_rgb`` is uint8
    (H, W, 3), RGB, rotated upright by EXIF or the video's rotation. ``name`` is an image's file name, None
    in a video.
    """

    index: int
    time_s: float
    image_rgb: npt.NDArray[np.uint8]
    name: str | None


class Source(ABC):
    """A context manager that is iterated over once, by one thread.

    ``frame_rate`` (frames a second) and ``frame_count`` are None if unknown. A live source produces frames
    whether or not they are read. ``skipped`` counts the images that could not be read so far.
    """

    is_live: bool = False
    frame_rate: float | None = None
    frame_count: int | None = None
    description: str
    skipped: int = 0
    #: The source broke off and is being reopened.
    is_away: bool = False
    #: A thread hangs while waiting for a frame: the source must not be closed under it.
    is_stuck: bool = False

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Raises SourceError when the source breaks off."""

    def interrupt(self) -> None:  # noqa: B027 -- most sources never wait for long
        """Ends an iteration in another thread soon if it is waiting for the source to be reopened."""

    def close(self) -> None:  # noqa: B027 -- images hold nothing open
        """Closes the file or device. Not to be called while another thread is iterating."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_stuck:
            self.close()


def check_size(width: int, height: int, what: str) -> None:
    """Raises SourceError for an image of more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise SourceError(f"{what}: {width} × {height} pixels are too many; at most {MAX_PIXELS} are read")
