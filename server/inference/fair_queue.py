"""Which frame is next: a queue in lanes, one lane a client, served in turn. No I/O, no clock.

A lane either keeps the newest frame only (live video) or all of them up to a bound (a recording, or images
over HTTP). Taking goes round the lanes, one frame each, so a client that sends ten times as many frames as
another gets no more of the engine than it does. Live lanes come before those of the background.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Generic, TypeVar

from ..exceptions import LaneFullError

T = TypeVar("T")


class LaneMode(Enum):
    """What a lane does with a frame that comes while another waits."""

    LATEST = "latest"  # the newer one takes the older one's place
    ALL = "all"  # it queues


class Priority(IntEnum):
    """Whose frames go first: the smaller number's."""

    LIVE = 0  # somebody watches
    BACKGROUND = 1  # images over HTTP


@dataclass(eq=False)
class Lane(Generic[T]):
    """One client's place in the queue."""

    mode: LaneMode
    capacity: int
    priority: Priority = Priority.LIVE
    waiting: deque[T] = field(default_factory=deque)
    staged: int = 0

    @property
    def is_due(self) -> bool:
        """Whether the lane's next frame may be taken.

        A live lane has one frame staged for the engine at most: were more allowed, frames would grow old
        there, where newer ones can't replace them any more.
        """
        return bool(self.waiting) and (self.mode is LaneMode.ALL or self.staged == 0)


class FairQueue(Generic[T]):
    """Lanes and their turn."""

    def __init__(self) -> None:
        # Of each priority: lanes with waiting frames, next one first.
        self._turns: dict[Priority, OrderedDict[Lane[T], None]] = {
            priority: OrderedDict() for priority in Priority
        }

    def __len__(self) -> int:
        return sum(len(lane.waiting) for turns in self._turns.values() for lane in turns)

    def put(self, lane: Lane[T], item: T) -> T | None:
        """Adds a frame; returns the one that it supersedes, if any. Raises LaneFullError."""
        superseded = None
        if lane.mode is LaneMode.LATEST and lane.waiting:
            superseded = lane.waiting.pop()
        elif len(lane.waiting) >= lane.capacity:
            raise LaneFullError
        lane.waiting.append(item)
        self._turns[lane.priority].setdefault(lane)
        return superseded

    def take(self, has_room: Callable[[T], bool] = lambda item: True) -> tuple[Lane[T], T] | None:
        """The frame whose turn it is, with its lane, or None if no lane is due. Frames without room are
        skipped, and keep their turn.

        The caller counts ``lane.staged`` down when the frame has gone to the engine or failed.
        """
        due = (lane for turns in self._turns.values() for lane in turns if lane.is_due)
        lane = next((lane for lane in due if has_room(lane.waiting[0])), None)
        if lane is None:
            return None
        turns = self._turns[lane.priority]
        item = lane.waiting.popleft()
        lane.staged += 1
        del turns[lane]
        if lane.waiting:
            turns[lane] = None  # to the end of the round
        return lane, item

    def clear(self) -> None:
        """Forgets every frame that waits."""
        for turns in self._turns.values():
            for lane in turns:
                lane.waiting.clear()
            turns.clear()

    def drop(self, lane: Lane[T]) -> list[T]:
        """Takes a lane out; returns the frames that waited in it."""
        self._turns[lane.priority].pop(lane, None)
        left = list(lane.waiting)
        lane.waiting.clear()
        return left
