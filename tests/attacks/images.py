"""Images that cost far more than their bytes, or that decoders get wrong."""

import asyncio
import base64
import random
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image

from tests.support import encoded, envelope, frame, jpeg, many_scans

from .connection import FORM, Attack, Told, ended, exchanges, form, large, post, upgraded


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    """A grey PNG of any size, its compressed pixels as given."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@cache
def flat_png(side: int) -> bytes:
    """A PNG of so many pixels a side in a thousandth of the bytes."""
    return png(side, side, data=zlib.compress(bytes((side + 1) * side), 9))


@cache
def odd_images() -> tuple[bytes, ...]:
    tiff = encoded(Image.new("1", (20_000, 4_000)), "TIFF", compression="group4")
    gif = encoded(Image.new("P", (3000, 3000)), "GIF")
    webp = encoded(Image.new("RGB", (600, 600)), "WEBP")
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(30_000_000), 9))
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(30_000_000), 9))
    sound = jpeg(112, 112)
    return (
        many_scans(5000),
        many_scans(100),
        png(60_000, 60_000),
        png(2**31 - 1, 2**31 - 1),
        png(8, 8, data=zlib.compress(bytes(20_000_000), 9)),  # far more pixels than its header says
        png(64, 64, *[text] * 8),
        png(64, 64, profile),
        png(64, 64, *[chunk(b"tEXt", b"")] * 20_000),
        tiff,
        gif,
        webp[:200],
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(100),
        b"\0\0\0\x18ftypheic" + bytes(200),
        b"\0\0\0\x18ftypavif" + bytes(200),
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
        b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 60_000, -2, 1, 8, 1, 0, 0, 0, 0, 0)
        + b"\xff\0" * 9000,
        sound[:-30],
        sound + bytes(500_000),
        b"\xff\xd8" + b"\xff\xe1\xff\xff" + b"Exif\0\0" + b"MM\0*" + b"\xff" * 65_000,
        b"\xff\xd8" + b"\xff" * 1_000_000,
        b"<svg/>",
        b"",
    )


async def images_that_no_camera_writes(port: int, seconds: float) -> Told:
    images = random.sample(odd_images(), 8)
    told = await exchanges(port, seconds, (post("/v1/faces", "image/jpeg", image) for image in images))
    texts = (post("/recognize/base64", "text/plain", base64.b64encode(image)) for image in images[:4])
    told += await exchanges(port, seconds, texts)
    async with upgraded(port) as connection:
        for number, image in enumerate(images):
            await connection.send(large(2, frame(number, image)))
            header = {"frame_id": 100 + number, "detect": True, "faces": [{"length": len(image)}]}
            await connection.send(large(2, envelope(header, image)))
        await connection.send(large(1, b'{"type":"session.close"}'))
        told[await ended(connection)] += 1
    return told


@cache
def _large() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    return encoded(Image.fromarray(noise).resize((3840, 2160)), "JPEG")


async def many_flat_images_at_once(port: int, seconds: float) -> Told:
    bomb = flat_png(4096)
    files = [(f'name="file"; filename="{number}.png"', bomb) for number in range(16)]
    return await exchanges(
        port, seconds, [post("/v1/faces", FORM, form(*files[:3])), post("/v1/faces", FORM, form(*files))]
    )


async def many_large_crops_in_one_frame(port: int, seconds: float) -> Told:
    """260 KB, and 265 megapixels."""
    until, number = asyncio.get_running_loop().time() + seconds, 0
    crops = [flat_png(2880)] * 32
    async with upgraded(port) as connection:
        over = asyncio.create_task(ended(connection))
        while asyncio.get_running_loop().time() < until and not over.done():
            await connection.send(large(2, frame(number, *crops)), 1.0)
            number += 1
            await asyncio.sleep(0.2)
        await connection.send(large(1, b'{"type":"session.close"}'))
        return Told([await over])


async def large_images_to_be_searched(port: int, seconds: float) -> Told:
    """4K, with ``detect``, far faster than they can be."""
    image = _large()
    until, number = asyncio.get_running_loop().time() + seconds, 0
    async with upgraded(port) as connection:
        over = asyncio.create_task(ended(connection))
        while asyncio.get_running_loop().time() < until and not over.done():
            header = {"frame_id": number, "detect": True, "faces": [{"length": len(image)}]}
            await connection.send(large(2, envelope(header, image)), 1.0)
            number += 1
            await asyncio.sleep(0.2)
        await connection.send(large(1, b'{"type":"session.close"}'))
        return Told([await over])


ATTACKS: tuple[Attack, ...] = (
    images_that_no_camera_writes,
    many_flat_images_at_once,
    many_large_crops_in_one_frame,
    large_images_to_be_searched,
)
