"""The contract of ``FrameBatcher``, held by the batcher of this process and by a gateway's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from emostream.analysis.finder import EncodedSearch, FaceFinder
from emostream.detection.detector import FaceDetector
from emostream.exceptions import (
    BatcherClosedError,
    ImageTooLargeError,
    InvalidImageError,
    LaneFullError,
    SupersededError,
)
from emostream.inference.batcher import Batcher
from emostream.inference.fair_queue import LaneMode, Priority
from emostream.inference.frame_batcher import FrameBatcher, Predictions
from emostream.settings import Settings

from tests.cluster.gateways import gateway, replica
from tests.portraits import portrait_file
from tests.support import LABELS, PATIENCE_S, FakeRecognizer, label_index


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def finder() -> FaceFinder:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    return FaceFinder(FaceDetector.load(settings.faces_dir, settings.min_face_px), FakeRecognizer.input_sizes)


@pytest.fixture(params=["local", "remote"])
async def batcher(
    request: pytest.FixtureRequest, recognizer: FakeRecognizer, finder: FaceFinder
) -> AsyncIterator[FrameBatcher]:
    if request.param == "local":
        local = Batcher(recognizer, max_pixels=1000, decode_threads=2)
        yield local
        recognizer.open()
        assert await local.aclose()
    else:
        async with gateway(replica(recognizer, finder)) as (remote, _):
            yield remote
            recognizer.open()


def search(batcher: FrameBatcher, finder: FaceFinder) -> EncodedSearch:
    """As the sessions of each would ask for it."""
    return EncodedSearch(getattr(batcher, "finder", finder), portrait_file(), 10**7, 8)


def label(predictions: Predictions) -> str:
    return LABELS[int(predictions.probabilities[0].argmax())]


async def soon(work: Awaitable[Predictions]) -> Predictions:
    return await asyncio.wait_for(work, PATIENCE_S)


async def begun(
    recognizer: FakeRecognizer, batcher: FrameBatcher, passes: int = 1
) -> list[asyncio.Task[Predictions]]:
    """Frames of other clients that keep the engine, and whatever is prepared for it, busy."""
    tasks = []
    for index in range(passes):
        tasks.append(asyncio.create_task(batcher.open_lane().recognize([b"busy"] * recognizer.max_batch)))
        if index == 0:
            await recognizer.next_batch()
    await asyncio.sleep(0.05)
    return tasks


async def test_a_frame_is_answered_with_the_probabilities_of_its_crops_in_their_order(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    recognizer.open()

    predictions = await soon(batcher.open_lane().recognize([b"a", b"b", b"c"]))

    assert [LABELS[row.argmax()] for row in predictions.probabilities] == [
        LABELS[label_index(picture)] for picture in (b"a", b"b", b"c")
    ]
    assert predictions.batch_size == 3
    assert len(predictions.measures) == 3
    assert predictions.queue_ms >= 0
    assert predictions.inference_ms > 0
    assert (batcher.waiting, batcher.unanswered, batcher.oldest_s, batcher.trouble) == (0, 0, 0.0, None)


async def test_a_newer_frame_of_a_live_lane_takes_the_place_of_one_that_waits(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    busy = await begun(recognizer, batcher, passes=3)
    lane = batcher.open_lane()
    # One may be with the engine's preparation already; of the rest the last one is left.
    tasks = [asyncio.create_task(lane.recognize([picture])) for picture in (b"1", b"2", b"3", b"4")]
    await asyncio.sleep(0.05)
    assert batcher.oldest_s > 0
    recognizer.open()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*busy)

    assert isinstance(outcomes[1], SupersededError)
    assert isinstance(outcomes[2], SupersededError)
    assert isinstance(outcomes[3], Predictions)


async def test_a_recordings_frames_are_all_answered_in_their_order(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    recognizer.open()
    lane, done = batcher.open_lane(LaneMode.ALL, 16), []

    async def one(index: int) -> None:
        predictions = await lane.recognize([bytes([index])])
        assert label(predictions) == LABELS[index % len(LABELS)]
        done.append(index)

    await asyncio.wait_for(asyncio.gather(*(one(index) for index in range(16))), PATIENCE_S)

    assert done == list(range(16))


async def test_a_lane_holds_no_more_than_it_may(recognizer: FakeRecognizer, batcher: FrameBatcher) -> None:
    busy = await begun(recognizer, batcher, passes=3)
    lane = batcher.open_lane(LaneMode.ALL, 2)
    tasks = [asyncio.create_task(lane.recognize([b"x"] * recognizer.max_batch)) for _ in range(20)]
    await asyncio.sleep(0.05)
    recognizer.open()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)
    await asyncio.gather(*busy)

    refused = [outcome for outcome in outcomes if isinstance(outcome, LaneFullError)]
    assert 10 <= len(refused) <= 18
    assert len(refused) + sum(isinstance(outcome, Predictions) for outcome in outcomes) == 20


async def test_clients_take_turns_however_much_each_of_them_sends(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    busy = await begun(recognizer, batcher, passes=3)
    greedy, modest = batcher.open_lane(LaneMode.ALL, 100), batcher.open_lane()
    order: list[str] = []

    async def one(lane: object, name: str, faces: int) -> None:
        await lane.recognize([name.encode()] * faces)  # type: ignore[attr-defined]
        order.append(name)

    tasks = [asyncio.create_task(one(greedy, "greedy", recognizer.max_batch)) for _ in range(20)]
    await asyncio.sleep(0.02)
    tasks.append(asyncio.create_task(one(modest, "modest", recognizer.max_batch)))
    await asyncio.sleep(0.02)
    recognizer.open()
    await asyncio.wait_for(asyncio.gather(*tasks, *busy), PATIENCE_S)

    assert order.index("modest") <= 5


@pytest.mark.parametrize(
    ("picture", "error"), [(b"broken", InvalidImageError), (b"huge", ImageTooLargeError)]
)
async def test_a_bad_image_fails_its_own_frame_and_no_other(
    recognizer: FakeRecognizer, batcher: FrameBatcher, picture: bytes, error: type[Exception]
) -> None:
    recognizer.open()

    outcomes = await asyncio.wait_for(
        asyncio.gather(
            batcher.open_lane().recognize([b"fine", picture]),
            batcher.open_lane().recognize([b"fine"]),
            return_exceptions=True,
        ),
        PATIENCE_S,
    )

    assert type(outcomes[0]) is error
    assert outcomes[0].index == 1  # type: ignore[union-attr]
    assert "the image is" in str(outcomes[0])
    assert isinstance(outcomes[1], Predictions)


async def test_a_frame_on_which_the_engine_fails_costs_no_other(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    busy = await begun(recognizer, batcher)
    tasks = [asyncio.create_task(batcher.open_lane().recognize([name])) for name in (b"a", b"poison", b"b")]
    await asyncio.sleep(0.05)
    recognizer.open()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)
    await asyncio.gather(*busy)

    assert [isinstance(outcome, Predictions) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], Exception)
    assert not batcher.is_failing


async def test_an_engine_on_which_everything_fails_is_failing_until_it_computes_again(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    recognizer.open()
    recognizer.is_broken = True
    for _ in range(3):
        with pytest.raises(Exception, match="comput"):
            await soon(batcher.open_lane().recognize([b"x"]))
    assert batcher.is_failing

    recognizer.is_broken = False
    await soon(batcher.open_lane().recognize([b"x"]))
    assert not batcher.is_failing


async def test_a_whole_image_is_searched_for_faces(
    recognizer: FakeRecognizer, batcher: FrameBatcher, finder: FaceFinder
) -> None:
    recognizer.open()

    found, predictions = await asyncio.wait_for(
        batcher.open_lane().recognize_prepared(search(batcher, finder)), PATIENCE_S
    )

    assert len(found.boxes_xywh) == len(found.crops) == len(predictions.probabilities) == 1
    [face] = found.recognized(LABELS, predictions.probabilities)
    assert face.score > 0.5


async def test_images_in_the_background_are_answered_beside_live_frames(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    recognizer.open()
    background = batcher.open_lane(LaneMode.ALL, 4, Priority.BACKGROUND)

    answers = await asyncio.wait_for(
        asyncio.gather(
            *(background.recognize([b"p"]) for _ in range(4)), batcher.open_lane().recognize([b"l"])
        ),
        PATIENCE_S,
    )

    assert [label(answer) for answer in answers] == [
        LABELS[label_index(p)] for p in (b"p", b"p", b"p", b"p", b"l")
    ]


async def test_the_frames_of_a_client_that_has_left_are_forgotten(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    busy = await begun(recognizer, batcher, passes=3)
    lane = batcher.open_lane(LaneMode.ALL, 4)
    tasks = [asyncio.create_task(lane.recognize([b"gone"])) for _ in range(3)]
    await asyncio.sleep(0.05)

    lane.close()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)
    recognizer.open()
    await asyncio.gather(*busy)

    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert batcher.unanswered == 0


async def test_abandoning_fails_every_frame_and_takes_no_more(
    recognizer: FakeRecognizer, batcher: FrameBatcher
) -> None:
    task = asyncio.create_task(batcher.open_lane().recognize([b"x"]))
    await recognizer.next_batch()

    batcher.abandon()

    with pytest.raises(BatcherClosedError):
        await soon(task)
    with pytest.raises(BatcherClosedError):
        await soon(batcher.open_lane().recognize([b"y"]))
