"""Limits on bodies, over a socket. What is in them is told in test_images.py and test_compat.py."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.servers import ServerThread, server_thread
from tests.support import PATIENCE_S, FakeRecognizer, jpeg, until

MAX_TEXT = 4096
TEXT = b"A" * (MAX_TEXT + 4)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

#: Of a request whose body does not come whole.
HEAD = b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\nContent-Type: image/png\r\n\r\n"


@pytest.fixture
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(is_open=True), max_text_bytes=MAX_TEXT) as thread:
        yield thread


@pytest_asyncio.fixture
async def client(server: ServerThread) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/recognize/base64", {"content": TEXT}),
        ("/v1/faces", {"content": b'{"image": "' + TEXT + b'"}', "headers": JSON}),
        ("/face", {"content": b"imgBase64=" + TEXT, "headers": FORM}),
        ("/face", {"files": {"imgBase64": (None, TEXT)}}),
        ("/face", {"files": {"imgBase64": ("image.txt", TEXT)}}),
    ],
    ids=["text", "JSON", "form", "field", "field with a file name"],
)
async def test_text_has_a_limit_of_its_own(
    client: httpx.AsyncClient, route: str, body: dict[str, object]
) -> None:
    answer = await client.post(route, **body)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert str(MAX_TEXT) in answer.json()["detail"]


async def test_an_image_itself_may_be_larger_than_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/faces", content=TEXT, headers={"Content-Type": "image/jpeg"})

    assert answer.json()["code"] == "not_an_image"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/recognize/base64", {"content": b"AAAA"}),
        ("/v1/faces", {"content": b'{"image": "AAAA"}', "headers": JSON}),
        ("/face", {"content": b"imgBase64=AAAA", "headers": FORM}),
        ("/face", {"files": {"imgBase64": (None, b"AAAA")}}),
    ],
    ids=["text", "JSON", "form", "field"],
)
async def test_others_are_answered_while_text_is_decoded(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, route: str, body: dict[str, object]
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def decode_slowly(text: object) -> bytes:
        begun.set()
        assert may_end.wait(PATIENCE_S)
        return b"an image"

    for module in ("uploads", "text_bodies"):
        monkeypatch.setattr(f"emostream.api.{module}.decode_base64", decode_slowly)
    answer = asyncio.create_task(client.post(route, **body))  # type: ignore[arg-type]
    await asyncio.to_thread(begun.wait, PATIENCE_S)

    assert (await client.get("/healthz")).status_code == 200
    assert not answer.done()
    may_end.set()
    assert (await answer).status_code in (200, 422)


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """A client that is slow to close its connection may cost the server a line, but no traceback."""
    return [record for record in caplog.records if record.exc_info]


async def test_shutdown_answers_whoever_waits_for_a_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def count_slowly(*of: object) -> int:
        begun.set()
        assert may_end.wait(PATIENCE_S)
        return 1

    monkeypatch.setattr("emostream.api.admission.count_pixels", count_slowly)
    server = ServerThread(FakeRecognizer(is_open=True), shutdown_timeout_s=1)
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        request = asyncio.create_task(client.post("/v1/faces", files={"file": jpeg()}))
        await asyncio.to_thread(begun.wait, PATIENCE_S)

        server.ask_to_stop()
        answer = await request

    may_end.set()
    await asyncio.to_thread(server.join)
    assert (answer.status_code, answer.json()["code"]) == (503, "shutting_down")
    assert not tracebacks(caplog)


async def test_shutdown_answers_whoever_never_sends_the_body(caplog: pytest.LogCaptureFixture) -> None:
    server = ServerThread(FakeRecognizer(is_open=True), shutdown_timeout_s=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEAD + b"some")
    await until(lambda: server.services.admission._bodies.total() == 1)

    server.ask_to_stop()
    answer = await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE_S)

    writer.close()
    await asyncio.to_thread(server.join)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b'"shutting_down"' in answer
    assert not tracebacks(caplog)


async def test_slow_bodies_do_not_lock_others_out() -> None:
    with server_thread(FakeRecognizer(is_open=True), max_requests=1) as server:
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        for _, writer in slow:
            writer.write(HEAD + b"some")
        await until(lambda: server.services.admission._bodies.total() == len(slow))

        async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
            answer = await client.post("/face", data={"imgBase64": "AAAA"})

        assert answer.status_code == 200
        for _, writer in slow:
            writer.close()


async def test_a_request_has_a_budget_of_pixels() -> None:
    with server_thread(FakeRecognizer(is_open=True), max_request_pixels=48 * 48 * 2) as server:
        async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
            answer = await client.post("/v1/faces", files=[("file", jpeg())] * 3)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")
