"""Pictures in the batcher's background, beside live frames."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from emostream.exceptions import BatcherClosedError, InvalidImageError
from emostream.inference.batcher import Batcher
from emostream.inference.device_preparation import PreparedFace
from emostream.inference.fair_queue import LaneMode, Priority
from emostream.inference.frame_batcher import Predictions

from tests.support import PATIENCE_S, FakeRecognizer, label_index, prepared, until


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer(max_batch=4)


@pytest_asyncio.fixture
async def batcher(recognizer: FakeRecognizer) -> AsyncIterator[Batcher]:
    batcher = Batcher(recognizer, max_pixels=1000, decode_threads=2, image_threads=2)
    yield batcher
    recognizer.open()
    await batcher.aclose()


@dataclass(frozen=True)
class Found:
    """What is prepared of a picture."""

    crops: list[PreparedFace]
    picture: "Picture"


class Picture:
    """A picture whose faces are found when the test says so."""

    def __init__(self, *faces: bytes, is_held: bool = False) -> None:
        self.begun = threading.Event()
        self._may_end = threading.Event()
        self._faces = faces
        if not is_held:
            self._may_end.set()

    def __call__(self) -> "Found":
        self.begun.set()
        assert self._may_end.wait(PATIENCE_S)
        return Found([prepared(face) for face in self._faces], self)

    def let_end(self) -> None:
        self._may_end.set()


def send_picture(batcher: Batcher, picture: Picture) -> asyncio.Task[Predictions]:
    lane = batcher.open_lane(LaneMode.ALL, 1, Priority.BACKGROUND)

    async def predictions() -> Predictions:
        found, predicted = await lane.recognize_prepared(picture)
        assert found.picture is picture  # its own, whatever else was in the batch
        return predicted

    return asyncio.create_task(predictions())


def send_search(
    batcher: Batcher, picture: Picture, mode: LaneMode = LaneMode.LATEST
) -> asyncio.Task[Predictions]:
    """A live frame in which faces are to be found."""

    async def predictions() -> Predictions:
        return (await batcher.open_lane(mode).recognize_prepared(picture))[1]

    return asyncio.create_task(predictions())


def send_live(batcher: Batcher, image: bytes) -> asyncio.Task[Predictions]:
    return asyncio.create_task(batcher.open_lane().recognize([image]))


async def until_prepared(batcher: Batcher, frames: int) -> None:
    await until(lambda: sum(frame.is_ready for frame in batcher._staged) >= frames)


async def test_the_faces_of_a_picture_are_answered_however_many_were_found(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()

    answer = await send_picture(batcher, Picture(b"one", b"two", b"three"))

    assert answer.probabilities.argmax(1).tolist() == [
        label_index(face) for face in (b"one", b"two", b"three")
    ]
    assert answer.batch_size == 3


async def test_a_picture_without_faces_is_answered_with_none(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()

    assert (await send_picture(batcher, Picture())).probabilities.shape == (0, 7)


async def test_a_picture_yields_to_a_live_frame_when_both_wait(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = send_live(batcher, b"busy")
    await recognizer.next_batch()
    picture = send_picture(batcher, Picture(b"p"))
    await until_prepared(batcher, 1)
    live = send_live(batcher, b"live")
    await until_prepared(batcher, 2)

    recognizer.let_pass(3)

    assert await recognizer.next_batch() == [b"live"]
    assert await recognizer.next_batch() == [b"p"]
    await asyncio.gather(busy, picture, live)


async def test_pictures_ride_together_where_nobody_watches(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    busy = send_live(batcher, b"busy")
    await recognizer.next_batch()
    pictures = [send_picture(batcher, Picture(face)) for face in (b"p", b"q", b"r")]
    await until_prepared(batcher, 3)

    recognizer.let_pass(2)

    assert await recognizer.next_batch() == [b"p", b"q", b"r"]
    await asyncio.gather(busy, *pictures)


async def test_a_live_frame_does_not_wait_for_pictures_that_are_being_searched(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()
    held = [Picture(b"p", is_held=True) for _ in range(3)]
    pictures = [send_picture(batcher, picture) for picture in held]
    await asyncio.to_thread(held[1].begun.wait, PATIENCE_S)

    assert (await send_live(batcher, b"live")).batch_size == 1

    for picture in held:
        picture.let_end()
    await asyncio.gather(*pictures)


async def test_no_more_pictures_are_begun_than_there_are_threads(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()
    held = [Picture(b"p", is_held=True) for _ in range(5)]
    pictures = [send_picture(batcher, picture) for picture in held]
    await asyncio.to_thread(held[1].begun.wait, PATIENCE_S)
    await asyncio.sleep(0.01)

    assert [picture.begun.is_set() for picture in held] == [True, True, False, False, False]
    assert batcher.waiting == 3

    for picture in held:
        picture.let_end()
    await asyncio.gather(*pictures)


async def test_a_picture_that_cannot_be_used_fails_alone_and_the_next_one_is_begun(
    recognizer: FakeRecognizer, batcher: Batcher
) -> None:
    recognizer.open()

    def broken() -> Found:
        raise InvalidImageError("broken")

    session = batcher.open_lane(LaneMode.ALL, 9, Priority.BACKGROUND)
    work = [broken, Picture(b"p"), broken, Picture(b"q"), broken]
    ends = await asyncio.gather(
        *(session.recognize_prepared(piece) for piece in work), return_exceptions=True
    )

    assert [isinstance(end, InvalidImageError) for end in ends] == [True, False, True, False, True]


async def test_closing_leaves_no_picture_waiting(recognizer: FakeRecognizer) -> None:
    batcher = Batcher(recognizer, 1000, 2, image_threads=1)
    held = Picture(b"p", is_held=True)
    tasks = [send_picture(batcher, held), send_picture(batcher, Picture(b"q"))]
    await asyncio.to_thread(held.begun.wait, PATIENCE_S)

    closing = asyncio.create_task(batcher.aclose())
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    held.let_end()
    await asyncio.wait_for(closing, PATIENCE_S)

    assert [type(end) for end in ends] == [BatcherClosedError] * 2
    assert not any(thread.name.startswith("picture") for thread in threading.enumerate())


# Faces to be found in live frames


async def test_live_crops_are_answered_while_every_live_search_is_busy(
    batcher: Batcher, recognizer: FakeRecognizer
) -> None:
    recognizer.open()
    searches = [Picture(b"found", is_held=True) for _ in range(2 * recognizer.max_batch)]
    tasks = [send_search(batcher, search) for search in searches]
    await asyncio.to_thread(searches[0].begun.wait, PATIENCE_S)

    answer = await asyncio.wait_for(send_live(batcher, b"crop"), PATIENCE_S)

    assert answer.probabilities.argmax() == label_index(b"crop")
    for search in searches:
        search.let_end()
    assert len(await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)) == len(searches)


async def test_crops_behind_a_search_of_their_own_session_take_no_place_of_others(
    batcher: Batcher, recognizer: FakeRecognizer
) -> None:
    """They are answered in their order, so they would fill up what waits for the engine."""
    recognizer.open()
    lane, search = batcher.open_lane(LaneMode.ALL, 16), Picture(b"found", is_held=True)
    searching = asyncio.create_task(lane.recognize_prepared(search))
    await asyncio.to_thread(search.begun.wait, PATIENCE_S)
    behind = [asyncio.create_task(lane.recognize([b"behind"])) for _ in range(2 * recognizer.max_batch)]

    answer = await asyncio.wait_for(send_live(batcher, b"crop"), PATIENCE_S)

    assert answer.probabilities.argmax() == label_index(b"crop")
    assert not any(task.done() for task in behind)
    search.let_end()
    await asyncio.wait_for(asyncio.gather(searching, *behind), PATIENCE_S)
