"""Decodes and measures encoded face crops for the networks."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..exceptions import ImageTooLargeError
from ..quality.measures import CropMeasures, measure_crop
from .device_preparation import PreparedFace, on_host
from .worker_threads import WorkerThreads

#: Most pixels of a quick crop. Larger ones take tens of milliseconds each, times the faces of a frame.
MOST_QUICK_PIXELS = 1024 * 1024


@dataclass(frozen=True)
class DecodedCrop:
    """A face crop that is ready for the networks, and the measures of its quality."""

    crops: tuple[PreparedFace]
    measures: CropMeasures | None = None


class CropPreparer(Protocol):
    """The part of a recogniser that is needed here."""

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace: ...


def decode_crop(recognizer: CropPreparer, data: bytes, max_pixels: int) -> DecodedCrop:
    """Prepares and measures a crop, in a thread. Raises ImageError; ImageTooLargeError before decoding."""
    face = recognizer.prepare(data, max_pixels)
    return DecodedCrop((face,), measure_crop(on_host(face[0])))


async def outcomes_of(threads: WorkerThreads, work: Sequence[Callable[[], Any]]) -> list[Any]:
    """The result or the exception of each piece of work."""
    return await asyncio.gather(*map(threads.submit, work), return_exceptions=True)


def is_slow(outcomes: Sequence[object]) -> bool:
    """Whether a crop was too large to be decoded quickly."""
    return any(isinstance(outcome, ImageTooLargeError) for outcome in outcomes)
