"""Images as text: base64, in JSON or in a URL-encoded form.

Parsing text costs far more than receiving it, mostly in single calls that hold the interpreter's lock. No
call here takes much longer than 10 ms, so the event loop stays responsive.
"""

import binascii
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json

from ..exceptions import ProblemError

_WHITESPACE = b" \t\r\n\f\v"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"

# ``translate`` takes 10 ms where ``replace`` takes 100 ms.
_SPACE_OF_PLUS = bytes.maketrans(b"+", b" ")
_PLUS_OF_SPACE = bytes.maketrans(b" ", b"+")
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")

#: Characters per step; a multiple of 4.
_PIECE = 256 * 1024

#: Most form fields that are no images; they are ignored, but clients send them.
MAX_OTHER_FIELDS = 16


def decode_base64(text: str | bytes) -> bytes:
    """An image given as base64, bare or as a data URL. Raises ProblemError.

    Accepts both alphabets of RFC 4648, with or without padding, line breaks and URL escapes.
    """
    data = text.encode() if isinstance(text, str) else text
    data = data.strip()
    try:
        if data[:5].lower() == b"data:":
            head, comma, data = data.partition(b",")
            if not comma or not head.lower().endswith(b";base64"):
                raise ValueError("the data URL does not declare base64")
        if b"%" in data:
            _check_escapes(data, "the text")
            data = _unquote(data)
        padded = data.translate(_STANDARD_ALPHABET, _WHITESPACE)
        data = padded.rstrip(b"=")
        if len(data) % 4 == 1 or len(padded) - len(data) > (2 if data else 0):
            raise ValueError("its end has missing or extra characters")
        data += b"=" * (-len(data) % 4)
        pieces = memoryview(data)
        return b"".join(
            binascii.a2b_base64(pieces[start : start + _PIECE], strict_mode=True)
            for start in range(0, len(data), _PIECE)
        )
    except ValueError as error:  # includes binascii.Error
        raise ProblemError(422, "invalid_base64", f"the image is not base64: {error}") from error


def decode_form_base64(text: bytes) -> bytes:
    """Decodes a form's field, in which unescaped plus signs have become spaces."""
    return decode_base64(text.strip().translate(_PLUS_OF_SPACE))


def decode_text_base64(body: bytes) -> bytes:
    """Decodes a whole body: base64 text, or that text as JSON. Raises ProblemError."""
    text = body.strip()
    if not text.startswith(b'"'):
        return decode_base64(text)
    content = parse_json(text, 1)
    if not isinstance(content, str):
        raise ProblemError(400, "invalid_body", "invalid JSON: expected a string")
    return decode_base64(content)


def parse_json(text: bytes, max_images: int) -> object:
    """Parses JSON that is mostly base64. Raises ProblemError before parsing if it is mostly something
    else."""
    marks = text.translate(None, _BASE64 + _WHITESPACE)
    escapes = marks.count(b"\\")
    # Millions of numbers, strings or keys would take seconds. Some clients escape slashes and line breaks.
    if escapes > 64 + len(text) // 16 or len(marks) - escapes > 256 + 64 * max_images:
        raise ProblemError(400, "invalid_body", "invalid JSON: it contains too much besides base64")
    try:
        # Line breaks between values are irrelevant. JSON strings have none, but some clients write them.
        return from_json(text.translate(None, b"\r\n"))
    except ValueError as error:
        raise ProblemError(400, "invalid_body", f"invalid JSON: {error}") from error


def parse_form(body: bytes) -> list[tuple[str, bytes]]:
    """The fields of a URL-encoded form, in their order. Raises ProblemError."""
    fields = body.split(b"&", MAX_OTHER_FIELDS)
    if len(fields) > MAX_OTHER_FIELDS:
        raise ProblemError(400, "invalid_body", f"a form may have at most {MAX_OTHER_FIELDS} fields")
    _check_escapes(body, "the form")
    pairs = (field.translate(_SPACE_OF_PLUS).partition(b"=") for field in fields)
    return [(_unquote(name).decode(errors="replace"), _unquote(value)) for name, _, value in pairs]


def _check_escapes(text: bytes, what: str) -> None:
    """Raises ProblemError for too many escapes; millions of them would take seconds."""
    if text.count(b"%") > 64 + len(text) // 8:
        raise ProblemError(400, "invalid_body", f"{what} has far more escapes than base64 needs")


def _unquote(text: bytes) -> bytes:
    return b"".join(unquote_to_bytes(piece) for piece in _pieces(text))


def _pieces(text: bytes) -> Iterator[bytes]:
    """Splits before escapes, never within one."""
    start = 0
    while start < len(text):
        end = text.find(b"%", start + _PIECE)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end
