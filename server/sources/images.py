"""Images as files: one, a folder, a pattern, or one by its address."""

import logging
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..addresses import without_secrets
from ..exceptions import ImageError, SourceError
from ..imaging.decoding import decode
from .source import MAX_PIXELS, Frame, Source

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})

#: Largest image that is fetched from an address.
_MAX_FETCH_BYTES = 64 * 1024 * 1024
_FETCH_TIMEOUT_S = 15.0


class ImageFiles(Source):
    """Images in the order given. ``index`` is an image's place among all, readable or not."""

    def __init__(self, paths: Sequence[Path], description: str, start: int = 0) -> None:
        self._paths = paths
        self._start = start
        self.frame_count = len(paths)
        self.description = description

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._paths[self._start :], self._start):
            try:
                image_rgb = read_image(path)
            except SourceError as error:
                if len(self._paths) == 1:
                    raise
                self.skipped += 1
                logger.warning("skipped: %s", error)
                continue
            yield Frame(index, 0.0, image_rgb, path.name)


class FetchedImage(Source):
    """One image from an http or https address."""

    frame_count = 1

    def __init__(self, address: str, start: int = 0) -> None:
        """Raises SourceError if it cannot be fetched or read."""
        self.description = without_secrets(address)
        self._start = start
        try:
            with urllib.request.urlopen(address, timeout=_FETCH_TIMEOUT_S) as response:
                data = response.read(_MAX_FETCH_BYTES)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.description} cannot be fetched: {error}") from error
        self._image_rgb = _decoded(data, self.description)
        self._name = address.rpartition("/")[2].partition("?")[0]

    def __iter__(self) -> Iterator[Frame]:
        if self._start == 0:
            yield Frame(0, 0.0, self._image_rgb, self._name)


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """A JPEG, PNG or WebP file as uint8 (H, W, 3), RGB, upright. Raises SourceError."""
    try:
        return _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _decoded(data: bytes, what: str) -> npt.NDArray[np.uint8]:
    try:
        return np.asarray(decode(data, MAX_PIXELS))
    except ImageError as error:
        raise SourceError(f"{what}: {error}") from error


def is_image(path: Path) -> bool:
    """Whether a file's name says that it is an image that can be read."""
    return path.suffix.lower() in IMAGE_SUFFIXES
