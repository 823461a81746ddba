"""A file's pixels without what is said about them, for files whose metadata a decoder cannot read.

Decoders differ in what they forgive. Here a file is broken only where pixels are missing: a text of
megabytes, a damaged colour profile or a missing end marker changes none of them.
"""

import struct

from .structure import PNG_SIGNATURE, jpeg_header_segments, png_chunks

#: What the pixels of a PNG depend on. Its profile and its texts are among the others.
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"eXIf"})
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"

_ORIENTATION, _SHORT = 0x0112, 3  # a tag, and a type

_JPEG_END = b"\xff\xd9"
#: Stand in for what may be missing behind a JPEG's last byte: a decoder that still waits for bits makes other
#: pixels of each of them than of nothing.
_JPEG_FILLERS = (b"\x35\xca\x9d\x47" * 16, b"\xca\x35\x62\xb8" * 16)

#: Application segments (APP0 to APP15) and comments. JFIF's and Adobe's say what the components mean.
_APP_FIRST, _APP_LAST, _COMMENT = 0xE0, 0xEF, 0xFE


def without_metadata(data: bytes) -> bytes | None:
    """The same JPEG or PNG with its pixels and its EXIF block alone; None for anything else."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_pixels(data)
    if data.startswith(PNG_SIGNATURE):
        return _png_pixels(data)
    return None


def ended(data: bytes) -> tuple[bytes, ...]:
    """For a JPEG without an end marker: files with one, which decode alike if no pixel is missing. Empty for
    anything else."""
    if not data.startswith(b"\xff\xd8"):
        return ()
    data = data.rstrip(b"\xff")  # half a marker
    restarts = [bytes((0xFF, 0xD0 + number)) for number in range(8)]
    # Intervals that are missing begin with the restart markers behind the last one that is there.
    last = max(range(8), key=lambda number: data.rfind(restarts[number]))
    expected = restarts[last + 1 :] + restarts[: last + 1]
    fillers = (b"".join(filler + restart for restart in expected) for filler in _JPEG_FILLERS)
    return (data + _JPEG_END, *(data + filler + _JPEG_END for filler in fillers))


def exif_orientation(exif: bytes) -> int:
    """The orientation in an EXIF block (TIFF, with or without EXIF's own head); 1 where there is none.

    Only that entry is looked at: of the others each may be as odd as it likes.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack(f"{order}H", tiff[start : start + 2].ljust(2, b"\0"))
    for place in range(start + 2, min(start + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, _, value, _ = struct.unpack_from(f"{order}HHIHH", tiff, place)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1


def jpeg_orientation(data: bytes) -> int:
    """The orientation in a JPEG's EXIF block; 1 where there is none."""
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
