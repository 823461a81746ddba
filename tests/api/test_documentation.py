import re
from html import unescape

import httpx
import pytest

from tests.servers import ServerProcess, ServerThread, server_thread

TOKEN = {"Authorization": "Bearer let me in"}


def get(server: ServerProcess | ServerThread, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.http}{path}", headers=headers, trust_env=False)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_where_a_token_is_set_the_documentation_needs_it(guarded: ServerProcess, path: str) -> None:
    assert get(guarded, path).status_code == 401
    assert get(guarded, f"{path}?token=wrong").status_code == 401
    assert get(guarded, f"{path}?token=let%20me%20in").status_code == 200
    assert get(guarded, path, **TOKEN).status_code == 200


def test_the_page_asks_for_the_description_with_the_token_that_it_was_given(guarded: ServerProcess) -> None:
    page = get(guarded, "/docs?token=let%20me%20in")

    [address] = re.findall(r"url: '([^']+)'", page.text)
    assert get(guarded, unescape(address)).json()["info"]["title"] == "Emostream"


def test_nothing_that_is_given_as_a_token_becomes_a_script() -> None:
    with server_thread() as server:
        page = get(server, "/docs?token='</script><script>alert(1)</script>")

    assert page.status_code == 200
    assert "alert(1)<" not in page.text
    assert "unsafe-inline" not in page.headers["content-security-policy"].partition("style-src")[0]


def test_a_setting_opens_it() -> None:
    with server_thread(token="secret", open_docs=True) as server:
        assert get(server, "/docs").status_code == 200
        assert get(server, "/openapi.json").status_code == 200
        assert get(server, "/metrics").status_code == 401
