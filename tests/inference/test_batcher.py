"""The batcher with a recogniser that only pretends, whose engine moves when the test says so."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio
from emostream.exceptions import (
    BatcherClosedError,
    EngineHangsError,
    ImageTooLargeError,
    InvalidImageError,
    LaneFullError,
    SupersededError,
)
from emostream.inference.batcher import Batcher, BatcherLane
from emostream.inference.device_preparation import PreparedFace
from emostream.inference.fair_queue import LaneMode
from emostream.inference.frame_batcher import Predictions

from tests.support import PATIENCE_S, FakeRecognizer, label_index, until

Open = Callable[..., Batcher]


@pytest.fixture
def recognizer() -> FakeRecognizer:
    """At most four faces a pass."""
    return FakeRecognizer(max_batch=4)


@pytest_asyncio.fixture
async def batcher(recognizer: FakeRecognizer) -> AsyncIterator[Batcher]:
    batcher = Batcher(recognizer, max_pixels=1000, decode_threads=2)
    yield batcher
    recognizer.open()
    await batcher.aclose()


def send(lane: BatcherLane, *images: bytes) -> asyncio.Task[Predictions]:
    """A frame under way. It is in its lane, or further, once the loop has turned."""
    return asyncio.create_task(lane.recognize(images))


async def turn() -> None:
    """Lets the event loop do everything that needs no thread."""
    for _ in range(20):
        await asyncio.sleep(0)


async def within_patience(task: asyncio.Task[Predictions]) -> Predictions:
    return await asyncio.wait_for(task, PATIENCE_S)


async def settled(*tasks: asyncio.Task[Predictions]) -> list[Predictions | BaseException]:
    gathered = asyncio.gather(*tasks, return_exceptions=True)
    return await asyncio.wait_for(gathered, PATIENCE_S)


async def occupy(recognizer: FakeRecognizer, batcher: Batcher) -> asyncio.Task[Predictions]:
    """Has the engine at work on a frame of a session of its own."""
    busy = send(batcher.open_lane(), b"busy")
    assert await recognizer.next_batch() == [b"busy"]
    return busy


async def until_prepared(batcher: Batcher, frames: int) -> None:
    """Waits until that many frames are staged and decoded. There is no event for it: decoding is quick."""
    await until(lambda: sum(frame.is_ready for frame in batcher._staged) >= frames)


# Batches


async def test_a_single_frame_goes_to_a_free_engine_at_once(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    task = send(batcher.open_lane(), b"one", b"two")

    assert await recognizer.next_batch() == [b"one", b"two"]
    recognizer.let_pass()
    answer = await within_patience(task)

    assert answer.probabilities.argmax(1).tolist() == [label_index(b"one"), label_index(b"two")]
    assert answer.batch_size == 2
    assert answer.queue_ms >= 0
    assert answer.inference_ms >= 0


async def test_what_came_while_the_engine_was_busy_is_one_batch(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = await occupy(recognizer, batcher)
    tasks = [send(batcher.open_lane(), image) for image in (b"a", b"b", b"c")]
    await turn()
    await until_prepared(batcher, 3)

    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"a", b"b", b"c"]
    answers = [await within_patience(task) for task in (busy, *tasks)]
    assert [answer.batch_size for answer in answers] == [1, 3, 3, 3]
    assert [int(answer.probabilities.argmax()) for answer in answers[1:]] == [
        label_index(image) for image in (b"a", b"b", b"c")
    ]


async def test_a_batch_is_full_at_the_largest_batch_and_the_rest_is_the_next(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    await occupy(recognizer, batcher)
    tasks = [send(batcher.open_lane(), f"{number}".encode()) for number in range(7)]
    await turn()
    await until_prepared(batcher, 4)
    assert batcher.waiting == 3

    recognizer.let_pass()
    assert await recognizer.next_batch() == [b"0", b"1", b"2", b"3"]
    await until_prepared(batcher, 3)
    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"4", b"5", b"6"]
    assert [(await within_patience(task)).batch_size for task in tasks] == [4] * 4 + [3] * 3


async def test_a_frame_is_never_split_over_two_batches(recognizer: FakeRecognizer, batcher: Batcher) -> None:
    await occupy(recognizer, batcher)
    sessions = [batcher.open_lane() for _ in range(3)]
    frames = [[b"a1", b"a2", b"a3"], [b"b1", b"b2"], [b"c1"]]
    tasks = [send(session, *frame) for session, frame in zip(sessions, frames, strict=True)]
    await turn()
    await until_prepared(batcher, 2)

    recognizer.let_pass()
    assert await recognizer.next_batch() == [b"a1", b"a2", b"a3"]
    await until_prepared(batcher, 2)
    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"b1", b"b2", b"c1"]
    assert all(isinstance(answer, Predictions) for answer in await settled(*tasks))


async def test_a_frame_with_more_faces_than_the_largest_batch_goes_alone(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    await occupy(recognizer, batcher)
    crowd = [f"face {number}".encode() for number in range(9)]
    tasks = [send(batcher.open_lane(), *crowd), send(batcher.open_lane(), b"small")]
    await turn()
    await until_prepared(batcher, 1)

    recognizer.let_pass(3)

    assert await recognizer.next_batch() == crowd
    assert await recognizer.next_batch() == [b"small"]
    answer = await within_patience(tasks[0])
    assert answer.probabilities.argmax(1).tolist() == [label_index(face) for face in crowd]


async def test_a_frame_without_faces_is_answered_with_none(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()

    answer = await within_patience(send(batcher.open_lane()))

    assert answer.probabilities.shape == (0, 7)
    assert answer.batch_size == 0


async def test_every_pass_is_reported_with_its_size(recognizer: FakeRecognizer) -> None:
    seen: list[int] = []
    batcher = Batcher(recognizer, 1000, 2, on_batch=lambda faces, seconds: seen.append(faces))
    recognizer.open()

    await within_patience(send(batcher.open_lane(), b"a", b"b"))
    await batcher.aclose()

    assert seen == [2]


async def test_the_event_loop_runs_while_the_engine_works(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = await occupy(recognizer, batcher)

    await asyncio.sleep(0.01)  # would never return, were the loop held

    assert not busy.done()


# The newest frame wins


async def test_a_waiting_frame_is_superseded_by_a_newer_one_of_its_session(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    session = batcher.open_lane()
    in_engine = send(session, b"in the engine")
    await recognizer.next_batch()
    staged, waiting, newest = (send(session, image) for image in (b"staged", b"waiting", b"newest"))

    with pytest.raises(SupersededError):
        await within_patience(waiting)
    recognizer.let_pass(3)

    assert await recognizer.next_batch() == [b"staged"]
    assert await recognizer.next_batch() == [b"newest"]
    assert all(isinstance(answer, Predictions) for answer in await settled(in_engine, staged, newest))


async def test_a_newer_frame_of_another_session_supersedes_nothing(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    await occupy(recognizer, batcher)
    tasks = [send(batcher.open_lane(), f"{number}".encode()) for number in range(6)]
    await turn()

    recognizer.open()

    assert all(isinstance(answer, Predictions) for answer in await settled(*tasks))


# One bad frame


@pytest.mark.parametrize(
    ("picture", "error"), [(b"broken", InvalidImageError), (b"huge", ImageTooLargeError)]
)
async def test_a_picture_that_cannot_be_decoded_fails_alone(
    recognizer: FakeRecognizer, batcher: Batcher, picture: bytes, error: type[Exception]
) -> None:
    await occupy(recognizer, batcher)
    tasks = [send(batcher.open_lane(), image) for image in (b"a", picture, b"b")]
    await turn()

    with pytest.raises(error):
        await within_patience(tasks[1])  # at once, although the engine is busy
    await until_prepared(batcher, 2)
    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"a", b"b"]
    assert [
        answer.batch_size for answer in (await within_patience(tasks[0]), await within_patience(tasks[2]))
    ] == [
        2,
        2,
    ]


async def test_a_frame_with_one_bad_picture_fails_as_a_whole(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    with pytest.raises(InvalidImageError):
        await within_patience(send(batcher.open_lane(), b"good", b"broken", b"good"))

    assert recognizer.batches == []


async def test_a_session_goes_on_after_a_bad_picture(recognizer: FakeRecognizer, batcher: Batcher) -> None:
    recognizer.open()
    session = batcher.open_lane()
    for _ in range(3):
        with pytest.raises(InvalidImageError):
            await within_patience(send(session, b"broken"))

    assert (await within_patience(send(session, b"good"))).batch_size == 1


async def test_a_frame_that_makes_the_engine_fail_fails_alone(
    recognizer: FakeRecognizer, batcher: Batcher, caplog: pytest.LogCaptureFixture
) -> None:
    await occupy(recognizer, batcher)
    tasks = [send(batcher.open_lane(), image) for image in (b"a", b"poison", b"b")]
    await turn()
    await until_prepared(batcher, 3)

    recognizer.open()
    first, poisoned, last = await settled(*tasks)

    assert recognizer.batches[1:] == [[b"a", b"poison", b"b"], [b"a"], [b"poison"], [b"b"]]
    assert isinstance(poisoned, ArithmeticError)
    for answer, image in ((first, b"a"), (last, b"b")):
        assert isinstance(answer, Predictions)
        assert int(answer.probabilities.argmax()) == label_index(image)
        assert answer.batch_size == 1
    assert "the engine failed on a frame of 1 faces" in caplog.text


async def test_the_engine_goes_on_after_a_failure(recognizer: FakeRecognizer, batcher: Batcher) -> None:
    recognizer.open()
    session = batcher.open_lane()
    for _ in range(3):
        with pytest.raises(ArithmeticError):
            await within_patience(send(session, b"poison"))

    assert (await within_patience(send(session, b"good"))).batch_size == 1


# Sessions that end


async def test_a_session_may_close_while_its_frame_waits(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = await occupy(recognizer, batcher)
    leaving, staying = batcher.open_lane(), batcher.open_lane()
    gone = [send(leaving, b"staged"), send(leaving, b"waiting")]
    await turn()
    assert batcher.waiting == 1
    stays = send(staying, b"stays")
    await turn()

    leaving.close()

    assert all(isinstance(end, asyncio.CancelledError) for end in await settled(*gone))
    assert batcher.waiting == 0
    recognizer.let_pass(2)
    assert await recognizer.next_batch() == [b"stays"]
    assert all(isinstance(answer, Predictions) for answer in await settled(busy, stays))


async def test_a_session_may_close_while_its_frame_is_being_decoded(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    leaving = batcher.open_lane()
    gone = send(leaving, b"slow picture")
    await recognizer.next_decoding()

    leaving.close()
    recognizer.let_decode()

    assert isinstance((await settled(gone))[0], asyncio.CancelledError)
    recognizer.let_pass()
    assert (await within_patience(send(batcher.open_lane(), b"next"))).batch_size == 1
    assert recognizer.batches == [[b"next"]]
    assert batcher._staged == []


async def test_a_session_may_close_while_its_frame_is_staged(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = await occupy(recognizer, batcher)
    leaving = batcher.open_lane()
    gone = send(leaving, b"gone")
    stays = send(batcher.open_lane(), b"stays")
    await turn()
    await until_prepared(batcher, 2)

    leaving.close()
    recognizer.let_pass(2)

    assert isinstance((await settled(gone))[0], asyncio.CancelledError)
    assert await recognizer.next_batch() == [b"stays"]
    assert all(isinstance(answer, Predictions) for answer in await settled(busy, stays))


async def test_a_client_may_leave_while_its_frame_is_in_the_engine(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    leaving = batcher.open_lane()
    gone = send(leaving, b"gone")
    await recognizer.next_batch()

    gone.cancel()
    leaving.close()
    recognizer.let_pass(2)

    assert isinstance((await settled(gone))[0], asyncio.CancelledError)
    assert (await within_patience(send(batcher.open_lane(), b"next"))).batch_size == 1


# Fairness


async def test_a_fast_session_gets_no_more_of_the_engine_than_a_slow_one(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    """The fast one has twenty frames waiting when the slow one sends its first."""
    recognizer.max_batch = 1
    await occupy(recognizer, batcher)
    fast = batcher.open_lane(LaneMode.ALL, 20)
    slow = batcher.open_lane(LaneMode.ALL, 20)
    fast_tasks = [send(fast, f"fast {number}".encode()) for number in range(20)]
    await turn()
    slow_tasks = [send(slow, f"slow {number}".encode()) for number in range(3)]
    await turn()

    recognizer.open()
    await settled(*slow_tasks)
    order = [batch[0].split()[0] for batch in recognizer.batches[1:]]
    await settled(*fast_tasks)

    # One of the fast one's frames was staged before.
    assert order[:7] == [b"fast", b"fast", b"slow", b"fast", b"slow", b"fast", b"slow"]


async def test_a_live_session_shares_each_batch_with_a_recording(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    await occupy(recognizer, batcher)
    recording = batcher.open_lane(LaneMode.ALL, 20)
    tasks = [send(recording, f"{number}".encode()) for number in range(9)]
    await turn()
    live = send(batcher.open_lane(), b"live")
    await turn()
    await until_prepared(batcher, 4)

    recognizer.let_pass()
    await recognizer.next_batch()
    await until_prepared(batcher, 4)
    recognizer.let_pass()

    assert b"live" in await recognizer.next_batch()
    recognizer.open()
    await settled(*tasks, live)


# Every frame, in order


async def test_a_recordings_frames_are_all_answered_in_order(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    session = batcher.open_lane(LaneMode.ALL, 50)
    ended: list[int] = []
    tasks = []
    for number in range(50):
        tasks.append(send(session, f"frame {number}".encode()))
        tasks[-1].add_done_callback(lambda task, number=number: ended.append(number))
    await turn()

    recognizer.open()
    answers = await settled(*tasks)

    assert ended == list(range(50))
    for number, answer in enumerate(answers):
        assert isinstance(answer, Predictions)
        assert int(answer.probabilities.argmax()) == label_index(f"frame {number}".encode())


class RecognizerOfLargeCrops(FakeRecognizer):
    """Images that start with ``slow`` are large, too."""

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        if data.startswith(b"slow") and max_pixels < 4_000_000:
            raise ImageTooLargeError(max_pixels, "the image is large")
        return super().prepare(data, max_pixels)


async def test_large_crops_are_decoded_beside_the_others_and_hold_up_nobody() -> None:
    """A frame of 32 flat PNGs of 8 megapixels, 260 KB, had others wait for seconds."""
    recognizer = RecognizerOfLargeCrops(is_open=True)
    batcher = Batcher(recognizer, max_pixels=4_000_000, decode_threads=2)
    large = batcher.open_lane(LaneMode.ALL, 2)
    first, second = send(large, *[b"slow"] * 6), send(large, b"next")
    assert await recognizer.next_decoding() == b"slow"

    others = [await within_patience(send(batcher.open_lane(), b"quick")) for _ in range(3)]

    assert [predictions.batch_size for predictions in others] == [1, 1, 1]
    assert not first.done()
    assert not second.done()  # frames of one session are answered in their order
    recognizer.let_decode(6)
    assert len((await within_patience(first)).probabilities) == 6
    await within_patience(second)
    await batcher.aclose()


async def test_a_frame_that_decodes_slowly_is_not_overtaken_by_its_session_but_by_others(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    session = batcher.open_lane(LaneMode.ALL, 9)
    tasks = [send(session, b"slow first"), send(session, b"second")]
    await recognizer.next_decoding()
    await turn()
    tasks.append(send(batcher.open_lane(), b"other"))

    assert await recognizer.next_batch() == [b"other"]
    recognizer.let_decode()
    await until_prepared(batcher, 2)
    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"slow first", b"second"]
    await settled(*tasks)


async def test_a_recording_that_does_not_wait_is_told_that_its_lane_is_full(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    session = batcher.open_lane(LaneMode.ALL, queue_length=2)
    # Four frames fill the engine's batch and the staging, two more the lane.
    in_engine = send(session, b"engine")
    await recognizer.next_batch()
    under_way = [send(session, f"{number}".encode()) for number in range(4)]
    await turn()
    waiting = [send(session, b"w"), send(session, b"w")]
    await turn()

    with pytest.raises(LaneFullError):
        await session.recognize([b"too many"])

    recognizer.open()
    answers = await settled(in_engine, *under_way, *waiting)
    assert all(isinstance(answer, Predictions) for answer in answers)


# An engine that hangs


async def test_a_pass_that_hangs_fails_every_frame_until_there_is_another_engine(
    recognizer: FakeRecognizer,
) -> None:
    batcher = Batcher(recognizer, 1000, 2, engine_timeout_s=0.1)
    troubles: list[bool] = []
    batcher.on_trouble = lambda: troubles.append(batcher.hangs)
    lane = batcher.open_lane(LaneMode.ALL, 9)
    busy = send(lane, b"busy")
    assert await recognizer.next_batch() == [b"busy"]

    ends = await settled(busy, *(send(lane, b"waits") for _ in range(8)))

    assert [type(end) for end in ends] == [EngineHangsError] * 9
    assert troubles == [True]
    assert (batcher.waiting, batcher.oldest_s) == (0, 0.0)
    with pytest.raises(EngineHangsError):
        await lane.recognize([b"x"])

    another = FakeRecognizer(max_batch=2, is_open=True)
    batcher.resume(another)
    answer = await asyncio.wait_for(lane.recognize([b"x", b"x"]), PATIENCE_S)
    assert answer.batch_size == 2
    assert not batcher.hangs
    assert batcher.hanging_passes == 1

    recognizer.open()  # the pass comes back, much too late: to nobody
    await until(lambda: not batcher.hanging_passes)
    assert (await lane.recognize([b"y"])).batch_size == 1
    assert recognizer.batches == [[b"busy"]]
    assert await batcher.aclose()


async def test_closing_says_whether_a_thread_is_still_at_something(recognizer: FakeRecognizer) -> None:
    batcher = Batcher(recognizer, 1000, 2)
    in_engine = await occupy(recognizer, batcher)

    assert not await batcher.aclose(wait_s=0.05)

    assert [type(end) for end in await settled(in_engine)] == [BatcherClosedError]
    recognizer.open()


# The end


async def test_closing_leaves_no_caller_waiting(recognizer: FakeRecognizer) -> None:
    """One frame in the engine, one batch staged, one picture being decoded, one frame waiting."""
    batcher = Batcher(recognizer, 1000, 2)
    in_engine = await occupy(recognizer, batcher)
    session = batcher.open_lane(LaneMode.ALL, 9)
    staged = [send(session, b"slow"), *(send(session, b"x") for _ in range(3))]
    await recognizer.next_decoding()
    waiting = send(session, b"waits")
    await turn()
    assert batcher.waiting == 1

    closing = asyncio.create_task(batcher.aclose())
    ends = await settled(in_engine, *staged, waiting)
    recognizer.open()
    await asyncio.wait_for(closing, PATIENCE_S)

    assert [type(end) for end in ends] == [BatcherClosedError] * 6
    assert recognizer.batches == [[b"busy"]]
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith(("decode", "engine")) for name in names)


async def test_a_closed_batcher_takes_no_more_frames(recognizer: FakeRecognizer) -> None:
    batcher = Batcher(recognizer, 1000, 2)
    await batcher.aclose()

    with pytest.raises(BatcherClosedError):
        await batcher.open_lane().recognize([b"x"])


async def test_a_batcher_without_work_closes(recognizer: FakeRecognizer) -> None:
    batcher = Batcher(recognizer, 1000, 2)

    await asyncio.wait_for(batcher.aclose(), PATIENCE_S)


def test_the_fakes_answers_are_certain() -> None:
    """What the tests above build upon."""
    recognizer = FakeRecognizer()
    recognizer.open()

    answers = recognizer.infer([recognizer.prepare(b"a", 1), recognizer.prepare(b"b", 1)])

    assert np.array_equal(answers.sum(1), [1, 1])
    assert label_index(b"a") != label_index(b"b")
