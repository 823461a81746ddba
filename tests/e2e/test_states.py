"""Every state of the page: without violations of accessibility rules, light and dark, on a phone and in 4k.

``make screenshots`` keeps a picture of each in ``test-results/states``.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import ONE_BACKEND, SOCKET_FAILED, Dashboard
from tests.e2e.make_run import MakeRun
from tests.support import ROOT

pytestmark = pytest.mark.e2e

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE, UHD = (1440, 900), (360, 740), (3840, 2160)

#: Rules of WCAG 2.2 to level AA, and what axe's authors hold for good practice besides.
VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    ({id, nodes}) => `${id}: ${nodes.map(node => `${node.target} ${node.failureSummary}`).join("; ")}`)"""

REFUSE_CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("no", "NotAllowedError");
}"""

Look = Callable[[Page, str], None]


@pytest.fixture
def look(pytestconfig: pytest.Config) -> Look:
    """Holds a state to what every state must be, and keeps its picture where that is wanted."""
    folder: Path | None = pytestconfig.getoption("save_states", None)

    def look(page: Page, name: str) -> None:
        for width, height in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                page.wait_for_timeout(400)  # for what moves to its new place
                page.screenshot(path=folder / f"{name}-{width}.png")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name}: {wide} px wide in a window of {width} px"
            page.evaluate(AXE.read_text())
            assert page.evaluate(VIOLATIONS) == [], f"{name} at {width} px"
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    return look


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_visit_from_the_question_to_the_receipt(
    server: MakeRun, dashboard: Dashboard, look: Look, theme: str
) -> None:
    page = dashboard.page
    dashboard.open(f"{server.url}/?backend=wasm&theme={theme}")

    consent = page.get_by_test_id("consent")
    expect(consent).to_contain_text("None is stored")
    assert dashboard.sockets == []
    look(page, f"{theme}-consent")

    page.get_by_role("button", name="Agree and start the camera").click()
    expect(dashboard.answered_boxes).to_have_count(1)
    look(page, f"{theme}-live")

    page.keyboard.press("?")
    expect(page.get_by_test_id("shortcuts")).to_contain_text("Stop camera")
    look(page, f"{theme}-shortcuts")
    page.keyboard.press("?")

    page.keyboard.press("s")
    page.get_by_label("Time between frames").fill("500")
    rate = page.get_by_test_id("settings").get_by_test_id("rate")
    expect(rate).to_have_attribute("data-limited-by", "setting")
    look(page, f"{theme}-settings")
    assert "interval=500" in page.url
    page.keyboard.press("Escape")

    page.get_by_text("Details", exact=True).click()
    detect_ms = page.get_by_test_id("detect-ms")
    # It does not stand still: two of many in a row may be the same.
    expect(detect_ms).not_to_have_text(detect_ms.inner_text(), timeout=20_000)
    look(page, f"{theme}-details")

    page.get_by_test_id("details").evaluate("details => { details.open = false }")
    page.keyboard.press("c")
    expect(page.get_by_test_id("receipt-kept")).to_have_text("0")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the receipt").click()
    assert '"frames_received"' in Path(download.value.path()).read_text()
    look(page, f"{theme}-receipt")


def test_what_goes_wrong(server: MakeRun, dashboard: Dashboard, look: Look) -> None:
    page = dashboard.page
    dashboard.expect_complaints(SOCKET_FAILED)
    page.route_web_socket("**/ws", lambda socket: socket.close(code=1011))
    dashboard.open(f"{server.url}{ONE_BACKEND}&interval=5&theme=light")
    expect(dashboard.alert).to_contain_text("The server had an error")
    expect(dashboard.stale_boxes).to_have_count(1)
    look(page, "light-server-away")

    page.add_init_script(REFUSE_CAMERA)
    dashboard.open(f"{server.url}{ONE_BACKEND}&theme=light")
    expect(dashboard.alert).to_contain_text("The camera is blocked")
    look(page, "light-camera-refused")


@pytest.mark.parametrize("view", ["panel", "overlay", "kiosk", "embed"])
def test_the_views_for_other_screens(server: MakeRun, dashboard: Dashboard, look: Look, view: str) -> None:
    page = dashboard.page
    dashboard.open(f"{server.url}{ONE_BACKEND}&view={view}")

    expect(page.get_by_test_id("dominant-emotion")).to_have_text("happiness")
    expect(page.locator("header")).to_have_count(0)
    if view == "overlay":
        for element in ("html", "body"):
            background = f"getComputedStyle(document.querySelector('{element}')).backgroundColor"
            assert page.evaluate(background) == "rgba(0, 0, 0, 0)"
        assert page.locator("video").evaluate("video => getComputedStyle(video).opacity") == "0"
    if view == "kiosk":
        expect(page.get_by_text("An AI estimates emotions")).to_be_visible()
    look(page, view)


def test_the_picture_fills_a_large_screen_and_the_stage_hugs_it(
    server: MakeRun, dashboard: Dashboard, pytestconfig: pytest.Config
) -> None:
    page = dashboard.page
    width, height = UHD
    page.set_viewport_size({"width": width, "height": height})
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    folder: Path | None = pytestconfig.getoption("save_states", None)
    if folder is not None:
        page.wait_for_timeout(1000)
        page.screenshot(path=folder / "live-3840.png")
    picture, stage = page.locator("video").bounding_box(), page.locator(".stage").bounding_box()
    assert picture is not None
    assert stage is not None
    assert picture["height"] > 0.6 * height  # under it is the timeline
    assert stage["width"] - picture["width"] <= 2
    assert page.evaluate("document.documentElement.scrollHeight") == height


def test_bars_and_sliders_are_there_in_the_persons_own_colours(
    server: MakeRun, browser: Browser, open_page: OpenPage, pytestconfig: pytest.Config
) -> None:
    dashboard = open_page(browser)
    page = dashboard.page
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)

    colours = page.locator(".bar[data-leading=true]").evaluate(
        """bar => [".bar-track", ".bar-fill"].map(
            part => getComputedStyle(bar.querySelector(part)).backgroundColor)"""
    )
    assert colours[0] != colours[1]
    page.keyboard.press("s")
    slider = page.get_by_label("Time between frames")
    assert slider.evaluate("slider => getComputedStyle(slider).appearance") == "auto"
    moving = "document.getAnimations().filter(animation => animation.playState === 'running').length"
    assert page.evaluate(moving) == 0
    folder: Path | None = pytestconfig.getoption("save_states", None)
    if folder is not None:
        page.screenshot(path=folder / "forced-colors-settings.png")
        page.keyboard.press("Escape")
        page.screenshot(path=folder / "forced-colors.png")
