"""Faces that are hard to see: leaning or turned ones, one that fills the image, and one in the dark."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emostream.detection.detector import FaceDetector
from emostream.imaging.decoding import decode
from emostream.protocol.wire import Frame, parse_envelope
from emostream.quality.pose import head_pose
from PIL import Image
from playwright.sync_api import Browser, Playwright, WebSocket, expect

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.conftest import PATIENCE_MS, OpenPage
from tests.e2e.dashboard import ONE_BACKEND
from tests.e2e.make_run import MakeRun
from tests.portraits import FACES_DIR

pytestmark = pytest.mark.e2e

_TURN_DEG = 35


Seeing = Callable[[Image.Image], Browser]


@pytest.fixture
def seeing(playwright: Playwright, tmp_path: Path) -> Iterator[Seeing]:
    """Opens a browser whose camera shows an image."""
    with ExitStack() as stack:

        def open_browser(image: Image.Image) -> Browser:
            film = films.film(image, tmp_path / "seen.mjpeg")
            return stack.enter_context(launched(playwright, ALLOW_CAMERA, *webcam(film)))

        yield open_browser


def test_a_leaning_smiling_face_is_sent_upright_and_shown_as_happy_without_doubt(
    server: MakeRun, seeing: Seeing, open_page: OpenPage
) -> None:
    dashboard = open_page(seeing(films.turned_face(_TURN_DEG)))
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


@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_a_turned_face_is_sent_upright_and_followed_and_has_its_emotion(
    server: MakeRun, seeing: Seeing, open_page: OpenPage, turn_deg: int
) -> None:
    dashboard = open_page(seeing(films.turned_face(turn_deg)))

    def is_upright(payload: str | bytes) -> bool:
        """Whether the page has sent one face, its crop turned as its camera's face is."""
        if isinstance(payload, str):
            return False
        (face,) = parse_envelope(payload).faces
        askew = ((face.turn_deg or 0) - turn_deg + 180) % 360 - 180
        return abs(askew) < 12

    with dashboard.page.expect_websocket() as opening:
        dashboard.open(server.url + ONE_BACKEND)
    # Until the verifier is loaded, the detector alone takes it for an upright face.
    opening.value.wait_for_event("framesent", is_upright, timeout=PATIENCE_MS)

    expect(dashboard.page.locator("[data-testid=face-box][data-emotion=happiness]")).to_have_count(1)
    # It is there in every moment, while the box that the detector alone gave it may still fade.
    assert frozenset.intersection(*dashboard.face_ids_during(2))
    assert is_upright(opening.value.wait_for_event("framesent"))


def _roll_deg_in_crop(frame: Frame) -> float:
    """How the face is turned in the picture that the page has sent."""
    crop = np.asarray(decode(frame.faces[0].image, 10**6))
    found = FaceDetector.load(FACES_DIR).detect(crop, 1)
    assert len(found) == 1
    pose = head_pose(found.landmarks_xy[0])
    assert pose is not None
    return pose.roll_deg


def test_a_face_that_fills_the_image_has_its_label_and_its_box_inside(
    server: MakeRun, seeing: Seeing, open_page: OpenPage
) -> None:
    dashboard = open_page(seeing(films.close_face()))
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.answered_boxes).to_have_count(1)
    expect(dashboard.answered_boxes.locator(".label")).to_have_text("happiness", ignore_case=True)

    outside = dashboard.page.evaluate(_OUTSIDE)
    assert outside == {"box": [], "tag": []}


#: How far, in px, box and tag reach beyond each edge of the image, where they do.
_OUTSIDE = """() => {
    const image = document.querySelector(".overlay").getBoundingClientRect();
    const beyond = (selector) => {
        const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
        const reach = [image.left - left, image.top - top, right - image.right, bottom - image.bottom];
        return reach.filter((px) => px > 0.5);
    };
    return { box: beyond("[data-testid=face-box]"), tag: beyond(".face-tag") };
}"""


def test_a_face_in_the_dark_is_shown_as_unsure_with_the_reason_and_the_next_label(
    server: MakeRun, seeing: Seeing, open_page: OpenPage
) -> None:
    dashboard = open_page(seeing(films.dark_face()))
    dashboard.open(server.url + ONE_BACKEND)

    box = dashboard.page.locator("[data-testid=face-box][data-uncertain=true]")
    expect(box).to_have_count(1)
    expect(box).to_contain_text("Unsure: too dark")
    expect(box.locator(".face-guess")).to_contain_text(" or ")
    border = "box => getComputedStyle(box, '::before').borderTopStyle"
    assert box.evaluate(border) == "dashed"
    expect(dashboard.page.get_by_test_id("doubt")).to_contain_text("Unsure: too dark")
