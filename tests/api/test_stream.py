"""The streaming protocol, spoken by the ``websockets`` client to a real server process over a real socket."""

import asyncio
import json
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers import (
    QUICK_MODEL,
    ServerProcess,
    close_code,
    connected,
    receive,
    receive_all,
    send_json,
    session,
)
from tests.support import LABELS, encoded, envelope, frame, jpeg, png_header

FRIEND = "https://friend.example"
TOKEN = {"Authorization": "Bearer let me in"}


def noise(seed: int, file_format: str = "JPEG") -> bytes:
    """A picture unlike any other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
    return encoded(Image.fromarray(pixels), file_format)


async def ask(client: ClientConnection, message: bytes | str) -> dict[str, Any]:
    await client.send(message)
    return await receive(client)


async def assert_goes_on(client: ClientConnection) -> None:
    """The session still answers."""
    answer = await ask(client, frame(99, jpeg()))
    assert (answer["type"], answer["frame_id"]) == ("result", 99)


# The beginning


async def test_the_first_message_is_session_created(server: ServerProcess) -> None:
    async with connected(server) as client:
        created = await receive(client)

    session_id = created.pop("session_id")
    assert isinstance(session_id, str)
    assert len(session_id) >= 16
    assert created == {
        "type": "session.created",
        "protocol": 1,
        "model": {"name": "default", "labels": list(LABELS)},
        "config": {"smoothing": 0.0, "max_faces": 8},
        "limits": {
            "max_message_bytes": 2097152,
            "max_pixels": 8294400,
            "max_faces": 32,
            "max_frames_per_second": 100,
        },
    }


async def test_every_session_has_an_id_of_its_own(server: ServerProcess) -> None:
    async with connected(server) as one, connected(server) as two:
        assert (await receive(one))["session_id"] != (await receive(two))["session_id"]


async def test_compression_is_not_negotiated_though_the_client_offers_it(server: ServerProcess) -> None:
    async with connected(server, compression="deflate") as client:
        assert client.request is not None
        assert client.response is not None
        assert "permessage-deflate" in client.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in client.response.headers


async def test_an_unknown_mode_is_refused_in_the_handshake(server: ServerProcess) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(server, "/ws?mode=some"):
            pass

    assert caught.value.response.status_code == 403


# Frames


def assert_is_sound(result: dict[str, Any], faces: int) -> None:
    assert result["type"] == "result"
    assert len(result["faces"]) == faces
    for face in result["faces"]:
        assert list(face["predictions"]) == list(LABELS)
        assert sum(face["predictions"].values()) == pytest.approx(1, abs=1e-3)
        assert face["confidence"] == max(face["predictions"].values())
        assert face["predictions"][face["emotion"]] == face["confidence"]
    timing = result["timing"]
    assert set(timing) == {"queue_ms", "inference_ms", "total_ms", "batch_size"}
    assert 0 <= timing["queue_ms"] + timing["inference_ms"] <= timing["total_ms"] + 0.1
    assert timing["batch_size"] >= faces


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_bare_image_is_one_face(server: ServerProcess, file_format: str) -> None:
    async with session(server) as client:
        result = await ask(client, noise(1, file_format))

    assert_is_sound(result, faces=1)
    assert result["frame_id"] == 0
    assert result["faces"][0]["face_id"] == 0
    assert "captured_at" not in result
    assert "box" not in result["faces"][0]


async def test_bare_images_count_from_0(server: ServerProcess) -> None:
    async with session(server) as client:
        assert [(await ask(client, jpeg()))["frame_id"] for _ in range(3)] == [0, 1, 2]


async def test_an_envelopes_fields_are_echoed_and_every_face_is_answered(server: ServerProcess) -> None:
    crops = [noise(seed) for seed in range(3)]
    header = {
        "frame_id": 1207,
        "captured_at": 1790000000123.4,
        "faces": [
            {"face_id": 3, "length": len(crops[0]), "box": [412, 96, 180, 180]},
            {"face_id": 5, "length": len(crops[1]), "box": [90.5, 120, 150, 150]},
            {"face_id": 4, "length": len(crops[2])},
        ],
    }
    async with session(server) as client:
        result = await ask(client, envelope(header, *crops))

    assert_is_sound(result, faces=3)
    assert (result["frame_id"], result["captured_at"]) == (1207, 1790000000123.4)
    assert [face["face_id"] for face in result["faces"]] == [3, 5, 4]
    assert [face.get("box") for face in result["faces"]] == [[412, 96, 180, 180], [90.5, 120, 150, 150], None]
    assert result["predictions"] == result["faces"][0]["predictions"]
    assert result["emotion"] == result["faces"][0]["emotion"]


async def test_a_frame_without_faces_is_answered_with_nulls(server: ServerProcess) -> None:
    async with session(server) as client:
        result = await ask(client, frame(7))

    assert (result["faces"], result["predictions"], result["emotion"]) == ([], None, None)
    assert result["frame_id"] == 7


async def test_both_forms_of_a_frame_give_the_same_answer(server: ServerProcess) -> None:
    async with session(server) as client:
        bare = await ask(client, noise(1))
        enveloped = await ask(client, frame(1, noise(1)))

    assert bare["predictions"] == pytest.approx(enveloped["predictions"], abs=1e-3)


async def test_a_message_in_fragments_is_one_frame(server: ServerProcess) -> None:
    data = frame(12, noise(1))
    async with session(server) as client:
        await client.send([data[:2], data[2:50], data[50:]])

        assert_is_sound(await receive(client), faces=1)


# Configuration


async def test_an_update_is_answered_with_the_whole_configuration(server: ServerProcess) -> None:
    async with session(server) as client:
        await send_json(client, {"type": "session.update", "config": {"smoothing": 0.6}})
        first = await receive(client)
        await send_json(client, {"type": "session.update", "config": {"max_faces": 3}})

        assert first == {"type": "session.updated", "config": {"smoothing": 0.6, "max_faces": 8}}
        assert await receive(client) == {
            "type": "session.updated",
            "config": {"smoothing": 0.6, "max_faces": 3},
        }


async def test_smoothing_averages_a_faces_answers(server: ServerProcess) -> None:
    async with session(server) as client:
        plain = [(await ask(client, frame(n, noise(n))))["predictions"] for n in range(2)]
    async with session(server) as client:
        await send_json(client, {"type": "session.update", "config": {"smoothing": 0.75}})
        await receive(client)
        smoothed = [(await ask(client, frame(n, noise(n))))["predictions"] for n in range(2)]

    expected = {label: 0.75 * plain[0][label] + 0.25 * plain[1][label] for label in LABELS}
    assert smoothed[0] == pytest.approx(plain[0], abs=2e-3)
    assert smoothed[1] == pytest.approx(expected, abs=2e-3)


async def test_sessions_have_configurations_of_their_own(server: ServerProcess) -> None:
    async with session(server) as one, session(server) as two:
        await send_json(one, {"type": "session.update", "config": {"smoothing": 0.6}})
        await receive(one)
        await send_json(two, {"type": "session.update", "config": {}})

        assert (await receive(two))["config"] == {"smoothing": 0.0, "max_faces": 8}


# Errors after which the session goes on


@pytest.mark.parametrize(
    ("message", "frame_id"),
    [
        (envelope(b"no json"), None),
        (envelope([1, 2]), None),
        (envelope({"frame_id": 7, "faces": 3}), 7),
        (envelope({"frame_id": 7, "faces": [{"length": 5}]}, b"123"), 7),
        (b"\x00\x10\x00\x00{", None),
        (envelope({"frame_id": 7, "detect": True, "faces": []}), 7),
    ],
    ids=["no JSON", "an array", "wrong type", "wrong length", "cut short", "detection without a picture"],
)
async def test_invalid_frame(server: ServerProcess, message: bytes, frame_id: int | None) -> None:
    async with session(server) as client:
        error = await ask(client, message)

        assert error["type"] == "error"
        assert error["code"] == "invalid_frame"
        assert error.get("frame_id") == frame_id
        assert error["retryable"] is False
        assert error["message"]
        await assert_goes_on(client)


@pytest.mark.parametrize(
    "picture",
    [b"", jpeg()[:200], b"GIF89a" + bytes(50), b"hello, I am a face"],
    ids=["empty", "truncated", "GIF", "words"],
)
@pytest.mark.parametrize("form", ["bare", "envelope"])
async def test_invalid_image(server: ServerProcess, picture: bytes, form: str) -> None:
    async with session(server) as client:
        error = await ask(client, picture if form == "bare" else frame(7, jpeg(), picture))

        assert (error["type"], error["code"]) == ("error", "invalid_image")
        assert error["frame_id"] == (0 if form == "bare" else 7)
        assert error["retryable"] is False
        await assert_goes_on(client)


async def test_image_too_large(server: ServerProcess) -> None:
    async with session(server) as client:
        error = await ask(client, frame(7, png_header(100_000, 100_000)))

        assert (error["code"], error["frame_id"]) == ("image_too_large", 7)
        assert "8294400" in error["message"]
        await assert_goes_on(client)


async def test_too_many_faces(server: ServerProcess) -> None:
    async with session(server) as client:
        assert_is_sound(await ask(client, frame(6, *[jpeg()] * 32)), faces=32)
        error = await ask(client, frame(7, *[jpeg()] * 33))

        assert (error["code"], error["frame_id"]) == ("too_many_faces", 7)
        await assert_goes_on(client)


async def test_rate_limited(server: ServerProcess) -> None:
    """Frames without faces cost next to nothing, so that the limit and not the engine is what they meet."""
    async with session(server) as client:
        answers = []
        for frame_id in range(250):
            answers.append(await ask(client, frame(frame_id)))
            if answers[-1]["type"] == "error":
                break

        error = answers[-1]
        assert len(answers) > 100
        assert (error["code"], error["frame_id"]) == ("rate_limited", len(answers) - 1)
        assert error["retryable"] is True
        await asyncio.sleep(0.05)  # at 100 frames a second there is room again
        await assert_goes_on(client)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "[]",
        '{"type": "session.start"}',
        '{"type": "session.update", "config": {"smoothing": 1.5}}',
        '{"type": "session.update", "config": {"max_faces": 33}}',
    ],
    ids=["nothing", "words", "an array", "unknown type", "smoothing", "max_faces"],
)
async def test_invalid_message(server: ServerProcess, message: str) -> None:
    async with session(server) as client:
        error = await ask(client, message)

        assert (error["type"], error["code"]) == ("error", "invalid_message")
        assert "frame_id" not in error
        await assert_goes_on(client)


async def test_an_invalid_configuration_is_told_by_its_field(server: ServerProcess) -> None:
    async with session(server) as client:
        await send_json(client, {"type": "session.update", "config": {"smoothing": 1}})

        assert (await receive(client))["message"] == "config.smoothing: Input should be less than 1"


# Errors that end the session, or keep it from starting


@pytest.mark.parametrize(
    "message",
    [bytes([255]) * 2_097_153, "x" * 2_097_153, "é" * 1_048_577],
    ids=["binary", "text", "text whose characters have two bytes"],
)
async def test_message_too_large(server: ServerProcess, message: bytes | str) -> None:
    async with session(server) as client:
        await client.send(message)
        error, closed = await receive_all(client)

        assert error["code"] == "message_too_large"
        assert "2097152" in error["message"]
        assert (closed["type"], closed["reason"]) == ("session.closed", "error")
        assert await close_code(client) == 1009


async def test_a_message_of_exactly_the_limit_is_read(server: ServerProcess) -> None:
    async with session(server) as client:
        error = await ask(client, bytes([255]) * 2_097_152)

        assert error["code"] == "invalid_image"
        await assert_goes_on(client)


async def test_a_message_far_above_the_limit_is_not_even_received(server: ServerProcess) -> None:
    async with session(server) as client:
        with suppress(ConnectionClosed):  # it may have gone before all of the message has
            await client.send(bytes(10_000_000))

        assert await close_code(client) == 1009


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/ws", {}),
        ("/ws?token=wrong", {}),
        ("/ws?token=", {}),
        ("/ws", {"Authorization": "Bearer wrong"}),
        ("/ws", {"Authorization": "Basic let me in"}),
        ("/ws?token=let%20me%20in", {"Authorization": "Bearer wrong"}),
    ],
    ids=[
        "none",
        "wrong in query",
        "empty in query",
        "wrong in header",
        "wrong scheme",
        "header before query",
    ],
)
async def test_unauthorized(guarded: ServerProcess, path: str, headers: dict[str, str]) -> None:
    async with connected(guarded, path, additional_headers=headers) as client:
        (error,) = await receive_all(client)

        assert (error["type"], error["code"], error["retryable"]) == ("error", "unauthorized", False)
        assert await close_code(client) == 4401


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/ws", TOKEN), ("/ws", {"Authorization": "bearer let me in"}), ("/ws?token=let%20me%20in", {})],
    ids=["header", "scheme in lower case", "query"],
)
async def test_the_token_is_taken_from_header_or_query(
    guarded: ServerProcess, path: str, headers: dict[str, str]
) -> None:
    async with session(guarded, path, additional_headers=headers) as client:
        await assert_goes_on(client)


async def test_the_token_does_not_get_into_the_log(guarded: ServerProcess) -> None:
    async with session(guarded, "/ws?token=let%20me%20in&mode=all"):
        pass

    await asyncio.to_thread(guarded.wait_for, re.escape("/ws?token=…&mode=all"))
    assert "let%20me%20in" not in guarded.log


async def test_too_many_sessions(guarded: ServerProcess) -> None:
    options = {"additional_headers": TOKEN}
    async with (
        session(guarded, **options),
        session(guarded, **options),
        connected(guarded, **options) as third,
    ):
        (error,) = await receive_all(third)
        code = await close_code(third)

    assert (error["code"], error["retryable"]) == ("too_many_sessions", True)
    assert code == 1013
    async with session(guarded, **options) as client:  # there is room again
        await assert_goes_on(client)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://friend.example.evil.example",
        "http://friend.example",
        "null",
        "http://[",
    ],
)
async def test_a_page_of_another_origin_is_refused_in_the_handshake(
    guarded: ServerProcess, origin: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(guarded, origin=origin, additional_headers=TOKEN):
            pass

    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("origin", [FRIEND, "http://other.example:8080"])
async def test_origins_on_the_list_are_let_in(guarded: ServerProcess, origin: str) -> None:
    async with session(guarded, origin=origin, additional_headers=TOKEN) as client:
        await assert_goes_on(client)


async def test_the_servers_own_origin_is_let_in_and_its_neighbour_is_not(server: ServerProcess) -> None:
    async with session(server, origin=server.http) as client:
        await assert_goes_on(client)
    with pytest.raises(InvalidStatus) as caught:
        async with connected(server, origin=f"http://127.0.0.1:{server.port + 1}"):
            pass

    assert caught.value.response.status_code == 403


# The end


async def test_session_close_answers_what_is_under_way_and_then_says_goodbye(server: ServerProcess) -> None:
    async with session(server, "/ws?mode=all") as client:
        for frame_id in range(6):
            await client.send(frame(frame_id, noise(frame_id), noise(-frame_id % 7)))
        await client.send(frame(6, b"broken"))
        await send_json(client, {"type": "session.close"})
        *answers, closed = await receive_all(client)

        assert {answer["frame_id"]: answer["type"] for answer in answers} == {
            **dict.fromkeys(range(6), "result"),
            6: "error",
        }
        assert closed == {
            "type": "session.closed",
            "reason": "client_request",
            "frames": {"received": 7, "answered": 7, "dropped": 0},
            "receipt": closed["receipt"],
        }
        assert await close_code(client) == 1000


async def test_nothing_is_read_after_session_close(server: ServerProcess) -> None:
    async with session(server) as client:
        await send_json(client, {"type": "session.close"})
        await client.send(frame(1, jpeg()))
        (closed,) = await receive_all(client)

    assert closed["frames"]["received"] == 0


async def test_a_session_without_messages_ends(guarded: ServerProcess) -> None:
    async with session(guarded, additional_headers=TOKEN) as client:
        await ask(client, frame(1, jpeg()))
        (closed,) = await receive_all(client)

        assert closed == {
            "type": "session.closed",
            "reason": "idle_timeout",
            "frames": {"received": 1, "answered": 1, "dropped": 0},
            "receipt": closed["receipt"],
        }
        assert await close_code(client) == 1000


async def test_a_session_with_messages_does_not_end(guarded: ServerProcess) -> None:
    """It lives for several times as long as an idle one may."""
    async with session(guarded, additional_headers=TOKEN) as client:
        started = time.monotonic()
        while time.monotonic() - started < 1.5:
            await send_json(client, {"type": "session.update", "config": {}})
            assert (await receive(client))["type"] == "session.updated"
            await asyncio.sleep(0.05)


async def test_a_client_that_just_leaves_disturbs_nobody(server: ServerProcess) -> None:
    async with session(server) as staying:
        for _ in range(3):
            async with session(server) as leaving:
                await leaving.send(frame(1, noise(1)))
                leaving.transport.abort()

        await assert_goes_on(staying)
    assert "Traceback" not in server.log


async def test_sigterm_answers_what_is_under_way_and_then_says_goodbye(
    tmp_path: Path, cache_dir: Path
) -> None:
    process = ServerProcess(tmp_path, cache_dir, model=QUICK_MODEL)
    try:
        async with session(process, "/ws?mode=all") as busy, session(process) as idle:
            for frame_id in range(8):
                await busy.send(frame(frame_id, *[noise(frame_id)] * 16))
            answers = [await receive(busy)]

            process.send_signal(signal.SIGTERM)
            answers += await receive_all(busy)
            (farewell,) = await receive_all(idle)

            *results, closed = answers
            frame_ids = [result["frame_id"] for result in results]
            assert all(result["type"] == "result" for result in results)
            assert frame_ids == list(range(len(results)))
            assert closed == {
                "type": "session.closed",
                "reason": "server_shutdown",
                "frames": {"received": len(results), "answered": len(results), "dropped": 0},
                "receipt": closed["receipt"],
            }
            assert (farewell["reason"], farewell["frames"]["received"]) == ("server_shutdown", 0)
            assert await close_code(busy) == 1001
            assert await close_code(idle) == 1001
    finally:
        code = process.end()
    assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in process.log
    assert "ERROR" not in process.log


# Every frame gets exactly one answer


async def test_live_frames_get_one_answer_each_and_the_newest_is_never_dropped(server: ServerProcess) -> None:
    async with session(server) as client:
        for frame_id in range(40):
            await client.send(frame(frame_id, *[noise(frame_id)] * 8))
        answers = [await receive(client) for _ in range(40)]
        await send_json(client, {"type": "session.close"})
        (closed,) = await receive_all(client)

    outcome = {answer["frame_id"]: answer["type"] for answer in answers}
    counts = Counter(outcome.values())
    assert sorted(outcome) == list(range(40))
    assert set(counts) == {"result", "dropped"}
    assert outcome[39] == "result"
    assert all(answer["reason"] == "superseded" for answer in answers if answer["type"] == "dropped")
    assert closed["frames"] == {
        "received": 40,
        "answered": counts["result"],
        "dropped": counts["dropped"],
    }


async def test_a_recordings_frames_are_all_answered_in_order(server: ServerProcess) -> None:
    async with session(server, "/ws?mode=all") as client, asyncio.TaskGroup() as group:
        group.create_task(_send_frames(client, 60))
        answers = [await receive(client) for _ in range(60)]

    assert [(answer["type"], answer["frame_id"]) for answer in answers] == [
        ("result", frame_id) for frame_id in range(60)
    ]


async def _send_frames(client: ClientConnection, count: int) -> None:
    for frame_id in range(count):
        await client.send(frame(frame_id, noise(frame_id)))


async def test_sessions_side_by_side_get_their_own_answers(server: ServerProcess) -> None:
    """Eight sessions with a picture each, whose answers differ; batches mix them, answers do not."""

    async def talk(seed: int) -> list[dict[str, float]]:
        async with session(server, "/ws?mode=all") as client:
            for frame_id in range(10):
                await client.send(frame(frame_id, noise(seed), captured_at=seed))
            answers = [await receive(client) for _ in range(10)]
        assert [answer["frame_id"] for answer in answers] == list(range(10))
        assert {answer["captured_at"] for answer in answers} == {seed}
        return [answer["predictions"] for answer in answers]

    alone = []
    for seed in range(8):
        async with session(server) as client:
            alone.append((await ask(client, noise(seed)))["predictions"])

    together = await asyncio.gather(*(talk(seed) for seed in range(8)))

    for seed in range(8):
        assert all(predictions == pytest.approx(alone[seed], abs=1e-3) for predictions in together[seed])
    assert len({json.dumps(predictions) for predictions in alone}) == 8
