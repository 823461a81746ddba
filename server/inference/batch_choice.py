"""Chooses which prepared frames the engine computes next. No I/O, no clock."""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from .fair_queue import Lane, Priority

#: Live batches that may overtake a ready background frame: it yields, but does not starve.
MAX_PASSED_OVER = 8


class Candidate(Protocol):
    """A staged frame."""

    @property
    def lane(self) -> Lane[Any]:
        """Its client's lane."""

    @property
    def is_ready(self) -> bool:
        """Whether its crops are prepared."""

    @property
    def size(self) -> int:
        """The number of its faces, once it is ready."""


C = TypeVar("C", bound=Candidate)


class BatchChoice(Generic[C]):
    """Chooses whole frames that are ready, in order, up to the largest batch; at least one if any is ready.

    While live frames are ready, a batch holds only those; after ``MAX_PASSED_OVER`` such batches, one
    background frame joins.
    """

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._passed_over = 0

    def choose(self, staged: Sequence[C]) -> list[C]:
        """The next batch. ``staged`` is in the order in which the frames were staged."""
        ready = _ready(staged)
        live = [frame for frame in ready if frame.lane.priority is Priority.LIVE]
        background = [frame for frame in ready if frame.lane.priority is Priority.BACKGROUND]
        if live and background:
            self._passed_over += 1
            background = background[:1] if self._passed_over > MAX_PASSED_OVER else []
        if background:
            self._passed_over = 0
        return (
            self._fitting(live) if not background else self._fitting(background[:1] + live + background[1:])
        )

    def _fitting(self, frames: Sequence[C]) -> list[C]:
        batch: list[C] = []
        room = self._max_batch
        for frame in frames:
            size = frame.size
            if batch and size > room:
                break  # letting smaller frames overtake would starve this one
            batch.append(frame)
            room -= size
        return batch


def _ready(staged: Sequence[C]) -> list[C]:
    unready: set[int] = set()
    ready = []
    for frame in staged:
        if not frame.is_ready or id(frame.lane) in unready:
            unready.add(id(frame.lane))  # a lane's frames get their results in order
        else:
            ready.append(frame)
    return ready
