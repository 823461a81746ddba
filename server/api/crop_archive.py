"""``IMAGES_DIR``: now and then a received crop is kept, where the operator has asked for it; else never."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

logger = logging.getLogger(__name__)

#: Seconds from one kept crop to the next.
INTERVAL_S = 10.0

_ENDINGS = ((b"\xff\xd8", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"))


class CropArchive:
    """Keeps at most one crop every ``INTERVAL_S`` in ``folder``, and none where that is None."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._last: float | None = None

    async def offer(self, image: bytes, emotion: str, confidence: float) -> None:
        """Keeps an encoded crop as it came, if it is time, under a name with its prediction.

        A folder that cannot be written to is logged and disturbs no client.
        """
        if self._folder is None:
            return
        now = self._clock()
        if self._last is not None and now - self._last < INTERVAL_S:
            return
        self._last = now
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{_as_word(emotion)}-{confidence:.2f}.{_ending(image)}"
        try:
            await asyncio.to_thread(_write, self._folder / name, image)
        except OSError as error:
            logger.warning("a crop could not be kept: %s", error)


def _write(path: Path, image: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)


def _as_word(emotion: str) -> str:
    """A label as part of a file name: labels are the operator's own and may hold anything."""
    return "".join(letter if letter.isalnum() else "_" for letter in emotion)


def _ending(image: bytes) -> str:
    return next((ending for magic, ending in _ENDINGS if image.startswith(magic)), "bin")
