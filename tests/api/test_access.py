import pytest
from emostream.api.access import origin_is_allowed, token_is_valid
from emostream.settings import Settings
from starlette.requests import HTTPConnection


def connection(query: str = "", scheme: str = "http", **headers: str) -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "scheme": scheme, "headers": raw, "query_string": query.encode()})


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]


OWN = {"Host": "emo.example:8000"}


def test_a_client_without_an_origin_is_no_browser_and_let_in() -> None:
    assert origin_is_allowed(connection(**OWN), settings())


@pytest.mark.parametrize(
    "origin", ["http://emo.example:8000", "HTTP://Emo.Example:8000", "http://emo.example:8000/"]
)
def test_the_servers_own_pages_are_let_in_in_any_spelling(origin: str) -> None:
    assert origin_is_allowed(connection(Origin=origin, **OWN), settings())


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", "emo.example", "http://emo.example"),
        ("http", "emo.example:80", "http://emo.example"),
        ("http", "emo.example", "http://emo.example:80"),
        ("ws", "emo.example", "http://emo.example"),
        ("https", "emo.example:443", "https://emo.example"),
        ("wss", "emo.example", "https://emo.example:443"),
        ("http", "EMO.example.", "http://emo.example"),
        ("http", "[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000"),
    ],
)
def test_a_default_port_may_be_said_or_left_out(scheme: str, host: str, origin: str) -> None:
    assert origin_is_allowed(connection(scheme=scheme, Host=host, Origin=origin), settings())


def test_a_page_of_another_scheme_is_another_page() -> None:
    """A page without TLS can be changed on its way, and must not act for one with it."""
    assert not origin_is_allowed(connection(Origin="https://emo.example:8000", **OWN), settings())
    assert not origin_is_allowed(
        connection(scheme="wss", Origin="http://emo.example:8000", **OWN), settings()
    )


@pytest.mark.parametrize(
    "origin",
    [
        "http://emo.example",
        "http://emo.example:8001",
        "http://evil.example",
        "http://emo.example:8000.evil.example",
        "http://evil.example/emo.example:8000",
        "http://user@emo.example:8000",
        "emo.example:8000",
        "null",
        "",
        "http://[",
    ],
)
def test_all_other_pages_are_refused(origin: str) -> None:
    assert not origin_is_allowed(connection(Origin=origin, **OWN), settings())


@pytest.mark.parametrize(
    "listed",
    [
        "https://friend.example",
        "https://friend.example/",
        "https://Friend.Example:443",
        "HTTPS://friend.example.",
    ],
)
def test_pages_on_the_list_are_let_in_in_any_spelling(listed: str) -> None:
    friendly = settings(allowed_origins=listed)

    assert origin_is_allowed(connection(Origin="https://friend.example", **OWN), friendly)
    assert origin_is_allowed(connection(Origin="https://friend.example:443", **OWN), friendly)
    assert not origin_is_allowed(connection(Origin="http://friend.example", **OWN), friendly)
    assert not origin_is_allowed(connection(Origin="https://friend.example:8443", **OWN), friendly)


def test_a_star_lets_all_pages_in() -> None:
    assert origin_is_allowed(connection(Origin="http://any.example", **OWN), settings(allowed_origins="*"))


def test_without_a_host_no_page_is_the_servers_own() -> None:
    assert not origin_is_allowed(connection(Origin="null"), settings())


def test_without_a_token_everybody_is_let_in() -> None:
    assert token_is_valid(connection(), settings())
    assert token_is_valid(connection("token=any"), settings())


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", "BEARER secret"])
def test_the_token_may_come_in_a_header(header: str) -> None:
    assert token_is_valid(connection(Authorization=header), settings(token="secret"))


def test_the_token_may_come_in_the_query() -> None:
    assert token_is_valid(connection("mode=all&token=sec%20ret"), settings(token="sec ret"))


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("token=", {}),
        ("token=secre", {}),
        ("token=secrets", {}),
        ("", {"Authorization": "secret"}),
        ("", {"Authorization": "Bearer"}),
        ("", {"Authorization": "Bearer secret extra"}),
        ("token=secret", {"Authorization": "Bearer wrong"}),
        ("token=%ff%fe", {}),
    ],
    ids=["none", "empty", "shorter", "longer", "no scheme", "no value", "more", "wrong header", "no UTF-8"],
)
def test_any_other_token_is_refused(query: str, headers: dict[str, str]) -> None:
    assert not token_is_valid(connection(query, **headers), settings(token="secret"))


def test_a_token_beyond_ascii_is_compared_and_does_not_crash() -> None:
    assert token_is_valid(connection("token=gehe%C3%AFm"), settings(token="geheïm"))
    assert not token_is_valid(connection(Authorization="Bearer geheim"), settings(token="geheïm"))


def test_each_of_several_tokens_lets_in() -> None:
    several = settings(token="one", tokens="two, three")

    assert all(token_is_valid(connection(f"token={token}"), several) for token in ("one", "two", "three"))
    assert not token_is_valid(connection("token=two,%20three"), several)
