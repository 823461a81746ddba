"""The page at rest in a window of a laptop's size; on demand, README's picture of it."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.dashboard import STARTED, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

#: After this the chart of the last 30 seconds is full.
WHILE_S = 31
MAX_BYTES = 500_000


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
