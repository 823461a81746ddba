"""The main path in the engines of Firefox and Safari; all other tests are in Chromium's."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.dashboard import ONE_BACKEND
from tests.e2e.make_run import MakeRun
from tests.e2e.other_browsers import OtherBrowser, firefox, wait_until, webkit
from tests.e2e.test_sources import DROP
from tests.portraits import portrait_file

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["firefox", "webkit"])
def other_browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OtherBrowser]:
    # Containers and kiosks have this language, of which WebKit tells pages as "C".
    opened = firefox(tmp_path) if request.param == "firefox" else webkit(tmp_path, language="C.UTF-8")
    with opened as browser:
        yield browser


def test_the_main_path_works_in_other_browsers(server: MakeRun, other_browser: OtherBrowser) -> None:
    other_browser.open(server.url + ONE_BACKEND)

    wait_until(other_browser, "() => document.querySelector('h1')?.textContent === 'Emostream'")
    wait_until(other_browser, "() => document.querySelector('video[data-live=true]')?.videoWidth > 0")
    wait_until(
        other_browser,
        "() => document.querySelector('[data-testid=connection-status]')?.dataset.state === 'open'",
    )
    assert other_browser.call("() => crossOriginIsolated") is True

    # Their webcams show no face: a file does.
    portrait = base64.b64encode(portrait_file()).decode()
    other_browser.call(f"(...given) => {{ ({DROP})(given) }}", "portrait.jpg", "image/jpeg", portrait)

    emotion = wait_until(
        other_browser, "() => document.querySelector('[data-testid=face-box]')?.dataset.emotion"
    )
    assert emotion == "happiness"
