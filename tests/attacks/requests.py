"""Headers, targets and bodies that no client of good will sends."""

import asyncio
import random
from contextlib import AsyncExitStack

from tests.raw_sockets import handshake, request
from tests.support import jpeg

from .connection import FORM, HOST, PATIENCE_S, Attack, Told, answer, exchanges, form, post, raw
from .images import odd_images


async def headers_without_end(port: int, seconds: float) -> Told:
    told = Told()
    async with raw(port) as connection:
        await connection.send(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
        for _ in range(2000):
            if not await connection.send(b"X-Long: " + b"x" * 4096 + b"\r\n", 2.0):
                break
        told[await answer(connection)] += 1
    async with raw(port) as connection:  # slow loris
        for byte in b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 1000:
            if not await connection.send(bytes([byte])):
                break
            await asyncio.sleep(seconds / 1000)
    return told


async def requests_for_others(port: int, seconds: float) -> Told:
    lines = [
        ["GET / HTTP/1.1", "Host: evil.example"],
        ["GET / HTTP/1.1"],
        ["GET / HTTP/1.1", HOST, HOST],
        ["GET http://evil.example/ HTTP/1.1", HOST],
        ["CONNECT evil.example:443 HTTP/1.1", HOST],
        ["GET /../../../etc/passwd HTTP/1.1", HOST],
        ["GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", HOST],
        ["GET /assets/..%5c..%2f..%2fetc/passwd HTTP/1.1", HOST],
        ["GET //etc/passwd HTTP/1.1", HOST],
        ["GET /%00 HTTP/1.1", HOST],
        ["GET /" + "a/" * 30_000 + " HTTP/1.1", HOST],
        ["GET /\xff HTTP/1.1", HOST],
        ["POST /v1/faces HTTP/1.1", HOST, "Origin: http://evil.example", "Content-Length: 0"],
        ["POST /v1/faces HTTP/1.1", HOST, "Content-Length: 5", "Transfer-Encoding: chunked"],
        ["POST /v1/faces HTTP/1.1", HOST, "Content-Length: -1"],
        ["POST /v1/faces HTTP/1.1", HOST, "Content-Length: 99999999999999999999"],
        ["POST /v1/faces HTTP/1.1", HOST, "Expect: 100-continue", "Content-Length: 99999999999"],
        ["POST /v1/faces?max_faces=NaN HTTP/1.1", HOST, "Content-Length: 0"],
        ["DELETE /v1/corrections/..%2F..%2Fx HTTP/1.1", HOST],
        ["POST /v1/annotate HTTP/1.1", HOST, "Accept: " + "a/b;q=1," * 7000, "Content-Length: 0"],
        ["POST /v1/faces HTTP/1.1", HOST, "Origin: http://" + "\xe4" * 60_000, "Content-Length: 0"],
        ["GET / HTTP/1.1", HOST, "Range: bytes=" + "0-0," * 15_000 + "1-1"],
        ["GET /?" + "a&" * 30_000 + " HTTP/1.1", HOST],
        ["GET / HTTP/1.1", HOST, *["a: b"] * 9000],
        ["PRI * HTTP/2.0"],
        ["\x16\x03\x01\x02\x00\x01"],
    ]
    told = await exchanges(
        port, seconds, (request(*each[:2], "Connection: close", *each[2:]) for each in lines)
    )
    for path, *headers in (
        ["/ws", "Host: evil.example", "Origin: http://evil.example"],
        ["/ws", HOST, "Origin: http://evil.example"],
        ["/nothing", HOST],
        ["/ws?mode=x", HOST],
        ["/ws", HOST, "Sec-WebSocket-Extensions: permessage-deflate; x=" + "y" * 5000],
        ["/ws?" + "?" * 8000, HOST],
    ):
        async with raw(port) as connection:
            await connection.send(handshake(path, *headers))
            head = await asyncio.wait_for(connection.reader.read(12), PATIENCE_S)
            told[f"HTTP {head[9:12].decode()}" if head else "cut off"] += 1
    return told


async def bodies_that_never_end(port: int, seconds: float) -> Told:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(raw(port)) for _ in range(8)]
        head = post("/v1/faces", "image/jpeg", bytes(1_000_000))[:-1_000_000]
        for connection in opened:
            await connection.send(head)
        for _ in range(10):
            for connection in opened:
                await connection.send(b"x")
            await asyncio.sleep(seconds / 10)
    return Told({"cut by the client": 8})


async def bulky_bodies(port: int, seconds: float) -> Told:
    size = 8 * 1024 * 1024 - 100
    bodies = [
        post("/recognize/base64", "text/plain", b"A " * (size // 2)),
        post("/v1/faces", "application/json", b"[" * size),
        post("/v1/faces", "application/json", b'{"images":[' + b'"",' * (size // 3 - 10) + b'""]}'),
        post("/v1/faces", "application/json", b'{"image":"x","z":[' + b"1," * (size // 2 - 20) + b"1]}"),
        post("/face", "application/x-www-form-urlencoded", b"a=b&" * (size // 4)),
        post("/face", "application/x-www-form-urlencoded", b"imgBase64=" + b"%41" * (size // 3 - 10)),
        post("/v1/faces", FORM, b"\r\n" * (size // 2)),
        post("/v1/faces", FORM, form(*[('name="f"', b"x")] * 20_000)),
        post("/v1/faces", FORM, form((f'name="file"; filename="{"a" * 2_000_000}"', b"x"))),
        post("/v1/faces", "image/jpeg", bytes(33 * 1024 * 1024)),
        post("/v1/faces", "multipart/form-data; boundary=" + "b" * 5000, b"x"),
        request("POST /v1/faces HTTP/1.1", HOST, "Content-Type: image/jpeg", "Transfer-Encoding: chunked")
        + b"1\r\nx\r\n" * 200_000,
    ]
    return await exchanges(port, seconds, random.sample(bodies, 5))


async def corrections_with_tricks(port: int, seconds: float) -> Told:
    """Of a server that keeps them; else each is 404."""
    consent = ('name="consent"', b"true")
    names = ["../../x.jpg", "/etc/passwd", "a\\..\\b", "x" * 3000, "%2e%2e%2fx", "CON", ".hidden", "=1+1"]
    labels = [
        b"../anger",
        b"anger/../../x",
        b"anger\0",
        b"",
        b".",
        b"%2e%2e",
        "änger".encode(),
        b"a" * 100_000,
    ]
    forms = [
        *([consent, ('name="label"', label), ('name="file"; filename="a.jpg"', jpeg())] for label in labels),
        *(
            [('name="label"', b"no label"), (f'name="file"; filename="{name}"', jpeg()), consent]
            for name in names
        ),
        *(
            [consent, ('name="label"', b"anger"), ('name="file"; filename="a"', image)]
            for image in odd_images()[:6]
        ),
        [('name="label"', b"anger"), ('name="file"; filename="a.jpg"', jpeg())],
    ]
    return await exchanges(port, seconds, (post("/v1/corrections", FORM, form(*parts)) for parts in forms))


async def requests_one_behind_the_other(port: int, seconds: float) -> Told:
    """A thousand, of which no answer is waited for."""
    one = request("GET /v1/model HTTP/1.1", HOST)
    async with raw(port) as connection:
        await connection.send(one * 1000 + request("GET /healthz HTTP/1.1", HOST, "Connection: close"))
        try:
            content = await connection.rest()
        except TimeoutError:
            return Told(["silent"])
    return Told({"HTTP 200": content.count(b"HTTP/1.1 200")})


ATTACKS: tuple[Attack, ...] = (
    headers_without_end,
    requests_for_others,
    bodies_that_never_end,
    bulky_bodies,
    corrections_with_tricks,
    requests_one_behind_the_other,
)
