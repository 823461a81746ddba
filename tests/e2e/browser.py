"""Chromium with a film for a webcam."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

#: Playwright's own download is never used: these are what a distribution installs.
_NAMES = ("chromium", "chromium-browser", "google-chrome")

#: A name that leads to this machine as ``localhost`` does, but that no browser trusts with a camera.
INSECURE_HOST = "emostream.test"

_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--enable-unsafe-swiftshader",
    # Nothing but this machine can be reached, whatever asks.
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost",
)

#: Answers the browser's question for the camera with yes.
ALLOW_CAMERA = "--use-fake-ui-for-media-stream"


def webcam(film: Path) -> tuple[str, ...]:
    """Flags for a webcam that shows a film."""
    return "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"


@contextmanager
def launched(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        names = ", ".join(_NAMES)
        pytest.fail(f"none of {names} found; `make test-tools` installs one, or says what to", pytrace=False)
    browser = playwright.chromium.launch(executable_path=executable, args=[*_FLAGS, *flags])
    try:
        yield browser
    finally:
        browser.close()
