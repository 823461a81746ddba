"""What can be looked at besides one camera that works."""

import base64
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Playwright, expect

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

#: Drops a file on the page, as somebody does with the mouse.
DROP = """([name, type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([bytes], name, {type}))
    for (const event of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(event, {bubbles: true, cancelable: true, dataTransfer}))
}"""

#: The browser has one film for all of its webcams, and shows only one of them: this adds another.
SECOND_CAMERA = """
const media = navigator.mediaDevices
const list = media.enumerateDevices.bind(media)
const open = media.getUserMedia.bind(media)
media.enumerateDevices = async () =>
    [...await list(), {kind: "videoinput", deviceId: "second", label: "Second webcam", groupId: ""}]
media.getUserMedia = ({video, ...others}) =>
    open({video: video.deviceId?.exact === "second" ? true : video, ...others})
"""


@pytest.fixture
def black_browser(playwright: Playwright, tmp_path: Path) -> Iterator[Browser]:
    """Its webcam works, with its cover closed."""
    size = (2 * films.WIDTH, 2 * films.HEIGHT)
    film = films.film(Image.new("RGB", size), tmp_path / "black.mjpeg")
    with launched(playwright, ALLOW_CAMERA, *webcam(film)) as running:
        yield running


@pytest.fixture(scope="module")
def video_file(one_face_film: Path) -> Path:
    """A film of one face, as people have it."""
    path = one_face_film.with_name("one.webm")
    command = ["ffmpeg", "-loglevel", "error", "-y", "-i", str(one_face_film), "-c:v", "libvpx"]
    subprocess.run([*command, "-deadline", "realtime", "-b:v", "2M", str(path)], check=True, timeout=120)
    return path


def left_edges(boxes: Locator) -> list[float]:
    """Of the boxes, from left to right."""
    return sorted(box["x"] for box in (each.bounding_box() for each in boxes.all()) if box is not None)


def test_an_image_that_is_dropped_shows_its_faces_and_is_then_left_alone(
    server: MakeRun, dashboard: Dashboard
) -> None:
    picture = io.BytesIO()
    films.two_faces().save(picture, "JPEG")
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    dashboard.page.evaluate(DROP, ["two.jpg", "image/jpeg", base64.b64encode(picture.getvalue()).decode()])

    expect(dashboard.page.get_by_role("img", name="two.jpg")).to_be_visible()
    expect(dashboard.answered_boxes).to_have_count(2)
    # As it is and not mirrored: the large face lies on the left.
    widths = dashboard.boxes.evaluate_all(
        """boxes => boxes.map(box => box.getBoundingClientRect())
            .sort((a, b) => a.x - b.x).map(box => box.width)"""
    )
    assert widths[0] > 1.2 * widths[1]
    dashboard.page.wait_for_timeout(1500)
    sent = dashboard.frames_sent
    dashboard.page.wait_for_timeout(1500)  # longer than an answer about a film is fresh
    assert dashboard.frames_sent == sent
    expect(dashboard.answered_boxes).to_have_count(2)

    dashboard.page.evaluate(DROP, ["broken.png", "image/png", "bm8gaW1hZ2U="])
    expect(dashboard.alert).to_contain_text("The browser cannot read this file")
    expect(dashboard.alert).to_contain_text("broken.png")

    dashboard.alert.get_by_role("button", name="Back to the camera").click()
    expect(dashboard.answered_boxes).to_have_count(1)


def test_a_video_file_is_analysed_as_it_plays_and_keeps_its_answers_when_it_is_paused(
    server: MakeRun, dashboard: Dashboard, video_file: Path
) -> None:
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    dashboard.page.get_by_test_id("file-input").first.set_input_files(video_file)

    video = dashboard.page.locator("video[controls]")
    expect(video).to_be_visible()
    expect(dashboard.answered_boxes).to_have_count(1)
    assert video.evaluate("video => !video.paused")
    video.evaluate("video => video.pause()")
    dashboard.page.wait_for_timeout(2000)
    sent = dashboard.frames_sent
    expect(dashboard.answered_boxes).to_have_count(1)
    dashboard.page.wait_for_timeout(500)
    assert dashboard.frames_sent == sent


def test_a_screen_is_shown_until_it_is_stopped(server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    dashboard.page.get_by_role("button", name="Source").click()
    dashboard.page.get_by_role("button", name="Screen or window…").click()

    video = dashboard.page.locator("video[data-mirrored=false][data-live=true]")
    expect(video).to_be_visible()
    dashboard.page.get_by_role("button", name="Stop", exact=True).click()
    expect(dashboard.page.get_by_role("button", name="Start camera").first).to_be_visible()


def test_a_camera_that_was_unplugged_is_taken_again_once_it_is_back(
    server: MakeRun, dashboard: Dashboard
) -> None:
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    dashboard.page.evaluate(
        "document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    expect(dashboard.alert).to_contain_text("The camera was disconnected")
    expect(dashboard.boxes).to_have_count(0)

    dashboard.page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    expect(dashboard.answered_boxes).to_have_count(1)


def test_a_camera_with_its_cover_closed_is_noticed(
    server: MakeRun, black_browser: Browser, open_page: OpenPage
) -> None:
    dashboard = open_page(black_browser)
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.page.get_by_test_id("picture-trouble")).to_have_attribute("data-trouble", "black")
    expect(dashboard.alert).to_contain_text("Open its cover or privacy switch")


def test_two_cameras_stand_side_by_side(server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.page.add_init_script(SECOND_CAMERA)
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    dashboard.page.get_by_role("button", name="Source").click()
    dashboard.page.get_by_label("Second camera").select_option(label="Second webcam")
    dashboard.page.keyboard.press("Escape")

    expect(dashboard.answered_boxes).to_have_count(2)
    assert len(set(dashboard.face_ids())) == 2
    picture = dashboard.page.locator("video").bounding_box()
    assert picture is not None
    left, right = left_edges(dashboard.boxes)
    assert left < picture["x"] + picture["width"] / 2 < right
