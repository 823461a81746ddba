"""Which language the page speaks, and that it is drawn whatever the browser says its own is."""

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

#: What a browser says of itself in a container or on a kiosk, where LANG is C.UTF-8 or not set.
SPEAKS = """language => {
    Object.defineProperty(Navigator.prototype, "language", {get: () => language, configurable: true});
    Object.defineProperty(Navigator.prototype, "languages", {get: () => [language], configurable: true});
}"""


@pytest.mark.parametrize(("language", "shown"), [("C", "happiness"), ("", "happiness"), ("de-AT", "Freude")])
def test_the_page_draws_itself_whatever_language_the_browser_says_it_speaks(
    server: MakeRun, dashboard: Dashboard, language: str, shown: str
) -> None:
    dashboard.page.add_init_script(f"({SPEAKS})({language!r})")
    dashboard.open(server.url + ONE_BACKEND)

    expect(dashboard.page.locator("[data-testid=face-box][data-emotion=happiness]")).to_have_count(1)
    expect(dashboard.page.get_by_test_id("dominant-emotion")).to_have_text(shown)
    # The chart's library is the one that hands the browser's language to Intl.
    expect(dashboard.page.locator(".dock canvas").first).to_be_visible()


def test_the_address_chooses_the_language(server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.open(f"{server.url}{ONE_BACKEND}&lang=de")

    expect(dashboard.page.get_by_test_id("dominant-emotion")).to_have_text("Freude")
    expect(dashboard.page.locator("html")).to_have_attribute("lang", "de")
    expect(dashboard.status).to_have_text("Verbunden")
    expect(dashboard.page.get_by_role("button", name="Kamera stoppen")).to_be_visible()
