import asyncio

import numpy as np
import pytest
from emostream.client.encoding import Encoded
from emostream.client.messages import ErrorMessage, parse_server_message
from emostream.client.outbox import Entry, Outbox, Verdict
from emostream.client.results import Dropped, FrameError, FrameResult
from emostream.exceptions import ClientError, SourceError
from emostream.protocol import wire
from emostream.sources import Frame

from tests.client.scripted import result
from tests.support import LABELS

FRAME = Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8), None)


def entry(frame_id: int) -> Entry:
    return Entry(frame_id, Encoded(FRAME, b"message %d" % frame_id, LABELS))


def verdict(frame_id: int) -> Verdict:
    message = parse_server_message(result(frame_id))
    assert isinstance(message, wire.Result)
    return message


async def with_frames(*frame_ids: int, repeats: bool = True) -> Outbox:
    outbox = Outbox(len(frame_ids), repeats)
    for frame_id in frame_ids:
        await outbox.put(entry(frame_id))
    return outbox


async def answers(outbox: Outbox) -> list[object]:
    got = []
    while (answer := await outbox.next_answer()) is not None:
        got.append((type(answer), answer.frame_id))
    return got


async def test_answers_come_in_the_order_of_the_frames() -> None:
    outbox = await with_frames(0, 1, 2)
    assert [await outbox.next_to_send() for _ in range(3)] == [b"message 0", b"message 1", b"message 2"]

    for frame_id in (2, 0, 1):
        await outbox.answered(frame_id, verdict(frame_id))
    await outbox.complete()

    assert await answers(outbox) == [(FrameResult, 0), (FrameResult, 1), (FrameResult, 2)]


async def test_there_is_room_again_only_when_an_answer_is_taken() -> None:
    outbox = await with_frames(0)
    waiting = asyncio.create_task(outbox.room())
    await outbox.next_to_send()
    await outbox.answered(0, verdict(0))
    await asyncio.sleep(0)
    assert not waiting.done()

    await outbox.next_answer()

    await waiting


async def test_what_was_under_way_is_sent_again_in_order_and_answered_once() -> None:
    outbox = await with_frames(0, 1, 2)
    for _ in range(3):
        await outbox.next_to_send()
    await outbox.answered(1, verdict(1))

    await outbox.connection_lost()

    assert [await outbox.next_to_send() for _ in range(2)] == [b"message 0", b"message 2"]
    for frame_id in (0, 0, 1, 2, 99):
        await outbox.answered(frame_id, verdict(frame_id))
    await outbox.complete()
    assert [frame_id for _, frame_id in await answers(outbox)] == [0, 1, 2]  # type: ignore[misc]


async def test_realtime_frames_under_way_count_as_dropped() -> None:
    outbox = await with_frames(0, 1, repeats=False)
    await outbox.next_to_send()

    await outbox.connection_lost()

    answer = await outbox.next_answer()
    assert isinstance(answer, Dropped)
    assert answer.reason == "disconnected"
    assert await outbox.next_to_send() == b"message 1"


async def test_a_frame_that_came_too_fast_is_sent_again_and_other_errors_are_its_answer() -> None:
    outbox = await with_frames(0)
    await outbox.next_to_send()
    await outbox.answered(0, ErrorMessage("rate_limited", "too fast", 0, True))
    await outbox.next_to_send()
    await outbox.answered(0, ErrorMessage("invalid_image", "broken", 0))

    assert await outbox.next_answer() == FrameError(FRAME, 0, "invalid_image", "broken")


async def test_a_dropped_frame_is_told() -> None:
    outbox = await with_frames(0)
    await outbox.next_to_send()
    await outbox.answered(0, wire.Dropped(frame_id=0))

    assert await outbox.next_answer() == Dropped(FRAME, 0, "superseded")


async def test_the_sources_error_comes_after_the_last_answer() -> None:
    outbox = await with_frames(0)
    await outbox.complete(SourceError("torn"))
    await outbox.next_to_send()
    await outbox.answered(0, verdict(0))

    assert await outbox.next_answer() is not None
    with pytest.raises(SourceError, match="torn"):
        await outbox.next_answer()


async def test_a_connection_gone_for_good_leaves_the_answers_that_are_there() -> None:
    outbox = await with_frames(0, 1)
    await outbox.next_to_send()
    await outbox.answered(0, verdict(0))
    await outbox.fail(ClientError("gone"))

    assert await outbox.next_answer() is not None
    for waiting in (outbox.next_answer(), outbox.room()):
        with pytest.raises(ClientError, match="gone"):
            await waiting


async def test_a_cleared_outbox_is_ready_for_another_source() -> None:
    outbox = await with_frames(0)
    await outbox.complete(SourceError("torn"))

    await outbox.clear()
    await outbox.put(entry(1))

    assert await outbox.next_to_send() == b"message 1"
