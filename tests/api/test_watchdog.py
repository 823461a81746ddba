"""An engine or a decoder that hangs: in the real process, made to hang by the program that starts it."""

import asyncio
import base64
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from emostream.api.metrics import Metrics
from emostream.api.watchdog import Watchdog
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection

from tests.servers import QUICK_MODEL, ServerProcess, close_code, receive, receive_all, server_thread, session
from tests.support import PATIENCE_S, FakeRecognizer, frame, jpeg

#: Black crops never leave the engine, and what ends in "hang" never leaves the decoder.
PROGRAM = """
import threading
from emostream.cli.main import main
from emostream.inference.openvino_engine import OpenVinoEngine

infer, prepare = OpenVinoEngine.infer, OpenVinoEngine.prepare

def infer_or_hang(self, crops, *more):
    if not crops[0].any(axis=(1, 2, 3)).all():
        threading.Event().wait()
    return infer(self, crops, *more)

def prepare_or_hang(self, data, max_pixels):
    if data.endswith(b"hang"):
        threading.Event().wait()
    return prepare(self, data, max_pixels)

OpenVinoEngine.infer, OpenVinoEngine.prepare = infer_or_hang, prepare_or_hang
main()
"""

FINE, BLACK, STUCK = jpeg(), jpeg(colour=(0, 0, 0)), jpeg() + b"hang"


@pytest.fixture
def start(tmp_path: Path, cache_dir: Path) -> Callable[..., ServerProcess]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    return lambda **settings: ServerProcess(
        tmp_path, cache_dir, program=[str(program)], model=QUICK_MODEL, **settings
    )


async def ask(client: ClientConnection, data: bytes) -> dict[str, Any]:
    await client.send(data)
    return await receive(client)


@asynccontextmanager
async def http(server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def sample(text: str, name: str) -> float:
    return next(s.value for f in text_string_to_metric_families(text) for s in f.samples if s.name == name)


async def test_another_engine_takes_the_place_of_one_that_hangs_and_where_it_does_too_the_process_ends(
    start: Callable[..., ServerProcess],
) -> None:
    with start(engine_timeout_s=2) as server:
        async with session(server, "/ws?mode=all") as client, session(server) as idle, http(server) as web:
            await client.send(frame(1, BLACK))
            await client.send(frame(2, FINE))
            answers = [await receive(client), await receive(client)]
            readiness = await web.get("/readyz")

            assert [answer["code"] for answer in answers] == ["internal_error"] * 2
            assert "over 2 s" in answers[0]["message"]
            assert (readiness.status_code, readiness.json()) == (503, {"status": "the engine hangs"})
            assert (await web.get("/healthz")).status_code == 200
            async with asyncio.timeout(PATIENCE_S):
                while (await web.get("/readyz")).status_code != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (await ask(client, frame(3, FINE)))["type"] == "result"
            metrics = (await web.get("/metrics")).text
            assert sample(metrics, "emostream_engine_hangs_total") == 1
            assert sample(metrics, "emostream_engine_restarts_total") == 1
            assert sample(metrics, "process_resident_memory_bytes") > 0

            assert (await ask(client, frame(4, BLACK)))["code"] == "internal_error"
            (farewell,) = await receive_all(idle)
            assert farewell["reason"] == "server_shutdown"
            assert await close_code(idle) == 1001
        assert server.wait() == 70
        assert "the engine hangs" in server.log
        assert "another engine has replaced it" in server.log
        assert "the process ends with exit code 70" in server.log
        assert "Traceback" not in server.log


@pytest.mark.parametrize("image", [BLACK, STUCK], ids=["engine", "decoder"])
async def test_sigterm_answers_and_ends_whatever_hangs(
    start: Callable[..., ServerProcess], image: bytes
) -> None:
    """Requests over HTTP as well. Nothing but the shutdown's own time limit can end them here."""
    with start(
        engine_timeout_s=900, decode_timeout_s=900, image_timeout_s=900, shutdown_timeout_s=2
    ) as server:
        async with session(server) as client, session(server) as other, http(server) as web:
            await client.send(frame(1, image))
            request = asyncio.create_task(
                web.post("/face", data={"imgBase64": base64.b64encode(image).decode()})
            )
            async with asyncio.timeout(PATIENCE_S):
                while sample((await web.get("/metrics")).text, "emostream_unanswered_frames") < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            server.send_signal(signal.SIGTERM)
            answer, closed = await receive_all(client)
            (farewell,) = await receive_all(other)

            assert (answer["code"], answer["frame_id"]) == ("internal_error", 1)
            assert closed["reason"] == farewell["reason"] == "server_shutdown"
            assert await close_code(client) == await close_code(other) == 1001
            assert (await request).json()["code"] == "shutting_down"
        assert server.wait() in (0, -signal.SIGTERM)
        assert "Traceback" not in server.log


async def test_where_every_decoder_hangs_the_process_is_not_ready_and_ends(
    start: Callable[..., ServerProcess],
) -> None:
    with start(decode_threads=1, decode_timeout_s=0.5, engine_timeout_s=3) as server:
        async with session(server, "/ws?mode=all") as client, http(server) as web:
            for frame_id in range(2):
                assert (await ask(client, frame(frame_id, STUCK)))["type"] == "error"
            readiness = await web.get("/readyz")
            (farewell,) = await receive_all(client)

        assert readiness.status_code == 503
        assert readiness.json() == {"status": "every thread hangs that is there to decode"}
        assert farewell["reason"] == "server_shutdown"
        assert server.wait() == 70


async def test_an_engine_that_cannot_be_loaded_again_ends_the_process() -> None:
    with server_thread(FakeRecognizer(), engine_timeout_s=0.1) as server:
        async with session(server) as client:
            answer, closed = [await ask(client, frame(1, b"x")), *(await receive_all(client))]

        assert answer["code"] == "internal_error"
        assert closed["reason"] == "server_shutdown"
        assert server.services.watchdog.exit_code == 70


class Exhausted:
    """A batcher whose threads have all been given up, and get some processor time between two looks."""

    trouble, hangs = "every thread hangs", False

    def __init__(self, cpu_s_a_look: float, looks: int) -> None:
        self._cpu_s_a_look, self._left = cpu_s_a_look, looks
        self._cpu_s = 0.0

    @property
    def exhausted(self) -> list[str]:
        self._left -= 1
        return ["detect"] if self._left >= 0 else []

    @property
    def given_up_cpu_s(self) -> float:
        self._cpu_s += self._cpu_s_a_look
        return self._cpu_s


@pytest.mark.parametrize(
    ("cpu_s_a_look", "exit_code"), [(0.0005, 0), (0.0, 70), (1.0, 70)], ids=["starved", "blocked", "spinning"]
)
async def test_threads_that_compute_but_hardly_get_a_processor_do_not_end_the_process(
    cpu_s_a_look: float, exit_code: int
) -> None:
    """On a busy machine two large images ended it: searches give way to all else."""
    batcher: Any = Exhausted(cpu_s_a_look, looks=30)
    watchdog = Watchdog(batcher, Metrics(), None, lambda recognizer: None, timeout_s=0.1)
    watchdog.end_process = lambda: None

    batcher.on_trouble()
    assert watchdog._task is not None
    await asyncio.wait_for(watchdog._task, PATIENCE_S)

    assert watchdog.exit_code == exit_code
