"""Servers for tests: the real process, and the same server in a thread around a recogniser that pretends."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
from emostream.settings import Settings
from emostream.web_server import create_server
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support import PATIENCE_S, FakeRecognizer

#: The quickest to start of the models that come with the repository.
QUICK_MODEL = "compact-mobilenet-a"


class Addresses:
    """Where a server is."""

    port: int
    scheme = "http"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def ws(self) -> str:
        return f"{self.scheme.replace('http', 'ws')}://{self.host}"


class ServerProcess(Addresses):
    """``emostream serve`` on a free port, or the one given, ready to answer."""

    def __init__(
        self,
        folder: Path,
        cache_dir: Path,
        port: int = 0,
        options: Sequence[str] = (),
        python: Path | str = sys.executable,
        program: Sequence[str] = ("-m", "emostream"),
        **settings: object,
    ) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("EMOSTREAM_") and name != "PYTHONPATH"
        }
        settings = {"cache_dir": cache_dir, "device": "cpu", "precision": "f32"} | settings
        environment |= {f"EMOSTREAM_{name.upper()}": str(value) for name, value in settings.items()}
        self._process = subprocess.Popen(
            [python, *program, "serve", "--port", str(port), *options],
            cwd=folder,  # where there is no .env
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._port_is_known = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._port_is_known.wait(300) or self._process.poll() is not None:
            self.end(signal.SIGKILL)
            raise AssertionError(f"the server did not start:\n{self.log}")
        ready = httpx.get(f"{self.http}/readyz", timeout=PATIENCE_S, trust_env=False, verify=False)
        ready.raise_for_status()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append(line)
            if found := re.search(r"on (https?)://localhost:(\d+)", line):
                self.scheme, self.port = found[1], int(found[2])
                self._port_is_known.set()
        self._port_is_known.set()  # it has ended

    @property
    def log(self) -> str:
        """What it wrote to standard error so far; all of it once it has ended."""
        return "".join(self._lines)

    def wait_for(self, pattern: str, times: int = 1) -> None:
        """Returns once that many lines of its log have matched."""
        deadline = time.monotonic() + PATIENCE_S
        while sum(bool(re.search(pattern, line)) for line in self._lines) < times:
            assert time.monotonic() < deadline, f"no {pattern} in:\n{self.log}"
            time.sleep(0.05)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait()


class ServerThread(Addresses):
    """The server in this process, so that a test can stop its engine at will."""

    def __init__(self, recognizer: FakeRecognizer, **settings: object) -> None:
        self.recognizer = recognizer
        values: dict[str, object] = {"_env_file": None, "port": 0, "log_level": "warning"}
        self._server = create_server(Settings(**(values | settings)), recognizer)  # type: ignore[arg-type]
        # uvloop, closed with a connection that was cut off, complains into whichever test runs then.
        self._server.config.loop = "asyncio"
        listening = socket.socket()
        # Connections take these over: small, so that a test need not send megabytes to fill them.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        self.port = listening.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        httpx.get(f"{self.http}/readyz", timeout=PATIENCE_S, trust_env=False).raise_for_status()

    @property
    def services(self) -> Any:
        return self._server.config.app.state.services  # type: ignore[union-attr]

    @property
    def connections(self) -> set[Any]:
        """uvicorn's protocol of each."""
        return self._server.server_state.connections

    def ask_to_stop(self) -> None:
        """As SIGTERM does."""
        self._server.should_exit = True

    def stop(self) -> None:
        self.recognizer.open()
        self.ask_to_stop()
        self.join()

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@contextmanager
def server_thread(recognizer: FakeRecognizer | None = None, **settings: object) -> Iterator[ServerThread]:
    server = ServerThread(recognizer or FakeRecognizer(), **settings)
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def connected(server: Addresses, path: str = "/ws", **options: Any) -> AsyncIterator[ClientConnection]:
    """A client whose handshake is done; nothing has been read."""
    async with connect(f"{server.ws}{path}", proxy=None, open_timeout=PATIENCE_S, **options) as client:
        yield client


@asynccontextmanager
async def session(server: Addresses, path: str = "/ws", **options: Any) -> AsyncIterator[ClientConnection]:
    """A client that has been told session.created."""
    async with connected(server, path, **options) as client:
        assert (await receive(client))["type"] == "session.created"
        yield client


async def receive(client: ClientConnection) -> dict[str, Any]:
    """The next message."""
    text = await asyncio.wait_for(client.recv(), PATIENCE_S)
    assert isinstance(text, str)
    content = json.loads(text, parse_constant=_refuse_constant)
    assert isinstance(content, dict)
    return content


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


async def receive_all(client: ClientConnection) -> list[dict[str, Any]]:
    """Every message until the server closes the connection."""
    messages = []
    with suppress(ConnectionClosed):
        while True:
            messages.append(await receive(client))
    return messages


async def close_code(client: ClientConnection) -> int | None:
    """The server's close code, once it has closed the connection."""
    await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
    return client.close_code


async def send_json(client: ClientConnection, content: object) -> None:
    await client.send(json.dumps(content))
