"""Images as files: one, a folder, a pattern, or one by its address."""

import logging
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..addresses import without_secrets
from ..exceptions import ImageError, SourceError
from ..imaging.reading import IMAGE_SUFFIXES, read_file, read_pixels
from .source import Frame, Source

logger = logging.getLogger(__name__)

#: Largest image that is downloaded, in bytes.
_MAX_FETCH_BYTES = 64 * 1024 * 1024
_FETCH_TIMEOUT_S = 15.0


class ImageFiles(Source):
    """Images in the order given. ``index`` counts all images, readable or not."""

    def __init__(self, paths: Sequence[Path], description: str) -> None:
        self._paths = paths
        self.frame_count = len(paths)
        self.description = description

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._paths):
            try:
                image_rgb = read_file(path)
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

    def __init__(self, address: str) -> None:
        """Raises SourceError if it cannot be fetched or read."""
        self.description = without_secrets(address)
        try:
            with urllib.request.urlopen(address, timeout=_FETCH_TIMEOUT_S) as response:
                data = response.read(_MAX_FETCH_BYTES)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.description} cannot be fetched: {error}") from error
        try:
            self._image_rgb, _ = read_pixels(data)
        except ImageError as error:
            raise SourceError(f"{self.description}: {error}") from error
        self._name = address.rpartition("/")[2].partition("?")[0]

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(0, 0.0, self._image_rgb, self._name)


def is_image(path: Path) -> bool:
    """Whether the file's extension is that of a supported image format."""
    return path.suffix.lower() in IMAGE_SUFFIXES
