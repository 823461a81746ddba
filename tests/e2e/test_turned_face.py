"""A head that leans to one side: the page sends its face upright."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from emostream.detection.detector import FaceDetector
from emostream.imaging.decoding import decode
from emostream.protocol.wire import Frame, parse_envelope
from emostream.quality.pose import head_pose
from playwright.sync_api import Browser, Playwright, WebSocket, expect

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import ONE_BACKEND
from tests.e2e.make_run import MakeRun
from tests.portraits import FACES_DIR

pytestmark = pytest.mark.e2e

_TURN_DEG = 35


@pytest.fixture(scope="module")
def leaning_browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    film = films.film(films.turned_face(_TURN_DEG), tmp_path_factory.mktemp("film") / "leaning.mjpeg")
    with launched(playwright, ALLOW_CAMERA, *webcam(film)) as running:
        yield running


def test_a_leaning_smiling_face_is_sent_upright_and_shown_as_happy_without_doubt(
    server: MakeRun, leaning_browser: Browser, open_page: OpenPage
) -> None:
    dashboard = open_page(leaning_browser)
    sent: list[bytes] = []
    answers: list[dict[str, Any]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sent.append(payload) if isinstance(payload, bytes) else None)
        socket.on("framereceived", lambda payload: answers.append(json.loads(payload)))

    dashboard.page.on("websocket", listen)
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.page.locator("[data-testid=face-box][data-emotion=happiness]")).to_have_count(1)

    frames = {frame.frame_id: frame for frame in map(parse_envelope, list(sent))}
    answered = [(frames[answer["frame_id"]], answer) for answer in answers if answer.get("faces")]
    assert answered
    for frame, answer in answered:
        (face,) = answer["faces"]
        assert face["emotion"] == "happiness"
        assert face["quality"]["roll_deg"] == pytest.approx(_TURN_DEG, abs=12)
        assert "turned" not in face["reasons"]
        assert frame.faces[0].turn_deg == pytest.approx(_TURN_DEG, abs=12)
    assert abs(_roll_deg_in_crop(answered[0][0])) < 12


def _roll_deg_in_crop(frame: Frame) -> float:
    """How the face is turned in the picture that the page has sent."""
    crop = np.asarray(decode(frame.faces[0].image, 10**6))
    found = FaceDetector.load(FACES_DIR).detect(crop, 1)
    assert len(found) == 1
    pose = head_pose(found.landmarks_xy[0])
    assert pose is not None
    return pose.roll_deg
