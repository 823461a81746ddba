import asyncio

import pytest
from emostream.api.metrics import Metrics
from emostream.api.sessions import SessionRegistry
from emostream.exceptions import TooManySessionsError

from tests.support import PATIENCE_S


class Client:
    """A session that remembers whether it was asked to end."""

    def __init__(self) -> None:
        self.was_asked_to_end = asyncio.Event()

    def shut_down(self) -> None:
        self.was_asked_to_end.set()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def registry(metrics: Metrics, limit: int = 2) -> SessionRegistry:
    return SessionRegistry(limit, metrics)


def open_sessions(metrics: Metrics) -> float:
    return metrics.sessions.collect()[0].samples[0].value


async def stay_until_asked_to_end(sessions: SessionRegistry, client: Client) -> None:
    with sessions.entered(client):
        await client.was_asked_to_end.wait()


async def test_sessions_are_counted_while_they_are_open(metrics: Metrics) -> None:
    sessions = registry(metrics)

    with sessions.entered(Client()):
        with sessions.entered(Client()):
            assert open_sessions(metrics) == 2
        assert open_sessions(metrics) == 1
    assert open_sessions(metrics) == 0


async def test_one_more_than_the_limit_is_refused_and_changes_nothing(metrics: Metrics) -> None:
    sessions = registry(metrics, limit=1)

    with sessions.entered(Client()):
        with pytest.raises(TooManySessionsError), sessions.entered(Client()):
            pass
        assert open_sessions(metrics) == 1


async def test_a_session_that_ends_makes_room(metrics: Metrics) -> None:
    sessions = registry(metrics, limit=1)
    with sessions.entered(Client()):
        pass

    with sessions.entered(Client()):
        assert open_sessions(metrics) == 1


async def test_a_session_that_fails_makes_room_too(metrics: Metrics) -> None:
    sessions = registry(metrics, limit=1)
    with pytest.raises(ZeroDivisionError), sessions.entered(Client()):
        raise ZeroDivisionError

    with sessions.entered(Client()):
        assert open_sessions(metrics) == 1


async def test_draining_asks_every_session_to_end_and_waits_for_all_of_them(metrics: Metrics) -> None:
    sessions = registry(metrics, limit=3)
    clients = [Client(), Client(), Client()]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(stay_until_asked_to_end(sessions, client))
        await asyncio.sleep(0)
        assert open_sessions(metrics) == 3

        await sessions.drain(PATIENCE_S)

        assert open_sessions(metrics) == 0
        assert all(client.was_asked_to_end.is_set() for client in clients)


async def test_no_session_starts_while_draining(metrics: Metrics) -> None:
    sessions = registry(metrics)
    assert not sessions.is_draining

    await sessions.drain(PATIENCE_S)

    assert sessions.is_draining
    with pytest.raises(TooManySessionsError), sessions.entered(Client()):
        pass


async def test_draining_gives_up_on_sessions_that_do_not_end(metrics: Metrics) -> None:
    sessions = registry(metrics)
    client = Client()

    with sessions.entered(client):
        await asyncio.wait_for(sessions.drain(0.01), PATIENCE_S)

        assert client.was_asked_to_end.is_set()


async def test_draining_again_does_no_harm(metrics: Metrics) -> None:
    """The web server drains before it cuts connections, the app once more when it ends."""
    sessions = registry(metrics)

    await sessions.drain(PATIENCE_S)
    await asyncio.wait_for(sessions.drain(PATIENCE_S), PATIENCE_S)
