"""Images that would stop a network, a decoder or the server, beside a client who does nothing wrong."""

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
from tests.servers import ServerThread, receive, send_json, server_thread, session
from tests.support import PATIENCE_S, frame, jpeg

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
