"""What sessions and routes need of whatever computes their frames, in this process or elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..quality.measures import CropMeasures
from .device_preparation import PreparedFace
from .ensemble import Probabilities
from .fair_queue import LaneMode, Priority


class Prepared(Protocol):
    """What preparation leaves: crops for the networks, and whatever else its caller wants back."""

    @property
    def crops(self) -> Sequence[PreparedFace]: ...


P = TypeVar("P", bound=Prepared)


@dataclass(frozen=True)
class Predictions:
    """``probabilities`` (faces, labels) of one frame, and where the time went.

    ``measures`` are those of its crops, where crops were sent.
    """

    probabilities: Probabilities
    queue_ms: float  # from arrival to the engine: waiting and preparation
    inference_ms: float  # of the pass that this frame was part of
    batch_size: int  # faces in that pass
    measures: tuple[CropMeasures | None, ...] = ()


class FrameLane(Protocol):
    """One client's access. Its frames are answered in their order."""

    async def recognize(self, images: Sequence[bytes]) -> Predictions:
        """Probabilities of a frame's encoded crops.

        Raises SupersededError, ImageError for an image that cannot be used, LaneFullError where more
        frames wait than the lane may hold, another BatcherError, and whatever the engine raises.
        """

    async def recognize_prepared(self, prepare: Callable[[], P]) -> tuple[P, Predictions]:
        """What ``prepare`` returns, which is called in a thread once it is the frame's turn, and the
        probabilities of its crops.

        Raises as ``recognize`` does, and whatever ``prepare`` raises.
        """

    def close(self) -> None:
        """Forgets this client's frames: waiting ones are cancelled, the results of others are dropped."""


class FrameBatcher(Protocol):
    """``Batcher`` in this process, ``RemoteBatcher`` of the package ``cluster`` elsewhere."""

    def open_lane(
        self,
        mode: LaneMode = LaneMode.LATEST,
        queue_length: int = 1,
        priority: Priority = Priority.LIVE,
    ) -> FrameLane:
        """A new client's place. ``queue_length`` bounds what waits in mode ALL."""

    @property
    def waiting(self) -> int:
        """Frames that wait in all lanes."""

    @property
    def unanswered(self) -> int:
        """Frames that wait, are prepared or are in the engine."""

    @property
    def oldest_s(self) -> float:
        """Age of the oldest frame that has no answer yet, in seconds; 0 where there is none."""

    @property
    def trouble(self) -> str | None:
        """Why nothing is computed at the moment, if so."""

    @property
    def is_failing(self) -> bool:
        """Whether the last frames all failed, through no fault of their own."""

    def abandon(self) -> None:
        """Fails the frames that are not resolved yet, and takes no more."""

    async def aclose(self, wait_s: float) -> bool:
        """Abandons all frames, and lets go of what it holds within ``wait_s``; says whether all is gone."""
