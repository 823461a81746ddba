"""Removes metadata from files, for those whose metadata a decoder cannot read.

Decoders differ in which errors they tolerate. Here a file is broken only if pixels are missing: a text chunk
of megabytes, a damaged colour profile or a missing end marker changes no pixel.
"""

import struct

from PIL import ExifTags

from .structure import PNG_SIGNATURE, jpeg_header_segments, png_chunks

#: Chunks that are kept: those that decide a PNG's pixels, and EXIF. Profiles and texts are removed.
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"eXIf"})
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"

_SHORT = 3  # the type of EXIF's orientation

_JPEG_END = b"\xff\xd9"
#: Stand in for data that may be missing after a JPEG's last byte. A decoder that still expects bits makes
#: different pixels of each filler, and of none.
_JPEG_FILLERS = (b"\x35\xca\x9d\x47" * 16, b"\xca\x35\x62\xb8" * 16)

#: Application segments (APP0 to APP15) and comments. JFIF's and Adobe's define the colour components.
_APP_FIRST, _APP_LAST, _COMMENT = 0xE0, 0xEF, 0xFE


def without_metadata(data: bytes) -> bytes | None:
    """The JPEG or PNG with only its pixels and its EXIF block; None for any other file."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_pixels(data)
    if data.startswith(PNG_SIGNATURE):
        return _png_pixels(data)
    return None


def ended(data: bytes) -> tuple[bytes, ...]:
    """Variants of a JPEG without an end marker that have one; they decode alike if no pixel is missing.

    Empty for any other file.
    """
    if not data.startswith(b"\xff\xd8"):
        return ()
    data = data.rstrip(b"\xff")  # half a marker
    restarts = [bytes((0xFF, 0xD0 + number)) for number in range(8)]
    # Missing intervals begin with the restart markers that follow the last one in the file.
    last = max(range(8), key=lambda number: data.rfind(restarts[number]))
    expected = restarts[last + 1 :] + restarts[: last + 1]
    fillers = (b"".join(filler + restart for restart in expected) for filler in _JPEG_FILLERS)
    return (data + _JPEG_END, *(data + filler + _JPEG_END for filler in fillers))


def exif_orientation(exif: bytes) -> int:
    """The orientation in an EXIF block (TIFF, with or without EXIF's own header); 1 if there is none.

    No other entry is read, so broken ones do no harm.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack(f"{order}H", tiff[start : start + 2].ljust(2, b"\0"))
    for place in range(start + 2, min(start + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, _, value, _ = struct.unpack_from(f"{order}HHIHH", tiff, place)
        if tag == ExifTags.Base.Orientation:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1


def jpeg_orientation(data: bytes) -> int:
    """The orientation in a JPEG's EXIF block; 1 if there is none."""
    for _, start, end in jpeg_header_segments(data):
        content = data[start + 4 : end]
        if content.startswith(b"Exif\0\0"):
            return exif_orientation(content)
    return 1


def _jpeg_pixels(data: bytes) -> bytes:
    kept = [data[:2]]
    end = 2
    for code, start, end in jpeg_header_segments(data):
        content = data[start + 4 : end]
        is_metadata = _APP_FIRST <= code <= _APP_LAST or code == _COMMENT
        tells_colours = (content.startswith(b"JFIF\0") and len(content) >= 14) or (
            content.startswith(b"Adobe") and len(content) >= 12
        )
        if not is_metadata or tells_colours or content.startswith(b"Exif\0\0"):
            kept.append(data[start:end])
    return b"".join([*kept, data[end:]])


def _png_pixels(data: bytes) -> bytes:
    chunks = [(name, data[start:end]) for name, start, end in png_chunks(data) if name in _PNG_PIXELS]
    parts = [chunk for _, chunk in chunks]
    if not chunks or chunks[-1][0] != b"IEND":
        parts.append(_PNG_END)
    return b"".join([PNG_SIGNATURE, *parts])
