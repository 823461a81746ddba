"""Files whose pixels are whole, and whose metadata, end or order makes a decoder give up."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.decoding import count_pixels, decode
from PIL import Image, PngImagePlugin

from tests.portraits import portrait
from tests.support import encoded, many_scans, png_header

PLENTY = 1_000_000
PICTURE = portrait().resize((96, 80))
JPEG, PNG = encoded(PICTURE, "JPEG"), encoded(PICTURE, "PNG")
JPEG_PIXELS = np.asarray(Image.open(io.BytesIO(JPEG)))


def with_text(adder: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    getattr(info, adder)("workflow", "x" * 1_500_000, zip=True)
    return encoded(PICTURE, "PNG", pnginfo=info)


def chunk(name: bytes, content: bytes, checksum: int | None = None) -> bytes:
    right = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum or right)


def after_header(part: bytes) -> bytes:
    return PNG[:33] + part + PNG[33:]


def segment(code: int, content: bytes) -> bytes:
    return JPEG[:2] + struct.pack(">BBH", 0xFF, code, len(content) + 2) + content + JPEG[2:]


PNGS = {
    "large text": with_text("add_text"),
    "large international text": with_text("add_itxt"),
    "large profile": encoded(PICTURE, "PNG", icc_profile=bytes(1_200_000)),
    "text that grows a thousandfold, behind the pixels": PNG[:-12]
    + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70_000_000)))
    + PNG[-12:],
    "a wrong checksum of a text": after_header(chunk(b"tEXt", b"a\0b", 1)),
    "a profile cut short": after_header(chunk(b"iCCP", b"\x01")),
    "an unknown compression": after_header(chunk(b"iCCP", b"a\0\x07xyz")),
    "a transparency cut short": after_header(chunk(b"tRNS", b"\x01")),
    "no end": PNG[:-12],
    "no end and no checksum": PNG[:-16],
    "something behind the end": PNG + b"something",
}


@pytest.mark.parametrize("data", PNGS.values(), ids=PNGS.keys())
def test_a_png_whose_pixels_are_whole_is_read_as_it_is_without_the_rest(data: bytes) -> None:
    assert (np.asarray(decode(data, PLENTY)) == np.asarray(PICTURE)).all()


JPEGS = {
    "no end marker": JPEG[:-2],
    "half an end marker": JPEG[:-1],
    "zeros instead of the end marker": JPEG[:-2] + bytes(3000),
    "JFIF cut short": segment(0xE0, b"JFIF\0"),
    "Photoshop cut short": segment(0xED, b"Photoshop 3.0\x008BIM"),
    "Photoshop with no name": segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04"),
    "Adobe cut short": segment(0xEE, b"Adobe"),
    "no end marker, and JFIF cut short": segment(0xE0, b"JFIF\0")[:-2],
}


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS.keys())
def test_a_jpeg_whose_pixels_are_whole_is_read_as_it_is_without_the_rest(data: bytes) -> None:
    assert (np.asarray(decode(data, PLENTY)) == JPEG_PIXELS).all()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=str)
def test_a_jpeg_is_truncated_from_its_first_missing_pixel_on(options: dict[str, object]) -> None:
    """At whatever byte it ends: what is accepted has every pixel of the whole one.

    A progressive one that ends behind a scan is a whole one of fewer scans, a little less sharp.
    """
    data = encoded(PICTURE, "JPEG", **options)
    whole = np.asarray(decode(data, PLENTY)).astype(int)
    ends = (
        [place.start() for place in re.finditer(b"\xff[\xda\xc4]", data)] if "progressive" in options else []
    )

    for end in (*range(len(data) - 150, len(data) - 2), len(data) // 4, len(data) // 2):
        if any(0 <= end - place <= 1 for place in ends):  # behind a scan, or half a marker behind it
            assert np.abs(np.asarray(decode(data[:end], PLENTY)) - whole).mean() < 4
            continue
        with pytest.raises(InvalidImageError, match="truncated"):
            decode(data[:end], PLENTY)
    assert (np.asarray(decode(data[:-2], PLENTY)) == whole).all()


def test_a_png_with_pixels_missing_is_truncated_whatever_else_is_wrong_with_it() -> None:
    with pytest.raises(InvalidImageError):
        decode(after_header(chunk(b"iCCP", b"\x01"))[:-200], PLENTY)


def test_pixels_and_scans_are_counted_whatever_the_metadata() -> None:
    """A file that is read after all must not slip past the limits."""
    huge = png_header(5000, 5000)
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000)))
    bomb = many_scans(5000)
    odd = bomb[:2] + struct.pack(">BBH", 0xFF, 0xE0, 7) + b"JFIF\0" + bomb[2:-2]

    assert count_pixels(PNGS["large text"], PLENTY) == 96 * 80
    with pytest.raises(ImageTooLargeError):
        decode(huge[:33] + text + huge[33:], PLENTY)
    with pytest.raises(InvalidImageError, match="scans"):
        decode(odd, PLENTY)
