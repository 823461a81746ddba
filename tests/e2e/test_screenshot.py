"""The page at rest, and with two people in a call; on demand, README's pictures of both."""

import io
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Playwright, expect

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.conftest import OpenPage
from tests.e2e.dashboard import STARTED, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

#: After this the chart of the last 30 seconds is full.
WHILE_S = 31
MAX_BYTES = 500_000
#: The moving picture: so many frames, at so many a second, this wide. They show the whole film.
FRAMES, FRAMES_PER_S, WIDTH = 64, 8, 800


def test_the_live_page_fits_a_laptop_without_scrolling(
    server: MakeRun, dashboard: Dashboard, pytestconfig: pytest.Config
) -> None:
    dashboard.open(server.url + STARTED)
    expect(dashboard.answered_boxes).to_have_count(1)

    root = "document.documentElement"
    assert dashboard.page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]") == [1440, 900]
    path: Path | None = pytestconfig.getoption("save_screenshot", None)
    if path is not None:
        save_screenshot(dashboard, path)


def test_who_puts_a_mask_on_in_a_call_is_shown_as_unsure_and_the_other_is_not(
    server: MakeRun,
    playwright: Playwright,
    open_page: OpenPage,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    film = films.film_of_a_call(tmp_path / "call.mjpeg")
    with launched(playwright, ALLOW_CAMERA, *webcam(film)) as browser:
        dashboard = open_page(browser)
        dashboard.open(server.url + STARTED)
        expect(dashboard.answered_boxes).to_have_count(2)

        masked = dashboard.page.locator("[data-testid=face-box][data-uncertain=true]")
        expect(masked).to_have_count(1)
        expect(masked).to_contain_text("Unsure: covered")
        expect(masked).to_have_count(0)
        path: Path | None = pytestconfig.getoption("save_screenshot", None)
        if path is not None:
            save_moving(dashboard, path.with_suffix(".webp"))


def save_screenshot(dashboard: Dashboard, path: Path) -> None:
    """The page as it is after a while, with a happy face."""
    expect(dashboard.backends).to_have_count(3)
    dashboard.page.wait_for_timeout(1000 * WHILE_S)
    assert dashboard.shown().leading == ["happiness"]
    picture = Image.open(io.BytesIO(dashboard.page.screenshot())).convert("RGB")
    # In multiples of 4: nobody sees the difference, and the file is half as large.
    picture = picture.point([min(255, 4 * round(value / 4)) for value in range(256)] * 3)
    picture.save(path, optimize=True)
    assert path.stat().st_size < MAX_BYTES


def save_moving(dashboard: Dashboard, path: Path) -> None:
    """Some seconds of it, as an animated WebP."""
    frames = []
    for _ in range(FRAMES):
        began = time.monotonic()
        frame = Image.open(io.BytesIO(dashboard.page.screenshot())).convert("RGB")
        frames.append(frame.resize((WIDTH, WIDTH * frame.height // frame.width), Image.Resampling.LANCZOS))
        dashboard.page.wait_for_timeout(max(0, 1000 / FRAMES_PER_S - 1000 * (time.monotonic() - began)))
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=1000 // FRAMES_PER_S, loop=0, quality=60
    )
    assert path.stat().st_size < 3 * MAX_BYTES
