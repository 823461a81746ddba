import json
import logging
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from emostream.client import FrameResult, Stream, connect, link
from emostream.client.link import LinkState
from emostream.exceptions import ClientError, RefusedError, UnreachableError
from emostream.protocol.reconnect import (
    FINAL_CLOSE_CODES,
    IDLE_CLOSE_CODES,
    RETRY_CLOSE_CODES,
    RETRY_HTTP_STATUSES,
    delay_s,
)
from websockets.asyncio.server import ServerConnection

from tests.client.scripted import Scene, answer_all, answer_then_close, created, refuse, scripted_server
from tests.support import jpeg


@pytest.fixture(autouse=True)
def _quick_reconnecting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "delay_s", lambda failures: delay_s(failures) / 50)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def crops(count: int) -> Iterator[bytes]:
    return iter([jpeg()] * count)


def receipt(frames: int) -> str:
    counts = {"bytes_received": 9, "frames_received": frames, "images_kept": 0}
    return json.dumps({"type": "session.receipt", "session_id": "s", "started_at": 1, "at": 2} | counts)


async def indices(scenes: list[Scene | HTTPStatus], count: int = 6) -> tuple[list[int], int]:
    """Of the frames that were answered, and how often the connection was made again."""
    async with scripted_server(scenes) as address, connect(address, detect="none") as stream:
        answers = [answer async for answer in stream.frames(crops(count))]
        assert all(isinstance(answer, FrameResult) for answer in answers)
        assert stream.state is LinkState.OPEN
        return [answer.frame.index for answer in answers], stream.reconnects


@pytest.mark.parametrize("code", sorted(RETRY_CLOSE_CODES | IDLE_CLOSE_CODES))
async def test_after_a_passing_trouble_every_frame_is_answered_once(code: int) -> None:
    scenes = [answer_then_close(2, code), answer_then_close(0, code), answer_all]

    assert await indices(scenes) == ([0, 1, 2, 3, 4, 5], 2)


async def test_a_full_server_is_asked_again() -> None:
    scenes = [refuse(1013, "too_many_sessions"), answer_all]

    assert await indices(scenes) == ([0, 1, 2, 3, 4, 5], 0)


async def test_coming_and_going_is_told_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "emostream.client.link")
    await indices([answer_then_close(1, 1012), refuse(1013, "too_many_sessions"), answer_all])

    lost, back = caplog.messages
    assert "was lost (code 1012); trying again" in lost
    assert back.endswith("is back")


@pytest.mark.parametrize("code", sorted(FINAL_CLOSE_CODES))
async def test_some_closes_are_final(code: int) -> None:
    words = {4401: "needs a valid token", 1008: r"ended the session \(code 1008\): it is"}
    async with scripted_server([refuse(code, "unauthorized")]) as address:
        with pytest.raises(RefusedError, match=words[code]) as refused:
            async with connect(address, detect="none"):
                pass

    assert refused.value.code == code


async def test_a_final_close_in_mid_stream_comes_after_the_answers() -> None:
    got: list[int] = []

    async def take_all(stream: Stream) -> None:
        async for answer in stream.frames(crops(5)):
            got.append(answer.frame.index)  # noqa: PERF401 -- it is the loop that raises

    async with (
        scripted_server([answer_then_close(2, 1008)]) as address,
        connect(address, detect="none", in_flight=1) as stream,
    ):
        with pytest.raises(RefusedError):
            await take_all(stream)

    assert got == [0, 1]


async def test_a_server_that_stays_away_is_given_up() -> None:
    async def leave(stream_address: str) -> None:
        async with connect(stream_address, detect="none", give_up_s=0.1) as stream:
            async for _ in stream.frames(crops(3)):
                pass

    async with scripted_server([answer_then_close(1, 1012), refuse(1013, "too_many_sessions")]) as address:
        with pytest.raises(UnreachableError, match="was lost"):
            await leave(address)


async def test_a_receipt_that_never_comes_is_not_waited_for() -> None:
    got: list[object] = []

    async def say_nothing(connection: ServerConnection) -> None:
        await connection.send(created())
        got.extend([await connection.recv(), await connection.recv()])
        await connection.send(receipt(1))  # the answer to the first, whose caller has gone
        await connection.send(receipt(2))
        await connection.wait_closed()

    async with scripted_server([say_nothing]) as address, connect(address, detect="none") as stream:
        with pytest.raises(ClientError, match=r"no receipt within 0\.1 s"):
            await stream.receipt(timeout_s=0.1)
        assert (await stream.receipt()).frames_received == 2

    assert got == ['{"type":"session.receipt"}'] * 2


async def test_a_wrong_address_is_told_at_once() -> None:
    with pytest.raises(UnreachableError, match=r"cannot be reached .*is the server running there"):
        async with connect("127.0.0.1:9", detect="none"):
            pass


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        ("hello", "does not speak Emostream's protocol"),
        (created(protocol=2), "uses version 2"),
    ],
)
async def test_another_kind_of_server_is_noticed(greeting: str, words: str) -> None:
    async with scripted_server([lambda connection: connection.send(greeting)]) as address:
        with pytest.raises(ClientError, match=words):
            async with connect(address, detect="none"):
                pass


async def test_a_configuration_that_the_server_does_not_take_is_told() -> None:
    async def scene(connection: ServerConnection) -> None:
        await connection.send(created())
        await connection.send('{"type": "error", "code": "invalid_message", "message": "not so smooth"}')
        await connection.wait_closed()

    async with scripted_server([scene]) as address:
        with pytest.raises(RefusedError, match="refused the configuration: not so smooth"):
            async with connect(address, detect="none", smoothing=0.5):
                pass


async def test_another_status_is_a_refusal() -> None:
    async with scripted_server([HTTPStatus.FORBIDDEN]) as address:
        with pytest.raises(RefusedError, match="HTTP 403") as refused:
            async with connect(address, detect="none"):
                pass

    assert refused.value.code == 403


@pytest.mark.parametrize("status", sorted(RETRY_HTTP_STATUSES))
async def test_a_proxy_whose_server_is_away_is_asked_again(status: int) -> None:
    """Once the stream is there; before, the address is wrong for all that anybody knows."""
    away = HTTPStatus(status)

    assert await indices([answer_then_close(1, 1012), away, away, answer_all]) == ([0, 1, 2, 3, 4, 5], 1)


async def test_a_server_that_comes_back_with_another_model_is_not_gone_on_with() -> None:
    other = created(model={"name": "other", "labels": ["glad"]})
    scenes = [answer_then_close(1, 1012), lambda connection: connection.send(other)]

    with pytest.raises(ClientError, match="restarted with another model, other"):
        await indices(scenes)
