"""Images that would stop a network, a decoder or the server, beside a client who does nothing wrong."""

import asyncio
import base64
from collections.abc import Iterator

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from emostream.imaging.decoding import decode, prepare
from emostream.inference import Recognizer
from emostream.inference.device_preparation import PreparedFace

from tests.inference.networks import constant_ensemble
from tests.servers import (
    ServerProcess,
    ServerThread,
    connected,
    receive,
    send_json,
    server_thread,
    session,
)
from tests.support import PATIENCE_S, FakeRecognizer, envelope, frame, jpeg, many_scans

LIGHT, DARK = jpeg(colour=(200, 200, 200)), jpeg(colour=(0, 0, 0))


class OverflowingEngine:
    """Answers NaN for dark crops, as a network whose numbers overflow does."""

    device = "cpu"
    precision = "f16"
    max_batch = 4
    batch_sizes = (4,)

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        return prepare(decode(data, max_pixels), (48,))

    def infer(self, crops: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        answers = np.tile(np.array([0.25, 0.75], np.float32), (1, len(crops[0]), 1))
        answers[0, crops[0].mean((1, 2, 3)) < 50] = np.nan
        return answers


@pytest.fixture
def overflowing() -> Iterator[ServerThread]:
    recognizer = Recognizer(constant_ensemble({"one": {"anger": 0.5, "neutral": 0.5}}), OverflowingEngine())
    recognizer.open = lambda: None  # type: ignore[attr-defined]
    with server_thread(recognizer) as server:  # type: ignore[arg-type]
        yield server


async def test_an_answer_that_is_no_number_is_that_frames_error_and_no_faces_past(
    overflowing: ServerThread,
) -> None:
    async with session(overflowing) as client:
        await send_json(client, {"type": "session.update", "config": {"smoothing": 0.9}})
        await receive(client)
        answers = []
        for number, image in enumerate((LIGHT, DARK, LIGHT)):
            await client.send(frame(number, image))
            answers.append(await receive(client))  # refuses what is no JSON

    assert [answer["type"] for answer in answers] == ["result", "error", "result"]
    assert answers[1]["code"] == "internal_error"
    assert answers[2]["predictions"] == {"anger": 0.25, "neutral": 0.75}


async def test_an_answer_that_is_no_number_is_no_emotion_over_http(overflowing: ServerThread) -> None:
    async with httpx.AsyncClient(base_url=overflowing.http, trust_env=False, timeout=PATIENCE_S) as client:
        answer = await client.post("/face", data={"imgBase64": base64.b64encode(DARK).decode()})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


# JPEG files with so many scans that each costs a decoder seconds


BOMB = many_scans(5000)


def whole_image(frame_id: int, image: bytes) -> bytes:
    return envelope({"frame_id": frame_id, "detect": True, "faces": [{"length": len(image)}]}, image)


@pytest.mark.parametrize(
    "message", [BOMB, frame(0, BOMB), whole_image(0, BOMB)], ids=["bare", "crop", "detect"]
)
async def test_a_scan_bomb_is_refused_on_the_stream(server: ServerProcess, message: bytes) -> None:
    async with session(server) as client:
        await client.send(message)
        answer = await receive(client)

    assert (answer["code"], "scans" in answer["message"]) == ("invalid_image", True)


async def test_a_scan_bomb_is_refused_on_the_older_socket(server: ServerProcess) -> None:
    async with connected(server, "/") as client:
        await send_json(client, {"data": {"image": base64.b64encode(BOMB).decode()}})

        assert "scans" in (await receive(client))["error"]


@pytest.mark.parametrize("route", ["/v1/faces", "/v1/annotate", "/recognize/file", "/predict", "/emotion"])
async def test_a_scan_bomb_is_refused_over_http(server: ServerProcess, route: str) -> None:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        answer = await client.post(route, files={"image" if route == "/emotion" else "file": BOMB})

    assert (answer.status_code, "scans" in answer.json()["detail"]) == (415, True)


# Decoders that never come back, whatever the reason


@pytest.fixture
def impatient() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(is_open=True), decode_threads=1, decode_timeout_s=0.2) as server:
        yield server


async def test_an_image_that_never_ends_is_answered_and_others_are_answered_meanwhile(
    impatient: ServerThread,
) -> None:
    async with session(impatient) as attacker, session(impatient) as other:
        await attacker.send(frame(0, b"slow"))
        await impatient.recognizer.next_decoding()
        await other.send(frame(0, b"face"))

        assert (await receive(other))["type"] == "result"
        assert (await receive(attacker))["code"] == "invalid_image"


async def test_when_every_thread_is_stuck_each_frame_is_still_answered(impatient: ServerThread) -> None:
    async with session(impatient) as attacker:
        codes = []
        for number in range(3):
            await attacker.send(frame(number, b"slow"))
            codes.append((await receive(attacker))["code"])

    assert codes == ["invalid_image", "invalid_image", "internal_error"]


async def test_the_server_ends_in_order_while_its_decoders_are_stuck(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = ServerThread(FakeRecognizer(is_open=True), decode_threads=1, shutdown_timeout_s=1)
    async with session(server) as attacker:
        await attacker.send(frame(0, b"slow"))
        await server.recognizer.next_decoding()

        server.ask_to_stop()
        await asyncio.to_thread(server.join)  # while nothing lets the decoder go on
        assert "shutdown failed" not in caplog.text

    server.recognizer.open()
