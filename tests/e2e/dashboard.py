"""The page as a test sees it: what it shows, what it sends and what it complains of."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, WebSocket

#: The complaint of a browser about a server that is away. Only tests that take the server away expect it.
SOCKET_FAILED = r"WebSocket connection to 'ws://[^']*' failed"

#: Settles the detector's backend: measuring them all takes some seconds that most tests are not about.
ONE_BACKEND = "/?backend=wasm&start=auto"

#: The camera starts without a question, as on a kiosk.
STARTED = "/?start=auto"


@dataclass
class Shown:
    """All that the page says about the selected face, read in one instant."""

    dominant: str
    bars: dict[str, int]

    @property
    def leading(self) -> list[str]:
        """The labels of the highest bar: more than one where some are equally high."""
        highest = max(self.bars.values())
        return [label for label, percent in self.bars.items() if percent == highest]


class Dashboard:
    """One page. Everything that it does is watched from its first moment on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[Request] = []
        self.sockets: list[WebSocket] = []
        self.frames_sent = 0
        self.frames_answered = 0
        self._complaints: list[str] = []
        self._expected: list[str] = []
        page.on("request", lambda request: self.requests.append(request))
        page.on("websocket", self._on_socket)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))

    def open(self, url: str) -> None:
        self.page.goto(url)

    # What it shows

    @property
    def status(self) -> Locator:
        return self.page.get_by_test_id("connection-status")

    def in_state(self, state: str) -> Locator:
        """The connection's status, once it is this one."""
        return self.page.locator(f"[data-testid=connection-status][data-state={state}]")

    @property
    def boxes(self) -> Locator:
        return self.page.get_by_test_id("face-box")

    @property
    def answered_boxes(self) -> Locator:
        """Those with a fresh emotion."""
        return self.page.locator("[data-testid=face-box][data-emotion]")

    @property
    def stale_boxes(self) -> Locator:
        return self.page.locator("[data-testid=face-box]:not([data-emotion])")

    @property
    def alert(self) -> Locator:
        """What is wrong and what to do."""
        return self.page.get_by_role("alert")

    @property
    def backends(self) -> Locator:
        """The detector's backends that have been measured, or have been found not to work."""
        return self.page.locator("[data-testid=backends] tr[data-backend]")

    def face_ids(self) -> list[str]:
        ids: list[str] = self.boxes.evaluate_all("boxes => boxes.map(box => box.dataset.faceId)")
        return ids

    def face_ids_during(self, seconds: float) -> set[frozenset[str]]:
        """Every set of faces that was there at some time in the next seconds."""
        seen = set()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen.add(frozenset(self.face_ids()))
            self.page.wait_for_timeout(50)
        return seen

    def shown(self) -> Shown:
        values = self.page.evaluate(
            """() => ({
                dominant: document.querySelector("[data-testid=dominant-emotion]").textContent,
                bars: [...document.querySelectorAll("[data-testid^=emotion-bar-][role=progressbar]")].map(
                    (bar) => [bar.dataset.testid.slice("emotion-bar-".length), Number(bar.ariaValueNow)]),
            })"""
        )
        return Shown(values["dominant"], dict(values["bars"]))

    # What it sends

    def frames_per_second(self, seconds: float) -> float:
        """The rate at which it sends frames, measured over the next seconds."""
        count, start = self.frames_sent, time.monotonic()
        self.page.wait_for_timeout(1000 * seconds)
        return (self.frames_sent - count) / (time.monotonic() - start)

    def _on_socket(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framesent", self._on_sent)
        socket.on("framereceived", self._on_received)

    def _on_sent(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            self.frames_sent += 1

    def _on_received(self, payload: str | bytes) -> None:
        if json.loads(payload)["type"] in ("result", "dropped", "error"):
            self.frames_answered += 1

    # What it complains of

    def expect_complaints(self, pattern: str) -> None:
        """Console errors that match are no failure in this test."""
        self._expected.append(pattern)

    def unexpected_complaints(self) -> list[str]:
        return [text for text in self._complaints if not any(re.search(p, text) for p in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(f"{message.text} ({message.location.get('url', '')})")


@contextmanager
def watched_page(browser: Browser) -> Iterator[Dashboard]:
    """A page of a fresh profile. Afterwards it must not have complained of anything unexpected."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        dashboard = Dashboard(context.new_page())
        yield dashboard
    finally:
        context.close()
    complaints = dashboard.unexpected_complaints()
    assert not complaints, complaints
