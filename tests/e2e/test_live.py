"""The main job: a face before the webcam, and its emotion on the page."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import ONE_BACKEND, STARTED, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def two_faces_browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    film = films.film(films.two_faces(), tmp_path_factory.mktemp("film") / "two.mjpeg")
    with launched(playwright, ALLOW_CAMERA, *webcam(film)) as running:
        yield running


@pytest.fixture
def two_faces(two_faces_browser: Browser, open_page: OpenPage) -> Dashboard:
    """A page that sees a large face on the left of the camera's picture and a small one on the right."""
    return open_page(two_faces_browser)


def test_a_smiling_face_is_shown_as_happy_within_twenty_seconds(
    server: MakeRun, dashboard: Dashboard
) -> None:
    deadline = time.monotonic() + 20
    dashboard.open(server.url + STARTED)

    happy = dashboard.page.locator("[data-testid=face-box][data-emotion=happiness]")
    expect(happy).to_have_count(1, timeout=1000 * (deadline - time.monotonic()))
    # The panel shows nothing for a frame in which the face was not seen, as the first ones may be.
    while (shown := dashboard.shown()).dominant != "happiness" and time.monotonic() < deadline:
        dashboard.page.wait_for_timeout(50)
    assert shown.dominant == "happiness"
    assert shown.leading == ["happiness"], shown
    expect(dashboard.status).to_have_attribute("data-state", "open")
    number = re.compile(r"^\d+(\.\d+)?$")
    for instrument in (dashboard.page.get_by_test_id("fps"), dashboard.page.get_by_test_id("latency")):
        expect(instrument).to_have_text(number)
        assert float(instrument.inner_text()) > 0


def test_there_is_a_bar_for_each_of_the_labels_that_the_server_names(
    server: MakeRun, dashboard: Dashboard
) -> None:
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    model = dashboard.page.evaluate("async () => (await fetch('/v1/model')).json()")

    shown = dashboard.shown()
    assert list(shown.bars) == model["labels"]
    assert sum(shown.bars.values()) == pytest.approx(100, abs=len(shown.bars))


def test_the_page_speaks_to_no_server_but_its_own(server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.open(f"{server.url}{STARTED}&backend=webgl")
    expect(dashboard.answered_boxes).to_have_count(1)

    urls = [request.url for request in dashboard.requests] + [socket.url for socket in dashboard.sockets]
    # What the detector loads in its worker is among them.
    for part in ("/assets/blazeface-", "/assets/tfjs-backend-webgl-", "/ws"):
        assert any(urlsplit(url).path.startswith(part) for url in urls), part
    host = urlsplit(server.url).netloc
    foreign = [url for url in urls if urlsplit(url.removeprefix("blob:")).netloc != host]
    assert foreign == []


def test_the_detector_runs_on_the_backend_that_was_measured_as_the_fastest(
    server: MakeRun, dashboard: Dashboard
) -> None:
    dashboard.open(server.url + STARTED)
    dashboard.page.get_by_text("Details", exact=True).click()
    expect(dashboard.backends.first).to_be_visible()
    expect(dashboard.backends.filter(has_text="in use")).to_have_count(1)

    rows = dashboard.backends.evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    per_frame_ms = {name: float(rest[1].removesuffix(" ms")) for name, *rest in rows if len(rest) == 3}
    [in_use] = [name for name, *rest in rows if rest[-1] == "in use"]
    assert per_frame_ms[in_use] == min(per_frame_ms.values())


def test_the_page_is_isolated_so_that_the_detector_may_use_threads(
    server: MakeRun, dashboard: Dashboard
) -> None:
    response = dashboard.page.goto(server.url)

    assert response is not None
    headers = response.all_headers()
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert dashboard.page.evaluate("crossOriginIsolated") is True


def test_two_faces_have_a_box_and_an_id_each_and_keep_them(server: MakeRun, two_faces: Dashboard) -> None:
    two_faces.open(server.url + ONE_BACKEND)
    expect(two_faces.answered_boxes).to_have_count(2)

    seen = two_faces.face_ids_during(seconds=4)

    assert len(seen) == 1, seen
    assert len(seen.pop()) == 2
    expect(two_faces.answered_boxes).to_have_count(2)


def test_boxes_lie_where_the_faces_are_in_the_mirrored_picture(server: MakeRun, two_faces: Dashboard) -> None:
    two_faces.open(server.url + ONE_BACKEND)
    expect(two_faces.answered_boxes).to_have_count(2)
    picture = two_faces.page.locator("video").bounding_box()
    boxes = [box.bounding_box() for box in two_faces.boxes.all()]

    assert picture is not None
    small, large = sorted((box for box in boxes if box is not None), key=lambda box: box["width"])
    assert large["width"] > 1.2 * small["width"]
    middle = picture["x"] + picture["width"] / 2
    assert picture["x"] < small["x"]
    assert small["x"] + small["width"] < middle < large["x"]
    assert large["x"] + large["width"] < picture["x"] + picture["width"]


def test_the_bars_are_those_of_the_largest_face_until_another_is_clicked(
    server: MakeRun, two_faces: Dashboard
) -> None:
    two_faces.open(server.url + ONE_BACKEND)
    expect(two_faces.answered_boxes).to_have_count(2)
    panel = two_faces.page.get_by_role("region", name="Emotion")
    widths = {
        box.get_attribute("data-face-id"): box.evaluate("box => box.offsetWidth")
        for box in two_faces.boxes.all()
    }
    small, large = sorted(widths, key=lambda face_id: widths[face_id])

    expect(panel).to_contain_text(f"Face {large}, the largest of 2")
    two_faces.page.locator(f"[data-testid=face-box][data-face-id='{small}']").click(
        force=True
    )  # boxes move with their faces and never stand still

    expect(panel).to_contain_text(f"Face {small}, your choice")
