"""A request names this server, or is refused: through the real process, over raw sockets."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.raw_sockets import handshake, request
from tests.servers import QUICK_MODEL, Addresses, ServerProcess, server_thread
from tests.support import PATIENCE_S


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    """A server with names of its own, behind a proxy on this machine."""
    folder, names = tmp_path_factory.mktemp("named"), "Emo.Example, *.lan.example"
    with ServerProcess(folder, cache_dir, model=QUICK_MODEL, allowed_hosts=names) as process:
        yield process
    assert "Traceback" not in process.log
    assert " ERROR " not in process.log


def ask(server: Addresses, *lines: str, path: str = "/healthz") -> tuple[int, str]:
    """Status and text of the answer to a request with exactly these header lines."""
    return _exchange(server, request(f"GET {path} HTTP/1.1", *lines, "Connection: close"))


def shake_hands(server: Addresses, *lines: str) -> int:
    """Status of the answer to a WebSocket's handshake with exactly these further header lines."""
    return _exchange(server, handshake("/ws", *lines), is_done=lambda answer: b"\r\n\r\n" in answer)[0]


def _exchange(
    server: Addresses, sent: bytes, is_done: Callable[[bytes], bool] = lambda answer: False
) -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as connection:
        connection.sendall(sent)
        answer = b""
        while not is_done(answer) and (part := connection.recv(65536)):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:1",
        "app.localhost",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]:8000",
        "192.168.1.5",
        "emo.example",
        "EMO.EXAMPLE.:443",
        "one.lan.example",
        "a.b.lan.example",
    ],
)
def test_its_names_and_any_address_are_answered(named: ServerProcess, host: str) -> None:
    assert ask(named, f"Host: {host}")[0] == 200
    assert shake_hands(named, f"Host: {host}") == 101


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("evil.example", "unknown_host"),
        ("emo.example.evil.example", "unknown_host"),
        ("notlan.example", "unknown_host"),
        ("lan.example", "unknown_host"),
        ("127.0.0.1.evil.example", "unknown_host"),
        ("", "invalid_host"),
        ("user@localhost", "invalid_host"),
        ("localhost/", "invalid_host"),
        ("localhost:x", "invalid_host"),
        ("localhost, evil.example", "invalid_host"),
    ],
)
def test_a_strangers_name_is_refused_with_its_own_page(named: ServerProcess, host: str, code: str) -> None:
    """As a page does whose name was made to resolve to this machine: origin and host agree."""
    status, answer = ask(named, f"Host: {host}", f"Origin: http://{host}")

    assert status == 400
    assert f'"{code}"' in answer
    assert shake_hands(named, f"Host: {host}", f"Origin: http://{host}") == 400


@pytest.mark.parametrize("lines", [(), ("Host: localhost", "Host: localhost")], ids=["none", "two"])
def test_a_request_names_exactly_one_host(named: ServerProcess, lines: tuple[str, ...]) -> None:
    assert ask(named, *lines)[0] == 400
    assert shake_hands(named, *lines) == 400


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: emo.example", "X-Forwarded-Proto: https"),
        ("Host: emo.example:443", "X-Forwarded-Proto: https"),
        ("Host: 127.0.0.1:8000", "X-Forwarded-Host: emo.example", "X-Forwarded-Proto: https"),
        ("Host: 127.0.0.1:8000", "X-Forwarded-Host: EMO.example:443, inner", "X-Forwarded-Proto: https"),
    ],
    ids=["host kept", "with its port", "host forwarded", "by two proxies"],
)
def test_behind_a_trusted_proxy_the_pages_origin_is_the_proxys(
    named: ServerProcess, lines: tuple[str, ...]
) -> None:
    assert shake_hands(named, *lines, "Origin: https://emo.example") == 101
    assert shake_hands(named, *lines, "Origin: http://emo.example") == 403
    assert shake_hands(named, *lines, "Origin: http://127.0.0.1:8000") == 403


def test_a_forwarded_host_does_not_hide_a_strangers_name(named: ServerProcess) -> None:
    """A page may have a browser send any header but Host."""
    assert ask(named, "Host: evil.example", "X-Forwarded-Host: localhost")[0] == 400
    assert ask(named, "Host: localhost", "X-Forwarded-Host: evil.example")[0] == 400


def test_what_others_than_trusted_proxies_forward_is_not_believed() -> None:
    with server_thread(trusted_proxies="192.0.2.0/24", allowed_hosts="emo.example") as server:
        forwarded = ("X-Forwarded-Host: emo.example", "X-Forwarded-Proto: https")

        assert shake_hands(server, "Host: localhost", *forwarded, "Origin: https://emo.example") == 403
        assert shake_hands(server, "Host: localhost", *forwarded, "Origin: http://localhost") == 101


def test_with_a_star_every_name_is_answered() -> None:
    with server_thread(allowed_hosts="*") as server:
        assert ask(server, "Host: any.example")[0] == 200


def test_long_headers_in_one_piece_are_refused(named: ServerProcess) -> None:
    many = [f"X-{number}: {'x' * 900}" for number in range(80)]

    assert ask(named, "Host: localhost", *many)[0] == 431


PROXIED = "X-Forwarded-Prefix: "


def description(server: Addresses, *lines: str, path: str = "/openapi.json") -> str:
    status, answer = ask(server, "Host: localhost", *lines, path=path)
    assert status == 200
    return answer


def test_a_trusted_proxys_path_prefix_is_believed_and_need_not_have_been_cut_off() -> None:
    with server_thread() as server:
        for lines, path, root in [
            ((PROXIED + "/emo",), "/openapi.json", "/emo"),
            ((PROXIED + "/emo/",), "/emo/openapi.json", "/emo"),
            ((PROXIED + "/outer, /inner",), "/openapi.json", "/outer/inner"),
            ((PROXIED + "/outer", PROXIED + "/inner"), "/outer/inner/openapi.json", "/outer/inner"),
        ]:
            assert f'"servers":[{{"url":"{root}"}}]' in description(server, *lines, path=path)
        assert '"servers":[{"url"' not in description(server)
        assert '"servers":[{"url"' not in description(server, PROXIED)


@pytest.mark.parametrize("prefix", ["emo", "//evil.example", "/a b", "/%2e", "/a?b", "/<b>", "/" + "a" * 300])
def test_what_is_no_path_prefix_is_refused(prefix: str) -> None:
    with server_thread() as server:
        status, answer = ask(server, "Host: localhost", PROXIED + prefix)

    assert (status, "invalid_prefix" in answer) == (400, True)


def test_a_strangers_path_prefix_is_not_believed() -> None:
    with server_thread(trusted_proxies="192.0.2.0/24") as server:
        assert '"servers":[{"url"' not in description(server, PROXIED + "/evil")


def test_a_setting_says_the_path_prefix_as_well_and_other_paths_go_on_working() -> None:
    with server_thread(root_path="/emo/") as server:
        assert '"servers":[{"url":"/emo"}]' in description(server, path="/emo/openapi.json")
        assert ask(server, "Host: localhost", path="/healthz")[0] == 200  # of a container's own check
        assert ask(server, "Host: localhost", path="/emo/healthz")[0] == 200
        assert ask(server, "Host: localhost", path="/emo/nothing")[0] == 404
        status, answer = ask(server, "Host: localhost", path="/emo?token=a")
        assert status == 308
        assert "location: /emo/?token=a" in answer
        assert shake_hands(server, "Host: localhost") == 101
        assert '"servers":[{"url":"/other"}]' in description(server, PROXIED + "/other")
