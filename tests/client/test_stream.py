import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emostream.client import Dropped, FrameError, FrameResult, connect
from emostream.exceptions import ClientError, LostError, SourceError
from emostream.sources.camera import CameraSource

from tests.portraits import portrait
from tests.sample_videos import moving_portrait, write_video
from tests.servers import ServerThread, server_thread
from tests.support import LABELS, FakeRecognizer, jpeg, label_index


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(is_open=True), max_frames_per_second=1000) as server:
        yield server


async def test_every_crop_is_answered_in_order(server: ServerThread) -> None:
    crops = [jpeg(colour=(index * 20, 0, 0)) for index in range(12)]

    async with connect(server.http, detect="none") as stream:
        answers = [answer async for answer in stream.frames(crops)]

    assert stream.info.labels == LABELS
    assert stream.info.model == "fake"
    assert [answer.frame.index for answer in answers] == list(range(12))
    for crop, answer in zip(crops, answers, strict=True):
        assert isinstance(answer, FrameResult)
        assert answer.faces[0].emotion == LABELS[label_index(crop)]
        assert answer.latency_ms is not None
        assert answer.timing is not None
        assert answer.latency_ms >= answer.timing.queue_ms


async def test_no_more_frames_are_under_way_than_wanted() -> None:
    recognizer = FakeRecognizer(max_batch=16)
    taken = 0

    async def crops() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(9):
            taken += 1
            yield jpeg()

    with server_thread(recognizer) as server:
        async with connect(server.http, detect="none", in_flight=3) as stream:
            answers = stream.frames(crops())
            first = asyncio.create_task(anext(answers))
            await recognizer.next_batch()
            await asyncio.sleep(0.2)
            assert taken == 3
            recognizer.open()
            assert (await first).frame.index == 0
            assert len([answer async for answer in answers]) == 8


async def test_faces_are_found_here_and_have_boxes_and_scores(server: ServerThread, tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", moving_portrait(4))

    async with connect(server.http) as stream:
        answers = [answer async for answer in stream.frames(str(film))]

    faces = [answer.faces for answer in answers if isinstance(answer, FrameResult)]
    assert [len(found) for found in faces] == [1, 1, 1, 1]
    assert {found[0].face_id for found in faces} == {1}
    assert faces[0][0].box_xywh is not None
    assert faces[0][0].score is not None


async def test_a_frame_without_a_face_keeps_its_turn(server: ServerThread) -> None:
    face, blank = np.asarray(portrait()), np.zeros((64, 64, 3), np.uint8)

    async with connect(server.http) as stream:
        answers = [answer async for answer in stream.frames([face, blank, face])]

    assert [len(answer.faces) for answer in answers if isinstance(answer, FrameResult)] == [1, 0, 1]


async def test_the_interval_is_of_the_films_own_time(server: ServerThread, tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", moving_portrait(10, 64))  # 10 frames a second

    async with connect(server.http, detect="none") as stream:
        answers = [answer async for answer in stream.frames(str(film), interval_s=0.3)]

    assert [answer.frame.index for answer in answers] == [0, 3, 6, 9]


async def test_a_receipt_counts_what_was_sent(server: ServerThread) -> None:
    async with connect(server.http, detect="none") as stream:
        _ = [answer async for answer in stream.frames([jpeg()] * 3)]
        receipt, again = await asyncio.gather(stream.receipt(), stream.receipt())

    assert receipt.session_id == again.session_id == stream.info.session_id
    assert (receipt.frames_received, receipt.images_kept) == (3, 0)
    assert receipt.bytes_received > 3 * len(jpeg())
    with pytest.raises(LostError):
        await stream.receipt()


async def test_configuration_reaches_the_server(server: ServerThread) -> None:
    async with connect(server.http, detect="none", smoothing=0.5, max_faces=99) as stream:
        assert stream.info.config.smoothing == 0.5
        assert stream.info.config.max_faces == 32  # no more than the server's limit
    with pytest.raises(ClientError, match="smoothing must be in"):
        async with connect(server.http, detect="none", smoothing=1.0):
            pass


async def test_in_realtime_old_frames_are_passed_over() -> None:
    recognizer = FakeRecognizer()
    all_made = asyncio.Event()

    async def camera() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield jpeg()
            await asyncio.sleep(0.005)
        all_made.set()

    with server_thread(recognizer) as server:
        async with connect(server.http, detect="none", realtime=True) as stream:
            answers = stream.frames(camera())
            first = asyncio.create_task(anext(answers))
            await all_made.wait()
            recognizer.open()
            got = [(await first), *[answer async for answer in answers]]

    indices = [answer.frame.index for answer in got]
    assert indices == sorted(indices)
    assert len(indices) < 10
    assert indices[-1] == 29
    assert all(isinstance(answer, FrameResult | Dropped) for answer in got)


async def test_a_cameras_newest_frames_are_answered(server: ServerThread, tmp_path: Path) -> None:
    film = write_video(tmp_path / "camera.avi", moving_portrait(5, 128))

    with CameraSource(str(film)) as camera:
        async with connect(server.http, detect="none", realtime=True) as stream:
            indices = [answer.frame.index async for answer in stream.frames(camera)]

    assert indices == sorted(set(indices))
    assert indices[-1] == 4


async def test_a_frame_that_the_server_cannot_use_has_an_error_for_its_answer(tmp_path: Path) -> None:
    with server_thread(FakeRecognizer(is_open=True), faces_dir=tmp_path) as server:  # without a detector
        async with connect(server.http, detect="server") as stream:
            answers = [answer async for answer in stream.frames([jpeg(), jpeg()])]

    assert [(type(answer), answer.frame_id) for answer in answers] == [(FrameError, 0), (FrameError, 1)]
    assert isinstance(answers[0], FrameError)
    assert answers[0].code == "invalid_frame"
    assert "no face detector in" in answers[0].message


async def test_streams_can_be_left_early_and_used_again(server: ServerThread) -> None:
    async with connect(server.http, detect="none") as stream:
        async with aclosing(stream.frames([jpeg()] * 50)) as answers:
            await anext(answers)
            with pytest.raises(ClientError, match="one source at a time"):
                await anext(stream.frames([jpeg()]))
        with pytest.raises(SourceError, match="there is no file"):
            await anext(stream.frames("nowhere.mp4"))

        again = [answer async for answer in stream.frames([jpeg()] * 3)]

    assert [answer.frame.index for answer in again] == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"detect": "remote"}, "detect must be one of auto, local, server, none, not 'remote'"),
        ({"detect": "Local"}, "detect must be one of"),
        ({"in_flight": 0}, "in_flight must be at least 1"),
        ({"token": "se\ncret"}, "characters that are not allowed in a header"),
    ],
)
async def test_an_argument_that_cannot_be_is_refused_before_anything_is_sent(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        async with connect("127.0.0.1:9", **options):
            pass

    assert "se\ncret" not in str(caught.value)


async def test_the_end_of_a_line_behind_a_token_is_left_out() -> None:
    with server_thread(FakeRecognizer(is_open=True), token="let me in") as guarded:
        async with connect(guarded.http, detect="none", token="let me in\n") as stream:
            assert stream.info.labels == LABELS
