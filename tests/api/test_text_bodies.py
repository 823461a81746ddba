"""Text as clients write it. Whole bodies are in test_uploads.py and test_compat.py, over a socket."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from emostream.api.text_bodies import decode_base64, decode_text_base64, parse_form, parse_json
from emostream.exceptions import ProblemError

PICTURE = bytes(range(256))
TEXT = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize("padding", ["", "="], ids=["unpadded", "padded"])
@pytest.mark.parametrize(
    "written",
    [
        lambda text: text,
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: "data:image/jpeg;base64," + text,
        lambda text: "DATA:image/png;base64," + text,
        lambda text: "data:;base64," + text,
        lambda text: "data:image/jpeg;name=a.jpg;base64," + text,
        lambda text: "data:image/jpeg;base64," + text.replace("+", "-").replace("/", "_"),
        lambda text: "data:image/jpeg;base64," + quote(text, safe=""),
        lambda text: quote(text, safe=""),
        lambda text: quote("\r\n".join(in_lines(text)), safe=""),
        lambda text: "\n".join(in_lines(text)),
        lambda text: "\r\n".join(in_lines(text)) + "\r\n",
        lambda text: f"  {text}\r\n",
    ],
    ids=[
        *(
            "bare",
            "URL alphabet",
            "data URL",
            "capitals",
            "no type",
            "parameters",
            "URL alphabet in a data URL",
        ),
        *("escaped data URL", "escaped", "escaped lines", "lines", "CRLF", "white space around"),
    ],
)
def test_base64_is_read_however_it_is_written(written: Callable[[str], str], padding: str) -> None:
    text = written(TEXT.rstrip("=") + padding * TEXT.count("="))

    assert {"+", "/", "="} <= set(TEXT)
    assert decode_base64(text) == PICTURE


def in_lines(text: str) -> list[str]:
    return [text[start : start + 76] for start in range(0, len(text), 76)]


@pytest.mark.parametrize(
    "text",
    [
        *("%%%", "abcde", "häää", "data:image/png;base64,a", "QQ==QUJD", "QUI=" * 100_000, "=", "QQ=Q"),
        *("QUI====", "data:image/png,QUJD", "data:image/png;base64", "QU*D", "%ZZQUJD"),
    ],
)
def test_what_is_no_base64_is_told(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_base64(text)

    assert (caught.value.status, caught.value.code) == (422, "invalid_base64")


def test_text_of_far_more_escapes_than_base64_needs_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProblemError, match="far more escapes"):
        decode_base64("%41" * 1_000_000)


def test_a_whole_body_is_the_text_or_the_text_as_json() -> None:
    assert decode_text_base64(TEXT.encode() + b"\n") == PICTURE
    assert decode_text_base64(json.dumps(TEXT).replace("/", "\\/").encode()) == PICTURE
    with pytest.raises(ProblemError, match="JSON"):
        decode_text_base64(b'"QUJD')


def test_nothing_is_an_empty_picture() -> None:
    assert decode_base64("data:image/png;base64,") == b""


def test_large_base64_is_read_in_pieces_and_put_together() -> None:
    picture = PICTURE * 5000 + b"end"

    assert decode_base64(base64.b64encode(picture)) == picture
    assert decode_base64(base64.encodebytes(picture)) == picture


# JSON


def test_json_of_images_is_read_however_its_text_is_escaped() -> None:
    text = (
        json.dumps({"images": [TEXT * 100] * 16, "names": ["ä"] * 16})
        .replace("/", "\\/")
        .replace("+", "\\u002b")
    )

    content = parse_json(text.encode(), 16)

    assert isinstance(content, dict)
    assert content["images"] == [TEXT * 100] * 16


def test_json_whose_strings_were_broken_into_lines_without_an_escape_is_read() -> None:
    assert parse_json(b'{"image":\r\n "QUJD\nREVG\r\n"}', 1) == {"image": "QUJDREVG"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"images":[' + b'"",' * 1_000_000 + b'""]}',
        b'{"image":"x","z":[' + b"1," * 1_000_000 + b"1]}",
        b'{"image":"x","z":[' + b"{}," * 1_000_000 + b"1]}",
        b"{" + b'"a":1,' * 1_000_000 + b'"image":"x"}',
        b'{"image":"' + b"\\u0041" * 1_000_000 + b'"}',
        b"[" * 1_000_000,
    ],
    ids=["strings", "numbers", "objects", "keys", "escapes", "nested"],
)
def test_json_that_is_bulky_beside_its_images_is_refused_before_it_is_parsed(text: bytes) -> None:
    with pytest.raises(ProblemError, match="too much besides base64"):
        parse_json(text, 16)


@pytest.mark.parametrize("text", [b"", b"{", b'{"image": "\xff"}', b"1" * 10_000 + b"."])
def test_what_is_no_json_is_told(text: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_json(text, 16)

    assert (caught.value.status, caught.value.code) == (400, "invalid_body")


# URL-encoded forms


def test_the_fields_of_a_form_are_read_in_their_order() -> None:
    body = b"a=1%2B2+3&imgBase64=QUJD%3D%3D&%C3%A4=&flag"

    assert parse_form(body) == [("a", b"1+2 3"), ("imgBase64", b"QUJD=="), ("ä", b""), ("flag", b"")]


def test_no_escape_is_cut_in_two() -> None:
    letters = (b"A" * 11 + b"%2B") * 100_000

    assert parse_form(b"x=" + letters) == [("x", (b"A" * 11 + b"+") * 100_000)]


@pytest.mark.parametrize("body", [b"a=b&" * 17, b"x=" + b"%41" * 100_000], ids=["fields", "escapes"])
def test_a_form_that_no_client_sends_is_refused(body: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_form(body)

    assert (caught.value.status, caught.value.code) == (400, "invalid_body")
