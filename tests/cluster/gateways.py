"""Replicas in this process, for tests of gateways: everything that passes is pickled, as in a cluster."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from emostream.analysis.finder import FaceFinder, MissingDetector
from emostream.cluster.messages import Call, Reply
from emostream.cluster.remote_batcher import Deadlines, RemoteBatcher
from emostream.cluster.replica import Replica
from emostream.exceptions import NoReplicaError
from emostream.settings import Settings

from tests.support import FakeRecognizer

NO_DETECTOR = MissingDetector("there is no detector in this test")


def replica(recognizer: FakeRecognizer, finder: FaceFinder | MissingDetector = NO_DETECTOR) -> Replica:
    return Replica(recognizer, finder, Settings(_env_file=None))  # type: ignore[arg-type, call-arg]


class LocalReplicas:
    """``Replicas``: the least loaded of some replicas in this process answers."""

    def __init__(self, *replicas: Replica) -> None:
        self.replicas = list(replicas)
        self.under_way = {id(each): 0 for each in replicas}
        self.calls: list[Call] = []
        #: Called before each call; may raise what a cluster would, or never end.
        self.trouble: Callable[[], Any] | None = None
        self.is_closed = False

    async def compute(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.trouble is not None:
            await self.trouble()
        if not self.replicas:
            raise NoReplicaError("there is none")
        chosen = min(self.replicas, key=lambda each: self.under_way[id(each)])
        self.under_way[id(chosen)] += 1
        try:
            return pickle.loads(pickle.dumps(await chosen.compute(pickle.loads(pickle.dumps(call)))))
        finally:
            self.under_way[id(chosen)] -= 1

    async def running(self) -> int:
        return len(self.replicas)

    async def aclose(self) -> None:
        self.is_closed = True
        for each in self.replicas:
            await each.aclose()


@asynccontextmanager
async def gateway(
    *replicas: Replica, deadline_s: float = 60.0, poll_s: float = 0.02
) -> AsyncIterator[tuple[RemoteBatcher, LocalReplicas]]:
    way = LocalReplicas(*replicas)
    deadlines = Deadlines(deadline_s, deadline_s, deadline_s)
    first = await way.compute(Call())
    way.calls.clear()
    batcher = RemoteBatcher(way, first, deadlines, poll_s)
    await asyncio.sleep(2 * poll_s)  # by then it knows how many there are
    try:
        yield batcher, way
    finally:
        assert await batcher.aclose(10.0)
