"""What the server's log says of clients that leave, and what it never says; through the real process."""

import socket
import struct
from pathlib import Path

import pytest

from tests.raw_sockets import handshake, masked
from tests.servers import QUICK_MODEL, ServerProcess
from tests.support import PATIENCE_S


def leave(port: int, *messages: bytes, waits: bool = True) -> None:
    """Sends, waits for a first answer if asked to, and resets the connection."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for number, message in enumerate(messages):
            connection.sendall(message)
            if waits and number == 0:
                connection.recv(65536)


@pytest.fixture(scope="module")
def log_of_leavers(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> str:
    """At its most talkative, after clients have left in every way and tokens have come in every spelling."""
    server = ServerProcess(
        tmp_path_factory.mktemp("log"), cache_dir, model=QUICK_MODEL, token="sesame-right", log_level="debug"
    )
    port, host = server.port, f"Host: {server.host}"
    right, upload = (
        "/ws?token=sesame-right",
        b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n",
    )
    bearer = "Authorization: Bearer sesame-right"
    for _ in range(3):
        leave(port, handshake(right, host), waits=False)
        leave(port, handshake("/ws?%74oken=sesame-wrong", host), waits=False)
        leave(port, handshake("/ws?mode=all&to%6Ben=sesame-wrong", host))
        leave(port, handshake(right, host), masked(2, b"abc") * 50)
        leave(port, handshake("/", host, bearer), masked(1, b"{}") * 50)
        leave(port, handshake("/ws", host, bearer), masked(1, b"\xff\xfe"))
        leave(port, handshake("/ws", host, bearer), masked(3, b"unknown opcode"))
        leave(port, handshake("/ws", host, bearer), masked(8, b""))
        leave(port, upload + bearer.encode() + b"\r\n\r\nhalf", waits=False)
        leave(port, upload + b"Authorization: Bearer sesame-wrong\r\n\r\nhalf", waits=False)
        leave(port, b"nonsense sesame-wrong\r\n\r\n")
    server.end()
    return server.log


def test_clients_that_leave_leave_no_traceback(log_of_leavers: str) -> None:
    assert "Traceback" not in log_of_leavers
    assert "Exception" not in log_of_leavers


def test_no_token_is_in_the_log_even_when_it_tells_everything(log_of_leavers: str) -> None:
    assert "DEBUG websockets" in log_of_leavers or "DEBUG uvicorn" in log_of_leavers
    assert "sesame" not in log_of_leavers
