"""Firefox and WebKit as Debian builds them, by the protocols they speak: Playwright cannot drive them."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.e2e.make_run import free_port

_PATIENCE_S = 120.0
_MINI_BROWSER = "/usr/lib/{}-linux-gnu/webkit2gtk-4.1/MiniBrowser"

#: A webcam that shows a moving pattern, and nobody who asks for leave.
_FIREFOX_SETTINGS = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    # Nothing but this machine can be reached, whatever asks.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}


class OtherBrowser(Protocol):
    """One window."""

    def open(self, url: str) -> None:
        """Returns once the page is loaded."""

    def call(self, function: str, *arguments: str) -> Any:
        """The value of a JavaScript function, asynchronous ones, too."""


def wait_until(browser: OtherBrowser, function: str) -> Any:
    """The first value of the function that is true."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (value := browser.call(function)):
        if time.monotonic() > deadline:
            page = browser.call("() => document.body.innerText")
            raise AssertionError(f"never true: {function}\nThe page says:\n{page}")
        time.sleep(0.2)
    return value


class _Firefox:
    """By WebDriver BiDi, which it speaks without a driver beside it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = 0
        self._ask("session.new", capabilities={})
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def call(self, function: str, *arguments: str) -> Any:
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=f"async (...given) => JSON.stringify(await ({function})(...given) ?? null)",
            awaitPromise=True,
            target={"context": self._context},
            arguments=[{"type": "string", "value": argument} for argument in arguments],
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def _ask(self, method: str, **parameters: object) -> Any:
        self._ids += 1
        self._connection.send(json.dumps({"id": self._ids, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=_PATIENCE_S))
            if message.get("id") == self._ids:  # all others are events
                assert message["type"] == "success", message
                return message["result"]


@contextmanager
def firefox(folder: Path) -> Iterator[OtherBrowser]:
    """
    Args:
        folder: empty; for its profile
    """
    program = shutil.which("firefox-esr") or shutil.which("firefox") or _missing("firefox-esr")
    settings = "".join(
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _FIREFOX_SETTINGS.items()
    )
    (folder / "user.js").write_text(settings)
    command = [program, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)})
    try:
        address = _found(folder / "log.txt", r"WebDriver BiDi listening on (ws://\S+)")
        with connect(f"{address}/session", proxy=None, max_size=None) as connection:
            yield _Firefox(connection)
    finally:
        process.terminate()
        process.wait(60)


class _WebKit:
    """By WebDriver."""

    def __init__(self, client: httpx.Client, program: str) -> None:
        self._client = client
        options = {
            "binary": program,
            "args": ["--automation", "--enable-media-stream=true", "--enable-mock-capture-devices=true"],
        }
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._session = ""
        self._session = f"/{self._post('/session', capabilities=capabilities)['sessionId']}"
        self._post("/timeouts", script=1000 * _PATIENCE_S, pageLoad=1000 * _PATIENCE_S)

    def open(self, url: str) -> None:
        self._post("/url", url=url)

    def call(self, function: str, *arguments: str) -> Any:
        script = f"return ({function})(...arguments)"
        return self._post("/execute/sync", script=script, args=arguments)

    def close(self) -> None:
        self._client.delete(f"/session{self._session}")

    def _post(self, path: str, **parameters: object) -> Any:
        path = path if path == "/session" else f"/session{self._session}{path}"
        answer = self._client.post(path, json=parameters)
        assert answer.is_success, answer.text
        return answer.json()["value"]


@contextmanager
def webkit(folder: Path, language: str) -> Iterator[OtherBrowser]:
    """Safari's engine, on a screen that nobody sees, with a webcam that shows a test pattern.

    Args:
        folder: empty; for its logs and settings
        language: LANG, as the system has it
    """
    driver = shutil.which("WebKitWebDriver") or _missing("webkit2gtk-driver")
    screen = shutil.which("Xvfb") or _missing("xvfb")
    program = _MINI_BROWSER.format(os.uname().machine)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    environment |= {"LANG": language, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "no_proxy": "*"}
    # Containers lack what its sandbox needs, and the page under test is our own.
    environment |= {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
    processes = []
    with (folder / "log.txt").open("wb") as log:
        try:
            readable, writable = os.pipe()
            arguments = [screen, "-displayfd", str(writable), "-screen", "0", "1440x900x24"]
            processes.append(subprocess.Popen(arguments, pass_fds=[writable], stdout=log, stderr=log))
            os.close(writable)
            with os.fdopen(readable) as display:
                environment |= {"DISPLAY": f":{display.readline().strip()}"}
            processes.append(
                subprocess.Popen([driver, f"--port={port}"], env=environment, stdout=log, stderr=log)
            )
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE_S, trust_env=False
            ) as client:
                _wait_for_driver(client)
                browser = _WebKit(client, program)
                try:
                    yield browser
                finally:
                    browser.close()
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(60)


def _wait_for_driver(client: httpx.Client) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            client.get("/status").raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _found(log: Path, pattern: str) -> str:
    """What a program has written, once it has."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := re.search(pattern, log.read_text(errors="replace"))) is None:
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)
    return found[1]


def _missing(package: str) -> str:
    pytest.skip(f"{package} is not installed; on Debian, as root, `make test-tools` installs it")
