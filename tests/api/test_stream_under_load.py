"""``WS /ws`` when the engine is slow or fails, or the client does not read.

The engine only pretends, and moves when the test says so.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from emostream.settings import Settings
from websockets.asyncio.client import ClientConnection

from tests.servers import (
    ServerThread,
    close_code,
    connected,
    receive,
    receive_all,
    send_json,
    server_thread,
    session,
)
from tests.support import LABELS, PATIENCE_S, FakeRecognizer, frame, label_index, until

#: More than the kernel's buffers of a connection hold.
FLOOD_BYTES = 64 * 1024 * 1024


@pytest.fixture
def server() -> Iterator[ServerThread]:
    with server_thread(max_queued_frames=4, max_frames_per_second=1_000_000) as thread:
        yield thread


async def hold_engine(server: ServerThread, client: ClientConnection, frame_id: int = 0) -> None:
    """Has the engine at work on a frame of this client until it is let pass."""
    await client.send(frame(frame_id, b"held"))
    assert await server.recognizer.next_batch() == [b"held"]


# Live video wants the newest picture


async def test_waiting_frames_are_superseded_and_every_frame_gets_one_answer(server: ServerThread) -> None:
    async with session(server) as client:
        await hold_engine(server, client, frame_id=10)
        for frame_id in range(11, 16):
            await client.send(frame(frame_id, f"{frame_id}".encode()))
        # 11 is staged for the engine, 15 waits
        dropped = [await receive(client) for _ in range(3)]

        server.recognizer.let_pass(3)
        results = [await receive(client) for _ in range(3)]
        await send_json(client, {"type": "session.close"})
        (closed,) = await receive_all(client)

    assert dropped == [
        {"type": "dropped", "frame_id": frame_id, "reason": "superseded"} for frame_id in (12, 13, 14)
    ]
    assert [(result["type"], result["frame_id"]) for result in results] == [
        ("result", 10),
        ("result", 11),
        ("result", 15),
    ]
    assert results[2]["emotion"] == LABELS[label_index(b"15")]
    assert closed["frames"] == {"received": 6, "answered": 3, "dropped": 3}


async def test_a_slow_session_holds_up_the_engine_for_nobody_else(server: ServerThread) -> None:
    """Two clients, whose frames go into one batch once the engine is free."""
    async with session(server) as one, session(server) as two:
        await hold_engine(server, one)
        await one.send(frame(1, b"one"))
        await two.send(frame(1, b"two"))
        batcher = server.services.batcher
        await until(lambda: sum(item.is_ready for item in batcher._staged) == 2)
        server.recognizer.let_pass(2)

        answers = [await receive(one), await receive(one), await receive(two)]

    assert [answer["frame_id"] for answer in answers] == [0, 1, 1]
    assert [answer["timing"]["batch_size"] for answer in answers] == [1, 2, 2]
    assert answers[1]["emotion"] == LABELS[label_index(b"one")]
    assert answers[2]["emotion"] == LABELS[label_index(b"two")]


# Back-pressure


async def send_until_blocked(client: ClientConnection, message: bytes) -> tuple[int, asyncio.Task[None]]:
    """Sends a message again and again until sending makes no progress for a second.

    Returns how many went, and the send that did not.
    """
    for number in range(FLOOD_BYTES // len(message)):
        sending = asyncio.create_task(client.send(message))
        await asyncio.wait({sending}, timeout=1)
        if not sending.done():
            return number, sending
    raise AssertionError(f"the server read {FLOOD_BYTES} bytes")


async def test_with_mode_all_the_server_stops_reading_when_its_queue_is_full(server: ServerThread) -> None:
    async with session(server, "/ws?mode=all") as client:
        await hold_engine(server, client)

        sent, sending = await send_until_blocked(client, frame(1, b"picture" + bytes(200_000)))

        batcher = server.services.batcher
        assert batcher.waiting + len(batcher._staged) <= 4
        server.recognizer.open()
        answers = [await receive(client) for _ in range(sent + 1)]
        await asyncio.wait_for(sending, PATIENCE_S)
        answers.append(await receive(client))

    assert [answer["type"] for answer in answers] == ["result"] * (sent + 2)


async def test_a_recording_may_have_as_many_frames_under_way_as_the_queue_holds(server: ServerThread) -> None:
    async with session(server, "/ws?mode=all") as client:
        await hold_engine(server, client)
        for frame_id in range(1, 9):
            await client.send(frame(frame_id, b"x"))
        await until(lambda: len(server.services.batcher._unresolved) == 4)

        server.recognizer.open()
        answers = [await receive(client) for _ in range(9)]

    assert [answer["frame_id"] for answer in answers] == list(range(9))


@pytest.mark.parametrize(
    "message",
    # Large beside their answers, so that few of them fit into the buffers on the way.
    [frame(1, bytes(5_000)), frame(1, b"broken" + bytes(5_000)), b"\x01\x00\x00\x00{" + bytes(5_000)],
    ids=["results", "errors of pictures", "errors of envelopes"],
)
async def test_a_client_that_never_reads_is_not_read_either(server: ServerThread, message: bytes) -> None:
    """Its answers fill the connection's buffers, and then nothing of the server's memory."""
    server.recognizer.open()

    async def flood(client: ClientConnection) -> None:
        while True:
            await client.send(message)

    async with session(server) as client:
        flooding = asyncio.create_task(flood(client))
        before, now = -1.0, 0.0
        async with asyncio.timeout(4 * PATIENCE_S):
            while before != now or now < 100:  # until a second brings no more answers
                await asyncio.sleep(1)
                before, now = now, answered(server.services.metrics)
        assert not flooding.done()
        assert len(server.services.batcher._unresolved) <= 32

        # When it reads at last, both go on where they were.
        flooding.cancel()
        reading = asyncio.create_task(receive_all(client))
        await send_json(client, {"type": "session.close"})
        *answers, closed = await reading
        assert len(answers) == closed["frames"]["received"] >= now


def answered(metrics: object) -> float:
    """Frames that the server has answered, of every outcome."""
    samples = metrics.frames.collect()[0].samples  # type: ignore[attr-defined]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


# Frames that cannot be computed


async def test_internal_error(server: ServerThread) -> None:
    server.recognizer.open()
    async with session(server) as client:
        await client.send(frame(7, b"poison"))
        error = await receive(client)
        await client.send(frame(8, b"fine"))

        assert error == {
            "type": "error",
            "code": "internal_error",
            "message": "this frame could not be computed",
            "frame_id": 7,
            "retryable": True,
        }
        assert (await receive(client))["type"] == "result"


async def test_five_internal_errors_in_a_row_end_the_session(server: ServerThread) -> None:
    server.recognizer.open()
    async with session(server) as client:
        for frame_id in range(4):
            await client.send(frame(frame_id, b"poison"))
            assert (await receive(client))["code"] == "internal_error"
        await client.send(frame(4, b"fine"))
        assert (await receive(client))["type"] == "result"
        for frame_id in range(5, 10):
            await client.send(frame(frame_id, b"poison"))
            assert (await receive(client))["frame_id"] == frame_id
        (closed,) = await receive_all(client)

        assert closed == {
            "type": "session.closed",
            "reason": "error",
            "frames": {"received": 10, "answered": 10, "dropped": 0},
            "receipt": closed["receipt"],
        }
        assert await close_code(client) == 1011


async def test_five_failures_end_a_recording_whose_queue_is_full_too(server: ServerThread) -> None:
    """The server waits for room, and not for a message, when the fifth failure comes."""
    async with session(server, "/ws?mode=all") as client:
        for frame_id in range(12):
            await client.send(frame(frame_id, b"poison"))
        await until(lambda: len(server.services.batcher._unresolved) == 4)
        server.recognizer.open()
        *errors, closed = await receive_all(client)

    assert {error["code"] for error in errors} == {"internal_error"}
    assert closed["reason"] == "error"
    assert closed["frames"]["answered"] == len(errors) >= 5


async def test_a_frame_that_fails_fails_for_its_own_session_only(server: ServerThread) -> None:
    async with session(server) as holding, session(server) as failing, session(server) as fine:
        await hold_engine(server, holding)
        await failing.send(frame(1, b"poison"))
        await fine.send(frame(1, b"fine"))
        batcher = server.services.batcher
        await until(lambda: sum(item.is_ready for item in batcher._staged) == 2)
        server.recognizer.open()

        assert (await receive(failing))["code"] == "internal_error"
        assert (await receive(fine))["emotion"] == LABELS[label_index(b"fine")]


async def test_the_bad_face_of_several_is_named(server: ServerThread) -> None:
    async with session(server) as client:
        await client.send(frame(1, b"fine", b"fine", b"broken"))

        assert (await receive(client))["message"] == "face 2: the image is broken"


# The end


async def test_session_close_waits_for_the_frame_in_the_engine(server: ServerThread) -> None:
    async with session(server) as client:
        await hold_engine(server, client, frame_id=1)
        await client.send(frame(2, b"next"))
        await send_json(client, {"type": "session.close"})
        server.recognizer.open()
        *results, closed = await receive_all(client)

        assert [(result["type"], result["frame_id"]) for result in results] == [("result", 1), ("result", 2)]
        assert closed["frames"] == {"received": 2, "answered": 2, "dropped": 0}
        assert await close_code(client) == 1000


async def test_shutdown_waits_for_the_frame_in_the_engine() -> None:
    with server_thread() as server:
        async with session(server) as client:
            await hold_engine(server, client, frame_id=1)
            server.ask_to_stop()
            await until(lambda: server.services.sessions.is_draining)
            server.recognizer.open()
            result, closed = await receive_all(client)

            assert (result["type"], result["frame_id"]) == ("result", 1)
            assert closed == {
                "type": "session.closed",
                "reason": "server_shutdown",
                "frames": {"received": 1, "answered": 1, "dropped": 0},
                "receipt": closed["receipt"],
            }
            assert await close_code(client) == 1001


async def test_a_session_that_comes_during_shutdown_is_sent_elsewhere() -> None:
    with server_thread() as server:
        async with session(server) as staying:
            await hold_engine(server, staying)
            server.ask_to_stop()
            await until(lambda: server.services.sessions.is_draining)

            async with connected(server) as late:
                (error,) = await receive_all(late)
                assert error["code"] == "too_many_sessions"
                assert await close_code(late) == 1013
            server.recognizer.open()


async def test_an_end_is_not_missed_in_the_moment_in_which_room_for_a_frame_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server stops after an answer's last step, and before the reader that waited for it goes on."""
    with server_thread(FakeRecognizer(is_open=True), max_queued_frames=1) as server:
        async with session(server, "/ws?mode=all") as client:
            (connection,) = server.services.sessions._open

            def observe(seconds: float) -> None:
                asyncio.get_running_loop().call_soon(connection.shut_down)

            monkeypatch.setattr(server.services.metrics.frame_seconds, "observe", observe)
            await client.send(frame(1, b"x"))
            result, closed = await receive_all(client)

    assert (result["type"], closed["reason"]) == ("result", "server_shutdown")


async def test_a_frame_that_never_ends_does_not_keep_the_server_from_stopping() -> None:
    with server_thread(shutdown_timeout_s=0.3) as server:
        async with session(server) as client:
            await hold_engine(server, client)
            server.ask_to_stop()

            assert await close_code(client) in (1001, 1006, 1012)


async def test_an_idle_session_with_a_frame_in_the_engine_gets_its_answer_first() -> None:
    with server_thread(idle_timeout_s=0.2) as server:
        async with session(server) as client:
            await hold_engine(server, client, frame_id=1)
            await asyncio.sleep(0.4)  # for as long as it takes to be idle
            server.recognizer.open()
            result, closed = await receive_all(client)

    assert (result["frame_id"], closed["reason"]) == (1, "idle_timeout")


async def test_metrics_count_what_became_of_frames(server: ServerThread) -> None:
    async with session(server) as client:
        await hold_engine(server, client)
        for frame_id in range(1, 4):
            await client.send(frame(frame_id, b"x"))
        assert (await receive(client))["type"] == "dropped"
        server.recognizer.open()
        for _ in range(3):
            await receive(client)
        await client.send(frame(4, b"broken"))
        await receive(client)

    samples = server.services.metrics.frames.collect()[0].samples
    counts = {s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total")}
    assert counts == {"result": 3, "dropped": 1, "invalid_image": 1}


def test_settings_of_these_servers_come_from_no_file() -> None:
    assert Settings(_env_file=None).max_queued_frames == 16  # type: ignore[call-arg]


async def test_a_receipt_counts_every_byte_and_the_images_that_were_kept(tmp_path: Path) -> None:
    """Of this session, and not of the one beside it."""
    sound, broken, question = frame(1, b"sound"), b"\1", json.dumps({"type": "session.receipt"})
    with server_thread(FakeRecognizer(is_open=True), images_dir=tmp_path / "kept") as keeping:
        async with session(keeping) as other, session(keeping) as client:
            await other.send(frame(0, b"sound"))
            assert (await receive(other))["type"] == "result"
            await until(lambda: len(list((tmp_path / "kept").glob("2*"))) == 1)
            keeping.services.archive._last = None  # it keeps one in ten seconds
            for message in (sound, broken):
                await client.send(message)
                await receive(client)
            await client.send(question)
            receipt = await receive(client)
            await send_json(client, {"type": "session.close"})
            (closed,) = await receive_all(client)
        kept = len(list((tmp_path / "kept").iterdir()))

    assert kept == 2
    assert receipt["type"] == "session.receipt"
    assert receipt["bytes_received"] == len(sound) + len(broken) + len(question)
    assert receipt["frames_received"] == 2
    assert receipt["started_at"] <= receipt["at"] <= closed["receipt"]["at"]
    assert closed["receipt"]["bytes_received"] > receipt["bytes_received"]
    assert closed["receipt"]["images_kept"] == 1  # written after the answer, and before the end
