import io
import struct

import numpy as np
import pytest
from emostream.exceptions import InvalidImageError
from emostream.imaging.decoding import decode
from emostream.imaging.structure import MAX_PARTS, MAX_SCANS, check_structure
from PIL import Image

from tests.support import encoded, jpeg, many_scans

PLENTY = 1_000_000


def noise(side: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


@pytest.mark.parametrize(
    "data",
    [
        encoded(noise(), "JPEG", progressive=True),
        encoded(noise(), "JPEG", quality=100, restart_marker_blocks=1),
        encoded(noise(), "PNG"),
        encoded(noise(), "WEBP"),
        many_scans(MAX_SCANS),
    ],
    ids=["progressive", "restarts", "png", "webp", "as many scans as allowed"],
)
def test_what_encoders_write_is_decoded(data: bytes) -> None:
    assert decode(data, PLENTY).width == 64


@pytest.mark.parametrize("scans", [MAX_SCANS + 1, 5000])
def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(scans: int) -> None:
    with pytest.raises(InvalidImageError, match="scans") as caught:
        decode(many_scans(scans), PLENTY)

    assert caught.value.fault == "unsupported"


def test_bytes_that_only_look_like_scans_are_not_counted() -> None:
    """A thumbnail or profile in a segment, and what a phone appends behind the end, a film for instance."""
    lookalike = b"\xff\xda" * 2 * MAX_SCANS
    data = jpeg()
    segment = b"\xff\xe5" + struct.pack(">H", len(lookalike) + 2) + lookalike

    check_structure(data[:2] + segment + data[2:] + lookalike)


@pytest.mark.parametrize(
    "between", [b"", b"\xff" * 5, b"\xff\x00", b"\xff\xd3", b"\xff\x01", b"junk", bytes(200_000)]
)
def test_scans_are_found_behind_whatever_a_decoder_skips(between: bytes) -> None:
    with pytest.raises(InvalidImageError, match="scans"):
        check_structure(many_scans(MAX_SCANS + 1, between))


def test_a_jpeg_of_very_many_segments_is_refused() -> None:
    data = jpeg()

    with pytest.raises(InvalidImageError, match="segments"):
        decode(data[:2] + b"\xff\xfe\x00\x02" * MAX_PARTS + data[2:], PLENTY)


def test_a_png_of_very_many_chunks_is_refused() -> None:
    data = encoded(noise(), "PNG")
    empty_text = b"\0\0\0\0tEXt" + struct.pack(">I", 0xB6D5EA1E)

    with pytest.raises(InvalidImageError, match="chunks"):
        decode(data[:33] + empty_text * MAX_PARTS + data[33:], PLENTY)


def test_a_large_png_of_ordinary_chunks_is_none_of_them() -> None:
    data = encoded(noise(700), "PNG", compress_level=0)

    assert data.count(b"IDAT") > 10
    assert decode(data, PLENTY).size == (700, 700)


@pytest.mark.parametrize(
    "data", [b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xda", b"\x89PNG\r\n\x1a\n\0", b""]
)
def test_what_ends_too_early_is_left_to_the_decoder(data: bytes) -> None:
    check_structure(data)


def test_the_bomb_of_these_tests_is_an_image() -> None:
    """Were it none, it would be refused for another reason."""
    with Image.open(io.BytesIO(many_scans(150))) as image:
        image.load()
