"""``WS /``: what older clients send and get."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from tests.servers import (
    ServerProcess,
    ServerThread,
    close_code,
    connected,
    receive,
    receive_all,
    send_json,
    server_thread,
)
from tests.support import LABELS, PATIENCE_S, FakeRecognizer, jpeg, label_index, png_header


@pytest.fixture(scope="module")
def fake() -> Iterator[ServerThread]:
    with server_thread(max_message_bytes=10_000) as thread:
        thread.recognizer.open()
        yield thread


def message(picture: bytes, prefix: str = "data:image/jpeg;base64,") -> str:
    return json.dumps({"event": "frame", "data": {"image": prefix + base64.b64encode(picture).decode()}})


async def ask(client: ClientConnection, text: str | bytes) -> dict[str, Any]:
    await client.send(text)
    return await receive(client)


async def test_a_picture_is_answered_with_predictions_and_emotion(server: ServerProcess) -> None:
    async with connected(server, "/") as client:
        answer = await ask(client, message(jpeg()))

    assert list(answer) == ["predictions", "emotion"]
    assert list(answer["predictions"]) == list(LABELS)
    assert sum(answer["predictions"].values()) == pytest.approx(1, abs=1e-3)
    assert answer["predictions"][answer["emotion"]] == max(answer["predictions"].values())


async def test_a_large_message_is_decoded_beside_the_event_loop_and_answered_alike(
    server: ServerProcess,
) -> None:
    async with connected(server, "/") as client:
        assert "emotion" in await ask(client, message(jpeg() + bytes(1_000_000)))
        assert "base64" in (await ask(client, message(bytes(999_999)).replace("A", "%", 1)))["error"]
        assert "expected" in (await ask(client, " " * 1_000_000))["error"]


async def test_many_may_follow_each_other_on_one_connection(fake: ServerThread) -> None:
    pictures = [f"picture {number}".encode() for number in range(20)]
    async with connected(fake, "/") as client:
        for picture in pictures:
            await client.send(message(picture))
        emotions = [(await receive(client))["emotion"] for _ in pictures]

    assert emotions == [LABELS[label_index(picture)] for picture in pictures]


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "data:image/webp;base64,", ""])
async def test_other_formats_and_bare_base64_are_taken_too(fake: ServerThread, prefix: str) -> None:
    async with connected(fake, "/") as client:
        assert "emotion" in await ask(client, message(b"picture", prefix))


@pytest.mark.parametrize(
    "image",
    [
        base64.urlsafe_b64encode(b"\xfb\xff\xfe").decode(),
        "data:image/jpeg;base64," + base64.encodebytes(b"picture" * 30).decode(),
        base64.encodebytes(b"picture" * 30).decode().replace("\n", "\r\n"),
        "cGljdHVyZQ",
        "data:image/jpeg;base64,cGljdHVyZQ%3D%3D",
    ],
    ids=["URL alphabet", "lines", "CRLF", "no padding", "escaped"],
)
async def test_base64_is_taken_however_it_is_written(fake: ServerThread, image: str) -> None:
    async with connected(fake, "/") as client:
        await send_json(client, {"data": {"image": image}})

        assert "emotion" in await receive(client)


async def test_a_message_need_not_name_an_event(fake: ServerThread) -> None:
    async with connected(fake, "/") as client:
        await send_json(client, {"data": {"image": "cGljdHVyZQ=="}})

        assert "emotion" in await receive(client)


UNUSABLE: dict[str, str | bytes] = {
    "nothing": "",
    "words": "hello",
    "an array": "[]",
    "no data": '{"event": "frame"}',
    "no image": '{"event": "frame", "data": {}}',
    "an image that is no text": '{"event": "frame", "data": {"image": 3}}',
    "no base64": '{"data": {"image": "data:image/jpeg;base64,%%%"}}',
    "base64 cut short": '{"data": {"image": "data:image/jpeg;base64,YWJjZ"}}',
    "letters that base64 has not": '{"data": {"image": "data:image/jpeg;base64,häää"}}',
    "a broken picture": message(b"broken"),
    "a huge picture": message(b"huge"),
    "a picture that the engine cannot compute": message(b"poison"),
    "a binary message": b"\x01\x02\x03\x04",
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_cannot_be_used_is_answered_with_an_error_and_the_connection_goes_on(
    fake: ServerThread, text: str | bytes
) -> None:
    async with connected(fake, "/") as client:
        answer = await ask(client, text)

        assert list(answer) == ["error"]
        assert answer["error"]
        assert "emotion" in await ask(client, message(b"fine"))


async def test_a_message_above_the_limit_ends_the_connection_as_on_the_stream(fake: ServerThread) -> None:
    async with connected(fake, "/") as client:
        answer = await ask(client, message(bytes(8_000)))

        assert "10000 bytes" in answer["error"]
        assert await close_code(client) == 1009


async def test_frames_of_older_clients_are_limited_and_counted_as_any() -> None:
    with server_thread(FakeRecognizer(is_open=True), max_frames_per_second=2) as server:
        async with connected(server, "/") as client:
            answers = [await ask(client, message(b"picture")) for _ in range(3)]

    assert [list(answer) for answer in answers] == [["predictions", "emotion"]] * 2 + [["error"]]
    samples = server.services.metrics.frames.collect()[0].samples
    counts = {s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total")}
    assert counts == {"result": 2, "rate_limited": 1}


async def test_an_older_client_that_says_nothing_is_ended() -> None:
    with server_thread(idle_timeout_s=0.2) as server:
        async with connected(server, "/") as client:
            assert await receive_all(client) == []
            assert await close_code(client) == 1000


@pytest.mark.parametrize("name", ["no base64", "base64 cut short", "letters that base64 has not"])
async def test_broken_base64_is_told_so(fake: ServerThread, name: str) -> None:
    async with connected(fake, "/") as client:
        assert (await ask(client, UNUSABLE[name]))["error"].startswith("data.image is not base64: ")


async def test_real_pictures_that_cannot_be_used_are_errors_too(server: ServerProcess) -> None:
    async with connected(server, "/") as client:
        assert "neither JPEG" in (await ask(client, message(b"hello")))["error"]
        assert "pixels" in (await ask(client, message(png_header(100_000, 100_000))))["error"]


async def test_a_client_that_leaves_disturbs_nobody(fake: ServerThread) -> None:
    async with connected(fake, "/") as leaving, connected(fake, "/") as staying:
        await leaving.send(message(b"picture"))
        leaving.transport.abort()

        assert "emotion" in await ask(staying, message(b"fine"))


# Access


async def test_the_token_is_needed_here_too(guarded: ServerProcess) -> None:
    async with connected(guarded, "/") as client:
        assert await receive_all(client) == []
        assert await close_code(client) == 4401

    async with connected(guarded, "/?token=let%20me%20in") as client:
        assert "emotion" in await ask(client, message(jpeg()))


async def test_a_page_of_another_origin_is_refused_here_too(server: ServerProcess) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(server, "/", origin="https://evil.example"):
            pass

    assert caught.value.response.status_code == 403


async def test_older_clients_count_as_sessions() -> None:
    with server_thread(max_sessions=1) as full:
        async with connected(full, "/") as first:
            full.recognizer.open()
            await ask(first, message(b"x"))
            async with connected(full, "/") as second:
                assert await receive_all(second) == []
                assert await close_code(second) == 1013


# The end


async def test_shutdown_answers_the_picture_in_the_engine_and_does_not_wait_for_idle_clients() -> None:
    """With a time limit of a minute for frames under way: were it waited for, the test would not end."""
    with server_thread(shutdown_timeout_s=60) as server:
        async with connected(server, "/") as busy, connected(server, "/") as idle:
            await busy.send(message(b"held"))
            await server.recognizer.next_batch()
            started = time.monotonic()
            server.ask_to_stop()
            code = await close_code(idle)
            server.recognizer.open()
            (answer,) = await receive_all(busy)

            assert answer["emotion"] == LABELS[label_index(b"held")]
            assert code == await close_code(busy) == 1001
        await asyncio.to_thread(server.join)
        assert time.monotonic() - started < PATIENCE_S
