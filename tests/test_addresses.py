import time

import pytest
from emostream.addresses import (
    Origin,
    is_ip_address,
    is_loopback,
    split_host,
    without_secrets,
    without_tokens,
)


def test_tokens_and_passwords_are_not_shown() -> None:
    assert without_secrets("ws://me:secret@host:1/ws?token=secret&mode=all") == "ws://host:1/ws"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]
)
def test_names_and_addresses_of_this_machine_are_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "emo.example", "localhost.evil.example", ""]
)
def test_all_others_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_an_ip_address_is_told_from_a_name() -> None:
    assert all(is_ip_address(host) for host in ("192.168.1.5", "::1", "[fe80::1]"))
    assert not any(is_ip_address(host) for host in ("emo.example", "192.168.1", "1.2.3.4.example"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("emo.example", ("emo.example", None)),
        ("EMO.example.:80", ("emo.example", 80)),
        ("[0:0::1]:8000", ("[::1]", 8000)),
        ("my_nas", ("my_nas", None)),
    ],
)
def test_a_host_has_one_spelling(text: str, parts: tuple[str, int | None]) -> None:
    assert split_host(text) == parts


@pytest.mark.parametrize(
    "text", ["", ":80", "a b", "a:b", "a:70000", "a/b", "u@a", "[::1", "[::g]", "a..b", "a,b", "a\n"]
)
def test_what_is_no_host_is_none(text: str) -> None:
    assert split_host(text) is None


@pytest.mark.parametrize("text", ["https://a.example", "http://a.example:8080", "app://page"])
def test_an_origin_is_written_as_browsers_do(text: str) -> None:
    assert str(Origin.parse(text)) == text
    assert str(Origin.parse(text.upper() + "/")) == text


@pytest.mark.parametrize(
    "text", ["null", "", "a.example", "http://", "http://a/b", "http://u@a", "http://a?b"]
)
def test_what_is_no_origin_is_none(text: str) -> None:
    assert Origin.parse(text) is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"GET /ws?mode=all&token=se%20cret HTTP/1.1"', '"GET /ws?mode=all&token=… HTTP/1.1"'),
        ("/ws?%74oken=secret", "/ws?%74oken=…"),
        ("/ws?TOKEN=secret&mode=all", "/ws?TOKEN=…&mode=all"),
        ("< Authorization: Bearer secret", "< Authorization: Bearer …"),
        ("(b'authorization', b'Bearer secret')", "(b'authorization', b'Bearer …')"),
        ("authorization: secret", "authorization: …"),
        ("/ws?mode=all&tokens=2", "/ws?mode=all&tokens=2"),
    ],
)
def test_a_line_of_the_log_shows_no_token(line: str, shown: str) -> None:
    assert without_tokens(line) == shown


@pytest.mark.parametrize("text", ["?" * 60_000, "?a" * 30_000, "&" * 60_000])
def test_no_line_takes_long_to_be_searched_for_tokens(text: str) -> None:
    """Its time grew with the square of its length: minutes, in which nobody else was served."""
    started = time.process_time()

    assert without_tokens(f"GET /ws{text}?token=sesame") == f"GET /ws{text}?token=…"
    assert time.process_time() - started < 10


def test_a_name_that_no_host_can_have_is_not_even_converted() -> None:
    assert split_host("ä" * 301) is None
    assert split_host("ä.example") == ("xn--4ca.example", None)
