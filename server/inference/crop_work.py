"""The work on encoded face crops, before the networks."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..exceptions import ImageTooLargeError
from ..quality.measures import CropMeasures, measure_crop
from .device_preparation import PreparedFace, on_host
from .worker_threads import WorkerThreads

#: Of a crop that is quick to decode. More take tens of milliseconds, times the faces of a frame.
MOST_QUICK_PIXELS = 1024 * 1024


@dataclass(frozen=True)
class DecodedCrop:
    """An encoded face crop made ready for the networks, and what its pixels say of its quality."""

    crops: tuple[PreparedFace]
    measures: CropMeasures | None = None


class CropPreparer(Protocol):
    """What is needed of a recogniser."""

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace: ...


def decode_crop(recognizer: CropPreparer, data: bytes, max_pixels: int) -> DecodedCrop:
    """In a thread. Raises ImageError; ImageTooLargeError before it decodes."""
    face = recognizer.prepare(data, max_pixels)
    return DecodedCrop((face,), measure_crop(on_host(face[0])))


async def outcomes_of(threads: WorkerThreads, work: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each piece of work returned or raised."""
    return await asyncio.gather(*map(threads.submit, work), return_exceptions=True)


def is_slow(outcomes: Sequence[object]) -> bool:
    """Whether a crop was too large to be decoded quickly."""
    return any(isinstance(outcome, ImageTooLargeError) for outcome in outcomes)
