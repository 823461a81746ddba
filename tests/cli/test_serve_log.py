"""What the server's log says of clients that leave, and what it never says; through the real process."""

import base64
import socket
import struct
from pathlib import Path

import pytest

from tests.servers import QUICK_MODEL, ServerProcess
from tests.support import PATIENCE_S


def handshake(port: int, target: str, *headers: str) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def leave(port: int, *messages: bytes, waits: bool = True) -> None:
    """Sends, waits for a first answer if asked to, and resets the connection."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for number, message in enumerate(messages):
            connection.sendall(message)
            if waits and number == 0:
                connection.recv(65536)


def masked(opcode: int, data: bytes) -> bytes:
    return bytes([0x80 | opcode, 0x80 | len(data)]) + bytes(4) + data


@pytest.fixture(scope="module")
def log_of_leavers(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> str:
    """At its most talkative, after clients have left in every way and tokens have come in every spelling."""
    server = ServerProcess(
        tmp_path_factory.mktemp("log"), cache_dir, model=QUICK_MODEL, token="sesame-right", log_level="debug"
    )
    port = server.port
    right, upload = (
        "/ws?token=sesame-right",
        b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n",
    )
    bearer = "Authorization: Bearer sesame-right"
    for _ in range(3):
        leave(port, handshake(port, right), waits=False)
        leave(port, handshake(port, "/ws?%74oken=sesame-wrong"), waits=False)
        leave(port, handshake(port, "/ws?mode=all&to%6Ben=sesame-wrong"))
        leave(port, handshake(port, right), masked(2, b"abc") * 50)
        leave(port, handshake(port, "/", bearer), masked(1, b"{}") * 50)
        leave(port, handshake(port, "/ws", bearer), masked(1, b"\xff\xfe"))
        leave(port, handshake(port, "/ws", bearer), masked(3, b"unknown opcode"))
        leave(port, handshake(port, "/ws", bearer), masked(8, b""))
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
