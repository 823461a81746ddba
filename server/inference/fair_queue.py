"""A queue that chooses the next frame: one lane for each client, served in turn. No I/O, no clock.

A lane keeps either only the newest frame (live video) or all frames up to a bound (a recording, or images
over HTTP). The lanes take turns, one frame each, so a client that sends ten times as many frames as another
gets no larger share of the engine. Live lanes come before background lanes.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Generic, TypeVar

from ..exceptions import LaneFullError

T = TypeVar("T")


class LaneMode(Enum):
    """What a lane does with a frame that arrives while another waits."""

    LATEST = "latest"  # the newer one replaces the older one
    ALL = "all"  # it waits, too


class Priority(IntEnum):
    """The order of lanes: the smaller number goes first."""

    LIVE = 0  # a person watches the result
    BACKGROUND = 1  # images over HTTP


@dataclass(eq=False)
class Lane(Generic[T]):
    """One client's lane in the queue."""

    mode: LaneMode
    capacity: int
    priority: Priority = Priority.LIVE
    waiting: deque[T] = field(default_factory=deque)
    staged: int = 0

    @property
    def is_due(self) -> bool:
        """Whether the lane's next frame may be taken.

        A live lane has at most one frame staged for the engine, since newer frames cannot replace a staged
        one.
        """
        return bool(self.waiting) and (self.mode is LaneMode.ALL or self.staged == 0)


class FairQueue(Generic[T]):
    """The lanes and their turns."""

    def __init__(self) -> None:
        # By priority: the lanes with waiting frames, the next one first.
        self._turns: dict[Priority, OrderedDict[Lane[T], None]] = {
            priority: OrderedDict() for priority in Priority
        }

    def __len__(self) -> int:
        return sum(len(lane.waiting) for turns in self._turns.values() for lane in turns)

    def put(self, lane: Lane[T], item: T) -> T | None:
        """Adds a frame; returns the frame that it supersedes, if any. Raises LaneFullError."""
        superseded = None
        if lane.mode is LaneMode.LATEST and lane.waiting:
            superseded = lane.waiting.pop()
        elif len(lane.waiting) >= lane.capacity:
            raise LaneFullError
        lane.waiting.append(item)
        self._turns[lane.priority].setdefault(lane)
        return superseded

    def take(self, has_room: Callable[[T], bool] = lambda item: True) -> tuple[Lane[T], T] | None:
        """Takes the next frame, with its lane; None if there is none. A frame for which ``has_room`` is False
        is skipped and keeps its turn.

        The caller decrements ``lane.staged`` when the frame has gone to the engine or failed.
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
            turns[lane] = None  # to the end of the turn order
        return lane, item

    def clear(self) -> None:
        """Drops every waiting frame."""
        for turns in self._turns.values():
            for lane in turns:
                lane.waiting.clear()
            turns.clear()

    def drop(self, lane: Lane[T]) -> list[T]:
        """Removes a lane; returns its waiting frames."""
        self._turns[lane.priority].pop(lane, None)
        left = list(lane.waiting)
        lane.waiting.clear()
        return left
