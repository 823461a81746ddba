"""What many tests need: pictures, envelopes, and a recogniser that only pretends."""

import asyncio
import io
import json
import os
import queue
import shutil
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.inference.device_preparation import PreparedFace
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).with_name("data")

LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

#: No test waits for longer than this for anything; none should ever come near it.
PATIENCE_S = 90.0


def tool(name: str) -> str:
    """A program of the system's that a test runs."""
    # Debian has some where users do not look for programs.
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"this test needs {name}: scripts/install-test-tools.sh installs it"
    return found


def encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def jpeg(width: int = 48, height: int = 48, colour: tuple[int, int, int] = (200, 150, 120)) -> bytes:
    """A JPEG of one colour."""
    return encoded(Image.new("RGB", (width, height), colour), "JPEG")


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what the code under test does in a thread of its own, and tells nobody of."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds no pixels."""
    picture = bytearray(encoded(Image.new("RGB", (1, 1)), "PNG"))
    content = struct.pack(">II", width, height) + picture[24:29]
    picture[16:29] = content
    picture[29:33] = struct.pack(">I", _crc(b"IHDR" + content))
    return bytes(picture)


def _crc(data: bytes) -> int:
    from zlib import crc32

    return crc32(data)


def envelope(header: object, *images: bytes) -> bytes:
    """An envelope with any header, sound or not; bytes are taken as they are."""
    encoded_header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(encoded_header)) + encoded_header + b"".join(images)


def frame(frame_id: int, *images: bytes, **fields: object) -> bytes:
    """A sound envelope: the images are of faces 0, 1, 2, …"""
    faces = [{"face_id": face_id, "length": len(image)} for face_id, image in enumerate(images)]
    return envelope({"frame_id": frame_id, "faces": faces, **fields}, *images)


@dataclass(frozen=True)
class FakeEngine:
    device: str = "cpu"
    precision: str = "f32"


def prepared(data: bytes) -> PreparedFace:
    """What FakeRecognizer makes of a picture: one that is a pixel wide, and grey."""
    return (np.frombuffer(data, np.uint8)[:, None, None].repeat(3, axis=2),)


class FakeRecognizer:
    """Any bytes are a picture here, and their sum says which label it gets, with certainty.

    Those that start with ``broken`` and ``huge`` cannot be decoded, ``poison`` makes the engine fail, and
    ``slow`` waits in its decoder until ``let_decode``. The engine waits in every pass for ``let_pass``,
    unless made open.
    """

    name = "fake"
    labels = LABELS
    members = ("fake",)
    input_sizes = (48,)
    engine = FakeEngine()

    def __init__(self, max_batch: int = 4, is_open: bool = False) -> None:
        self.max_batch = max_batch
        self.batches: list[list[bytes]] = []
        self._entered: queue.Queue[list[bytes]] = queue.Queue()
        self._decoding: queue.Queue[bytes] = queue.Queue()
        self._passes = threading.Semaphore(0)
        self._decodes = threading.Semaphore(0)
        self._is_open = is_open
        self.is_broken = False  # as if its GPU were lost

    # What the batcher calls, in threads of its own

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        if data.startswith(b"broken"):
            raise InvalidImageError("the image is broken")
        if data.startswith(b"huge"):
            raise ImageTooLargeError(max_pixels, "the image is huge")
        if data.startswith(b"slow"):
            self._decoding.put(data)
            assert self._decodes.acquire(timeout=PATIENCE_S)
        return prepared(data)

    def infer(self, faces: Sequence[PreparedFace]) -> npt.NDArray[np.float32]:
        batch = [bytes(crop[:, 0, 0] if crop.ndim == 3 and crop.shape[1] == 1 else crop) for (crop,) in faces]
        self.batches.append(batch)
        self._entered.put(batch)
        if not self._is_open:
            assert self._passes.acquire(timeout=PATIENCE_S)
        if self.is_broken or any(item.startswith(b"poison") for item in batch):
            raise ArithmeticError("the engine cannot compute this")
        answers = np.zeros((len(batch), len(LABELS)), np.float32)
        for row, item in zip(answers, batch, strict=True):
            row[label_index(item)] = 1.0
        return answers

    # What tests call

    async def next_batch(self) -> list[bytes]:
        """Waits until the engine has been given its next batch, and returns it."""
        return await asyncio.to_thread(self._entered.get, timeout=PATIENCE_S)

    async def next_decoding(self) -> bytes:
        """Waits until a slow picture is in its decoder."""
        return await asyncio.to_thread(self._decoding.get, timeout=PATIENCE_S)

    def let_pass(self, batches: int = 1) -> None:
        """Lets the engine end that many passes."""
        self._passes.release(batches)

    def let_decode(self, pictures: int = 1) -> None:
        self._decodes.release(pictures)

    def open(self) -> None:
        """From now on nothing waits."""
        self._is_open = True
        self._passes.release(1000)
        self._decodes.release(1000)


def label_index(picture: bytes) -> int:
    """Which label the fake gives a picture."""
    return sum(picture) % len(LABELS)


def many_scans(scans: int, between: bytes = b"") -> bytes:
    """A grey progressive JPEG of 64 × 64 pixels with so many scans; ``between`` comes before each but the
    first."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content

    tables = segment(0xDB, bytes(1) + bytes([1]) * 64) + segment(
        0xC2, struct.pack(">BHHB3B", 8, 64, 64, 1, 1, 0x11, 0)
    )
    # One code each: of a DC difference of 0, and of the end of a block without AC coefficients.
    codes = segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\0") + segment(
        0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0"
    )
    dc = segment(0xDA, bytes((1, 1, 0, 0, 0, 0))) + bytes(8)
    first = segment(0xDA, bytes((1, 1, 0, 1, 63, 0x01))) + bytes(8)
    refinement = segment(0xDA, bytes((1, 1, 0, 1, 63, 0x10))) + bytes(8)
    later = b"".join(between + scan for scan in [first] + [refinement] * (scans - 2))
    return b"\xff\xd8" + tables + codes + dc + later + b"\xff\xd9"
