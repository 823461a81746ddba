"""No camera or no place at the server: the page says what to do, and does it once it can."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect
from websockets.sync.client import connect

from tests.e2e.browser import ALLOW_CAMERA, INSECURE_HOST, launched, webcam
from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

TOKEN = "a token + more"
TOKEN_IN_ADDRESS = "&token=a%20token%20%2B%20more"


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[MakeRun]:
    """It wants a token and has room for one session."""
    log = tmp_path_factory.mktemp("strict-server") / "log.txt"
    with MakeRun(log, cache_dir=cache_dir, token=TOKEN, max_sessions=1) as run:
        yield run


@pytest.fixture
def asking_browser(playwright: Playwright, one_face_film: Path) -> Iterator[Browser]:
    """It has a camera, and nobody who allows its use."""
    with launched(playwright, *webcam(one_face_film)) as running:
        yield running


@pytest.fixture
def browser_without_camera(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, ALLOW_CAMERA) as running:
        yield running


def test_a_refused_camera_can_be_allowed_later(
    server: MakeRun, asking_browser: Browser, open_page: OpenPage
) -> None:
    dashboard = open_page(asking_browser)
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.alert).to_contain_text("The camera is blocked")
    expect(dashboard.alert).to_contain_text("Allow it")
    expect(dashboard.status).to_have_attribute("data-state", "idle")
    assert dashboard.sockets == []

    dashboard.page.context.grant_permissions(["camera"])
    dashboard.page.get_by_role("button", name="Try again").click()

    expect(dashboard.answered_boxes).to_have_count(1)
    expect(dashboard.alert).to_have_count(0)


def test_a_computer_without_a_camera_is_asked_for_one(
    server: MakeRun, browser_without_camera: Browser, open_page: OpenPage
) -> None:
    dashboard = open_page(browser_without_camera)
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.alert).to_contain_text("No camera found")
    expect(dashboard.alert).to_contain_text("Plug in a camera")


def test_an_address_that_browsers_do_not_trust_is_told_from_a_missing_camera(
    server: MakeRun, dashboard: Dashboard
) -> None:
    dashboard.expect_complaints("Cross-Origin-Opener-Policy header has been ignored")
    dashboard.open(server.url.replace("localhost", INSECURE_HOST) + ONE_BACKEND)

    expect(dashboard.alert).to_contain_text("The browser blocks the camera on this address")
    expect(dashboard.alert).to_contain_text("https://")


@pytest.mark.parametrize("given", ["", "&token=wrong"])
def test_without_the_right_token_the_page_says_how_to_give_it(
    strict_server: MakeRun, dashboard: Dashboard, given: str
) -> None:
    dashboard.open(strict_server.url + ONE_BACKEND + given)

    expect(dashboard.alert).to_contain_text("This server needs a token")
    expect(dashboard.alert).to_contain_text("?token=")
    assert "token" not in dashboard.page.url
    expect(dashboard.status).to_have_attribute("data-state", "closed")
    assert dashboard.frames_sent == 0


def test_with_the_right_token_the_page_works(strict_server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.open(strict_server.url + ONE_BACKEND + TOKEN_IN_ADDRESS)

    expect(dashboard.answered_boxes).to_have_count(1)
    expect(dashboard.status).to_have_attribute("data-state", "open")


def test_a_full_server_is_said_to_be_full_and_its_next_free_place_is_taken(
    strict_server: MakeRun, dashboard: Dashboard
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(f"{strict_server.websocket_url}/ws", additional_headers=headers, proxy=None) as other:
        assert "session.created" in other.recv(timeout=30)
        dashboard.open(strict_server.url + ONE_BACKEND + TOKEN_IN_ADDRESS)

        expect(dashboard.alert).to_contain_text("The server is full")
        expect(dashboard.in_state("open")).to_have_count(0)

    expect(dashboard.answered_boxes).to_have_count(1)
    expect(dashboard.alert).to_have_count(0)
