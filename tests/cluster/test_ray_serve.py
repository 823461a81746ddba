"""A gateway in front of a local Ray cluster: real processes, real sockets, and replicas that die."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from emostream.cluster.remote_batcher import CREDITS
from websockets.asyncio.client import ClientConnection

from tests.servers import ServerProcess, receive, send_json, session
from tests.support import PATIENCE_S, ROOT, FakeRecognizer, frame

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'emostream[ray]'"),
    pytest.mark.skipif(sys.platform != "linux", reason="the cluster wants a second loopback address"),
]

CLIENTS = 8


class Cluster:
    """The program ``ray_cluster``, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.pids = folder / "pids"
        self.pids.mkdir()
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": str(folder),
        }
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.ray_cluster", str(self.pids)],
            cwd=ROOT,
            env=os.environ | self.environment | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            # Whatever it prints besides, the address is a line without a space.
            self.environment["RAY_ADDRESS"] = self._line_that(lambda line: ":" in line and " " not in line)
        except BaseException:
            self.end()
            raise

    def _line_that(self, is_wanted: Callable[[str], bool]) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if is_wanted(line.strip()):
                return line.strip()
        raise AssertionError(f"the cluster has ended: {Path(self._log.name).read_text()[-2000:]}")

    def serve(self, model: str) -> None:
        """Has other replicas take the place of these; returns once they have."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{model}\n")
        self._process.stdin.flush()
        self._line_that(lambda line: line == model)

    @property
    def replicas(self) -> list[int]:
        """Process ids of those that live."""
        return sorted(int(file.name) for file in self.pids.iterdir() if Path("/proc", file.name).exists())

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Ray puts Unix sockets there, whose paths may have 107 bytes: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:
        running = Cluster(Path(folder))
        yield running
        running.end()


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("gateway")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        server = ServerProcess(folder, folder, options=["--engine", "ray://local"])
    yield server
    # SIGTERM is still the web server's, and not Ray's, which would end the process with 15 at once.
    assert server.end() == -signal.SIGTERM, server.log
    assert "Application shutdown complete" in server.log
    assert "Traceback" not in server.log


class Camera:
    """A session that sends frames as the page does, and keeps account of what becomes of each."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.sent = 0
        self.answers: Counter[int] = Counter()
        self.outcomes: Counter[str] = Counter()

    async def stream(self, until: asyncio.Event) -> None:
        receiving = asyncio.create_task(self._receive())
        while not until.is_set():
            if self.sent - len(self.answers) < 2:
                await self.client.send(frame(self.sent, b"face of %d" % self.sent))
                self.sent += 1
            await asyncio.sleep(0.03)
        await send_json(self.client, {"type": "session.close"})
        await asyncio.wait_for(receiving, PATIENCE_S)

    async def _receive(self) -> None:
        while (message := await receive(self.client))["type"] != "session.closed":
            self.answers[message["frame_id"]] += 1
            self.outcomes[message.get("code", message["type"])] += 1
        assert message["reason"] == "client_request"
        assert message["frames"]["received"] == self.sent


async def readiness(gateway: ServerProcess) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
        return (await http.get(f"{gateway.http}/readyz")).status_code


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await found if asyncio.iscoroutine(found := condition()) else found):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


class Streams:
    """Cameras that stream while a test does something."""

    def __init__(self, cameras: list[Camera]) -> None:
        self.cameras = cameras
        self.stop = asyncio.Event()
        self._tasks = [asyncio.create_task(camera.stream(self.stop)) for camera in cameras]

    @property
    def outcomes(self) -> Counter[str]:
        return sum((camera.outcomes for camera in self.cameras), Counter())

    async def more_results(self, count: int) -> None:
        wanted = self.outcomes["result"] + count
        await until(lambda: self.outcomes["result"] >= wanted)

    async def end(self) -> None:
        self.stop.set()
        await asyncio.gather(*self._tasks)
        for camera in self.cameras:
            assert camera.answers == dict.fromkeys(range(camera.sent), 1)  # exactly one each


@pytest.fixture
async def streams(gateway: ServerProcess) -> AsyncIterator[Streams]:
    async with (
        session(gateway) as a,
        session(gateway) as b,
        session(gateway) as c,
        session(gateway) as d,
        session(gateway) as e,
        session(gateway) as f,
        session(gateway) as g,
        session(gateway) as h,
    ):
        yield Streams([Camera(client) for client in (a, b, c, d, e, f, g, h)])


async def test_a_replica_that_is_killed_under_load_ends_no_session_and_loses_no_frame(
    cluster: Cluster, gateway: ServerProcess, streams: Streams
) -> None:
    await until(lambda: len(cluster.replicas) == 2)
    await streams.more_results(50)

    os.kill(cluster.replicas[0], signal.SIGKILL)
    await streams.more_results(100)
    assert await readiness(gateway) == 200
    await until(lambda: len(cluster.replicas) == 2)  # Ray has made another
    await streams.more_results(50)
    await streams.end()

    # What was with it went to the other one. Only frames whose second replica dies as well may be lost.
    assert streams.outcomes.keys() <= {"result", "dropped", "internal_error"}
    assert streams.outcomes["internal_error"] <= CREDITS * FakeRecognizer().max_batch


async def test_another_model_takes_the_place_of_the_first_and_no_session_notices(
    cluster: Cluster, gateway: ServerProcess, streams: Streams
) -> None:
    async def name() -> str:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
            return str((await http.get(f"{gateway.http}/v1/model")).json()["name"])

    await streams.more_results(50)
    before = await name()

    await asyncio.to_thread(cluster.serve, "second")
    await streams.more_results(100)
    await streams.end()

    assert (before, await name()) == ("first", "second")
    assert streams.outcomes.keys() <= {"result", "dropped"}


async def test_readiness_follows_the_replicas(cluster: Cluster, gateway: ServerProcess) -> None:
    async def is_ready() -> bool:
        return await readiness(gateway) == 200

    async def is_unready() -> bool:
        return not await is_ready()

    await until(is_ready)
    async with session(gateway) as client:
        for replica in cluster.replicas:
            os.kill(replica, signal.SIGKILL)
        await until(is_unready)
        await until(is_ready)  # Ray has made others

        await client.send(frame(1, b"face"))
        assert (await receive(client))["type"] == "result"
