"""What strangers may cost, each shown on a server by raw sockets; all of it to 127.0.0.1 and bounded."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from emostream.addresses import network_of
from emostream.api import stream
from emostream.connections import BoundedWebSocket

from tests.raw_sockets import handshake, masked, request
from tests.servers import QUICK_MODEL, Addresses, ServerProcess, receive, server_thread, session
from tests.support import PATIENCE_S, FakeRecognizer, frame, jpeg, until

HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    """The real process, with little patience and few connections."""
    with ServerProcess(
        tmp_path_factory.mktemp("strict"),
        cache_dir,
        model=QUICK_MODEL,
        headers_timeout_s=0.5,
        max_connections_per_address=10,
    ) as process:
        yield process
    assert "Traceback" not in process.log


def dial(server: Addresses) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)


def all_of(connection: socket.socket) -> bytes:
    """What the server sends until it closes the connection; a reset is a close, too."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def upgraded(server: Addresses, path: str = "/ws", receive_buffer: int | None = None) -> socket.socket:
    """A WebSocket whose handshake is done; what came with it has been read."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(PATIENCE_S)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(handshake(path, "Host: localhost"))
    assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
    return connection


def test_headers_without_end_are_refused_before_they_fill_the_memory(strict: ServerProcess) -> None:
    with dial(strict) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST)
        sent = 0
        try:
            while sent < 8 * 1024 * 1024:
                connection.sendall(b"X-Long: " + b"x" * 4096 + b"\r\n")
                sent += 4096
        except OSError:
            pass

        assert sent < 4 * 1024 * 1024  # what fits into the sockets' buffers
        assert all_of(connection).startswith((b"HTTP/1.1 431 ", b""))


@pytest.mark.parametrize("size", [65 * 1024, 70 * 1024])
def test_long_headers_are_told_so(strict: ServerProcess, size: int) -> None:
    with dial(strict) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * size)

        assert all_of(connection).startswith(b"HTTP/1.1 431 ")


def test_a_handshake_with_long_headers_is_answered_and_not_kept(strict: ServerProcess) -> None:
    with dial(strict) as connection:
        connection.sendall(handshake("/ws", "Host: localhost", "Cookie: " + "x" * 9000))

        assert all_of(connection).startswith(b"HTTP/1.1 431 ")


def test_headers_of_some_kilobytes_are_fine(strict: ServerProcess) -> None:
    with dial(strict) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST)
        connection.sendall(b"Cookie: " + b"x" * 30_000 + b"\r\n\r\n")

        assert all_of(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: loc"], ids=["silent", "half a request"])
def test_headers_that_do_not_come_are_not_waited_for(strict: ServerProcess, start: bytes) -> None:
    with dial(strict) as connection:
        connection.sendall(start)

        assert all_of(connection).startswith(b"HTTP/1.1 408 ")


def test_headers_that_come_byte_by_byte_have_the_same_time(strict: ServerProcess) -> None:
    with dial(strict) as connection:
        ended = False
        for byte in b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 10_000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                ended = True
                break
            time.sleep(0.01)

        assert ended


def test_a_second_request_has_its_time_as_well(strict: ServerProcess) -> None:
    with dial(strict) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET / HT")

        assert b"HTTP/1.1 408 " in all_of(connection)


def test_a_body_in_tiny_chunks_is_refused_and_one_in_small_ones_is_not(strict: ServerProcess) -> None:
    """Thousands came in one piece, and were taken apart in one go, which took a second."""
    head = request(
        "POST /v1/faces HTTP/1.1",
        "Host: localhost",
        "Content-Type: image/jpeg",
        "Transfer-Encoding: chunked",
        "Connection: close",
    )
    for size, times, status in ((1, 5000, b"400"), (300, 1000, b"422")):
        with dial(strict) as connection:
            connection.sendall(head)
            with suppress(OSError):
                for _ in range(times // 100):
                    connection.sendall((b"%x\r\n%s\r\n" % (size, b"x" * size)) * 100)
                connection.sendall(b"0\r\n\r\n")

            assert all_of(connection).startswith(b"HTTP/1.1 %s " % status)


def test_one_address_has_so_many_connections_and_the_others_are_told(strict: ServerProcess) -> None:
    with ExitStack() as open_ones:
        for _ in range(10):
            open_ones.enter_context(upgraded(strict))
        with dial(strict) as one_more:
            assert all_of(one_more).startswith(b"HTTP/1.1 503 ")
    for _ in range(100):  # until the server has noticed
        with dial(strict) as later:
            later.sendall(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
            answer = all_of(later)
        if answer.startswith(b"HTTP/1.1 200 "):
            break
        time.sleep(0.05)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_all_addresses_together_have_so_many() -> None:
    with server_thread(max_connections=3) as server, ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(upgraded(server))
        with dial(server) as one_more:
            assert all_of(one_more).startswith(b"HTTP/1.1 503 ")


def test_an_address_of_ipv6_is_its_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("unknown") == "unknown"


def messages_of(connection: socket.socket) -> tuple[list[dict[str, Any]], int | None]:
    """The text messages until the close, and its code."""
    content = all_of(connection)
    texts: list[dict[str, Any]] = []
    while len(content) >= 2:
        opcode, length, start = content[0] & 15, content[1], 2
        if length == 126:
            length, start = struct.unpack_from(">H", content, 2)[0], 4
        data, content = content[start : start + length], content[start + length :]
        if opcode == 1:
            texts.append(json.loads(data))
        elif opcode == 8:
            return texts, struct.unpack_from(">H", data)[0]
    return texts, None


FLOODS = {
    "pings": masked(9),
    "pongs": masked(10),
    "empty fragments": masked(0, is_last=False),
    "text": masked(1, b"{}"),
    "binary": masked(2, b"abc"),
    "updates": masked(1, b'{"type":"session.update","config":{"smoothing":0.5}}'),
}


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client is ended for two seconds' worth of messages saved up, and not for ten."""
    monkeypatch.setattr(stream, "_HASTE_S", 2.0)
    monkeypatch.setattr(stream, "_BROKEN_RULES_BURST_S", 2.0)


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_any_kind_is_ended_with_1008_and_others_are_served(kind: str) -> None:
    with server_thread(FakeRecognizer(is_open=True)) as server:
        async with session(server) as other:
            flood = asyncio.create_task(asyncio.to_thread(_flood, server, kind))
            answered = 0
            while not flood.done() or answered == 0:
                await other.send(frame(answered, jpeg()))
                assert (await receive(other))["type"] == "result"
                answered += 1
                await asyncio.sleep(0.02)  # below its own limit
            texts, code = await flood
    assert code == 1008
    *others, closed = texts
    # Frames that were in the engine by then are answered behind it.
    errors = [message for message in others if message["type"] == "error"]
    assert "keeps breaking" in errors[-1]["message"]
    assert (closed["type"], closed["reason"]) == ("session.closed", "error")


@pytest.mark.parametrize("kind", ["pings", "text"])
def test_the_older_clients_socket_is_ended_as_well(kind: str) -> None:
    with server_thread(FakeRecognizer(is_open=True)) as server:
        texts, code = _flood(server, kind, "/")

    assert code == 1008
    assert "keeps breaking" in texts[-1]["error"]


def _flood(server: Addresses, kind: str, path: str = "/ws") -> tuple[list[dict[str, Any]], int | None]:
    """Sends 60,000 messages or until it is stopped; what it was told."""
    one, start = FLOODS[kind], masked(2, b"x", is_last=False) if kind == "empty fragments" else b""
    with upgraded(server, path) as connection:
        from threading import Thread

        def send() -> None:
            try:
                connection.sendall(start)
                for _ in range(600):
                    connection.sendall(one * 100)
            except OSError:
                pass

        sender = Thread(target=send)
        sender.start()
        told = messages_of(connection)
        sender.join(PATIENCE_S)
    return told


def test_pongs_that_nobody_reads_do_not_pile_up() -> None:
    """The server stops reading pings when its pongs are not taken."""
    with (
        server_thread(max_frames_per_second=100_000) as server,
        upgraded(server, receive_buffer=4096) as connection,
    ):
        connection.settimeout(2)
        sent, pings = 0, masked(9, b"x" * 125) * 100
        with suppress(TimeoutError):
            while sent < 64 * 1024 * 1024:
                sent += connection.send(pings)
        [peer] = [peer for peer in server.connections if isinstance(peer, BoundedWebSocket)]
        held = peer.transport.get_write_buffer_size()

    assert held < 256 * 1024
    assert sent < 32 * 1024 * 1024


async def test_answers_to_bytes_that_were_no_frame_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """The protocol has closed it by then. What the peer has not read keeps the connection for a while."""
    with server_thread() as server, upgraded(server, "/ws?mode=all", receive_buffer=4096) as connection:
        async with session(server) as other:
            await other.send(frame(0, b"held"))
            assert await server.recognizer.next_batch() == [b"held"]
            for frame_id in range(2):  # whose answers come in one moment
                connection.sendall(masked(2, frame(frame_id, b"x")))
            connection.sendall(masked(1, b'{"type":"session.close"}'))  # from here on the app only sends
            [peer] = [
                peer
                for peer in server.connections
                if isinstance(peer, BoundedWebSocket) and "mode=all" in peer.scope["query_string"].decode()
            ]
            while peer.transport.get_write_buffer_size() == 0:
                await asyncio.to_thread(connection.sendall, masked(9, b"x" * 125) * 50)
                await asyncio.sleep(0.005)
            connection.sendall(masked(3))
            await until(lambda: peer.close_sent)
            server.recognizer.let_pass(2)
            assert await server.recognizer.next_batch() == [b"x", b"x"]
            await until(lambda: len(peer.tasks) == 1)  # the other one's

    assert "Traceback" not in caplog.text
