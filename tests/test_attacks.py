"""Whatever a stranger sends: others are served beside it, and SIGTERM ends the server in its midst."""

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.attacks import ATTACKS, Attack, Told, in_turn
from tests.servers import QUICK_MODEL, Addresses, ServerProcess, ServerThread, receive, receive_all, session
from tests.support import PATIENCE_S, FakeRecognizer, frame, jpeg

_SECONDS = 1.0
_SHUTDOWN_S = 4.0
#: From the end of the time for a shutdown to that of the process, on a machine that does other things, too.
_MORE_S = 5.0


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("attacked")
    with ServerProcess(folder, cache_dir, model=QUICK_MODEL, corrections_dir=folder / "kept") as process:
        yield process
    assert "Traceback" not in process.log
    names = {path.parent.name for path in (folder / "kept").rglob("*.jpg")}
    assert names <= {"anger"}
    assert {path.name for path in folder.iterdir()} <= {"kept"}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_a_stranger_is_refused_and_others_are_served(attacked: ServerProcess, attack: Attack) -> None:
    async with session(attacked) as other:
        told = asyncio.create_task(attack(attacked.port, _SECONDS))
        number = 0
        while not told.done() or number < 2:
            await other.send(frame(number, jpeg(112, 112)))
            answer = await receive(other)
            assert (answer["type"], answer["frame_id"]) == ("result", number)
            number += 1
            await asyncio.sleep(0.1)

    found = await told
    assert found.total() > 0
    assert found["silent"] == found["HTTP 500"] == 0, found
    async with httpx.AsyncClient(base_url=attacked.http, timeout=PATIENCE_S, trust_env=False) as client:
        assert (await client.get("/readyz")).status_code == 200


async def _stop_in_the_midst(server: Addresses, stop: Any, attacks: list[Attack]) -> list[dict[str, Any]]:
    """What a session that behaves is told until its end, and nothing of it later than it should be."""

    async def go_on(attack: Attack) -> Told:
        with suppress(OSError, EOFError):  # the server is gone
            return await attack(server.port, 2 * _SECONDS)
        return Told()

    async with session(server) as other:
        attacking = [asyncio.create_task(go_on(attack)) for attack in attacks]
        await asyncio.sleep(_SECONDS / 2)
        await other.send(frame(0, jpeg(112, 112)))
        assert (await receive(other))["type"] == "result"
        await other.send(frame(1, jpeg(112, 112)))
        asked = time.monotonic()
        await asyncio.to_thread(stop)
        messages = await receive_all(other)
        assert time.monotonic() - asked < _SHUTDOWN_S + _MORE_S
        assert other.close_code == 1001
        for task in attacking:
            task.cancel()
        await asyncio.wait(attacking)
    return messages


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_the_server_ends_in_order_in_the_midst_of_it(attack: Attack) -> None:
    server = ServerThread(FakeRecognizer(is_open=True), shutdown_timeout_s=_SHUTDOWN_S)

    messages = await _stop_in_the_midst(server, server.ask_to_stop, [attack])
    await asyncio.to_thread(server.join)

    assert [message["type"] for message in messages] == ["result", "session.closed"]
    assert messages[-1]["reason"] == "server_shutdown"


async def test_sigterm_ends_the_process_in_the_midst_of_everything(tmp_path: Path, cache_dir: Path) -> None:
    server = ServerProcess(tmp_path, cache_dir, model=QUICK_MODEL, shutdown_timeout_s=_SHUTDOWN_S)
    turn = in_turn(random.Random(0))
    attacks = [next(turn)[1] for _ in ATTACKS]

    began = time.monotonic()
    messages = await _stop_in_the_midst(server, lambda: server.send_signal(signal.SIGTERM), attacks)
    code = await asyncio.to_thread(server.wait)

    assert code in (0, -signal.SIGTERM)
    assert time.monotonic() - began < _SHUTDOWN_S + 2 * _MORE_S + PATIENCE_S
    assert messages[-1]["type"] == "session.closed"
    assert "Traceback" not in server.log
