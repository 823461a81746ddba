"""A bounded queue between two threads that both ends can leave.

What the standard library's queue lacks before Python 3.13: an end, and a way to let go of threads that wait
at either side. Bounded in bytes as well as in number: frames may be a hundred times as large as others.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Abandoned(Exception):  # noqa: N818 -- the other side has left: no error
    """Nobody will take what is put here any more."""


class Channel(Generic[Item]):
    """First in, first out, from one thread to another."""

    def __init__(self, max_items: int, max_bytes: int) -> None:
        """``put`` waits while there are ``max_items``, or ``max_bytes`` of them, in here."""
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._has_ended = False
        self._is_abandoned = False
        self._changed = threading.Condition()

    def put(self, item: Item, size_bytes: int = 0) -> None:
        """Waits for room; an item larger than all the room there is gets in alone. Raises Abandoned."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._has_room(size_bytes))
            if self._is_abandoned:
                raise Abandoned
            self._waiting.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify_all()

    def _has_room(self, size_bytes: int) -> bool:
        fits = len(self._waiting) < self._max_items and self._bytes + size_bytes <= self._max_bytes
        return fits or not self._waiting

    def end(self) -> None:
        """Nothing more will be put in; what is here can still be taken."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Lets go of whoever waits, and of everything in here."""
        with self._changed:
            self._is_abandoned = True
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()

    def take(self) -> list[Item]:
        """Everything that is here, as soon as there is anything; empty once there is nothing to come.

        Raises Abandoned.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._has_ended or self._waiting)
            if self._is_abandoned:
                raise Abandoned
            items = [item for item, _ in self._waiting]
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()
            return items

    def take_one(self) -> Item | None:
        """The next item, or None once there is nothing to come. Raises Abandoned."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._has_ended or self._waiting)
            if self._is_abandoned:
                raise Abandoned
            if not self._waiting:
                return None
            item, size_bytes = self._waiting.popleft()
            self._bytes -= size_bytes
            self._changed.notify_all()
            return item
