"""Serves the page's own code with Vite, and runs it in a worker in Chromium."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
from playwright.sync_api import sync_playwright

from tests.e2e.browser import launched

_WEB = Path(__file__).parents[1] / "web"

#: Makes a worker of a source, and waits for its first message.
_START = """source => new Promise((resolve, reject) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    window.worker = new Worker(address, { type: "module" });
    window.worker.onmessage = (event) => resolve(event.data);
    window.worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
})"""

_ASK = """message => new Promise((resolve, reject) => {
    window.worker.onmessage = (event) => resolve(event.data);
    window.worker.onerror = (event) => reject(new Error(event.message));
    window.worker.postMessage(message);
})"""


class Ask(Protocol):
    """Posts a message to the worker and returns its answer."""

    def __call__(self, message: Any) -> Any: ...


@contextmanager
def vite_server(port: int, **environment: str) -> Iterator[str]:
    """Vite with these variables in its environment, ready to serve ``web/``: its address."""
    url = f"http://localhost:{port}"
    command = ["node", "node_modules/vite/bin/vite.js", "--port", str(port), "--strictPort"]
    vite = subprocess.Popen(command, cwd=_WEB, env=os.environ | environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                httpx.get(url, trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        vite.terminate()
        vite.wait(30)


@contextmanager
def page_worker(source: str, port: int) -> Iterator[tuple[Any, Ask]]:
    """A worker with this source, in which ``ORIGIN`` is the address of ``web/``: its first message, and how
    to ask it for more."""
    with vite_server(port) as url, sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page()
        # Any file of the server's will do: the page itself would start the camera.
        page.goto(f"{url}/favicon.svg")
        first = page.evaluate(_START, source.replace("ORIGIN", url))
        yield first, lambda message: page.evaluate(_ASK, message)
