"""Floods, broken messages, and sockets that do not take part."""

import asyncio
import base64
import random
import struct
from contextlib import AsyncExitStack

from tests.raw_sockets import handshake, masked
from tests.support import envelope, frame, jpeg

from .connection import HOST, Attack, Told, ended, large, post, raw, upgraded
from .images import odd_images

# Floods


async def _flood(port: int, path: str, message: bytes, start: bytes = b"") -> Told:
    """20,000 messages, or 100 MB, or until the server has had enough."""
    at_once = 1 + 5000 // len(message)
    async with upgraded(port, path) as connection:
        over = asyncio.create_task(ended(connection))
        await connection.send(start)
        for _ in range(min(20_000 // at_once, 100_000_000 // len(message))):
            if over.done() or not await connection.send(message * at_once):
                break
        else:
            connection.writer.write(masked(8, b"\x03\xe8"))
        return Told([await over])


async def floods_of_small_messages(port: int, seconds: float) -> Told:
    update = masked(1, b'{"type":"session.update","config":{"smoothing":0.5}}')
    kinds = [
        ("/ws", masked(1, b"{}"), b""),
        ("/ws", masked(2, b"abc"), b""),
        ("/ws", masked(9), b""),
        ("/ws", masked(10), b""),
        ("/ws", masked(0, is_last=False), masked(2, b"x", is_last=False)),
        ("/ws", update, b""),
        ("/", masked(1, b"{}"), b""),
        ("/ws", large(1, b'{"a":[' + b"{}," * 300_000 + b"{}]}"), b""),
        ("/ws", large(2, envelope(b'{"frame_id":1,"faces":[' + b"{}," * 5000 + b"{}]}")), b""),
    ]
    told = Told()
    for kind in random.sample(kinds, 3):
        told += await _flood(port, *kind)
    return told


async def answers_that_nobody_reads(port: int, seconds: float) -> Told:
    async with upgraded(port) as connection:
        sent, until = 0, asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            if not await connection.send(large(2, frame(sent, jpeg(112, 112))), 1.0):
                return Told(["not read any more"])
            sent += 1
            await asyncio.sleep(0.02)
    return Told(["cut by the client"])


# Messages


async def frames_that_break_websockets_rules(port: int, seconds: float) -> Told:
    told = Told()
    for data in (
        b"\x82\x03abc",  # without a mask
        masked(3, b"x"),  # an opcode that nobody knows
        masked(1, b"\xff\xfe"),  # no UTF-8
        masked(0, b"x"),  # continues nothing
        masked(9, b"x", is_last=False),  # a ping in parts
        bytes([0xC2, 0x81]) + bytes(5),  # a reserved bit
        struct.pack(">BBQ", 0x82, 0xFF, 2**62) + bytes(4),  # of four exabytes
        large(2, bytes(3 * 1024 * 1024)),
        masked(8, b"x"),  # half a close code
    ):
        async with upgraded(port) as connection:
            await connection.send(data)
            told[await ended(connection)] += 1
    return told


def odd_envelopes() -> list[bytes]:
    image = jpeg()
    faces = f'[{{"face_id":0,"length":{len(image)},"box":%s}}]'
    heads = [
        '{"frame_id":NaN,"faces":' + faces % "[0,0,1,1]" + "}",
        '{"frame_id":1,"captured_at":NaN,"faces":' + faces % "[0,0,1,1]" + "}",
        '{"frame_id":1,"captured_at":-Infinity,"faces":' + faces % "[0,0,1,1]" + "}",
        '{"frame_id":1,"faces":' + faces % "[NaN,Infinity,1e999,0]" + "}",
        '{"frame_id":1,"faces":' + faces % "[1e308,1e308,-1e308,1e-320]" + "}",
        '{"frame_id":1,"faces":' + faces % f"[{'9' * 4000},0,1,1]" + "}",
        '{"frame_id":18446744073709551616,"faces":[]}',
        '{"frame_id":1,"detect":true,"faces":[]}',
        '{"frame_id":1,"faces":[{"length":-1}]}',
        '{"frame_id":1,"faces":[' + ",".join(['{"length":0}'] * 300) + "]}",
        "[" * 16000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        '{"frame_id":1,"frame_id":"x","faces":null}',
        '"\\ud800"',
    ]
    return [envelope(head.encode(), image) for head in heads] + [
        b"",
        b"\0",
        b"\xff" * 9,
        struct.pack("<I", 16384),
    ]


async def envelopes_that_make_no_sense(port: int, seconds: float) -> Told:
    """Each is answered, and the session goes on."""
    texts = ['{"type":"session.update","config":{"smoothing":NaN}}', "[" * 50_000, "{", "null", '{"type":[]}']
    messages = [large(2, data) for data in odd_envelopes()] + [large(1, text.encode()) for text in texts]
    async with upgraded(port) as connection:
        for message in messages:
            await connection.send(message)
            await asyncio.sleep(0.02)
        await connection.send(large(1, b'{"type":"session.close"}'))
        return Told([await ended(connection)])


async def mutated_messages(port: int, seconds: float) -> Told:
    chance = random.Random()
    sound, told = frame(1, jpeg(112, 112)), Told()
    until = asyncio.get_running_loop().time() + seconds
    async with upgraded(port) as connection:
        over = asyncio.create_task(ended(connection))
        while asyncio.get_running_loop().time() < until and not over.done():
            data = bytearray(sound)
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            await connection.send(large(2, bytes(data[: chance.randint(1, len(data))])))
            told["mutated"] += 1
            await asyncio.sleep(0.03)
        await connection.send(large(1, b'{"type":"session.close"}'))
        told[await over] += 1
    return told


async def older_clients_nonsense(port: int, seconds: float) -> Told:
    images = [b"%%%", b"A" * 5, *(base64.b64encode(image) for image in odd_images())]
    texts = [b'{"data":{"image":"' + image + b'"}}' for image in images] + [
        b"{}",
        b'{"data":[]}',
        b"[" * 9000,
    ]
    async with upgraded(port, "/") as connection:
        for text in texts:
            await connection.send(large(1, text))
            await asyncio.sleep(0.05)
        await connection.send(masked(8, b"\x03\xe8"))
        return Told([await ended(connection)])


async def sockets_cut_in_the_middle(port: int, seconds: float) -> Told:
    message = large(2, frame(1, jpeg(112, 112)))
    upload = post("/v1/faces", "image/jpeg", jpeg())
    for _ in range(10):
        async with upgraded(port) as connection:
            await connection.send(message)  # and its answer is not waited for
        async with upgraded(port) as connection:
            await connection.send(message[: len(message) // 2])
        async with raw(port) as connection:
            await connection.send(upload[:-50])
        async with raw(port) as connection:
            await connection.send(handshake("/ws", HOST)[:60])
    return Told({"cut by the client": 40})


async def silent_sockets(port: int, seconds: float) -> Told:
    """20 that say nothing, 10 WebSockets that never take part."""
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(raw(port))
        for _ in range(10):
            await stack.enter_async_context(upgraded(port))
        await asyncio.sleep(seconds)
    return Told({"cut by the client": 30})


ATTACKS: tuple[Attack, ...] = (
    floods_of_small_messages,
    answers_that_nobody_reads,
    frames_that_break_websockets_rules,
    envelopes_that_make_no_sense,
    mutated_messages,
    older_clients_nonsense,
    sockets_cut_in_the_middle,
    silent_sockets,
)
