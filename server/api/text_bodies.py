"""Images that come as text: base64, in JSON or in a URL-encoded form.

Reading text costs far more than receiving it, and most of that is spent in single calls that hold the
interpreter. Here no call takes much longer than 10 ms, so the event loop goes on beside it.
"""

import binascii
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json

from ..exceptions import ProblemError

_WHITESPACE = b" \t\r\n\f\v"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"

# ``translate`` takes 10 ms for what ``replace`` takes 100 ms for.
_SPACE_OF_PLUS = bytes.maketrans(b"+", b" ")
_PLUS_OF_SPACE = bytes.maketrans(b" ", b"+")
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")

#: Characters at a time; a multiple of 4.
_PIECE = 256 * 1024

#: Fields of a form that are no images: none is read, but clients send them.
MAX_OTHER_FIELDS = 16


def decode_base64(text: str | bytes) -> bytes:
    """An image given as base64, bare or as a data URL. Raises ProblemError.

    Both alphabets of RFC 4648, padded or not, in lines or not, escaped as in a URL or not.
    """
    data = text.encode() if isinstance(text, str) else text
    data = data.strip()
    try:
        if data[:5].lower() == b"data:":
            head, comma, data = data.partition(b",")
            if not comma or not head.lower().endswith(b";base64"):
                raise ValueError("the data URL does not say that it is")
        if b"%" in data:
            _check_escapes(data, "the text")
            data = _unquote(data)
        padded = data.translate(_STANDARD_ALPHABET, _WHITESPACE)
        data = padded.rstrip(b"=")
        if len(data) % 4 == 1 or len(padded) - len(data) > (2 if data else 0):
            raise ValueError("characters are missing at its end, or too many")
        data += b"=" * (-len(data) % 4)
        pieces = memoryview(data)
        return b"".join(
            binascii.a2b_base64(pieces[start : start + _PIECE], strict_mode=True)
            for start in range(0, len(data), _PIECE)
        )
    except ValueError as error:  # binascii.Error is one
        raise ProblemError(422, "invalid_base64", f"the picture is no base64: {error}") from error


def decode_form_base64(text: bytes) -> bytes:
    """The same from a form's field, where a plus sign that was not escaped has become a space."""
    return decode_base64(text.strip().translate(_PLUS_OF_SPACE))


def decode_text_base64(body: bytes) -> bytes:
    """The same from a whole body: the text itself, or the text as JSON. Raises ProblemError."""
    text = body.strip()
    if not text.startswith(b'"'):
        return decode_base64(text)
    content = parse_json(text, 1)
    if not isinstance(content, str):
        raise ProblemError(400, "invalid_body", "the JSON cannot be used: expected a string")
    return decode_base64(content)


def parse_json(text: bytes, max_images: int) -> object:
    """JSON whose bulk is base64. Raises ProblemError, before it is read for one that is bulky otherwise."""
    marks = text.translate(None, _BASE64 + _WHITESPACE)
    escapes = marks.count(b"\\")
    # Millions of numbers, strings or keys would take seconds. Some clients escape slashes and line ends.
    if escapes > 64 + len(text) // 16 or len(marks) - escapes > 256 + 64 * max_images:
        raise ProblemError(400, "invalid_body", "the JSON cannot be used: it holds too much beside base64")
    try:
        # Between values line breaks say nothing. Within a string JSON has none, but some clients write them.
        return from_json(text.translate(None, b"\r\n"))
    except ValueError as error:
        raise ProblemError(400, "invalid_body", f"the JSON cannot be used: {error}") from error


def parse_form(body: bytes) -> list[tuple[str, bytes]]:
    """The fields of a URL-encoded form, in their order. Raises ProblemError."""
    fields = body.split(b"&", MAX_OTHER_FIELDS)
    if len(fields) > MAX_OTHER_FIELDS:
        raise ProblemError(400, "invalid_body", f"a form may have {MAX_OTHER_FIELDS} fields at most")
    _check_escapes(body, "the form")
    pairs = (field.translate(_SPACE_OF_PLUS).partition(b"=") for field in fields)
    return [(_unquote(name).decode(errors="replace"), _unquote(value)) for name, _, value in pairs]


def _check_escapes(text: bytes, what: str) -> None:
    """Raises ProblemError: each of millions of escapes would take its time."""
    if text.count(b"%") > 64 + len(text) // 8:
        raise ProblemError(400, "invalid_body", f"{what} has far more escapes than base64 needs")


def _unquote(text: bytes) -> bytes:
    return b"".join(unquote_to_bytes(piece) for piece in _pieces(text))


def _pieces(text: bytes) -> Iterator[bytes]:
    """Cut before escapes, so that none is cut in two."""
    start = 0
    while start < len(text):
        end = text.find(b"%", start + _PIECE)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end
