"""``make run``, as somebody types it, with its signals."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from tests.e2e.browser import INSECURE_HOST
from tests.support import ROOT

#: The first start sets up what is missing and compiles the networks.
_START_TIMEOUT_S = 600.0
_STOP_TIMEOUT_S = 30.0


class MakeRun:
    """``make run PORT=…``: make and the server that it starts, in a process group of their own.

    As a context manager it runs from the beginning to the end.
    """

    def __init__(self, log: Path, **settings: object) -> None:
        """
        Args:
            log: file to which both write
            settings: EMOSTREAM_* variables, in lower case and without the prefix
        """
        self.port = free_port()
        self._log = log
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What people open."""
        return f"http://localhost:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def start(self) -> None:
        """Returns when the server is ready. Always on the same port."""
        assert self._process is None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["make", "run", f"PORT={self.port}"],
                cwd=ROOT,
                env=_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._is_ready():
            code = self._process.poll()
            if code is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            self.stop()
            state = "is not ready" if code is None else f"ended with {code}"
            raise AssertionError(f"make run {state}:\n{self.log[-4000:]}")

    def _is_ready(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self.port}/readyz"
            return httpx.get(address, timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Ends the server at once, without a word to anybody."""
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._wait()

    def pause(self) -> None:
        """From now on the server is there, but does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def restore(self) -> None:
        """Makes it a server that runs and answers, whatever has been done to it."""
        if self._process is None:
            self.start()
        else:
            self.resume()

    def ask_to_stop(self) -> None:
        """As Ctrl-C does; returns at once."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ends the server in order, and by force where it does not obey. Does nothing where none runs."""
        if self._process is None:
            return
        self.resume()
        self.ask_to_stop()
        try:
            self._wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"make run did not obey SIGTERM:\n{self.log[-4000:]}") from None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self._process.pid, number)

    def _wait(self) -> None:
        """Until the server, which may outlive make, has left its port, too."""
        assert self._process is not None
        self._process.wait(_STOP_TIMEOUT_S)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while self._listens():
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("make run", _STOP_TIMEOUT_S)
            time.sleep(0.05)
        self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _environment(settings: dict[str, object]) -> dict[str, str]:
    """This process's, without what a make around the tests, or a developer's own settings, would change."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if "MAKE" not in name and not name.startswith("EMOSTREAM_") and name not in ("MFLAGS", "PORT")
    }
    settings = {"allowed_hosts": INSECURE_HOST} | settings
    return environment | {f"EMOSTREAM_{name.upper()}": str(value) for name, value in settings.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
