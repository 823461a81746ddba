"""``IMAGES_DIR``: keeps occasional crops, if the operator has set it."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ..exceptions import FolderFullError
from ..kept_files import KeptFiles

logger = logging.getLogger(__name__)

#: Seconds from one kept crop to the next.
INTERVAL_S = 10.0

_ENDINGS = ((b"\xff\xd8", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"))


class CropArchive:
    """Keeps at most one crop every ``INTERVAL_S`` in ``folder``, up to ``max_bytes`` in total; none if
    ``folder`` is None."""

    def __init__(
        self, folder: Path | None, max_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = None if folder is None else KeptFiles(folder, max_bytes, clock)
        self._clock = clock
        self._last: float | None = None
        self._is_full = False

    async def offer(self, image: bytes, emotion: str, confidence: float) -> bool:
        """Keeps an encoded crop unchanged, if it is time, with its prediction in its name; returns whether
        it did.

        If the folder is full or cannot be written to, this is logged, and clients are not affected.
        """
        if self._files is None:
            return False
        now = self._clock()
        if self._last is not None and now - self._last < INTERVAL_S:
            return False
        self._last = now
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{_as_word(emotion)}-{confidence:.2f}.{_ending(image)}"
        try:
            await asyncio.to_thread(self._files.keep, name, image)
        except FolderFullError as error:
            if not self._is_full:  # once, not every ten seconds
                logger.warning("no more crops are kept: %s", error)
            self._is_full = True
            return False
        except OSError as error:
            logger.warning("a crop could not be kept: %s", error)
            return False
        self._is_full = False
        return True


def _as_word(emotion: str) -> str:
    """A label as part of a file name; an operator's labels may contain any characters."""
    return "".join(letter if letter.isalnum() else "_" for letter in emotion)


def _ending(image: bytes) -> str:
    return next((ending for magic, ending in _ENDINGS if image.startswith(magic)), "bin")
