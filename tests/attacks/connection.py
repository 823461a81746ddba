"""Connections by the byte, and what became of them."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from tests.raw_sockets import handshake, request

Told = Counter[str]


class Attack(Protocol):
    """One way to misbehave."""

    __name__: str

    def __call__(self, port: int, seconds: float) -> Coroutine[Any, Any, Told]: ...


#: For an answer, and for a connection to end. Images that are large and sound take minutes on a busy machine.
PATIENCE_S = 150.0
HOST = "Host: localhost"


class Raw:
    """A connection by the byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes, timeout_s: float = PATIENCE_S) -> bool:
        """Whether the server has taken it in time."""
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), timeout_s)
        except (OSError, TimeoutError):
            return False
        return True

    async def rest(self, timeout_s: float = PATIENCE_S) -> bytes:
        """All until the server ends the connection; raises TimeoutError if it does not."""
        received = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(timeout_s):
                while part := await self.reader.read(65536):
                    received += part
        return received

    def cut(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), PATIENCE_S)
    connection = Raw(reader, writer)
    try:
        yield connection
    finally:
        connection.cut()


@asynccontextmanager
async def upgraded(port: int, path: str = "/ws") -> AsyncIterator[Raw]:
    """A WebSocket. Where there is none, what the server says instead can be read."""
    async with raw(port) as connection:
        await connection.send(handshake(path, HOST))
        with suppress(asyncio.IncompleteReadError, OSError, TimeoutError, asyncio.LimitOverrunError):
            await asyncio.wait_for(connection.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        yield connection


def large(opcode: int, data: bytes) -> bytes:
    """A WebSocket frame of any length, under a mask that changes nothing."""
    return struct.pack(">BBQ", 0x80 | opcode, 0xFF, len(data)) + bytes(4) + data


def close_of(content: bytes) -> str:
    """What became of a WebSocket, by all that the server sent on it."""
    while len(content) >= 2:
        opcode, length, start = content[0] & 15, content[1] & 127, 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(content[2:start], "big")
        if opcode == 8:
            return f"close {int.from_bytes(content[start : start + 2], 'big')}"
        content = content[start + length :]
    return "cut off"


async def ended(connection: Raw) -> str:
    try:
        return close_of(await connection.rest())
    except TimeoutError:
        return "silent"


async def answer(connection: Raw) -> str:
    """The status of an HTTP answer; the connection must end with it."""
    try:
        text = await connection.rest()
    except TimeoutError:
        return "silent"
    return f"HTTP {text[9:12].decode()}" if text.startswith(b"HTTP/1.1 ") else "cut off"


async def exchange(port: int, data: bytes) -> str:
    """Sends a request that asks for the connection to be closed."""
    async with raw(port) as connection:
        await connection.send(data)
        return await answer(connection)


def post(path: str, kind: str, body: bytes, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", HOST, "Connection: close", f"Content-Type: {kind}", *headers)
    return request(*lines, f"Content-Length: {len(body)}") + body


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body: what each part's Content-Disposition says, and its content."""
    lines = (
        b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), data)
        for head, data in parts
    )
    return b"".join([*lines, b"--b--\r\n"])


FORM = "multipart/form-data; boundary=b"


async def exchanges(port: int, seconds: float, requests: Iterable[bytes]) -> Told:
    told, until = Told(), asyncio.get_running_loop().time() + seconds
    for data in requests:
        told[await exchange(port, data)] += 1
        if asyncio.get_running_loop().time() > until:
            break
    return told
