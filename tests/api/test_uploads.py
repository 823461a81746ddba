"""Base64 as clients write it. Whole bodies are in test_images.py and test_compat.py, over a socket."""

import base64

import pytest
from emostream.api.uploads import decode_base64
from emostream.exceptions import ProblemError

PICTURE = bytes(range(256))
TEXT = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "data:image/jpeg;base64," + TEXT,
        "DATA:image/png;base64," + TEXT,
        "data:;base64," + TEXT,
        "\n".join(TEXT[start : start + 76] for start in range(0, len(TEXT), 76)),
        f"  {TEXT}\r\n",
    ],
    ids=["bare", "data URL", "capitals", "no type", "lines", "white space around"],
)
def test_base64_is_read_bare_and_as_a_data_url(text: str) -> None:
    assert decode_base64(text) == PICTURE


@pytest.mark.parametrize("text", ["%%%", "abc", "häää", "data:image/png;base64,a"])
def test_what_is_no_base64_is_told(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_base64(text)

    assert (caught.value.status, caught.value.code) == (422, "invalid_base64")


def test_nothing_is_an_empty_picture() -> None:
    assert decode_base64("data:image/png;base64,") == b""
