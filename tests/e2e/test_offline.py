"""The page stays there without its server, and a new release is shown at once all the same."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.dashboard import ONE_BACKEND, SOCKET_FAILED, Dashboard
from tests.e2e.make_run import MakeRun
from tests.servers import server_thread
from tests.support import ROOT

pytestmark = pytest.mark.e2e

#: Resolves once a service worker looks after the page and has kept its files.
LOOKED_AFTER = "navigator.serviceWorker.ready.then(({active}) => active.state)"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with the page, as the build has left it, to make a new release of."""
    folder = tmp_path / "dashboard"
    shutil.copytree(ROOT / "server/dashboard", folder)
    return folder


def sent_bytes(dashboard: Dashboard) -> int:
    """Of all answers so far, without those that came out of the browser's cache, and without the verifier,
    which is loaded a few seconds after the first face."""
    needed = [request for request in dashboard.requests if "verifier" not in request.url]
    return sum(request.sizes()["responseBodySize"] for request in needed if request.response())


def test_a_first_visit_loads_little_and_a_later_one_needs_no_server(
    server: MakeRun, dashboard: Dashboard
) -> None:
    dashboard.expect_complaints(SOCKET_FAILED)
    dashboard.expect_complaints("net::ERR_CONNECTION_REFUSED|status of 503|Failed to fetch")
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)
    sent = sent_bytes(dashboard)
    urls = [request.url for request in dashboard.requests]
    assert any("blazeface" in url for url in urls)
    assert not any(re.search("webgl|webgpu", url) for url in urls if "/assets/" in url)
    # The detector's file does not count where the service worker already had it: it is half of all.
    assert 100_000 < sent < 800_000

    assert dashboard.page.evaluate(LOOKED_AFTER) in ("activating", "activated")
    server.kill()
    dashboard.page.reload()

    expect(dashboard.boxes).to_have_count(1)  # the detector runs
    expect(dashboard.alert).to_contain_text("This page keeps trying")
    assert dashboard.page.evaluate("crossOriginIsolated") is True

    server.start()

    expect(dashboard.answered_boxes).to_have_count(1)


def test_a_new_release_is_shown_at_once_and_kept(release: Path, dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.expect_complaints(f"{SOCKET_FAILED}|ERR_CONNECTION_REFUSED|status of")
    with server_thread(dashboard_dir=release) as running:
        dashboard.open(f"http://localhost:{running.port}/?token=secret")
        page.evaluate(LOOKED_AFTER)
        index = release / "index.html"
        index.write_text(index.read_text().replace("<title>Emostream", "<title>Next"))
        worker = release / "sw.js"
        revision = r'(\{"url":"index\.html","revision":")'
        worker.write_text(re.sub(revision, r"\1next", worker.read_text()))

        page.reload()

        expect(page).to_have_title("Next")
        # The new service worker is found, and takes over at a later visit.
        page.evaluate(
            """async () => {
                const registration = await navigator.serviceWorker.ready
                await registration.update()
                const next = registration.installing ?? registration.waiting
                if (next?.state === 'installing')
                    await new Promise(resolve => next.addEventListener('statechange', resolve, {once: true}))
            }"""
        )
        page.reload()
        wait_for_kept_title(page, "Next")

    page.reload()

    expect(page).to_have_title("Next")
    assert page.evaluate("caches.match('/?token=secret').then(kept => kept === undefined)")


def wait_for_kept_title(page: Page, title: str) -> None:
    """Until the page that is kept for want of a server has this title, and no other is kept."""
    page.evaluate(
        """async title => {
            const titles = async () => {
                const found = []
                for (const name of await caches.keys()) {
                    const cache = await caches.open(name)
                    for (const request of await cache.keys())
                        if (new URL(request.url).pathname === '/index.html') {
                            // It may be thrown away between the two questions.
                            const html = await (await cache.match(request))?.text()
                            if (html !== undefined) found.push(/<title>(.*)<.title>/.exec(html)[1])
                        }
                }
                return found.join()
            }
            const deadline = Date.now() + 30000
            while (await titles() !== title) {
                if (Date.now() > deadline) throw new Error(`kept: ${await titles()}`)
                await new Promise(requestAnimationFrame)
            }
        }""",
        title,
    )
