"""``"detect": true`` on the stream: whole frames, whose faces the server finds and follows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from websockets.asyncio.client import ClientConnection

from tests.portraits import FACE_XYWH, crowd, iou, no_face, portrait, portrait_file
from tests.servers import ServerThread, receive, send_json, server_thread, session
from tests.support import FakeRecognizer, encoded, envelope, jpeg, png_header


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(max_batch=8, is_open=True)) as thread:
        yield thread


async def ask(client: ClientConnection, picture: bytes, frame_id: int = 1) -> dict[str, Any]:
    header = {"frame_id": frame_id, "detect": True, "captured_at": 5.5, "faces": [{"length": len(picture)}]}
    await client.send(envelope(header, picture))
    return await receive(client)


async def test_the_faces_of_a_whole_frame_are_answered_with_box_and_score(server: ServerThread) -> None:
    async with session(server) as client:
        result = await ask(client, portrait_file(), 7)

    assert (result["type"], result["frame_id"], result["captured_at"]) == ("result", 7, 5.5)
    (face,) = result["faces"]
    assert iou(tuple(face["box"]), FACE_XYWH) > 0.8
    assert 0.5 < face["score"] <= 1
    assert face["face_id"] == 1
    assert result["emotion"] == face["emotion"]
    assert result["timing"]["batch_size"] == 1


async def test_a_face_keeps_its_number_from_frame_to_frame(server: ServerThread) -> None:
    async with session(server) as client:
        ids = []
        for step in range(4):
            frame = Image.new("RGB", (640, 480), "grey")
            frame.paste(portrait().crop((100, 0, 400, 300)), (30 + 30 * step, 100))
            result = await ask(client, encoded(frame, "JPEG"), step)
            ids.append([face["face_id"] for face in result["faces"]])

    assert ids == [[1], [1], [1], [1]]


async def test_no_face_is_a_result_with_nulls(server: ServerThread) -> None:
    async with session(server) as client:
        result = await ask(client, no_face())

    assert (result["faces"], result["predictions"], result["emotion"]) == ([], None, None)


async def test_the_sessions_max_faces_bounds_the_answer_to_the_largest(server: ServerThread) -> None:
    made = crowd((900, 700), [50, 160, 90], seed=4)
    async with session(server) as client:
        assert len((await ask(client, encoded(made.picture, "JPEG")))["faces"]) == 3
        await send_json(client, {"type": "session.update", "config": {"max_faces": 1}})
        await receive(client)
        (face,) = (await ask(client, encoded(made.picture, "JPEG")))["faces"]

    assert iou(tuple(face["box"]), made.boxes_xywh[0]) > 0.5


@pytest.mark.parametrize(
    ("picture", "code"), [(b"hello", "invalid_image"), (png_header(9000, 9000), "image_too_large")]
)
async def test_a_picture_that_cannot_be_used_is_an_error_and_the_session_goes_on(
    server: ServerThread, picture: bytes, code: str
) -> None:
    async with session(server) as client:
        error = await ask(client, picture, 3)
        assert (error["type"], error["code"], error["frame_id"]) == ("error", code, 3)
        assert (await ask(client, portrait_file()))["type"] == "result"


async def test_without_the_detectors_files_the_frame_is_invalid_and_says_why(tmp_path: Path) -> None:
    with server_thread(FakeRecognizer(is_open=True), faces_dir=tmp_path) as server:
        async with session(server) as client:
            error = await ask(client, jpeg(), 3)

    assert (error["code"], error["frame_id"]) == ("invalid_frame", 3)
    assert "make faces" in error["message"]
    assert json.dumps(error)
