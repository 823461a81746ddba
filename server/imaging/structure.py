"""Counts the parts of a JPEG or PNG file before decoding: a small file of many parts takes long to decode."""

import re
from collections.abc import Iterator

from ..exceptions import InvalidImageError

#: Most scans of a JPEG. libjpeg's progressive script has 10, mozjpeg's optimised ones some 20, and none can
#: need more than 64 bands of 3 components in one go. Each scan costs a pass over every block of the image.
MAX_SCANS = 100

#: Most segments of a JPEG or chunks of a PNG. libpng writes chunks of 8 KB, so a file of 32 MB has 4,000.
MAX_PARTS = 16_384

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
#: A marker that ends a scan's data: neither a stuffed zero, a restart nor a fill byte.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: Bytes searched at a time: a search through the whole file would hold the interpreter lock.
_WINDOW = 64 * 1024


def check_structure(data: bytes) -> None:
    """Raises InvalidImageError for a JPEG or PNG with more parts than any encoder writes."""
    if data.startswith(b"\xff\xd8"):
        _check_jpeg(data)
    elif data.startswith(PNG_SIGNATURE):
        _check_png(data)


def _check_jpeg(data: bytes) -> None:
    """Walks the markers as libjpeg does: skips segments by their length, scan data up to the next marker."""
    scans, position = 0, 2
    for _ in range(MAX_PARTS):
        marker = _next_marker(data, position)
        if marker is None:
            return
        code = data[marker + 1]
        position = marker + 2
        if code == _EOI:
            return
        if code == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise InvalidImageError(f"the image has more than {MAX_SCANS} scans", "unsupported")
            if data.count(b"\xff\xda", position) <= MAX_SCANS - scans:
                return  # too few scans can follow; nearly every file ends here
        if code >= 0xC0 and code != _SOI:  # lower codes have no length
            position += int.from_bytes(data[position : position + 2], "big")
    raise _too_many_parts()


def _next_marker(data: bytes, position: int) -> int | None:
    while position < len(data) - 1:
        # One byte more, since a marker may span the window's end.
        found = _MARKER.search(data, position, position + _WINDOW + 1)
        if found is not None:
            return found.start()
        position += _WINDOW
    return None


def jpeg_header_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment before the first scan: its marker's code, its start and its end.

    Fill bytes and junk between segments are skipped.
    """
    position = 2
    for _ in range(MAX_PARTS):
        marker = _next_marker(data, position)
        if marker is None or (code := data[marker + 1]) in (_SOS, _EOI):
            return
        end = marker + 2
        if code >= 0xC0 and code != _SOI:
            end += int.from_bytes(data[end : end + 2], "big")
        yield code, marker, min(end, len(data))
        position = end


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk: its name, its start and its end, with length and checksum.

    Stops after IEND or at the end of the data.
    """
    position = len(PNG_SIGNATURE)
    for _ in range(MAX_PARTS):
        if position >= len(data):
            return
        name = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        yield name, position, min(end, len(data))
        if name == b"IEND":
            return
        position = end


def _check_png(data: bytes) -> None:
    position = len(PNG_SIGNATURE)
    for _ in range(MAX_PARTS):
        if position >= len(data):
            return
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    raise _too_many_parts()


def _too_many_parts() -> InvalidImageError:
    return InvalidImageError(f"the image has more than {MAX_PARTS} segments or chunks", "unsupported")
