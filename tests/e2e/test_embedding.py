"""The page in a frame of somebody else's, on a server whose operator has said who they are."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

HOST_PAGE = """<!doctype html><title>Host</title><link rel="icon" href="data:,">
<iframe src="%s" allow="camera" style="width: 640px; height: 560px"></iframe>"""

#: Collects what the frame says, and says to it what it is given.
LISTEN = """() => {
    window.heard = [];
    window.addEventListener("message", ({data}) => window.heard.push(data));
}"""
SAY = """([message, origin]) => document.querySelector("iframe").contentWindow.postMessage(message, origin)"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Another origin than the server's, and its folder."""
    folder = tmp_path_factory.mktemp("host")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://localhost:{http.server_port}", folder
        http.shutdown()


@pytest.fixture(scope="module")
def named_server(
    tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, host: tuple[str, Path]
) -> Iterator[MakeRun]:
    folder = tmp_path_factory.mktemp("named")
    notice = folder / "notice.json"
    notice.write_text(json.dumps({"en": "Part of an exhibition.", "de": "Teil einer Ausstellung."}))
    with MakeRun(
        folder / "log.txt",
        cache_dir=cache_dir,
        frame_ancestors=host[0],
        operator="Museum of Faces",
        notice_file=notice,
        images_dir=folder / "images",
    ) as run:
        yield run


def test_the_question_tells_what_the_operator_has_set(named_server: MakeRun, dashboard: Dashboard) -> None:
    dashboard.open(f"{named_server.url}/?lang=de")

    consent = dashboard.page.get_by_test_id("consent")
    expect(consent).to_contain_text("Museum of Faces")
    expect(consent).to_contain_text("Alle 10 s wird eines auf dem Server aufbewahrt, bis zu 1,1 GB")
    expect(dashboard.page.get_by_test_id("operator-notice")).to_have_text("Teil einer Ausstellung.")
    assert dashboard.sockets == []


def test_a_page_around_it_speaks_to_it(
    named_server: MakeRun, host: tuple[str, Path], dashboard: Dashboard
) -> None:
    origin, folder = host
    (folder / "index.html").write_text(HOST_PAGE % f"{named_server.url}{ONE_BACKEND}&view=embed")
    page = dashboard.page
    page.add_init_script(f"if (window === window.top) ({LISTEN})()")
    dashboard.open(origin)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_test_id("dominant-emotion")).to_have_text("happiness")
    assert page.evaluate("heard") == [{"type": "emostream.ready", "version": 1}]

    page.evaluate(SAY, [{"type": "emostream.connect"}, named_server.url])
    page.wait_for_timeout(1000)
    heard = page.evaluate("heard")
    state = {"type": "emostream.state", "camera": "live", "connection": "open", "needsConsent": False}
    assert state in heard
    [result, *_] = [message for message in heard if message["type"] == "emostream.result"]
    assert result["faces"][0]["emotion"] == "happiness"

    page.evaluate(
        SAY, [{"type": "emostream.set", "settings": {"lang": "de", "server": "http://x.example"}}, "*"]
    )
    expect(frame.get_by_test_id("dominant-emotion")).to_have_text("Freude")
    expect(frame.locator("video")).to_have_attribute("data-live", "true")
    page.evaluate(SAY, [{"type": "emostream.stop"}, named_server.url])
    expect(frame.get_by_test_id("receipt")).to_be_visible()


def test_a_page_that_the_server_does_not_list_gets_no_frame(
    server: MakeRun, host: tuple[str, Path], dashboard: Dashboard
) -> None:
    origin, folder = host
    (folder / "index.html").write_text(HOST_PAGE % f"{server.url}{ONE_BACKEND}&view=embed")
    dashboard.expect_complaints("frame-ancestors|X-Frame-Options|ERR_BLOCKED_BY_RESPONSE|Failed to load")
    dashboard.open(origin)

    dashboard.page.wait_for_timeout(1000)
    assert dashboard.sockets == []
