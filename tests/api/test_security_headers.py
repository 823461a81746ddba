"""What browsers are told to refuse; tests/e2e has a real browser obey it."""

from collections.abc import Iterator

import httpx
import pytest
from emostream.api.security_headers import content_security_policy

from tests.servers import ServerProcess, ServerThread, server_thread


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("dist")
    (folder / "index.html").write_text("<!doctype html><title>Emostream</title>")
    (folder / "worker.js").write_text("1")
    with server_thread(dashboard_dir=folder) as thread:
        yield thread


def headers_of(url: str) -> httpx.Headers:
    return httpx.get(url, trust_env=False).headers


def directives(headers: httpx.Headers) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(
    "path", ["/", "/worker.js", "/healthz", "/v1/nothing", "/docs", "/v1/faces", "/metrics"]
)
def test_every_answer_has_strict_headers(page_server: ServerThread, path: str) -> None:
    headers = headers_of(page_server.http + path)

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("camera=(self), display-capture=(self), microphone=()")
    policy = directives(headers)
    assert {policy[name] for name in ("default-src", "base-uri", "form-action", "object-src")} == {"'none'"}
    assert policy["frame-ancestors"] == "'none'"


def test_the_real_process_sends_them_too(server: ServerProcess) -> None:
    headers = headers_of(f"{server.http}/healthz")

    assert headers["x-content-type-options"] == "nosniff"
    assert directives(headers)["default-src"] == "'none'"


@pytest.mark.parametrize("path", ["/", "/worker.js"])
def test_the_page_runs_its_own_scripts_alone(page_server: ServerThread, path: str) -> None:
    policy = directives(headers_of(page_server.http + path))

    assert "'unsafe-inline'" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    assert policy["style-src"] == "'self'"
    assert not any("http" in sources or "*" in sources for sources in policy.values())


def test_a_page_that_has_not_changed_keeps_its_policy(page_server: ServerThread) -> None:
    """What "not modified" says takes the place of what the browser has kept: the page was blank then."""
    page = httpx.get(page_server.http, trust_env=False)
    again = httpx.get(page_server.http, headers={"If-None-Match": page.headers["etag"]}, trust_env=False)

    assert again.status_code == 304
    assert "content-security-policy" not in again.headers


def test_data_needs_nothing(page_server: ServerThread) -> None:
    assert "script-src" not in directives(headers_of(f"{page_server.http}/healthz"))


def test_a_page_may_be_framed_by_those_that_a_setting_names() -> None:
    with server_thread(frame_ancestors="https://intranet.example/,http://b.example:81") as server:
        headers = headers_of(f"{server.http}/healthz")

    assert directives(headers)["frame-ancestors"] == "https://intranet.example http://b.example:81"
    assert "x-frame-options" not in headers


def test_directives_are_separated_by_semicolons() -> None:
    assert content_security_policy({"default-src": "'none'"}, ()) == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'none'"
    )
