"""The interface by which sessions and routes have frames computed, in this process or elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..quality.measures import CropMeasures
from .device_preparation import PreparedFace
from .ensemble import Probabilities
from .fair_queue import LaneMode, Priority


class Prepared(Protocol):
    """The result of preparation: crops for the networks, and whatever else the caller needs."""

    @property
    def crops(self) -> Sequence[PreparedFace]: ...


P = TypeVar("P", bound=Prepared)


@dataclass(frozen=True)
class Predictions:
    """The ``probabilities`` (faces, labels) of one frame, and its timings.

    ``measures`` are those of its crops, if the client sent crops.
    """

    probabilities: Probabilities
    queue_ms: float  # from arrival to the engine: waiting and preparation
    inference_ms: float  # of the forward pass that this frame was part of
    batch_size: int  # faces in that pass
    measures: tuple[CropMeasures | None, ...] = ()


class FrameLane(Protocol):
    """One client's access. Results come in the order of its frames."""

    async def recognize(self, images: Sequence[bytes]) -> Predictions:
        """The probabilities of a frame's encoded crops.

        Raises SupersededError, ImageError for an image that cannot be used, LaneFullError if more frames
        would wait than the lane may hold, another BatcherError, and whatever the engine raises.
        """

    async def recognize_prepared(self, prepare: Callable[[], P]) -> tuple[P, Predictions]:
        """Calls ``prepare`` in a thread when it is the frame's turn; returns its result and the probabilities
        of its crops.

        Raises as ``recognize`` does, and whatever ``prepare`` raises.
        """

    def close(self) -> None:
        """Cancels this client's frames; results that still arrive are dropped."""


class FrameBatcher(Protocol):
    """Implemented by ``Batcher`` in this process and by ``RemoteBatcher`` of the package ``cluster``."""

    def open_lane(
        self,
        mode: LaneMode = LaneMode.LATEST,
        queue_length: int = 1,
        priority: Priority = Priority.LIVE,
    ) -> FrameLane:
        """Opens a new client's lane. ``queue_length`` bounds its waiting frames in mode ALL."""

    @property
    def waiting(self) -> int:
        """The number of waiting frames in all lanes."""

    @property
    def unanswered(self) -> int:
        """The number of frames in flight: waiting, in preparation or in the engine."""

    @property
    def oldest_s(self) -> float:
        """Age of the oldest frame in flight, in seconds; 0 if there is none."""

    @property
    def trouble(self) -> str | None:
        """Why nothing is computed at the moment; otherwise None."""

    @property
    def is_failing(self) -> bool:
        """Whether the last frames all failed, and not because of their images."""

    def abandon(self) -> None:
        """Fails all frames in flight and accepts no more."""

    async def aclose(self, wait_s: float) -> bool:
        """Abandons all frames and releases resources; returns whether that ended within ``wait_s``."""
